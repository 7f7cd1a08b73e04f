"""Actions and signatures without particular objects, as skills write them.

Objects become roles, `x`, `y`, `z`, in the order in which they are named. An action that says how many has that with
its verb, `MINE*3 x`. Conditions become signatures, `"x INSIDE y"`,
which `pathei.envs.facts.read_condition` writes. Not here: reading script lines and conditions (`pathei.envs.facts`),
and the actions of an environment in its own words (its verbalizer).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from ...envs.facts import ROLES, YOU, Action, Entity, FactGraph, read_action, script_parts
from ...envs.verbalizer import Verbalizer

ROOM: Final = "room"
"""The class of a role that has to be a room."""
_COUNTED: Final = re.compile(r"(.+)\*(\d{1,9})")
_RELATED: Final = re.compile(r"(not )?(\w+) ([A-Z][A-Z_]*) (\w+)")
_STATE: Final = re.compile(r"(not )?(\w+) is ([A-Z][A-Z_]*)")
_VERBS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {"HOLDS": ("holds", "hold"), "FACING": ("faces", "face"), "LEADS_TO": ("leads to", "lead to")}
)
"""Relations that are verbs in words: of one thing, and of several or of "you"."""
_ROLE: Final = re.compile(rf"\b[{''.join(ROLES)}]\b")


class StepAction(NamedTuple):
    """An action with its objects: `[PutIn] <cup> (12) <sink> (3)`."""

    verb: str
    """As skills write it; without spaces, with the number if it has one."""
    things: tuple[Entity, ...]


ReadStep = Callable[[str], StepAction]
"""Reads an action of one environment."""


def step_reader(verbalizer: Verbalizer, graph: FactGraph | None = None) -> ReadStep:
    """Return a reader of the actions of an environment, which remembers what it has read.

    Args:
        verbalizer: Reads actions that are not script lines.
        graph: The facts at the beginning of an episode, if they are known: a verbalizer may need them to find ids.
    """
    known: dict[str, StepAction] = {}

    def read(text: str) -> StepAction:
        found = _read_script(text) or known.get(text)
        if found is None:
            action = verbalizer.read_action(text, graph)
            found = known[text] = StepAction("_".join(text.split()), ()) if action is None else as_step(action)
        return found

    return read


def as_step(action: Action, verb: str = "") -> StepAction:
    """Return an action of an environment as a step, with the verb as it was written if that is known."""
    counted = write_counted(verb or action.verb, action.number)
    return StepAction(counted, tuple(map(Entity, action.names, action.ids)))


def write_counted(verb: str, number: int | None) -> str:
    """Return the verb of a step that is about a number of things: `"MINE*3"`; the verb alone if that is None."""
    return verb if number is None else f"{verb}*{number}"


@lru_cache(maxsize=1 << 12)
def read_counted(verb: str) -> tuple[str, int | None]:
    """Return the verb of a step, and how many things it is about; None where it does not say."""
    match = _COUNTED.fullmatch(verb)
    return (verb, None) if match is None else (match[1], int(match[2]))


def is_script(text: str) -> bool:
    """Return whether an action is a script line: `[Walk] <table> (3)`."""
    return script_parts(text) is not None


@lru_cache(maxsize=1 << 16)
def _read_script(text: str) -> StepAction | None:
    action, parts = read_action(text), script_parts(text)
    return None if action is None or parts is None else as_step(action, parts[0])


def write_step(step: StepAction, roles: Mapping[int, str]) -> str:
    """Write a step of a skill: `"PutIn x y"`; an object without a role by its kind: `"Grab mop"`."""
    return " ".join([step.verb, *(roles.get(thing.id) or as_word(thing.kind) for thing in step.things)])


def say_class(role: str, classes: Sequence[str]) -> str:
    """Return what a role has to be as a skill says it, `" (x is a room)"`, `" (x is oak planks)"`; or nothing."""
    return "".join(f" ({role} is {'a room' if kind == ROOM else words(kind)})" for kind in classes)


def as_word(kind: str) -> str:
    """Return a kind as one word of a step: `"type M safe"` is `"type_M_safe"`."""
    return "_".join(kind.split())


@lru_cache(maxsize=1 << 12)
def say_signature(signature: str) -> str:
    """Return a signature in plain words: `"you ON x"` as `"you are on x"`, `"not x is OPEN"` as `"x is not open"`."""
    if match := _STATE.fullmatch(signature):
        no, who, state = match.groups()
        return f"{_be(who, no)} {words(state).lower()}"
    if match := _RELATED.fullmatch(signature):
        no, who, relation, what = match.groups()
        verbs = _VERBS.get("HOLDS" if relation.startswith("HOLDS") else relation)
        if verbs is None:
            return f"{_be(who, no)} {words(relation).lower()}{' to' if relation == 'CLOSE' else ''} {what}"
        several = who == YOU
        return f"{who} {'do' if several else 'does'} not {verbs[1]} {what}" if no else f"{who} {verbs[several]} {what}"
    return signature


def _be(who: str, no: str | None) -> str:
    return f"{who} {'are' if who == YOU else 'is'}{' not' if no else ''}"


@lru_cache(maxsize=1 << 12)
def in_order(signature: str) -> tuple[str, tuple[str, ...]]:
    """Return a signature with its roles renamed in order, `"y ON x"` as `"x ON y"`, and the old roles."""
    found = tuple(dict.fromkeys(_ROLE.findall(signature)))
    renamed = {role: ROLES[place] for place, role in enumerate(found)}
    return _ROLE.sub(lambda match: renamed[match[0]], signature), found


def words(name: str) -> str:
    """Return the name of a kind with spaces: `"dining table"`."""
    return name.replace("_", " ")
