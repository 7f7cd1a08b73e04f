"""The store under `kill -9`, torn and rotten journals, and a reader beside a writer: never torn, never doubled."""

import os
import random
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.errors import StoreError
from pathei.experience import Failure, Goal, Observation, Parent, Step, Task, Trajectory
from pathei.store import ExperienceStore, StoreDamageWarning, merge, salvage
from pathei.store.journal import pack

# Seals every few appends, so that kills meet every part of sealing. Prints a number when append has returned.
WRITER = """
import sys
sys.path.insert(0, sys.argv[2])
from test_store_kill import tree
from pathei.store import ExperienceStore
with ExperienceStore.open(sys.argv[1], journal_bytes=6000, config={"run": sys.argv[3]}) as store:
    print("open", flush=True)
    number = sum(1 for _ in store.trajectories(roots=True))
    while True:
        store.append(*tree(number))
        print(number, flush=True)
        number += 1
"""
KILLS = 9  # in each of three stores


def tree(number: int) -> tuple[Trajectory | Failure, ...]:
    """A root, two branches of it and a failure: what one call appends."""
    task = Task(f"task-{number}", "pathei/VirtualHome-v0", number, Goal("tidy up"))
    steps = tuple(Step(Observation(f"room {number}.{t}"), f"walk {t}", 0.0) for t in range(4))
    root = Trajectory(f"{number}", task, steps, Observation("end"), "mcts")
    branches = tuple(
        Trajectory(f"{number}/{i}", task, steps[:i], Observation("end"), "mcts", Parent(root.id, i)) for i in (1, 2)
    )
    return root, *branches, Failure(task, "step", f"error {number}")


def expected(count: int) -> list[Trajectory]:
    return [one for number in range(count) for one in tree(number) if isinstance(one, Trajectory)]


