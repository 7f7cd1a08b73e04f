"""A tolerant reader of answers of language models: lines of JSON, lists, or plain sentences.

Small models do not keep to a format. So an answer is read line by line: a line of JSON as such, without list marks and
code fences, and a sentence by its words. Nothing is guessed: lines that cannot be read are counted. Not here: the
prompts (`notes`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, Generic, NamedTuple, TypeVar

import orjson

from ....experience import Json

T = TypeVar("T")

_MARK: Final = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)])\s+")
_FENCE: Final = re.compile(r"^\s*(?:```\w*|[\[\]])\s*$")
_LONGEST: Final = 300
"""Longer lines are not lessons."""
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
    """The readable part of an answer."""

    found: list[T]
    dropped: int
    """The number of lines that could not be read."""


class ParsedLocation(NamedTuple):
    """The stated location of objects of a kind."""

    object: str
    """The kind, as in facts: `"dining_table"`."""
    relation: str
    """`"INSIDE"` or `"ON"`; the reader does not know whether the place is a room."""
    place: str


def read_lessons(text: str) -> ParsedNote[str]:
    """Read lessons: JSON objects with a `lesson`, or lines; if some lines form a list, the others are ignored."""
    lines = list(_lines(text))
    marked = any(_MARK.match(line) or _json(line) is not None for line in lines)

    def one(line: str) -> str | None:
        data = _json(line)
        if data is not None:
            lesson = data.get("lesson", data.get("text"))
            return _sentence(lesson) if isinstance(lesson, str) else None
        return _sentence(_MARK.sub("", line)) if not marked or _MARK.match(line) else None

    return _read(lines, one)


def read_locations(text: str) -> ParsedNote[ParsedLocation]:
    """Read facts: JSON objects with `object`, `relation` and `place`, `cup | in | cupboard`, or such sentences."""

    def one(line: str) -> ParsedLocation | None:
        data = _json(line)
        if data is not None:
            return _location(data.get("object"), data.get("relation"), data.get("place"))
        plain = _MARK.sub("", line).strip().rstrip(".")
        parts = _BETWEEN.split(plain)
        if len(parts) == 3:
            return _location(*parts)
        form = _FORM.fullmatch(plain)
        return None if form is None else _location(form["object"], form["relation"], form["place"])

    return _read(list(_lines(text)), one)


def _read(lines: list[str], one: Callable[[str], T | None]) -> ParsedNote[T]:
    found = [one(line) for line in lines]
    good = [item for item in found if item is not None]
    return ParsedNote(list(dict.fromkeys(good)), len(found) - len(good))


def _lines(text: str) -> Iterator[str]:
    """Yield the lines with content; for an answer that is one JSON list, one line per object."""
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
        data = orjson.loads(_MARK.sub("", line).strip().rstrip(","))
    except orjson.JSONDecodeError:
        return None
    return data if isinstance(data, dict) else None


def _sentence(text: str) -> str | None:
    plain = " ".join(text.split())
    return plain if len(plain.split(" ")) > 2 and len(plain) <= _LONGEST else None


def _location(object_: Json, relation: Json, place: Json) -> ParsedLocation | None:
    if not (isinstance(object_, str) and isinstance(relation, str) and isinstance(place, str)):
        return None
    known = _RELATIONS.get(" ".join(relation.lower().split()))
    one, other = _kind(object_), _kind(place)
    return ParsedLocation(one, known, other) if known and one and other and one != other else None


def _kind(name: str) -> str:
    """Return a name in the form of a kind; empty if it is not a name."""
    plain = _ARTICLE.sub("", " ".join(name.split())).lower()
    return plain.replace(" ", "_").replace("-", "_") if _NAME.fullmatch(plain) else ""
