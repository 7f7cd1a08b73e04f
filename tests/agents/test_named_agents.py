"""Agents by name, and memories by their path: what a name gives, in this process and in another."""

import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.agents import AgentMaker, LmConfig, MemoryAgent, RandomAgent, SkillAgent
from pathei.cli import main
from pathei.collectors.options import LmOptions
from pathei.collectors.tasks import write_tasks
from pathei.errors import ConfigError, MemoryStoreError, ModelError, UnknownNameError
from pathei.experience import Goal, Observation
from pathei.memory.embedders.cache import CachedEmbedder
from pathei.memory.embedders.ngrams import NGramEmbedder
from pathei.memory.embedders.registry import make_embedder
from pathei.memory.experience_memory import ExperienceMemory
from pathei.memory.items import Draft
from pathei.memory.opening import memory_at, open_memory
from pathei.store import ExperienceStore
from pathei.tests.support.endpoint_server import Server
from pathei.tests.support.lantern import ID, lantern_task, lantern_tasks

STATED = "Lamps are lit with a match."


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """A memory with one fact of the tests' world."""
    path = tmp_path / "home"
    with ExperienceMemory.open(path, embedder=NGramEmbedder(64)) as opened:
        opened.add_drafts([Draft("fact", STATED, ID)])
    return path


@pytest.fixture
def server() -> Iterator[Server]:
    """An endpoint whose model always says the same."""
    started = Server("go right")
    yield started
    started.close()


def test_agents_that_use_a_memory_are_pickled_by_name(memory: Path) -> None:
    named = AgentMaker(f"random+memory:{memory}/")
    named.prepare()
    again = pickle.loads(pickle.dumps(named))  # noqa: S301  # our own
    for one in (named, again):
        agent = one(lantern_task(0))
        assert isinstance(agent, MemoryAgent)
        agent.reset(0)
        decided = agent.act(Observation("a room", (), ("go left",)), Goal("light all lamps"))
        assert decided.action == "go left"
        assert len(decided.notes["memory"]) == 1
        assert one.collector == f"random+memory:{memory}"
        one.close()
    assert isinstance(AgentMaker(f"skills:{memory}")(lantern_task(0)), SkillAgent)
    assert isinstance(AgentMaker("random")(lantern_task(0)), RandomAgent)
    assert AgentMaker("human").is_human


