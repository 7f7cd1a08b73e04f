"""Instructions, "turn on the lamp and put the cup in the sink", read into conditions that can be checked.

An imperative is turned into the sentence that is true once it was followed, and `parse_goal` reads that; a declarative
sentence is read as it stands. Not here: verbs that leave nothing behind to check (drink, read, watch).
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

from ....errors import GoalError
from ....experience import Goal
from ..engine.rules import Rules
from ..engine.scene import Scene
from .parse_action import phrases
from .parse_goal import read_sentence

_RESULT: Final = MappingProxyType(
    {
        "SWITCHON": "{0} is on",
        "SWITCHOFF": "{0} is off",
        "OPEN": "{0} is open",
        "CLOSE": "{0} is closed",
        "PLUGIN": "{0} is plugged in",
        "PLUGOUT": "{0} is unplugged",
        "WASH": "{0} is clean",
        "WIPE": "{0} is clean",
        "PUTBACK": "{0} is on {1}",
        "PUTIN": "{0} is in {1}",
        "POUR": "{0} is in {1}",
        "GRAB": "you hold {0}",
        "PUTON": "you wear {0}",
        "SIT": "you are on {0}",
        "LIE": "you are on {0}",
        "WALK": "you are in {0}",
    }
)
_JOINT: Final = re.compile(r"\s*(?:,?\s+and then\s+|,\s*then\s+|,\s*and\s+|,\s*|\s+and\s+|;\s*)")


def read_instruction(text: str, scene: Scene, rules: Rules) -> Goal:
    """Return the goal that an instruction states, with its own words as the text.

    Args:
        text: One instruction or several, imperative or declarative.
        scene: The household whose things it names.
        rules: Whose phrases it may use.

    Raises:
        GoalError: an instruction cannot be read as something to check, or names what is not there.
    """
    clauses = [clause for clause in _JOINT.split(text.strip().rstrip(".!").lower()) if clause]
    if not clauses:
        raise GoalError("The goal is empty: say what is to be done, as in 'turn on the lamp'.")
    return Goal(text.strip(), read_sentence(" and ".join(_declared(clause, scene, rules) for clause in clauses), scene))


def _declared(clause: str, scene: Scene, rules: Rules) -> str:
    """Return the first reading of an imperative that names things which are there; the clause itself if it is none."""
    fallback = clause
    for phrase in phrases(rules):
        match = phrase.pattern.match(clause)
        if match is None or phrase.verb not in _RESULT:
            continue
        sentence = _RESULT[phrase.verb].format(*match.groups())
        try:
            read_sentence(sentence, scene)
        except GoalError:
            fallback = sentence if fallback == clause else fallback
        else:
            return sentence
    return fallback
