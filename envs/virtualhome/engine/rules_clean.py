"""The rules for new work: VirtualHome's verbs with the quirks of the historical variants put right.

`docs/guide/envs/virtualhome_rules.md` lists the deviations from v1. What is carried travels with what is in or
on it; reach is explicit (what one walked to, what it stands on, what is on it or openly in it, its neighbours); things
shut away at any depth can be neither seen, reached nor walked to; nothing can be inside or on itself; sitting down and
standing up undo each other; pouring moves the liquid; a pulled plug switches off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..language.phrases import PHRASES
from . import effects as do
from . import preconditions as ask
from .navigation import paths_from
from .places import (
    carried,
    hidden,
    hidden_nodes,
    holders,
    hollow,
    in_reach,
    nodes_here,
    nodes_in,
    nodes_in_reach,
    open_contents,
    own_doors,
    reachable_rooms,
    room_of,
    those_in,
)
from .preconditions import ConditionKind, NodePair, Precondition, actor, has, in_state, not_in_state
from .rules import Rule, Rules
from .scene import Scene, bits
from .vocabulary import BERTHS, BETWEEN, CHARACTER_CLASS, CLOSE, DOOR_CLASSES, FACING, INSIDE, ON, SEATS, SQUEEZABLE

if TYPE_CHECKING:
    from .world import World

# --- walking


def walk_ends_in(w: World, here: int, n: int) -> int | None:
    """The room in which a walk to the node ends: for a door, this side of it; None if the node is in no room."""
    if w.doorways.joining >> n & 1:
        sides = w.out[BETWEEN][n] & reachable_rooms(w, here)
        if sides:
            return here if sides >> here & 1 else (sides & -sides).bit_length() - 1
    return room_of(w, n)


def walk_refusal(w: World, c: int, n: int) -> str | None:
    """Return why the character cannot walk to the node, or None."""
    if ask.at_ease(w, c):
        return "you have to stand up first"
    here = room_of(w, c)
    if here is None:
        return "you are in no room"
    if n == c or carried(w, c) >> n & 1:
        return "you have {0} with you"
    if hidden(w, c, n):
        return "you do not see {0}: it is inside something closed"
    room = walk_ends_in(w, here, n)
    if room is None:
        return "{0} is in no room"
    if reachable_rooms(w, here) >> room & 1:
        return None
    shut = paths_from(w, here).first_shut.get(room)
    return "no way leads to {0}" if shut is None else f"{w.scene.labels[shut]} on the way to {{0}} is closed"


@ask.lasting
def walkable_nodes(w: World, c: int) -> int:
    """The nodes for which `walk_refusal` is None."""
    here = None if ask.at_ease(w, c) else room_of(w, c)
    if here is None:
        return 0
    reachable = reachable_rooms(w, here)
    yes = reachable | nodes_in(w, reachable)
    for door in bits(w.doorways.joining):
        room = walk_ends_in(w, here, door)
        yes = yes & ~(1 << door) if room is None else yes & ~(1 << door) | (reachable >> room & 1) << door
    return yes & ~(w.ask(hidden_nodes, c) | carried(w, c) | 1 << c)


def walk(w: World, c: int, n: int, d: int) -> None:
    """Go to a node with all that one carries."""
    here = room_of(w, c)
    assert here is not None, "walk_refusal checks this"
    room = walk_ends_in(w, here, n)
    assert room is not None, "walk_refusal checks this"
    load = carried(w, c)
    around = those_in(w, w.targets(n, CLOSE) & ~w.scene.rooms, room)
    neighbours = (around | w.out[ON][n] | w.out[INSIDE][n]) & ~w.scene.rooms & ~(1 << c)
    move(w, c, room)
    w.cut(c, FACING)
    for x in bits(load):
        move(w, x, room)
        w.cut(x, CLOSE)
    w.near_only(c, neighbours & ~load | ask.held(w, c) | w.bodies | 1 << n)


def move(w: World, n: int, room: int) -> None:
    """Put a node into a room, and out of any other; what else it is in or on stays."""
    for other in bits(w.out[INSIDE][n] & w.scene.rooms & ~(1 << room)):
        w.unlink(n, INSIDE, other)
    w.link(n, INSIDE, room)


def find_refusal(w: World, c: int, n: int) -> str | None:
    """Return why the character cannot find the node, or None."""
    return None if in_reach(w, c, n) else walk_refusal(w, c, n)


def find(w: World, c: int, n: int, d: int) -> None:
    """Walk to a node unless it is in reach already, and turn to it."""
    if not in_reach(w, c, n):
        walk(w, c, n, d)
    w.set_facing(c, 1 << n)


# --- taking and putting


def grab(w: World, c: int, n: int, d: int) -> None:
    """Take a node into the free hand; what is in or on it comes along."""
    hand = ask.free_hand(w, c)
    assert hand is not None, "a condition of Grab"
    room = room_of(w, c)
    assert room is not None, "a condition of Grab"
    for relation in (INSIDE, ON):
        if places := w.out[relation][n] & ~w.scene.rooms:
            w.remember(n, relation, places.bit_length() - 1)
            for place in bits(places):
                w.unlink(n, relation, place)
    for x in bits(do.contents(w, 1 << n)):
        w.cut(x, CLOSE)
        move(w, x, room)
    w.link(c, hand, n)
    w.near(c, 1 << n)


def put(relation: int) -> do.Effect:
    """The object leaves the hands for the destination, ON it or INSIDE it, and is in that one's room."""

    def effect(w: World, c: int, o: int, d: int) -> None:
        do.put(relation)(w, c, o, d)
        _follow(w, o, d)

    return effect


