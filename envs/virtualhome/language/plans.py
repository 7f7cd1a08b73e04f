"""Plans in words and back: `[Walk] <fridge> (26)` is "Walk to the fridge.", and any telling of it is read again.

What is written is the first phrase that the world knows for a verb; what is read is every phrase, in any case, numbered
or not, one sentence to an action. Things are told by the name of their class, or with their id ("the plate (103)")
where a plan would not be understood otherwise. Left out: finding the thing that a name means (`learners.execution`,
`agents.saycan`), and what is said in the world itself (`language`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from .phrases import PHRASES

_SCRIPT: Final = re.compile(r"\[(\w+)\]")
_OBJECT: Final = re.compile(r"<(.+?)>\s*\((?:\d+\.)?(\d+)\)")
_NUMBERING: Final = re.compile(r"^(?:step\s*)?\d*\s*[.):-]?\s*", re.IGNORECASE)
_END: Final = re.compile(r"\n\s*\n|\n\s*(?:Q|Question|Goal|Task|Given)\b", re.IGNORECASE)
_BREAK: Final = re.compile(r"[.;!\n]+|,?\s+(?:and\s+)?then\s+|,\s+and\s+|,\s+", re.IGNORECASE)
_SUBJECT: Final = re.compile(r"^(?:(?:please|first|next|finally|now|and|you|i|then)\s+)+", re.IGNORECASE)
_ARTICLE: Final = re.compile(r"^(?:the|a|an|my|your|some|this|that|another|other)\s+")
_NUMBER: Final = re.compile(r"\s*\(?\s*#?(\d{1,18})\s*\)?$")


class PlanAction(NamedTuple):
    """A script line taken apart."""

    verb: str
    """In upper case: `"PUTBACK"`."""
    names: tuple[str, ...]
    """The classes of its objects."""
    ids: tuple[int, ...]
    """Their ids."""


class NamedThing(NamedTuple):
    """A thing as a sentence names it."""

    name: str
    """In words, without an article: `"dining table"`."""
    id: int | None = None
    """Its id where the sentence gives one."""


class Reading(NamedTuple):
    """One way to understand a sentence."""

    verb: str
    """In upper case."""
    things: tuple[NamedThing, ...]
    """What its objects are called."""


class Sentence(NamedTuple):
    """One sentence of a plan."""

    text: str
    """As it stands in the plan."""
    readings: tuple[Reading, ...]
    """What it may mean, the likeliest first; empty where it is no action."""


def noun(name: str) -> str:
    """Return a class in words: `"dining_table"` is a "dining table"."""
    return name.replace("_", " ")


def sentence(text: str) -> str:
    """Return a text with a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text[-1:] in '.?!:' else '.'}"


def read_deed(action: str) -> PlanAction | None:
    """Take a script line apart; None if it is not one."""
    verb = _SCRIPT.match(action.strip())
    if verb is None:
        return None
    objects = _OBJECT.findall(action)
    return PlanAction(verb[1].upper(), tuple(name for name, _ in objects), tuple(int(number) for _, number in objects))


def say_deed(deed: PlanAction, numbered: Collection[str] = ()) -> str:
    """Return a deed as a sentence, as "Put the cup on the table." is one.

    Args:
        deed: What is done.
        numbered: Classes whose things are told with their ids.
    """
    phrase = _SAID.get(deed.verb)
    if phrase is None:
        phrase = deed.verb.lower() + ("", " {0}", " {0} to {1}")[len(deed.ids)]
    names = (
        f"the {noun(name)}{f' ({number})' if name in numbered else ''}"
        for name, number in zip(deed.names, deed.ids, strict=True)
    )
    return sentence(phrase.format(*names))


def ask_for_plan(goal: str) -> str:
    """Return how a plan is asked for by the goal alone: what a model is trained on, and what it is asked when it acts.

    What follows begins with a space.
    """
    return f"Goal: {sentence(goal)}\nPlan:"


def say_plan(actions: Sequence[str], numbered: Collection[str] = ()) -> str:
    """Return script lines as sentences: "Walk to the fridge. Open the fridge." What is no script line stays itself."""
    deeds = ((read_deed(action), action) for action in actions)
    return " ".join(sentence(action.strip()) if deed is None else say_deed(deed, numbered) for deed, action in deeds)


def read_plan(text: str) -> tuple[Sentence, ...]:
    """Read a plan in words; what comes after an empty line or a new question is passed over.

    Script lines are read too. A sentence that is no action has no readings.
    """
    text = text.strip()
    end = _END.search(text)
    if end is not None:
        text = text[: end.start()]
    found: list[Sentence] = []
    for part in _BREAK.split(text):
        cleaned = _SUBJECT.sub("", _NUMBERING.sub("", part.strip()))
        if cleaned:
            found.append(Sentence(cleaned, _readings(cleaned)))
    return tuple(found)


def _readings(text: str) -> tuple[Reading, ...]:
    deed = read_deed(text)
    if deed is not None:
        return (Reading(deed.verb, tuple(map(_thing, deed.names, deed.ids))),)
    lowered = " ".join(text.lower().split())
    found: dict[Reading, None] = {}
    for verb, pattern in _patterns():
        match = pattern.match(lowered)
        if match is not None:
            found[Reading(verb, tuple(map(_named, match.groups())))] = None
    return tuple(found)


def _thing(name: str, number: int) -> NamedThing:
    return NamedThing(noun(name.lower()), number)


def _named(words: str) -> NamedThing:
    words = _ARTICLE.sub("", words.strip())
    number = _NUMBER.search(words)
    return NamedThing(words) if number is None else NamedThing(words[: number.start()].strip(), int(number[1]))


_SAID: Final = {verb.upper(): phrases[0] for verb, phrases in PHRASES.items()}


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Every phrase of every verb, the longest first: "put {0} on {1}" before "put {0} back"."""
    found = []
    for verb, phrases in PHRASES.items():
        for phrase in phrases:
            pattern = re.escape(phrase).replace(r"\{0\}", "(.+)").replace(r"\{1\}", "(.+)")
            found.append((-len(phrase), verb.upper(), re.compile(f"^{pattern}$")))
    found.sort(key=lambda entry: entry[0])
    return tuple((verb, pattern) for _, verb, pattern in found)


__all__ = [
    "NamedThing",
    "PlanAction",
    "Reading",
    "Sentence",
    "noun",
    "read_deed",
    "read_plan",
    "say_deed",
    "say_plan",
    "sentence",
]
