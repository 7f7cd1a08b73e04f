"""A store whose writing is interrupted, as by Ctrl-C, wherever that may be: nothing acknowledged is lost, none torn."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

import pytest

from pathei.errors import StoreError
from pathei.experience import Trajectory
from pathei.store import ExperienceStore, journal
from pathei.store import experience_store as stores
from pathei.tests.store.test_store_kill import expected, tree

_LINES = {stores.__file__: "line"}
_ALL = {**_LINES, journal.__file__: "opcode"}


@contextmanager
def interrupted(moment: int, kinds: Mapping[str, str]) -> Iterator[None]:
    """Raise KeyboardInterrupt at a moment of the block's work in the store, as a signal's handler does.

    Args:
        moment: Counted from 0.
        kinds: For each file what a moment is: a `line` or an `opcode`.
    """
    left = moment

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        kind = kinds.get(frame.f_code.co_filename)
        frame.f_trace_opcodes = kind == "opcode"
        if event == kind:
            left -= 1
            if left < 0:
                sys.settrace(None)
                raise KeyboardInterrupt
        return kind and trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: what survives a power cut is not looked at here, and syncing is slow."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as name:
        yield Path(name)


def check_whole(store: ExperienceStore) -> list[Trajectory]:
    """Check that a store holds some of the trees 0, 1 and 2, each wholly, and knows it; return the trajectories."""
    found = list(store.trajectories())
    roots = [int(one.id) for one in found if one.parent is None]
    assert found == [one for number in roots for one in tree(number) if isinstance(one, Trajectory)]
    assert len(set(roots)) == len(roots)
    assert len(store) == store.info().counts.trajectories == len(found)
    assert len(list(store.failures())) == store.info().counts.failures == len(roots)
    assert [store.get(one.id) for one in found] == found
    return found


@pytest.mark.parametrize(("journal_bytes", "kinds"), [(1 << 20, _ALL), (1, _LINES)], ids=["append", "seal"])
def test_an_append_that_is_interrupted_anywhere_is_whole_or_nothing(
    folder: Path, journal_bytes: int, kinds: Mapping[str, str]
) -> None:
    moment, kept = 0, set[int]()
    while True:
        path = folder / str(moment)
        store = ExperienceStore.open(path, journal_bytes=journal_bytes)
        store.append(*tree(0))
        try:
            with interrupted(moment, kinds):
                store.append(*tree(1))
            break
        except KeyboardInterrupt:
            found = check_whole(store)
        acknowledged, refused = expected(1), "open the store again"
        try:
            store.append(*tree(2))
            acknowledged += expected(3)[6:]
        except StoreError as error:
            refused = str(error)
        assert "open the store again" in refused
        store.close()
        with ExperienceStore.open(path, mode="read") as store:
            assert store.check() == ()
            at_last = check_whole(store)
            assert all(one in at_last for one in (*found, *acknowledged))
        with ExperienceStore.open(path) as store:
            if "1" not in store:
                store.append(*tree(1))
            check_whole(store)
        kept.add(len(found))
        moment += 1
    assert kept == {3, 6}
    assert check_whole(store) == expected(2)


def test_closing_that_is_interrupted_can_be_done_again(folder: Path) -> None:
    for moment in range(1000):
        store = ExperienceStore.open(folder / str(moment))
        store.append(*tree(0))
        try:
            with interrupted(moment, _ALL):
                store.close()
            break
        except KeyboardInterrupt:
            store.close()
        with ExperienceStore.open(folder / str(moment)) as store:
            assert check_whole(store) == expected(1)
    assert moment > 5
