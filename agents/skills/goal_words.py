"""Goals in words taken apart: what things they name, how alike two are, one's conditions about another's things.

"Put two cups in the sink" is the words "put # in #", the things [cup x 2] and [sink]. Things of two goals stand for
each other by their place where the words are the same, else by kind and by purpose. Not here: remembering (`goals`).
"""

from __future__ import annotations

import difflib
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final, NamedTuple

from ...envs.facts.conditions import ConditionJson
from ...experience import Json

ALIKE: Final = 0.8
"""From this similarity of the words around the things on, two goals are taken to mean the same."""
_NAME_WORDS: Final = 3
_TOKEN: Final = re.compile(r"\(\d{1,18}\)|[^\W_]+(?:'[^\W_]+)?|[,;:]")
_NUMBERS: Final = {"two": 2, "three": 3, "four": 4, "five": 5}
_SAID_OF: Final = frozenset("on off open closed".split())
"""What may be said of a thing alone: "the television on"."""
_ARTICLES: Final = frozenset("the a an some my your".split())
_ENDINGS: Final = re.compile(r"(?<=[a-z]{3})(?:ing|ed|es|s|e)$")
"""What words differ in that have one stem: "petting" and "pet" do not, "watching" and "watch" do."""
_TITLE: Final = 3
"""How often a word of the title counts once more."""

Purposes = Callable[[str], frozenset[str]]


class WordedThing(NamedTuple):
    """A thing that a goal names."""

    kind: str
    id: int | None = None
    times: int = 1


class GoalShape(NamedTuple):
    """A goal in words without its things."""

    words: tuple[str, ...]
    """With `#` for one thing or several: "put # in #"."""
    things: tuple[tuple[WordedThing, ...], ...]
    """What stands for each `#`."""

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of the things."""
        return frozenset(thing.kind for group in self.things for thing in group)


def shape_of(text: str, named: Callable[[str], str | None]) -> GoalShape:
    """Take a goal apart; `named` returns the kind that a name in lower case means, or None."""
    tokens = _TOKEN.findall(text.lower())
    words: list[str] = []
    things: list[list[WordedThing]] = []
    place = 0
    while place < len(tokens):
        size, kind = _named(tokens[place:], named)
        if not kind:
            words.append(tokens[place])
            place += 1
            continue
        place += size
        number = place < len(tokens) and tokens[place].startswith("(")
        id_ = int(tokens[place][1:-1]) if number else None
        place += number
        _take(words, things, WordedThing(kind, id_), tokens[place:])
    return GoalShape(tuple(words), tuple(map(tuple, things)))


def same_words(one: GoalShape, other: GoalShape) -> float:
    """Return how much the words around the things are the same, in order: 0 to 1; 0 with unlike numbers of things."""
    if len(one.things) != len(other.things):
        return 0.0
    return difflib.SequenceMatcher(None, one.words, other.words, autojunk=False).ratio()


def likeness(shapes: Sequence[GoalShape]) -> list[float]:
    """Return how alike the first goal and each other are, in words and kinds in any order: 0 to 1.

    That is the cosine of their words, with or without a title ("Pet cat: ..."), whichever is larger.
    """
    plain, titled = (_cosines([_features(shape, times) for shape in shapes]) for times in (0, _TITLE))
    return list(map(max, plain, titled))


def _cosines(features: Sequence[Mapping[str, int]]) -> list[float]:
    """Return the cosines of the first with each other; a word weighs the more, the fewer of them have it."""
    having = Counter(word for one in features for word in one)
    rare = {word: math.log(1 + len(features) / times) for word, times in having.items()}
    vectors = [{word: (1 + math.log(n)) * rare[word] for word, n in one.items()} for one in features]
    lengths = [math.sqrt(sum(value**2 for value in one.values())) or 1.0 for one in vectors]
    first = vectors[0]
    return [
        sum(value * first.get(word, 0.0) for word, value in one.items()) / (length * lengths[0])
        for one, length in zip(vectors[1:], lengths[1:], strict=True)
    ]


def _features(shape: GoalShape, title: int) -> Counter[str]:
    """Return the words and kinds of a goal; those before its first colon count that many times more."""
    found: Counter[str] = Counter()
    groups = iter(shape.things)
    for word in shape.words:
        if word == ":" and title:
            found.update({f":{one}": title for one in found})
            title = 0
        elif word == "#":
            found.update({thing.kind for thing in next(groups)})
        elif word.isalpha():
            found[_stem(word)] += 1
    return found


def aligned(known: GoalShape, asked: GoalShape, purposes: Purposes) -> tuple[int | None, ...]:
    """Return for each group of things of one goal the place of what stands for it in another; None where nothing does.

    Args:
        known: The one goal.
        asked: The other.
        purposes: What a kind of thing is good for.
    """
    if same_words(known, asked) >= ALIKE:
        return tuple(range(len(known.things)))
    pairs = sorted(
        (-_fit(mine, its, purposes), abs(at - place), at, place)
        for at, mine in enumerate(known.things)
        for place, its in enumerate(asked.things)
    )
    found: dict[int, int] = {}
    for fit, _, at, place in pairs:
        if fit and at not in found and place not in found.values():
            found[at] = place
    return tuple(found.get(at) for at in range(len(known.things)))


def shared_things(known: GoalShape, asked: GoalShape, places: Sequence[int | None], purposes: Purposes) -> int:
    """Return how many kinds of things two goals share; all that are asked for, if each has a counterpart of its sort.

    Without things it is 1.
    """
    fits = [
        place is not None and _fit(known.things[at], asked.things[place], purposes) for at, place in enumerate(places)
    ]
    if len(known.things) == len(asked.things) and all(fits):
        return max(len(asked.kinds), 1)
    return len(known.kinds & asked.kinds)


def kept(wanted: Sequence[Mapping[str, Json]], known: GoalShape, places: Sequence[int | None]) -> float:
    """Return how far what a goal wants can be said of other things: 1, down to 0.5 where none has a counterpart."""
    groups = {thing.kind: at for at, group in enumerate(known.things) for thing in group}
    needed = [groups[kind] for kind in set(kinds_of(wanted)) if kind in groups]
    return 0.5 + 0.5 * sum(places[at] is not None for at in needed) / len(needed) if needed else 1.0


def restores(wanted: Sequence[Mapping[str, Json]], known: GoalShape) -> bool:
    """Return whether a goal's things, put in their own places, give its own conditions."""
    plain = GoalShape(known.words, tuple(tuple(thing._replace(id=None) for thing in group) for group in known.things))
    again = transfer(wanted, plain, plain, tuple(range(len(plain.things))))
    return sorted(map(_canonical, again)) == sorted(map(_canonical, wanted))


