"""Forgetting: the increase in NLL on reference text, and the divergence from the base on the new task.

Every token of every text is predicted once, from as much of the preceding text as fits. Nats per token and perplexity
(e^nats, not 2^nats) compare models with one tokenizer; bits per byte compare any. Not here: where the text comes from
(`stdlib_text`, or the user's own).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...errors import LearningError
from ..examples import Example
from ..models.load import context_of
from ..training.batches import collate, has_chat, pad_of, separator_of, tokenise
from ..training.losses import Precision, autocast
from .intervals import Interval, bootstrap

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class LanguageRetention:
    """The NLL of each text."""

    nats: tuple[float, ...]
    """-log p of each whole text, in nats."""
    tokens: tuple[int, ...]
    """The length of each text in tokens."""
    bytes: tuple[int, ...]
    """The length of each text in UTF-8 bytes."""

    @property
    def nats_per_token(self) -> float:
        """The mean loss of a token, over all texts together."""
        return sum(self.nats) / sum(self.tokens)

    @property
    def perplexity(self) -> float:
        """e^nats_per_token."""
        return math.exp(self.nats_per_token)

    @property
    def bits_per_byte(self) -> float:
        """The NLL per byte in bits, which does not depend on the tokenizer."""
        return sum(self.nats) / sum(self.bytes) / math.log(2)


def measure_language(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    length: int | None = None,
    stride: int | None = None,
    batch: int = 16,
    precision: Precision = "fp32",
) -> LanguageRetention:
    """Measure how well a causal language model predicts texts.

    A text begins behind the token that begins a sequence; without one, behind the separator of documents. One that is
    longer than `length` is read through a window that moves on by `stride` tokens; with `stride` equal to `length`, the
    windows are those of lm-eval's `loglikelihood_rolling`. With a smaller one every token has at least
    `length - stride` tokens before it.

    Args:
        model: The model; it is put into evaluation mode and back.
        tokenizer: The model's.
        texts: At least one that is not empty.
        length: The window, in tokens; the model's context if None, but at most 1024.
        stride: In tokens, at most `length`, which it is if None.
        batch: Windows in one forward pass.
        precision: Of the forward pass.

    Raises:
        LearningError: there is no text, the stride does not fit, or the tokenizer has no token to begin with.
    """
    length = length or context_of(model)
    stride = length if stride is None else stride
    if not 1 <= stride <= length:
        raise LearningError(f"A window of {length} tokens cannot move on by {stride}: give a stride of 1 to {length}.")
    texts = [text for text in texts if text]
    if not texts:
        raise LearningError("There is no text to measure language on: give at least one that is not empty.")
    bos = None if has_chat(tokenizer) else tokenizer.bos_token_id
    first = separator_of(tokenizer) if bos is None else bos
    if not isinstance(first, int):
        raise LearningError("The tokenizer has neither a beginning nor an end of sequence: set bos_token.")
    encoded = tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
    windows = [
        _Window(number, *window)
        for number, tokens in enumerate(encoded)
        for window in windows_of(tokens, first, length, stride)
    ]
    nats = np.zeros(len(texts))
    for window, value in zip(windows, _losses(model, windows, batch, precision, pad_of(tokenizer)), strict=True):
        nats[window.text] += value
    return LanguageRetention(
        tuple(nats.tolist()), tuple(len(tokens) for tokens in encoded), tuple(len(text.encode()) for text in texts)
    )


def windows_of(tokens: Sequence[int], first: int, length: int, stride: int) -> Iterator[tuple[list[int], int]]:
    """Cut a text into windows, each with the number of tokens at its end that are to be predicted.

    Args:
        tokens: The text.
        first: The token that stands before it.
        length: How many tokens are read at a time.
        stride: How many are predicted at a time, after the first window.

    Yields:
        `[what is read, and one token more]`, of which the last `n` are predicted, and `n`. Every token of the text is
        predicted once.
    """
    text = [first, *tokens]
    done = min(length, len(tokens))
    if done:
        yield text[: done + 1], done
    while done < len(tokens):
        ahead = min(stride, len(tokens) - done)
        done += ahead
        yield text[done - length : done + 1], ahead


def measure_forgetting(before: LanguageRetention, after: LanguageRetention, rng: np.random.Generator) -> Interval:
    """Return the increase in NLL on the same texts, in nats per token, and its 95 % interval.

    The interval is a bootstrap over texts; before and after are paired.

    Args:
        before: Of the base.
        after: Of the tuned model, on the same texts.
        rng: Draws texts; it is consumed.

    Raises:
        LearningError: the texts are not the same.
    """
    if before.tokens != after.tokens:
        raise LearningError("Language was measured on different texts, or with different tokenizers, before and after.")
    lost = np.subtract(after.nats, before.nats)
    return bootstrap(np.stack([lost, np.array(before.tokens, dtype=float)], axis=1), rng, ratio=True)


def kl_from_base(
    base: nn.Module,
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    *,
    batch: int = 16,
    precision: Precision = "fp32",
) -> float:
    """Return KL(base || model) on the new task: nats per token of the examples' answers, over the whole vocabulary.

    This is the direction by which RL's Razor (Shenfeld et al. 2025) predicts forgetting; the contexts are here the
    reference answers' own prefixes.

    Args:
        base: What the model was before; it must share the tokenizer.
        model: What it is now.
        tokenizer: Theirs.
        examples: Questions with answers; those that do not fit into the context are left out.
        batch: Examples in one forward pass.
        precision: Of the forward passes.
    """
    import torch

    rows = sorted(tokenise(examples, tokenizer, max_length=context_of(model)).rows, key=lambda row: len(row.ids))
    where, total, tokens = next(model.parameters()).device, 0.0, 0
    with asked(base), asked(model), torch.inference_mode():
        for begin in range(0, len(rows), batch):
            part = collate(rows[begin : begin + batch], pad_of(tokenizer))
            ids, mask, place = part.input_ids.to(where), part.attention_mask.to(where), part.labels[:, 1:] >= 0
            logs = []
            for one in (base, model):
                with autocast(one, precision):
                    logits = one(input_ids=ids, attention_mask=mask).logits
                logs.append(logits[:, :-1][place.to(where)].float().log_softmax(-1))
            total += float((logs[0].exp() * (logs[0] - logs[1])).sum())
            tokens += int(place.sum())
    return total / tokens


class _Window(NamedTuple):
    """A piece of a text."""

    text: int
    """Which."""
    ids: list[int]
    predicted: int


def _losses(
    model: nn.Module, windows: Sequence[_Window], batch: int, precision: Precision, pad: int
) -> Sequence[float]:
    """Return for each window the loss of its predicted tokens, in nats."""
    sequences = [(window.ids, window.predicted) for window in windows]
    return [-value for value in log_likelihoods(model, sequences, batch=batch, precision=precision, pad=pad)]


def log_likelihoods(
    model: nn.Module,
    sequences: Sequence[tuple[Sequence[int], int]],
    *,
    pad: int,
    batch: int = 16,
    precision: Precision = "fp32",
) -> list[float]:
    """Return log p(the last n tokens | those before them), in nats, for each `(tokens, n)`.

    Sequences of like length go through the model together, padded on the right.

    Args:
        model: A causal language model.
        sequences: Each with more than n tokens, and at most one token more than the model's context.
        pad: The token to pad with; it is masked.
        batch: How many at a time.
        precision: Of the forward pass.
    """
    import torch

    where = next(model.parameters()).device
    found = np.zeros(len(sequences))
    order = sorted(range(len(sequences)), key=lambda i: -len(sequences[i][0]))
    with asked(model), torch.inference_mode():
        for begin in range(0, len(order), batch):
            part = order[begin : begin + batch]
            ids, mask = _padded([sequences[i][0][:-1] for i in part], pad, where)
            with autocast(model, precision):
                logits = model(input_ids=ids, attention_mask=mask).logits
            for row, i in zip(logits, part, strict=True):
                tokens, n = sequences[i]
                end = len(tokens) - 1
                target = torch.tensor(tokens[-n:], device=where)
                found[i] = -float(
                    torch.nn.functional.cross_entropy(row[end - n : end].float(), target, reduction="sum")
                )
    return found.tolist()


def _padded(sequences: Sequence[Sequence[int]], pad: int, where: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token ids padded on the right, and which of them are tokens; both of shape `[sequences, longest]`."""
    import torch

    longest = max(len(one) for one in sequences)
    ids = torch.tensor([[*one, *[pad] * (longest - len(one))] for one in sequences], device=where)
    lengths = torch.tensor([len(one) for one in sequences], device=where)
    return ids, (torch.arange(longest, device=where) < lengths[:, None]).long()


@contextlib.contextmanager
def asked(model: nn.Module) -> Iterator[None]:
    """Put a model into evaluation mode for a block, and back."""
    mode = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(mode)
