"""A language model of a few thousand weights, trained for a moment on a few sentences: what tests of measuring ask."""

from functools import lru_cache
from typing import TYPE_CHECKING

from pathei.learners.models.base import BaseRecipe, train_base

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

RECIPE = BaseRecipe(layers=2, width=32, heads=2, vocabulary=400, context=64, steps=60, batch=4, learning_rate=5e-3)
TEXTS = tuple(
    f"The {thing} is in the {room}. Q: Where is the {thing}?\nA: the {room}\n"
    for thing in ("apple", "book", "cup", "towel", "radio", "pillow")
    for room in ("kitchen", "bedroom", "bathroom", "living room")
)


@lru_cache(maxsize=4)
def small_model(seed: int = 0) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """Return the model and its tokenizer; they are shared, so a test leaves them as they are."""
    from dataclasses import replace

    return train_base(TEXTS * 4, replace(RECIPE, seed=seed))
