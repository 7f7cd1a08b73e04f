"""Masked language modelling (Devlin et al. 2019) on transcripts: 15 % of the tokens, 80/10/10, by transformers.

Control: every token is drawn from the whole of the transcripts, so that its neighbours say nothing of it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from ..encoders import text_config
from ..protocol import Batch, Modality, PretextScores
from ..reader import ExperienceReader
from ..text import windows
from .base import PretextObjective

if TYPE_CHECKING:
    from torch import Tensor, nn

_SAMPLED: Final = 200
"""Episodes from which the most frequent token is counted."""
_KEPT: Final = 20_000
"""Transcripts that are kept as tokens."""


@dataclass(frozen=True, eq=False)
class MaskedLanguage(PretextObjective):
    """Fill in masked words of transcripts."""

    modality: ClassVar[Modality] = "text"
    _known: dict[tuple[str, int], np.ndarray[Any, Any]] = field(default_factory=dict, repr=False)

    @functools.cached_property
    def commonest(self) -> int:
        """The most frequent token: the best guess without looking."""
        episodes = range(min(_SAMPLED, len(self.experience.episodes)))
        ids = np.concatenate([windows(self.tokenizer, self.experience, n) for n in episodes])
        return int(np.bincount(ids).argmax())

    def build(self) -> nn.Module:
        """Return a ModernBERT with its head."""
        from transformers import ModernBertForMaskedLM

        return ModernBertForMaskedLM(text_config(self.config.size, self.tokenizer))

    def batch(self, experience: ExperienceReader, rng: np.random.Generator) -> Batch:
        """Return windows of transcripts with masked tokens."""
        import torch
        from transformers import DataCollatorForLanguageModeling

        count, length = self.config.batch_size, self.config.size.tokens - 2
        episodes = rng.integers(len(experience.episodes), size=count)
        rows = [self._window(experience, rng, int(n), length) for n in episodes]
        if self.cueless:
            pool = np.concatenate(
                [windows(self.tokenizer, experience, n) for n in rng.integers(len(experience.episodes), size=64)]
            )
            rows = [rng.choice(pool, len(row)) for row in rows]
        start, end = self.tokenizer.cls_token_id, self.tokenizer.sep_token_id
        features = [{"input_ids": [start, *row.tolist(), end]} for row in rows]
        collate = DataCollatorForLanguageModeling(
            self.tokenizer, mlm_probability=self.config.mask_ratio or 0.15, seed=int(rng.integers(2**31))
        )
        made = collate(features)
        return {
            **{name: made[name] for name in ("input_ids", "attention_mask", "labels")},
            "episode": torch.from_numpy(episodes),
        }

    def _window(
        self, experience: ExperienceReader, rng: np.random.Generator, episode: int, length: int
    ) -> np.ndarray[Any, Any]:
        ids = windows(self.tokenizer, experience, episode)
        start = int(rng.integers(max(1, len(ids) - length + 1)))
        return ids[start : start + length]

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the cross-entropy at masked tokens."""
        found: Tensor = model(**_inputs(batch)).loss
        return found

    def metric(self, model: nn.Module, batch: Batch) -> PretextScores:
        """Return the share of hidden tokens that were found, text by text; those that stayed visible are not asked."""
        guess = model(**_inputs(batch)).logits.argmax(-1)
        labels = batch["labels"]
        asked = (labels != -100) & (batch["input_ids"] == self.tokenizer.mask_token_id)
        counts = asked.sum(1).float()  # 0 of them makes a NaN: nothing is asked
        shares = [((one == labels) & asked).sum(1) / counts for one in (guess, labels.new_full((), self.commonest))]
        return PretextScores(shares[0].cpu().numpy(), shares[1].cpu().numpy())


def _inputs(batch: Batch) -> Batch:
    return {name: value for name, value in batch.items() if name != "episode"}
