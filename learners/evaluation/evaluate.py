"""Evaluation of skills and forgetting: each kind of question in each split, executed plans, NLL on reference text.

An evaluation consists of parts, one per kind and split and one each for language and divergence. With a folder, each
finished part is one line of a file, answers included; an interrupted evaluation continues from there.
Not here: how single answers are judged (`metrics`), and how results are shown (`views`).
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import orjson

from ...experience import Json, task_from_json
from ...store.durable import explained
from ..examples import SPLITS, Example
from ..models.identity import model_hash
from ..models.stdlib_text import sources_hash as stdlib_hash
from ..retention.measure import RetentionReport, measure_retention
from ..training.losses import Precision
from .generation import generate
from .metrics import CHOICES, Metric, chosen, compare, metrics_of, rate_choices
from .perplexity import LanguageRetention, kl_from_base, measure_language
from .plan_execution import PlanExecutor
from .result import Evaluation, EvaluationScore

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedTokenizerBase

PARTS: Final = "parts.jsonl"
"""Within an evaluation's folder: one line per part."""

Watch = Callable[[str], None]
"""Called with the name of each part before it is done: `"counting, unseen"`."""


@dataclass(frozen=True, slots=True)
class EvaluationConfig:
    """How a model is evaluated."""

    execute: bool = True
    """Whether plans are executed in their environment."""
    beams: int = 1
    """1 for greedy answers; E2WM uses 4 for plans."""
    max_new_tokens: int | None = None
    """The maximum length of an answer; None for a quarter more than the longest correct one of its kind and split."""
    batch: int = 32
    """Sequences in one forward pass."""
    precision: Precision = "fp32"
    """Of the forward passes."""


def evaluate(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    *,
    language_texts: Sequence[str] = (),
    base: nn.Module | None = None,
    asking: EvaluationConfig | None = None,
    folder: Path | None = None,
    watch: Watch | None = None,
    retention: bool = False,
) -> Evaluation:
    """Measure a model.

    Args:
        model: A causal language model.
        tokenizer: The model's.
        examples: What is asked, of any kinds and splits.
        language_texts: Held-out reference text; empty to skip measuring language.
        base: The model before tuning, with the same tokenizer; None to skip measuring forgetting.
        asking: How to ask.
        folder: Where parts are kept; one that is there, of the same model and questions, is not done again.
        watch: Called with the name of the next part.
        retention: Whether prose, code, dialogue and knowledge are measured too, of the base as well.

    Raises:
        ConfigError, DataError, GraphError, GoalError: a plan's environment cannot be made; see `execute_plan`.
        LearningError: an example does not fit into the model, or nothing is there to measure language on.
    """
    asking = asking or EvaluationConfig()
    parts = _Parts(folder, watch or (lambda part: None))
    of_model, of_base = (model_hash(one) if folder and one is not None else "" for one in (model, base))
    texts, how = list(language_texts), dataclasses.asdict(asking)

    def language(name: str, one: nn.Module | None, identity: str) -> LanguageRetention | None:
        if one is None or not texts:
            return None
        kept = parts.get(name, [identity, how["precision"], texts], lambda: _measured(one, tokenizer, texts, asking))
        return LanguageRetention(tuple(kept["nats"]), tuple(kept["tokens"]), tuple(kept["bytes"]))

    scores: list[EvaluationScore] = []
    for kind, split in _kinds_and_splits(examples):
        these = [one for one in examples if (one.kind, one.split) == (kind, split)]
        part = parts.get(f"{kind}, {split}", [of_model, how, these], _asker(model, tokenizer, these, asking))
        scores += [
            EvaluationScore(kind, split, one["metric"], tuple(one["values"]), one["baseline"])
            for one in part["metrics"]
        ]
    kl = None
    if base is not None and examples:
        asked = [one for one in examples if one.split != "train"] or list(examples)
        about = [of_model, of_base, how["precision"], asked]
        kl = parts.get("divergence", about, _diverging(base, model, tokenizer, asked, asking))["kl"]
    now, before = language("language", model, of_model), language("language of the base", base, of_base)

    kept = [
        _kept(one, tokenizer, asking, parts, identity, of) if retention and one is not None else None
        for one, identity, of in ((model, of_model, ""), (base, of_base, " of the base"))
    ]
    return Evaluation(tuple(scores), now, before, kl, *kept)


def _kept(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    asking: EvaluationConfig,
    parts: _Parts,
    identity: str,
    of: str,
) -> RetentionReport:
    """Measure what a model still knows of what every machine has, part by part."""

    def part(name: str, make: Callable[[], dict[str, Json]]) -> dict[str, Json]:
        return parts.get(f"{name}{of}", [identity, asking.precision, stdlib_hash()], make)

    return measure_retention(model, tokenizer, batch=asking.batch, precision=asking.precision, part=part)


