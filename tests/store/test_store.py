"""The store: what is appended is read back, in order and equal, sealed or not, and what cannot be kept is refused."""

import dataclasses
import hashlib
import multiprocessing
import os
import subprocess
import sys
import warnings
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pathei.errors import RecordError, StoreError, StoreLockedError, UnknownNameError
from pathei.experience import Failure, Goal, Observation, Parent, Step, Task, Tokens, Trajectory, decode, encode
from pathei.store import EpisodeRow, ExperienceStore, StoreDamageWarning

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"
FACTS = {"nodes": [{"id": 1, "class": "lamp"}], "temperature": 20.5}


def task(name: str) -> Task:
    return Task(name, "pathei/VirtualHome-v0", 7, Goal("light the lamp", ({"on": "lamp"},)), {"scene": 1})


def step(t: int, success: bool | None = None) -> Step:
    seen = Observation(f"room at {t}", actions=("look", "[Open] <lamp> (1)"), facts=FACTS)
    tokens = Tokens((1, 2, t), (3,), (-0.5,)) if t % 2 else None
    info = {} if success is None else {"success": success}
    return Step(seen, "look", 0.25 * t, success is not None, False, info, tokens)


def episode(
    name: str, *, success: bool | None = True, parent: Parent | None = None, collector: str = "explore", steps: int = 3
) -> Trajectory:
    lived = tuple(step(t, success if t == steps - 1 else None) for t in range(steps))
    final = Observation("the end", actions=None, facts=None)
    return Trajectory(name, task(f"task of {name}"), lived, final, collector, parent, {"agent": "random"})


def failure(name: str) -> Failure:
    return Failure(task(name), "step", "TimeoutError: the worker did not answer")