def _canonical(condition: Mapping[str, Any]) -> str:
    return repr(sorted(condition.items()))


def transfer(
    wanted: Sequence[Mapping[str, Json]], known: GoalShape, asked: GoalShape, places: Sequence[int | None]
) -> tuple[ConditionJson, ...]:
    """Return one goal's conditions about the things of another.

    Args:
        wanted: The conditions of the one.
        known: Its words.
        asked: The other's words.
        places: What stands for its things, from `aligned`.
    """
    groups = {thing.kind: at for at, group in reversed([*enumerate(known.things)]) for thing in group}
    counts = {thing.times for group in known.things for thing in group}
    done: set[str] = set()
    found: list[ConditionJson] = []
    for one in wanted:
        named = {kind: place for kind in kinds_of(one) if (place := _place(kind, groups, places)) is not None}
        used = list(dict.fromkeys(named.values()))
        names = {kind: used.index(place) for kind, place in named.items()}
        counted = one.get("count") in counts
        template = repr((_put(one, {kind: WordedThing(f"#{at}") for kind, at in names.items()}), used))
        template = re.sub(r", 'count': \d+", "", template) if counted else template
        if names and template in done:
            continue
        done.add(template)
        for chosen in product(*(asked.things[place] for place in used)):
            made = _put(one, {kind: chosen[at] for kind, at in names.items()})
            number = max((thing.times for thing in chosen), default=1)
            if ("from" in made or "node" in made) and ((counted and names) or number > 1):
                made = {key: value for key, value in made.items() if key != "count"}
                made |= {"count": number} if number > 1 else {}
            found.append(made)
    return tuple(found)


def kinds_of(value: Any) -> Iterator[str]:
    """Yield every class that a condition names."""
    if isinstance(value, Mapping):
        if isinstance(value.get("class"), str):
            yield value["class"]
        for part in value.values():
            yield from kinds_of(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from kinds_of(part)


def _place(kind: str, groups: Mapping[str, int], places: Sequence[int | None]) -> int | None:
    return places[groups[kind]] if kind in groups else None


def _fit(some: Iterable[WordedThing], others: Iterable[WordedThing], purposes: Purposes) -> int:
    """Return how well things stand for others: 2 for the same kind, 1 for the same purpose."""
    here, there = ({thing.kind for thing in group} for group in (some, others))
    if here & there:
        return 2
    return int(any(purposes(one) & purposes(other) for one in here for other in there))


def _stem(word: str) -> str:
    return _ENDINGS.sub("", word)


def _named(tokens: Sequence[str], named: Callable[[str], str | None]) -> tuple[int, str]:
    """Return the number of words that name a kind at the beginning, and the kind."""
    for size in range(min(_NAME_WORDS, len(tokens)), 0, -1):
        kind = named(" ".join(tokens[:size]))
        if kind is not None:
            return size, kind
    return 0, ""


def _take(words: list[str], things: list[list[WordedThing]], thing: WordedThing, rest: Sequence[str]) -> None:
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


def _put(value: Any, things: Mapping[str, WordedThing]) -> Any:
    """Return a condition with other things in the place of kinds."""
    if isinstance(value, Mapping):
        kind = value.get("class")
        if isinstance(kind, str) and kind in things:
            thing = things[kind]
            return {"class": thing.kind} if thing.id is None else {"id": thing.id}
        return {key: _put(part, things) for key, part in value.items()}
    return [_put(part, things) for part in value] if isinstance(value, list | tuple) else value
