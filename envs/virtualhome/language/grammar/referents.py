"""What a text speaks of: each noun in its turn, what "it" and "that plate" mean, and which lamp "the lamp" is.

A thing that is named again is the same thing: the conditions about it share a name under `"same"`. Not here: what a
noun phrase means by itself (`nouns`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from .....errors import GoalError
from .nouns import NUMBERS, Moment, Noun, merged, read_noun

_CARRIED: Final = ("water", "child")
"""What is carried without being `GRABBABLE`."""
_SMALL: Final = frozenset("the a an in on of for it to is and or at by with no".split())
_LIST: Final = re.compile(r"\s*(?:,\s*and\s+|,\s*|\s+and\s+)")
_FRESH: Final = re.compile(rf"(^|, |\band )(?:(?:a|an|another) |({'|'.join(NUMBERS)}|[0-9]{{1,3}}) )")
_QUANTIFIER: Final = re.compile(r"(?:all(?: of)?(?: the| my| your)?|every|each|the|my|your|no) ")
_DETERMINED: Final = re.compile(
    rf"(?:{'|'.join(NUMBERS)}|[0-9]+|all|every|each|any|no|the|my|your|our|his|her|its|their|this|that|these|those|some"
    r"|another|at|more|fewer|exactly|everything|everybody|nothing|nobody) "
)
_PLACED: Final = re.compile(r" (?:in|on|inside|from|at|by) .+$")


class Referent(NamedTuple):
    """A thing, or some, that a text has named."""

    same: str
    """The name under which conditions about it are about the same."""
    nodes: int
    """What it was found to mean."""
    number: int


class Named(NamedTuple):
    """What a text has named up to some place; a reader that tries several readings goes back to it."""

    texts: tuple[str, ...] = ()
    """What "it" may be: the last clause's thing, its place, then what clauses before it named."""
    referents: Mapping[str, Referent] = MappingProxyType({})
    """By name without article, the last named last."""
    taken: frozenset[str] = frozenset()
    """The names of things that were given so far."""
    form: str = ""
    """Which form the clause before had, by the name of its reader."""


