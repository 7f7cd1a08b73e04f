"""Checking conditions on a `FactGraph`: whether they hold, and how far each is.

Made for environments without a faster check of their own; one condition costs a pass over the nodes that it names. Not
here: properties (facts do not list them, so a selector with nothing else selects nothing).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .actions import Action
from .conditions import (
    EVERY,
    ActionPattern,
    Condition,
    EdgeCondition,
    NodeCondition,
    NodeSelector,
    NotCondition,
    Weighted,
    parse_condition,
)
from .graph import HOLDING, HOLDS, FactGraph
from .joined import joined


def holds(
    graph: FactGraph,
    condition: Mapping[str, Any],
    *,
    start: FactGraph | None = None,
    actions: Sequence[Action] = (),
) -> bool:
    """Return whether a condition holds.

    Args:
        graph: What holds now.
        condition: In the form of `conditions`.
        start: What held at the beginning, for conditions with `"new"`.
        actions: What was done so far, for conditions on actions.

    Raises:
        GoalError: the condition is malformed.
    """
    return measure(graph, condition, start=start, actions=actions) >= 1.0


def measure(
    graph: FactGraph,
    condition: Mapping[str, Any],
    *,
    start: FactGraph | None = None,
    actions: Sequence[Action] = (),
) -> float:
    """Return how far a condition is, from 0 to 1, when it holds; the arguments are those of `holds`."""
    return _measure(parse_condition(condition).condition, graph, start, actions)


def satisfied(
    graph: FactGraph,
    conditions: Sequence[Mapping[str, Any]],
    *,
    start: FactGraph | None = None,
    actions: Sequence[Action] = (),
) -> bool:
    """Return whether every condition that is not optional holds; False where there is none to check."""
    read = [parse_condition(one) for one in conditions]
    measures = _measures(read, graph, start, actions)
    needed = [far for one, far in zip(read, measures, strict=True) if not one.optional]
    return bool(needed) and all(far >= 1.0 for far in needed)


def progress(
    graph: FactGraph,
    conditions: Sequence[Mapping[str, Any]],
    *,
    start: FactGraph | None = None,
    actions: Sequence[Action] = (),
) -> float:
    """Return the weighted mean of how far the conditions are, in [0, 1]; 0 where there is none."""
    read = [parse_condition(one) for one in conditions]
    total = sum(one.weight for one in read)
    measures = _measures(read, graph, start, actions)
    return sum(one.weight * far for one, far in zip(read, measures, strict=True)) / total if total else 0.0


def _measures(
    read: Sequence[Weighted], graph: FactGraph, start: FactGraph | None, actions: Sequence[Action]
) -> list[float]:
    """Return how far each condition is; those on one and the same thing for the choice that is farthest."""
    found = [_measure(one.condition, graph, start, actions) for one in read]
    for group in joined([one.condition for one in read], lambda selector: selector.nodes(graph.kinds)):
        choices = [[_measure(one, graph, start, actions) for one in choice] for choice in group.choices]
        choices.sort(
            key=lambda row: -sum(read[place].weight * far for place, far in zip(group.places, row, strict=True))
        )
        for column, place in enumerate(group.places):
            found[place] = sum(row[column] for row in choices[: group.number]) / group.number
    return found


def _measure(condition: Condition, graph: FactGraph, start: FactGraph | None, actions: Sequence[Action]) -> float:
    if isinstance(condition, NotCondition):
        return 0.0 if _measure(condition.inner, graph, start, actions) >= 1.0 else 1.0
    if isinstance(condition, NodeCondition):
        return _nodes(condition, graph, start)
    if isinstance(condition, EdgeCondition):
        return _edges(condition, graph, start)
    reached = 0
    for action in actions:
        if reached < len(condition.patterns) and _fits(condition.patterns[reached], action):
            reached += 1
    return reached / len(condition.patterns)


def _nodes(condition: NodeCondition, graph: FactGraph, start: FactGraph | None) -> float:
    meant = condition.node.nodes(graph.kinds)
    found = {node for node in meant if condition.state in graph.states[node]}
    if condition.new and start is not None:
        found -= {node for node in found if condition.state in start.states.get(node, ())}
    return _share(len(found), len(meant) if condition.count == EVERY else condition.count)


def _edges(condition: EdgeCondition, graph: FactGraph, start: FactGraph | None) -> float:
    pairs = _pairs(condition, graph)
    if condition.count == EVERY:
        return _share(len({source for source, _ in pairs}), len(condition.source.nodes(graph.kinds)))
    if condition.new and start is not None:
        pairs -= _pairs(condition, start)
    return _share(len(pairs), condition.count)


def _pairs(condition: EdgeCondition, graph: FactGraph) -> set[tuple[int, int]]:
    relations = {name for one in condition.relations for name in (HOLDING if one == HOLDS else (one,))}
    targets = condition.target.nodes(graph.kinds)
    found = set()
    for source in condition.source.nodes(graph.kinds):
        ends = graph.out.get(source, set()) | (graph.into.get(source, set()) if condition.either else set())
        found |= {(source, target) for relation, target in ends if relation in relations and target in targets}
    return found


def _share(found: int, needed: int) -> float:
    return min(found / needed, 1.0) if needed else 0.0


def _fits(pattern: ActionPattern, action: Action) -> bool:
    def takes(selector: NodeSelector | None, place: int) -> bool:
        if selector is None:
            return True
        return place < len(action.ids) and selector.takes(action.names[place], action.ids[place])

    return action.verb in pattern.verbs and takes(pattern.object, 0) and takes(pattern.destination, 1)
