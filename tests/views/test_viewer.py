"""What the viewer says of a store: rows, episodes and changes by path, the server around it, and the one-file page."""

import base64
import dataclasses
import http.client
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.cli import main
from pathei.errors import ConfigError, ExportError, MemoryStoreError, StoreError
from pathei.experience import Goal, Observation, Step, Task, Trajectory
from pathei.memory import open_memory
from pathei.memory.items import Filter
from pathei.store import ExperienceStore
from pathei.tests.export.test_atif_reading import THEIRS
from pathei.tests.views.walks import walk
from pathei.views.viewer import EpisodeFilter, ViewerServer, export_page
from pathei.views.viewer.answers import CHUNK, ViewerAnswers, path_of
from pathei.views.viewer.changes import ShownChange, changes_of


def answer(store: ExperienceStore, *parts: object) -> Any:
    """Return what a path names, read as JSON."""
    return orjson.loads(ViewerAnswers(store).answer(path_of(*parts)).body)


def test_an_episode_is_answered_whole_in_parts(viewed: Path) -> None:
    with ExperienceStore.open(viewed, mode="read") as store:
        for one in store.trajectories():
            whole = store.expand(one)
            episode = answer(store, "episode", one.id)
            assert [line[:2] for line in episode["lines"]] == [[step.action, step.reward] for step in whole.steps]
            assert episode["shared"] == len(whole.steps) - len(one.steps)
            moments = []
            for first in range(0, len(whole.steps) + 1, CHUNK):
                part = answer(store, "steps", one.id, first)
                for moment in part["moments"]:
                    numbers = moment["actions"]
                    moments.append((moment["text"], numbers and tuple(part["words"][n] for n in numbers)))
            seen = [*(step.observation for step in whole.steps), whole.final]
            assert moments == [(one.text, one.actions) for one in seen]
        walked = answer(store, "steps", "way/branch", 0)["moments"][8]
        assert walked["agent"]["thought"] == "From 1 onwards."
        assert walked["tokens"]["completion_ids"] == [4, 5]
        # A browser has 53 bits for a number.
        assert answer(store, "episode", "way/branch")["task"]["seed"] == str(2**60 + 1)
        with pytest.raises(StoreError, match="holds no trajectory 'nobody'"):
            answer(store, "episode", "nobody")
        with pytest.raises(StoreError, match="no page 'steps/"):
            answer(store, "steps", "way/branch", "x")


def test_rows_follow_the_writer(viewed: Path, tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path / "s") as writer, ExperienceStore.open(tmp_path / "s", mode="read") as reader:
        answers = ViewerAnswers(reader)
        for n in range(3):
            writer.append(walk(f"w{n}", 2))
            assert [row[0] for row in orjson.loads(answers.answer(f"rows/{n}").body)] == [f"w{n}"]


def test_changes_of_a_graph_name_what_changed(viewed: Path) -> None:
    with ExperienceStore.open(viewed, mode="read") as store:
        episodes = list(store.trajectories(collector="scripted"))
    for one in episodes:
        after = [*(step.observation for step in one.steps[1:]), one.final]
        listed = [(seen.facts or {})["changes"] for seen in after]
        for shown, changes in zip(changes_of(one), listed, strict=True):
            assert [(change.sign, re.findall(r"\((\d+)\)", change.text)) for change in shown] == [
                (sign, [str(part) for part in rest if isinstance(part, int)]) for sign, *rest in changes
            ]
            assert not [change for change in shown if "something" in change.text]


FACTS = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(st.none() | st.booleans() | st.integers(-3, 3) | st.text("xy", max_size=2),
                 lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("de"), inner, max_size=2)),
)  # fmt: skip


