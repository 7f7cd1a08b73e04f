"""What may be asked for, as patterns, and what is said against it: opposite states, and conditions denied.

Not here: what a pattern's words mean (`clauses`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import Final

from .....errors import GoalError
from ....facts.conditions import ConditionJson
from ..phrases import (
    AWAY,
    CHANGES,
    CLEAR,
    COOK,
    DEPART,
    DIM,
    DISCARD,
    GO,
    HEAT,
    HOLD,
    PLACING_VERBS,
    REMOVE,
    RUN,
    STATE_WORDS,
    UNCHECKED,
    WEAR,
)

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

UNKNOWN: Final = re.compile(r"there is no (.+) here\b")
STATE: Final = rf"(?:(?:still|left|kept) )?({'|'.join(sorted(STATE_WORDS, key=len, reverse=True))})"
"""A state in words, as the one group of a pattern."""


@lru_cache(maxsize=1)
def patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return what may be asked for, each as a pattern, the longest first."""
    rows: list[tuple[str, str]] = [
        (key, said) for key, phrases in chain(CHANGES.items(), UNCHECKED.items()) for said in phrases
    ]
    named = {
        "HOLD": HOLD,
        "WEAR": WEAR,
        "AWAY": AWAY,
        "DISCARD": DISCARD,
        "GO": GO,
        "FILL": ("fill {0} with {1}", "load {0} with {1}", "load up {0} with {1}", "stock {0} with {1}"),
        "SET": ("set {0} with {1}", "lay {0} with {1}"),
    }
    named |= {"RUN": RUN, "HEAT": HEAT, "COOK": COOK}
    named |= {"REMOVE": REMOVE, "DEPART": DEPART, "DIM": DIM, **CLEAR}
    rows += [(key, said) for key, phrases in named.items() for said in phrases]
    rows.sort(key=lambda row: (-len(row[1]), row[0]))
    return tuple((key, re.compile(re.sub(r"\\\{\d\\\}", "(?!me |us )(.+)", re.escape(said)))) for key, said in rows)


@lru_cache(maxsize=1)
def verbs() -> frozenset[str]:
    """Return the words that a request may begin with."""
    said = (pattern.pattern.partition("\\")[0].partition(" ")[0] for _, pattern in patterns())
    return frozenset({*said, *PLACING_VERBS, "sit", "lie", "make", "let", "do"} - {"the", ""})


@lru_cache(maxsize=1 << 10)
def base_form(word: str) -> str | None:
    """Return the verb of which a word is the "-ing" form: "opening" is of "open"; None if it is of none."""
    if not word.endswith("ing"):
        return None
    stem = word[:-3]
    forms = (stem, f"{stem}e", stem[:-1], f"{stem[:-1]}ie")
    return next((form for form in forms if form in verbs()), "lie" if word == "lying" else None)


def clearer(problem: GoalError | None, other: GoalError) -> GoalError:
    """Return the one of two reasons that says more: any before an unknown name, and of those the shortest."""
    if problem is None:
        return other
    unknown, unknown_other = (UNKNOWN.match(str(one)) for one in (problem, other))
    if unknown is None or (unknown_other and len(unknown_other[1]) >= len(unknown[1])):
        return problem
    return other


def denied(condition: ConditionJson) -> ConditionJson:
    """What holds if something was not done: of "the lights", none."""
    if "not" in condition:
        inner: ConditionJson = condition["not"]
        return inner
    return {"not": {key: value for key, value in condition.items() if key != "count" or value != "all"}}
