"""Checking goals in a world: whether they hold, and how far one is, fast enough for every step of a search.

The form of a condition is described in `pathei.envs.facts.conditions`. A `GoalCheck` turns the conditions into bitsets
once; after that each costs a few integer operations on the tables of the world. It reads the world and never changes
it, and it stays right when the world is restored to another moment, except for what leaves no trace there: the verbs
that were done. Those are counted in `GoalCheck.history`, a small tuple that a snapshot carries with the
`World.version`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from heapq import nlargest
from typing import TYPE_CHECKING, Final, NamedTuple

from ....errors import GoalError
from ...facts.conditions import (
    EVERY,
    ActionPattern,
    ActionsCondition,
    Condition,
    ConditionJson,
    EdgeCondition,
    NodeCondition,
    NodeSelector,
    NotCondition,
    Weighted,
    gather,
    known_name,
)
from ...facts.joined import Joined, joined
from ..engine.scene import bits
from ..engine.vocabulary import CLOSE, FACING, HANDS
from ..language.describe_goal import plural
from .conditions import among, parse_condition, relations_of

if TYPE_CHECKING:
    from ..engine.rules import EngineAction
    from ..engine.world import World

Measure = Callable[[], float]
"""How far one condition is now: from 0, nothing of it, to 1, when it holds."""

Table = list[int]

_TROUBLE: Final = "The goal cannot be checked here"
_NOT_YET, _TOO_EARLY, _IN_ORDER = range(3)
"""What the history keeps of a state or an edge that has to come about after others."""


class _Step(NamedTuple):
    """One action, with its objects as bitsets; -1 where any will do."""

    verbs: tuple[str, ...]
    objects: int
    destinations: int


class GoalCheck:
    """The conditions of one goal, bound to one world. A goal without conditions is never satisfied."""

    __slots__ = ("_done", "_listeners", "_measures", "_moments", "_needed", "_ordered", "_total", "_weights", "read")

    def __init__(self, conditions: Sequence[ConditionJson], world: World) -> None:
        """Prepare the conditions for a world.

        Args:
            conditions: In the form of `pathei.envs.facts.conditions`.
            world: Read at every question; what is `"new"` is measured against its beginning.

        Raises:
            GoalError: some conditions are malformed, or cannot be checked in this world because nothing there is meant
                by them; the message names every problem.
        """
        self._done: list[int] = []
        self._listeners: dict[str, tuple[tuple[int, tuple[_Step, ...], tuple[Measure, ...]], ...]] = {}
        self._ordered: list[tuple[int, Measure, tuple[Measure, ...]]] = []
        self._moments = 0
        here = world.version
        world.restore(world.start)  # the tables of the beginning, for what has to be new
        try:
            self.read: tuple[Weighted, ...] = gather(conditions, parse_condition, _TROUBLE)
            """The conditions as they were read, in the order given."""
            self._measures: list[Measure] = self._prepare(world)
        finally:
            world.restore(here)
        found = list(zip(self._measures, self.read, strict=True))
        self._weights = tuple((measure, weighted.weight) for measure, weighted in found)
        self._needed = tuple(measure for measure, weighted in found if not weighted.optional)
        self._total = sum(weight for _, weight in self._weights)

    def progress(self) -> float:
        """Return how far the goal is, in [0, 1]: the weighted mean over the conditions, 1.0 when all of them hold.

        A condition that asks for several counts in part; one that holds from the beginning counts from the beginning.
        """
        far = 0.0
        for measure, weight in self._weights:
            far += weight * measure()
        return far / self._total if far else 0.0

    def satisfied(self) -> bool:
        """Return whether every condition that is not optional holds now."""
        for measure in self._needed:  # a loop, since this is asked at every step of a search
            if measure() < 1.0:
                return False
        return bool(self._needed)

    def achieved(self) -> tuple[bool, ...]:
        """Return for each condition, in the order given, whether it holds now."""
        return tuple(measure() >= 1.0 for measure in self._measures)

    @property
    def measures(self) -> Sequence[Measure]:
        """For each condition, in the order given, the function that measures how far it is; for heuristics."""
        return self._measures

    # --- what leaves no trace in the world

    def note(self, action: EngineAction) -> None:
        """Take notice of an action that was just done; call this after each one that the world did not refuse."""
        self._moments += 1
        for slot, steps, before in self._listeners.get(action.verb, ()):
            place = self._done[slot]
            if place < len(steps) and _is(steps[place], action) and _all_hold(before):
                self._done[slot] = place + 1
                self._moments += 1
        for slot, measure, before in self._ordered:
            known = self._done[slot]
            if measure() < 1.0:
                self._done[slot] = _NOT_YET
            elif known == _NOT_YET:
                self._done[slot] = _IN_ORDER if _all_hold(before) else _TOO_EARLY
            self._moments += known != self._done[slot]

    @property
    def history(self) -> tuple[int, ...]:
        """What was done so far of conditions on actions or with an order: all that a snapshot has to keep of a goal."""
        return tuple(self._done)

    @history.setter
    def history(self, counts: tuple[int, ...]) -> None:
        self._done[:] = counts  # in place: the measures look into this list
        self._moments += 1

    # --- preparing

    def _prepare(self, world: World) -> list[Measure]:
        """Return a measure for each condition; the world stands at its beginning."""
        measures: list[Measure] = []

        def public(place: int) -> Measure:
            return lambda: measures[place]()  # asked for before it is there

        def one(place: int) -> Measure:
            group = groups.get(place)
            if group is None:
                return self._in_order(self.read[place], place, [public(n) for n in range(place)], world)
            if group not in chosen:
                chosen[group] = _Choices(group, self._rows(group, public, world), self.read, self._moment(world))
            return chosen[group].measure(group.places.index(place))

        def nodes(selector: NodeSelector) -> list[int]:
            return [world.scene.ids[n] for n in bits(among(selector, world.scene))]

        conditions = [one.condition for one in self.read]
        (found,) = gather([conditions], lambda some: joined(some, nodes), _TROUBLE)
        groups = {place: group for group in found for place in group.places}
        chosen: dict[Joined, _Choices] = {}
        measures += gather(range(len(conditions)), one, _TROUBLE)
        return measures

    def _rows(self, group: Joined, public: Callable[[int], Measure], world: World) -> list[list[Measure]]:
        """Return the measures of conditions that share their things, a row for each choice of things."""
        rows: list[list[Measure]] = []
        for choice in group.choices:
            row: dict[int, Measure] = {}
            for place, condition in zip(group.places, choice, strict=True):
                before = [row.get(n) or public(n) for n in range(place)]
                row[place] = self._in_order(replace(self.read[place], condition=condition), place, before, world)
            rows.append(list(row.values()))
        return rows

    def _in_order(self, weighted: Weighted, place: int, before: Sequence[Measure], world: World) -> Measure:
        """Measure a condition, which has to come about after those before it if it says so."""
        after = tuple(one for n, one in enumerate(before) if weighted.then and not self.read[n].optional)
        if isinstance(weighted.condition, ActionsCondition):
            return self._actions_measure(weighted.condition, world, after)
        measure = self._measure(weighted.condition, world)
        if not after:
            return measure
        done, slot = self._done, len(self._done)
        done.append(_IN_ORDER if measure() >= 1.0 else _NOT_YET)
        self._ordered.append((slot, measure, after))
        return lambda: 0.0 if done[slot] == _TOO_EARLY else measure()

    def _measure(self, condition: Condition, world: World) -> Measure:
        if isinstance(condition, NodeCondition):
            return _node_measure(condition, world)
        if isinstance(condition, EdgeCondition):
            return _edge_measure(condition, world)
        if isinstance(condition, NotCondition):
            return _denial(self._measure(condition.inner, world), condition.inner, world)
        return self._actions_measure(condition, world, ())

    def _actions_measure(self, condition: ActionsCondition, world: World, after: tuple[Measure, ...]) -> Measure:
        steps = tuple(_step(pattern, world) for pattern in condition.patterns)
        done, slot, count = self._done, len(self._done), len(steps)
        done.append(0)
        for verb in dict.fromkeys(verb for step in steps for verb in step.verbs):
            self._listeners[verb] = (*self._listeners.get(verb, ()), (slot, steps, after))
        return lambda: done[slot] / count

    def _moment(self, world: World) -> Callable[[], tuple[object, int]]:
        """Return a function whose value is another one whenever a measure may be another."""
        return lambda: (world.version, self._moments)


class _Choices:
    """Conditions that share their things, measured for the things for which they are farthest."""

    __slots__ = ("_best", "_moment", "_number", "_rows", "_seen", "_weights")

    def __init__(
        self, group: Joined, rows: list[list[Measure]], read: Sequence[Weighted], moment: Callable[[], object]
    ) -> None:
        self._rows, self._number, self._moment = rows, group.number, moment
        self._weights = [read[place].weight for place in group.places]
        self._seen: object = None
        self._best: list[list[Measure]] = []

    def measure(self, column: int) -> Measure:
        """Return how far one of the conditions is, the mean over as many choices as are asked for."""

        def far() -> float:
            return sum([row[column]() for row in self._chosen()]) / self._number

        return far

    def _chosen(self) -> list[list[Measure]]:
        if (now := self._moment()) != self._seen:
            self._best = nlargest(self._number, self._rows, key=self._sum)
            self._seen = now
        return self._best

    def _sum(self, row: list[Measure]) -> float:
        return sum([weight * measure() for weight, measure in zip(self._weights, row, strict=True)])


def _all_hold(measures: Sequence[Measure]) -> bool:
    return all(measure() >= 1.0 for measure in measures)


def _is(step: _Step, action: EngineAction) -> bool:
    return (
        action.verb in step.verbs
        and (step.objects < 0 or (action.first >= 0 and bool(step.objects >> action.first & 1)))
        and (step.destinations < 0 or (action.second >= 0 and bool(step.destinations >> action.second & 1)))
    )


def _step(pattern: ActionPattern, world: World) -> _Step:
    def nodes(selector: NodeSelector | None) -> int:
        return -1 if selector is None else among(selector, world.scene)

    verbs = tuple(known_name("verb", verb, world.rules.table) for verb in pattern.verbs)
    return _Step(verbs, nodes(pattern.object), nodes(pattern.destination))


def _node_measure(condition: NodeCondition, world: World) -> Measure:
    having, scene = world.having, world.scene
    state = scene.state_names.index(known_name("state", condition.state, scene.state_names))
    nodes = among(condition.node, scene)
    if condition.new:
        nodes &= ~scene.states[state]
    count = nodes.bit_count() if condition.count == EVERY else condition.count
    _enough(nodes.bit_count(), count, condition.node)
    if count == 1:
        return lambda: 1.0 if having[state] & nodes else 0.0
    return lambda: min((having[state] & nodes).bit_count() / count, 1.0)


def _enough(there: int, count: int, what: NodeSelector) -> None:
    if there < count:
        things = what.words().replace("_", " ") if count == 1 else f"{count} {plural(what.words().replace('_', ' '))}"
        raise GoalError(f"it asks for {things}, and {f'only {there}' if there else 'none'} can be so")


def _denial(inner: Measure, condition: Condition, world: World) -> Measure:
    """Measure that a condition does not hold: of what must not be so at the beginning, the share that is no more.

    So "nothing is on the table" is half done when one of two things is gone.
    """
    if not isinstance(condition, NodeCondition | EdgeCondition) or condition.new or condition.count == EVERY:
        return lambda: 0.0 if inner() >= 1.0 else 1.0
    tally = _tally(condition, world)
    allowed = condition.count - 1
    first = max(tally() - allowed, 1)  # the world stands at its beginning
    return lambda: 1.0 if (over := tally() - allowed) <= 0 else max(0.0, 1.0 - over / first)


def _tally(condition: NodeCondition | EdgeCondition, world: World) -> Callable[[], int]:
    """Count the nodes, or the pairs, of a condition."""
    if isinstance(condition, NodeCondition):
        state, nodes, having = (
            world.scene.state_names.index(condition.state),
            among(condition.node, world.scene),
            world.having,
        )
        return lambda: (having[state] & nodes).bit_count()
    terms = _terms(condition, world, among(condition.source, world.scene), among(condition.target, world.scene))
    return lambda: sum((_row(term) & term.mask).bit_count() for term in terms)


class _Term(NamedTuple):
    """Some of the pairs of an edge condition: those of one node with the nodes in a mask."""

    rows: tuple[Table, ...]
    """Tables with a bitset of other ends for each node; an edge in any of them counts."""
    node: int
    mask: int


def _edge_measure(condition: EdgeCondition, world: World) -> Measure:
    sources, targets = among(condition.source, world.scene), among(condition.target, world.scene)
    if condition.count == EVERY:
        return _every_measure(condition, world, sources, targets)
    terms = _terms(condition, world, sources, targets)
    if condition.new:
        terms = [term._replace(mask=term.mask & ~_row(term)) for term in terms]
    terms = [term for term in terms if term.mask]
    count = condition.count
    holds = set(relations_of(condition)) <= set(HANDS)
    _enough(sum(term.mask.bit_count() for term in terms), count, condition.target if holds else condition.source)
    if count > 1:
        return lambda: min(sum((_row(term) & term.mask).bit_count() for term in terms) / count, 1.0)
    flat = [(row, term.node, term.mask) for term in terms for row in term.rows]
    if len(flat) == 1:
        [(only, node, mask)] = flat
        return lambda: 1.0 if only[node] & mask else 0.0

    def measure() -> float:
        for row, end, others in flat:
            if row[end] & others:
                return 1.0
        return 0.0

    return measure


def _row(term: _Term) -> int:
    found = 0
    for row in term.rows:
        found |= row[term.node]
    return found


def _terms(condition: EdgeCondition, world: World, sources: int, targets: int) -> list[_Term]:
    """Split the pairs so that there are few terms, and each reads a row that holds all of its edges.

    CLOSE and FACING edges at a character stand in the character's own rows only (see `World`), so its pairs are read
    there; all others are read from whichever end has fewer nodes.
    """
    relations = relations_of(condition)
    leaving, arriving = tuple(world.out[r] for r in relations), tuple(world.into[r] for r in relations)
    if condition.either:
        leaving = arriving = leaving + arriving
    apart = world.character_set if {CLOSE, FACING} & set(relations) else 0
    terms = [_Term(leaving, c, targets) for c in bits(sources & apart)]
    terms += [_Term(arriving, c, sources & ~apart) for c in bits(targets & apart)]
    sources, targets = sources & ~apart, targets & ~apart
    if sources.bit_count() <= targets.bit_count():
        return terms + [_Term(leaving, node, targets) for node in bits(sources)]
    return terms + [_Term(arriving, node, sources) for node in bits(targets)]


def _every_measure(condition: EdgeCondition, world: World, sources: int, targets: int) -> Measure:
    there, relations = sources.bit_count(), relations_of(condition)

    def measure() -> float:
        found = 0
        for node in bits(targets):
            for relation in relations:
                found |= world.sources(node, relation)
                if condition.either:
                    found |= world.targets(node, relation)
        return (found & sources).bit_count() / there

    return measure
