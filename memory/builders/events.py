"""What happened in an episode, as builders need it: acts, what each changed, what it made possible.

Facts are those of `pathei/VirtualHome-v0` (a graph at the reset, then changes); a world without them still has its
actions. Left out: words about it, and where everything was at every moment (`learners.corpora` folds that).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from ...experience import Json, Observation, Trajectory
from .lifting import LiftedAction, read_act

HANDS: Final = ("HOLDS_RH", "HOLDS_LH")
_OWN: Final = ("INSIDE", "FACING", "CLOSE")
"""Relations of the one who acts that say where it is and where it looks."""
_OTHER_FORM: Final = (KeyError, IndexError, TypeError, ValueError)
"""What reading the facts of another world raises."""


Fact = tuple[int, str, int | None]
"""Something that holds: a thing, a state or relation, and what it is related to."""


class StateChange(NamedTuple):
    """One fact that began or ended."""

    begins: bool
    thing: int
    what: str
    """A state, or a relation to the target; holding is `"HOLDS"`, whichever the hand."""
    target: int | None = None

    @property
    def fact(self) -> Fact:
        """What began or ended."""
        return self.thing, self.what, self.target

    @property
    def things(self) -> tuple[int, ...]:
        """The things that it is about."""
        return (self.thing,) if self.target is None else (self.thing, self.target)


class StepEffect(NamedTuple):
    """One step."""

    number: int
    action: str
    act: LiftedAction
    error: str
    """Why the world refused it; empty where it did not."""
    changes: tuple[StateChange, ...]
    """Of things; where the one who acts went and looked is not among them."""
    moves: tuple[StateChange, ...]
    """The others: who and what came into which room, and where the one who acts looks."""
    moved: bool
    """Whether the one who acts did nothing but go or turn somewhere, as far as facts tell."""
    before: frozenset[str]
    """The actions that were admissible before."""
    after: frozenset[str]
    """Those that were admissible afterwards."""


class EpisodeLog:
    """An episode of which facts are known at its beginning."""

    def __init__(self, trajectory: Trajectory, graph: Mapping[str, Json]) -> None:
        """Fold an episode; see `fold`."""
        self.names: dict[int, str] = {node[0]: node[1] for node in graph["nodes"]}
        """The kind of each thing."""
        self.states: dict[int, tuple[str, ...]] = {node[0]: tuple(node[2]) for node in graph["nodes"]}
        """The states of each thing at the beginning."""
        self.rooms = frozenset(graph["rooms"])
        self.you = frozenset(graph["characters"])
        self.place: dict[int, tuple[str, int]] = {}
        """What each thing is ON or INSIDE of at the beginning, rooms last; `"HOLDS"` for what somebody holds."""
        self.room: dict[int, int] = {}
        """The room that each thing is directly in, at the beginning."""
        for source, relation, target in graph["edges"]:
            self._place(source, relation, target)
        self.steps = tuple(
            self._happening(number, step.action, str(step.info.get("error") or ""), step.observation, after)
            for number, (step, after) in enumerate(zip(trajectory.steps, _after(trajectory), strict=True))
        )

    def room_of(self, thing: int) -> int | None:
        """Return the room of a thing at the beginning."""
        for _ in range(8):
            room = self.room.get(thing)
            if room is not None or thing not in self.place:
                return room
            thing = self.place[thing][1]
        return None

    def _place(self, source: int, relation: str, target: int) -> None:
        if relation in HANDS:
            self.place[target] = ("HOLDS", source)
        elif relation == "INSIDE" and target in self.rooms:
            self.room[source] = target
        elif relation in ("ON", "INSIDE"):
            self.place.setdefault(source, (relation, target))

    def _happening(
        self, number: int, action: str, error: str, observation: Observation, after: Observation
    ) -> StepEffect:
        told = () if error else (after.facts or {}).get("changes", ())
        every = tuple(map(_change, told))
        moves = tuple(change for change in every if self._is_own(change))
        changes = tuple(change for change in every if change not in moves)
        listed = (frozenset(o.actions or ()) for o in (observation, after))
        return StepEffect(number, action, read_act(action), error, changes, moves, not changes, *listed)

    def _is_own(self, change: StateChange) -> bool:
        """Tell whether a change is only that the one who acts, or what it carries, is in another place."""
        if change.target in self.rooms and change.what == "INSIDE":
            return True
        return change.thing in self.you and change.target is not None and change.what in _OWN


def fold(trajectory: Trajectory) -> EpisodeLog | None:
    """Fold a whole episode; None where it holds no facts of a household, or they are malformed."""
    facts = trajectory.steps[0].observation.facts if trajectory.steps else None
    graph = (facts or {}).get("graph")
    if not isinstance(graph, Mapping):
        return None
    try:
        return EpisodeLog(trajectory, graph)
    except _OTHER_FORM:
        return None  # facts of another world that has graphs too: it is remembered without them


def facts_of(told: Mapping[str, Json] | None) -> frozenset[Fact]:
    """Return what holds at the reset, from what the world tells then; nothing where it tells nothing of this form."""
    graph = (told or {}).get("graph")
    if not isinstance(graph, Mapping):
        return frozenset()
    try:
        states = [(node[0], state, None) for node in graph["nodes"] for state in node[2]]
        edges = [(source, _plainly(what), target) for source, what, target in graph["edges"]]
        return frozenset([*states, *edges])
    except _OTHER_FORM:
        return frozenset()


def facts_after(facts: frozenset[Fact], told: Mapping[str, Json] | None, error: str = "") -> frozenset[Fact]:
    """Return what holds after a step, from what held before and what the world tells after it."""
    try:
        changes = [] if error else [_change(one) for one in (told or {}).get("changes", ())]
    except _OTHER_FORM:
        return facts
    for change in changes:
        facts = facts | {change.fact} if change.begins else facts - {change.fact}
    return facts


def _change(told: Json) -> StateChange:
    sign, thing, what, *target = told
    return StateChange(sign == "+", thing, _plainly(what), target[0] if target else None)


def _plainly(what: str) -> str:
    return "HOLDS" if what in HANDS else what


def _after(trajectory: Trajectory) -> tuple[Observation, ...]:
    return (*(step.observation for step in trajectory.steps[1:]), trajectory.final)


__all__ = ["HANDS", "EpisodeLog", "Fact", "StateChange", "StepEffect", "facts_after", "facts_of", "fold"]