def start(path: Path, run: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WRITER, str(path), str(Path(__file__).parent), str(run)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def play_and_kill(path: Path, run: int, rng: random.Random) -> int:
    """Let a writer run until some acknowledgement, kill it a random moment later; return the last acknowledged."""
    writer = start(path, run)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "open\n"
    last = -1
    for _ in range(rng.randrange(1, 10)):
        last = int(writer.stdout.readline())
    time.sleep(rng.random() * 0.03)
    writer.send_signal(signal.SIGKILL)
    rest = writer.stdout.read().split()
    writer.wait()
    return int(rest[-1]) if rest else last


@pytest.mark.parametrize("life", range(3))
def test_kill_9_loses_nothing_that_was_acknowledged_and_doubles_nothing(tmp_path: Path, life: int) -> None:
    path, rng = tmp_path / "s", random.Random(life)
    for run in range(KILLS):
        acknowledged = play_and_kill(path, run, rng)
        with ExperienceStore.open(path, mode="read") as store:
            found = list(store.trajectories())
            count = sum(one.parent is None for one in found)
            assert count >= acknowledged + 1
            assert found == expected(count)
    with ExperienceStore.open(path) as store:
        info = store.info()
        assert info.counts.trajectories == 3 * count
        assert info.shards >= KILLS
        assert len(info.sessions) >= KILLS
        assert [one.error for one in store.failures()] == [f"error {number}" for number in range(count)]
        assert store.get(f"{count - 1}/2") == tree(count - 1)[2]
        store.verify()
    assert not list((path / "tmp").iterdir())
    assert len(list(path.glob("journal-*"))) == 1


def test_a_reader_beside_a_writer_never_sees_a_torn_or_doubled_record(tmp_path: Path) -> None:
    writer = start(tmp_path / "s", 0)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "open\n"
    try:
        follower = ExperienceStore.open(tmp_path / "s", mode="read")
        counts = []
        for _ in range(10):
            acknowledged = int(writer.stdout.readline())
            found = list(follower.trajectories())
            assert len(found) % 3 == 0
            assert found == expected(len(found) // 3)
            counts.append(len(found) // 3)
            assert counts[-1] >= acknowledged + 1
            assert follower.get(f"{acknowledged}/1") == tree(acknowledged)[1]
            assert len(follower) >= len(found)
        assert counts == sorted(counts)
        assert follower.info().shards > 1
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()


def test_the_lock_is_free_after_a_kill_even_if_a_child_of_the_writer_lives(tmp_path: Path) -> None:
    script = """
import os, sys, time
from pathei.store import ExperienceStore
store = ExperienceStore.open(sys.argv[1])
child = os.fork()
if child == 0:
    time.sleep(60)
else:
    time.sleep(0.2)
    print(child, flush=True)
    time.sleep(60)
"""
    writer = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "s")], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    child = int(writer.stdout.readline())
    try:
        writer.kill()
        writer.wait()
        ExperienceStore.open(tmp_path / "s").close()
    finally:
        os.kill(child, signal.SIGKILL)
        writer.stdout.close()


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose journal holds three frames."""
    path = tmp_path_factory.mktemp("journal") / "s"
    with ExperienceStore.open(path) as store:
        for number in range(3):
            store.append(*tree(number))
    return path


def copy_with(journal: Path, content: bytes, to: Path) -> Path:
    (to / "s").mkdir(parents=True)
    (to / "s" / "manifest.json").write_bytes((journal / "manifest.json").read_bytes())
    (to / "s" / "journal-000000.log").write_bytes(content)
    return to / "s"


def frame_starts(content: bytes) -> list[int]:
    starts, position = [], 0
    while position < len(content):
        starts.append(position)
        position += 12 + int.from_bytes(content[position + 4 : position + 8], "little")
    return starts


def test_a_journal_cut_at_any_byte_of_its_last_frame_opens_without_it(journal: Path, tmp_path: Path) -> None:
    content = (journal / "journal-000000.log").read_bytes()
    last = frame_starts(content)[-1]
    path = copy_with(journal, content, tmp_path)
    for cut in range(last, len(content)):
        (path / "journal-000000.log").write_bytes(content[:cut])
        with ExperienceStore.open(path, mode="read") as store:
            assert list(store.trajectories()) == expected(2)
    with ExperienceStore.open(path) as store:
        assert (path / "journal-000000.log").stat().st_size == last
        store.append(*tree(2))
        assert list(store.trajectories()) == expected(3)


def test_a_journal_with_any_rotten_byte_in_its_last_frame_opens_without_it(journal: Path, tmp_path: Path) -> None:
    content = (journal / "journal-000000.log").read_bytes()
    path = copy_with(journal, content, tmp_path)
    for at in range(frame_starts(content)[-1], len(content)):
        (path / "journal-000000.log").write_bytes(content[:at] + bytes([content[at] ^ 0x5A]) + content[at + 1 :])
        with ExperienceStore.open(path, mode="read") as store:
            assert list(store.trajectories()) == expected(2)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), tail=st.binary(max_size=80) | st.integers(0, 5000).map(bytes))
def test_garbage_after_the_last_frame_is_cut_off(
    journal: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, tail: bytes
) -> None:
    content = (journal / "journal-000000.log").read_bytes()
    keep = data.draw(st.sampled_from([*frame_starts(content), len(content)]))
    path = copy_with(journal, content[:keep] + tail, tmp_path_factory.mktemp("tail"))
    with ExperienceStore.open(path) as store:
        count = len(frame_starts(content[:keep]))
        assert list(store.trajectories()) == expected(count)
        store.append(*tree(count))
    with ExperienceStore.open(path, mode="read") as store:
        assert list(store.trajectories()) == expected(count + 1)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damage_before_sound_frames_is_reported_and_nothing_is_thrown_away(
    journal: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = (journal / "journal-000000.log").read_bytes()
    at = data.draw(st.integers(0, frame_starts(content)[-1] - 1))
    rotten = content[:at] + bytes([content[at] ^ 0x5A]) + content[at + 1 :]
    path = copy_with(journal, rotten, tmp_path_factory.mktemp("rot"))
    with pytest.raises(StoreError, match=r"damaged at byte \d+.*truncate -s"):
        ExperienceStore.open(path)
    with pytest.warns(StoreDamageWarning, match=r"journal-000000.log: bytes \d+ to \d+ are damaged"):
        read = list(ExperienceStore.open(path, mode="read").trajectories())
    hit = max(number for number, start in enumerate(frame_starts(content)) if start <= at)
    assert read == [one for one in expected(3) if one not in expected(hit + 1) or one in expected(hit)]
    assert (path / "journal-000000.log").read_bytes() == rotten


def test_room_for_the_next_frames_is_given_back_and_is_no_damage(
    journal: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "s" / "journal-000000.log"
    with ExperienceStore.open(tmp_path / "s") as store:
        for number in range(3):
            store.append(*tree(number))
        full = file.read_bytes()
        assert full.endswith(b"\0")
    assert file.read_bytes() == (journal / "journal-000000.log").read_bytes() == full.rstrip(b"\0")
    file.write_bytes(full)  # as a killed writer leaves it
    with ExperienceStore.open(tmp_path / "s", mode="read") as store:
        assert list(store.trajectories()) == expected(3)
        store.verify()
    assert salvage(tmp_path / "s", tmp_path / "new").damage == ()
    with ExperienceStore.open(tmp_path / "s") as store:
        assert "unfinished" not in caplog.text
        store.append(*tree(3))
        assert list(store.trajectories()) == expected(4)


@pytest.mark.parametrize("room", [0, 1, 70_000])
def test_a_torn_frame_is_named_and_cut_off_with_or_without_room_after_it(
    journal: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, room: int
) -> None:
    content = (journal / "journal-000000.log").read_bytes()
    last = frame_starts(content)[-1]
    whole = copy_with(journal, content[:last] + bytes(room), tmp_path / "whole")
    torn = copy_with(journal, content[:-9] + bytes(room), tmp_path / "torn")
    with ExperienceStore.open(whole, mode="read") as store:
        assert store.check() == ()
    with ExperienceStore.open(torn, mode="read") as store, pytest.warns(StoreDamageWarning):
        (damage,) = store.check()
    assert f"the last {len(content) - 9 - last} bytes are no whole record" in damage.reason
    with ExperienceStore.open(torn) as store:
        assert f"Cut {len(content) - 9 - last} bytes" in caplog.text
        assert list(store.trajectories()) == expected(2)
        store.append(*tree(2))
        assert list(store.trajectories()) == expected(3)
        store.verify()


def test_trajectories_of_an_earlier_session_that_are_room_now_are_missed(journal: Path, tmp_path: Path) -> None:
    content = (journal / "journal-000000.log").read_bytes()
    path = copy_with(journal, content, tmp_path)
    with ExperienceStore.open(path):
        pass  # another session, which appends nothing
    last = frame_starts(content)[-1]
    (path / "journal-000000.log").write_bytes(content[:last].ljust(len(content), b"\0"))
    with ExperienceStore.open(path, mode="read") as store, pytest.warns(StoreDamageWarning):
        (damage,) = store.check()
    assert damage.records == 3
    assert "began with 9 trajectories" in damage.reason


def test_a_frame_after_lost_pages_that_read_as_zeros_is_reported(journal: Path, tmp_path: Path) -> None:
    content = (journal / "journal-000000.log").read_bytes()
    start, end = frame_starts(content)[1:3]
    path = copy_with(journal, content[:start] + bytes(end - start) + content[end:], tmp_path)
    with pytest.raises(StoreError, match=rf"damaged at byte {start}"):
        ExperienceStore.open(path)
    with pytest.warns(StoreDamageWarning), ExperienceStore.open(path, mode="read") as store:
        assert list(store.trajectories()) == [*expected(1), *expected(3)[6:]]


def test_a_forked_child_that_closes_the_store_takes_nothing_off_the_journal(tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path / "s") as store:
        store.append(*tree(0))
        go, wait = os.pipe()
        child = os.fork()
        if child == 0:
            os.read(go, 1)
            store.close()
            os._exit(0)
        store.append(*tree(1))
        os.write(wait, b"x")
        assert os.waitpid(child, 0)[1] == 0
        assert list(store.trajectories()) == expected(2)
        store.append(*tree(2))
    with ExperienceStore.open(tmp_path / "s") as store:
        assert list(store.trajectories()) == expected(3)


def of_schema_1(journal: Path, to: Path) -> Path:
    """A store whose journal holds two trees as 0.1.0 wrote them."""
    kinds = {Trajectory: "trajectory", Failure: "failure"}
    lines = [[{"kind": kinds[type(one)], "schema": 1, "record": one} for one in tree(number)] for number in range(2)]
    path = copy_with(journal, b"".join(pack(b"\n".join(map(orjson.dumps, one))) for one in lines), to)
    manifest = orjson.loads((path / "manifest.json").read_bytes())
    (path / "manifest.json").write_bytes(orjson.dumps({**manifest, "schema": 1}))
    return path


@pytest.mark.parametrize("old_first", [False, True])
def test_stores_of_both_schemas_are_merged_and_equal_records_are_known(
    journal: Path, tmp_path: Path, old_first: bool
) -> None:
    old = of_schema_1(journal, tmp_path)
    with ExperienceStore.open(old, mode="read") as store:
        assert store.check() == ()
        assert store.info().counts.failures == 2
    report = merge(tmp_path / "out", [old, journal] if old_first else [journal, old])
    assert (report.trajectories, report.failures, report.known) == (9, 3, 6)
    assert (report.differing, report.left, report.damage) == ((), (), ())
    with ExperienceStore.open(tmp_path / "out", mode="read") as store:
        assert list(store.trajectories()) == expected(3)


@pytest.mark.parametrize("sealed", [False, True])
def test_a_journal_of_schema_1_is_read_gone_on_with_and_sealed(journal: Path, tmp_path: Path, sealed: bool) -> None:
    path = of_schema_1(journal, tmp_path)
    with ExperienceStore.open(path) as store:
        store.append(*tree(2))
        if sealed:
            store.seal()
        assert list(store.trajectories()) == expected(3)
        assert store.get("1/2") == tree(1)[2]
        assert [one.error for one in store.failures()] == [f"error {number}" for number in range(3)]
        assert [row.id for row in store.rows()] == [one.id for one in expected(3)]
    assert salvage(path, tmp_path / "new").damage == ()
    assert orjson.loads((path / "manifest.json").read_bytes())["schema"] == 2


def test_a_frame_is_magic_length_checksum_and_payload() -> None:
    frame = pack(b"payload")
    length = (7).to_bytes(4, "little")
    assert frame == b"\xff\xfePJ" + length + zlib.crc32(length + b"payload").to_bytes(4, "little") + b"payload"


@pytest.mark.parametrize("moment", ["before the manifest", "after the manifest"])
def test_a_crash_between_the_steps_of_sealing_changes_nothing(tmp_path: Path, moment: str) -> None:
    path = tmp_path / "s"
    store = ExperienceStore.open(path)
    for number in range(5):
        store.append(*tree(number))
    manifest, journal = (path / "manifest.json").read_bytes(), (path / "journal-000000.log").read_bytes()
    store.seal()
    store.close()
    # Put back what the crash would have left beside the published shard.
    (path / "journal-000000.log").write_bytes(journal)
    if moment == "before the manifest":
        (path / "manifest.json").write_bytes(manifest)
    (path / "journal-000001.log").unlink()
    (path / "tmp" / "000007.steps.parquet.tmp").write_bytes(b"half")
    for mode in ("read", "append"):
        with ExperienceStore.open(path, mode=mode) as opened:
            assert list(opened.trajectories()) == expected(5)
            assert len(opened) == 15
            if mode == "append":
                opened.append(*tree(5))
                opened.seal()
                assert list(opened.trajectories()) == expected(6)
    assert not list((path / "tmp").iterdir())
