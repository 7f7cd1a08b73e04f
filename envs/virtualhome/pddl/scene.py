"""The facts of a household, as it is now, that the operators ask for. Not here: the goal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ..engine.navigation import paths_from
from ..engine.places import hidden, room_of
from ..engine.preconditions import CLEAN, CLOSED, DIRTY, OPEN, PLUGGED_IN, PLUGGED_OUT, STATE_OFF, STATE_ON, at_ease
from ..engine.scene import bits
from ..engine.vocabulary import HANDS, INSIDE, ON

if TYPE_CHECKING:
    from ..engine.world import World
    from .operators import Atom

_STATES: Final = {
    STATE_ON: "running", STATE_OFF: "off", OPEN: "open", CLOSED: "shut", CLEAN: "clean", DIRTY: "dirty",
    PLUGGED_IN: "plugged", PLUGGED_OUT: "unplugged",
}  # fmt: skip
_BY_RULE: Final = {
    "openable": "OPEN", "switch": "SWITCHON", "plug": "PLUGIN", "seat": "SIT", "bed": "LIE", "readable": "READ",
    "typable": "TYPE", "movable": "PULL", "squeezable": "SQUEEZE", "lookable": "WATCH", "person": "GREET",
    "cuttable": "CUT", "clothes": "PUTON",
}  # fmt: skip
"""What a thing must be for a verb, as the conditions that never change say."""
_BY_PROPERTY: Final = {"drinkable": "DRINKABLE", "eatable": "EATABLE"}


class PddlScene:
    """A household as it is now, seen by its only character.

    Attributes:
        names: The PDDL name of each node that the task mentions, by index.
        zones: The PDDL name of each room's zone, by the room's index.
    """

    def __init__(self, world: World, nodes: int) -> None:
        """Look at a world.

        Args:
            world: It stands at the moment where the task begins.
            nodes: Bitset of the nodes that the task may mention; rooms and doors are added.
        """
        self._w = world
        (self._self,) = world.characters
        scene = world.scene
        self._doors = world.doorways.joining
        nodes = (nodes | scene.rooms | self._doors) & ~(1 << self._self) & ~world.bodies
        self.names: dict[int, str] = {n: _name(scene.classes[n], scene.ids[n]) for n in bits(nodes)}
        self.zones = _zones(world)
        self._known: dict[int, bool] = {}

    def objects(self) -> dict[str, str]:
        """Return the type of each object."""
        rooms = self._w.scene.rooms
        found = {name: "room" if rooms >> n & 1 else "thing" for n, name in self.names.items()}
        return found | dict.fromkeys(("right", "left"), "hand") | dict.fromkeys(self.zones.values(), "zone")

    def facts(self) -> Iterator[Atom]:
        """Yield what holds now."""
        w = self._w
        yield from (("acting",), ("moving",))
        yield from self._character()
        for room, zone in self.zones.items():
            yield ("zone", self.names[room], zone)
        for n, name in self.names.items():
            if w.scene.rooms >> n & 1:
                yield from (("exposed", name), ("inside", name, name))
            elif self._doors >> n & 1:
                yield from self._door(n, name)
            else:
                yield from self._thing(n, name)

    def _character(self) -> Iterator[Atom]:
        w, c = self._w, self._self
        for hand, held in zip(("right", "left"), (w.out[relation][c] for relation in HANDS), strict=True):
            yield ("busy" if held else "free", hand)
            yield from (("holds", hand, self.names[n]) for n in bits(held) if n in self.names)
        if (here := room_of(w, c)) is not None:
            yield ("here", self.zones[here])
        if not at_ease(w, c):
            yield ("standing",)
        for n in bits(w.out[ON][c]):
            if n in self.names and at_ease(w, c):
                yield ("rests-on", self.names[n])

    def _door(self, n: int, name: str) -> Iterator[Atom]:
        w = self._w
        yield ("shut" if w.having[CLOSED] >> n & 1 else "open", name)
        if w.having[CLOSED] >> n & 1 and w.bound["OPEN"].first.nodes >> n & 1:
            for room, ways in w.doorways.joined.items():
                zones = [self.zones[room], *(self.zones[other] for other, door in ways if door == n)]
                yield from (("gate", name, zones[0], zone) for zone in zones[1:] if zone != zones[0])

    def _thing(self, n: int, name: str) -> Iterator[Atom]:
        w = self._w
        for state, word in _STATES.items():
            if w.having[state] >> n & 1:
                yield (word, name)
        running = w.having[STATE_ON] >> n & 1
        cold = w.scene.classes[n] in ("fridge", "freezer")
        yield ("cold" if cold else "warm", name)
        if not running:
            yield ("quiet", name)
        if cold or not running:
            yield ("may-open", name)
        if not w.having[PLUGGED_OUT] >> n & 1:
            yield ("powered", name)
        for word, verb in _BY_RULE.items():
            if verb in w.bound and w.bound[verb].first.nodes >> n & 1 and not self._taken(n, word):
                yield (word, name)
        if "knife" in w.scene.classes[n]:
            yield ("knife", name)
        for word, prop in _BY_PROPERTY.items():
            if w.scene.having[prop] >> n & 1:
                yield (word, name)
        yield from self._place(n, name)

    def _taken(self, n: int, word: str) -> bool:
        """Whether somebody sits or lies on it: the places of seats are not counted here."""
        return word in ("seat", "bed") and bool(self._w.into[ON][n] & self._w.character_set)

    def _place(self, n: int, name: str) -> Iterator[Atom]:
        w = self._w
        held = bool(w.held(self._self) >> n & 1)
        if not held:
            yield ("unheld", name)
        if w.into[ON][self._self] >> n & 1:
            yield ("worn", name)
        if w.bound["PUTBACK"].second.nodes >> n & 1:
            yield ("surface", name)
        if w.bound["PUTIN"].second.nodes >> n & 1:
            yield ("container", name)
        opens = w.scene.having["CAN_OPEN"] >> n & 1
        if not w.having[CLOSED] >> n & 1 and (not opens or w.having[OPEN] >> n & 1):
            yield ("accessible", name)
        portable = self._portable(n)
        yield ("portable" if portable or not self._stays(n) else "fixed", name)
        on, within = self._holders(n)
        if portable and (held or len(on) + len(within) <= 1) and all(m in self.names for m in (*on, *within)):
            yield ("graspable", name)
        yield from (("on", name, self.names[m]) for m in on if m in self.names)
        yield from (("in", name, self.names[m]) for m in within if m in self.names)
        room = room_of(w, n)
        if held or room is None or not w.out[INSIDE][n] >> room & 1 or w.into[ON][self._self] >> n & 1:
            return
        yield ("inside", name, self.names[room])
        if self._in_the_open(n):
            yield ("exposed", name)
            if not on and not within:
                yield ("loose", name)

    def _portable(self, n: int) -> bool:
        """Whether the character may ever take it; nobody is on it, and nobody else has it."""
        w = self._w
        others = w.character_set & ~(1 << self._self)
        kept = any((w.held(c) | w.into[ON][c]) >> n & 1 for c in bits(others)) or w.into[ON][self._self] >> n & 1
        return bool(w.bound["GRAB"].first.nodes >> n & 1) and not kept and not w.into[ON][n] & w.character_set

    def _holders(self, n: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        w = self._w
        return bits(w.out[ON][n] & ~w.scene.rooms), bits(w.out[INSIDE][n] & ~w.scene.rooms)

    def _stays(self, n: int) -> bool:
        """Whether a thing is never moved nor put into a closed container."""
        return not self._w.bound["GRAB"].first.nodes >> n & 1 and self._in_the_open(n)

    def _in_the_open(self, n: int) -> bool:
        """Whether all that a thing is on or in stays, and none of that can be closed around it."""
        known = self._known.get(n)
        if known is None:
            self._known[n] = False  # in a circle of things nothing is
            w = self._w
            on, within = self._holders(n)
            lids = w.scene.having["CAN_OPEN"] | w.having[CLOSED]
            known = not hidden(w, self._self, n) and not any(lids >> m & 1 for m in within)
            known = self._known[n] = known and all(self._stays(m) for m in (*on, *within))
        return known


def _zones(world: World) -> dict[int, str]:
    """Name the rooms between which all doors are open; what no door leads to goes with them, if they are all one."""
    found: dict[int, str] = {}
    for room in sorted(world.doorways.joined):
        if room not in found:
            found |= dict.fromkeys(bits(paths_from(world, room).open), f"zone_{len(set(found.values())) + 1}")
    apart = len(set(found.values()))
    for room in bits(world.scene.rooms):
        if room not in found:
            found[room] = "zone_1" if apart <= 1 else f"zone_{len(set(found.values())) + 1}"
    return found


def _name(kind: str, number: int) -> str:
    plain = re.sub(r"[^a-z0-9_-]", "_", kind)
    return f"{plain if plain[:1].isalpha() else f'n{plain}'}_{number}"