@pytest.mark.parametrize("journal_bytes", [1, 3000, 1 << 20])
def test_everything_is_read_back_in_order_sealed_or_not(tmp_path: Path, journal_bytes: int) -> None:
    lived = [episode(f"e{i}", success=[True, False, None][i % 3]) for i in range(12)]
    broken = [failure(f"f{i}") for i in range(4)]
    with ExperienceStore.open(tmp_path / "s", journal_bytes=journal_bytes) as store:
        for i, one in enumerate(lived):
            store.append(one, *broken[i // 3 : i // 3 + (i % 3 == 0)])
        assert list(store.trajectories()) == lived
        assert [store.get(one.id) for one in lived] == lived
        assert list(store.rows()) == [EpisodeRow.of(one) for one in lived]
    for mode in ("read", "append"):
        with ExperienceStore.open(tmp_path / "s", mode=mode) as store:
            assert list(store.trajectories()) == lived
            assert list(store.failures()) == broken
            assert [store.get(one.id) for one in reversed(lived)] == lived[::-1]
            assert len(store) == 12
            store.verify()


def test_filters_choose_by_collector_success_and_root(tmp_path: Path) -> None:
    root = episode("root", collector="mcts")
    lived = [root, episode("branch", collector="mcts", success=False, parent=Parent("root", 2)), episode("x"),
             episode("unknown", success=None)]  # fmt: skip
    with ExperienceStore.open(tmp_path / "s") as store:
        store.append(*lived)
        for _ in range(2):
            assert [one.id for one in store.trajectories(collector="mcts")] == ["root", "branch"]
            assert [one.id for one in store.trajectories(success=True)] == ["root", "x"]
            assert [one.id for one in store.trajectories(success=False)] == ["branch"]
            assert [one.id for one in store.trajectories(roots=True)] == ["root", "x", "unknown"]
            assert list(store.rows()) == [EpisodeRow.of(one) for one in lived]
            store.seal()


def test_info_counts_and_sessions_keep_their_configuration(tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path / "s", config={"steps": 30}, seeds=[1, 2]) as store:
        store.append(episode("a"), episode("b", parent=Parent("a", 1), success=False), failure("c"))
        store.seal()
        store.append(failure("d"))
    with ExperienceStore.open(tmp_path / "s", config={"steps": 40}) as store:
        store.append(episode("e", collector="agent"))
        info = store.info()
    assert dataclasses.asdict(info.counts) == {
        "trajectories": 3, "branches": 1, "successes": 2, "steps": 9, "failures": 2,
        "collectors": {"explore": 2, "agent": 1},
    }  # fmt: skip
    assert (info.episodes, info.tasks_done, info.shards) == (2, 2, 1)
    assert [session.config for session in info.sessions] == [{"steps": 30}, {"steps": 40}]
    assert [session.trajectories for session in info.sessions] == [0, 2]
    assert info.sessions[0].seeds == (1, 2)
    assert set(info.sessions[0].versions) >= {"pathei", "python", "gymnasium", "numpy", "pyarrow"}
    assert info == ExperienceStore.open(tmp_path / "s", mode="read").info()


def test_resuming_leaves_out_the_tasks_that_are_done_and_only_those(tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path / "s") as store:
        store.append(episode("a"), failure("task of b"), episode("c", parent=Parent("a", 1)))
        tasks = [task(f"task of {name}") for name in "dcba"]
        assert [one.id for one in store.remaining(tasks)] == ["task of d", "task of c", "task of b"]
        assert store.done() == {"task of a"}
        assert len(store.remaining(tasks, "somebody else")) == len(tasks)


def test_a_branch_expands_to_the_episode_that_was_lived(tmp_path: Path) -> None:
    root = episode("root", steps=5)
    child = episode("child", steps=3, parent=Parent("root", 4))
    early = episode("early", steps=1, parent=Parent("child", 2))
    late = episode("late", steps=2, parent=Parent("child", 6))
    with ExperienceStore.open(tmp_path / "s") as store:
        store.append(root, child, early, late)
        for _ in range(2):
            assert store.expand(root) == root
            assert store.expand(child).steps == root.steps[:4] + child.steps
            assert store.expand(early).steps == root.steps[:2] + early.steps
            assert store.expand(late).steps == root.steps[:4] + child.steps[:2] + late.steps
            assert store.expand(late).parent is None
            store.seal()


def test_ids_are_unique_and_a_refused_call_stores_nothing(tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path / "s") as store:
        store.append(episode("a"))
        for records in ((episode("b"), episode("a")), (episode("b"), episode("b"))):
            with pytest.raises(StoreError, match="already holds"):
                store.append(*records)
        store.seal()
        with pytest.raises(StoreError, match="already holds"):
            store.append(episode("a"))
        assert [one.id for one in store.trajectories()] == ["a"]


def test_a_branch_needs_its_parent_and_a_step_that_the_parent_has(tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path / "s") as store:
        for records, fault in [
            ([episode("b", parent=Parent("a", 1))], "append the parent first"),
            ([episode("b", parent=Parent("a", 1)), episode("a")], "append the parent first"),
            ([episode("b", parent=Parent("b", 1))], "append the parent first"),
            ([episode("a"), episode("b", parent=Parent("a", 4))], "has 3 steps"),
        ]:
            with pytest.raises(StoreError, match=fault):
                store.append(*records)
        assert len(store) == 0


BAD = [
    {"reward": float("nan")},
    {"reward": float("inf")},
    {"reward": None},
    {"action": 3},
    {"info": []},
    {"terminated": "no"},
    {"observation": Observation("o", actions=("a", 1))},  # type: ignore[arg-type]
    {"observation": Observation(None)},  # type: ignore[arg-type]
    {"observation": Observation("o", facts=[])},  # type: ignore[arg-type]
    {"tokens": Tokens((2**70,), ())},
    {"tokens": Tokens((1,), ("a",))},  # type: ignore[arg-type]
    {"tokens": Tokens((1,), (1,), (float("-inf"),))},
    {"info": {"x": {1}}},
]


@pytest.mark.parametrize("fields", BAD)
def test_what_could_not_be_sealed_or_read_back_is_refused_at_once(tmp_path: Path, fields: dict[str, object]) -> None:
    good = episode("a")
    bad = dataclasses.replace(good, steps=(dataclasses.replace(good.steps[0], **fields),))  # type: ignore[arg-type]
    with ExperienceStore.open(tmp_path / "s") as store:
        with pytest.raises(RecordError, match=r"'a'|task of a"):
            store.append(bad)
        store.append(good)
        store.seal()
        assert store.get("a") == good


def test_a_list_of_records_is_refused_with_advice(tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path / "s") as store, pytest.raises(RecordError, match="one by one"):
        store.append([episode("a")])  # type: ignore[arg-type]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
mappings = st.dictionaries(texts, plain, max_size=2)
few = st.lists(texts, max_size=3).map(tuple)
observations = st.builds(Observation, texts, st.just(()), st.none() | few, st.none() | mappings)
numbers = st.lists(st.integers(0, 2**62), max_size=3).map(tuple)
reals = st.floats(allow_nan=False, allow_infinity=False)
token_sets = st.none() | st.builds(
    Tokens, numbers, numbers, st.none() | st.lists(reals, max_size=3).map(tuple)
)  # fmt: skip
step_lists = st.lists(
    st.builds(Step, observations, texts, reals, st.booleans(), st.booleans(), mappings, token_sets), max_size=4
).map(tuple)
goals = st.builds(Goal, texts, st.lists(mappings, max_size=2).map(tuple))
ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
tasks = st.builds(Task, ids, texts, st.integers(-(2**63), 2**64 - 1), goals, mappings)
any_record = st.builds(Trajectory, ids, tasks, step_lists, observations, texts, st.none(), mappings) | st.builds(
    Failure, tasks, texts, texts
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(any_record, max_size=6, unique_by=lambda one: getattr(one, "id", id(one))))
def test_a_shard_gives_back_exactly_what_was_encoded(
    tmp_path_factory: pytest.TempPathFactory, records: list[Trajectory | Failure]
) -> None:
    expected = [decode(encode(one)) for one in records]
    lived = [one for one in expected if isinstance(one, Trajectory)]
    with ExperienceStore.open(tmp_path_factory.mktemp("s") / "s") as store:
        store.append(*records)
        store.seal()
        assert list(store.trajectories()) == lived
        assert [store.get(one.id) for one in lived] == lived
        assert list(store.failures()) == [one for one in expected if isinstance(one, Failure)]


def test_a_shard_of_many_row_groups_keeps_order_and_every_episode(tmp_path: Path) -> None:
    lived = [episode(f"e{i}", steps=i % 40, success=i % 3 == 0) for i in range(150)]
    with ExperienceStore.open(tmp_path / "s") as store:
        store.append(*lived)
        store.seal()
        assert list(store.trajectories()) == lived
        assert [store.get(f"e{i}") for i in range(149, -1, -7)] == [lived[i] for i in range(149, -1, -7)]


def test_images_are_stored_once_by_content_and_verified(tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path / "s") as store:
        name = store.put_image(PNG)
        assert name == hashlib.sha256(PNG).hexdigest() == store.put_image(PNG)
        assert store.image(name) == PNG
        assert (store.info().images, store.info().image_bytes) == (1, len(PNG))
        shown = dataclasses.replace(episode("a"), final=Observation("end", images=(name,)))
        store.append(shown)
        store.seal()
        assert store.get("a") == shown
        store.verify()
        (tmp_path / "s" / "blobs" / name[:2] / name[2:]).write_bytes(b"other")
        with pytest.raises(StoreError, match="damaged"):
            store.image(name)
        with pytest.raises(StoreError, match="damaged"):
            store.verify()


@pytest.mark.parametrize("name", ["0" * 64, "../../etc/passwd", ""])
def test_an_image_that_is_not_stored_is_refused(tmp_path: Path, name: str) -> None:
    shown = dataclasses.replace(episode("a"), final=Observation("end", images=(name,)))
    with ExperienceStore.open(tmp_path / "s") as store:
        with pytest.raises(StoreError, match="put_image"):
            store.append(shown)
        with pytest.raises(StoreError):
            store.image(name)


def test_a_second_writer_is_refused_by_the_first_ones_process_id(tmp_path: Path) -> None:
    script = "import sys; from pathei.store import ExperienceStore; ExperienceStore.open(sys.argv[1])"
    with ExperienceStore.open(tmp_path / "s"):
        with pytest.raises(StoreLockedError, match=f"Process {os.getpid()} "):
            ExperienceStore.open(tmp_path / "s")
        done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "s")], capture_output=True, text=True)
        assert f"StoreLockedError: Process {os.getpid()} " in done.stderr
    ExperienceStore.open(tmp_path / "s").close()


