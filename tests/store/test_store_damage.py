"""A damaged store: what is sound stays readable, what is missing is named, and `salvage` makes a sound store of it."""

import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.cli import main
from pathei.errors import PatheiError, RecordError, StoreError
from pathei.experience import Failure, Goal, Observation, Parent, Step, Task, Trajectory
from pathei.store import ExperienceStore, StoreDamageWarning, salvage

COUNT = 30
WHOLE: dict[str, Trajectory] = {}


def episode(name: str, parent: Parent | None = None, images: tuple[str, ...] = ()) -> Trajectory:
    seen = Observation(f"a room {name}", images, ("look", "wait"), {"nodes": [name]})
    steps = tuple(Step(seen, "look", 0.5, info={"progress": t}) for t in range(120))
    task = Task(f"task {name}", "pathei/VirtualHome-v0", 7, Goal("look"))
    return Trajectory(name, task, steps, Observation("the end"), "explore", parent, {"agent": "random"})


def failure(name: str) -> Failure:
    return Failure(Task(name, "pathei/VirtualHome-v0", 7, Goal("look")), "step", "it hung")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards of several row groups, and a journal of several frames, with branches, failures and an image."""
    path = tmp_path_factory.mktemp("sound") / "s"
    with ExperienceStore.open(path, config={"steps": 40}, seeds=[1]) as store:
        image = store.put_image(b"\x89PNG\r\n\x1a\npicture")
        for number in range(COUNT):
            parent = Parent(f"e{number - 1}", 3) if number % 10 == 5 else None
            store.append(episode(f"e{number}", parent, (image,) if number == 7 else ()), failure(f"f{number}"))
            if number in (COUNT // 3, 2 * COUNT // 3):
                store.seal()
        WHOLE.update((one.id, one) for one in store.trajectories())
    return path


def files_of(path: Path) -> list[Path]:
    return sorted(one for one in path.rglob("*") if one.is_file() and one.stat().st_size and one.name != "lock")


def read_all(path: Path) -> tuple[list[Trajectory], list[Failure], ExperienceStore]:
    with ExperienceStore.open(path, mode="read") as store:
        return list(store.trajectories()), list(store.failures()), store


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_random_bit_flips_lose_little_and_are_named_and_salvaged(
    sound: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = WHOLE
    folder = tmp_path_factory.mktemp("flips")
    path = shutil.copytree(sound, folder / "s")
    hit = data.draw(st.sampled_from([one.relative_to(sound) for one in files_of(sound)]))
    content = bytearray((path / hit).read_bytes())
    for bit in data.draw(st.lists(st.integers(0, len(content) * 8 - 1), min_size=1, max_size=3)):
        content[bit // 8] ^= 1 << bit % 8
    (path / hit).write_bytes(content)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            trajectories, _, store = read_all(path)
            assert all(one == whole[one.id] for one in trajectories)
            lost = set(whole) - {one.id for one in trajectories}
            tail = hit.name.startswith("journal") and lost == {f"e{COUNT - 1}"}  # as if it had never been finished
            assert not lost or tail or any(str(hit) in str(one.message) for one in warned)
            for id_ in lost:
                with pytest.raises(StoreError):
                    store.get(id_)
            if content != (sound / hit).read_bytes() and not hit.name.startswith(("journal", "manifest")):
                with pytest.raises(StoreError, match=hit.name if "shards" in str(hit) else "damaged"):
                    store.verify()
        except PatheiError:
            if hit.name != "manifest.json":
                raise
        report = salvage(path, folder / "new")
    with ExperienceStore.open(folder / "new", mode="read") as store:
        store.verify()
        saved = list(store.trajectories())
    assert all(one == whole[one.id] for one in saved)
    assert len(saved) == report.trajectories >= (COUNT if hit.name == "manifest.json" else COUNT // 3)
    assert report.damage or report.left or len(saved) == COUNT


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b"000000.episodes.parquet", b"000900.episodes.parquet"),
        (b'"bytes": ', b'"bytes": 1'),
        (b'"rows": ', b'"rows": 1'),
    ],
)
def test_a_damaged_manifest_is_named_where_it_and_a_file_disagree(
    sound: Path, tmp_path: Path, right: bytes, wrong: bytes
) -> None:
    path = shutil.copytree(sound, tmp_path / "s")
    manifest = path / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(right, wrong, 1))
    with pytest.warns(StoreDamageWarning, match=r"episodes\.parquet.* manifest\.json"):
        assert len(read_all(path)[0]) < COUNT
    assert salvage(path, tmp_path / "new").trajectories == COUNT


def test_one_damaged_row_group_leaves_the_others_and_names_its_trajectories(sound: Path, tmp_path: Path) -> None:
    path = shutil.copytree(sound, tmp_path / "s")
    file = path / "shards" / "000000.steps.parquet"
    content = bytearray(file.read_bytes())
    content[100] ^= 1
    file.write_bytes(content)
    with pytest.warns(StoreDamageWarning, match=r"000000.steps.parquet.*records missing"):
        read = {one.id for one in read_all(path)[0]}
    assert COUNT // 3 < len(read) < COUNT
    with ExperienceStore.open(path, mode="read") as store:
        with pytest.warns(StoreDamageWarning):
            found = store.check()
        (damage,) = [one for one in found if one.ids]
        assert set(damage.ids) == {f"e{number}" for number in range(COUNT)} - read
        assert len(damage.ids) == damage.records


@pytest.mark.parametrize("name", ["shards/000000.episodes.parquet", "shards/000001.steps.parquet"])
def test_a_missing_shard_leaves_the_others(sound: Path, tmp_path: Path, name: str) -> None:
    path = shutil.copytree(sound, tmp_path / "s")
    (path / name).unlink()
    with pytest.warns(StoreDamageWarning, match=name):
        assert len(read_all(path)[0]) >= COUNT // 3


def test_a_store_with_a_damaged_catalogue_is_read_and_not_written_to(sound: Path, tmp_path: Path) -> None:
    path = shutil.copytree(sound, tmp_path / "s")
    (path / "shards" / "000000.episodes.parquet").unlink()
    with pytest.warns(StoreDamageWarning), pytest.raises(StoreError, match=r"pathei store salvage"):
        ExperienceStore.open(path)


def test_salvage_without_a_manifest_keeps_everything(sound: Path, tmp_path: Path) -> None:
    path = shutil.copytree(sound, tmp_path / "s")
    (path / "manifest.json").unlink()
    with pytest.warns(StoreDamageWarning, match=r"manifest.json"):
        report = salvage(path, tmp_path / "new")
    assert (report.trajectories, report.failures, report.left) == (COUNT, COUNT, ())
    assert read_all(tmp_path / "new")[:2] == read_all(sound)[:2]


def test_salvage_of_a_sound_store_is_a_copy_and_names_nothing(sound: Path, tmp_path: Path) -> None:
    report = salvage(sound, tmp_path / "new")
    assert (report.damage, report.left) == ((), ())
    assert read_all(tmp_path / "new")[:2] == read_all(sound)[:2]


def test_salvage_leaves_what_shows_a_lost_image_or_has_lost_its_parent(sound: Path, tmp_path: Path) -> None:
    path = shutil.copytree(sound, tmp_path / "s")
    for blob in (path / "blobs").rglob("*"):
        if blob.is_file():
            os.truncate(blob, 3)
    assert salvage(path, tmp_path / "new").left == ("e7",)


def test_salvage_refuses_what_it_would_overwrite_and_what_is_no_store(sound: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="not empty"):
        salvage(sound, sound)
    with pytest.raises(StoreError, match="nothing to salvage"):
        salvage(tmp_path, tmp_path / "new")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), [{"deep": float("nan")}]])
@pytest.mark.parametrize("field", ["provenance", "info", "facts", "options"])
def test_numbers_that_json_does_not_have_are_refused_everywhere(tmp_path: Path, field: str, bad: object) -> None:
    value = {"a": None, "x": bad}
    seen = Observation("o", facts=value if field == "facts" else None)
    task = Task("t", "e", 0, Goal("g"), value if field == "options" else {})
    step = Step(seen, "a", 0.0, info=value if field == "info" else {"nothing": None})
    trajectory = Trajectory("a", task, (step,), seen, "c", None, value if field == "provenance" else {})
    with ExperienceStore.open(tmp_path / "s") as store:
        with pytest.raises(RecordError, match=rf"'a'.*{field}.*(nan|inf)"):
            store.append(trajectory)
        assert len(store) == 0
    with pytest.raises(StoreError, match="configuration"):
        ExperienceStore.open(tmp_path / "s", config={"x": bad})


def test_empty_ids_are_refused(tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path / "s") as store:
        with pytest.raises(RecordError, match="id is empty"):
            store.append(Trajectory("", Task("t", "e", 0, Goal("g")), (), Observation("o"), "c"))
        with pytest.raises(RecordError, match="id is empty"):
            store.append(failure(""))


def test_what_does_not_fit_on_a_disk_leaves_no_part(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("old")
    limited = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from pathei.errors import StoreError\n"
        "from pathei.store.durable import explained, write_atomically\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))\n"
        "page = Path(sys.argv[1])\n"
        "try:\n"
        "    with explained(page):\n"
        "        write_atomically(page, b'new' * 1000, page.with_suffix('.tmp'))\n"
        "except StoreError as error:\n"
        "    print(error)\n"
    )
    command = [sys.executable, "-c", limited, str(tmp_path / "page")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "make room on that disk" in done.stdout
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"page": "old"}


@pytest.mark.parametrize("left", [0.5, 0.99])
def test_a_journal_that_was_cut_off_is_named(sound: Path, tmp_path: Path, left: float) -> None:
    path = shutil.copytree(sound, tmp_path / "s")
    (journal,) = path.glob("journal-*.log")
    os.truncate(journal, int(journal.stat().st_size * left))
    with ExperienceStore.open(path, mode="read") as store, pytest.warns(StoreDamageWarning):
        (damage,) = store.check()
    assert damage.file == journal.name
    assert "bytes are no whole record" in damage.reason


@pytest.mark.parametrize("gone", [Path.unlink, lambda journal: os.truncate(journal, 0)])
def test_trajectories_of_an_earlier_session_are_missed(
    sound: Path, tmp_path: Path, gone: Callable[[Path], None]
) -> None:
    path = shutil.copytree(sound, tmp_path / "s")
    with ExperienceStore.open(path):
        pass  # another session, which appends nothing
    (journal,) = path.glob("journal-*.log")
    gone(journal)
    with ExperienceStore.open(path, mode="read") as store, pytest.warns(StoreDamageWarning):
        (damage,) = store.check()
    assert damage.records == COUNT - len(store)
    assert f"began with {COUNT} trajectories" in damage.reason


def test_a_store_that_is_being_written_to_is_sound(tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path / "s") as writer:
        writer.append(episode("e"))
        with ExperienceStore.open(tmp_path / "s", mode="read") as reader:
            assert reader.check() == writer.check() == ()


def test_the_commands_verify_and_salvage(sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["store", "verify", str(sound)]) == 0
    path = shutil.copytree(sound, tmp_path / "s")
    (path / "shards" / "000001.steps.parquet").unlink()
    assert main(["store", "verify", str(path)]) == 1
    shown = capsys.readouterr()
    assert "000001.steps.parquet: it is missing" in shown.out
    assert {line.split(" is damaged")[0] for line in shown.err.splitlines()} == {f"The store {path}"}
    assert len(set(shown.err.splitlines())) == len(shown.err.splitlines())
    assert main(["store", "salvage", str(path), str(tmp_path / "new")]) == 0
    assert main(["store", "verify", str(tmp_path / "new")]) == 0
    capsys.readouterr()
    assert main(["store", "info", str(tmp_path / "new"), "--json"]) == 0
    assert f'"trajectories": {len(ExperienceStore.open(tmp_path / "new"))}' in capsys.readouterr().out
