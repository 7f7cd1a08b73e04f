"""From a goal in words to conditions: what the environment's grammar reads, and what similar goals meant.

An agent is given words only. The environment may read them (`Verbalizer.read_goal`, which knows kinds of things and
nothing of this episode). A memory of episodes holds goals with their conditions: the goal whose words are the same but
for the things that they name lends its conditions, with its things replaced. Not here: acting.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final, NamedTuple

from ...envs.facts.conditions import ConditionJson
from ...envs.verbalizer import Verbalizer
from ...experience import Json
from ...memory.items import Filter
from ...memory.protocol import Memory

_ASKED: Final = 64
"""How many remembered goals are compared."""
ALIKE: Final = 0.8
"""From this similarity of the words around the things on, a remembered goal is taken to mean the same."""
NEAR: Final = 0.5
"""From this similarity on, a remembered goal is better than nothing."""
_NAME_WORDS: Final = 3
_TOKEN: Final = re.compile(r"\(\d{1,18}\)|[^\W_]+(?:'[^\W_]+)?|[,;:]")
_NUMBERS: Final = {"two": 2, "three": 3, "four": 4, "five": 5}
_SAID_OF: Final = frozenset("on off open closed".split())
"""What may be said of a thing alone: "the television on"."""
_ARTICLES: Final = frozenset("the a an some my your".split())


class _Thing(NamedTuple):
    """A thing that a goal names."""

    kind: str
    id: int | None = None
    times: int = 1


class _Shape(NamedTuple):
    """A goal in words without its things."""

    words: tuple[str, ...]
    """With `#` for one thing or several: "put # in #"."""
    things: tuple[tuple[_Thing, ...], ...]
    """What stands for each `#`."""


class RememberedGoal(NamedTuple):
    """What a goal meant by a similar one that was remembered."""

    similarity: float
    """Of the words around the things, from 0 to 1."""
    shared: int
    """How many kinds of things both name, or 1 where neither names any."""
    conditions: tuple[ConditionJson, ...]
    id: str
    """The id of the memory's item."""


class GoalReader:
    """Reads goals in words for one agent."""

    def __init__(self, verbalizer: Verbalizer, recollection: Memory | None = None, env: str | None = None) -> None:
        """Prepare to read.

        Args:
            verbalizer: The environment's words.
            recollection: The memory with remembered goals; None to go by the grammar alone.
            env: The gymnasium id whose episodes are asked for; None for all.
        """
        self._verbalizer, self._recollection, self._env = verbalizer, recollection, env

    def read(self, text: str, kinds: Collection[str] = ()) -> tuple[ConditionJson, ...]:
        """Return the conditions that a goal in words states, as far as they are known; empty where nothing is.

        A remembered goal with the same words and some of the same things goes before what the grammar reads without a
        rest; then come a remembered goal with the same words about other things, what the grammar reads in part, and a
        remembered goal with similar words.

        Args:
            text: The goal.
            kinds: The kinds of things that were seen.
        """
        remembered = self.remembered(text, kinds)
        alike = remembered is not None and remembered.similarity >= ALIKE
        if remembered is not None and alike and remembered.shared:
            return remembered.conditions
        found = self._verbalizer.read_goal(text, kinds, whole=True)
        if not found and remembered is not None and alike:
            return remembered.conditions
        found = found or self._verbalizer.read_goal(text, kinds)
        if not found and remembered is not None and remembered.similarity >= NEAR:
            return remembered.conditions
        return found

    def remembered(self, text: str, kinds: Collection[str] = ()) -> RememberedGoal | None:
        """Return what the most similar remembered goal says of a goal; None without one of as many things."""
        if self._recollection is None:
            return None
        hits = self._recollection.query(f"Goal: {text}.", _ASKED, Filter(kinds=("episode",), env=self._env))
        told = [(hit.item, hit.item.draft.data) for hit in hits if hit.item.draft.data.get("wanted")]
        known = {*kinds, *(kind for _, data in told for one in data["wanted"] for kind in _kinds(one))}
        asked = self._shape(text, known)
        best: RememberedGoal | None = None
        for item, data in told:
            shape = self._shape(item.draft.task, known)
            if len(shape.things) != len(asked.things):
                continue
            alike = difflib.SequenceMatcher(None, shape.words, asked.words, autojunk=False).ratio()
            both = _named_by(shape) & _named_by(asked)
            shared = len(both) if asked.things else 1
            if best is None or (alike, shared) > (best.similarity, best.shared):
                best = RememberedGoal(alike, shared, tuple(_transfer(data["wanted"], shape, asked)), item.id)
        return best

    def _shape(self, text: str, kinds: Collection[str]) -> _Shape:
        tokens = _TOKEN.findall(text.lower())
        words: list[str] = []
        things: list[list[_Thing]] = []
        place = 0
        while place < len(tokens):
            size, kind = self._named(tokens[place:], kinds)
            if not kind:
                words.append(tokens[place])
                place += 1
                continue
            place += size
            number = place < len(tokens) and tokens[place].startswith("(")
            id_ = int(tokens[place][1:-1]) if number else None
            place += number
            _take(words, things, _Thing(kind, id_), tokens[place:])
        return _Shape(tuple(words), tuple(map(tuple, things)))

    def _named(self, tokens: Sequence[str], kinds: Collection[str]) -> tuple[int, str]:
        """The number of words that name a kind at the beginning, and the kind."""
        for size in range(min(_NAME_WORDS, len(tokens)), 0, -1):
            kind = self._verbalizer.kind(" ".join(tokens[:size]), kinds)
            if kind is not None:
                return size, kind
        return 0, ""


