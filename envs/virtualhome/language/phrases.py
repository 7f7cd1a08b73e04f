"""The grammar that actions, plans, instructions and goals share: how each verb is said, and what a name may begin with.

The first phrase of a verb is the one that is written; all are read. What goals and requests ask for stands below
as data: what changes a state, holds, wears or places a thing, and errands by name. Not here: finding the thing that a
name means (`nouns`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from ...plans import ARTICLE


class Phrase(NamedTuple):
    """One way of saying a verb, ready to be matched against a text in lower case with single spaces."""

    verb: str
    """In upper case."""
    pattern: re.Pattern[str]


@lru_cache(maxsize=64)
def compile_phrases(phrases: tuple[tuple[str, str], ...]) -> tuple[Phrase, ...]:
    """Return pairs of verb and phrase as patterns, the longest first: "put back {0} on {1}" before "put back {0}"."""
    found = []
    for verb, text in phrases:
        pattern = re.escape(text).replace(r"\{0\}", "(.+)").replace(r"\{1\}", "(.+)").replace(r"\ ", r"\s+")
        found.append((-len(text), Phrase(verb, re.compile(f"^{pattern}$"))))
    return tuple(phrase for _, phrase in sorted(found, key=lambda entry: entry[0]))


def without_article(name: str) -> str:
    """Return a noun phrase without the article or determiner that it begins with."""
    return ARTICLE.sub("", name.strip())


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
    "PutBack": (
        "put {0} on {1}",
        "place {0} on {1}",
        "put {0} onto {1}",
        "put back {0} on {1}",
        "set {0} on {1}",
        "put {0} in/on {1}",
    ),
    "PutIn": (
        "put {0} in {1}",
        "put {0} into {1}",
        "place {0} in {1}",
        "place {0} into {1}",
        "put {0} inside {1}",
        "put {0} in/on {1}",
    ),
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

# --- what is asked for, in goals and requests

STATE_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "on": "ON", "switched on": "ON", "turned on": "ON", "running": "ON", "lit": "ON",
        "off": "OFF", "switched off": "OFF", "turned off": "OFF",
        "open": "OPEN", "opened": "OPEN", "closed": "CLOSED", "shut": "CLOSED",
        "clean": "CLEAN", "cleaned": "CLEAN", "washed": "CLEAN", "dirty": "DIRTY",
        "plugged in": "PLUGGED_IN", "unplugged": "PLUGGED_OUT", "plugged out": "PLUGGED_OUT",
    }
)  # fmt: skip

IN_WORDS: Final = r"back in|in and on|in|inside|into"
ON_WORDS: Final = r"on top of|back onto|back on|upon|onto|on"
NEAR_WORDS: Final = r"next to|close to|near to|near"
AT_WORDS: Final = rf"in/on|on/in|in or on|on or in|back to|over to|{NEAR_WORDS}|to|at"
PREPOSITION: Final = rf"(?:{AT_WORDS}|{ON_WORDS}|{IN_WORDS})"

CHANGES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "ON": ("switch on {0}", "turn on {0}", "switch {0} on", "turn {0} on", "start {0}", "power on {0}",
               "activate {0}", "put {0} on", "run {0}", "start up {0}", "start {0} up", "turn up {0}"),
        "OFF": ("switch off {0}", "turn off {0}", "switch {0} off", "turn {0} off", "shut off {0}", "shut {0} off",
                "power off {0}", "power down {0}", "deactivate {0}", "turn out {0}", "put out {0}", "stop {0}"),
        "OPEN": ("open {0}", "open up {0}"),
        "CLOSED": ("close {0}", "shut {0}", "close up {0}", "draw {0}"),
        "PLUGGED_IN": ("plug in {0}", "plug {0} in"),
        "PLUGGED_OUT": ("unplug {0}", "plug out {0}", "plug {0} out", "pull the plug of {0}", "disconnect {0}"),
        "CLEAN": ("wash {0}", "clean {0}", "wipe {0}", "wipe off {0}", "wipe down {0}", "rinse {0}", "scrub {0}",
                  "wash up {0}", "wash off {0}", "clean up {0}", "wash {0} up", "dust {0}", "dust off {0}",
                  "vacuum {0}", "mop {0}", "sweep {0}", "polish {0}", "do {0}", "wipe {0} clean"),
    }
)  # fmt: skip
"""What brings a state about."""
HOLD: Final = ("grab {0}", "take {0}", "pick up {0}", "pick {0} up", "get {0}", "fetch {0}", "hold {0}",
                "bring me {0}", "give me {0}", "hand me {0}", "get me {0}", "fetch me {0}", "bring {0} to me",
                "bring {0} here", "bring us {0}", "pass me {0}", "serve me {0}", "take out {0}", "take {0} out",
                "get out {0}", "get {0} out", "pull out {0}", "collect {0}", "take hold of {0}")  # fmt: skip
RUN: Final = tuple(
    f"{verb} {{0}} {word} {{1}}"
    for verb in "wash|wash up|clean|rinse|heat|heat up|warm|warm up|reheat|cook|bake|roast|fry|grill|boil|toast|brew"
    "|dry|defrost|melt|do".split("|")
    for word in ("in", "on", "with", "using")
)
"""What a machine does with what is in or on it while it runs."""
HEAT: Final = ("heat {0}", "heat up {0}", "heat {0} up", "warm {0}", "warm up {0}", "warm {0} up", "reheat {0}",
               "microwave {0}", "defrost {0}")  # fmt: skip
COOK: Final = ("cook {0}", "bake {0}", "roast {0}", "fry {0}", "grill {0}")
HEATERS: Final = MappingProxyType({"HEAT": ("microwave", "oven", "stove"), "COOK": ("oven", "stove", "microwave")})
"""Where something is made warm or done, the first that there is."""
WEAR: Final = ("put on {0}", "wear {0}", "dress in {0}", "get dressed in {0}")
AWAY: Final = (
    "put {0} away",
    "put away {0}",
    "tidy up {0}",
    "tidy {0}",
    "tidy {0} away",
    "clear away {0}",
    "store {0}",
    "stow {0}",
)
DISCARD: Final = ("throw {0} away", "throw away {0}", "throw out {0}", "throw {0} out", "discard {0}", "dispose of {0}",
                   "get rid of {0}", "trash {0}", "bin {0}")  # fmt: skip
GO: Final = ("go to {0}", "walk to {0}", "walk into {0}", "go into {0}", "enter {0}", "come to {0}", "head to {0}",
              "move to {0}", "run to {0}", "go in {0}", "walk over to {0}", "approach {0}", "come into {0}",
              "be in {0}", "go over to {0}", "step into {0}", "find {0}", "look for {0}")  # fmt: skip
DEPART: Final = ("leave {0}", "get out of {0}", "get off {0}", "go out of {0}", "stay out of {0}", "stay off {0}",
                  "exit {0}")  # fmt: skip
REMOVE: Final = ("remove {0} from {1}", "clear {0} from {1}", "clear {0} off {1}", "take {0} off {1}",
                  "keep {0} off {1}",
                  "keep {0} out of {1}", "keep {0} away from {1}", "get {0} off {1}", "move {0} off {1}",
                  "move {0} out of {1}", "clear {0} out of {1}")  # fmt: skip
NOT_AT: Final = r"out of|off|away from|outside"
CLEAR: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "clear": ("clear {0}", "clear off {0}", "clean off {0}"),
        "empty": ("empty {0}", "unload {0}", "empty out {0}", "clear out {0}", "clean out {0}"),
    }
)
"""What takes everything off or out of some furniture."""
DIM: Final = ("dim {0}", "dim down {0}", "turn down {0}", "turn {0} down", "soften {0}")
LIGHT: Final[Mapping[str, str]] = MappingProxyType(
    {"dark": "darken|black out", "bright": "brighten|brighten up", "lit": "light up|light|illuminate"}
)
"""What brings a room's light about."""
PUT_AWAY_IN: Final = (("CLOTHES", "closet dresser"), ("READABLE", "bookshelf shelf"), ("EATABLE DRINKABLE", "fridge"),
                 ("RECIPIENT", "kitchen_cabinet"))  # fmt: skip
