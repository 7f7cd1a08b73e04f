"""What an agent that acts by a memory records of its items, for `pathei.memory.feedback`.

It records what it knows when it acts: the items it used, abandoned, or saw to help, and for the last step of a skill
the condition that the step has to bring about, with particular objects. The result shows only afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from ...envs.facts import ROLES, Entity
from ...experience import Json

_ROLE: Final = re.compile(rf"\b[{''.join(ROLES)}]\b")


class SkillNotes:
    """The notes since the last action."""

    def __init__(self) -> None:
        """Start without notes."""
        self._used: dict[str, None] = {}
        self._served: dict[str, None] = {}
        self._abandoned: dict[str, None] = {}
        self._aims: dict[str, str] = {}

    def clear(self) -> None:
        """Clear the notes for the next action."""
        for notes in (self._used, self._served, self._abandoned, self._aims):
            notes.clear()

    def use(self, id_: str) -> None:
        """Record that an item is behind the next action."""
        self._used[id_] = None

    def aim(self, id_: str, condition: str) -> None:
        """Record the aim of the next action by an item, as `concrete` writes it; no aim if it is empty."""
        self.use(id_)
        if condition:
            self._aims[id_] = condition

    def serve(self, ids: Iterable[str]) -> None:
        """Record that items were seen to help."""
        self._served |= dict.fromkeys(ids)

    def abandon(self, ids: Iterable[str], condition: str = "") -> None:
        """Record that items were given up; for a skill, with the condition that it did not bring about."""
        for id_ in ids:
            self._abandoned[id_] = None
            if condition:
                self._aims[id_] = condition

    def json(self) -> dict[str, Json]:
        """Return the notes in the form of `info["agent"]`; empty if no item was involved."""
        lists = {"memory": self._used, "served": self._served, "abandoned": self._abandoned}
        notes: dict[str, Json] = {name: list(ids) for name, ids in lists.items() if ids}
        return notes | {"aims": dict(self._aims)} if notes else {}


def concrete(signature: str, binding: Mapping[str, Entity]) -> str:
    """Return a condition with ids for its roles, `"12 INSIDE 7"`; empty if the id of a role is unknown."""
    if not all(role in binding and binding[role].id >= 0 for role in _ROLE.findall(signature)):
        return ""
    return _ROLE.sub(lambda match: str(binding[match[0]].id), signature)