@settings(max_examples=40)
@given(st.lists(FACTS, min_size=2, max_size=4))
def test_changes_of_other_facts_lead_from_one_moment_to_the_next(facts: list[dict[str, Any]]) -> None:
    def episode(*moments: dict[str, Any]) -> Trajectory:
        steps = tuple(Step(Observation("", facts=one), "go", 0.0) for one in moments[:-1])
        task = Task("t", "pathei/Way-v0", 0, Goal(""))
        return Trajectory("t", task, steps, Observation("", facts=moments[-1]), "agent")

    def held(moment: dict[str, Any]) -> set[str]:
        return {change.text for change in changes_of(episode({}, moment))[0]}

    for before, after, changes in zip(facts, facts[1:], changes_of(episode(*facts)), strict=False):
        ended = {change.text for change in changes if change.sign == "-"}
        begun = {change.text for change in changes if change.sign == "+"}
        assert ended <= held(before)
        assert (held(before) - ended) | begun == held(after)


def test_malformed_graphs_are_compared_like_other_facts() -> None:
    seen = Observation("", facts={"graph": {"nodes": 3, "edges": [], "rooms": [], "characters": []}})
    task = Task("t", "pathei/Way-v0", 0, Goal(""))
    one = Trajectory("t", task, (Step(seen, "go", 0.0),), Observation("", facts={"graph": {"nodes": 4}}), "agent")
    assert changes_of(one) == [[ShownChange("-", "graph.nodes: 3"), ShownChange("+", "graph.nodes: 4")]]


