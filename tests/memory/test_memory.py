"""The memory against a naive one, its table and index through damage, migration and kills, and its contract."""

import os
import signal
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.errors import MemoryStoreError
from pathei.experience import Goal, Observation, Step, Task, Trajectory
from pathei.memory.checks import check_memory
from pathei.memory.embedders.ngrams import NGramEmbedder
from pathei.memory.embedders.registry import make_embedder
from pathei.memory.experience_memory import ExperienceMemory
from pathei.memory.items import Draft, Filter
from pathei.memory.retrieval.ranking import RankingConfig, within_budget
from pathei.memory.sameness import canonical
from pathei.memory.storage.vectors import Vectors, build
from pathei.memory.upkeep import UpkeepConfig

WORDS = ["cup", "lamp", "sofa", "fridge", "book", "kitchen", "bedroom", "garden", "grab", "open"]
DENSE = RankingConfig(lexical=0.0)


class Retold:
    """A builder that remembers the goal."""

    def build(self, trajectory: Trajectory) -> list[Draft]:
        """Return one draft."""
        goal = trajectory.task.goal.text
        return [Draft("episode", f"Goal: {goal}.", trajectory.task.env, task=goal, success=trajectory.success)]


def opened(path: Path, mode: str = "write") -> ExperienceMemory:
    return ExperienceMemory.open(path, embedder=make_embedder("ngrams"), builders=[Retold()], mode=mode)  # type: ignore[arg-type]


def lived(index: int) -> Trajectory:
    goal = Goal(f"put the {WORDS[index % 5]} into the {WORDS[5 + index % 3]}")
    step = Step(Observation("a room"), "grab", 1.0, True, info={"success": index % 2 == 0})
    return Trajectory(f"t{index}", Task(f"task{index}", "w", index, goal), (step,), Observation("a room"), "test")


texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)
drafts = st.builds(
    Draft,
    kind=st.sampled_from(["fact", "skill", "episode"]),
    text=texts,
    env=st.sampled_from(["", "a", "b"]),
    key=st.sampled_from(["", "k1", "k2"]),
    success=st.sampled_from([None, True, False]),
    time=st.just(1.0),
)
changes = st.lists(
    st.tuples(st.lists(drafts, min_size=1, max_size=4), st.integers(0, 3), st.integers(0, 30)), max_size=5
)


class Naive:
    """A memory as one would write it first: a dict, searched whole."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[Draft, str]] = {}

    @property
    def active(self) -> list[str]:
        """The ids that can be found."""
        return [id_ for id_, (_, status) in self.held.items() if status == "active"]

    def of_key(self, draft: Draft) -> list[tuple[str, Draft]]:
        """Return what is active of the draft's kind, world and key."""
        mine = (draft.kind, draft.env, draft.key)
        every = [(id_, self.held[id_][0]) for id_ in self.active]
        return [(id_, other) for id_, other in every if (other.kind, other.env, other.key) == mine]

    def expected(self, draft: Draft) -> str | None:
        """Return the id that must hold the draft, None for a new one."""
        peers = self.of_key(draft)
        if draft.key:
            return next((id_ for id_, other in peers if other.text == draft.text), None)
        alike = (id_ for id_, other in peers if (other.task, other.success) == (draft.task, draft.success))
        return next((id_ for id_ in alike if canonical(self.held[id_][0].text) == canonical(draft.text)), None)

    def add(self, draft: Draft, memory: ExperienceMemory) -> None:
        """Add a draft to both, and compare."""
        expected = self.expected(draft)
        (id_,) = memory.add_drafts([draft])
        if expected:
            assert id_ == expected
        else:
            assert id_ not in self.held
            if draft.key and draft.kind != "episode":
                for other, before in self.of_key(draft):
                    self.held[other] = (before, "superseded")
                    assert memory.get(other).replaced_by == id_
        self.held.setdefault(id_, (draft, "active"))

    def change(self, what: int, which: int, memory: ExperienceMemory) -> None:
        """Forget, update or compact, in both."""
        if what == 3:
            memory.compact()
        if what in (1, 2) and self.active:
            id_ = self.active[which % len(self.active)]
            draft = self.held[id_][0]
            if what == 1:
                assert memory.forget([id_]) == 1
                self.held[id_] = (draft, "forgotten")
            else:
                memory.update(id_, text="a garden of books")
                self.held[id_] = (replace(draft, text="a garden of books"), "active")


def vector(text: str) -> np.ndarray:
    """Return a text's vector as the memory keeps it."""
    return NGramEmbedder().embed([text])[0].astype(np.float16).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(changes=changes, question=texts, world=st.sampled_from([None, "a"]), kind=st.sampled_from([None, "fact"]))
