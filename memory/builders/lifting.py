"""Actions and conditions written without particular things, so that what worked for one may be tried for another.

Things become roles, `x`, `y`, `z`, in the order in which they are named; the one who acts is `you`. A condition becomes
a signature: `"x INSIDE y"`, `"x is ON"`, `"not x is OPEN"`, `"DRINK x is done"`. Conditions are read in the form that
the household's have (`envs.virtualhome.goal_conditions`); of other forms nothing is known here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from ...experience import Json

ROLES: Final = ("x", "y", "z", "u", "v", "w")
YOU: Final = "you"
EVERY: Final = -1
_CHARACTER: Final = "character"
_VERB: Final = re.compile(r"\[(\w+)\]")
_THING: Final = re.compile(r"<(.+?)>\s*\((\d{1,18})\)")
_ROLE: Final = re.compile(r"\b[xyzuvw]\b")


class ObjectRef(NamedTuple):
    """Something that an action names."""

    name: str
    id: int


class LiftedAction(NamedTuple):
    """A script line taken apart: `[PutIn] <cup> (12) <sink> (3)`."""

    verb: str
    """As it is written; of an action in free words, all of it."""
    things: tuple[ObjectRef, ...]


class LiftedSelector(NamedTuple):
    """Which things a role of a condition may be: any of these kinds, or one of these ids; nothing for anything."""

    names: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()

    def takes(self, thing: ObjectRef) -> bool:
        """Tell whether a thing can take the role."""
        return thing.id in self.ids or thing.name in self.names or not (self.ids or self.names)


class LiftedCondition(NamedTuple):
    """A condition without particular things."""

    signature: str
    roles: tuple[LiftedSelector, ...]
    """Which things `x`, `y`, ... may be."""
    number: int = 1
    """How many there have to be; `EVERY` for all."""


@lru_cache(maxsize=1 << 16)
def read_act(action: str) -> LiftedAction:
    """Take an action apart."""
    verb = _VERB.match(action)
    if verb is None:
        return LiftedAction(action, ())
    return LiftedAction(verb[1], tuple(ObjectRef(name, int(id_)) for name, id_ in _THING.findall(action)))


def read_condition(condition: Mapping[str, Json]) -> LiftedCondition | None:
    """Return a condition as a signature and its roles; None where its form is not known."""
    if "not" in condition:
        inner = condition["not"]
        wanted = read_condition(inner) if isinstance(inner, Mapping) else None
        # "No door is open" is asked of every door.
        return None if wanted is None else LiftedCondition(f"not {wanted.signature}", wanted.roles, EVERY)
    roles: list[LiftedSelector] = []
    try:
        signature = _signature(condition, roles)
    except (KeyError, TypeError, AttributeError):
        return None
    count = condition.get("count", 1)
    return (signature and LiftedCondition(signature, tuple(roles), EVERY if count == "all" else int(count))) or None


def _signature(condition: Mapping[str, Json], roles: list[LiftedSelector]) -> str | None:
    if "node" in condition:
        return f"{_role(condition['node'], roles)} is {condition['state'].upper()}"
    if "relation" in condition:
        source = _role(condition["from"], roles)
        return f"{source} {condition['relation'].upper()} {_role(condition['to'], roles)}"
    if "done" in condition:
        deed = condition["done"]
        named = [_role(deed[key], roles) for key in ("object", "destination") if key in deed]
        return done(deed["verb"].split("|")[0], named)
    if "actions" in condition:
        return " then ".join(done(verb.split("|")[0], ()) for verb in condition["actions"])
    return None


def done(verb: str, roles: Sequence[str]) -> str:
    """Return the signature of a deed: `"DRINK x is done"`."""
    return " ".join([verb.upper(), *roles, "is done"])


def _role(selector: Mapping[str, Any], roles: list[LiftedSelector]) -> str:
    any_of = selector.get("any", (selector,))
    names = tuple(one["class"] for one in any_of if "class" in one)
    ids = tuple(one["id"] for one in any_of if "id" in one)
    if names == (_CHARACTER,):
        return YOU
    roles.append(LiftedSelector(names, ids))
    return ROLES[len(roles) - 1]


@lru_cache(maxsize=1 << 12)
def in_order(signature: str) -> tuple[str, tuple[str, ...]]:
    """Return a signature with its roles renamed in order, `"y ON x"` as `"x ON y"`, and what they were."""
    found = tuple(dict.fromkeys(_ROLE.findall(signature)))
    renamed = {role: ROLES[place] for place, role in enumerate(found)}
    return _ROLE.sub(lambda match: renamed[match[0]], signature), found


def words(name: str) -> str:
    """Return the name of a kind as people write it: `"dining table"`."""
    return name.replace("_", " ")


__all__ = [
    "EVERY",
    "ROLES",
    "YOU",
    "LiftedAction",
    "LiftedCondition",
    "LiftedSelector",
    "ObjectRef",
    "done",
    "in_order",
    "read_act",
    "read_condition",
    "words",
]
