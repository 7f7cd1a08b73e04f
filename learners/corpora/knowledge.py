"""What the episodes of a corpus tell about activities: when one counts as done, and what belongs to it.

It decides which wrong options are certainly wrong. A goal is loosened to a pattern, in which any thing stands for the
thing that was moved ("something in the fridge, and the fridge closed"): an activity with a pattern that an episode
fulfils is no wrong option for it, nor is a thing that shares a property with what the activity needs. Left out:
activities that no episode of the corpus is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from ...envs.facts import (
    HOLDING,
    HOLDS,
    ActionsCondition,
    Condition,
    EdgeCondition,
    NodeCondition,
    NodeSelector,
    NotCondition,
    parse_conditions,
)
from ...envs.virtualhome.engine.vocabulary import CHARACTER_CLASS
from ...envs.virtualhome.houses.catalogue import plan as catalogue
from ...envs.virtualhome.houses.furnishings import HOME
from .episodes import HouseholdEpisode, HouseholdMap
from .splits import activity_of

_UNTOLD: Final = frozenset({"CLOSE", "FACING"})
"""Relations that the facts do not tell, or that change with every step."""


class ActivityPattern(NamedTuple):
    """One loosened condition."""

    kind: str
    """`"state"`, `"not"`, `"edge"` or `"deed"`."""
    what: tuple[str, ...]
    """The state, the relations or the verbs."""
    classes: tuple[str, ...]
    """Of the node in the state, or at the end of the edge; empty for any."""
    own: bool = False
    """For an edge: it begins at a character."""


class ActivityKnowledge(NamedTuple):
    """What is known of the activities of a corpus."""

    goals: Mapping[str, frozenset[frozenset[ActivityPattern]]]
    """By activity: the loosened goals."""
    named: Mapping[str, Mapping[str, float]]
    """By activity: in which share of its goals each class is named."""
    related: Mapping[str, frozenset[str]]
    """By activity: the classes that its goals name, or that were handled in reaching them."""


def learn(episodes: Iterable[HouseholdEpisode]) -> ActivityKnowledge:
    """Gather what episodes tell, whatever their order."""
    goals: dict[str, set[frozenset[ActivityPattern]]] = {}
    counts: dict[str, dict[str, int]] = {}
    times: dict[str, int] = {}
    related: dict[str, set[str]] = {}
    for episode in episodes:
        activity = activity_of(episode.task)
        if activity is None or not episode.task.goal.conditions:
            continue
        goals.setdefault(activity, set()).add(patterns(episode))
        times[activity] = times.get(activity, 0) + 1
        own = counts.setdefault(activity, {})
        named = {episode.start.classes[node] for node in named_nodes(episode)}
        for name in named:
            own[name] = own.get(name, 0) + 1
        handled = {name for event in episode.events for name in event.deed.names} if episode.success else set()
        related.setdefault(activity, set()).update(named | handled)
    shares = {name: {c: n / times[name] for c, n in own.items()} for name, own in counts.items()}
    return ActivityKnowledge(
        {name: frozenset(found) for name, found in goals.items()},
        shares,
        {name: frozenset(found) for name, found in related.items()},
    )


def selected(selector: NodeSelector, classes: Mapping[int, str]) -> set[int]:
    """Return the nodes that a selector means; properties, which facts do not tell, mean none."""
    return {n for n, name in classes.items() if n in selector.ids or name in selector.classes}


def named_nodes(episode: HouseholdEpisode) -> set[int]:
    """Return the nodes that the goal of an episode names, rooms and characters left out."""
    found: set[int] = set()
    house = episode.start
    for weighted in parse_conditions(episode.task.goal.conditions):
        for selector in _selectors(weighted.condition):
            found |= selected(selector, house.classes)
    return {n for n in found if n not in house.rooms and house.classes[n] != CHARACTER_CLASS}


def patterns(episode: HouseholdEpisode) -> frozenset[ActivityPattern]:
    """Return the goal of an episode, loosened."""
    found = (_pattern(w.condition, episode) for w in parse_conditions(episode.task.goal.conditions))
    return frozenset(pattern for group in found for pattern in group)


def _selectors(condition: Condition) -> list[NodeSelector]:
    if isinstance(condition, NodeCondition):
        return [condition.node]
    if isinstance(condition, EdgeCondition):
        return [condition.source, condition.target]
    if isinstance(condition, ActionsCondition):
        ends = (end for deed in condition.patterns for end in (deed.object, deed.destination))
        return [end for end in ends if end is not None]
    return _selectors(condition.inner)


def _pattern(condition: Condition, episode: HouseholdEpisode) -> list[ActivityPattern]:
    classes = episode.start.classes

    def kinds(selector: NodeSelector) -> tuple[str, ...]:
        return tuple(sorted({classes[n] for n in selected(selector, classes)}))

    if isinstance(condition, NodeCondition):
        return [ActivityPattern("state", (condition.state,), kinds(condition.node))]
    if isinstance(condition, EdgeCondition):
        relations = tuple(one for name in condition.relations for one in (HOLDING if name == HOLDS else (name,)))
        own = kinds(condition.source) == (CHARACTER_CLASS,)
        target = () if own and "HOLDS_RH" in relations else kinds(condition.target)
        return [ActivityPattern("edge", relations, target, own)]
    if isinstance(condition, ActionsCondition):
        return [ActivityPattern("deed", deed.verbs, ()) for deed in condition.patterns]
    if isinstance(condition, NotCondition) and isinstance(condition.inner, NodeCondition):
        return [ActivityPattern("not", (condition.inner.state,), kinds(condition.inner.node))]
    return []


class ActivityOutcome:
    """What an episode came to, as far as patterns ask; worked out once for all activities."""

    def __init__(self, episode: HouseholdEpisode) -> None:
        """Look at the state at the end, and at what is new in it."""
        start, end = episode.start, episode.end
        self._done = {event.deed.verb for event in episode.events}
        then, now = _edges(start), _edges(end)
        self._edges = {what for what, pairs in now.items() if pairs}
        self._new_edges = {what for what, pairs in now.items() if pairs - then.get(what, set())}
        self._states, self._new_states = set[tuple[str, str]](), set[tuple[str, str]]()
        self._old_states = {(state, start.classes[n]) for n, own in start.states.items() for state in own}
        for node, own in end.states.items():
            self._states |= {(state, end.classes[node]) for state in own}
            self._new_states |= {(state, end.classes[node]) for state in own - start.states[node]}

    def may_be(self, goal: frozenset[ActivityPattern], *, by_state: bool = False) -> bool:
        """Tell whether a loosened goal holds at the end, and at least one pattern of it was brought about.

        Args:
            goal: The patterns.
            by_state: Whether only the state at the end is looked at, and not what changed or was done.
        """
        asked = [pattern for pattern in goal if not (by_state and pattern.kind == "deed")]
        if not asked:
            return False
        found = [self._holds(pattern) for pattern in asked]
        return all(now for now, _ in found) and (by_state or any(new for _, new in found))

    def _holds(self, pattern: ActivityPattern) -> tuple[bool, bool]:
        """Whether a pattern holds at the end, and whether the episode brought it about."""
        if pattern.kind == "deed":
            done = not self._done.isdisjoint(pattern.what)
            return done, done
        if pattern.kind == "edge":
            if not _UNTOLD.isdisjoint(pattern.what):
                return True, False
            asked = {(pattern.own, r, name) for r in pattern.what for name in pattern.classes or ("",)}
            return not self._edges.isdisjoint(asked), not self._new_edges.isdisjoint(asked)
        states = {(pattern.what[0], name) for name in pattern.classes}
        if pattern.kind == "not":
            return self._states.isdisjoint(states), not self._old_states.isdisjoint(states)
        return not self._states.isdisjoint(states), not self._new_states.isdisjoint(states)


def _edges(house: HouseholdMap) -> dict[tuple[bool, str, str], set[tuple[int, int]]]:
    """The edges that hold, by whether they begin at a character, relation, and class of the end or "" for any."""
    found: dict[tuple[bool, str, str], set[tuple[int, int]]] = {}
    for source, ends in house.out.items():
        own = house.classes[source] == CHARACTER_CLASS
        for relation, target in ends:
            for name in (house.classes[target], ""):
                found.setdefault((own, relation, name), set()).add((source, target))
    return found


def wrong_activities(
    episode: HouseholdEpisode, activity: str, names: Iterable[str], known: ActivityKnowledge, *, by_state: bool = False
) -> list[str]:
    """Return the activities that were certainly not done in an episode, as far as their known goals tell."""
    outcome = ActivityOutcome(episode)
    return [
        name
        for name in names
        if name != activity and not any(outcome.may_be(goal, by_state=by_state) for goal in known.goals[name])
    ]


_COMMON: Final = frozenset({"GRABBABLE", "MOVABLE", "HANGABLE"})


@lru_cache(maxsize=1 << 12)
def purposes(name: str) -> frozenset[str]:
    """Return what a class is good for: its telling properties, or its category where it has none."""
    house = catalogue(HOME)
    rows = [(row.name, row.properties, row.category) for row in house.pieces]
    rows += [(row.name, row.properties, row.category) for row in house.things]
    for own, properties, category in rows:
        if own == name:
            return frozenset(properties) - _COMMON or frozenset({category})
    return frozenset({name})


def unrelated(name: str, activity: str, known: ActivityKnowledge) -> bool:
    """Tell whether a class has certainly nothing to do with an activity."""
    related = known.related[activity]
    return name not in related and not any(purposes(name) & purposes(other) for other in related)


__all__ = [
    "ActivityKnowledge",
    "ActivityOutcome",
    "ActivityPattern",
    "learn",
    "named_nodes",
    "patterns",
    "purposes",
    "selected",
    "unrelated",
    "wrong_activities",
]