def test_answers_are_those_of_a_naive_memory(
    tmp_path_factory: pytest.TempPathFactory,
    changes: list[tuple[list[Draft], int, int]],
    question: str,
    world: str | None,
    kind: str | None,
) -> None:
    path, naive = tmp_path_factory.mktemp("memory"), Naive()
    with opened(path) as memory:
        for batch, what, which in changes:
            for draft in batch:
                naive.add(draft, memory)
            naive.change(what, which, memory)
        where = Filter(env=world, kinds=None if kind is None else (kind,))  # type: ignore[arg-type]
        asked = NGramEmbedder().embed([question])[0]
        fitting = {
            id_: float(vector(draft.text) @ asked)
            for id_, (draft, status) in naive.held.items()
            if status == "active"
            and (world is None or draft.env in (world, ""))
            and (kind is None or draft.kind == kind)
        }
        found = memory.query(question, 4, where, ranking=DENSE)
        assert {hit.item.id for hit in found} <= fitting.keys()
        best = sorted(fitting.values(), reverse=True)[:4]
        np.testing.assert_allclose([fitting[hit.item.id] for hit in found], best, atol=2e-6)
        assert {item.id for item in memory.items(Filter(statuses=("active",)))} == set(naive.active)
        assert memory.problems() == []
        with opened(path, "read") as reader:
            again = reader.query(question, 4, where, ranking=DENSE)
            np.testing.assert_allclose([hit.score for hit in again], [hit.score for hit in found], atol=1e-5)


