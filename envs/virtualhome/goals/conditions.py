"""The common goal conditions (`pathei.envs.facts.conditions`) in a household: relations as numbers, things as bitsets.

Not here: their form, and checking them (`check`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ....errors import GoalError, nearest
from ...facts import conditions as common
from ...facts.conditions import ConditionJson, EdgeCondition, NodeSelector, NotCondition, Weighted, gather, suggest
from ..engine.scene import Scene
from ..engine.vocabulary import HANDS, RELATIONS

_RELATIONS: Final = {name: (number,) for number, name in enumerate(RELATIONS)} | {"HOLDS": HANDS}


def parse_conditions(conditions: Sequence[ConditionJson]) -> tuple[Weighted, ...]:
    """Read conditions from JSON.

    Raises:
        GoalError: some of them are malformed; the message names every problem.
    """
    return gather(conditions, parse_condition, "The goal cannot be read")


def parse_condition(condition: ConditionJson) -> Weighted:
    """Read one condition from JSON.

    Raises:
        GoalError: it is malformed, or has a relation that households do not have; the message is half a sentence.
    """
    weighted = common.parse_condition(condition)
    inner = weighted.condition
    while isinstance(inner, NotCondition):
        inner = inner.inner
    if isinstance(inner, EdgeCondition):
        relations_of(inner)
    return weighted


def relations_of(condition: EdgeCondition) -> tuple[int, ...]:
    """Return the relations of a condition as numbers, `HOLDS` as both hands.

    Raises:
        GoalError: there is no such relation.
    """
    found: list[int] = []
    for name in condition.relations:
        if name not in _RELATIONS:
            raise GoalError(f"there is no relation {name!r}; {suggest(name, (*RELATIONS, 'HOLDS'))}")
        found += _RELATIONS[name]
    return tuple(dict.fromkeys(found))


def among(selector: NodeSelector, scene: Scene) -> int:
    """Return the bitset of the nodes that a selector means.

    Raises:
        GoalError: there is none in this scene.
    """
    found = scene.union(selector.classes)
    for number in selector.ids:
        if number in scene.index:
            found |= 1 << scene.index[number]
    for name in selector.properties:
        found |= scene.having.get(name, 0)
    if not found:
        near = [own for name in selector.classes if (own := nearest(name, scene.of_class))]
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise GoalError(f"there is no {selector.words()} in this world{hint}")
    return found
