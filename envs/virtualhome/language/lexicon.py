"""The household's words for stories and questions: verbs in the past tense, states, plurals, what lives there."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ...verbalizer import Lexicon

PAST: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "WALK": ("went to {0}", "walked to {0}", "walked over to {0}", "headed to {0}"),
        "RUN": ("ran to {0}", "hurried to {0}"),
        "FIND": ("found {0}", "looked for {0} and found {them}"),
        "SIT": ("sat down on {0}", "took a seat on {0}"),
        "LIE": ("lay down on {0}", "lay on {0}"),
        "STANDUP": ("stood up", "got up"),
        "SLEEP": ("slept for a while", "fell asleep"),
        "WAKEUP": ("woke up",),
        "GRAB": ("picked up {0}", "took {0}", "grabbed {0}", "got {0}"),
        "OPEN": ("opened {0}",),
        "CLOSE": ("closed {0}", "shut {0}"),
        "PUTBACK": ("put {0} on {1}", "placed {0} on {1}", "left {0} on {1}", "set {0} down on {1}"),
        "PUTIN": ("put {0} in {1}", "placed {0} in {1}", "left {0} in {1}"),
        "SWITCHON": ("switched on {0}", "turned on {0}"),
        "SWITCHOFF": ("switched off {0}", "turned off {0}"),
        "PLUGIN": ("plugged in {0}",),
        "PLUGOUT": ("unplugged {0}", "pulled the plug of {0}"),
        "TURNTO": ("turned to {0}", "faced {0}"),
        "LOOKAT": ("looked at {0}", "examined {0}"),
        "POINTAT": ("pointed at {0}",),
        "WATCH": ("watched {0}",),
        "WIPE": ("wiped {0}", "wiped off {0}"),
        "WASH": ("washed {0}", "cleaned {0}"),
        "RINSE": ("rinsed {0}",),
        "SCRUB": ("scrubbed {0}",),
        "PUTON": ("put on {0}",),
        "PUTOFF": ("took off {0}",),
        "DROP": ("dropped {0}", "put down {0}", "let go of {0}"),
        "RELEASE": ("let go of {0}", "put down {0}"),
        "POUR": ("poured {0} into {1}",),
        "DRINK": ("drank from {0}",),
        "READ": ("read {0}",),
        "EAT": ("ate of {0}",),
        "CUT": ("cut {0}", "sliced {0}"),
        "TOUCH": ("touched {0}",),
        "TYPE": ("typed on {0}",),
        "PUSH": ("pushed {0}",),
        "PULL": ("pulled {0}",),
        "MOVE": ("moved {0} a little",),
        "SQUEEZE": ("squeezed {0}",),
        "WAIT": ("waited", "did nothing"),
        "GREET": ("greeted {0}", "said hello to {0}"),
    }
)
"""Each verb in the past tense, the plainest way first."""
_STATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "CLOSED": "closed",
        "OPEN": "open",
        "ON": "on",
        "OFF": "off",
        "PLUGGED_OUT": "unplugged",
        "DIRTY": "dirty",
        "SITTING": "sitting",
        "LYING": "lying",
    }
)
"""The states worth saying: that a thing is clean or plugged in is the usual case."""
PLURALS: Final = frozenset(
    "keys socks pants shoes cookies building_blocks clothes_pants clothes_socks pajamas sheets spectacles glasses "
    "clothes scissors slippers headphones drawers".split()
)
"""Classes whose name is a plural though it stands for one thing: "the keys are on the desk"."""
_MASSES: Final = frozenset(
    "water juice milk wine bread cereal soup cheese soap tooth_paste shampoo toilet_paper ground_coffee cat_food "
    "dish_soap laundry_detergent chicken".split()
)
_ROOMS: Final = (
    "kitchen",
    "bathroom",
    "bedroom",
    "living room",
    "dining room",
    "home office",
    "hallway",
    "laundry room",
    "kids bedroom",
)

_CARRYING: Final[Mapping[str, str]] = MappingProxyType(
    {"WALK": "go", "GRAB": "grab", "PUTBACK": "put", "PUTIN": "put", "DROP": "drop", "OPEN": "open"}
    | {"STANDUP": "approach"}
    | dict.fromkeys(("RUN", "FIND", "RELEASE", "PUTOBJBACK", "SIT", "LIE", "CLOSE"), "")
)

LEXICON: Final = Lexicon(
    past=PAST,
    going=frozenset({"WALK", "RUN", "FIND"}),
    back=MappingProxyType({"PUTOBJBACK": {"ON": "PUTBACK", "INSIDE": "PUTIN", "": "DROP"}}),
    pouring=frozenset({"POUR"}),
    carrying=_CARRYING,
    reaching=frozenset({"TOUCH"}),
    states=_STATES,
    plurals=PLURALS,
    masses=_MASSES,
    alive=frozenset({"character", "cat", "child"}),
    structure=frozenset({"door", "doorjamb", "floor", "wall", "ceiling", "light"}),
    rooms=_ROOMS,
    example=(
        "Have the candle on the nightstand",
        "Walk to the candle. Grab the candle. Walk to the nightstand. Put the candle on the nightstand.",
    ),
    wrong_places=5,
)
