"""Actions as text: what they are, and the parser that reads them. Nothing is ever executed as code.

    click [12]              click the element            click (80, 120)         click at a place
    doubleclick [12]        hover [12]                   drag [3] to [5]         drag [3] to (80, 120)
    type [7] "red shoes"    replace what is in a field   select [4] "Large"      choose an option of a list
    press Enter             press Control+a              scroll down             scroll up [9]
    find "red shoes"        goto http://...              back                    wait
    stop the answer

A text in quotes is read as JSON; without quotes it runs to the end of the line. Places are pixels from the top left of
the window. Not here: several actions in one line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

import orjson

from ...errors import unknown
from .browser.keys import key_named, key_names

VERBS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "click": "click [12]",
        "doubleclick": "doubleclick [12]",
        "hover": "hover [12]",
        "drag": "drag [3] to [5]",
        "type": 'type [7] "red shoes"',
        "select": 'select [4] "Large"',
        "press": "press Enter",
        "scroll": "scroll down",
        "find": 'find "red shoes"',
        "goto": "goto ADDRESS",
        "back": "back",
        "wait": "wait",
        "stop": "stop ANSWER",
    }
)
"""The verbs, and how each is used."""

DIRECTIONS: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {"down": (0, 1), "up": (0, -1), "right": (1, 0), "left": (-1, 0)}
)
"""Which way to scroll: right and down."""

_PLACE = r"\[\s*(?:\d{1,9})\s*\]|\(\s*-?\d{1,5}\s*,\s*-?\d{1,5}\s*\)"
_TARGET: Final = re.compile(rf"({_PLACE})\s*(.*)", re.DOTALL)
_DRAG: Final = re.compile(rf"({_PLACE})\s*to\s*({_PLACE})\s*")


class ScreenPoint(NamedTuple):
    """A place in the window."""

    x: int
    """Pixels from the left."""
    y: int
    """Pixels from the top."""


Target = int | ScreenPoint
"""The number of an element, or a place."""


@dataclass(frozen=True, slots=True)
class WebAction:
    """An action that was understood."""

    verb: str
    """One of `VERBS`."""
    target: Target | None = None
    """What it is done to."""
    text: str = ""
    """What is typed, chosen, pressed, found, opened or answered; for `scroll`, the direction."""
    end: Target | None = None
    """Where a drag ends."""


class Misread(NamedTuple):
    """An action that was not understood."""

    why: str
    """The reason, without a full stop."""


def parse(action: str) -> WebAction | Misread:
    """Read an action; it may name elements that are not there."""
    verb, _, rest = action.strip().partition(" ")
    verb, rest = verb.lower(), rest.strip()
    if verb not in VERBS:
        return Misread(str(unknown("action", verb[:40], VERBS)).rstrip("."))
    if verb in ("back", "wait"):
        return WebAction(verb) if not rest else _usage(verb)
    if verb == "stop":
        return WebAction(verb, text=_unquoted(rest) or "")
    if verb == "find":
        said = _unquoted(rest)
        return WebAction(verb, text=said) if said and said.strip() else _usage(verb)
    if verb == "goto":
        return WebAction(verb, text=rest) if rest and not any(c.isspace() for c in rest) else _usage(verb)
    if verb == "press":
        if key_named(rest) is None:
            near = unknown("key", rest[:40], key_names())
            return Misread(str(near).rstrip("."))
        return WebAction(verb, text=rest)
    if verb == "scroll":
        way, _, where = rest.partition(" ")
        target = _target(where.strip()) if where.strip() else None
        bad = way not in DIRECTIONS or (where.strip() and not isinstance(target, int))
        return _usage(verb) if bad else WebAction(verb, target, way)
    if verb == "drag":
        match = _DRAG.fullmatch(rest)
        return WebAction(verb, _target(match[1]), "", _target(match[2])) if match else _usage(verb)
    return _on_target(verb, rest)


def write(verb: str, element: int, text: str | None = None) -> str:
    """Write an action on an element, as `parse` reads it."""
    return f"{verb} [{element}]" if text is None else f"{verb} [{element}] {orjson.dumps(text).decode()}"


def _on_target(verb: str, rest: str) -> WebAction | Misread:
    match = _TARGET.fullmatch(rest)
    if match is None:
        return _usage(verb)
    target, text = _target(match[1]), match[2]
    if verb in ("click", "doubleclick", "hover"):
        return WebAction(verb, target) if not text else _usage(verb)
    said = _unquoted(text)
    if not isinstance(target, int) or said is None or (not text and verb == "select"):
        return _usage(verb)
    return WebAction(verb, target, said)


def _usage(verb: str) -> Misread:
    return Misread(f"{verb!r} is used like this: {VERBS[verb]}")


def _target(text: str) -> Target | None:
    numbers = [int(number) for number in re.findall(r"-?\d+", text)]
    if re.fullmatch(_PLACE, text) is None:
        return None
    return numbers[0] if text.startswith("[") else ScreenPoint(*numbers)


def _unquoted(text: str) -> str | None:
    """Return a text without its quotes; None where they do not match."""
    if not text.startswith('"'):
        return text
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        # What a hurried writer means by quotes: no escapes.
        return text[1:-1] if len(text) >= 2 and text.endswith('"') and '"' not in text[1:-1] else None
    return said if isinstance(said, str) else None
