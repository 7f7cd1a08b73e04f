"""What a character perceives, and how it is told in words.

Perceived is what is in the character's room and not inside something closed, what it carries, and the rooms of the
house by name. The same nodes are what its admissible actions may name. Left out: distance and line of sight.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from .places import hidden_nodes, nodes_in, own_doors
from .scene import bits
from .vocabulary import BETWEEN, CLOSE, HANDS, INSIDE, ON

if TYPE_CHECKING:
    from .world import World

Labels = tuple[str, ...]

_WORDS: Final = {
    "CLOSED": "closed",
    "OPEN": "open",
    "ON": "switched on",
    "OFF": "switched off",
    "SITTING": "sitting",
    "DIRTY": "dirty",
    "CLEAN": "",  # the normal case: saying it of every chair would drown the rest
    "LYING": "lying",
    "PLUGGED_IN": "",  # the normal case too
    "PLUGGED_OUT": "unplugged",
}


def visible(w: World, character: int) -> int:
    """Return the bitset of what a character sees: itself, what is in its room and not shut away, and its doors."""
    carried = w.held(character) | w.into[ON][character]
    here = w.rules.room_of(w, character)
    around = 0 if here is None else nodes_in(w, here) | own_doors(w, here)
    return (around & ~hidden_nodes(w, character) | carried | 1 << character) & ~w.scene.rooms


def nameable(w: World, character: int) -> int:
    """Return the bitset of what a character can speak of: what it sees, and every room."""
    return visible(w, character) | w.scene.rooms


def describe(w: World, character: int) -> str:
    """Tell what a character perceives, one thing and what is on and in it per line.

    Every thing is named with its id, `cup (12)`, so that any of them can be singled out in an action.
    """
    seen = visible(w, character)
    here = w.rules.room_of(w, character)
    labels = w.scene.labels
    lines = [_self(w, character, here, labels)]
    told = 1 << character | w.held(character) | w.into[ON][character]
    things = seen & ~told & ~w.doorways.doors
    backdrop = things & w.scene.backdrop
    things &= ~backdrop
    states = _state_words(w, seen)
    lines += _things(w, things, labels, states)
    lines += _doors(w, seen & w.doorways.doors, here, labels, states)
    if backdrop:
        lines.append(f"Around you: {', '.join(_grouped(w, backdrop))}.")
    near = w.out[CLOSE][character] & seen & ~told & ~backdrop
    if near:
        lines.append(f"Close to you: {', '.join([labels[n] for n in bits(near)])}.")
    return "\n".join(lines)


def _self(w: World, character: int, here: int | None, labels: Labels) -> str:
    where = f"in the {w.scene.classes[here].replace('_', ' ')}" if here is not None else "nowhere"
    parts = [f"You are {where}."]
    on = w.out[ON][character]
    for posture in ("SITTING", "LYING"):
        if w.having[w.scene.state_names.index(posture)] >> character & 1:
            seat = f" on {labels[on.bit_length() - 1]}" if on else ""
            parts.append(f"You are {posture.lower()}{seat}.")
    right, left = (w.out[hand][character] for hand in HANDS)
    hands = [
        f"{', '.join([labels[n] + _inner(w, n, labels) for n in bits(nodes)])} in your {side} hand"
        for nodes, side in ((right, "right"), (left, "left"))
        if nodes
    ]
    parts.append(f"You hold {' and '.join(hands)}." if hands else "Your hands are empty.")
    if worn := w.into[ON][character]:
        parts.append(f"You wear {', '.join([labels[n] for n in bits(worn)])}.")
    return " ".join(parts)


def _inner(w: World, n: int, labels: Labels) -> str:
    """What is in or on something that is carried."""
    held = w.into[INSIDE][n] | w.into[ON][n]
    if not held or w.having[0] >> n & 1:
        return ""
    return f" (with {', '.join([labels[x] for x in bits(held)])})"


def _state_words(w: World, seen: int) -> dict[int, str]:
    """For each visible node with states worth telling, their words joined by commas."""
    words: dict[int, str] = {}
    for name, nodes in zip(w.scene.state_names, w.having, strict=True):
        word = _WORDS.get(name, name.lower().replace("_", " "))
        if word:
            for n in bits(nodes & seen):
                words[n] = f"{words[n]}, {word}" if n in words else word
    return words


def _things(w: World, things: int, labels: Labels, states: dict[int, str]) -> Iterator[str]:
    """One line for each thing that stands by itself, with what is on it and in it, level by level."""
    on, inside = w.into[ON], w.into[INSIDE]
    upon = 0
    for n in bits(things):
        upon |= (on[n] | inside[n]) & things & ~(1 << n)
    told = 0
    for n in bits(things & ~upon):
        told |= 1 << n
        line = f"- {labels[n]}"
        if n in states:
            line += f": {states[n]}"
        for word, below in (("on it", on[n] & things), ("in it", inside[n] & things)):
            below &= ~told
            if below:
                told |= below
                inner, deeper = _named(w, below, things & ~told, labels, states)
                told |= deeper
                line += f"; {word}: {inner}"
        yield line
    for n in bits(things & ~told):  # only where others made a graph in which things contain each other in a circle
        yield f"- {labels[n]}" + (f": {states[n]}" if n in states else "")


def _named(w: World, nodes: int, rest: int, labels: Labels, states: dict[int, str]) -> tuple[str, int]:
    """Name nodes with their states and, in brackets, what of `rest` is on or in them; return all that was named too."""
    parts, told = [], 0
    for n in bits(nodes):
        part = labels[n]
        if n in states:
            part += f" {states[n]}"
        below = (w.into[ON][n] | w.into[INSIDE][n]) & rest & ~told
        if below:
            told |= below
            inner, deeper = _named(w, below, rest & ~told, labels, states)
            told |= deeper
            part += f" [{inner}]"
        parts.append(part)
    return ", ".join(parts), told


def _doors(w: World, doors: int, here: int | None, labels: Labels, states: dict[int, str]) -> Iterator[str]:
    joined = w.doorways.joined.get(here, ()) if here is not None else ()
    for other, door in joined:
        state = f", {states[door]}" if door in states else ""
        yield f"- {labels[door]} to the {w.scene.classes[other].replace('_', ' ')}{state}"
        doors &= ~(1 << door)
    for door in bits(doors):
        rooms = w.out[BETWEEN][door] & ~(1 << here if here is not None else 0)
        to = "".join(f" to the {w.scene.classes[n].replace('_', ' ')}" for n in bits(rooms))
        state = f", {states[door]}" if door in states else ""
        yield f"- {labels[door]}{to}{state}"


def _grouped(w: World, nodes: int) -> Iterator[str]:
    by_class: dict[str, list[str]] = {}
    for n in bits(nodes):
        by_class.setdefault(w.scene.classes[n], []).append(str(w.scene.ids[n]))
    for name, ids in by_class.items():
        yield f"{name.replace('_', ' ')} ({', '.join(ids)})"
