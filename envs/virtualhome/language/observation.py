"""What a character perceives, and its description in words.

A character perceives what is in its room and not inside something closed, what it carries, and the rooms of the house
by name. Its admissible actions may name the same nodes, and each is given with its id: `cup (12)`.
`read_surroundings` reads rooms and closed things back. Not here: distance and line of sight.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ...facts import Entity
from ...verbalizer import Surroundings
from ..engine.places import hidden_nodes, nodes_here
from ..engine.preconditions import LYING, SITTING, lasting
from ..engine.scene import bits
from ..engine.vocabulary import BETWEEN, CLOSE, HANDS, INSIDE, ON, STATES

if TYPE_CHECKING:
    from ..engine.world import World

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

_LABEL: Final = re.compile(r"([a-z][a-z_ ]*?) \((\d{1,18})\)")
_HERE: Final = re.compile(r"You are in the ([a-z_ ]+?) \((\d{1,18})\)")
_OTHER_ROOMS: Final = re.compile(r"^Other rooms: (.+)\.$", re.MULTILINE)
_DOORS: Final = re.compile(r"^- [a-z_ ]+? \((\d{1,18})\) to the [a-z_ ]+? \((\d{1,18})\)", re.MULTILINE)
_CLOSED: Final = re.compile(
    r"([a-z][a-z_ ]*?) \((\d{1,18})\)(?: to the [a-z_ ]+? \(\d{1,18}\))?[:,]?(?: [a-z ]+?,)* closed"
)


@lasting
def visible(w: World, character: int) -> int:
    """Return the bitset of what a character sees: itself, what is in its room outside closed containers, its doors."""
    carried = w.held(character) | w.into[ON][character]
    return (w.ask(nodes_here, character) & ~w.ask(hidden_nodes, character) | carried | 1 << character) & ~w.scene.rooms


def nameable(w: World, character: int) -> int:
    """Return the bitset of what a character can speak of: what it sees, and every room."""
    return w.ask(visible, character) | w.scene.rooms


def describe(w: World, character: int) -> str:
    """Describe what a character perceives, one thing and what is on and in it per line."""
    text, things = w.ask(_surroundings, character)
    if near := w.out[CLOSE][character] & things:
        text += f"\nClose to you: {_listed(w.scene.labels, near)}."
    return text


@lasting
def _surroundings(w: World, character: int) -> tuple[str, int]:
    """The description without what is close, and the bitset of the nodes that may be."""
    seen = w.ask(visible, character)
    here = w.rules.room_of(w, character)
    labels = w.scene.labels
    states = _state_words(w, seen)
    line, covered = _self(w, character, here, seen, states)
    lines = [line]
    things = seen & ~covered & ~w.doorways.doors
    backdrop = things & w.scene.backdrop
    things &= ~backdrop
    lines += _things(w, things, labels, states)
    lines += _doors(w, seen & ~covered & w.doorways.doors, here, labels, states)
    if backdrop:
        lines.append(f"Around you: {', '.join(_grouped(w, backdrop, states))}.")
    if elsewhere := w.scene.rooms & ~(1 << here if here is not None else 0):
        lines.append(f"Other rooms: {_listed(labels, elsewhere)}.")
    return "\n".join(lines), seen & ~covered & ~backdrop


def _listed(labels: Labels, nodes: int) -> str:
    return ", ".join([labels[n] for n in bits(nodes)])


def _self(w: World, character: int, here: int | None, seen: int, states: dict[int, str]) -> tuple[str, int]:
    """The line about the character itself, and the bitset of what that it covers."""
    labels = w.scene.labels
    parts = [f"You are in the {labels[here]}." if here is not None else "You are nowhere."]
    for posture in (SITTING, LYING):
        if w.having[posture] >> character & 1:
            seat = w.out[ON][character] & seen  # the historical rules let one walk off a chair and still be ON it
            parts.append(f"You are {STATES[posture].lower()}{f' on {_listed(labels, seat)}' if seat else ''}.")
    worn = w.into[ON][character]
    covered = 1 << character | w.held(character) | worn
    hands = []
    for hand, side in zip(HANDS, ("right", "left"), strict=True):
        if held := w.out[hand][character]:
            names, deeper = _named(w, held, seen & ~covered, labels, states)
            covered |= deeper
            hands.append(f"{names} in your {side} hand")
    parts.append(f"You hold {' and '.join(hands)}." if hands else "Your hands are empty.")
    if worn:
        names, deeper = _named(w, worn, seen & ~covered, labels, states)
        covered |= deeper
        parts.append(f"You wear {names}.")
    return " ".join(parts), covered


def _state_words(w: World, seen: int) -> dict[int, str]:
    """For each visible node with states worth saying, their words joined by commas."""
    words: dict[int, str] = {}
    for place, word in _said(w.scene.state_names):
        for n in bits(w.having[place] & seen):
            words[n] = f"{words[n]}, {word}" if n in words else word
    return words


@lru_cache(maxsize=64)
def _said(state_names: tuple[str, ...]) -> tuple[tuple[int, str], ...]:
    """The states that are worth saying: their places, and their words."""
    words = (_WORDS.get(name, name.lower().replace("_", " ")) for name in state_names)
    return tuple((place, word) for place, word in enumerate(words) if word)


def _things(w: World, things: int, labels: Labels, states: dict[int, str]) -> Iterator[str]:
    """One line for each thing that stands by itself, with what is on it and in it, level by level."""
    on, inside, people = w.into[ON], w.into[INSIDE], w.character_set
    upon = 0
    for n in bits(things):
        upon |= (on[n] | inside[n]) & ~(1 << n)
    for n in bits(things & people):
        upon |= w.held(n) & ~(1 << n)
    covered = 0
    for n in bits(things & ~upon):
        covered |= 1 << n
        line = f"- {labels[n]}: {states[n]}" if n in states else f"- {labels[n]}"
        parts: tuple[tuple[str, int], ...] = ()
        if people >> n & 1:
            parts = (("holding", w.held(n)), ("wearing", on[n]))
        elif (on[n] | inside[n]) & things & ~covered:  # most things bear nothing
            parts = (("on it", on[n]), ("in it", inside[n]))
        for word, below in parts:
            below &= things & ~covered
            if below:
                covered |= below
                inner, deeper = _named(w, below, things & ~covered, labels, states)
                covered |= deeper
                line += f"; {word}: {inner}"
        yield line
    for n in bits(things & ~covered):  # only where others made a graph in which things contain each other in a circle
        yield f"- {labels[n]}" + (f": {states[n]}" if n in states else "")


def _named(w: World, nodes: int, rest: int, labels: Labels, states: dict[int, str]) -> tuple[str, int]:
    """Name nodes with their states and, in brackets, what of `rest` is on or in them; return all that was named too."""
    parts, covered = [], 0
    for n in bits(nodes):
        part = labels[n]
        if n in states:
            part += f" {states[n]}"
        below = w.into[ON][n] | w.into[INSIDE][n]
        if w.character_set >> n & 1:
            below |= w.held(n)
        below &= rest & ~covered
        if below:
            covered |= below
            inner, deeper = _named(w, below, rest & ~covered, labels, states)
            covered |= deeper
            part += f" [{inner}]"
        parts.append(part)
    return ", ".join(parts), covered


def _doors(w: World, doors: int, here: int | None, labels: Labels, states: dict[int, str]) -> Iterator[str]:
    joined = w.doorways.joined.get(here, ()) if here is not None else ()
    for other, door in joined:
        state = f", {states[door]}" if door in states else ""
        yield f"- {labels[door]} to the {labels[other]}{state}"
        doors &= ~(1 << door)
    for door in bits(doors):
        rooms = w.out[BETWEEN][door] & ~(1 << here if here is not None else 0)
        to = "".join(f" to the {labels[n]}" for n in bits(rooms))
        state = f", {states[door]}" if door in states else ""
        yield f"- {labels[door]}{to}{state}"


def _grouped(w: World, nodes: int, states: dict[int, str]) -> Iterator[str]:
    """Nodes of a class in the same states together: `wall (12, 13), floor (11) dirty`."""
    groups: dict[tuple[str, str], list[str]] = {}
    for n in bits(nodes):
        groups.setdefault((w.scene.classes[n], states.get(n, "")), []).append(str(w.scene.ids[n]))
    for (name, covered), ids in groups.items():
        yield f"{name.replace('_', ' ')} ({', '.join(ids)}) {covered}".rstrip()


def read_surroundings(text: str) -> Surroundings:
    """Read what `describe` wrote of rooms, closed things, doors and hands."""
    here = _HERE.search(text)
    return Surroundings(
        None if here is None else Entity(here[1].replace(" ", "_"), int(here[2])),
        tuple(_entity(*label) for line in _OTHER_ROOMS.findall(text) for label in _LABEL.findall(line)),
        tuple(_entity(*label) for label in _CLOSED.findall(text)),
        "You hold" in text,
        {int(door): int(room) for door, room in _DOORS.findall(text)},
    )


def _entity(name: str, number: str) -> Entity:
    return Entity(name.strip().replace(" ", "_"), int(number))