class Referents:
    """The nouns of one text."""

    def __init__(self, moment: Moment) -> None:
        """Begin a text about a household."""
        self.moment, self.scene = moment, moment.scene
        self._begun = self._now = Named()

    @property
    def named(self) -> Named:
        """What was named so far."""
        return self._now

    @named.setter
    def named(self, before: Named) -> None:
        """Begin a clause after those that named this."""
        self._begun = self._now = before

    @property
    def form(self) -> str:
        """Which form the clause before had."""
        return self._begun.form

    def said_by(self, form: str) -> None:
        """Keep which form the clause has, for the next one."""
        self._now = self._now._replace(form=form)

    def it(self) -> tuple[str, ...]:
        """Return what a pronoun may mean, the likeliest first, in words that mean the same things again."""
        return tuple(
            _FRESH.sub(lambda m: f"{m[1]}those {m[2]} " if m[2] else f"{m[1]}that ", text) for text in self._now.texts
        )

    def knows(self, text: str) -> bool:
        """Return whether a text names things that are here."""
        before = self._now
        try:
            self.nouns(text)
        except GoalError:
            return False
        finally:
            self._now = before
        return True

    def nouns(self, text: str) -> list[Noun]:
        """Read one noun phrase, or several joined by "and"; a place after the last one may be that of all.

        Raises:
            GoalError: a name means nothing here; half a sentence.
        """
        try:
            found = [self._same(read_noun(text, self.moment))]
        except GoalError:
            parts = [part for part in _LIST.split(text) if part]
            if len(parts) < 2:
                raise
            found = [self._same(noun) for noun in self._listed(parts)]
            if not self.moment.seen:
                found = merged(found)
        self.name(text)
        return found

    def one(self, text: str) -> Noun:
        """Read the noun phrase of a place.

        Raises:
            GoalError: it means nothing here, or may mean things of several kinds; half a sentence.
        """
        noun = self._same(read_noun(text, self.moment))
        self.one_only(noun)
        return noun

    def name(self, thing: str, place: str = "") -> None:
        """Keep what was named, for "it"."""
        texts = tuple(dict.fromkeys(one for one in (thing, place, *self._now.texts) if one))
        self._now = self._now._replace(texts=texts)

    def mention(self, text: str) -> None:
        """Keep the first thing that a text names, for "it" in what follows."""
        words = re.findall(r"[a-z']+", text)
        for start in range(len(words)):
            for end in range(min(len(words), start + 3), start, -1):
                name = " ".join(words[start:end])
                if words[start] not in _SMALL and self.knows(name):
                    self.name(f"the {name}")
                    return

    def unmet(self, noun: Noun, met: int) -> Noun:
        """Return what "the lamp" means where some lamps are as is asked for: one of those that are not."""
        if not (self.moment.seen and noun.definite and noun.number == 1 and noun.most is None):
            return noun
        return self._narrowed(noun, noun.nodes & ~met)

    def there(self, noun: Noun, source: Noun) -> Noun:
        """Return those of some things that are in or on a place now, where all of a scene is known.

        Raises:
            GoalError: there are none; half a sentence.
        """
        if not self.moment.seen:
            return noun
        found = noun.nodes & self.moment.within(source.nodes)
        if not found:
            where = "in" if source.nodes & self.scene.rooms else "in or on"
            raise GoalError(f"there is no {' or '.join(noun.classes).replace('_', ' ')} {where} {source.text}")
        return self._narrowed(noun, found)

    def one_only(self, noun: Noun) -> None:
        """Refuse "the" for things of several kinds.

        Raises:
            GoalError: it may mean several; half a sentence.
        """
        is_one = noun.definite and noun.number == 1 and " or " not in noun.text
        if self.moment.seen and is_one and len(noun.classes) > 1:
            names = [f"the {name.replace('_', ' ')}" for name in noun.classes]
            raise GoalError(f"{noun.text!r} may mean {', '.join(names[:-1])} or {names[-1]}: say which")

    def require_movable(self, noun: Noun) -> None:
        """Refuse to carry what nobody can carry, where all of a scene is known.

        Raises:
            GoalError: nobody can carry it; half a sentence.
        """
        if not self.moment.seen:
            return
        if not noun.nodes & ~self.scene.rooms:
            raise GoalError(f"{noun.text} is a room: say which things in it are meant")
        if not noun.nodes & (self.scene.having["GRABBABLE"] | self.scene.union(_CARRIED)):
            raise GoalError(f"{noun.text} cannot be carried")

    def _listed(self, parts: list[str]) -> list[Noun]:
        """Read the nouns of a list: "the cup and the plate in the sink" are both in the sink, if there are such."""
        if (place := _PLACED.search(parts[-1])) and not any(_PLACED.search(part) for part in parts[:-1]):
            try:
                return [
                    read_noun(f"{part}{place[0]}", self.moment) for part in (*parts[:-1], parts[-1][: place.start()])
                ]
            except GoalError:
                pass  # then each is where it is said to be
        before = _QUANTIFIER.match(parts[0])  # "all doors and windows"
        return [
            read_noun(part if before is None or _DETERMINED.match(part) else f"{before[0]}{part}", self.moment)
            for part in parts
        ]

    def _same(self, noun: Noun) -> Noun:
        """Return a noun as the thing that was named before, if it is one, and keep it for what comes."""
        if not self.moment.seen or noun.number < 1 or noun.most is not None or noun.nodes.bit_count() <= noun.number:
            return noun
        known = None if noun.fresh else next(self._alike(noun), None)
        if known is None:
            taken = self._begun.taken
            names = (noun.name if n == 1 else f"{noun.name} {n}" for n in range(1, len(taken) + 2))
            known = Referent(next(name for name in names if name not in taken), noun.nodes, noun.number)
        same = known.same  # a clause may be read several times, and what it found of a noun stays
        known = next((one for one in self._now.referents.values() if one.same == same), known)
        return self._narrowed(noun._replace(same=same), noun.nodes & known.nodes)

    def _alike(self, noun: Noun) -> Iterator[Referent]:
        """Yield what a noun may mean again, by its name or by a part of it: "the lamp" after "the lamp in the hall"."""
        for name, one in sorted(self._begun.referents.items(), key=lambda entry: entry[0] != noun.name):
            part = noun.definite and (name.startswith(f"{noun.name} ") or name.endswith(f" {noun.name}"))
            if (part or name == noun.name) and one.number == noun.number:
                yield one

    def _narrowed(self, noun: Noun, nodes: int) -> Noun:
        """Return a noun with some of its nodes, unless those are none, and keep what it means."""
        if nodes and nodes != noun.nodes:
            noun = noun.only(nodes, self.scene)
        if noun.same:
            kept = {name: one for name, one in self._now.referents.items() if name != noun.name}
            known = Referent(noun.same, noun.nodes, max(noun.number, 1))
            taken = self._now.taken | {noun.same}
            self._now = self._now._replace(referents={**kept, noun.name: known}, taken=taken)
        return noun
