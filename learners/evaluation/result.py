"""What was measured of one model: scores of every kind of question, language kept, and how far it moved from its base.

Left out: measuring (`evaluate`), and showing (`pareto`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import LearningError
from ...experience import Json
from ..examples import SPLITS
from .intervals import Interval, bootstrap, mean_of_means, wilson
from .metrics import SHARES, Metric
from .perplexity import LanguageRetention, language_lost


@dataclass(frozen=True, slots=True)
class EvaluationScore:
    """One metric of one kind of question in one split."""

    kind: str
    split: str
    metric: Metric
    values: tuple[float, ...]
    """For each example, in [0, 1]."""
    baseline: float
    """What needs no understanding: of choices, guessing; else always giving the most frequent right answer."""

    @property
    def interval(self) -> Interval:
        """The mean with its 95 % interval: Wilson's for shares, else a bootstrap over examples."""
        if self.metric in SHARES:
            return wilson(round(sum(self.values)), len(self.values))
        return bootstrap(np.array(self.values), np.random.default_rng(0))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured of one model."""

    scores: tuple[EvaluationScore, ...]
    """By kind, split and metric; the first metric of a kind and split counts as the skill."""
    language: LanguageRetention | None = None
    """How well it predicts old text."""
    base_language: LanguageRetention | None = None
    """How well its base does."""
    kl: float | None = None
    """KL(base || model) on the new task, in nats per answer token."""

    @property
    def lost(self) -> Interval | None:
        """By how many nats per token old text became harder to predict than it was for the base."""
        if self.language is None or self.base_language is None:
            return None
        return language_lost(self.base_language, self.language, np.random.default_rng(0))

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
            raise LearningError(f"Nothing was asked of split {split!r}, so there is no skill to tell of it.")
        return mean_of_means([np.array(one.values) for one in skills], np.random.default_rng(0))

    def summary(self) -> dict[str, Json]:
        """Return what was measured as plain JSON: means and intervals, not every example."""
        told: dict[str, Json] = {
            "scores": [
                {"kind": one.kind, "split": one.split, "metric": one.metric, "n": len(one.values)}
                | {**one.interval._asdict(), "baseline": one.baseline}
                for one in self.scores
            ],
            "skill": {split: self.skill(split)._asdict() for split in SPLITS if self.skills(split)},
            "kl": self.kl,
            "lost": self.lost._asdict() if self.lost else None,
        }
        for name, one in (("language", self.language), ("base_language", self.base_language)):
            told[name] = one and {
                "nats_per_token": one.nats_per_token,
                "perplexity": one.perplexity,
                "bits_per_byte": one.bits_per_byte,
                "tokens": sum(one.tokens),
                "bytes": sum(one.bytes),
            }
        return told


__all__ = ["Evaluation", "EvaluationScore"]