def _follow(w: World, o: int, d: int) -> None:
    """A node comes into the room of another, with all that is in and on it."""
    room = room_of(w, d)
    if room is not None:
        for x in bits(do.contents(w, 1 << o)):
            move(w, x, room)


def drop(w: World, c: int, o: int, d: int) -> None:
    """The object leaves the hands and is in the room."""
    do.let_go(w, c, o, d)
    w.forget(o)
    _follow(w, o, c)


_FITS_IN: Final = ConditionKind(
    "nothing can be put into {1}",
    lambda scene: (
        (scene.having["CONTAINERS"] | scene.having["RECIPIENT"] | scene.having["CAN_OPEN"])
        & ~(scene.union((*DOOR_CLASSES, "window", CHARACTER_CLASS)) | scene.having["READABLE"])
    ),
)
_FITS_ON: Final = ConditionKind(
    "nothing can be put on {1}",
    lambda scene: (
        scene.having["SURFACES"] | scene.having["SITTABLE"] | scene.having["LIEABLE"] | scene.union(("floor",))
    ),
)


def put_refusal(w: World, c: int, o: int, d: int, relation: int) -> str | None:
    """Return why what is held cannot be put at a destination, or None."""
    name = w.scene.labels[d]
    if not in_reach(w, c, d):
        return f"{name} is not within reach"
    fits = _FITS_ON if relation == ON else _FITS_IN
    if not fits.among(w.scene) >> d & 1:
        return fits.says.format("", name)
    if relation == INSIDE and not ask.OPEN_IF_IT_CAN.holds(w, c, d):
        return f"{name} is closed"
    return None if _apart(w, c, o, d) else f"{name} is part of what you hold"


def _put_back_refusal(w: World, c: int, n: int) -> str | None:
    relation, place = do.taken_from(w, n)
    return put_refusal(w, c, n, place, relation)


def put_back(w: World, c: int, o: int, d: int) -> None:
    """The object goes back to where it was taken from."""
    relation, place = do.taken_from(w, o)
    put(relation)(w, c, o, place)


def _apart(w: World, c: int, o: int, d: int) -> bool:
    return not do.contents(w, 1 << o) >> d & 1


