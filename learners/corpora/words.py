"""How things, rooms and people are called in the corpora. Not here: what is said about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ...envs.verbalizer import Verbalizer
from ...stable_random import StableRandom


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
IN: Final = {"ON": "on", "INSIDE": "in"}
"""The preposition of a relation."""


class Words:
    """Kinds in words, by the lexicon of an environment."""

    def __init__(self, verbalizer: Verbalizer) -> None:
        """Use the words of an environment."""
        self._verbalizer = verbalizer
        self._lexicon = verbalizer.lexicon

    def noun(self, kind: str) -> str:
        """Return a kind: "dining table"."""
        return self._verbalizer.noun(kind)

    def the(self, kind: str) -> str:
        """Return a kind with the definite article."""
        return f"the {self.noun(kind)}"

    def an(self, kind: str) -> str:
        """Return a kind with the indefinite article: "an apple", "some juice", "some keys"."""
        if kind in self._lexicon.plurals or kind in self._lexicon.masses:
            return f"some {self.noun(kind)}"
        return f"{'an' if kind[:1] in 'aeiou' else 'a'} {self.noun(kind)}"

    def are(self, kind: str) -> str:
        """Return the verb that agrees with a kind: "are" for "the keys", "is" for "the cup"."""
        return self._lexicon.be(kind)

    def were(self, kind: str) -> str:
        """Return the same in the past tense."""
        return "were" if kind in self._lexicon.plurals else "was"

    def them(self, kind: str) -> str:
        """Return the pronoun of a kind as an object: "them" for "the keys", "it" for "the cup"."""
        return "them" if kind in self._lexicon.plurals else "it"

    def state(self, name: str) -> str | None:
        """Return the word for a state; None for one that is not worth saying."""
        states = self._lexicon.states
        return name.lower().replace("_", " ") if states is None else states.get(name)


def listed(parts: Sequence[str]) -> str:
    """Return an enumeration: `"a, b and c"`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def mixed(choices: StableRandom, right: str, wrong: Sequence[str], count: int = 4) -> tuple[str, ...]:
    """Return at most `count` options in any order: the right one and some of the wrong ones."""
    return tuple(choices.shuffled([right, *choices.shuffled(wrong)[: count - 1]]))


def count_words(text: str) -> int:
    """Return how many words a text has, separated by white space."""
    return len(text.split())


def cast(characters: Sequence[int], choices: StableRandom) -> dict[int, Person]:
    """Give every character a name of its own."""
    names = choices.shuffled(PEOPLE)
    return {number: names[place % len(names)] for place, number in enumerate(characters)}
