"""Goals that cannot hold on a `FactGraph`: a door both open and closed, one key in two places, a box in itself.

Conditions are compared two by two, by what the graph shows: a thing has one place per relation if nothing has two of
them now. Not here: whether actions can bring a goal about, and goals of actions. The household has a finer check of its
own (`pathei.envs.virtualhome.goals.contradictions`), as its engine knows the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Final

from ...errors import GoalError
from .conditions import (
    EVERY,
    Condition,
    ConditionJson,
    EdgeCondition,
    NodeCondition,
    NodeSelector,
    NotCondition,
    parse_conditions,
    selectors_of,
)
from .graph import HOLDING, HOLDS, FactGraph

OPPOSITE: Final = frozenset(
    map(
        frozenset,
        (("ON", "OFF"), ("OPEN", "CLOSED"), ("OPEN", "LOCKED"), ("CLEAN", "DIRTY"), ("PLUGGED_IN", "PLUGGED_OUT")),
    )
)
"""Pairs of states that nothing is in at once, in capitals."""
_WITHIN: Final = ("INSIDE", "IN", "ON")


def require_possible(graph: FactGraph, conditions: Sequence[ConditionJson], *, grows: bool = False) -> None:
    """Refuse a goal that cannot hold, or that asks for nothing.

    Args:
        graph: What holds now; it is only read.
        conditions: The goal's.
        grows: Whether there may be more things of a kind later, as copies of a file: then only conditions on a thing by
            its id, and conditions that deny each other, are compared.

    Raises:
        GoalError: a condition is malformed, two contradict each other, or all are optional.
    """
    read = parse_conditions(conditions)
    if read and all(one.optional for one in read):
        raise GoalError("The goal is empty: all of its conditions are optional.")
    needed = [(place, _plain(one.condition)) for place, one in enumerate(read) if not one.optional]
    for place, one in needed:
        if isinstance(one, EdgeCondition) and _of_itself(one, graph) and (not grows or _by_id(one)):
            raise GoalError(f"The goal contradicts itself: {_said(conditions[place])}, and nothing is in or on itself.")
    for (first, one), (second, other) in combinations(needed, 2):
        comparable = not grows or (_by_id(one) and _by_id(other))
        if _denies(one, other) or (comparable and _clash(one, other, graph)):
            both = f"{_said(conditions[first])} and {_said(conditions[second])}"
            raise GoalError(f"The goal contradicts itself: {both} cannot hold together.")


def _plain(condition: Condition) -> Condition:
    """Return a condition without double negation."""
    while isinstance(condition, NotCondition) and isinstance(condition.inner, NotCondition):
        condition = condition.inner.inner
    return condition


def _by_id(condition: Condition) -> bool:
    return all(one.ids and not one.classes for one in selectors_of(condition)[:1])


def _denies(one: Condition, other: Condition) -> bool:
    return any(isinstance(no, NotCondition) and no.inner == yes for no, yes in ((one, other), (other, one)))


def _clash(one: Condition, other: Condition, graph: FactGraph) -> bool:
    if isinstance(one, NodeCondition) and isinstance(other, NodeCondition):
        states = {one.state.upper(), other.state.upper()}
        if states not in OPPOSITE or one.new or other.new:
            return False
        nodes = one.node.nodes(graph.kinds), other.node.nodes(graph.kinds)
        both = any(states <= {state.upper() for state in graph.states[node]} for node in nodes[0] | nodes[1])
        return not both and bool(nodes[0] and nodes[1]) and _too_few((one.count, nodes[0]), (other.count, nodes[1]))
    if isinstance(one, EdgeCondition) and isinstance(other, EdgeCondition) and not (one.new or other.new):
        return _turned(one, other, graph) or _two_places(one, other, graph)
    return False


def _turned(one: EdgeCondition, other: EdgeCondition, graph: FactGraph) -> bool:
    """Whether the box is to be in the chest, and the chest in the box."""
    if not (set(one.relations) <= set(_WITHIN) and set(other.relations) <= set(_WITHIN)):
        return False
    first, second = _single(one.source, graph), _single(one.target, graph)
    return (
        bool(first) and bool(second) and (first, second) == (_single(other.target, graph), _single(other.source, graph))
    )


def _two_places(one: EdgeCondition, other: EdgeCondition, graph: FactGraph) -> bool:
    """Whether things are to be in more places than they can be in, by what the graph shows of one relation."""
    if one.relations != other.relations or len(one.relations) > 1 or one.either or other.either:
        return False
    if one.relations[0] not in _WITHIN or any(
        len({target for relation, target in ends if relation == one.relations[0]}) > 1 for ends in graph.out.values()
    ):
        return False
    if one.target.nodes(graph.kinds) & other.target.nodes(graph.kinds):
        return False
    sources = one.source.nodes(graph.kinds), other.source.nodes(graph.kinds)
    return all(sources) and _too_few((one.count, sources[0]), (other.count, sources[1]))


def _too_few(*asked: tuple[int, set[int]]) -> bool:
    """Whether different nodes are needed, and there are fewer than that."""
    there = set[int]().union(*(nodes for _, nodes in asked))
    return sum(len(nodes) if count == EVERY else count for count, nodes in asked) > len(there)


def _of_itself(condition: EdgeCondition, graph: FactGraph) -> bool:
    if not set(condition.relations) <= {*_WITHIN, HOLDS, *HOLDING}:
        return False
    source = _single(condition.source, graph)
    return bool(source) and source == _single(condition.target, graph)


def _single(selector: NodeSelector, graph: FactGraph) -> frozenset[int]:
    """Return the one node that is meant; nothing where there are several, or none."""
    nodes = selector.nodes(graph.kinds)
    return frozenset(nodes) if len(nodes) == 1 else frozenset()


def _said(condition: ConditionJson) -> str:
    """Return a condition in short: `'door OPEN'`, `'key INSIDE chest'`."""
    if "not" in condition:
        return f"not {_said(condition['not'])}"
    if "node" in condition:
        return f"'{_word(condition['node'])} {condition['state']}'"
    if "from" in condition:
        return f"'{_word(condition['from'])} {condition['relation']} {_word(condition['to'])}'"
    return repr(dict(condition))


def _word(selector: ConditionJson) -> str:
    return " or ".join(map(_word, selector["any"])) if "any" in selector else str(next(iter(selector.values())))