def put_off(w: World, c: int, o: int, d: int) -> None:
    """The object leaves the body for the free hand."""
    hand = ask.free_hand(w, c)
    assert hand is not None, "a condition of PutOff"
    w.unlink(o, ON, c)
    w.link(c, hand, o)
    w.near(c, 1 << o)


def pour(w: World, c: int, o: int, d: int) -> None:
    """What is in a vessel goes into the destination; a liquid in the hand goes there itself."""
    if not w.scene.having["RECIPIENT"] >> o & 1:
        do.let_go(w, c, o, d)
        w.link(o, INSIDE, d)
        w.forget(o)
        _follow(w, o, d)
        return
    for x in bits(w.into[INSIDE][o]):
        w.unlink(x, INSIDE, o)
        w.link(x, INSIDE, d)
        _follow(w, x, d)


def _pours(w: World, c: int, o: int, d: int) -> bool:
    return bool(not w.scene.having["RECIPIENT"] >> o & 1 or w.into[INSIDE][o])


def unplug(w: World, c: int, o: int, d: int) -> None:
    """The plug is out, and what ran on it is off."""
    do.plugged_out(w, c, o, d)
    if w.having[ask.STATE_ON] >> o & 1:
        do.become(ask.STATE_OFF, ask.STATE_ON)(w, c, o, d)


# --- questions


def _places(places: dict[str, int]) -> Precondition:
    return Precondition(
        "there is no place left on {0}",
        lambda w, c, n: (w.into[ON][n] & w.character_set).bit_count() < places.get(w.scene.classes[n], 1),
    )


def _held_by_anyone(w: World, c: int) -> int:
    found = 0
    for character in w.characters:
        found |= ask.held(w, character) | w.into[ON][character]
    return found


def _carried_by_anyone(w: World, c: int) -> int:
    found = 0
    for character in w.characters:
        found |= carried(w, character)
    return found


def _occupied(w: World, c: int) -> int:
    return holders(w, w.character_set, ~w.scene.rooms)


@ask.lasting
def _in_this_room(w: World, c: int) -> int:
    here = room_of(w, c)
    if here is None:
        return 0
    return (w.ask(nodes_here, c) | 1 << here) & ~(w.ask(hidden_nodes, c) | 1 << c)


def _is_in_this_room(w: World, c: int, n: int) -> bool:
    here = room_of(w, c)
    if n == c or here is None or hidden(w, c, n):
        return False
    return room_of(w, n) == here or bool(own_doors(w, here) >> n & 1)


def _has_in_it(prop: str) -> Precondition:
    return Precondition(
        f"there is nothing {prop.lower()} in or on {{0}}",
        lambda w, c, n: bool(open_contents(w, n) & w.scene.having[prop]),
        lambda w, c: holders(w, w.scene.having[prop], hollow(w)),
    )


def _people(scene: Scene) -> int:
    return scene.having["PERSON"] | scene.of_class[CHARACTER_CLASS]


IN_REACH: Final = Precondition(
    lambda w, c, n: "{0} is inside something closed" if hidden(w, c, n) else "{0} is not within reach",
    in_reach,
    nodes_in_reach,
)
IN_REACH_SECOND: Final = Precondition("{1} is not within reach", in_reach, nodes_in_reach)
WALKABLE: Final = Precondition(walk_refusal, lambda w, c, n: walk_refusal(w, c, n) is None, walkable_nodes)
FINDABLE: Final = Precondition(
    find_refusal,
    lambda w, c, n: find_refusal(w, c, n) is None,
    lambda w, c: w.ask(walkable_nodes, c) | w.ask(nodes_in_reach, c),
)
IN_VIEW: Final = Precondition(
    "you do not see {0} here",
    _is_in_this_room,
    _in_this_room,
)
NOBODYS: Final = Precondition(
    "{0} is in somebody's hands, or worn",
    lambda w, c, n: not _held_by_anyone(w, c) >> n & 1,
    lambda w, c: ~_held_by_anyone(w, c),
)
NOT_CARRIED: Final = Precondition(
    "somebody carries {0}",
    lambda w, c, n: not _carried_by_anyone(w, c) >> n & 1,
    ask.lasting(lambda w, c: ~_carried_by_anyone(w, c)),
)
UNOCCUPIED: Final = Precondition(
    "somebody is on {0}", lambda w, c, n: not _occupied(w, c) >> n & 1, ask.lasting(lambda w, c: ~_occupied(w, c))
)
NOT_RUNNING: Final = Precondition(
    "{0} is running",
    lambda w, c, n: not w.having[ask.STATE_ON] >> n & 1 or w.scene.classes[n] in ("fridge", "freezer"),
    lambda w, c: ~w.having[ask.STATE_ON] | w.scene.union(("fridge", "freezer")),
)
APART: Final = NodePair("{0} cannot be put into or onto itself", _apart)
SOMEWHERE: Final = actor("you are in no room", lambda w, c: room_of(w, c) is not None)


