"""One line for each trajectory, read without reading any step, and the flags that people set on episodes.

Flags are in a file of their own, `flags.jsonl`, to which a line is appended for each that is set or taken away: they
can be set while another process writes to the store, and no episode changes by them. Not here: what a flag means.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import orjson

from ..errors import ConfigError
from ..experience import Json, Parent, Trajectory, fields_of
from .durable import explained

_FILE: Final = "flags.jsonl"
_FLAG: Final = re.compile(r"[\w-][\w .-]{0,39}")
_NOT: Final = "not:"


class EpisodeRow(NamedTuple):
    """A trajectory without its steps."""

    id: str
    task_id: str
    env: str
    """The gymnasium id of the task's environment."""
    goal: str
    """The goal's text."""
    collector: str
    success: bool | None
    """Whether the goal held at the end; None if that is unknown."""
    total_reward: float
    """The undiscounted sum of the rewards of its own steps."""
    steps: int
    """The number of its own steps, without those that it shares with its parent."""
    parent: Parent | None
    """Where it leaves its parent, if it is a branch."""

    @classmethod
    def of(cls, trajectory: Trajectory) -> EpisodeRow:
        """Return the line of a trajectory."""
        task = trajectory.task
        return cls(
            trajectory.id, task.id, task.env, task.goal.text, trajectory.collector, trajectory.success,
            trajectory.total_reward, len(trajectory.steps), trajectory.parent,
        )  # fmt: skip

    @classmethod
    def read(cls, fields: Mapping[str, Json]) -> EpisodeRow:
        """Return the line of a trajectory whose fields are plain JSON (see `experience.fields_of`)."""
        task, steps, parent = fields["task"], fields["steps"], fields.get("parent")
        rewards = steps.get("reward", ())
        last = steps["info"][-1] if rewards else fields["provenance"]
        success = last.get("success")
        return cls(
            fields["id"], task["id"], task["env"], task["goal"]["text"], fields["collector"],
            None if success is None else bool(success), float(sum(rewards)), len(rewards),
            None if parent is None else Parent(parent["trajectory"], parent["step"]),
        )  # fmt: skip


def row_of(line: bytes) -> EpisodeRow | None:
    """Return the line of an encoded trajectory, or None for a failure."""
    kind, fields = fields_of(line)
    return EpisodeRow.read(fields) if kind == "trajectory" else None


class EpisodeFlags:
    """The flags on the episodes of one store."""

    def __init__(self, store: Path) -> None:
        """Name the store's directory."""
        self._path = store / _FILE

    def read(self) -> dict[str, tuple[str, ...]]:
        """Return the flags of each trajectory that has any, by its id, in alphabetical order.

        A line that is torn, because the process that wrote it was killed, is passed over.
        """
        found: dict[str, set[str]] = {}
        content = self._path.read_bytes() if self._path.is_file() else b""
        for line in content.splitlines():
            try:
                id_, flag, on = orjson.loads(line)
            except (ValueError, TypeError):
                continue
            (found.setdefault(id_, set()).add if on else found.setdefault(id_, set()).discard)(flag)
        return {id_: tuple(sorted(flags)) for id_, flags in found.items() if flags}

    def set(self, id_: str, flag: str, on: bool = True) -> None:
        """Set a flag on a trajectory, or take it away; it is on disk when this returns.

        Raises:
            ConfigError: the flag is no word or few words: letters, digits, `_ - .` and spaces, at most 40 characters.
            StoreError: it cannot be written.
        """
        self.add({id_: (flag,)}, on)

    def add(self, flags: Mapping[str, Iterable[str]], on: bool = True) -> None:
        """Do as `set`, for several trajectories and flags at once."""
        rows = [(id_, check_flag(flag), on) for id_, given in flags.items() for flag in given]
        if not rows:
            return
        data = b"".join(orjson.dumps(row) + b"\n" for row in rows)
        with explained(self._path):
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                size = os.fstat(handle).st_size
                torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
                os.write(handle, b"\n" * torn + data)
                os.fsync(handle)
            finally:
                os.close(handle)


def check_flag(flag: str) -> str:
    """Return a flag, if it is one.

    Raises:
        ConfigError: it is not.
    """
    if not _FLAG.fullmatch(flag):
        raise ConfigError(f"{flag!r} is no flag: take a word or a few, of letters, digits, '_', '-' and '.'.")
    return flag


def flagged(store: Path, trajectories: Iterable[Trajectory], flags: Sequence[str]) -> Iterator[Trajectory]:
    """Yield the trajectories that have all of some flags.

    Args:
        store: The store's directory.
        trajectories: Of that store.
        flags: What each must have; `not:bad` is that it has not the flag `bad`. All pass if it is empty.

    Raises:
        ConfigError: one of them is no flag.
    """
    wanted = {check_flag(flag) for flag in flags if not flag.startswith(_NOT)}
    unwanted = {check_flag(flag.removeprefix(_NOT)) for flag in flags if flag.startswith(_NOT)}
    return _flagged(EpisodeFlags(store).read() if flags else {}, trajectories, wanted, unwanted)


def _flagged(
    found: Mapping[str, tuple[str, ...]], trajectories: Iterable[Trajectory], wanted: set[str], unwanted: set[str]
) -> Iterator[Trajectory]:
    for one in trajectories:
        has = found.get(one.id, ())
        if wanted.issubset(has) and unwanted.isdisjoint(has):
            yield one
