"""Searches that a text suggests, for those who need a finite list of actions: exploration and search.

They are pieces of the instruction or question itself, never of what it was made from.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from .ranking import STOPWORDS

_PRICE: Final = re.compile(r",? and price lower than [\d.]+ dollars?.*$")
_PARTS: Final = re.compile(r"[,;]|\. | - | with | that | and | in ")
_WORD: Final = re.compile(r"[\w'&.-]*\w")
_ASKING: Final = STOPWORDS | frozenset(
    """i im i'm am me my we you it's looking look need needs want wants would like can could get find please buy
    purchase help i'd should has have make sure pick prefer one ones some something also than from which who what how
    many does class function module page parameter default value list defines derive section documents""".split()
)
_MOST: Final = 6


@lru_cache(maxsize=4096)
def queries(text: str) -> tuple[str, ...]:
    """Return at most six searches: all its content words, its first few, and its parts, the longest first."""
    plain = _PRICE.sub("", text.lower())
    words = _telling(plain)
    if not words:
        return (" ".join(_WORD.findall(plain)) or "help",)
    parts = sorted((_telling(part) for part in _PARTS.split(plain)), key=len, reverse=True)
    found = dict.fromkeys(" ".join(some) for some in (words, words[:4], words[:2], *parts) if some)
    return tuple(found)[:_MOST]


def _telling(text: str) -> list[str]:
    return [word for word in _WORD.findall(text) if word not in _ASKING]