def _handling() -> list[Rule]:
    """The rules that take, open, switch and dress."""
    openable = has("CAN_OPEN", classes=("desk", "window"))
    grabbable = has("GRABBABLE", classes=("water", "child"))
    switch, plug, clothes = has("HAS_SWITCH"), has("HAS_PLUG"), has("CLOTHES")
    closed, open_ = in_state(ask.CLOSED, "{0} is not closed"), in_state(ask.OPEN, "{0} is not open")
    off, on = in_state(ask.STATE_OFF, "{0} is not off"), in_state(ask.STATE_ON, "{0} is not on")
    powered = not_in_state(ask.PLUGGED_OUT, "{0} is unplugged")
    unplugged = in_state(ask.PLUGGED_OUT, "{0} is not unplugged")
    plugged = in_state(ask.PLUGGED_IN, "{0} is not plugged in")
    held, free = ask.IN_HAND, ask.HAND_FREE
    can_go_back = Precondition(_put_back_refusal, lambda w, c, n: _put_back_refusal(w, c, n) is None)
    rows: list[tuple[str, tuple[ConditionKind | Precondition, ...], tuple[do.Effect, ...]]] = [
        ("Grab", (grabbable, NOBODYS, IN_REACH, UNOCCUPIED, free, SOMEWHERE), (grab,)),
        ("Open", (openable, IN_REACH, closed, NOT_RUNNING, free), (do.opened,)),
        ("Close", (openable, IN_REACH, open_), (do.closed,)),
        ("PutObjBack", (held, ask.TAKEN_FROM_SOMEWHERE, can_go_back), (put_back,)),
        ("SwitchOn", (switch, IN_REACH, off, powered), (do.become(ask.STATE_ON, ask.STATE_OFF),)),
        ("SwitchOff", (switch, IN_REACH, on), (do.become(ask.STATE_OFF, ask.STATE_ON),)),
        ("PlugIn", (plug, IN_REACH, unplugged, free), (do.plugged_in,)),
        ("PlugOut", (plug, IN_REACH, plugged, free), (unplug,)),
        ("PutOn", (clothes, held), (do.put_on,)),
        ("PutOff", (clothes, ask.WORN, free), (put_off,)),
        ("Drop", (held,), (drop,)),
        ("Release", (held,), (drop,)),
    ]
    return [Rule(verb, PHRASES[verb], first, effects=effects) for verb, first, effects in rows]


