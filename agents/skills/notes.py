"""What an agent that acts by a memory notes of how the items served, for `pathei.memory.feedback`.

It notes what it can know when it acts: what it used, what it found of no use, what it saw to serve, and for the last
step of a skill which condition that is to bring about, of particular things. Whether it did shows only afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from ...experience import Json
from ...memory.builders.lifting import ROLES, ObjectRef
from ...memory.feedback import GOAL

_ROLE: Final = re.compile(rf"\b[{''.join(ROLES)}]\b")


class SkillNotes:
    """The notes since the last action."""

    def __init__(self) -> None:
        """Note nothing yet."""
        self._used: dict[str, None] = {}
        self._served: dict[str, None] = {}
        self._abandoned: dict[str, None] = {}
        self._aims: dict[str, str] = {}

    def clear(self) -> None:
        """Begin anew, for the next action."""
        for notes in (self._used, self._served, self._abandoned, self._aims):
            notes.clear()

    def use(self, id_: str) -> None:
        """Note that an item is behind the next action."""
        self._used[id_] = None

    def aim(self, id_: str, condition: str) -> None:
        """Note what the next action is to bring about by an item, as `concrete` writes it; nothing if that is empty."""
        self.use(id_)
        if condition:
            self._aims[id_] = condition

    def serve(self, ids: Iterable[str]) -> None:
        """Note that items were seen to serve."""
        self._served |= dict.fromkeys(ids)

    def abandon(self, ids: Iterable[str], condition: str = "") -> None:
        """Note that items did not serve; for a skill with the condition that it did not bring about."""
        for id_ in ids:
            self._abandoned[id_] = None
            if condition:
                self._aims[id_] = condition

    def json(self) -> dict[str, Json]:
        """Return the notes as they are kept under `info["agent"]`; empty where no item played a part."""
        lists = {"memory": self._used, "served": self._served, "abandoned": self._abandoned}
        notes: dict[str, Json] = {name: list(ids) for name, ids in lists.items() if ids}
        return notes | {"aims": dict(self._aims)} if notes else {}


def concrete(signature: str, binding: Mapping[str, ObjectRef]) -> str:
    """Return a condition with ids for its roles, `"12 INSIDE 7"`; empty where a role has no thing."""
    if not all(role in binding for role in _ROLE.findall(signature)):
        return ""
    return _ROLE.sub(lambda match: str(binding[match[0]].id), signature)


__all__ = ["GOAL", "SkillNotes", "concrete"]
