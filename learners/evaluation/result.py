"""The measurements of one model: scores of each kind of question, NLL on reference text, divergence from its base.

Not here: measuring (`evaluate`), and tables and pictures (`views`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import LearningError
from ...experience import Json
from ..examples import SPLITS
from .intervals import Interval, bootstrap, mean_of_means, wilson
from .metrics import SHARES, Metric
from .perplexity import LanguageRetention, measure_forgetting

if TYPE_CHECKING:
    from ..retention.measure import RetentionReport


@dataclass(frozen=True, slots=True)
class EvaluationScore:
    """One metric of one kind of question in one split."""

    kind: str
    split: str
    metric: Metric
    values: tuple[float, ...]
    """For each example, in [0, 1]."""
    baseline: float
    """The score without understanding: guessing among choices, or always giving the most frequent correct answer."""

    @property
    def interval(self) -> Interval:
        """The mean with its 95 % interval: Wilson's for shares, else a bootstrap over examples."""
        if self.metric in SHARES:
            return wilson(round(sum(self.values)), len(self.values))
        return bootstrap(np.array(self.values), np.random.default_rng(0))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The measurements of one model."""

    scores: tuple[EvaluationScore, ...]
    """By kind, split and metric; the first metric of a kind and split counts as the skill."""
    language: LanguageRetention | None = None
    """Its NLL on reference text."""
    base_language: LanguageRetention | None = None
    """Its base's NLL on the same text."""
    kl: float | None = None
    """KL(base || model) on the new task, in nats per answer token."""
    retention: RetentionReport | None = None
    """What it knows of text and facts that every machine has."""
    base_retention: RetentionReport | None = None
    """What its base knows of them."""

    @property
    def forgetting(self) -> Interval | None:
        """Forgetting: the increase in NLL on reference text over the base, in nats per token."""
        if self.language is None or self.base_language is None:
            return None
        return measure_forgetting(self.base_language, self.language, np.random.default_rng(0))

    def skills(self, split: str) -> tuple[EvaluationScore, ...]:
        """Return, for each kind in a split, the metric that counts as the skill."""
        first = {score.kind: score for score in reversed(self.scores) if score.split == split}
        return tuple(first[kind] for kind in dict.fromkeys(score.kind for score in self.scores) if kind in first)

    def skill(self, split: str) -> Interval:
        """Return the mean skill over all kinds of a split, each counting alike, with its 95 % interval.

        Raises:
            LearningError: nothing was asked of that split.
        """
        skills = self.skills(split)
        if not skills:
            raise LearningError(f"Nothing was asked of split {split!r}, so it has no skill.")
        return mean_of_means([np.array(one.values) for one in skills], np.random.default_rng(0))

    def summary(self) -> dict[str, Json]:
        """Return what was measured as plain JSON: means and intervals, not every example."""
        summary: dict[str, Json] = {
            "scores": [
                {"kind": one.kind, "split": one.split, "metric": one.metric, "n": len(one.values)}
                | {**one.interval._asdict(), "baseline": one.baseline}
                for one in self.scores
            ],
            "skill": {split: self.skill(split)._asdict() for split in SPLITS if self.skills(split)},
            "kl": self.kl,
            "forgetting": self.forgetting._asdict() if self.forgetting else None,
        }
        for name, one in (("language", self.language), ("base_language", self.base_language)):
            summary[name] = one and {
                "nats_per_token": one.nats_per_token,
                "perplexity": one.perplexity,
                "bits_per_byte": one.bits_per_byte,
                "tokens": sum(one.tokens),
                "bytes": sum(one.bytes),
            }
        for name, known in (("retention", self.retention), ("base_retention", self.base_retention)):
            if known is not None:
                summary[name] = known.summary()
        return summary
