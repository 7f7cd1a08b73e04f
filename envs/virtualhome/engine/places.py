"""Where things are, without the quirks: rooms, what is shut away, what is carried, what is in reach.

The rules of `clean` and perception ask these questions; the historical rules have their own answers (`conditions`,
`moving`, `originals`). Questions come in pairs, for one node and for all, as in `conditions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .effects import contents
from .navigation import paths_from
from .preconditions import CLOSED, held, lasting
from .scene import bits
from .vocabulary import CLOSE, INSIDE, ON

if TYPE_CHECKING:
    from .world import World


def room_of(w: World, n: int) -> int | None:
    """Return the room that a node is in: by its own INSIDE edge, else by what it is in or on; None if nowhere."""
    rooms = w.scene.rooms
    if rooms >> n & 1:
        return n
    found = w.out[INSIDE][n] & rooms
    if found and not found & (found - 1):
        return found.bit_length() - 1
    seen = fresh = 1 << n
    while fresh and not found:
        around = 0
        for x in bits(fresh):
            around |= w.out[INSIDE][x] | w.out[ON][x]
        found = around & rooms
        fresh = around & ~seen
        seen |= around
    return (found & -found).bit_length() - 1 if found else None


def nodes_in(w: World, rooms: int) -> int:
    """Return the bitset of the nodes whose room is one of these (`room_of`), rooms left out."""
    inside, every = w.into[INSIDE], w.scene.rooms
    found = elsewhere = 0
    for room in bits(every):
        if rooms >> room & 1:
            found |= inside[room]
        else:
            elsewhere |= inside[room]
    # What is on both sides, or in no room by itself: only graphs that others made have such nodes.
    odd = found & elsewhere | w.scene.everything & ~(found | elsewhere)
    found &= ~every
    for n in bits(odd & ~every):
        where = room_of(w, n)
        found = found & ~(1 << n) if where is None or not rooms >> where & 1 else found | 1 << n
    return found


def those_in(w: World, nodes: int, room: int) -> int:
    """Return which of a few nodes are in a room."""
    found = nodes & w.into[INSIDE][room]
    for n in bits(nodes & ~found):
        if room_of(w, n) == room:
            found |= 1 << n
    return found


@lasting
def nodes_here(w: World, c: int) -> int:
    """The nodes in the room that the character is in, and the doors that lead out of it."""
    here = w.rules.room_of(w, c)
    return 0 if here is None else nodes_in(w, 1 << here) | own_doors(w, here)


def hidden(w: World, c: int, n: int) -> bool:
    """The node is, at any depth, inside something that is closed."""
    on, inside, rooms = w.out[ON], w.out[INSIDE], w.scene.rooms
    shut = w.having[CLOSED] & ~rooms
    seen, fresh = rooms | 1 << n, 1 << n
    while fresh:
        x = fresh.bit_length() - 1
        if inside[x] & shut:
            return True
        outer = (inside[x] | on[x]) & ~seen
        seen |= outer
        fresh = fresh ^ 1 << x | outer
    return False


@lasting
def hidden_nodes(w: World, c: int) -> int:
    """The nodes for which `hidden` holds."""
    inside = w.into[INSIDE]
    found = 0
    for x in bits(w.having[CLOSED] & ~w.scene.rooms):
        found |= inside[x]
    return contents(w, found) if found else 0


def carried(w: World, c: int) -> int:
    """What moves when the character moves: what is held or worn, and all that is in or on it."""
    own = held(w, c) | w.into[ON][c] | w.into[INSIDE][c]
    return contents(w, own) if own else 0


def in_reach(w: World, c: int, n: int) -> bool:
    """The character is near the node, or near what it is on or in, and it is not shut away."""
    near = w.out[CLOSE][c]
    if not near & (1 << n | w.out[ON][n] | w.out[INSIDE][n] & ~w.scene.rooms):
        return False
    return not hidden(w, c, n)


def nodes_in_reach(w: World, c: int) -> int:
    """The nodes for which `in_reach` holds."""
    near = found = w.out[CLOSE][c]
    on, inside = w.into[ON], w.into[INSIDE]
    for x in bits(near & ~w.scene.rooms):
        found |= on[x] | inside[x]
    for x in bits(near & w.scene.rooms):
        found |= on[x]
    return found & ~w.ask(hidden_nodes, c)


def hollow(w: World) -> int:
    """The nodes that have an inside one can look into: those that are neither closed nor rooms."""
    return w.scene.everything & ~(w.having[CLOSED] | w.scene.rooms)


def open_contents(w: World, n: int) -> int:
    """The node with all that is on or openly in it, however deep."""
    on, inside, around = w.into[ON], w.into[INSIDE], hollow(w)
    found = fresh = 1 << n
    while fresh:
        deeper = 0
        for x in bits(fresh):
            deeper |= on[x] | (inside[x] if around >> x & 1 else 0)
        fresh = deeper & ~found
        found |= fresh
    return found


def holders(w: World, nodes: int, among: int) -> int:
    """The nodes with all that they are on, or inside of if it is in `among`, however far out."""
    on, inside = w.out[ON], w.out[INSIDE]
    found = fresh = nodes
    while fresh:
        outer = 0
        for x in bits(fresh):
            outer |= on[x] | inside[x] & among
        fresh = outer & ~found
        found |= fresh
    return found


def own_doors(w: World, room: int) -> int:
    """The bitset of the doors that lead out of a room, whichever side of them the graph puts them on."""
    doors = 0
    for _, door in w.doorways.joined.get(room, ()):
        doors |= 1 << door
    return doors


def reachable_rooms(w: World, here: int) -> int:
    """The bitset of the rooms that one can walk to; a room without doors is open to all sides."""
    ways = w.doorways
    if here not in ways.joined:
        return w.scene.rooms
    return paths_from(w, here).open | w.scene.rooms & ~ways.rooms
