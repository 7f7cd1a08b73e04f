"""Searching for an object without knowledge of the scene: room by room, then in what is closed.

It is for agents that know what to do but not where objects are (`SayCan`): they walk through rooms, and open doors and
containers. Where the agent is, which rooms there are and what is closed is read by the environment's verbalizer. Not
here: searching by what a memory knows, which is faster (`search`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from typing import Final

from ...envs.facts import Action, Entity, NodeSelector
from .view import EpisodeView

Looking = Generator[str, None, bool]
"""Yields actions; returns whether an object of the kind is in view."""
Chooser = Callable[[str, Sequence[Entity]], Entity]
"""Returns in which of some rooms and closed things to look for a kind of thing."""

_DOOR: Final = "door"


class RoomExplorer:
    """Searches for objects in one episode, and remembers where it has searched."""

    def __init__(self, view: EpisodeView, budget: int = 24, *, choose: Chooser | None = None) -> None:
        """Start an episode.

        Args:
            view: What the agent sees; the agent keeps it up to date.
            budget: The maximum number of actions for one object.
            choose: Says where to search next; the first place if None.
        """
        self._view = view
        self._budget = budget
        self._choose = choose
        self._entered: Counter[int] = Counter()
        self._opened: set[int] = set()
        self._shut: dict[int, tuple[Entity, Entity | None]] = {}

    def look_for(self, kind: str, but: Collection[int] = (), first: Sequence[str] = ()) -> Looking:
        """Search for an object of a kind: where one was seen before, in every room, and then in what is closed.

        Args:
            kind: What is looked for.
            but: The ids of objects that are not meant.
            first: Kinds of rooms to look in first.
        """
        wanted, left = NodeSelector(classes=(kind,)), self._budget
        search = self._search(wanted, first)
        while not self._in_view(wanted, but) and left > 0 and (action := next(search, None)) is not None:
            left -= 1
            yield action
        return self._in_view(wanted, but)

    def go_to(self, room: Entity) -> Iterator[str]:
        """Go to a room; if a closed door is in the way, open doors in view until there is a way."""
        yield from self._go(room)

    def open(self, kind: str) -> Iterator[str]:
        """Open the first closed thing of a kind in view."""
        for thing in [thing for thing in self._closed() if thing.kind == kind][:1]:
            yield from self._open(thing)

    def _in_view(self, wanted: NodeSelector, but: Collection[int]) -> bool:
        return any(thing.id not in but for thing in self._view.among(wanted))

    def _search(self, wanted: NodeSelector, first: Sequence[str]) -> Iterator[str]:
        for room in [room for room in self._rooms() if room.kind in first and not self._entered[room.id]]:
            yield from self._go(room)
        for id_ in self._view.last_seen(wanted):
            yield from self._go(self._view.rooms[id_])
        yield from self._everywhere(wanted.classes[0])
        for room in self._rooms():
            yield from self._go(room)
            yield from self._open_all()

    def _everywhere(self, kind: str) -> Iterator[str]:
        """Go to rooms that were not entered, through closed doors as well, and open what is closed and was seen."""
        while True:
            self._note()
            rooms = [room for room in self._rooms() if not self._entered[room.id]]
            left = [thing for thing, _ in self._shut.values() if thing.id not in self._opened]
            doors = [thing for thing in left if thing.kind == _DOOR]
            shut = [thing for thing in left if thing.kind != _DOOR]
            places = [*rooms, *shut] if rooms else doors or shut
            if not places:
                return
            place = places[0] if self._choose is None or len(places) < 2 else self._choose(kind, places)
            if place in rooms:
                yield from self._go(place)
                continue
            _, where = self._shut.pop(place.id)
            if where is not None and (self._view.here is None or self._view.here.id != where.id):
                yield from self._go(where)
            yield from self._open(place)

    def _note(self) -> None:
        """Keep in mind what is closed here."""
        for thing in self._closed():
            self._shut.setdefault(thing.id, (thing, self._view.here))

    def _rooms(self) -> list[Entity]:
        """Return the other rooms, those that were entered least first."""
        here = self._view.here
        if here is not None:
            self._entered[here.id] += not self._entered[here.id]
        return sorted(self._view.surroundings.rooms, key=lambda room: self._entered[room.id])

    def _go(self, room: Entity) -> Iterator[str]:
        """Go to a room, opening doors until there is a way: first the one that leads there."""
        self._entered[room.id] += 1
        while True:
            yield from self._do(self._view.verbalizer.approach(room.kind), room)
            if self._view.here is None or self._view.here.id == room.id:
                return
            doors = [thing for thing in self._closed() if thing.kind == _DOOR]
            if not doors:
                return
            leads = self._view.surroundings.doors
            yield from self._open(min(doors, key=lambda door: leads.get(door.id) != room.id))

    def _open_all(self) -> Iterator[str]:
        """Open what is closed in view, except doors."""
        while fresh := [thing for thing in self._closed() if thing.kind != _DOOR]:
            yield from self._open(fresh[0])

    def _closed(self) -> list[Entity]:
        """Return what is closed in view and was not opened here."""
        return [thing for thing in self._view.surroundings.closed if thing.id not in self._opened]

    def _open(self, thing: Entity) -> Iterator[str]:
        self._opened.add(thing.id)
        if not self._view.in_reach(thing.id):
            yield from self._do(self._view.verbalizer.approach(thing.kind), thing)
        yield from self._do(self._view.verbalizer.opening(thing.kind), thing)

    def _do(self, form: Action | None, thing: Entity) -> Iterator[str]:
        action = None if form is None else self._view.action(form.verb, (thing,))
        if action is not None:
            yield action