def recorded(page: Path) -> dict[str, Any]:
    """Return the answers that an exported page has in it."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text("utf-8"), re.DOTALL)
    assert found is not None
    data: dict[str, Any] = orjson.loads(found[1])
    return data


def test_the_exported_page_holds_the_servers_answers(viewed: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    with ExperienceStore.open(viewed, mode="read") as store:
        assert export_page(store, out, EpisodeFilter()) == 5
        data = recorded(out)
        with ViewerServer(store) as server:
            for path, found in data.items():
                kind, body = get(server, f"/{path}")[1:]
                expected = (
                    orjson.loads(body)
                    if kind.endswith("json")
                    else f"data:{kind};base64,{base64.b64encode(body).decode()}"
                )
                assert found == expected
    kinds = {"store", "rows", "flags", "training", "tree", "episode", "steps", "drawing", "image"}
    assert {path.partition("/")[0] for path in data} == kinds


def test_filters_choose_what_is_exported(viewed: Path, tmp_path: Path) -> None:
    with ExperienceStore.open(viewed, mode="read") as store:
        for chosen, count in (
            (EpisodeFilter(collector="agent"), 2),
            (EpisodeFilter(env="pathei/Way-v0", text="BRANCH walk"), 1),
            (EpisodeFilter(success=True), 5),
        ):
            assert export_page(store, tmp_path / "page.html", chosen, overwrite=True) == count
        with pytest.raises(ExportError, match=r"exists.*--overwrite"):
            export_page(store, tmp_path / "page.html", EpisodeFilter())
        with pytest.raises(ExportError, match="0 episodes"):
            export_page(store, tmp_path / "none.html", EpisodeFilter(success=False))
        with pytest.raises(ExportError, match="set --limit"):
            export_page(store, tmp_path / "none.html", EpisodeFilter(), limit=2)
        with pytest.raises(ExportError, match="no episode 'nobody'"):
            export_page(store, tmp_path / "none.html", EpisodeFilter(), ids=["way/branch", "nobody"])
    assert not (tmp_path / "none.html").exists()


def get(server: ViewerServer, path: str, host: str | None = None) -> tuple[int, str, bytes]:
    """Ask a server; return status, media type and body."""
    place = urlsplit(server.address).netloc
    connection = http.client.HTTPConnection(place, timeout=10)
    connection.request("GET", path, headers={"Host": host or place})
    response = connection.getresponse()
    found = response.status, response.headers["Content-Type"], response.read()
    connection.close()
    return found


def test_the_server_answers_this_machine_only(viewed: Path) -> None:
    with ExperienceStore.open(viewed, mode="read") as store, ViewerServer(store) as server:
        assert server.address.startswith("http://127.0.0.1:")
        assert get(server, "/")[0] == 200
        assert get(server, "/rows/0", "evil.example")[0] == 403
        assert get(server, "/rows/0", urlsplit(server.address).netloc.replace("127.0.0.1", "localhost"))[0] == 200
        for path in ("/episode/nobody", "/../secret", "/image/..%2F..%2Fmanifest.json", "/steps/x", "/nothing"):
            status, kind, body = get(server, path)
            assert (status, kind) == (404, "application/json")
            assert orjson.loads(body)["error"].endswith(".")
        with pytest.raises(ConfigError, match="--port"):
            ViewerServer(store, int(urlsplit(server.address).port or 0))


def test_a_memory_is_asked_by_kind_and_status(viewed: Path, tmp_path: Path) -> None:
    with ExperienceStore.open(viewed, mode="read") as store:
        answers = ViewerAnswers(store)

        def ask(*parts: str) -> list[Any]:
            found: list[Any] = orjson.loads(answers.answer(path_of("memory", *parts)).body)["items"]
            return found

        with open_memory(viewed, mode="read") as memory:
            expected = memory.query("where is the couch? a/b", 50, Filter())
        found = ask("", "active", "where is the couch? a/b")
        assert [(item["id"], item["score"], item["scores"]) for item in found] == [
            (hit.item.id, hit.score, hit.scores) for hit in expected
        ]
        assert {item["kind"] for item in ask("fact", "", "couch")} == {"fact"}
        newest = ask("", "active", "")
        assert newest
        assert all(item["trajectory"] in store for item in newest)
        assert ask("", "forgotten", "") == []
        with pytest.raises(ConfigError, match="no items of kind 'dream'"):
            ask("dream", "", "")
        answers.close()
    with ExperienceStore.open(tmp_path / "bare") as store, pytest.raises(MemoryStoreError):
        answer(store, "memory", "", "active", "")


@pytest.mark.integration
def test_the_command_serves_until_it_is_interrupted(viewed: Path) -> None:
    command = [sys.executable, "-m", "pathei.cli", "view", str(viewed), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        with urlopen(f"{found[0]}rows/0", timeout=10) as response:
            assert len(orjson.loads(response.read())) == 5
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


def test_the_command_exports(viewed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "page.html"
    assert main(["view", str(viewed), "--export", str(out), "--episode", "way/branch"]) == 0
    assert "1 episode," in capsys.readouterr().out
    assert [row[0] for row in recorded(out)["rows/0"]] == ["way/branch"]


def test_an_episode_without_steps_has_its_end(tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path / "s") as store:
        store.append(dataclasses.replace(walk("w", 0), provenance={"success": True}))
        assert answer(store, "steps", "w", 0)["moments"][0]["text"] == "You are there."
        assert answer(store, "episode", "w")["success"] is True


def test_trajectories_of_other_programs_open_without_a_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "run.json").write_bytes(orjson.dumps(THEIRS))
    (theirs / "broken.json").write_text("{")
    assert main(["view", str(theirs), "--export", str(tmp_path / "page.html")]) == 0
    assert "left out: " in capsys.readouterr().err
    found = recorded(tmp_path / "page.html")
    assert [(row[0], row[3]) for row in found["rows/0"]] == [("run-1", "Count the files.")]
    assert found["steps/run-1/0"]["moments"][0]["agent"]["thought"] == "ls will do"
    assert sorted(path.name for path in theirs.iterdir()) == ["broken.json", "run.json"]


def test_what_was_trained_is_read_from_a_loop_and_from_runs_next_to_the_store(tmp_path: Path) -> None:
    place = tmp_path / "loop" / "seed-0" / "store"
    with ExperienceStore.open(place) as store:
        store.append(walk("w", 1))
        assert answer(store, "training") == []
        assert answer(store, "store")["training"] is False
        whole = {"value": 0.5, "low": 0.4, "high": 0.6}
        table = [{"round": 1, "agent": "weights", "success": {"all": whole}, "forgetting": 0.25}]
        (tmp_path / "loop" / "loop.json").write_bytes(orjson.dumps({"table": table}))
        folder = tmp_path / "loop" / "seed-0" / "run" / "evaluation"
        folder.mkdir(parents=True)
        (folder / "evaluation.json").write_text("torn {")
        assert answer(store, "training") == [
            {"name": "weights", "round": 1, "success": [0.5, 0.4, 0.6], "lost": [0.25, 0.25, 0.25]}
        ]
        assert answer(store, "store")["training"] is True
