"""What actions do once they are allowed. Effects of a rule apply in the order written.

Every effect is called with the world, the acting character, the object and the destination (-1 where there is none).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .preconditions import CLEAN, CLOSED, DIRTY, LYING, OPEN, PLUGGED_IN, PLUGGED_OUT, SITTING, free_hand
from .scene import bits
from .vocabulary import CLOSE, FACING, HANDS, INSIDE, ON

if TYPE_CHECKING:
    from .world import World

Effect = Callable[["World", int, int, int], None]


def become(state: int, instead_of: int) -> Effect:
    """The object leaves one state and enters another."""

    def effect(w: World, c: int, o: int, d: int) -> None:
        w.set_state(o, instead_of, False)
        w.set_state(o, state, True)

    return effect


cleaned = become(CLEAN, DIRTY)
opened = become(OPEN, CLOSED)
closed = become(CLOSED, OPEN)
plugged_in = become(PLUGGED_IN, PLUGGED_OUT)
plugged_out = become(PLUGGED_OUT, PLUGGED_IN)


def let_go(w: World, c: int, o: int, d: int) -> None:
    """The object leaves the hands."""
    for hand in HANDS:
        w.unlink(c, hand, o)


def grab(hands_too: bool) -> Effect:
    """The object comes into the free hand; where it was is remembered (SEMANTICS 2.5, Grab).

    Args:
        hands_too: Whether other hands let go of it (vh23).
    """
    cut = (ON, INSIDE, CLOSE, *HANDS) if hands_too else (ON, INSIDE, CLOSE)

    def effect(w: World, c: int, o: int, d: int) -> None:
        hand, room = free_hand(w, c), w.rules.room_of(w, c)
        assert hand is not None, "a condition of Grab"
        assert room is not None, "a condition of Grab"
        place = None
        for relation in (ON, INSIDE, CLOSE):
            if spots := w.targets(o, relation) & ~w.scene.rooms:
                place = relation, w.choose(w, o, relation, spots)
                break
        for relation in cut:
            w.cut(o, relation)
        w.link(c, hand, o)
        w.link(o, INSIDE, room)
        w.near(c, 1 << o | (1 << place[1] if place else 0))
        if place:
            w.remember(o, *place)

    return effect


def put(relation: int) -> Effect:
    """The object leaves the hands for the destination, ON it or INSIDE it."""

    def effect(w: World, c: int, o: int, d: int) -> None:
        let_go(w, c, o, d)
        w.near(c, 1 << d)
        w.link(o, CLOSE, d)
        w.link(d, CLOSE, o)
        w.link(o, relation, d)
        w.forget(o)

    return effect


def taken_from(w: World, o: int) -> tuple[int, int]:
    """Return the relation and the node from which something was grabbed."""
    return divmod(w.put_back[o] - 1, w.size)


def put_where_it_was(w: World, c: int, o: int, d: int) -> None:
    """The object goes back to where it was grabbed; nothing happens if that is not possible (vh23)."""
    relation, place = taken_from(w, o)
    if w.rules.put_refusal(w, c, o, place, relation) is None:
        put(relation)(w, c, o, place)


def drop(w: World, c: int, o: int, d: int) -> None:
    """The object leaves the hands for the room."""
    room = w.rules.room_of(w, c)
    assert room is not None, "the conditions of Drop check this"
    let_go(w, c, o, d)
    w.link(o, INSIDE, room)
    w.forget(o)


def sit(w: World, c: int, o: int, d: int) -> None:
    """The character sits on the object and faces what it faces."""
    w.link(c, ON, o)
    w.set_facing(c, w.out[FACING][c] | w.targets(o, FACING))
    _posture(w, c, SITTING, LYING)


def lie(w: World, c: int, o: int, d: int) -> None:
    """The character lies on the object."""
    w.link(c, ON, o)
    _posture(w, c, LYING, SITTING)


def _posture(w: World, c: int, state: int, instead_of: int) -> None:
    before = {s: w.rules.posture(w, c, s) for s in range(len(w.having))}
    for s, was in before.items():  # vh23 writes back the states of the beginning, whatever happened since
        w.set_state(c, s, s == state or (was and s != instead_of))


def stand_up(w: World, c: int, o: int, d: int) -> None:
    """The character stands."""
    for s in range(len(w.having)):
        w.set_state(c, s, w.rules.posture(w, c, s) and s not in (SITTING, LYING))


def leave_seat(w: World, c: int, o: int, d: int) -> None:
    """The character is no longer ON anything."""
    w.cut_targets(c, ON)


def turn_to(w: World, c: int, o: int, d: int) -> None:
    """The character faces the object and nothing else."""
    w.set_facing(c, 1 << o)


def put_on(w: World, c: int, o: int, d: int) -> None:
    """The object leaves the hands for the body."""
    let_go(w, c, o, d)
    w.link(o, ON, c)


def put_off(w: World, c: int, o: int, d: int) -> None:
    """The character no longer wears the object."""
    w.unlink(o, ON, c)


def pour(w: World, c: int, o: int, d: int) -> None:
    """The object is in the destination; water leaves the hands, a bottle stays in them."""
    w.link(o, INSIDE, d)
    if w.scene.classes[o] == "water":
        let_go(w, c, o, d)


def contents(w: World, nodes: int) -> int:
    """Return a bitset of nodes with everything that is ON or INSIDE them, however deep; rooms are not looked into."""
    on, inside, rooms = w.into[ON], w.into[INSIDE], w.scene.rooms
    found, fresh = nodes, nodes & ~rooms
    while fresh:
        deeper = 0
        for n in bits(fresh):
            deeper |= on[n] | inside[n]
        fresh = deeper & ~(found | rooms)
        found |= deeper
    return found
