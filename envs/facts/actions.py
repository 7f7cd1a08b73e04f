"""The one reader of script lines, `[Grab] <cup> (12)`: a verb in brackets, then `<name> (id)` for each object.

RobotHow writes `(1.12)` for instance 1 in the script and node 12; that is read as 12. Where several characters act, a
line may begin with the one that does, `<char1> [Walk] <kitchen> (3)`; `read_actor` says which. Environments whose
actions are plain words are read by their verbalizer. Not here: whether an action is possible.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

_VERB: Final = re.compile(r"\s*(?:<char\d{1,9}>\s*)?\[(\w+)\]", re.IGNORECASE)
_ACTOR: Final = re.compile(r"\s*<char(\d{1,9})>\s*", re.IGNORECASE)
_OBJECT: Final = re.compile(r"<(.+?)>\s*\((.+?)\)")
_NUMBER: Final = re.compile(r"\s*(?:\d+\.)?([+-]?\d{1,18})\s*")


class Action(NamedTuple):
    """An action taken apart."""

    verb: str
    """In upper case: `"PUTBACK"`."""
    names: tuple[str, ...]
    """The kinds of its objects: `("cup", "table")`."""
    ids: tuple[int, ...]
    """Their ids, one for each name; 0 where an id is not known."""
    number: int | None = None
    """How many it is about: 3 of `"mine 3 oak_log"`; None where it does not say."""


def script_parts(text: str) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    """Split a script line into its verb and `(name, what stands where the id should be)`; None for any other text."""
    match = _VERB.match(text)
    return None if match is None else (match[1], tuple(_OBJECT.findall(text, match.end())))


def read_number(text: str) -> int | None:
    """Return the id in the brackets of a script line, `12` or `1.12`; None where it is none."""
    match = _NUMBER.fullmatch(text)
    return None if match is None else int(match[1])


def read_actor(text: str) -> tuple[int | None, str]:
    """Split `<char1> [Walk] <kitchen> (3)` into the character's number, None where none is named, and the rest."""
    match = _ACTOR.match(text)
    return (None, text) if match is None else (int(match[1]), text[match.end() :])


@lru_cache(maxsize=1 << 16)
def read_action(text: str) -> Action | None:
    """Read a script line; None for any other text. An object without a whole number as its id is not an object."""
    parts = script_parts(text)
    if parts is None:
        return None
    objects = [(name, number) for name, written in parts[1] if (number := read_number(written)) is not None]
    return Action(parts[0].upper(), tuple(name for name, _ in objects), tuple(number for _, number in objects))
