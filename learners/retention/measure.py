"""What a model still knows: bits per byte of prose, code and dialogue, and a test of knowledge in two forms.

The knowledge questions are asked as plain text, and, of a model with a chat template, through it as well: a tuned
model may keep one and lose the other. Not here: the texts and questions themselves, and tables (`views`).
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...experience import Json
from ..evaluation.intervals import Interval, wilson
from ..evaluation.perplexity import LanguageRetention, asked, log_likelihoods, measure_language
from ..examples import Example
from ..models.load import context_of
from ..training.batches import encode_prompts, has_chat, pad_of
from ..training.losses import Precision, autocast
from .questions import knowledge_questions
from .texts import Exchange, retention_texts

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedTokenizerBase

TEXTS: Final = ("prose", "code", "dialogue")
PLAIN: Final = "knowledge, plain"
CHAT: Final = "knowledge, chat"

Part = Callable[[str, Callable[[], dict[str, Json]]], dict[str, Json]]
"""Returns what a part of this name came to, which the function given measures if it is not known yet."""


@dataclass(frozen=True, slots=True)
class RetentionReport:
    """What one model knows."""

    texts: Mapping[str, LanguageRetention]
    """The NLL of each kind of text."""
    knowledge: Mapping[str, tuple[float, ...]]
    """By form, 1 for each question that was answered rightly and 0 for each other."""
    topics: tuple[str, ...]
    """The topic of each question."""

    def share(self, form: str) -> Interval:
        """Return the share of right answers, with its 95 % interval (Wilson)."""
        values = self.knowledge[form]
        return wilson(round(sum(values)), len(values))

    def summary(self) -> dict[str, Json]:
        """Return it as plain JSON, without every text and question."""
        return {
            "bits_per_byte": {kind: one.bits_per_byte for kind, one in self.texts.items()},
            "knowledge": {form: {**self.share(form)._asdict(), "n": len(self.topics)} for form in self.knowledge},
        }


def measure_retention(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    *,
    texts: int = 40,
    per_topic: int | None = None,
    batch: int = 16,
    precision: Precision = "fp32",
    part: Part | None = None,
) -> RetentionReport:
    """Measure what a model knows.

    Args:
        model: A causal language model.
        tokenizer: The model's.
        texts: The maximum number of texts of each kind.
        per_topic: The maximum number of questions of each topic; all if None.
        batch: Texts or questions in one forward pass.
        precision: Of the forward passes.
        part: Keeps finished parts; None to measure all of them.

    Raises:
        DataError: the interpreter has no sources of its standard library.
        LearningError: a text does not fit into the model.
    """
    part = part or (lambda name, make: make())
    known, questions = retention_texts(texts), knowledge_questions(per_topic)

    def read(kind: str) -> dict[str, Json]:
        if kind == "dialogue":
            return _told(_measure_dialogue(model, tokenizer, known.dialogue, batch, precision))
        found = known.prose if kind == "prose" else known.code
        return _told(measure_language(model, tokenizer, found, batch=batch, precision=precision))

    def answer(form: str) -> dict[str, Json]:
        right = answer_questions(model, tokenizer, questions, chat=form == CHAT, batch=batch, precision=precision)
        return {"right": right}

    kept = {kind: part(kind, partial(read, kind)) for kind in TEXTS}
    forms = (PLAIN, CHAT) if has_chat(tokenizer) else (PLAIN,)
    return RetentionReport(
        {kind: LanguageRetention(tuple(t["nats"]), tuple(t["tokens"]), tuple(t["bytes"])) for kind, t in kept.items()},
        {form: tuple(part(form, partial(answer, form))["right"]) for form in forms},
        tuple(str(one.source["topic"]) for one in questions),
    )


def _told(found: LanguageRetention) -> dict[str, Json]:
    return {"nats": found.nats, "tokens": found.tokens, "bytes": found.bytes}


def _measure_dialogue(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    exchanges: Sequence[Exchange],
    batch: int,
    precision: Precision,
) -> LanguageRetention:
    """Measure answers behind their questions, in the form in which the model is prompted."""
    answers = [one.answer if has_chat(tokenizer) else f" {one.answer}" for one in exchanges]
    asks = [one.question if has_chat(tokenizer) else f"Question: {one.question}\nAnswer:" for one in exchanges]
    prompts = encode_prompts(tokenizer, asks)
    said = tokenizer(answers, add_special_tokens=False)["input_ids"]
    room = context_of(model) + 1
    sequences = [
        ([*prompt, *answer][-room:], min(len(answer), room - 1)) for prompt, answer in zip(prompts, said, strict=True)
    ]
    logs = log_likelihoods(model, sequences, pad=pad_of(tokenizer), batch=batch, precision=precision)
    sizes = tuple(len(answer.encode()) for answer in answers)
    return LanguageRetention(tuple(-log for log in logs), tuple(map(len, said)), sizes)


def answer_questions(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    questions: Sequence[Example],
    *,
    chat: bool,
    batch: int = 16,
    precision: Precision = "fp32",
) -> list[float]:
    """Return 1 for each question whose right choice has the greatest mean log-probability per token, and else 0.

    A question is read once, and its choices behind it; one that is too long for the model loses its beginning.

    Args:
        model: A causal language model of transformers that keeps a cache.
        tokenizer: The model's.
        questions: With choices, as many each.
        chat: Whether they are asked through the chat template, or as plain text.
        batch: Questions in one forward pass.
        precision: Of the forward pass.
    """
    asks = [f"Complete the sentence: {one.prompt} ..." if chat else one.prompt for one in questions]
    prompts = encode_prompts(tokenizer, asks) if chat else tokenizer(asks, add_special_tokens=False)["input_ids"]
    choices = [
        tokenizer([c.lstrip() if chat else c for c in one.choices], add_special_tokens=False)["input_ids"]
        for one in questions
    ]
    room = context_of(model) - max(len(choice) for row in choices for choice in row)
    prompts = [ids[-room:] for ids in prompts]
    right = [0.0] * len(questions)
    order = sorted(range(len(questions)), key=lambda i: len(prompts[i]))
    with asked(model):
        for begin in range(0, len(order), batch):
            part = order[begin : begin + batch]
            rates = _rated(model, [prompts[i] for i in part], [choices[i] for i in part], pad_of(tokenizer), precision)
            for i, row in zip(part, rates, strict=True):
                right[i] = float(questions[i].choices[int(np.argmax(row))] == questions[i].completion)
    return right


def _rated(
    model: Any,
    prompts: Sequence[Sequence[int]],
    choices: Sequence[Sequence[Sequence[int]]],
    pad: int,
    precision: Precision,
) -> list[list[float]]:
    """Return the mean log-probability per token of every choice of every prompt."""
    import torch

    longest, count = max(map(len, prompts)), len(choices[0])
    where = next(model.parameters()).device
    ids = torch.tensor([[*[pad] * (longest - len(one)), *one] for one in prompts], device=where)
    mask = torch.tensor([[0] * (longest - len(one)) + [1] * len(one) for one in prompts], device=where)
    flat = [choice for row in choices for choice in row]
    width = max(map(len, flat))
    said = torch.tensor([[*one, *[pad] * (width - len(one))] for one in flat], device=where)
    real = torch.arange(width, device=where) < torch.tensor([len(one) for one in flat], device=where)[:, None]
    with torch.inference_mode(), autocast(model, precision):
        places = (mask.cumsum(-1) - 1).clamp(min=0)
        read = model(input_ids=ids, attention_mask=mask, position_ids=places, use_cache=True)
        cache = getattr(read, "cache", None) or read.past_key_values
        cache.batch_repeat_interleave(count)
        # Versions of transformers before 5.23 call it otherwise.
        name = "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"
        whole = torch.cat([mask.repeat_interleave(count, 0), real.long()], 1)
        follow = places[:, -1:].repeat_interleave(count, 0) + 1 + torch.arange(width, device=where)
        out = model(input_ids=said, attention_mask=whole, position_ids=follow, **{name: cache})
        first = read.logits[:, -1:].repeat_interleave(count, 0)
        logs = torch.cat([first, out.logits[:, :-1]], 1).float().log_softmax(-1)
        logs = logs.gather(-1, said[..., None])[..., 0].masked_fill(~real, 0.0)
    means = (logs.sum(-1) / real.sum(-1)).reshape(len(prompts), count)
    return [[value if math.isfinite(value) else -math.inf for value in row] for row in means.tolist()]
