"""Someone who knows the whole house and carries activities out: it picks what is needed, acts, and notes every action.

`activities` uses it to ground goals and to prove that they can be reached. It sees through doors and lids, so it is no
agent: what it did is a demonstration. It walks only where the rules let it walk, opens what is in the way, closes the
lids behind it, and carries one thing at a time where it can. Not here: looking for a shortest plan.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from ....stable_random import StableRandom
from ..engine.navigation import paths_from
from ..engine.places import in_reach, reachable_rooms, room_of
from ..engine.preconditions import CLOSED, DIRTY, OPEN, PLUGGED_OUT, STATE_OFF, STATE_ON, at_ease, held
from ..engine.rules import EngineAction
from ..engine.rules_clean import walk_ends_in
from ..engine.scene import bits
from ..engine.vocabulary import CHARACTER_CLASS, INSIDE, ON, PROPERTIES, STATES
from ..engine.world import World
from ..language.lexicon import LEXICON
from ..language.script import write_line

ME: Final = CHARACTER_CLASS
"""Stands for the acting character in conditions."""

Json = dict[str, Any]
Where = Callable[[int], bool]


class Impossible(Exception):
    """The activity cannot be carried out in this house.

    Attributes:
        refused: Whether the rules refused an action; otherwise something that is needed is not there.
    """

    def __init__(self, why: str, *, refused: bool = False) -> None:
        super().__init__(why)
        self.refused = refused


class ObjectRequest(NamedTuple):
    """What somebody wants."""

    texts: tuple[str, ...]
    """Ways to say it."""
    conditions: tuple[Json, ...]
    """When it is fulfilled, in the form of `pathei.envs.facts.conditions`."""


class Demonstrator:
    """The first character of a world, acting from the beginning. Nodes are indexes.

    Attributes:
        world: The world; it is moved.
        choices: Where several things would do, one is picked with these.
        actions: What was done so far.
    """

    def __init__(self, world: World, choices: StableRandom) -> None:
        """Go to the beginning of a world."""
        world.restore(world.start)
        self.world = world
        self.choices = choices
        self.me: int = world.characters[0]
        self.actions: list[EngineAction] = []
        self._on_at_first = tuple(world.out[ON])
        self._inside_at_first = tuple(world.out[INSIDE])

    @property
    def script(self) -> tuple[str, ...]:
        """What was done so far, as script lines; they name the character where there are several."""
        who = "<char0> " if len(self.world.characters) > 1 else ""
        return tuple(who + write_line(action, self.world.scene) for action in self.actions)

    # --- looking for things

    def all(self, *kinds: str, where: Where | None = None) -> list[int]:
        """Return the nodes of some classes (`"cup"`) or with some properties (`"EATABLE"`), ascending."""
        scene, found = self.world.scene, 0
        for kind in kinds:
            found |= scene.having[kind] if kind in PROPERTIES else scene.of_class.get(kind, 0)
        return [n for n in bits(found & ~self.world.character_set) if where is None or where(n)]

    def pick(self, *kinds: str, where: Where | None = None) -> int:
        """Return one of them.

        Raises:
            Impossible: there is none.
        """
        return self.some(1, *kinds, where=where)[0]

    def some(self, count: int, *kinds: str, where: Where | None = None, at_least: int | None = None) -> list[int]:
        """Return several of them, or as many as there are but no fewer than `at_least` (all of `count` if None).

        Raises:
            Impossible: there are fewer.
        """
        found = self.all(*kinds, where=where)
        if len(found) < (count if at_least is None else at_least):
            raise Impossible(f"there is no {' or '.join(kinds)} for it")
        return sorted(self.choices.shuffled(found)[:count])

    def near(self, n: int, *kinds: str) -> int:
        """Return the first of some kinds in the room of a node.

        Raises:
            Impossible: there is none.
        """
        for kind in kinds:
            for other in self.all(kind):
                if self.room(other) == self.room(n):
                    return other
        raise Impossible(f"there is no {' or '.join(kinds)} in that room")

    def room(self, n: int) -> int:
        """Return the room of a node.

        Raises:
            Impossible: it is in none.
        """
        room = room_of(self.world, n)
        if room is None:
            raise Impossible("it is in no room")
        return room

    def in_state(self, n: int, state: str) -> bool:
        """Return whether a node is in a state now."""
        return bool(self.world.having[STATES.index(state)] >> n & 1)

    def dirty(self, n: int) -> bool:
        """Return whether a node is dirty now."""
        return bool(self.world.having[DIRTY] >> n & 1)

    def inside(self, n: int, *kinds: str) -> bool:
        """Return whether a node is directly inside something of one of these classes now."""
        return bool(self.world.out[INSIDE][n] & self.world.scene.union(kinds))

    def on(self, n: int, *kinds: str) -> bool:
        """Return whether a node is on something of one of these classes now."""
        return bool(self.world.out[ON][n] & self.world.scene.union(kinds))

    # --- speaking of things, as they were at the beginning

    def the(self, n: int) -> str:
        """Name one node as distinct from the others: `"the apple from the desk"`, `"the bed in the attic"`."""
        scene = self.world.scene
        name = _words(scene.classes[n])
        alike = list(bits(scene.of_class[scene.classes[n]]))
        if len(alike) == 1:
            return f"the {name}"
        for place in (self._room_at_first, self._place_at_first):
            where = place(n)
            if where and sum(place(other) == where for other in alike) == 1:
                word, what = where
                return f"the {name} {'from' if self._moves(n) else word} the {what}"
        return f"the {name} ({scene.ids[n]})"

    def an(self, n: int) -> str:
        """Name any node of the same class: `"an apple"`, `"some juice"`; the only one as `"the apple"`."""
        name = self.world.scene.classes[n]
        if self.world.scene.of_class[name].bit_count() == 1:
            return f"the {_words(name)}"
        if name in LEXICON.masses or name in LEXICON.plurals:
            return f"some {_words(name)}"
        return f"{'an' if name[0] in 'aeiou' else 'a'} {_words(name)}"

    def they(self, nodes: list[int]) -> str:
        """Name several nodes: `"the cup and the plate from the sink"`."""
        names = [self.the(n) for n in nodes]
        return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

    def name(self, n: int) -> str:
        """Return the class of a node in words: `"dining table"`."""
        return _words(self.world.scene.classes[n])

    def kind(self, n: int) -> str:
        """Return the class of a node: `"dining_table"`."""
        return self.world.scene.classes[n]

    def _moves(self, n: int) -> bool:
        """It is taken from one place to another, and so named by where it comes from."""
        having = self.world.scene.having
        return bool(having["GRABBABLE"] & ~(having["HAS_PLUG"] | having["SITTABLE"]) & 1 << n)

    def _room_at_first(self, n: int) -> tuple[str, str] | None:
        rooms = self._inside_at_first[n] & self.world.scene.rooms
        return ("in", self.name(rooms.bit_length() - 1)) if rooms else None

    def _place_at_first(self, n: int) -> tuple[str, str] | None:
        for word, places in (("on", self._on_at_first[n]), ("in", self._inside_at_first[n] & ~self.world.scene.rooms)):
            if places:
                return word, self.name(places.bit_length() - 1)
        return None

    # --- conditions

    def which(self, n: int | str) -> Json:
        """Select one node, by its class where that is enough; a class name selects the whole class."""
        scene = self.world.scene
        name = n if isinstance(n, str) else scene.classes[n]
        if isinstance(n, str) or scene.of_class[name].bit_count() == 1:
            return {"class": name}
        return {"id": scene.ids[n]}

    def state(self, n: int | str, state: str) -> Json:
        """The condition that a node is in a state."""
        return {"node": self.which(n), "state": state}

    def edge(self, source: int | str, relation: str, target: int | str, count: int = 1) -> Json:
        """The condition that an edge holds, or a number of them."""
        condition: Json = {"from": self.which(source), "relation": relation, "to": self.which(target)}
        return condition if count == 1 else {**condition, "count": count}

    def done(self, verb: str, n: int | str) -> Json:
        """The condition that something was done, for what leaves no trace."""
        return {"done": {"verb": verb, "object": self.which(n)}}

    # --- acting

    def do(self, verb: str, first: int = -1, second: int = -1) -> None:
        """Do one action.

        Raises:
            Impossible: the rules refuse it.
        """
        action = EngineAction(verb, first, second)
        refusal = self.world.act(action, self.me)
        if refusal is not None:
            raise Impossible(f"{write_line(action, self.world.scene)}: {refusal}", refused=True)
        self.actions.append(action)

    def reach(self, n: int) -> None:
        """Come near a node, through doors and into containers; nothing happens if it is in reach."""
        w = self.world
        if in_reach(w, self.me, n):
            return
        for lid in self._lids(n):
            self.open(lid)
        if in_reach(w, self.me, n):
            return
        self.rise()
        self._clear_way(n)
        self.do("WALK", n)

    def go(self, room: int) -> None:
        """Walk into a room, if the character is not there."""
        if room_of(self.world, self.me) != room:
            self.rise()
            self._clear_way(room)
            self.do("WALK", room)

    def rise(self) -> None:
        """Stand up, if the character sits or lies."""
        if at_ease(self.world, self.me):
            self.do("STANDUP")

    def open(self, n: int) -> None:
        """Open something, if it is closed."""
        having = self.world.having
        if not having[CLOSED] >> n & 1:
            return
        self.reach(n)
        if having[STATE_ON] >> n & 1 and self.world.refusal(EngineAction("OPEN", n), self.me):
            self.do("SWITCHOFF", n)
        self.do("OPEN", n)

    def close(self, n: int) -> None:
        """Close something, if it is open."""
        if self.world.having[OPEN] >> n & 1:
            self.reach(n)
            self.do("CLOSE", n)

    def switch_on(self, n: int) -> None:
        """Switch something on, if it is off; plug it in first, if need be."""
        having = self.world.having
        if having[STATE_OFF] >> n & 1:
            self.reach(n)
            if having[PLUGGED_OUT] >> n & 1:
                self.do("PLUGIN", n)
            self.do("SWITCHON", n)

    def switch_off(self, n: int) -> None:
        """Switch something off, if it is on."""
        if self.world.having[STATE_ON] >> n & 1:
            self.reach(n)
            self.do("SWITCHOFF", n)

    def fetch(self, n: int) -> None:
        """Take something into a hand, and close what it was taken out of."""
        if held(self.world, self.me) >> n & 1:
            return
        lids = self._lids(n)
        self.reach(n)
        self.do("GRAB", n)
        for lid in reversed(lids):
            self.close(lid)

    def put_on(self, n: int, place: int) -> None:
        """Put something on a place, if it is not there."""
        if not self.world.out[ON][n] >> place & 1:
            self.fetch(n)
            self.reach(place)
            self.do("PUTBACK", n, place)

    def put_in(self, n: int, place: int) -> None:
        """Put something into a place, if it is not there; the place stays open."""
        if not self.world.out[INSIDE][n] >> place & 1:
            self.fetch(n)
            self.reach(place)
            self.open(place)
            self.do("PUTIN", n, place)

    def pour(self, n: int, vessel: int) -> None:
        """Pour something into a vessel."""
        self.fetch(n)
        self.reach(vessel)
        self.do("POUR", n, vessel)

    def sit(self, n: int) -> None:
        """Sit down on something."""
        self.reach(n)
        self.do("SIT", n)

    def lie(self, n: int) -> None:
        """Lie down on something."""
        self.reach(n)
        self.do("LIE", n)

    def watch(self, n: int) -> None:
        """Watch something; turn to it first, if need be."""
        if self.world.refusal(EngineAction("WATCH", n), self.me):
            self.do("TURNTO", n)
        self.do("WATCH", n)

    def _lids(self, n: int) -> list[int]:
        """What has to be opened to get at a node, from the outside in."""
        w, seen = self.world, 0
        lids: list[int] = []
        while not seen >> n & 1:
            seen |= 1 << n
            holders = w.out[INSIDE][n] & ~w.scene.rooms
            lids += bits(holders & w.having[CLOSED])
            around = holders | w.out[ON][n]
            n = around.bit_length() - 1 if around else n
        return lids[::-1]

    def _clear_way(self, n: int) -> None:
        """Open the doors between here and where a walk to the node ends."""
        w = self.world
        for _ in range(w.size):
            here = self.room(self.me)
            goal = walk_ends_in(w, here, n)
            if goal is None or reachable_rooms(w, here) >> goal & 1:
                return
            door = paths_from(w, here).first_shut.get(goal)
            if door is None:
                raise Impossible("no way leads there")
            self.do("WALK", door)
            self.do("OPEN", door)


def _words(name: str) -> str:
    return name.replace("_", " ")
