"""What may be asked for, as patterns, and what is said against it: opposite states, and conditions denied.

Not here: what a pattern's words mean (`clauses`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import Final

from ....facts.conditions import ConditionJson
from ..phrases import AWAY, CHANGES, CLEAR, DEEDS, DEPART, DIM, DISCARD, GO, HOLD, REMOVE, STATE_WORDS, WEAR

OPPOSITE: Final = MappingProxyType(
    {
        "ON": "OFF",
        "OFF": "ON",
        "OPEN": "CLOSED",
        "CLOSED": "OPEN",
        "PLUGGED_IN": "PLUGGED_OUT",
        "PLUGGED_OUT": "PLUGGED_IN",
    }
)

STATE: Final = rf"(?:(?:still|left|kept) )?({'|'.join(sorted(STATE_WORDS, key=len, reverse=True))})"
"""A state in words, as the one group of a pattern."""


@lru_cache(maxsize=1)
def patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return what may be asked for, each as a pattern, the longest first."""
    rows: list[tuple[str, str]] = [
        (key, said) for key, phrases in chain(CHANGES.items(), DEEDS.items()) for said in phrases
    ]
    named = {
        "HOLD": HOLD,
        "WEAR": WEAR,
        "AWAY": AWAY,
        "DISCARD": DISCARD,
        "GO": GO,
        "FILL": ("fill {0} with {1}",),
        "SET": ("set {0} with {1}", "lay {0} with {1}"),
    }
    named |= {"REMOVE": REMOVE, "DEPART": DEPART, "DIM": DIM, **CLEAR}
    rows += [(key, said) for key, phrases in named.items() for said in phrases]
    rows.sort(key=lambda row: (-len(row[1]), row[0]))
    return tuple((key, re.compile(re.sub(r"\\\{\d\\\}", "(.+)", re.escape(said)))) for key, said in rows)


def denied(condition: ConditionJson) -> ConditionJson:
    """What holds if something was not done: of "the lights", none."""
    if "not" in condition:
        inner: ConditionJson = condition["not"]
        return inner
    return {"not": {key: value for key, value in condition.items() if key != "count" or value != "all"}}