def _measured(
    model: nn.Module, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], asking: EvaluationConfig
) -> dict[str, Json]:
    found = measure_language(model, tokenizer, texts, batch=asking.batch, precision=asking.precision)
    return dataclasses.asdict(found)


def _diverging(
    base: nn.Module,
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    asking: EvaluationConfig,
) -> Callable[[], dict[str, Json]]:
    batch, precision = asking.batch, asking.precision
    return lambda: {"kl": kl_from_base(base, model, tokenizer, examples, batch=batch, precision=precision)}


def _kinds_and_splits(examples: Sequence[Example]) -> list[tuple[str, str]]:
    """Return those that there are, kinds in the order of their first example."""
    there = {(one.kind, one.split) for one in examples}
    kinds = dict.fromkeys(one.kind for one in examples)
    return [(kind, split) for kind in kinds for split in SPLITS if (kind, split) in there]


def _asker(
    model: nn.Module, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example], asking: EvaluationConfig
) -> Callable[[], dict[str, Json]]:
    """Return what asks examples of one kind and split: what was answered, and what that is worth."""

    def ask() -> dict[str, Json]:
        metrics = [one for one in metrics_of(examples[0]) if asking.execute or one != "goal"]
        answers: list[str] = []
        if set(metrics) - CHOICES:
            longest = _longest_answer(tokenizer, examples)
            answers = generate(
                model,
                tokenizer,
                [one.prompt for one in examples],
                max_new_tokens=asking.max_new_tokens or longest + longest // 4 + 2,
                beams=asking.beams,
                batch=asking.batch,
                precision=asking.precision,
            )
        rated = (
            rate_choices(model, tokenizer, examples, batch=asking.batch, precision=asking.precision)
            if set(metrics) & CHOICES
            else []
        )
        found = []
        for metric in metrics:
            if metric in CHOICES:
                values = [chosen(metric, one, rates) for one, rates in zip(examples, rated, strict=True)]
                baseline = float(np.mean([1 / len(one.choices) for one in examples]))
            else:
                most_frequent = Counter(one.completion for one in examples).most_common(1)[0][0].strip()
                values = judge(metric, examples, answers)
                baseline = float(np.mean(judge(metric, examples, [most_frequent] * len(examples))))
            found.append({"metric": metric, "values": values, "baseline": baseline})
        return {"metrics": found, "ids": [one.id for one in examples], "answers": answers}

    return ask


def _longest_answer(tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example]) -> int:
    encoded = tokenizer([one.completion for one in examples], add_special_tokens=False)["input_ids"]
    return max(len(ids) for ids in encoded)


def judge(metric: Metric, examples: Sequence[Example], answers: Sequence[str]) -> list[float]:
    """Return the score of each written answer; plans are executed in their environment.

    Args:
        metric: One that judges written answers.
        examples: What was asked; for `goal`, with their tasks.
        answers: One for each.

    Raises:
        ConfigError, DataError, GraphError, GoalError: a plan's environment cannot be made.
    """
    if metric != "goal":
        return [compare(metric, one.completion, answer) for one, answer in zip(examples, answers, strict=True)]
    with PlanExecutor() as executor:
        outcomes = [
            executor.execute(task_from_json(one.source["task"]), answer)
            for one, answer in zip(examples, answers, strict=True)
        ]
    return [float(outcome.success) for outcome in outcomes]


class _Parts:
    """The parts that are done: a file that is only appended to, in which the last line counts if it is whole."""

    def __init__(self, folder: Path | None, watch: Watch) -> None:
        """Read what is there.

        Args:
            folder: Made if it is not there; None to keep nothing.
            watch: Called with the name of the part that begins.
        """
        self._path = None if folder is None else folder / PARTS
        self._watch = watch
        self._done: dict[str, dict[str, Json]] = {}
        if self._path is None:
            return
        with explained(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            data = self._path.read_bytes() if self._path.exists() else b""
            whole = data[: data.rfind(b"\n") + 1]
            if len(whole) < len(data):  # It was killed while it wrote.
                self._path.write_bytes(whole)
        self._done = {line["key"]: line["value"] for line in map(orjson.loads, whole.splitlines())}

    def get(self, name: str, about: Json, make: Callable[[], dict[str, Json]]) -> dict[str, Json]:
        """Return a part, which is made if it is not there.

        Args:
            name: As a reader of the file would call it.
            about: Everything that it follows from.
            make: Makes it.
        """
        key = hashlib.sha256(orjson.dumps([name, about])).hexdigest()
        if key not in self._done:
            self._watch(name)
            value = make()
            if self._path is not None:
                with explained(self._path), self._path.open("ab") as file:
                    file.write(orjson.dumps({"key": key, "part": name, "value": value}) + b"\n")
            self._done[key] = value
        return self._done[key]
