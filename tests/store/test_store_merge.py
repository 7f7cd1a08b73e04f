"""Joining stores: by id, again and again, with images, and after `kill -9` at any moment."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.cli import main
from pathei.errors import StoreError
from pathei.experience import Failure, Goal, Observation, Parent, Record, Step, Task, Trajectory
from pathei.store import ExperienceStore, merge

IMAGE = b"\x89PNG\r\n\x1a\npicture"


def tree(number: int, image: str = "") -> list[Record]:
    """A root, a branch of it, and an attempt that failed."""
    task = Task(f"task-{number}", "pathei/VirtualHome-v0", number, Goal("tidy up"))
    seen = Observation(f"room {number}", (image,) if image else ())
    root = Trajectory(f"{task.id}/mcts-0", task, (Step(seen, "look", 0.0),) * 2, Observation("end"), "mcts")
    branch = replace(root, id=f"{root.id}/branch-0", steps=root.steps[:1], parent=Parent(root.id, 1))
    return [Failure(task, "step", "it hung", played=replace(root, id=f"{root.id}/failed")), root, branch]


def store_of(path: Path, *records: Record) -> Path:
    with ExperienceStore.open(path, seeds=[1]) as store:
        store.put_image(IMAGE)
        store.append(*records)
    return path


def content(path: Path) -> tuple[dict[str, Trajectory], list[str]]:
    with ExperienceStore.open(path, mode="read") as store:
        store.verify()
        found = list(store.trajectories())
        assert len({one.id for one in found}) == len(found) == len(store)
        return {one.id: one for one in found}, sorted(one.task.id for one in store.failures())


@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_any_parts_in_any_order_merged_again_and_again_are_the_whole(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("merge")
    whole = store_of(folder / "whole", *(record for number in range(6) for record in tree(number)))
    sources = []
    for place in range(data.draw(st.integers(1, 3))):
        numbers = data.draw(st.sets(st.integers(0, 5)))
        numbers |= set(range(6)) if place == 0 and data.draw(st.booleans()) else set()
        sources.append(store_of(folder / f"{place}", *(record for number in numbers for record in tree(number))))
    sources += [store_of(folder / f"rest-{number}", *tree(number)) for number in range(6)]
    order = data.draw(st.permutations(sources))
    cut = data.draw(st.integers(0, len(order) - 1))
    merge(folder / "out", order[: cut + 1])
    merge(folder / "out", order)
    assert content(folder / "out") == content(whole)
    again = merge(folder / "out", order)
    assert (again.trajectories, again.failures, again.differing, again.left) == (0, 0, (), ())


def test_images_come_along_and_another_episode_of_the_same_id_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ExperienceStore.open(tmp_path / "a") as store:
        store.append(*tree(1, store.put_image(IMAGE)), *tree(2))
    other = [record if isinstance(record, Failure) else replace(record, final=Observation("x")) for record in tree(2)]
    store_of(tmp_path / "b", *other, *tree(3))
    report = merge(tmp_path / "out", [tmp_path / "a", tmp_path / "b"])
    assert report.differing == ("task-2/mcts-0",)
    assert report.trajectories == 6
    with ExperienceStore.open(tmp_path / "out", mode="read") as store:
        [name] = store.get("task-1/mcts-0").steps[0].observation.images
        assert store.image(name) == IMAGE
        assert store.get("task-2/mcts-0") == tree(2)[1]
        assert store.info().sessions[0].seeds == (1,)
    assert main(["store", "merge", str(tmp_path / "out"), str(tmp_path / "b")]) == 1
    assert "task-2/mcts-0 (another episode has its id)" in capsys.readouterr().out
    (tmp_path / "a" / "blobs" / name[:2] / name[2:]).unlink()
    assert merge(tmp_path / "less", [tmp_path / "a"]).left == ("task-1/mcts-0",)


def test_parts_that_are_not_there_yet_are_named_and_what_is_no_source_is_refused(tmp_path: Path) -> None:
    for part in (0, 3):
        store_of(tmp_path / "home" / f"part-{part}-of-4", *tree(part))
    report = merge(tmp_path / "out", [tmp_path / "home"])
    assert (report.trajectories, report.absent) == (4, ("part-1-of-4", "part-2-of-4"))
    with pytest.raises(StoreError, match="cannot be a source as well"):
        merge(tmp_path / "out", [tmp_path / "out"])
    with pytest.raises(StoreError, match="There is no experience store"):
        merge(tmp_path / "new", [tmp_path / "home", tmp_path / "nothing"])
    with pytest.raises(StoreError, match="name a store"):
        merge(tmp_path / "new", [])
    assert not (tmp_path / "new").exists()


def test_kill_9_leaves_a_store_that_opens_and_goes_on(tmp_path: Path) -> None:
    source = store_of(tmp_path / "a", *(record for number in range(900) for record in tree(number)))
    journal, rng = tmp_path / "out" / "journal-000000.log", random.Random(0)
    whole, size = content(source), (source / "journal-000000.log").stat().st_size
    command = "import sys; from pathei.store import merge; merge(sys.argv[1], sys.argv[2:])"
    for share in (0.1, 0.6):
        until, killed = size * (share + rng.random() * 0.2), False
        while not killed:
            worker = subprocess.Popen([sys.executable, "-c", command, str(tmp_path / "out"), str(source)])
            while worker.poll() is None and not (journal.exists() and journal.stat().st_size > until):
                pass
            worker.kill()
            killed = worker.wait() < 0
            if not killed:  # on a busy machine it was over before
                shutil.rmtree(tmp_path / "out")
        with ExperienceStore.open(tmp_path / "out"):
            pass  # a writer cuts off the record that was being written; until then `verify` names it
        found, failed = content(tmp_path / "out")
        assert found.items() <= whole[0].items()
        assert len(failed) <= len(whole[1])
    merge(tmp_path / "out", [source])
    assert content(tmp_path / "out") == whole
