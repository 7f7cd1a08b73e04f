"""Conditions about one and the same thing: "a plate is clean and that plate is in the cabinet".

Selectors with one name under `"same"` mean one node. Such conditions hold together if they hold for some choice of
nodes; here they are written out for every choice, so that each checker measures them as it measures any condition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Final, NamedTuple

from ...errors import GoalError
from .conditions import (
    ActionPattern,
    ActionsCondition,
    Condition,
    EdgeCondition,
    NodeCondition,
    NodeSelector,
    NotCondition,
    selectors_of,
)

MOST_CHOICES: Final = 1000
"""More choices of nodes than these are refused."""


class Joined(NamedTuple):
    """Some conditions of a goal that share their things."""

    places: tuple[int, ...]
    """Where they stand in the goal."""
    number: int
    """How many choices they have to hold for."""
    choices: tuple[tuple[Condition, ...], ...]
    """For each choice of nodes the conditions about it, in the order of `places`."""


def joined(conditions: Sequence[Condition], nodes: Callable[[NodeSelector], Iterable[int]]) -> list[Joined]:
    """Return the conditions that share a name under `"same"`, written out; a name that stands in one only joins none.

    Args:
        conditions: Those of a goal.
        nodes: Returns the ids that a selector may mean.

    Raises:
        GoalError: there are too few nodes, or too many choices of them; half a sentence.
    """
    names = [{one.same for one in selectors_of(condition) if one.same} for condition in conditions]
    shared = {name for own in names for name in own if sum(name in other for other in names) > 1}
    return [_written_out(conditions, places, nodes) for places in _groups([own & shared for own in names])]


def _groups(names: Sequence[set[str]]) -> Iterator[tuple[int, ...]]:
    """Yield the places of the conditions that hang together by their names."""
    left = [place for place, own in enumerate(names) if own]
    while left:
        group, known = [left[0]], set(names[left[0]])
        while more := [place for place in left if place not in group and names[place] & known]:
            group += more
            known.update(*(names[place] for place in more))
        left = [place for place in left if place not in group]
        yield tuple(sorted(group))


def _written_out(
    conditions: Sequence[Condition], places: tuple[int, ...], nodes: Callable[[NodeSelector], Iterable[int]]
) -> Joined:
    some = [conditions[place] for place in places]
    candidates: dict[str, set[int]] = {}
    for selector in (one for condition in some for one in selectors_of(condition) if one.same):
        found = set(nodes(selector))
        candidates[selector.same] = candidates.get(selector.same, found) & found
    counts = {_count(condition) for condition in some} or {1}
    number = max(counts)
    if number != 1 and (len(candidates) > 1 or len(counts) > 1 or 0 in counts):
        raise GoalError("what is said of one thing under 'same' has one count, and that of no other thing")
    size = 1
    for found in candidates.values():
        size *= len(found)
    if size > MOST_CHOICES:
        raise GoalError(f"it speaks of {len(candidates)} things in {size} possible ways, and {MOST_CHOICES} are tried")
    chosen = [
        dict(zip(candidates, ids, strict=True))
        for ids in product(*map(sorted, candidates.values()))
        if len({*ids}) == len(ids)
    ]
    if len(chosen) < number:
        raise GoalError(f"it asks for {number} of {' and '.join(candidates)}, and there are {len(chosen)} such things")
    return Joined(places, number, tuple(tuple(_about(one, ids) for one in some) for ids in chosen))


def _count(condition: Condition) -> int:
    """Return how many of the things that conditions share are asked for; 1 where it counts others, or none."""
    while isinstance(condition, NotCondition):
        condition = condition.inner
    return condition.count if not isinstance(condition, ActionsCondition) and _counts(condition).same else 1


def _counts(condition: NodeCondition | EdgeCondition) -> NodeSelector:
    """Return the selector whose nodes are counted: those held, or else the first ends."""
    if isinstance(condition, NodeCondition):
        return condition.node
    held = condition.target.same and all(relation.startswith("HOLDS") for relation in condition.relations)
    return condition.target if held else condition.source


def _about(condition: Condition, ids: Mapping[str, int]) -> Condition:
    """Return a condition on the nodes that were chosen."""

    def of(selector: NodeSelector) -> NodeSelector:
        return NodeSelector(ids=(ids[selector.same],)) if selector.same in ids else selector

    if isinstance(condition, NotCondition):
        return NotCondition(_about(condition.inner, ids))
    if isinstance(condition, NodeCondition):
        return replace(condition, node=of(condition.node), count=1)
    if isinstance(condition, EdgeCondition):
        count = 1 if _counts(condition).same in ids else condition.count
        return replace(condition, source=of(condition.source), target=of(condition.target), count=count)
    return ActionsCondition(
        tuple(
            ActionPattern(
                pattern.verbs, pattern.object and of(pattern.object), pattern.destination and of(pattern.destination)
            )
            for pattern in condition.patterns
        )
    )
