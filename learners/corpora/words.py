"""How things, rooms and people are called in the corpora. Left out: what is said about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ...envs.virtualhome.houses.stable_random import StableRandom
from ...envs.virtualhome.language.plans import noun, sentence

PLURALS: Final = frozenset("keys socks pants shoes cookies building_blocks".split())
"""Classes whose name is a plural though one node bears it."""
_MASSES: Final = frozenset(
    "water juice milk wine bread cereal soup cheese soap tooth_paste shampoo toilet_paper ground_coffee cat_food "
    "dish_soap laundry_detergent chicken".split()
)


class Person(NamedTuple):
    """A character under the name that a story gives it."""

    name: str
    subject: str
    """`"she"`."""
    possessive: str
    """`"her"`."""


PEOPLE: Final = tuple(
    [Person(name, "she", "her") for name in ("Ada", "Clara", "Emma", "Grace", "Ida", "Lena", "Mary", "Nora", "Rosa")]
    + [Person(name, "he", "his") for name in ("Ben", "David", "Frank", "Hugo", "Jack", "Kofi", "Liam", "Omar", "Tom")]
)
"""Who may appear in a story."""


def the(name: str) -> str:
    """Return a class with the definite article."""
    return f"the {noun(name)}"


def an(name: str) -> str:
    """Return a class with the indefinite article: "an apple", "some juice", "some keys"."""
    if name in PLURALS or name in _MASSES:
        return f"some {noun(name)}"
    return f"{'an' if name[0] in 'aeiou' else 'a'} {noun(name)}"


def are(name: str) -> str:
    """Return the verb that agrees with a class: "are" for "the keys", "is" for "the cup"."""
    return "are" if name in PLURALS else "is"


def were(name: str) -> str:
    """Return the same in the past tense."""
    return "were" if name in PLURALS else "was"


def them(name: str) -> str:
    """Return the pronoun of a class as an object: "them" for "the keys", "it" for "the cup"."""
    return "them" if name in PLURALS else "it"


def listed(parts: Sequence[str]) -> str:
    """Return an enumeration: `"a, b and c"`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def count_words(text: str) -> int:
    """Return how many words a text has, separated by white space."""
    return len(text.split())


def cast(characters: Sequence[int], choices: StableRandom) -> dict[int, Person]:
    """Give every character a name of its own."""
    names = choices.shuffled(PEOPLE)
    return {number: names[place % len(names)] for place, number in enumerate(characters)}


__all__ = [
    "PEOPLE",
    "PLURALS",
    "Person",
    "an",
    "are",
    "cast",
    "count_words",
    "listed",
    "noun",
    "sentence",
    "the",
    "them",
    "were",
]
