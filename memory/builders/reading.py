"""Reading what a language model answered, tolerantly: lines of JSON, lists, or plain sentences.

Small models do not keep to a form. So an answer is taken line by line: a line that is JSON is read as that, list marks
and fences are passed over, and a sentence is read by its words. Nothing is guessed: lines that say nothing are
counted. Left out: what is asked (`said`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, Generic, NamedTuple, TypeVar

import orjson

from ...experience import Json

T = TypeVar("T")

_MARK: Final = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)])\s+")
_FENCE: Final = re.compile(r"^\s*(?:```\w*|[\[\]])\s*$")
_LONGEST: Final = 300
"""A longer line is no lesson."""
_NAME: Final = re.compile(r"[^\W\d_](?:[\w -]{0,38}\w)?")
_ARTICLE: Final = re.compile(r"^(?:an?|the|some)\s+", re.IGNORECASE)
_FORM: Final = re.compile(
    r"(?P<object>.+?)\s+(?:is|are)\s+(?:\w+\s+){0,2}?(?P<relation>in|on|inside|on top of)\s+(?P<place>.+)",
    re.IGNORECASE,
)
_BETWEEN: Final = re.compile(r"\s*[|;,]\s*")
_RELATIONS: Final[Mapping[str, str]] = MappingProxyType(
    {"in": "INSIDE", "inside": "INSIDE", "on": "ON", "on top of": "ON", "room": "INSIDE"}
)


class ParsedNote(NamedTuple, Generic[T]):
    """What an answer says."""

    found: list[T]
    dropped: int
    """So many lines could not be read."""


class ParsedLocation(NamedTuple):
    """Where a thing of a kind is said to be."""

    object: str
    """As kinds are written: `"dining_table"`."""
    relation: str
    """`"INSIDE"` or `"ON"`; whether the place is a room, the reader does not know."""
    place: str


def read_lessons(text: str) -> ParsedNote[str]:
    """Read lessons: JSON objects with a `lesson`, or lines; where some lines are a list, the others are talk."""
    lines = list(_lines(text))
    marked = any(_MARK.match(line) or _json(line) is not None for line in lines)

    def one(line: str) -> str | None:
        told = _json(line)
        if told is not None:
            said = told.get("lesson", told.get("text"))
            return _sentence(said) if isinstance(said, str) else None
        return _sentence(_MARK.sub("", line)) if not marked or _MARK.match(line) else None

    return _read(lines, one)


def read_spots(text: str) -> ParsedNote[ParsedLocation]:
    """Read facts: JSON objects with `object`, `relation` and `place`, `cup | in | cupboard`, or sentences of that."""

    def one(line: str) -> ParsedLocation | None:
        told = _json(line)
        if told is not None:
            return _spot(told.get("object"), told.get("relation"), told.get("place"))
        plain = _MARK.sub("", line).strip().rstrip(".")
        parts = _BETWEEN.split(plain)
        if len(parts) == 3:
            return _spot(*parts)
        form = _FORM.fullmatch(plain)
        return None if form is None else _spot(form["object"], form["relation"], form["place"])

    return _read(list(_lines(text)), one)


def _read(lines: list[str], one: Callable[[str], T | None]) -> ParsedNote[T]:
    found = [one(line) for line in lines]
    good = [item for item in found if item is not None]
    return ParsedNote(list(dict.fromkeys(good)), len(found) - len(good))


def _lines(text: str) -> Iterator[str]:
    """Yield the lines that say something; an answer that is JSON as a whole, an object for each line."""
    try:
        whole = orjson.loads("\n".join(line for line in text.splitlines() if not line.strip().startswith("```")))
    except orjson.JSONDecodeError:
        whole = None
    if isinstance(whole, list):
        yield from (orjson.dumps(one).decode() for one in whole)
    else:
        yield from (line for line in text.splitlines() if line.strip() and not _FENCE.match(line))


def _json(line: str) -> Mapping[str, Json] | None:
    try:
        told = orjson.loads(_MARK.sub("", line).strip().rstrip(","))
    except orjson.JSONDecodeError:
        return None
    return told if isinstance(told, dict) else None


def _sentence(said: str) -> str | None:
    plain = " ".join(said.split())
    return plain if len(plain.split(" ")) > 2 and len(plain) <= _LONGEST else None


def _spot(thing: Json, relation: Json, place: Json) -> ParsedLocation | None:
    if not (isinstance(thing, str) and isinstance(relation, str) and isinstance(place, str)):
        return None
    known = _RELATIONS.get(" ".join(relation.lower().split()))
    one, other = _kind(thing), _kind(place)
    return ParsedLocation(one, known, other) if known and one and other and one != other else None


def _kind(name: str) -> str:
    """Return a name as kinds are written; empty where it is none."""
    plain = _ARTICLE.sub("", " ".join(name.split())).lower()
    return plain.replace(" ", "_").replace("-", "_") if _NAME.fullmatch(plain) else ""


__all__ = ["ParsedLocation", "ParsedNote", "read_lessons", "read_spots"]
