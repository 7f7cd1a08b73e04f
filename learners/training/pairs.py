"""Plans two by two, as conversations: a model that acts is shown plans for other goals first, and learns from such.

In half of the pairs the first goal is the most similar one; in the others it is any. Both plans are learned, so the
example that stands first costs nothing. A share of the conversations may begin with what a memory shows instead. Not
here: the plans (`bare`), and asking a memory (`loop.notes`).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from ..examples import ChatTurn, Example

Shown = Callable[[Example], Sequence[ChatTurn]]
"""Returns what a model is shown before an example; nothing where there is nothing to show."""

_WORD: Final = re.compile(r"[a-z]+")


def paired(
    examples: Sequence[Example],
    rng: np.random.Generator,
    max_words: int = 1000,
    *,
    shown: Shown | None = None,
    share: float = 0.5,
) -> list[Example]:
    """Return one conversation for each example, which ends with it.

    Args:
        examples: Questions with answers, at least two.
        rng: Draws the first halves; it is consumed.
        max_words: Where a pair is longer, the example stands alone.
        shown: Says what a share of the conversations begin with, where another example would stand otherwise.
        share: That share.
    """
    words = [frozenset(_WORD.findall(one.prompt.lower())) for one in examples]
    found = []
    for place, one in enumerate(examples):
        others = [other for other in range(len(examples)) if other != place]
        first = int(rng.choice(others))
        if rng.random() < 0.5:
            first = max(others, key=lambda other: (_alike(words[place], words[other]), -other))
        before: Sequence[ChatTurn] = _said(examples[first])
        if shown is not None and rng.random() < share:
            before = shown(one) or before
        turns: tuple[ChatTurn, ...] = (*before, *_said(one))
        if sum(len(turn.text.split()) for turn in turns) > max_words:
            turns = _said(one)
        found.append(dataclasses.replace(one, prompt="", completion="", turns=turns))
    return found


def _said(one: Example) -> tuple[ChatTurn, ChatTurn]:
    return ChatTurn("user", one.prompt), ChatTurn("assistant", one.completion.strip())


def _alike(some: frozenset[str], others: frozenset[str]) -> float:
    return len(some & others) / max(1, len(some | others))