@pytest.mark.parametrize(
    ("name", "collector"),
    [
        ("random", "random"),
        ("scripted", "scripted"),
        ("lm:tuned/", "lm:tuned"),
        ("lm:owner/model", "lm:owner/model"),
        ("lm:owner/model@http://127.0.0.1:8000/v1", "lm:owner/model@"),
        ("lm:model@+memory:runs/home", "lm:model@+memory:runs/home"),
        ("skills:runs/home/", "skills:runs/home"),
    ],
)
def test_trajectories_are_named_after_the_agent_and_not_after_an_address(name: str, collector: str) -> None:
    assert AgentMaker(name).collector == collector


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("skils:x", UnknownNameError, "did you mean 'skills'"),
        ("random:3", UnknownNameError, "There is no agent 'random:3'"),
        ("skills", ConfigError, "No memory is named: write skills:MEMORY"),
        ("random+memory:", ConfigError, "No memory is named"),
        ("lm:", ConfigError, "No language model is named"),
        ("lm:+memory:home", ConfigError, "No language model is named"),
        ("lm:./nowhere", ModelError, "There is no model at ./nowhere"),
    ],
)
def test_a_wrong_name_is_refused_before_anything_is_loaded(name: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        AgentMaker(name)


def test_a_memory_that_is_not_there_is_refused_before_anybody_plays(tmp_path: Path) -> None:
    for name in (f"skills:{tmp_path}/x", f"random+memory:{tmp_path}/x"):
        with pytest.raises(MemoryStoreError, match="There is no memory at"):
            AgentMaker(name).prepare()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--agent", "random"], "Unrecognized or misplaced options"),
        (["--collector", "agent"], "Missing from pathei collect agent"),
        (["--collector", "agent", "--agent", "human"], "A person plays one episode at a time"),
        (["--collector", "agent", "--agent", "randon"], "did you mean 'random'?"),
        (["--collector", "agent", "--agent", "skills:{tmp}/x"], "There is no memory at"),
        (["--collector", "agent", "--agent", "lm:x", "--lm.tries", "0"], "--lm.tries"),
        (["--collector", "agent", "--agent", "lm:x", "--lm.temperature", "-1"], "temperature must be at least 0"),
    ],
)
def test_who_cannot_play_is_refused_before_a_store_is_made(
    args: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["collect", str(tmp_path / "store"), *(arg.format(tmp=tmp_path) for arg in args)])
    except SystemExit as ended:
        status = int(str(ended.code))
    assert status == 2
    assert says in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_agents_of_all_names_can_be_watched(memory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("random", f"skills:{memory}", f"scripted+memory:{memory}"):
        assert main(["run", "--agent", name, "--steps", "2", "--seed", "1"]) == 0
        assert "2 steps" in capsys.readouterr().out
    assert main(["run", "--agent", "skils:x"]) == 2
    assert "did you mean 'skills'" in capsys.readouterr().err


def test_an_embedder_is_had_again_by_its_own_name() -> None:
    for embedder in (NGramEmbedder(), NGramEmbedder(64)):
        again = make_embedder(embedder.name)
        assert (again.name, again.dimensions) == (embedder.name, embedder.dimensions)
    with pytest.raises(ModelError, match="this version has 'ngrams-3-5-64'"):
        make_embedder("ngrams-2-4-64")


class Counting(NGramEmbedder):
    """An embedder that counts what it is asked."""

    def __init__(self) -> None:
        super().__init__(8)
        self.asked = list[str]()

    def embed(self, texts: Sequence[str]) -> Any:
        """Embed."""
        self.asked += texts
        return super().embed(texts)


@given(st.lists(st.lists(st.sampled_from(["cup", "a cup", "lamp", "", "sink"]), max_size=6), max_size=6))
def test_texts_that_come_again_are_embedded_once(lots: list[list[str]]) -> None:
    counting = Counting()
    cached, forgetful = CachedEmbedder(counting), CachedEmbedder(NGramEmbedder(8), size=1)
    for texts in lots:
        expected = NGramEmbedder(8).embed(texts)
        for embedder in (cached, forgetful):
            assert np.array_equal(embedder.embed(texts), expected)
    assert len(counting.asked) == len(set(counting.asked))
    assert (cached.name, cached.dimensions) == (counting.name, 8)


class Other(NGramEmbedder):
    """An embedder of somebody's own."""

    @property
    def name(self) -> str:
        """A name that nobody else knows."""
        return "mine"


def test_a_memory_is_opened_with_the_embedder_that_it_was_filled_with(memory: Path, tmp_path: Path) -> None:
    with open_memory(memory, mode="read") as opened:
        assert opened.stats()["embedder"] == "ngrams-3-5-64"
    with pytest.raises(MemoryStoreError, match="not with 'ngrams-3-5-1024': omit the"):
        open_memory(memory, embedder="ngrams")
    with open_memory(memory, embedder="ngrams", reembed=True) as opened:
        assert opened.stats()["embedder"] == "ngrams-3-5-1024"
    ExperienceMemory.open(tmp_path / "own", embedder=Other()).close()
    with pytest.raises(MemoryStoreError, match="'mine', which is not registered"):
        open_memory(tmp_path / "own")
    with pytest.raises(MemoryStoreError, match="There is no memory at"):
        open_memory(tmp_path / "none")
    with open_memory(tmp_path / "new", embedder="ngrams", create=True) as opened:
        assert opened.stats()["items"] == 0


def test_a_memory_that_is_damaged_says_so(memory: Path) -> None:
    (memory / "memory.sqlite").write_bytes(b"no table " * 1000)
    for path in memory.glob("memory.sqlite-*"):
        path.unlink()
    for mode in ("read", "write"):
        with pytest.raises(MemoryStoreError, match="cannot be used"):
            open_memory(memory, mode=mode)


def test_a_stores_own_memory_is_named_by_the_store_and_does_not_disturb_it(tmp_path: Path) -> None:
    path, tasks = tmp_path / "store", tmp_path / "tasks"
    write_tasks(tasks, lantern_tasks(4))
    play = ["collect", str(path), "--tasks", str(tasks), "--workers", "0", "--steps", "4"]
    assert main(play) == 0
    assert memory_at(path) == path / "memory"
    with pytest.raises(MemoryStoreError, match=r"has no memory yet: `pathei memory build .*` builds it"):
        open_memory(path, mode="read")
    with open_memory(path, embedder="ngrams", create=True) as opened:
        opened.add_drafts([Draft("fact", STATED, "")])
    assert (path / "memory" / "memory.sqlite").is_file()
    assert main([*play, "--collector", "agent", "--agent", f"random+memory:{path}"]) == 0
    with ExperienceStore.open(path) as store:
        store.seal()
        store.verify()
        assert len(list(store.trajectories())) == 8
    with open_memory(path, mode="read") as opened:
        assert opened.stats()["items"] == 1


@pytest.mark.parametrize(
    "address", ["notaurl", "ftp://x/v1", "http://", "http://[::1", "http://x:port/v1", "http://x:0"]
)
def test_what_is_no_address_of_an_endpoint_is_refused(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("openai")
    assert main(["run", "--agent", f"lm:name@{address}"]) == 2
    assert "is no address such as http://127.0.0.1:8000/v1" in capsys.readouterr().err
    assert main(["run", "--agent", f"lm:@{address}"]) == 2
    assert "No language model is named" in capsys.readouterr().err


def test_a_language_model_is_asked_as_the_options_say_and_shown_the_memory(
    memory: Path, server: Server, tmp_path: Path
) -> None:
    pytest.importorskip("openai")
    tasks, out = tmp_path / "tasks", tmp_path / "store"
    write_tasks(tasks, lantern_tasks(2))
    agent = f"lm:test-model@{server.url}"
    asked = ["--lm.way", "generate", "--lm.style", "act", "--lm.max-tokens", "9", "--lm.temperature", "0.5"]
    play = ["collect", str(out), "--tasks", str(tasks), "--workers", "0", "--steps", "2", "--collector", "agent"]
    assert main([*play, "--agent", agent, *asked]) == 0
    assert main([*play, "--agent", f"{agent}+memory:{memory}", *asked]) == 0
    assert main([*play, "--agent", agent, "--name", "warmer", *asked]) == 0
    with ExperienceStore.open(out, mode="read") as store:
        assert store.info().counts.collectors == {
            "lm:test-model@": 2,
            f"lm:test-model@+memory:{memory}": 2,
            "warmer": 2,
        }
        session = store.info().sessions[0]
        noted = {one.collector: one.steps[0].info["agent"].get("memory") for one in store.trajectories()}
    assert session.config["lm"]["way"] == "generate"
    assert {one["temperature"] for one in server.asked} == {0.5}
    assert [noted[name] is not None for name in ("lm:test-model@", f"lm:test-model@+memory:{memory}")] == [False, True]
    shown = [STATED in str(one["messages"]) for one in server.asked]
    assert shown == [False] * 4 + [True] * 4 + [False] * 4
    fresh = str(tmp_path / "fresh")  # without a way: a chat endpoint writes
    assert main(["collect", fresh, *play[2:], "--agent", agent, "--lm.style", "act"]) == 0
    with ExperienceStore.open(fresh, mode="read") as store:
        assert {one.steps[0].info["agent"]["way"] for one in store.trajectories()} == {"generate"}
    assert vars(LmOptions()) == {name: getattr(LmConfig(), name) for name in vars(LmOptions())}
