"""Language models by name: any causal one that transformers can read, and `tiny`, which we train ourselves.

What a model may be named by, and where its files are, is in `pretrained`. Not here: quantised bases, which a caller
loads and passes in.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ...pretrained import is_tiny, load_pretrained
from .base import Progress, quietly, tiny_base

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Dtype = Literal["fp32", "bf16", "stored"]
"""fp32 for training (`TrainingConfig.precision` is that of matrix products), bf16 for inference; `stored` keeps the
dtype of the files."""


def load_model(
    name: str | Path,
    device: str = "cpu",
    dtype: Dtype = "fp32",
    *,
    progress: Progress | None = None,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a causal language model with its tokenizer.

    A tokenizer without a padding token gets the end-of-sequence token; padding is masked wherever we use it.

    Args:
        name: A run, an adapter, a model's folder, a GGUF file, an id on the Hugging Face hub, or `tiny`.
        device: `"cpu"`, `"cuda"`, `"cuda:1"`, ...
        dtype: Of the weights.
        progress: Called during the training of the tiny model, if it has to be trained first.

    Returns:
        The model, in evaluation mode, and its tokenizer.

    Raises:
        MissingDependencyError: torch, transformers, or what an adapter or a GGUF file needs is not installed.
        ModelError: there is no such model or device, or it is not a causal language model.
        DataError, StoreError: the tiny model cannot be made; see `tiny_base`.
    """
    if is_tiny(name):
        name = tiny_base(progress=progress)
    types = {"fp32": "float32", "bf16": "bfloat16", "stored": "auto"}
    with quietly():
        model, tokenizer = load_pretrained(name, types[dtype], device)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model.eval(), tokenizer  # type: ignore[no-untyped-call]


def context_of(model: nn.Module, limit: int = 1024) -> int:
    """Return the maximum sequence length for a model, in tokens: its context, or `limit` if that is less."""
    longest = getattr(getattr(model, "config", None), "max_position_embeddings", None)
    return min(limit, longest) if isinstance(longest, int) and longest > 0 else limit
