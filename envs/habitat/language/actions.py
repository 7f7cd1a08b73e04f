"""Actions in words: reading them, doing them in a home, and listing those that are possible now.

Not here: goals and the end of an episode (`env`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from ..backend import MOVES
from ..world import REACH, HomeWorld

STOP, WAIT = "stop", "wait"
_PLACE: Final = re.compile(r"(?:place|put) (.+?) (on|onto|in|into|inside) (.+)")
_ONE: Final = re.compile(r"(pick up|pick|grab|take|open|close|go to|walk to|navigate to) (.+)")
_VERBS: Final = {"pick up": "pick", "grab": "pick", "take": "pick", "walk to": "go to", "navigate to": "go to"}


class Command(NamedTuple):
    """An action taken apart."""

    verb: str
    """One of `MOVES`, `"stop"`, `"wait"`, `"go to"`, `"pick"`, `"place"`, `"open"`, `"close"`."""
    thing: str = ""
    holder: str = ""
    inside: bool = False


class Outcome(NamedTuple):
    """What an action did."""

    event: str
    """In words, as a sentence."""
    error: str | None = None
    """Why nothing was done, as half a sentence; None where something was."""
    collided: bool = False
    walked: float = 0.0
    """The length of the way, in metres."""


def read_command(text: str) -> Command | None:
    """Take an action apart; None for what is none."""
    words = " ".join(text.lower().replace("[", " ").replace("]", " ").strip(" .").split())
    word = words.replace(" ", "_")
    if word in MOVES or word in (STOP, WAIT):
        return Command(word)
    placed = _PLACE.fullmatch(words)
    if placed is not None:
        return Command("place", placed[1], placed[3], placed[2].startswith("in"))
    one = _ONE.fullmatch(words)
    return None if one is None else Command(_VERBS.get(one[1], one[1]), one[2])


def perform(world: HomeWorld, command: Command) -> Outcome:
    """Do an action, but for `stop`; what cannot be done changes nothing and says why."""
    if command.verb == WAIT:
        return Outcome("You waited.")
    if command.verb in MOVES:
        return _move(world, command.verb)
    return {"go to": _go, "pick": _pick, "place": _place, "open": _open, "close": _open}[command.verb](world, command)


def _move(world: HomeWorld, verb: str) -> Outcome:
    before = world.pose.position
    hit = world.sim.act(verb, world.who)
    walked = math.dist(before, world.pose.position)
    if verb == "move_forward":
        text = f"You moved {walked:.2f} m forward" + (" and bumped into something." if hit else ".")
        return Outcome(text, None, hit, walked)
    settings = world.sim.settings
    angle = settings.turn if verb.startswith("turn") else settings.tilt
    return Outcome(f"You {'turned' if verb.startswith('turn') else 'looked'} {verb[5:]} by {angle:.0f}°.")


def _refused(why: str) -> Outcome:
    return Outcome("", why)


def _go(world: HomeWorld, command: Command) -> Outcome:
    word = command.thing.removeprefix("the ").replace(" ", "_")
    room = next((n for n, one in enumerate(world.map.home.rooms) if one.name == word), None)
    if room is not None:
        walked = world.go_to_room(room)
    else:
        id_ = world.named(word)
        if id_ is None:
            return _refused(_unknown(command.thing))
        if id_ == world.held:
            return _refused(f"you hold the {world.map.names[id_]}")
        word = world.map.names[id_]
        if world.thing(id_).movable and not world.sim.in_the_open(id_):
            return _refused(f"you do not see a {word}")
        walked = world.go_to(id_)
    if walked is None:
        shut = ": a door is closed" if world.closed_doors() else ""
        return _refused(f"there is no way to the {word}{shut}")
    return Outcome(f"You walked {walked:.1f} m to the {word}.", None, False, walked)


def _pick(world: HomeWorld, command: Command) -> Outcome:
    id_ = world.named(command.thing, list(pickable(world, reachable(world))))
    if id_ is None or not world.thing(id_).movable:
        known = id_ is not None
        return _refused(f"the {command.thing} cannot be picked up" if known else _unknown(command.thing))
    name = world.map.names[id_]
    if world.state.placements[id_].held_by not in (None, world.who):
        return _refused(f"the other one holds the {name}")
    if world.held is not None:
        return _refused(f"you hold the {world.map.names[world.held]} already")
    if not world.in_reach(id_) or not world.sim.in_the_open(id_):
        return _refused(f"the {name} is not within reach")
    world.sim.hold(id_, world.who)
    return Outcome(f"You picked up the {name}.")


def _place(world: HomeWorld, command: Command) -> Outcome:
    held, holder = world.held, world.named(command.holder, reachable(world))
    if held is None:
        return _refused("you hold nothing")
    name = world.map.names[held]
    meant = command.thing.removeprefix("the ").replace(" ", "_")
    if world.map.kind(meant) not in (name, world.thing(held).category) and meant != name:
        return _refused(f"you hold the {name}, not a {command.thing}")
    if holder is None or world.thing(holder).movable:
        return _refused(_unknown(command.holder) if holder is None else f"nothing is put on the {command.holder}")
    where = world.map.names[holder]
    if not world.in_reach(holder):
        return _refused(f"the {where} is not within reach")
    relation = "in" if command.inside else "on"
    if not (world.thing(holder).inside if command.inside else world.thing(holder).on):
        return _refused(f"nothing can be put {relation} the {where}")
    if command.inside and world.is_closed(holder):
        return _refused(f"the {where} is closed")
    spot = world.free_spot(holder, command.inside)
    if spot is None:
        return _refused(f"there is no room {relation} the {where}")
    world.sim.place(held, spot, holder, inside=command.inside)
    return Outcome(f"You put the {name} {relation} the {where}.")


def _open(world: HomeWorld, command: Command) -> Outcome:
    id_ = world.named(command.thing, [one for one in reachable(world) if world.thing(one).opened is not None])
    if id_ is None:
        return _refused(_unknown(command.thing))
    name, opens = world.map.names[id_], command.verb == "open"
    if world.thing(id_).opened is None:
        return _refused(f"the {name} cannot be opened or closed")
    if not world.in_reach(id_):
        return _refused(f"the {name} is not within reach")
    if not opens and id_ in world.map.joins and world.in_the_way(id_):
        return _refused(f"somebody stands where the {name} closes")
    if opens != world.is_closed(id_):
        return _refused(f"the {name} is {'open' if opens else 'closed'} already")
    world.sim.set_open(id_, opens)
    return Outcome(f"You {'opened' if opens else 'closed'} the {name}.")


def _unknown(name: str) -> str:
    return f"there is no {name[:80]} here"


def reachable(world: HomeWorld) -> list[int]:
    """Return the furniture within reach."""
    x, _, z = world.pose.position
    return [
        id_
        for id_, x0, z0, x1, z1 in world.map.in_room[world.room]
        if math.hypot(max(x0 - x, x - x1, 0.0), max(z0 - z, z - z1, 0.0)) <= REACH
    ]


def pickable(world: HomeWorld, near: Collection[int]) -> Iterator[int]:
    """Yield the movable objects that can be picked up with an empty hand, from furniture within reach."""
    sim = world.sim
    if near:
        for id_, place in world.state.placements.items():
            if place.holder in near and sim.in_the_open(id_):
                yield id_


def skills(world: HomeWorld) -> tuple[str, ...]:
    """Return the skills that can be used now: going to furniture and rooms, picking, placing, opening, closing."""
    near, known = reachable(world), world.lying.skills
    key = world.who, world.room, tuple(near)
    if key not in known:
        known[key] = tuple(_usable(world, near))
    return known[key]


def _usable(world: HomeWorld, near: Sequence[int]) -> list[str]:
    names, bases = world.map.names, world.map.bases
    held = world.held
    found = []
    for id_ in near:
        thing = world.thing(id_)
        closed = world.is_closed(id_)
        if thing.opened is not None:
            found.append(f"{'open' if closed else 'close'} {names[id_]}")
        if held is not None:
            if thing.on and world.free_spot(id_, False) is not None:
                found.append(f"place {names[held]} on {names[id_]}")
            if thing.inside and not closed and world.free_spot(id_, True) is not None:
                found.append(f"place {names[held]} in {names[id_]}")
    if held is None:
        found += [f"pick {names[id_]}" for id_ in pickable(world, near)]
    at, shut = {bases[id_] for id_ in near}, world.closed_doors()
    ways: Iterable[tuple[int, str]] = world.map.ways.items()
    rooms: Sequence[int] = range(len(world.map.home.rooms))
    if shut:
        inside = world.rooms_within(shut)
        rooms = [room for room in rooms if room in inside]
        ways = [(id_, way) for id_, way in ways if any(world.map.is_in(id_, room) for room in rooms)]
    found += [way for id_, way in ways if id_ not in at]
    found += [f"go to {world.map.home.rooms[room].name}" for room in rooms if room != world.room]
    return found
