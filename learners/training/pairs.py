"""Plans two by two, as conversations: a model that acts is shown plans for other goals first, and learns from such.

In half of the pairs the first goal is the most similar one, as a memory would show it; in the others it is any. Both
plans are learned, so the example that stands first costs nothing. Not here: the plans (`bare`).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from ..examples import ChatTurn, Example

_WORD: Final = re.compile(r"[a-z]+")


def paired(examples: Sequence[Example], rng: np.random.Generator, max_words: int = 1000) -> list[Example]:
    """Return one conversation for each example, which ends with it.

    Args:
        examples: Questions with answers, at least two.
        rng: Draws the first halves; it is consumed.
        max_words: Where a pair is longer, the example stands alone.
    """
    words = [frozenset(_WORD.findall(one.prompt.lower())) for one in examples]
    found = []
    for place, one in enumerate(examples):
        others = [other for other in range(len(examples)) if other != place]
        first = int(rng.choice(others))
        if rng.random() < 0.5:
            first = max(others, key=lambda other: (_alike(words[place], words[other]), -other))
        turns: tuple[ChatTurn, ...] = (*_said(examples[first]), *_said(one))
        if sum(len(turn.text.split()) for turn in turns) > max_words:
            turns = _said(one)
        found.append(dataclasses.replace(one, prompt="", completion="", turns=turns))
    return found


def _said(one: Example) -> tuple[ChatTurn, ChatTurn]:
    return ChatTurn("user", one.prompt), ChatTurn("assistant", one.completion.strip())


def _alike(some: frozenset[str], others: frozenset[str]) -> float:
    return len(some & others) / max(1, len(some | others))
