"""An episode by its facts: what was done, what each step changed, and where everything was at every moment.

A moment is the number of steps done before it. Reading an episode costs little; the replay that says where everything
was is made when it is first asked for. Not here: words, and facts of other forms.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ...experience import Observation, Task, Trajectory
from . import actions
from .actions import Action
from .graph import HOLDING, Change, FactGraph, Location, read_changes, read_nodes

if TYPE_CHECKING:
    from ..verbalizer import Verbalizer

NOBODY = -1
"""Stands for the one who acts where the facts name no character."""


class FactStep(NamedTuple):
    """One step of an episode."""

    number: int
    """It leads from moment `number` to moment `number + 1`."""
    actor: int
    """The id of the character that acted."""
    text: str
    """The action as it was sent."""
    action: Action | None
    """The action taken apart; None where it cannot be read."""
    changes: tuple[Change, ...]
    """What it changed; nothing where it was refused."""
    nodes: tuple[int, ...] = ()
    """What did not exist before it."""
    error: str = ""
    """Why the environment refused it; empty where it did not."""


class _Replay(NamedTuple):
    end: FactGraph
    where: Mapping[int, tuple[tuple[int, Location], ...]]
    """For each node that moved: from which moment on it was where."""
    moved: tuple[frozenset[int], ...]
    """For each step, the nodes whose location it changed."""


class EpisodeFacts:
    """A whole episode whose environment offers its facts as a graph."""

    __slots__ = ("_new", "_replay", "complete", "id", "kinds", "start", "steps", "success", "task")

    id: str
    """The trajectory's id."""
    task: Task
    success: bool
    """Whether the goal held at the end."""
    start: FactGraph
    """What held after the reset; not to be changed."""
    kinds: Mapping[int, str]
    """The kind of every node that exists at some moment."""
    steps: tuple[FactStep, ...]
    """Every step, those that the environment refused included."""
    complete: bool
    """Whether every step that was not refused could be read and came with facts."""

    def __init__(self, trajectory: Trajectory, start: FactGraph, reader: Verbalizer | None = None) -> None:
        """Read an episode; `EpisodeFacts.of` is the usual way.

        Raises:
            RecordError: its changes are malformed.
        """
        self.id, self.task, self.success = trajectory.id, trajectory.task, bool(trajectory.success)
        self.start = start
        self.kinds = start.kinds
        self._replay: _Replay | None = None
        self._new: dict[int, tuple[str, Sequence[str]]] = {}
        self.complete = True
        steps: list[FactStep] = []
        first = start.characters[0] if start.characters else NOBODY
        for number, step in enumerate(trajectory.steps):
            error = str(step.info["error"] or "refused") if "error" in step.info else ""
            action = actions.read_action(step.action)
            if action is None and reader is not None:
                action = reader.read_action(step.action, start)
            changes: tuple[Change, ...] = ()
            new: dict[int, tuple[str, Sequence[str]]] = {}
            if not error:
                facts = _after(trajectory, number).facts
                changes, new = read_changes(facts), read_nodes(facts)
                self._new |= new
                self.complete = self.complete and action is not None and facts is not None
            actor = step.info.get("character", first)
            steps.append(FactStep(number, actor, step.action, action, changes, tuple(new), error))
        self.steps = tuple(steps)
        if self._new:
            self.kinds = {**start.kinds, **{node: kind for node, (kind, _) in self._new.items()}}

    @classmethod
    def of(cls, trajectory: Trajectory, reader: Verbalizer | None = None) -> EpisodeFacts | None:
        """Read a whole episode; None where it has no steps, or its facts hold no graph.

        Args:
            trajectory: An episode from its beginning: a branch has to be expanded first.
            reader: Reads actions that are not script lines: the environment's verbalizer.

        Raises:
            RecordError: its facts are malformed.
        """
        start = FactGraph.of(trajectory.steps[0].observation.facts) if trajectory.steps else None
        return None if start is None else cls(trajectory, start, reader)

    @property
    def events(self) -> tuple[FactStep, ...]:
        """The steps that were not refused."""
        return tuple(step for step in self.steps if not step.error)

    @property
    def end(self) -> FactGraph:
        """What held at the end; not to be changed."""
        return self._played.end

    @property
    def moved(self) -> list[int]:
        """The nodes that moved, characters included, by id."""
        return sorted(self._played.where)

    def moved_by(self, step: FactStep) -> frozenset[int]:
        """Return the nodes whose location a step changed."""
        return self._played.moved[step.number]

    def at(self, moment: int) -> FactGraph:
        """Return what held at a moment, as a graph of its own."""
        graph = self.start.copy()
        for step in self.steps[:moment]:
            _apply(step, graph, self._new)
        return graph

    def location(self, node: int, moment: int) -> Location:
        """Return where a node was at a moment."""
        history = self._played.where.get(node)
        if history is None:
            return self.start.location(node)
        return history[bisect_right(history, moment, key=lambda entry: entry[0]) - 1][1]

    def history(self, node: int) -> tuple[tuple[int, Location], ...]:
        """Return from which moment on a node was where; the first entry is of moment 0."""
        return self._played.where.get(node) or ((0, self.start.location(node)),)

    def contents(self, place: int, relation: str, moment: int) -> list[int]:
        """Return what was directly ON or INSIDE a node at a moment, by id."""
        where = self._played.where
        still = [n for n in self.start.contents(place, relation) if n not in where]
        return sorted(still + [n for n in where if self.location(n, moment)[1:] == (relation, place)])

    @property
    def _played(self) -> _Replay:
        if self._replay is None:
            self._replay = _replay(self.start, self.steps, self._new)
        return self._replay


def _after(trajectory: Trajectory, number: int) -> Observation:
    steps = trajectory.steps
    return steps[number + 1].observation if number + 1 < len(steps) else trajectory.final


def _apply(step: FactStep, graph: FactGraph, new: Mapping[int, tuple[str, Sequence[str]]]) -> None:
    if step.nodes:
        graph.add({node: new[node] for node in step.nodes})
    for change in step.changes:
        graph.apply(change)


def _replay(start: FactGraph, steps: tuple[FactStep, ...], new: Mapping[int, tuple[str, Sequence[str]]]) -> _Replay:
    graph = start.copy()
    where: dict[int, list[tuple[int, Location]]] = {}
    moved: list[frozenset[int]] = []
    for step in steps:
        touched: set[int] = set()
        _apply(step, graph, new)
        for change in step.changes:
            if change.target is not None:
                if change.what in HOLDING:
                    touched.add(change.target)
                elif change.what in ("ON", "INSIDE"):
                    touched.add(change.entity)
        own = set()
        for node in graph.load(touched) if touched else ():
            location, history = graph.location(node), where.get(node)
            before = history[-1][1] if history else start.location(node)
            if location != before:
                where.setdefault(node, [(0, before)]).append((step.number + 1, location))
                own.add(node)
        moved.append(frozenset(own))
    return _Replay(graph, {node: tuple(history) for node, history in where.items()}, tuple(moved))
