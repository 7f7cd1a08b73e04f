"""The states that the episodes of one task came through, merged where they are the same, and the ways between them.

A state is what its facts say, without what the character is close to or faces; its key is a sum over the facts, so a
step costs only what it changes. Where facts hold no graph, a state is what was observed. Not here: the tree of one
search as it grew (`pathei plan` shows that), and drawing (`page.js`).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import orjson

from ...envs.facts.graph import PASSING, Fact, FactGraph, read_changes, read_nodes
from ...errors import RecordError
from ...experience import Json, Observation, Step, Trajectory
from ...store import EpisodeRow, ExperienceStore

_FEW: Final = 50
_WALKS: Final = 2_000


class _Walk(NamedTuple):
    """An episode from its reset, as the states that it came through."""

    keys: tuple[int, ...]
    """The key of each moment, one more than steps."""
    steps: tuple[Step, ...]
    graph: bool
    """Whether the states are those of a graph."""


class _Way:
    """What leads from one state to another."""

    def __init__(self, first: tuple[str, int], reward: float) -> None:
        self.count, self.reward, self.first = 0, reward, first
        self.visits, self.value = 0, 0.0

    def add(self, step: Step) -> None:
        """Count an episode that went it, and what a search noted of it: of several searches, the most thorough one."""
        self.count += 1
        visits, value = _searched(step)
        if visits > self.visits:
            self.visits, self.value = visits, value


def world_tree(store: ExperienceStore, rows: Iterable[EpisodeRow]) -> Json:
    """Return the states and ways of some episodes of one task.

    Args:
        store: Open for reading.
        rows: The episodes; a branch counts in the states that it shares with its parent as well.

    Returns:
        `states`: for each, in the order in which they were come to, how many episodes passed and how many of those
        reached the goal. `ways`: for each, the numbers of two states, the action, how many episodes went it, its
        reward, the id and step (from 1) of one of them, and how often a search went it with what mean return (0 where
        none did). Steps that left the state as it was are no ways. `walks`: the states that each episode came through,
        by its id; of 2,000 episodes at most, else none.

    Raises:
        StoreError: an episode cannot be read.
    """
    listed, walks = list(rows), dict[str, _Walk]()
    read = _reader(store, listed)
    numbers: dict[int, int] = {}
    states: list[list[int]] = []
    ways: dict[tuple[int, int, str], _Way] = {}
    came: dict[str, list[int]] = {}
    for row in listed:
        walk = _walk(read, row.id, walks)
        passed = [numbers.setdefault(key, len(numbers)) for key in walk.keys]
        states += [[0, 0] for _ in range(len(numbers) - len(states))]
        for number in set(passed):
            states[number][0] += 1
            states[number][1] += row.success is True
        gone = set[tuple[int, int, str]]()
        for n, (step, a, b) in enumerate(zip(walk.steps, passed, passed[1:], strict=False), 1):
            if a != b and (a, b, step.action) not in gone:
                gone.add((a, b, step.action))
                ways.setdefault((a, b, step.action), _Way((row.id, n), step.reward)).add(step)
        came[row.id] = passed
    return {
        "states": states,
        "ways": [[*at, way.count, way.reward, *way.first, way.visits, way.value] for at, way in ways.items()],
        "walks": came if len(came) <= _WALKS else {},
    }


def _searched(step: Step) -> tuple[int, float]:
    """Return how often a search went this step, and the mean return that it found there; zeros if it did not say so."""
    noted = step.info.get("agent")
    found = (noted.get("visits"), noted.get("value")) if isinstance(noted, Mapping) else (None, None)
    visits, value = (one if isinstance(one, int | float) and math.isfinite(one) else 0 for one in found)
    return int(visits), float(value)


def _reader(store: ExperienceStore, rows: Sequence[EpisodeRow]) -> Callable[[str], Trajectory]:
    """Return what reads an episode by its id; many of them are read in one pass."""
    if len(rows) <= _FEW:
        return store.get
    found = {one.id: one for one in store.trajectories() if one.task.id == rows[0].task_id}
    return lambda id_: found.get(id_) or store.get(id_)


def _walk(read: Callable[[str], Trajectory], id_: str, walks: dict[str, _Walk]) -> _Walk:
    """Walk an episode, its parents before it."""
    line: list[Trajectory] = []
    wanted: str | None = id_
    while wanted is not None and wanted not in walks:
        line.append(read(wanted))
        wanted = None if line[-1].parent is None else line[-1].parent.trajectory
    for one in reversed(line):
        walks[one.id] = _own_walk(one) if one.parent is None else _branch(one, walks[one.parent.trajectory])
    return walks[id_]


def _own_walk(root: Trajectory) -> _Walk:
    seen = [*(step.observation for step in root.steps), root.final]
    try:
        graph = FactGraph.of(seen[0].facts)
        if graph is not None:
            key = sum(map(_weight, graph.facts()))
            return _Walk(_graph_keys(key, seen[1:]), root.steps, graph=True)
    except RecordError:
        pass  # facts that only look like a graph's
    return _Walk(tuple(map(_text_key, seen)), root.steps, graph=False)


def _branch(own: Trajectory, parent: _Walk) -> _Walk:
    shared = 0 if own.parent is None else own.parent.step
    after = [*(step.observation for step in own.steps[1:]), own.final][: len(own.steps)]
    start = parent.keys[: shared + 1]
    keys = _graph_keys(start[-1], after)[1:] if parent.graph else tuple(map(_text_key, after))
    return _Walk(start + keys, parent.steps[:shared] + own.steps, parent.graph)


def _graph_keys(key: int, after: Iterable[Observation]) -> tuple[int, ...]:
    keys = [key]
    for one in after:
        new: list[Fact] = [
            (node, state, None) for node, (_, states) in read_nodes(one.facts).items() for state in states
        ]
        signed = [(1, fact) for fact in new]
        signed += [(1 if change.begins else -1, change.fact) for change in read_changes(one.facts)]
        key += sum(sign * _weight(fact) for sign, fact in signed)
        keys.append(key)
    return tuple(keys)


def _weight(fact: Fact) -> int:
    return 0 if fact[1] in PASSING else _digest(orjson.dumps(fact))


def _text_key(seen: Observation) -> int:
    return _digest(orjson.dumps([seen.text, seen.images]))


def _digest(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=12).digest(), "big")