def test_it_keeps_the_contract(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        check_memory(lambda: memory, [lived(index) for index in range(6)])


def test_a_filter_never_costs_recall() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((3000, 32)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows = rows.astype(np.float16).astype(np.float32)
    vectors = Vectors(32, build(32, len(rows), iter([rows[:2000], rows[2000:]]), graph=False))
    moved = np.array([5, 7, 2999])
    rows[moved] = -rows[moved]
    vectors.put(moved, rows[moved])
    for part in (0.001, 0.01, 0.1, 0.5, 1.0):
        mask = rng.random(len(rows)) < part
        for query in rows[:5]:
            found = vectors.search(query, 10, None if part == 1.0 else mask)
            exact = np.sort(rows[mask | (part == 1.0)] @ query)[::-1][:10]
            np.testing.assert_allclose(np.sort(rows[found.places] @ query)[::-1][:10], exact, atol=1e-5)


def test_a_damaged_index_is_named_and_made_again(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        memory.add_drafts([Draft("fact", text, "w") for text in ("cups are here", "lamps are there")])
        memory.compact()
    index = next(tmp_path.glob("index-*.faiss"))
    data = bytearray(index.read_bytes())
    data[-7] ^= 1
    index.write_bytes(data)
    (tmp_path / "index-9.faiss.tmp").write_bytes(b"left by a kill")
    with opened(tmp_path) as memory:
        assert "is damaged" in memory.stats()["index"]["trouble"]
        assert memory.query("cups")[0].item.draft.text == "cups are here"
        memory.compact()
        assert memory.problems() == []
    assert not list(tmp_path.glob("*.tmp"))


def test_another_embedder_is_refused_and_can_take_over(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        memory.add_drafts([Draft("fact", "cups are here", "w")])
        memory.compact()
    with pytest.raises(MemoryStoreError, match="filled with the embedder 'ngrams-3-5-1024'"):
        ExperienceMemory.open(tmp_path, embedder=NGramEmbedder(64))
    with ExperienceMemory.open(tmp_path, embedder=NGramEmbedder(64), reembed=True) as memory:
        assert memory.stats()["dimensions"] == 64
        assert memory.query("cups", ranking=DENSE)[0].item.draft.text == "cups are here"
        assert memory.problems() == []


def test_version_0_is_migrated_and_newer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite"
    table = sqlite3.connect(path)
    table.executescript(
        f"PRAGMA application_id = {0x70617468};"
        "CREATE TABLE about(key TEXT PRIMARY KEY, value);"
        "INSERT INTO about VALUES ('embedder', 'ngrams-3-5-1024'), ('dimensions', 1024);"
        "CREATE TABLE item(id, kind, env, task, success, ts, text, extra, emb, seq, deleted);"
    )
    for index, text in enumerate(("cups are here", "lamps are there")):
        half = NGramEmbedder().embed([text])[0].astype(np.float16).tobytes()
        table.execute(
            "INSERT INTO item VALUES (?,'fact','w','',NULL,5.0,?,'{}',?,?,?)", (f"i{index}", text, half, index, index)
        )
    table.commit()
    table.close()
    with opened(tmp_path) as memory:
        assert [hit.item.id for hit in memory.query("cups")] == ["i0"]
        assert memory.get("i1").status == "forgotten"
        assert memory.problems() == []
    table = sqlite3.connect(path)
    table.execute("PRAGMA user_version = 99")
    table.close()
    with pytest.raises(MemoryStoreError, match="has schema 99"):
        opened(tmp_path)


def test_export_and_import_lose_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "a") as memory, opened(tmp_path / "b") as other:
        memory.add_all([lived(index) for index in range(5)])
        ids = memory.add_drafts(
            [Draft("fact", "cup in kitchen", "w", key="cup"), Draft("fact", "cup in garden", "w", key="cup")]
        )
        memory.forget(ids[1:])
        memory.export_jsonl(tmp_path / "all.jsonl")
        count = other.import_jsonl(tmp_path / "all.jsonl")
        everything = Filter(statuses=("active", "superseded", "merged", "retired", "forgotten"))
        assert list(other.items(everything)) == list(memory.items(everything))
        assert len(list(memory.items(everything))) == count
        assert other.import_jsonl(tmp_path / "all.jsonl") == 0
        assert other.add(lived(0)) == memory.add(lived(0))
        assert other.history(ids[1]) == memory.history(ids[1])
        (tmp_path / "bad.jsonl").write_text((tmp_path / "all.jsonl").read_text() + "{}\n")
        with pytest.raises(MemoryStoreError, match=r"Line \d+ of .*bad.jsonl"):
            other.import_jsonl(tmp_path / "bad.jsonl")


def test_consolidation_merges_and_retires_and_destroys_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        one, two = memory.add_drafts(
            [Draft("fact", "the cup is here", "w"), Draft("fact", "a lamp in the garden", "w")]
        )
        memory.update(two, text="the cup is here!")
        skills = memory.add_drafts([Draft("skill", f"skill {word}", "w", key=word) for word in WORDS[:4]])
        for _ in range(3):
            memory.feedback(skills[:1], helpful=False)
        memory.feedback(skills[2:], helpful=True)
        done = memory.consolidate(UpkeepConfig(caps={"skill": 2}))
        assert done.merged == (two,)
        assert set(done.retired) == set(skills[:2])
        assert (memory.get(two).status, memory.get(two).replaced_by, memory.get(one).seen) == ("merged", one, 2)
        assert [event.what for event in memory.history(one)] == ["updated", "merged"]
        assert memory.consolidate(UpkeepConfig(caps={"skill": 2})).merged == ()
        assert memory.problems() == []


def test_an_item_is_judged_once_by_each_trajectory(tmp_path: Path) -> None:
    with opened(tmp_path) as memory:
        one, two = memory.add_drafts([Draft("skill", word, "w", key=word) for word in WORDS[:2]])
        for _ in range(2):
            memory.feedback([one, two], helpful=True, trajectory="t1")
            memory.feedback([one], helpful=False, trajectory="t1")
            memory.feedback([one], helpful=False, trajectory="t2")
            memory.feedback([two], helpful=True)
        assert (memory.get(one).helpful, memory.get(one).harmful, memory.get(two).helpful) == (1, 1, 3)
        assert [event.detail.get("trajectory") for event in memory.history(one)] == ["t1", "t2"]
        assert memory.problems() == []


def test_one_writer_and_readers_that_catch_up(tmp_path: Path) -> None:
    with opened(tmp_path) as memory, opened(tmp_path, "read") as reader:
        assert reader.query("cup") == []
        memory.add_drafts([Draft("fact", "the cup is here", "w")])
        assert reader.query("cup")[0].item.draft.text == "the cup is here"
        with pytest.raises(MemoryStoreError, match="is writing to the memory"):
            opened(tmp_path)
        with pytest.raises(MemoryStoreError, match="open for reading"):
            reader.forget([])
        hits = reader.query("cup")
        assert within_budget(hits, 4) == hits
        assert within_budget(hits, 3) == []


def write_until_killed(path: Path, start: int, pipe: int) -> None:
    """Add, forget and compact, and say each id that was acknowledged."""
    memory = opened(path)
    os.write(pipe, b"open\n")
    for i in range(start, start + 100_000):
        (id_,) = memory.add_drafts([Draft("fact", f"thing {i} is in place {i * 7919}", "w", key=f"k{i}")])
        os.write(pipe, f"{id_}\n".encode())
        if i % 5 == 0:
            memory.forget([id_])
        if i % 7 == 0:
            memory.compact()


@pytest.mark.integration
def test_kills_lose_nothing_that_was_committed(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    acknowledged: list[str] = []
    reader: ExperienceMemory | None = None
    # A process is forked from one that has everything imported: starting Python 100 times would take minutes.
    for life in range(100):
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                write_until_killed(tmp_path, life * 100_000, write)
            finally:
                os._exit(1)
        os.close(write)
        with os.fdopen(read) as lines:
            assert lines.readline() == "open\n"
            reader = reader or opened(tmp_path, "read")
            until = time.monotonic() + float(rng.uniform(0, 0.06))
            while time.monotonic() < until:
                reader.query("thing 1 place", 3)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            acknowledged += [line.strip() for line in lines if line.endswith("\n")]
    assert reader is not None
    reader.close()
    with opened(tmp_path) as memory:
        assert memory.problems() == []
        for id_ in acknowledged:
            memory.get(id_)
        # How many there are depends on the machine's speed; without any, nothing was tested.
        assert acknowledged
    assert not list(tmp_path.glob("*.tmp"))


def test_a_memory_shows_itself_in_a_console_and_in_a_notebook_even_when_it_is_closed(tmp_path: Path) -> None:
    with opened(tmp_path / "m") as memory:
        memory.add(lived(0))
        held = memory.stats()["items"]
    assert repr(memory).startswith(f"ExperienceMemory({str(tmp_path / 'm')!r}, {held} vectors of ")
    assert "dimensions" in memory._repr_html_()
