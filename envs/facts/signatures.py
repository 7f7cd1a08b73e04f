"""Conditions without particular things, so that what worked for one thing can be tried for another.

Entities become roles, `x`, `y`, `z`, in the order in which they are named; the one who acts is `you`. A condition
becomes a signature: `"x INSIDE y"`, `"x is ON"`, `"not x is OPEN"`, `"DRINK x is done"`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ...errors import GoalError
from .conditions import (
    EVERY,
    ActionsCondition,
    Condition,
    EdgeCondition,
    NodeCondition,
    NodeSelector,
    NotCondition,
    parse_condition,
)

ROLES: Final = ("x", "y", "z", "u", "v", "w")
YOU: Final = "you"
CHARACTERS: Final = frozenset({"character"})
"""The kinds of those who act, unless an environment has others."""


class ConditionSignature(NamedTuple):
    """A condition without particular things."""

    signature: str
    roles: tuple[NodeSelector, ...]
    """What `x`, `y`, ... may be."""
    number: int = 1
    """How many there have to be; `EVERY` for all."""


def read_condition(condition: Mapping[str, Any], characters: Collection[str] = CHARACTERS) -> ConditionSignature | None:
    """Return a condition as a signature and its roles; None where its form is not known.

    Args:
        condition: In the form of `conditions`.
        characters: The kinds of those who act, which become `you`.
    """
    try:
        return _signature(parse_condition(condition).condition, characters)
    except GoalError:
        return None


def done(verb: str, roles: Sequence[str]) -> str:
    """Return the signature of an action that was done: `"DRINK x is done"`."""
    return " ".join([verb.upper(), *roles, "is done"])


def _signature(condition: Condition, characters: Collection[str]) -> ConditionSignature | None:
    if isinstance(condition, NotCondition):
        inner = _signature(condition.inner, characters)
        # "No door is open" is asked of every door.
        return None if inner is None else ConditionSignature(f"not {inner.signature}", inner.roles, EVERY)
    roles: list[NodeSelector] = []

    def role(selector: NodeSelector) -> str:
        if len(selector.classes) == 1 and selector.classes[0] in characters:
            return YOU
        roles.append(selector)
        return ROLES[len(roles) - 1]

    if isinstance(condition, NodeCondition):
        return ConditionSignature(f"{role(condition.node)} is {condition.state}", tuple(roles), condition.count)
    if isinstance(condition, EdgeCondition):
        text = f"{role(condition.source)} {'|'.join(condition.relations)} {role(condition.target)}"
        return ConditionSignature(text, tuple(roles), condition.count)
    return _actions(condition, role, roles)


def _actions(condition: ActionsCondition, role: Any, roles: list[NodeSelector]) -> ConditionSignature | None:
    parts = []
    for pattern in condition.patterns:
        named = [role(one) for one in (pattern.object, pattern.destination) if one is not None]
        parts.append(done(pattern.verbs[0], named))
    return ConditionSignature(" then ".join(parts), tuple(roles))