"""Where things of some property are put away; toys go to the toy box, everything else into a cabinet."""
PLACING_VERBS: Final = tuple(
    "put place set lay leave store stow move bring carry take transfer return deliver drop hang shelve stack insert "
    "throw toss deposit keep pour pack load get transport position serve stick have want need fetch pass slide".split()
)
PLACING: Final = re.compile(
    rf"^(?:{'|'.join(PLACING_VERBS)})(?: (?:back|away|down|up|out|over))?(?: me| us)? (?!me |us )(.+)$"
)
PLACE_SPLIT: Final = re.compile(rf"(?:\s+(?:back|away|down|up|over))?\s+({AT_WORDS}|{ON_WORDS}|{IN_WORDS})\s+")
ERRANDS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(rf"(?:{said})"), meant)
    for said, meant in (
        (r"(?:take a nap|have a nap|nap|sleep|go to sleep|fall asleep)(?: a little)? (?:in|on) (?P<n>.+)",
         "lie on {n}, sleep"),
        (r"go to (?:bed|sleep)|(?:get some )?sleep(?: a little| for a while)?|go and sleep|get (?:in|into) bed",
         "you are on a bed, you are lying, sleep"),
        (r"(?:go to|use) the (?:toilet|loo|bathroom toilet)", "you are on a toilet"),
        (r"take a nap|have a nap|nap", "you are on a couch, you are lying, sleep"),
        (r"(?:take|have) a bath", "you are on a bathtub, you are lying"),
        (r"watch (?:some |the )?(?:tv|television|telly)", "watch a television"),
        (r"(?:make|brew|prepare|get me|fix)(?: me| us)?(?: some| a cup of| a pot of| a)?(?: fresh)? coffee",
         "ground coffee is in a coffee maker, that coffee maker is on"),
        (r"(?:make|prepare)(?: me| us)?(?: some| a)? toast|toast some bread",
         "bread is in a toaster, that toaster is on"),
        (r"boil (?:some )?water", "water is in a pot, that pot is on a stove, that stove is on"),
        (r"(?:set|lay) the (?:dinner |dining )?table(?: for (?P<n>\w+))?(?: people| persons)?",
         "{n} plates are on the dining table, {n} forks are on the dining table"),
        (r"make (?:the|my|your) bed", "the pillows are on a bed"),
        (r"(?:have|drink) (?:some |a little |the )?(?P<n>\w+) (?:out of|from) (?:a |an |the )(?P<m>[a-z ]+)",
         "{n} is in a {m}, drink that {m}"),
        (r"darken (?P<n>.+) with the curtains? and the lights?",
         "the curtain in {n} is closed, the light in {n} is off"),
        (r"feed the (?:cat|kitty)", "cat food is in the cat bowl"),
        (r"water the (?:house)?plants?", "water is in a houseplant"),
        (r"do the laundry",
         "the clothes are in the washing machine, the washing machine is closed, the washing machine is on"),
        (r"(?:sit|have a seat|take a seat)(?: down)?", "you are sitting"),
        (r"lie down|lie", "you are lying"),
        (r"get dressed", "you wear a shirt, you wear pants"),
        (r"(?:answer|pick up) the phone|(?:take|answer) (?:the|that|a) (?:phone )?call", "you hold the phone"),
        (r"listen to (?:some |the )?(?:music|radio)|play (?:some )?music", "a radio is on"),
        (r"wash (?:your |my )?hands", "you hold a soap, a faucet is on"),
        (r"brush (?:your |my )?teeth", "tooth paste is in a toothbrush, you hold a toothbrush"),
        (r"(?:turn|switch|put) (?:out |off )?(?:the )?lights out|lights out|lights off", "every light is off"),
        (r"lights on", "every light is on"),
    )
)  # fmt: skip
"""What people do at home by name, as the goals that are meant."""

_SAID_ELSEWHERE: Final = frozenset(
    "WALK RUN FIND SIT LIE STANDUP GRAB OPEN CLOSE PUTBACK PUTIN PUTOBJBACK SWITCHON SWITCHOFF PLUGIN PLUGOUT WIPE "
    "WASH RINSE SCRUB PUTON PUTOFF DROP RELEASE POUR MOVE WAKEUP".split()
)
UNCHECKED: Final = MappingProxyType(
    {v.upper(): said for v, said in PHRASES.items() if v.upper() not in _SAID_ELSEWHERE}
)
"""The phrases of actions that leave nothing behind to check."""
