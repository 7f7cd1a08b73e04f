"""Plans in words and back: `[Walk] <fridge> (26)` is "Walk to the fridge.", and any usual wording of it is read.

The first phrase of a verb is written; every phrase is read, in any case, numbered or not, one sentence to an action.
Things are named by their class, or with their id ("the plate (103)") where a plan would be ambiguous otherwise. Not
here: finding the thing that a name means (`run_plan`), and reading one action in the household itself (`parse_action`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Final

from ...facts import Action, FactGraph, read_action
from ...verbalizer import NamedThing, Reading, Sentence, capitalised, plan_text
from .grammar.names import read_name
from .phrases import PHRASES, Phrase, compile_phrases, without_article

_NUMBERING: Final = re.compile(r"^(?:step\s*)?\d*\s*[.):-]?\s*", re.IGNORECASE)
_BREAK: Final = re.compile(r"[.;!\n]+|,?\s+(?:and\s+)?then\s+|,\s+and\s+|,\s+", re.IGNORECASE)
_SUBJECT: Final = re.compile(r"^(?:(?:please|first|next|finally|now|and|you|i|then)\s+)+", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\s*\(?\s*#?(\d{1,18})\s*\)?$")


def noun(name: str) -> str:
    """Return a class in words: `"dining_table"` is a "dining table"."""
    return name.replace("_", " ")


def say_action(action: Action, numbered: Collection[str] = ()) -> str:
    """Return an action as a sentence, as "Put the cup on the table." is one.

    Args:
        action: What is done.
        numbered: Classes whose things are named with their ids.
    """
    phrase = _SAID.get(action.verb)
    if phrase is None:
        phrase = action.verb.lower() + ("", " {0}", " {0} to {1}")[len(action.ids)]
    names = (
        f"the {noun(name)}{f' ({number})' if name in numbered else ''}"
        for name, number in zip(action.names, action.ids, strict=True)
    )
    return capitalised(phrase.format(*names))


def say_plan(actions: Sequence[str], numbered: Collection[str] = ()) -> str:
    """Return script lines as sentences: "Walk to the fridge. Open the fridge." What is no script line stays itself."""
    read = ((read_action(text), text) for text in actions)
    return " ".join(
        capitalised(text.strip()) if action is None else say_action(action, numbered) for action, text in read
    )


def read_plan(text: str) -> tuple[Sentence, ...]:
    """Read a plan in words; what follows an empty line or a new question is skipped.

    Script lines are read too. A sentence that is not an action has no readings.
    """
    found: list[Sentence] = []
    for part in _BREAK.split(plan_text(text)):
        cleaned = _SUBJECT.sub("", _NUMBERING.sub("", part.strip()))
        if cleaned:
            found.append(Sentence(cleaned, _readings(cleaned)))
    return tuple(found)


def read_named_action(text: str, graph: FactGraph) -> Action | None:
    """Read an action in plain English where each of its names can mean one thing of a graph only."""
    sentences = read_plan(text)
    for reading in sentences[0].readings if len(sentences) == 1 else ():
        ids: list[int] = []
        for thing in reading.things:
            name = read_name(thing.name, frozenset(graph.kinds.values()))
            named = [] if name is None else [n for n, kind in graph.kinds.items() if kind in name.classes]
            if thing.id in named:
                ids.append(thing.id)
            elif len(named) == 1:
                ids += named
        if len(ids) == len(reading.things):
            return Action(reading.verb, tuple(graph.kinds[n] for n in ids), tuple(ids))
    return None


def _readings(text: str) -> tuple[Reading, ...]:
    action = read_action(text)
    if action is not None:
        return (Reading(action.verb, tuple(map(_thing, action.names, action.ids))),)
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
    words = without_article(words)
    number = _NUMBER.search(words)
    return NamedThing(words) if number is None else NamedThing(words[: number.start()].strip(), int(number[1]))


_SAID: Final = {verb.upper(): phrases[0] for verb, phrases in PHRASES.items()}


@lru_cache(maxsize=1)
def _patterns() -> tuple[Phrase, ...]:
    return compile_phrases(tuple((verb.upper(), phrase) for verb, phrases in PHRASES.items() for phrase in phrases))
