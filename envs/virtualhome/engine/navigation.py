"""Walking and finding in the three original variants: rooms, doors, and what comes near on the way.

The rules of `clean` for the same verbs are in `clean`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from .preconditions import CLOSED, RAISES, Precondition, at_ease, held, lasting, loosely_close, loosely_close_nodes
from .scene import Scene, bits
from .vocabulary import BETWEEN, CLOSE, DOOR_CLASSES, FACING, INSIDE, ON

if TYPE_CHECKING:
    from .world import World


class Doorways(NamedTuple):
    """How the rooms of a scene are joined."""

    joined: dict[int, list[tuple[int, int]]]
    """For each room that a door leads to: the rooms behind its doors, with the door."""
    joining: int
    """Bitset of the doors that join two rooms, doors before doorjambs in each list above."""
    doors: int
    """Bitset of all doors and doorjambs."""
    rooms: int
    """Bitset of the rooms that some door leads to."""


class Paths(NamedTuple):
    """Where one can go from a room while certain doors are shut."""

    open: int
    """Bitset of the rooms that can be reached without opening a door, the room itself included."""
    first_shut: dict[int, int | None]
    """For each room that doors lead to at all, the first shut door on the shortest way there; None if none is shut."""


def doorways(scene: Scene) -> Doorways:
    """Read the doors of a scene; only those with at least two BETWEEN edges join rooms (SEMANTICS 2.4)."""
    rooms: dict[int, list[int]] = {}
    for source, relation, target in sorted(scene.edges):
        if relation == BETWEEN:
            rooms.setdefault(source, []).append(target)
    doors = [n for name in DOOR_CLASSES for n in bits(scene.of_class.get(name, 0))]
    joined: dict[int, list[tuple[int, int]]] = {}
    joining = 0
    for door in doors:
        if len(rooms.get(door, ())) > 1:
            one, other = rooms[door][:2]
            joined.setdefault(one, []).append((other, door))
            joined.setdefault(other, []).append((one, door))
            joining |= 1 << door
    return Doorways(joined, joining, scene.union(DOOR_CLASSES), sum(1 << room for room in joined))


def paths_from(w: World, room: int) -> Paths:
    """Return where one can go from a room now (breadth first over doors; remembered for each set of shut doors)."""
    ways = w.doorways
    shut = w.having[CLOSED] & ways.joining
    known = w.paths.get((room, shut))
    if known is None:
        reachable = 0
        for other in _search(ways.joined, room, shut):
            reachable |= 1 << other
        came_by = _search(ways.joined, room, 0)
        first: dict[int, int | None] = {}
        for target in came_by:
            here, found = target, None
            while (step := came_by[here]) is not None:
                here, door = step
                found = door if shut >> door & 1 else found
            first[target] = found
        known = w.paths[room, shut] = Paths(reachable, first)
    return known


def _search(joined: dict[int, list[tuple[int, int]]], start: int, shut: int) -> dict[int, tuple[int, int] | None]:
    """Breadth first over doors that are not in `shut`: for each room, the room and door that it was reached by."""
    came_by: dict[int, tuple[int, int] | None] = {start: None}
    queue = [start]
    for room in queue:
        for other, door in joined.get(room, ()):
            if other not in came_by and not shut >> door & 1:
                came_by[other] = (room, door)
                queue.append(other)
    return came_by


def _own_door(w: World, n: int, here: int) -> bool:
    """The node is a door of the room that the character is in."""
    return bool(w.doorways.doors >> n & 1 and (w.out[BETWEEN][n] >> here & 1 or w.out[BETWEEN][here] >> n & 1))


def walk_refusal(w: World, c: int, n: int) -> str | None:
    """Return why the character cannot walk to the node in the original rules, or None."""
    if at_ease(w, c):
        return "you have to stand up first"
    here = w.rules.room_of(w, c)
    if here is None:
        return RAISES + "you are in no room"
    room = w.rules.room_of(w, n)
    if not w.rules.doors_matter:
        return None if room is not None else "{0} is in no room"
    if not _own_door(w, n, here):
        if room is None:
            return RAISES + "{0} is in no room"
        if here not in w.doorways.joined:
            return RAISES + "the room that you are in has no door"
        paths = paths_from(w, here)
        if not paths.open >> room & 1:
            if room not in paths.first_shut:
                return "no way leads to {0}"
            if paths.first_shut[room] not in (None, n):
                return "a door on the way to {0} is closed"
    return None if room is not None else "{0} is in no room"


@lasting
def walkable_nodes(w: World, c: int) -> int:
    """Return the nodes for which `walk_refusal` is None: rooms at once, and the odd ones node by node."""
    here = None if at_ease(w, c) else w.rules.room_of(w, c)
    if here is None:
        return 0
    inside, rooms = w.into[INSIDE], w.scene.rooms
    ways = w.doorways
    if not w.rules.doors_matter:
        reachable, odd = rooms, 0
    elif here in ways.joined:
        reachable, odd = paths_from(w, here).open, ways.doors
    else:
        reachable, odd = 0, ways.doors
    yes = reachable & rooms
    settled = rooms
    for room in bits(rooms):
        settled |= inside[room]
        if reachable >> room & 1:
            yes |= inside[room] & ~rooms
    for room in bits(rooms & ~reachable):
        odd |= inside[room] & yes  # in two rooms: which one counts is for `room_of` to say
    odd |= w.scene.everything & ~settled
    for n in bits(odd):
        yes = yes | 1 << n if walk_refusal(w, c, n) is None else yes & ~(1 << n)
    return yes


WALKABLE: Final = Precondition(walk_refusal, lambda w, c, n: walk_refusal(w, c, n) is None, walkable_nodes)


def walk(w: World, c: int, n: int, _: int) -> None:
    """Walk to a node (SEMANTICS 2.5.1)."""
    rules, scene = w.rules, w.scene
    room, here = rules.room_of(w, n), rules.room_of(w, c)
    assert room is not None, "walk_refusal checks this"
    assert here is not None, "walk_refusal checks this"
    late = 0
    if rules.walk_brings_neighbours:  # read before anything changes
        late = w.targets(n, ON) | w.targets(n, INSIDE) | w.targets(n, CLOSE)
        if scene.classes[n] not in ("home_office", "bathroom", "dining_room", "bedroom"):
            late |= w.into[INSIDE][n]
    in_hand = held(w, c)
    w.cut(c, INSIDE)
    w.cut(c, FACING)
    w.link(c, INSIDE, room)
    near = in_hand | late
    if rules.doors_matter or n != room:
        near |= w.out[INSIDE][n] & ~scene.rooms | w.bodies | 1 << n
    for h in bits(in_hand):
        for relation in (INSIDE, CLOSE, FACING):
            w.cut(h, relation)
    for h in bits(in_hand):
        w.link(h, INSIDE, here)  # the room walked from: a quirk of all three
    if not rules.doors_matter:
        if scene.having["CAN_OPEN"] >> n & 1:
            near |= w.into[INSIDE][n]
        near |= w.out[ON][n]
    elif scene.having["SURFACES"] >> n & 1:
        near |= w.into[ON][n]
    w.near_only(c, near)
    w.reach(n)


def _only_find(w: World, c: int, n: int) -> bool:
    """Find does not walk: the node is worn, a body part or close, or the character cannot get up."""
    return bool(w.out[ON][n] >> c & 1 or w.bodies >> n & 1 or at_ease(w, c) or loosely_close(w, c, n))


def find_refusal(w: World, c: int, n: int) -> str | None:
    """Return why the character cannot find the node in the original rules, or None."""
    if _only_find(w, c, n):
        if w.rules.find_never_fails or loosely_close(w, c, n):
            return None
        return "{0} is not close to you"
    if not w.rules.doors_matter:
        return RAISES + "Find of something that is not close"
    refusal = walk_refusal(w, c, n)
    if refusal and w.rules.find_never_fails and not refusal.startswith(RAISES):
        return None
    return refusal


def findable_nodes(w: World, c: int) -> int:
    """Return the nodes for which `find_refusal` is None."""
    if w.rules.find_never_fails:  # what is in some room is found; the odd ones are asked one by one
        here = w.rules.room_of(w, c)
        easy = 0
        if here is not None and here in w.doorways.joined:
            for room in bits(w.scene.rooms):
                easy |= w.into[INSIDE][room] | 1 << room
        odd = w.scene.everything & ~easy
        return easy | sum(1 << n for n in bits(odd) if find_refusal(w, c, n) is None)
    close = w.ask(loosely_close_nodes, c)
    if at_ease(w, c) or not w.rules.doors_matter:
        return close
    return close | w.ask(walkable_nodes, c) & ~(w.bodies | w.into[ON][c])


FINDABLE: Final = Precondition(find_refusal, lambda w, c, n: find_refusal(w, c, n) is None, findable_nodes)


def find(w: World, c: int, n: int, _: int) -> None:
    """Find a node (SEMANTICS 2.5.2): walk to it if need be and possible, otherwise turn to it."""
    if not _only_find(w, c, n) and walk_refusal(w, c, n) is None:
        walk(w, c, n, _)
        return
    w.set_facing(c, 0)
    w.near(c, 1 << n)
    w.reach(n)