def _two_handed() -> list[Rule]:
    """The rules with a destination."""
    held = ask.IN_HAND
    open_first, open_second = (not_in_state(ask.CLOSED, f"{place} is closed") for place in ("{0}", "{1}"))
    liquid = (has("POURABLE", "DRINKABLE"), held, open_first)
    recipient = has("RECIPIENT", classes=("hands_both", "sponge", "face"), says="nothing can be poured into {1}")
    vessel = (recipient, IN_REACH_SECOND, open_second)
    into = (_FITS_IN, IN_REACH_SECOND, ask.OPEN_IF_IT_CAN)
    pours = NodePair("there is nothing in {0} to pour", _pours)
    return [
        Rule("PutBack", PHRASES["PutBack"], (held,), (_FITS_ON, IN_REACH_SECOND), (APART,), (put(ON),), 2),
        Rule("PutIn", PHRASES["PutIn"], (held,), into, (APART,), (put(INSIDE),), 2),
        Rule("Pour", PHRASES["Pour"], liquid, vessel, (APART, pours), (pour,), 2),
    ]


def _living() -> list[Rule]:
    """The rules that move, rest, look, clean and consume."""
    movable = has("MOVABLE", classes=("button", "chair", "curtain"))
    rows: list[tuple[str, tuple[ConditionKind | Precondition, ...], tuple[do.Effect, ...]]] = [
        ("Walk", (WALKABLE,), (walk,)),
        ("Run", (WALKABLE,), (walk,)),
        ("Find", (FINDABLE,), (find,)),
        ("Sit", (has("SITTABLE"), IN_REACH, NOT_CARRIED, ask.STANDING, _places(SEATS)), (do.sit,)),
        ("Lie", (has("LIEABLE"), IN_REACH, NOT_CARRIED, ask.STANDING, _places(BERTHS)), (do.lie,)),
        ("TurnTo", (IN_VIEW,), (do.turn_to,)),
        ("LookAt", (IN_VIEW, ask.FACED), ()),
        ("PointAt", (IN_VIEW, ask.FACED), ()),
        ("Watch", (has("LOOKABLE"), IN_VIEW, ask.FACED), ()),
        ("Wipe", (IN_REACH, ask.HAND_BUSY), (do.cleaned,)),
        ("Wash", (IN_REACH,), (do.cleaned,)),
        ("Rinse", (IN_REACH,), (do.cleaned,)),
        ("Scrub", (IN_REACH,), (do.cleaned,)),
        ("Drink", (has("DRINKABLE", "RECIPIENT"), ask.IN_HAND, _has_in_it("DRINKABLE")), ()),
        ("Read", (has("READABLE"), ask.IN_HAND), ()),
        ("Eat", (IN_REACH, _has_in_it("EATABLE")), ()),
        ("Cut", (has("EATABLE"), has("CUTTABLE"), IN_REACH, ask.HAND_FREE, ask.HOLDS_KNIFE), ()),
        ("Touch", (IN_REACH,), ()),
        ("Type", (has("HAS_SWITCH", classes=("keyboard",)), IN_REACH), ()),
        ("Push", (IN_REACH, ask.HAND_FREE), ()),
        ("Pull", (movable, IN_REACH, ask.HAND_FREE), ()),
        ("Move", (movable, IN_REACH, ask.HAND_FREE), ()),
        ("Squeeze", (has("CLOTHES", classes=tuple(sorted(SQUEEZABLE))), IN_REACH, ask.HAND_FREE), ()),
        ("Greet", (ConditionKind("{0} is not a person", _people), IN_VIEW), ()),
    ]
    seated = (ask.SEATED,)
    return [
        *(Rule(verb, PHRASES[verb], first, effects=effects) for verb, first, effects in rows),
        Rule("StandUp", PHRASES["StandUp"], seated, effects=(do.leave_seat, do.stand_up), arity=0),
        Rule("Sleep", PHRASES["Sleep"], seated, arity=0),
        Rule("WakeUp", PHRASES["WakeUp"], seated, arity=0),
    ]


def _lowest(w: World, node: int, relation: int, suitable: int) -> int:
    return (suitable & -suitable).bit_length() - 1


def clean() -> Rules:
    """The default rules; see the head of this file."""
    table = {rule.key: rule for rule in (*_living(), *_handling(), *_two_handed())}
    return Rules("clean", table, room_of, lambda w, c, s: bool(w.having[s] >> c & 1), put_refusal, _lowest)
