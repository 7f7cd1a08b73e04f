"""The three historical rule sets, quirk for quirk: `v1` (made RobotHow), `e2wm` (E2WM's copy), `vh23` (PyPI 2.3.0).

Written from measured behaviour (the table in `docs/guide/envs/virtualhome_rules.md`). For new work use `clean`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..language.phrases import PHRASES
from . import effects as do
from . import preconditions as ask
from .navigation import FINDABLE, WALKABLE, find, walk
from .preconditions import ConditionKind, Precondition, has, in_state, not_in_state, room_for
from .rules import Rule, Rules
from .scene import bits
from .vocabulary import BERTHS, INSIDE, ON, SEATS, SQUEEZABLE

if TYPE_CHECKING:
    from .world import World

Need = ConditionKind | Precondition
Row = tuple[str, tuple[Need, ...], tuple[do.Effect, ...]]


def _choose(w: World, node: int, relation: int, suitable: int) -> int:
    """Pick the node that CPython meets first in the set of the ids that an edge leads to, as the originals do.

    Where ids collide in a set, the order in which it was filled decides. The originals add the edges of the file, in
    its order, to those that came later, and then take out what was cut.
    """
    if suitable.bit_count() == 1:
        return suitable.bit_length() - 1
    scene, now = w.scene, w.targets(node, relation)
    in_file = dict.fromkeys(scene.ids[n] for n in scene.in_order.get((node, relation), ()))
    ids = {scene.ids[n] for n in bits(now) if scene.ids[n] not in in_file}
    ids.update(in_file.keys())  # one by one, as the originals do: the size of the set follows from that
    ids.difference_update([number for number in in_file if not now >> scene.index[number] & 1])
    return next(scene.index[i] for i in ids if suitable >> scene.index[i] & 1)


def room_by_edge(w: World, n: int) -> int | None:
    """Return the room that a node is directly INSIDE of, itself if it is one, or None (v1, e2wm)."""
    rooms = w.scene.rooms
    if rooms >> n & 1:
        return n
    inside = w.out[INSIDE][n]
    found = inside & rooms
    if not found & (found - 1):
        return found.bit_length() - 1 if found else None
    return w.choose(w, n, INSIDE, found)


def room_by_climbing(w: World, n: int) -> int | None:
    """Return the room of a node as vh23 finds it: through containers when there is exactly one INSIDE edge."""
    rooms = w.scene.rooms
    if rooms >> n & 1:
        return n
    inside = w.out[INSIDE][n]
    if inside.bit_count() > 1:
        return room_by_edge(w, n)
    seen = 1 << n
    while inside and not inside & seen:
        n = w.choose(w, n, INSIDE, inside)
        if rooms >> n & 1:
            return n
        seen |= 1 << n
        inside = w.out[INSIDE][n]
    return None  # nowhere, or round in circles for ever


def _posture_now(w: World, c: int, state: int) -> bool:
    return bool(w.having[state] >> c & 1)


def _posture_at_the_start(w: World, c: int, state: int) -> bool:
    return bool(w.scene.states[state] >> c & 1)


def _put_refusal(w: World, c: int, o: int, d: int, relation: int) -> str | None:
    if not ask.held(w, c) >> o & 1:
        return ask.IN_HAND.says  # type: ignore[return-value]  # this one is a string
    if not ask.loosely_close(w, c, d):
        return f"{w.scene.labels[d]} is not close to you"
    if relation == INSIDE and not ask.OPEN_IF_IT_CAN.holds(w, c, d):
        return f"{w.scene.labels[d]} is closed"
    return None


def _put_back_refusal(w: World, c: int, o: int) -> str | None:
    relation, place = do.taken_from(w, o)
    return _put_refusal(w, c, o, place, relation)


_CAN_GO_BACK = Precondition(_put_back_refusal, lambda w, c, o: _put_back_refusal(w, c, o) is None)
_BREAKS = ConditionKind(ask.RAISES + "PutOff of {0}", lambda scene: 0)


class _Needs(NamedTuple):
    """What nearly every rule of a variant asks first."""

    known: tuple[Need, ...]
    near: tuple[Need, ...]
    hand: tuple[Need, ...]
    near_second: tuple[Need, ...]


def _table(variant: str) -> dict[str, Rule]:
    """Build the table of one variant: 42 verbs."""
    v1, vh23 = variant == "v1", variant == "vh23"
    known: tuple[Need, ...] = (ask.REACHED,) if v1 else ()
    known_second: tuple[Need, ...] = (ask.REACHED_SECOND,) if v1 else ()
    needs = _Needs(known, (*known, ask.CLOSE_BY), (*known, ask.IN_HAND), (*known_second, ask.CLOSE_BY_SECOND))
    rows = [*_handling(needs, vh23), *_living(needs)]
    standing = (do.leave_seat, do.stand_up) if variant == "e2wm" else (do.stand_up,)
    rules = [
        *(Rule(verb, PHRASES[verb], first, effects=effects) for verb, first, effects in rows),
        *_two_handed(needs),
        Rule("StandUp", PHRASES["StandUp"], (ask.SEATED,), effects=standing, arity=0),
        Rule("Sleep", PHRASES["Sleep"], (ask.SEATED,), arity=0),
        Rule("WakeUp", PHRASES["WakeUp"], (ask.SEATED,), arity=0),
    ]
    return {rule.key: rule for rule in rules}


def _handling(needs: _Needs, vh23: bool) -> list[Row]:
    """The rules that take, open and switch."""
    known, near, hand, _ = needs
    switch, plug = has("HAS_SWITCH"), has("HAS_PLUG")
    openable = has("CAN_OPEN", classes=("desk", "window"))
    grabbable = has("GRABBABLE", classes=("water", "child"))
    unplugged, plugged = (
        in_state(ask.PLUGGED_OUT, "{0} is not unplugged"),
        in_state(ask.PLUGGED_IN, "{0} is not plugged in"),
    )
    never = (ask.NEVER_TAKEN,) if vh23 else ()
    off_now, on_now = in_state(ask.STATE_OFF, "{0} is not off"), in_state(ask.STATE_ON, "{0} is not on")
    closed_now, open_now = in_state(ask.CLOSED, "{0} is not closed"), in_state(ask.OPEN, "{0} is not open")
    resting = not_in_state(ask.STATE_ON, "{0} is running")
    plugged_somehow = not_in_state(ask.PLUGGED_OUT, "{0} is unplugged")
    back = () if vh23 else (_CAN_GO_BACK,)
    return [
        ("Grab", (grabbable, *never, *near, ask.NOT_SHUT_IN, ask.HAND_FREE, ask.HAS_ROOM), (do.grab(vh23),)),
        ("Open", (openable, *near, ask.HAND_FREE, closed_now, resting), (do.opened,)),
        ("Close", (openable, *near, open_now), (do.closed,)),
        ("PutObjBack", (*known, ask.TAKEN_FROM_SOMEWHERE, *back), (do.put_where_it_was,)),
        ("SwitchOn", (switch, *near, off_now, plugged_somehow), (do.become(ask.STATE_ON, ask.STATE_OFF),)),
        ("SwitchOff", (switch, *near, on_now), (do.become(ask.STATE_OFF, ask.STATE_ON),)),
        ("PlugIn", (plug, *near, ask.HAND_FREE, unplugged), (do.plugged_in,)),
        ("PlugOut", (plug, *near, ask.HAND_FREE, plugged), (do.plugged_out,)),
        ("PutOn", (has("CLOTHES"), *hand), (do.put_on,)),
        ("PutOff", (_BREAKS,) if vh23 else (has("CLOTHES"), *known, ask.WORN), (do.put_off,)),
        ("Drop", (*hand, ask.HAS_ROOM), (do.drop,)),
        ("Release", (*hand, ask.HAS_ROOM), (do.drop,)),
    ]


def _living(needs: _Needs) -> list[Row]:
    """The rules that move, rest, look, clean and consume."""
    known, near, hand, _ = needs
    movable = has("MOVABLE", classes=("button", "chair", "curtain"))
    shoved = (*near, ask.NOT_SHUT_IN, ask.HAND_FREE)
    return [
        ("Walk", (WALKABLE,), (walk,)),
        ("Run", (WALKABLE,), (walk,)),
        ("Find", (FINDABLE,), (find,)),
        ("Sit", (has("SITTABLE"), *near, ask.NOT_SITTING, room_for(SEATS)), (do.sit,)),
        ("Lie", (has("LIEABLE"), *near, ask.NOT_LYING, room_for(BERTHS)), (do.lie,)),
        ("TurnTo", known, (do.turn_to,)),
        ("LookAt", (*known, ask.FACED), ()),
        ("PointAt", (*known, ask.FACED), ()),
        ("Watch", (has("LOOKABLE"), *known, ask.ROOMS_KNOWN, ask.SAME_ROOM, ask.FACED, ask.FACED_FROM_SEAT), ()),
        ("Wipe", (*near, ask.HAND_BUSY), (do.cleaned,)),
        ("Wash", near, (do.cleaned,)),
        ("Rinse", near, (do.cleaned,)),
        ("Scrub", near, (do.cleaned,)),
        ("Drink", (has("DRINKABLE", "RECIPIENT"), *hand), ()),
        ("Read", (has("READABLE"), *hand), ()),
        ("Eat", (*near, ask.FOOD_IS_THERE), ()),
        ("Cut", (has("EATABLE"), has("CUTTABLE"), *near, ask.HAND_FREE, ask.HOLDS_KNIFE), ()),
        ("Touch", (*near, ask.NOT_SHUT_IN), ()),
        ("Type", (has("HAS_SWITCH", classes=("keyboard",)), *near), ()),
        ("Push", shoved, ()),
        ("Pull", (movable, *shoved), ()),
        ("Move", (movable, *shoved), ()),
        ("Squeeze", (has("CLOTHES", classes=tuple(sorted(SQUEEZABLE))), *near, ask.HAND_FREE), ()),
        ("Greet", (has("PERSON"), *known), ()),
    ]


def _two_handed(needs: _Needs) -> list[Rule]:
    """The rules with a destination."""
    hand, near = needs.hand, needs.near_second
    into = (*near, ask.OPEN_IF_IT_CAN)
    vessel = has("RECIPIENT", classes=("hands_both", "sponge", "face"), says="nothing can be poured into {1}")
    liquid = (has("POURABLE", "DRINKABLE"), *hand)
    return [
        Rule("PutBack", PHRASES["PutBack"], hand, near, effects=(do.put(ON),), arity=2),
        Rule("PutIn", PHRASES["PutIn"], hand, into, effects=(do.put(INSIDE),), arity=2),
        Rule("Pour", PHRASES["Pour"], liquid, (vessel, *near), effects=(do.pour,), arity=2),
    ]


def v1() -> Rules:
    """The rules of VirtualHome's tag v1.0.0, which executed RobotHow: objects must be walked to or found first."""
    return Rules("v1", _table("v1"), room_by_edge, _posture_now, _put_refusal, _choose)


def e2wm() -> Rules:
    """The rules of E2WM's copy: v1 without that memory, Find always succeeds, Walk brings more things near."""
    return Rules(
        "e2wm",
        _table("e2wm"),
        room_by_edge,
        _posture_now,
        _put_refusal,
        _choose,
        walk_brings_neighbours=True,
        find_never_fails=True,
    )


def vh23() -> Rules:
    """The rules of VirtualHome's master and PyPI 2.3.0: doors never matter, and postures are those of the start."""
    return Rules(
        "vh23",
        _table("vh23"),
        room_by_climbing,
        _posture_at_the_start,
        _put_refusal,
        _choose,
        doors_matter=False,
    )
