"""What the episodes of a corpus say about activities: when one counts as done, and what belongs to it.

It decides which wrong options are certainly wrong. A goal is loosened to patterns, in which any thing stands for the
thing that was moved ("something in the fridge, and the fridge closed"): an activity with patterns that an episode
fulfils is no wrong option for it, nor is a thing that shares a purpose with what the activity needs. Not here:
activities that no episode of the corpus is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ...envs.facts import (
    HOLDING,
    HOLDS,
    PASSING,
    ActionsCondition,
    Condition,
    EdgeCondition,
    FactGraph,
    NodeCondition,
    NodeSelector,
    NotCondition,
)
from ...envs.verbalizer import Verbalizer
from .episodes import CorpusEpisode


class ActivityPattern(NamedTuple):
    """One loosened condition."""

    kind: str
    """`"state"`, `"not"`, `"edge"` or `"action"`."""
    what: tuple[str, ...]
    """The state, the relations or the verbs."""
    kinds: tuple[str, ...]
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


def learn(episodes: Iterable[CorpusEpisode]) -> ActivityKnowledge:
    """Gather what episodes say, whatever their order."""
    goals: dict[str, set[frozenset[ActivityPattern]]] = {}
    counts: dict[str, dict[str, int]] = {}
    times: dict[str, int] = {}
    related: dict[str, set[str]] = {}
    for episode in episodes:
        activity = episode.activity
        if activity is None or not episode.task.goal.conditions:
            continue
        goals.setdefault(activity, set()).add(patterns(episode))
        times[activity] = times.get(activity, 0) + 1
        own = counts.setdefault(activity, {})
        named = {episode.kinds[node] for node in episode.named}
        for name in named:
            own[name] = own.get(name, 0) + 1
        handled = {name for event in episode.done for name in event.action.names} if episode.success else set()
        related.setdefault(activity, set()).update(named | handled)
    shares = {name: {c: n / times[name] for c, n in own.items()} for name, own in counts.items()}
    return ActivityKnowledge(
        {name: frozenset(found) for name, found in goals.items()},
        shares,
        {name: frozenset(found) for name, found in related.items()},
    )


def patterns(episode: CorpusEpisode) -> frozenset[ActivityPattern]:
    """Return the goal of an episode, loosened."""
    return frozenset(pattern for one in episode.conditions for pattern in _pattern(one, episode))


def _pattern(condition: Condition, episode: CorpusEpisode) -> list[ActivityPattern]:
    every = episode.start.kinds

    def kinds(selector: NodeSelector) -> tuple[str, ...]:
        return tuple(sorted({every[n] for n in selector.nodes(every)}))

    if isinstance(condition, NodeCondition):
        return [ActivityPattern("state", (condition.state,), kinds(condition.node))]
    if isinstance(condition, EdgeCondition):
        relations = tuple(one for name in condition.relations for one in (HOLDING if name == HOLDS else (name,)))
        own = bool(kinds(condition.source)) and episode.characters.issuperset(kinds(condition.source))
        target = () if own and not {HOLDS, "HOLDS_RH"}.isdisjoint(relations) else kinds(condition.target)
        return [ActivityPattern("edge", relations, target, own)]
    if isinstance(condition, ActionsCondition):
        return [ActivityPattern("action", action.verbs, ()) for action in condition.patterns]
    if isinstance(condition, NotCondition) and isinstance(condition.inner, NodeCondition):
        return [ActivityPattern("not", (condition.inner.state,), kinds(condition.inner.node))]
    return []


class ActivityOutcome:
    """What an episode came to, as far as patterns ask; worked out once for all activities."""

    def __init__(self, episode: CorpusEpisode) -> None:
        """Look at the state at the end, and at what is new in it."""
        start, end = episode.start, episode.end
        self._done = {event.action.verb for event in episode.done}
        then, now = _edges(start, episode.characters), _edges(end, episode.characters)
        self._edges = {what for what, pairs in now.items() if pairs}
        self._new_edges = {what for what, pairs in now.items() if pairs - then.get(what, set())}
        self._states, self._new_states = set[tuple[str, str]](), set[tuple[str, str]]()
        self._old_states = {(state, start.kinds[n]) for n, own in start.states.items() for state in own}
        for node, own in end.states.items():
            self._states |= {(state, end.kinds[node]) for state in own}
            self._new_states |= {(state, end.kinds[node]) for state in own - start.states.get(node, set())}

    def may_be(self, goal: frozenset[ActivityPattern], *, by_state: bool = False) -> bool:
        """Return whether a loosened goal holds at the end, and at least one pattern of it was brought about.

        Args:
            goal: The patterns.
            by_state: Whether only the state at the end is looked at, and not what changed or was done.
        """
        asked = [pattern for pattern in goal if not (by_state and pattern.kind == "action")]
        if not asked:
            return False
        found = [self._holds(pattern) for pattern in asked]
        return all(now for now, _ in found) and (by_state or any(new for _, new in found))

    def _holds(self, pattern: ActivityPattern) -> tuple[bool, bool]:
        """Whether a pattern holds at the end, and whether the episode brought it about."""
        if pattern.kind == "action":
            done = not self._done.isdisjoint(pattern.what)
            return done, done
        if pattern.kind == "edge":
            if not PASSING.isdisjoint(pattern.what):
                return True, False
            asked = {(pattern.own, r, name) for r in pattern.what for name in pattern.kinds or ("",)}
            return not self._edges.isdisjoint(asked), not self._new_edges.isdisjoint(asked)
        states = {(pattern.what[0], name) for name in pattern.kinds}
        if pattern.kind == "not":
            return self._states.isdisjoint(states), not self._old_states.isdisjoint(states)
        return not self._states.isdisjoint(states), not self._new_states.isdisjoint(states)


def _edges(house: FactGraph, characters: Iterable[str]) -> dict[tuple[bool, str, str], set[tuple[int, int]]]:
    """The edges that hold, by whether they begin at a character, relation, and class of the end or "" for any."""
    found: dict[tuple[bool, str, str], set[tuple[int, int]]] = {}
    for source, ends in house.out.items():
        own = house.kinds[source] in characters
        for relation, target in ends:
            for name in (house.kinds[target], ""):
                found.setdefault((own, relation, name), set()).add((source, target))
    return found


def wrong_activities(
    episode: CorpusEpisode, activity: str, names: Iterable[str], known: ActivityKnowledge, *, by_state: bool = False
) -> list[str]:
    """Return the activities that were certainly not done in an episode, as far as their known goals say."""
    outcome = ActivityOutcome(episode)
    return [
        name
        for name in names
        if name != activity and not any(outcome.may_be(goal, by_state=by_state) for goal in known.goals[name])
    ]


def unrelated(name: str, activity: str, known: ActivityKnowledge, verbalizer: Verbalizer) -> bool:
    """Return whether a class has certainly nothing to do with an activity."""
    related = known.related[activity]
    return name not in related and not any(verbalizer.purposes(name) & verbalizer.purposes(other) for other in related)
