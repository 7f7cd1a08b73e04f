"""The grammar that actions, plans, instructions and goals share: how each verb is said, and what a name may begin with.

The first phrase of a verb is the one that is written; all are read. Not here: finding the thing that a name means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from ...plans import ARTICLES

_ARTICLE: Final = re.compile(rf"^(?:{'|'.join(ARTICLES)})\s+")


class Phrase(NamedTuple):
    """One way of saying a verb, ready to be matched against a text in lower case with single spaces."""

    verb: str
    """In upper case."""
    pattern: re.Pattern[str]


def compile_phrases(phrases: Iterable[tuple[str, str]]) -> tuple[Phrase, ...]:
    """Return pairs of verb and phrase as patterns, the longest first: "put back {0} on {1}" before "put back {0}"."""
    found = []
    for verb, text in phrases:
        pattern = re.escape(text).replace(r"\{0\}", "(.+)").replace(r"\{1\}", "(.+)").replace(r"\ ", r"\s+")
        found.append((-len(text), Phrase(verb, re.compile(f"^{pattern}$"))))
    return tuple(phrase for _, phrase in sorted(found, key=lambda entry: entry[0]))


def without_article(name: str) -> str:
    """Return a noun phrase without the article or determiner that it begins with."""
    return _ARTICLE.sub("", name.strip())


PHRASES: Final[dict[str, tuple[str, ...]]] = {
    "Walk": ("walk to {0}", "go to {0}", "walk into {0}", "go into {0}", "enter {0}", "walk {0}", "approach {0}"),
    "Run": ("run to {0}", "run into {0}"),
    "Find": ("find {0}", "look for {0}", "search for {0}"),
    "Sit": ("sit on {0}", "sit down on {0}", "sit in {0}"),
    "Lie": ("lie on {0}", "lie down on {0}", "lie in {0}"),
    "StandUp": ("stand up", "get up", "stand"),
    "Sleep": ("sleep", "fall asleep", "go to sleep"),
    "WakeUp": ("wake up",),
    "Grab": ("grab {0}", "take {0}", "pick up {0}", "pick {0} up", "get {0}"),
    "Open": ("open {0}",),
    "Close": ("close {0}", "shut {0}"),
    "PutBack": ("put {0} on {1}", "place {0} on {1}", "put {0} onto {1}", "put back {0} on {1}", "set {0} on {1}"),
    "PutIn": ("put {0} in {1}", "put {0} into {1}", "place {0} in {1}", "place {0} into {1}", "put {0} inside {1}"),
    "PutObjBack": ("put {0} back", "put back {0}"),
    "SwitchOn": ("switch on {0}", "turn on {0}", "switch {0} on", "turn {0} on"),
    "SwitchOff": ("switch off {0}", "turn off {0}", "switch {0} off", "turn {0} off"),
    "PlugIn": ("plug in {0}", "plug {0} in"),
    "PlugOut": ("unplug {0}", "plug out {0}", "plug {0} out"),
    "TurnTo": ("turn to {0}", "face {0}"),
    "LookAt": ("look at {0}", "examine {0}"),
    "PointAt": ("point at {0}", "point to {0}"),
    "Watch": ("watch {0}",),
    "Wipe": ("wipe {0}", "wipe off {0}"),
    "Wash": ("wash {0}", "clean {0}"),
    "Rinse": ("rinse {0}",),
    "Scrub": ("scrub {0}",),
    "PutOn": ("put on {0}", "wear {0}"),
    "PutOff": ("take off {0}", "put off {0}", "take {0} off"),
    "Drop": ("drop {0}", "let go of {0}"),
    "Release": ("release {0}",),
    "Pour": ("pour {0} into {1}", "pour {0} in {1}", "pour {0} on {1}"),
    "Drink": ("drink {0}", "drink from {0}"),
    "Read": ("read {0}",),
    "Eat": ("eat {0}", "eat from {0}"),
    "Cut": ("cut {0}", "slice {0}"),
    "Touch": ("touch {0}", "pet {0}"),
    "Type": ("type on {0}", "type {0}"),
    "Push": ("push {0}", "press {0}"),
    "Pull": ("pull {0}",),
    "Move": ("move {0}",),
    "Squeeze": ("squeeze {0}",),
    "Greet": ("greet {0}", "say hello to {0}"),
}
"""The phrases of each verb, as VirtualHome spells it."""
