"""How answers are judged, kind by kind: one table, and the functions in it.

A written answer is compared with the reference (`exact`, `rouge1`, `rouge2`, `rougeL`, `run`) or, a plan, carried out
(`goal`). A choice is right if the right one is rated highest: by the mean log-probability of its tokens (`choice`), or
by how much likelier the question makes it than it is by itself (`choice-lift`), as E2WM does each for its tasks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from ...errors import LearningError
from ...extras import needed_by
from ..examples import Example
from ..models.load import context_of
from ..training.batches import pad_of, tokenise
from ..training.losses import Precision
from .perplexity import log_likelihoods

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedTokenizerBase

Metric = Literal["exact", "rouge1", "rouge2", "rougeL", "run", "goal", "choice", "choice-lift"]
"""What can be measured; all lie in [0, 1], and more is better."""

METRICS: Final[Mapping[str, tuple[Metric, ...]]] = {
    "plan": ("goal", "rougeL", "rouge1", "rouge2"),
    "plan-confusing": ("goal", "rougeL", "rouge1", "rouge2"),
    "plan-bare": ("exact", "rougeL", "rouge1", "rouge2"),
    "recognition": ("choice",),
    "inference": ("choice-lift",),
    "counting": ("choice", "exact"),
    "tracking": ("run", "exact", "choice"),
    "location": ("exact", "choice"),
    "relevance": ("choice-lift",),
    "irrelevance": ("choice-lift",),
    "goal-conditions": ("exact",),
    "next-state": ("exact",),
    "next-states": ("exact",),
    "contrast": ("exact", "rougeL"),
    "counterfactual": ("exact",),
}
"""What is measured of each kind of example; the first counts as the skill. Metrics that do not apply to an example
(no choices, no task to carry a plan out in) are skipped."""

SHARES: Final = frozenset({"exact", "goal", "choice", "choice-lift"})
"""The metrics that are 0 or 1 for each example."""
CHOICES: Final = frozenset({"choice", "choice-lift"})
PRIOR: Final = "Answer:"
"""What stands for "no question" where a choice is rated by its lift."""


def metrics_of(example: Example) -> tuple[Metric, ...]:
    """Return what can be measured of an example, the skill first; of a kind that is not in the table, its answer."""
    known = METRICS.get(example.kind, ("choice",) if example.choices else ("exact",))
    lacking = (set() if example.choices else CHOICES) | (set() if "task" in example.source else {"goal"})
    return tuple(metric for metric in known if metric not in lacking) or ("exact",)


# --- written answers


def normalised(answer: str) -> str:
    """Return an answer as it is compared: in small letters, single spaces, without its final full stop."""
    return re.sub(r"\s+", " ", answer).strip().rstrip(".").rstrip().lower()


def exact(reference: str, answer: str) -> float:
    """Return 1 if the whole answer is the reference, after `normalised`, and else 0."""
    return float(normalised(reference) == normalised(answer))


def longest_run(reference: str, answer: str) -> float:
    """Return the longest run of parts that both have, without a gap, as a share of the longer one; E2WM's path metric.

    The parts stand between commas: `"bedroom, dining room"` has two.
    """
    first, second = ([part.strip() for part in normalised(text).split(",")] for text in (reference, answer))
    # runs[j]: how long the common run is that ends before first[i] and second[j].
    longest, runs = 0, [0] * (len(second) + 1)
    for part in first:
        runs = [0, *(runs[j] + 1 if part == other else 0 for j, other in enumerate(second))]
        longest = max(longest, *runs)
    return longest / max(len(first), len(second))


def rouge(reference: str, answer: str) -> dict[str, float]:
    """Return the F measures of ROUGE-1, ROUGE-2 and ROUGE-L (Lin 2004), words stemmed by Porter.

    Raises:
        MissingDependencyError: rouge-score is not installed.
    """
    with needed_by("ROUGE"):
        from rouge_score.rouge_scorer import RougeScorer  # type: ignore[import-untyped]
    scores = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True).score(reference, answer)
    return {name: float(score.fmeasure) for name, score in scores.items()}


def compare(metric: Metric, reference: str, answer: str) -> float:
    """Return what a written answer is worth by one metric.

    Raises:
        LearningError: the metric does not compare words.
    """
    if metric == "exact":
        return exact(reference, answer)
    if metric == "run":
        return longest_run(reference, answer)
    if metric in ("rouge1", "rouge2", "rougeL"):
        return rouge(reference, answer)[metric]
    raise LearningError(f"The metric {metric!r} does not compare an answer with a reference.")


# --- choices


class MetricScores(NamedTuple):
    """A choice, rated by a model."""

    total: float
    """log p(choice | prompt), in nats."""
    mean: float
    """The same per token."""
    lift: float
    """The same less log p(choice | "Answer:")."""


def rate_choices(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    *,
    batch: int = 32,
    precision: Precision = "fp32",
) -> list[tuple[MetricScores, ...]]:
    """Rate every choice of every example.

    The end of the sequence is not rated. A prompt that is too long for the model's context loses its beginning.

    Returns:
        For each example, one rating per choice, in the order of `Example.choices`.

    Raises:
        LearningError: a choice alone is longer than the context.
    """
    context, pad = context_of(model), pad_of(tokenizer)
    asked = [(one.prompt, choice) for one in examples for choice in one.choices]
    alone = sorted({choice for _, choice in asked})
    pairs = asked + [(PRIOR, choice) for choice in alone]
    as_examples = [Example(str(i), "", prompt, completion) for i, (prompt, completion) in enumerate(pairs)]
    # One token more than the context: the last is predicted and not read. The row's last is the end of the sequence.
    rows, dropped, *_ = tokenise(as_examples, tokenizer, max_length=context + 2, over_long="truncate")
    if dropped:
        raise LearningError(f"{dropped} choices are longer than the model's context of {context} tokens.")
    sequences = [(row.ids[:-1], len(row.ids) - 1 - row.start) for row in rows]
    logs = log_likelihoods(model, sequences, pad=pad, batch=batch, precision=precision)
    priors = dict(zip(alone, logs[len(asked) :], strict=True))
    rated = iter(
        MetricScores(log, log / count, log - priors[choice])
        for (_, choice), (_, count), log in zip(asked, sequences, logs, strict=False)
    )
    return [tuple(next(rated) for _ in one.choices) for one in examples]


def chosen(metric: Metric, example: Example, ratings: Sequence[MetricScores]) -> float:
    """Return 1 if the right choice is the one rated highest by a metric, and else 0; of equals the first counts."""
    rates = [rated.lift if metric == "choice-lift" else rated.mean for rated in ratings]
    return float(example.choices[int(np.argmax(rates))] == example.completion)
