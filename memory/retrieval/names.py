"""Numbers, codes and the like that a question names: "4711", "LH123", "house:7", "2024-05-03", "gate 7".

To an embedder "4711" and "4712" are nearly the same, and words weigh less than meaning: of the candidates, those that
name what the question names have to come first. Not here: finding candidates, and names without digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from itertools import pairwise
from typing import Final, NamedTuple

_NAME: Final = re.compile(r"[^\W_]+(?:[-:./_@#][^\W_]+)*")
_PART: Final = re.compile(r"[^\W_]+")
_THOUSANDS: Final = re.compile(r"(?<=\d)[,'\u2019\u202f](?=\d{3}\b)")
_DIGIT: Final = re.compile(r"\d")
_BARE: Final = 0.8
"""What a name is worth after another word: "gate 12" for "room 12", or "4711" for "code 4711"."""
_QUANTITY: Final = 0.4
"""How much less a number of one digit is worth: it is often a quantity."""


class AskedName(NamedTuple):
    """A name with digits in a question; its parts are joined by spaces."""

    name: str
    after: str
    """The name after the word before it, `"gate 12"`; the name itself at the beginning."""

    def worth(self, named: Set[str]) -> float:
        """Return how well the names of a text answer it, from 0 to 1."""
        found = 1.0 if self.after in named else _BARE if self.name in named else 0.0
        return found * (_QUANTITY if len(self.name) == 1 else 1.0)


def asked_names(question: str) -> tuple[AskedName, ...]:
    """Return the names with digits of a question, each once."""
    names = ((" ".join(parts), before) for parts, before in _named(question))
    return tuple(dict.fromkeys(AskedName(name, f"{before} {name}".strip()) for name, before in names))


def names_in(text: str) -> frozenset[str]:
    """Return what a text names with digits: whole names, parts of them, and both after the word before."""
    found: set[str] = set()
    for parts, before in _named(text):
        found |= {" ".join(parts), " ".join((before, *parts))}
        found |= {part for part in parts if len(part) > 1 and _DIGIT.search(part)}
        found |= {f"{one} {other}" for one, other in pairwise(parts) if _DIGIT.search(other)}
    return frozenset(found)


def share_named(asked: Sequence[AskedName], text: str) -> float:
    """Return how much of what a question names a text names too, from 0 to 1; 0 where it names nothing."""
    named = names_in(text) if asked else frozenset()
    return sum(one.worth(named) for one in asked) / len(asked) if named else 0.0


def _named(text: str) -> Iterator[tuple[list[str], str]]:
    """Yield the parts of each name with digits, and the word before it."""
    before = ""
    for match in _NAME.finditer(_THOUSANDS.sub("", text.casefold())):
        parts = _PART.findall(match[0])
        if _DIGIT.search(match[0]):
            yield parts, before
        before = parts[-1]
