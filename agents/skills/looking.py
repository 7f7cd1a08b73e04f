"""Looking for a thing in a house without knowing anything of the house: room by room, then into what is shut.

What an agent brings along that knows what to do and not where things are (`saycan`): it walks, and opens doors and
containers. It reads where it is, which rooms there are and what is closed off the household's observations. Left out:
knowing where to look, which a memory does better (`skill_search`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Iterator
from typing import Final

from ...memory.builders.lifting import LiftedSelector, ObjectRef
from .view import EpisodeView

Looking = Generator[str, None, bool]
"""Yields actions; returns whether a thing of the kind is in view."""

_ROOMS: Final = re.compile(r"^Other rooms: (.+)\.$", re.MULTILINE)
_LABEL: Final = re.compile(r"([a-z][a-z_ ]*?) \((\d{1,18})\)")
_CLOSED: Final = re.compile(
    r"([a-z][a-z_ ]*?) \((\d{1,18})\)(?: to the [a-z_ ]+? \(\d{1,18}\))?[:,]?(?: [a-z ]+?,)* closed"
)
_DOOR: Final = "door"
_WALK: Final = "Walk"
_OPEN: Final = "Open"


class RoomExplorer:
    """Looks for things in one episode, and remembers where it has looked."""

    def __init__(self, view: EpisodeView, budget: int = 24) -> None:
        """Begin an episode.

        Args:
            view: What is seen; whoever acts keeps it up to date.
            budget: At most so many actions for one thing.
        """
        self._view = view
        self._budget = budget
        self._entered: Counter[int] = Counter()
        self._opened: set[int] = set()

    def look_for(self, kind: str) -> Looking:
        """Look for a thing of a kind: where one was seen before, in every room, and then in what is closed."""
        wanted, left = LiftedSelector(names=(kind,)), self._budget
        for action in self._ways(wanted):
            if self._view.among(wanted) or left < 1:
                break
            left -= 1
            yield action
        return bool(self._view.among(wanted))

    def _ways(self, wanted: LiftedSelector) -> Iterator[str]:
        for room in self._view.last_seen(wanted):
            yield from self._go(room)
        for room in self._rooms():
            if not self._entered[room]:
                yield from self._go(room)
        yield from self._open_all()
        for room in self._rooms():
            yield from self._go(room)
            yield from self._open_all()

    def _rooms(self) -> list[int]:
        """Return the other rooms, those that were entered least first."""
        here = self._view.here
        if here is not None:
            self._entered[here.id] += not self._entered[here.id]
        found = [int(id_) for line in _ROOMS.findall(self._view.text) for _, id_ in _LABEL.findall(line)]
        return sorted(found, key=lambda room: self._entered[room])

    def _go(self, room: int) -> Iterator[str]:
        """Walk to a room; where a shut door is in the way, open those that are in view and try again."""
        self._entered[room] += 1
        for _ in range(3):
            yield from self._do(_WALK, room)
            if self._view.here is None or self._view.here.id == room:
                return
            doors = [thing for thing in self._closed() if thing.name == _DOOR]
            if not doors:
                return
            for door in doors:
                yield from self._open(door)

    def _open_all(self) -> Iterator[str]:
        """Open what is closed in view, doors left out."""
        while fresh := [thing for thing in self._closed() if thing.name != _DOOR]:
            yield from self._open(fresh[0])

    def _closed(self) -> list[ObjectRef]:
        """Return what is closed in view and was not opened here."""
        found = [ObjectRef(name.strip(), int(id_)) for name, id_ in _CLOSED.findall(self._view.text)]
        return [thing for thing in found if thing.id not in self._opened]

    def _open(self, thing: ObjectRef) -> Iterator[str]:
        self._opened.add(thing.id)
        yield from self._do(_WALK, thing.id)
        yield from self._do(_OPEN, thing.id)

    def _do(self, verb: str, id_: int) -> Iterator[str]:
        action = self._view.action(verb, (ObjectRef("", id_),))
        if action is not None:
            yield action


__all__ = ["Looking", "RoomExplorer"]