def _try_to_append(store: ExperienceStore, answers: "multiprocessing.Queue[str]") -> None:
    try:
        store.append(episode("from the child"))
    except StoreError as error:
        answers.put(str(error))
    answers.put(f"reads {[one.id for one in store.trajectories()]}")


def test_a_forked_child_may_read_and_not_write(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    with ExperienceStore.open(tmp_path / "s") as store:
        store.append(episode("a"))
        answers: multiprocessing.Queue[str] = context.Queue()
        child = context.Process(target=_try_to_append, args=(store, answers))
        child.start()
        assert "in this process" in answers.get(timeout=30)
        assert answers.get(timeout=30) == "reads ['a']"
        child.join()
        store.append(episode("b"))


def test_a_reader_follows_a_writer_through_sealing(tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path / "s") as writer, ExperienceStore.open(tmp_path / "s", mode="read") as reader:
        for i in range(9):
            writer.append(episode(f"e{i}"), failure(f"f{i}"))
            if i % 3 == 2:
                writer.seal()
            assert len(reader) == i + 1
            assert reader.get(f"e{i}") == episode(f"e{i}")
            assert reader.get("e0") == episode("e0")
            assert len(reader.done()) == i + 1
        assert reader.info() == writer.info()


@pytest.mark.parametrize("journal_bytes", [1, 1 << 20])
def test_an_iterator_keeps_its_moment_while_the_writer_appends_and_seals(tmp_path: Path, journal_bytes: int) -> None:
    with ExperienceStore.open(tmp_path / "s", journal_bytes=journal_bytes) as store:
        store.append(episode("a"), episode("b"))
        seen = []
        for one in store.trajectories():
            seen.append(one.id)
            store.append(episode(f"after {one.id}"))
        assert seen == ["a", "b"]
        assert [one.id for one in store.trajectories()] == ["a", "b", "after a", "after b"]


def test_a_reader_may_not_write(tmp_path: Path) -> None:
    ExperienceStore.open(tmp_path / "s").close()
    with ExperienceStore.open(tmp_path / "s", mode="read") as store:
        for write in (lambda: store.append(episode("a")), lambda: store.put_image(PNG), store.seal):
            with pytest.raises(StoreError, match="mode='append'"):
                write()


def test_what_is_not_a_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match=r"notes\.txt"):
        ExperienceStore.open(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["notes.txt"]
    for path in (tmp_path, tmp_path / "nowhere", tmp_path / "notes.txt" / "below"):
        with pytest.raises(StoreError, match="no experience store"):
            ExperienceStore.open(path, mode="read")
    for path in (tmp_path / "notes.txt", tmp_path / "notes.txt" / "below", Path("/proc/pathei")):
        with pytest.raises(StoreError, match="Cannot write"):
            ExperienceStore.open(path)
    with pytest.raises(UnknownNameError, match="'append'"):
        ExperienceStore.open(tmp_path, mode="apend")  # type: ignore[arg-type]


@pytest.mark.parametrize("sealed", [True, False])
def test_a_store_whose_manifest_is_gone_loses_nothing(tmp_path: Path, sealed: bool) -> None:
    with ExperienceStore.open(tmp_path / "s") as store:
        store.append(episode("a"))
        if sealed:
            store.seal()
    manifest = tmp_path / "s" / "manifest.json"
    kept = manifest.read_bytes()
    manifest.unlink()
    with pytest.raises(StoreError, match="restore the manifest"):
        ExperienceStore.open(tmp_path / "s")
    manifest.write_bytes(kept)
    assert ExperienceStore.open(tmp_path / "s", mode="read").get("a") == episode("a")


def test_a_manifest_older_than_the_shards_is_refused(tmp_path: Path) -> None:
    store = ExperienceStore.open(tmp_path / "s")
    manifest = tmp_path / "s" / "manifest.json"
    old = manifest.read_bytes()
    store.append(episode("a"))
    store.seal()
    store.close()
    manifest.write_bytes(old)
    with pytest.raises(StoreError, match="older than its shards"):
        ExperienceStore.open(tmp_path / "s")


@pytest.mark.parametrize(
    ("field", "value", "advice"),
    [("schema", 99, "upgrade"), ("layout", 99, "upgrade"), ("shards", 3, "not a manifest"), ("created", None, "")],
)
def test_a_newer_or_broken_manifest_is_refused(tmp_path: Path, field: str, value: object, advice: str) -> None:
    ExperienceStore.open(tmp_path / "s").close()
    path = tmp_path / "s" / "manifest.json"
    data = orjson.loads(path.read_bytes())
    if advice:
        path.write_bytes(orjson.dumps({**data, field: value}))
    else:
        path.write_bytes(b"{")
    for mode in ("append", "read"):
        with pytest.raises(StoreError, match=advice or "copy"):
            ExperienceStore.open(tmp_path / "s", mode=mode)


@pytest.mark.parametrize("damage", ["flip", "truncate", "remove"])
@pytest.mark.parametrize("table", ["episodes", "steps"])
def test_a_damaged_shard_names_its_file(tmp_path: Path, damage: str, table: str) -> None:
    with ExperienceStore.open(tmp_path / "s") as store:
        store.append(*(episode(f"e{i}", steps=30) for i in range(30)))
        store.seal()
    path = tmp_path / "s" / "shards" / f"000000.{table}.parquet"
    data = bytearray(path.read_bytes())
    if damage == "remove":
        path.unlink()
    else:
        data[200] ^= 0xFF
        path.write_bytes(data if damage == "flip" else data[:-5])
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        store = ExperienceStore.open(tmp_path / "s", mode="read")
        assert len(list(store.trajectories())) < 30
    assert all(f"000000.{table}.parquet" in str(one.message) for one in said)
    assert {one.category for one in said} == {StoreDamageWarning}
    assert {one.file for one in store.damage} == {f"shards/000000.{table}.parquet"}


LIMITED = """
import resource, sys
from pathei.errors import StoreError
from pathei.store import ExperienceStore
sys.path.insert(0, sys.argv[2])
from test_store import episode
store = ExperienceStore.open(sys.argv[1])
store.append(episode("first"))
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
try:
    store.append(episode("too big", steps=40))
except StoreError as error:
    print(error)
try:
    store.append(episode("later"))
except StoreError as error:
    print(error)
"""


def test_a_full_disk_is_named_and_what_was_stored_stays(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "s"), str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "make room on that disk" in done.stdout
    assert "open the store again" in done.stdout.splitlines()[1]
    with ExperienceStore.open(tmp_path / "s") as store:
        assert [one.id for one in store.trajectories()] == ["first"]
        store.append(episode("too big", steps=40))


def test_importing_the_store_imports_nothing_heavy() -> None:
    script = (
        "import sys, pathei.store; print([m for m in ('pyarrow', 'numpy', 'gymnasium', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_shards_are_plain_tables_for_any_parquet_reader(tmp_path: Path) -> None:
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    with ExperienceStore.open(tmp_path / "s") as store:
        store.append(episode("a"), failure("f"))
        store.seal()
    folder = tmp_path / "s" / "shards"
    row = pq.read_table(folder / "000000.episodes.parquet").to_pylist()[0]
    assert (row["task_id"], row["seed"], row["success"], row["n_steps"]) == ("task of a", 7, True, 3)
    steps = pq.read_table(folder / "000000.steps.parquet").to_pylist()
    assert [one["t"] for one in steps] == [0, 1, 2]
    assert steps[0]["actions"] == ["look", "[Open] <lamp> (1)"]
    assert orjson.loads(steps[0]["facts"]) == FACTS
    assert pq.read_table(folder / "000000.failures.parquet").to_pylist()[0]["stage"] == "step"


def test_a_store_shows_what_it_holds_in_a_console_and_in_a_notebook_even_when_it_is_closed(tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path / "<s>") as store:
        store.append(episode("a"), failure("f"))
    assert repr(store) == f"ExperienceStore({str(tmp_path / '<s>')!r}, 1 episodes, 3 steps, 1 failures)"
    shown = store._repr_html_()
    assert "<s>" not in shown
    assert "&lt;s&gt;" in shown
    assert "by collector" in shown
