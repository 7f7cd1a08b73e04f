"""The view of an episode that skill builders use: what each step changed, and which actions it made possible.

It rests on `pathei.envs.facts.EpisodeFacts`, and adds the admissible actions before and after each step and the split
of changes into moves (the character and what it carries came into a room, or the character looked somewhere) and all
others. Not here: reading facts and replaying them.
"""

from __future__ import annotations

from itertools import chain
from typing import Final, NamedTuple

from ...envs.facts import Change, EpisodeFacts, FactGraph, FactStep
from ...envs.registry import get_verbalizer
from ...envs.verbalizer import Verbalizer
from ...errors import RecordError
from ...experience import Observation, Trajectory
from .signatures import StepAction, is_script, step_reader

_OWN: Final = ("INSIDE", "FACING", "CLOSE")
"""Relations of the character that describe where it is and where it looks."""


class StepEffect(NamedTuple):
    """One step with its effects."""

    number: int
    text: str
    """The action as it was sent."""
    action: StepAction
    """The action, parsed."""
    error: str
    """Why the environment refused it; empty if it was accepted."""
    changes: tuple[Change, ...]
    """The changes of objects, without moves."""
    moves: tuple[Change, ...]
    """The changes of who and what is in which room, and of where the character looks."""
    moved: bool
    """Whether the step had no effect besides moves, as far as facts show."""
    before: frozenset[str]
    """The actions that were admissible before the step."""
    after: frozenset[str]
    """The actions that were admissible after the step."""


class EpisodeLog:
    """An episode with facts, as skill builders read it."""

    def __init__(self, trajectory: Trajectory, facts: EpisodeFacts, verbalizer: Verbalizer) -> None:
        """Read an episode; see `read_episode`."""
        self.start: FactGraph = facts.start
        """The facts at the beginning; not to be changed."""
        self.kinds = facts.kinds
        """The kind of every entity that exists at some moment."""
        self.characters = frozenset(facts.start.characters)
        self.by_kind = verbalizer.by_kind
        """Whether a node stands for a whole kind of thing; see `Verbalizer.by_kind`."""
        self.read_step = step_reader(verbalizer, facts.start)
        """Reads an action of the episode."""
        self._made = {node: step.number for step in facts.steps for node in step.nodes}
        self._ids: dict[str, tuple[int, ...]] = {}
        observations = (*(step.observation for step in trajectory.steps), trajectory.final)
        self.steps = tuple(
            self._effect(step, observations[step.number], observations[step.number + 1]) for step in facts.steps
        )

    @property
    def rooms(self) -> frozenset[int]:
        """The rooms."""
        return self.start.rooms

    def kind(self, id_: int) -> str:
        """Return the kind of an entity; empty if it is unknown."""
        return self.kinds.get(id_, "")

    def named(self, actions: frozenset[str]) -> set[int]:
        """Return the ids of the things that actions name."""
        known = self._ids
        for text in actions - known.keys():
            known[text] = tuple(thing.id for thing in self.read_step(text).things)
        return set(chain.from_iterable(map(known.__getitem__, actions)))

    def existed(self, id_: int, step: StepEffect) -> bool:
        """Return whether a thing existed before a step."""
        return id_ in self.kinds and self._made.get(id_, -1) < step.number

    def write_action(self, action: StepAction, step: StepEffect) -> str:
        """Return an action as text: that of a step if it is the step's own, or one with the same verb and objects."""
        if action == step.action:
            return step.text
        if is_script(step.text):
            return " ".join([f"[{action.verb}]", *(f"<{thing.kind}> ({thing.id})" for thing in action.things)])
        listed = (text for one in self.steps for text in one.before if self.read_step(text) == action)
        return next(listed, step.text)

    def _effect(self, step: FactStep, before: Observation, after: Observation) -> StepEffect:
        every = [change.plain for change in step.changes]
        moves = tuple(change for change in every if self._is_move(change))
        changes = tuple(change for change in every if not self._is_move(change))
        action = self.read_step(step.text)
        listed = (frozenset(before.actions or ()), frozenset(after.actions or ()))
        return StepEffect(step.number, step.text, action, step.error, changes, moves, not changes, *listed)

    def _is_move(self, change: Change) -> bool:
        if change.target in self.rooms and change.what == "INSIDE":
            return True
        return change.entity in self.characters and change.target is not None and change.what in _OWN


def read_episode(trajectory: Trajectory) -> EpisodeLog | None:
    """Read a whole episode; None if it has no graph facts, or malformed ones."""
    verbalizer = get_verbalizer(trajectory.task.env)
    try:
        facts = EpisodeFacts.of(trajectory, verbalizer)
    except RecordError:
        return None
    return None if facts is None else EpisodeLog(trajectory, facts, verbalizer)
