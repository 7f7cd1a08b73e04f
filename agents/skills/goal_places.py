"""Where a goal in words says that its things are: "the cup from the desk", "the light in the kitchen".

It reads the goal's text and the text of an observation, by the names of kinds. Not here: what a goal asks for
(`Verbalizer.read_goal`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ...envs.facts import Entity
from ...envs.verbalizer import Verbalizer

_AT = r"(?: \(\d+\))? (?:from|in|of|on|at) the "


class GoalPlaces:
    """The places that one goal names."""

    def __init__(self, goal: str, verbalizer: Verbalizer) -> None:
        """Read the text of a goal, with the words of its environment."""
        self._goal, self._verbalizer = goal.lower(), verbalizer

    def rooms(self, kind: str, rooms: Iterable[Entity]) -> list[Entity]:
        """Return the rooms in which the goal says that a kind of thing is; or else those that it names at all."""
        noun, named = re.escape(self._verbalizer.noun(kind)), [room for room in rooms if self._names(room)]
        exact = [
            room
            for room in named
            for there in [re.escape(self._verbalizer.noun(room.kind))]
            if re.search(rf"\b{noun}s?{_AT}{there}\b|\b{there} {noun}\b", self._goal)
        ]
        elsewhere = re.search(rf"\b{noun}s?{_AT}", self._goal) is not None
        return exact or ([] if elsewhere else named)

    def names_spot(self, kind: str, id_: int, seen: str) -> bool:
        """Whether an observation shows a thing on a line with the place that the goal names for it."""
        noun = self._verbalizer.noun(kind)
        places = re.findall(rf"\b{re.escape(noun)}s?{_AT}((?:\w+ ?){{1,3}})", self._goal)
        lines = [line.lstrip("- ") for line in seen.lower().splitlines() if f"{noun} ({id_})" in line]
        return any(place.startswith(line.partition(" (")[0]) for place in places for line in lines if line)

    def _names(self, room: Entity) -> bool:
        return re.search(rf"\b{re.escape(self._verbalizer.noun(room.kind))}\b", self._goal) is not None