def _take(words: list[str], things: list[list[_Thing]], thing: _Thing, rest: Sequence[str]) -> None:
    """Add a thing: to an enumeration that it goes on with, or as one more; where things are from is left out."""
    while words and (words[-1] in _ARTICLES or words[-1] in _NUMBERS):
        thing = thing._replace(times=_NUMBERS.get(words.pop(), thing.times))
    if words and words[-1] == "from" and "#" in words:
        words.pop()
        return
    if joint := next((n for n in (2, 1) if words[-n - 1 :] in (["#", ",", "and"], ["#", ","], ["#", "and"])), 0):
        ends = not rest or rest[0] in (",", "and", ":")
        new = rest[:1] and rest[0] in _SAID_OF and (len(rest) == 1 or rest[1] in (",", "and"))
        if (words[-1] == "and" and not new) or (words[-1] == "," and ends and (rest or len(things[-1]) > 1)):
            del words[-joint:]
            things[-1].append(thing)
            return
    words.append("#")
    things.append([thing])


def _named_by(shape: _Shape) -> set[str]:
    return {thing.kind for group in shape.things for thing in group}


def _kinds(value: Any) -> Iterator[str]:
    """Every class that a condition names."""
    if isinstance(value, Mapping):
        if isinstance(value.get("class"), str):
            yield value["class"]
        for part in value.values():
            yield from _kinds(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _kinds(part)


def _transfer(wanted: Sequence[Mapping[str, Json]], remembered: _Shape, asked: _Shape) -> Iterator[ConditionJson]:
    """Yield a remembered goal's conditions about the things of another goal."""
    places = {thing.kind: place for place, group in reversed([*enumerate(remembered.things)]) for thing in group}
    counts = {thing.times for group in remembered.things for thing in group}
    done: set[str] = set()
    for one in wanted:
        used = list(dict.fromkeys(places[kind] for kind in _kinds(one) if kind in places))
        names = {kind: used.index(places[kind]) for kind in _kinds(one) if kind in places}
        counted = one.get("count") in counts
        template = repr((_put(one, {kind: _Thing(f"#{at}") for kind, at in names.items()}), used))
        template = re.sub(r", 'count': \d+", "", template) if counted else template
        if template in done:
            continue
        done.add(template)
        for chosen in product(*(asked.things[place] for place in used)):
            made = _put(one, {kind: chosen[at] for kind, at in names.items()})
            number = max((thing.times for thing in chosen), default=1)
            if ("from" in made or "node" in made) and (counted or number > 1):
                made = {key: value for key, value in made.items() if key != "count"}
                made |= {"count": number} if number > 1 else {}
            yield made


def _put(value: Any, things: Mapping[str, _Thing]) -> Any:
    """Return a condition with other things in the place of kinds."""
    if isinstance(value, Mapping):
        kind = value.get("class")
        if isinstance(kind, str) and kind in things:
            thing = things[kind]
            return {"class": thing.kind} if thing.id is None else {"id": thing.id}
        return {key: _put(part, things) for key, part in value.items()}
    return [_put(part, things) for part in value] if isinstance(value, list | tuple) else value
