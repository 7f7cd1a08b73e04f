"""Two sentences: does observation B follow observation A and its action? After next-sentence prediction (Devlin 2019).

Unlike Devlin's, the encoder reads A and B apart, and the head compares their vectors (as InferSent does, Conneau et al.
2017): a small BERT that reads both at once from scratch does not leave chance within 300 steps.

A pair that does not belong together takes B from another moment of the same episode, so that neither the task nor the
words of the place give the answer; moments are drawn alike for both. Control: B is of another episode in either case,
at the same moments, so that only the position could give the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..encoders import pooled_text, text_config
from ..protocol import Batch, Modality
from ..reader import ExperienceReader
from .base import ChoiceObjective
from .heads import with_head

if TYPE_CHECKING:
    from torch import Tensor, nn


class SentencePairs(ChoiceObjective):
    """Does this observation follow that one?"""

    modality: ClassVar[Modality] = "text"

    def build(self) -> nn.Module:
        """Return a ModernBERT, and a classifier of two vectors, their difference and their product."""
        from torch import nn
        from transformers import ModernBertModel

        size = self.config.size
        head = nn.Sequential(nn.Linear(4 * size.width, 128), nn.GELU(), nn.Linear(128, 2))
        return with_head(ModernBertModel(text_config(size, self.tokenizer)), head)

    def batch(self, experience: ExperienceReader, rng: np.random.Generator) -> Batch:
        """Return pairs of observations; label 0 is a pair that belongs together."""
        import torch

        long = [n for n, one in enumerate(experience.episodes) if one.steps >= 2]
        first: list[str] = []
        second: list[str] = []
        labels: list[int] = []
        chosen: list[int] = []
        while len(labels) < self.config.batch_size:
            episode, label = int(rng.choice(long)), int(rng.integers(2))
            words = experience.transcript(episode)
            here, there = rng.choice(len(words.actions), 2, replace=False)
            if words.observations[here + 1] == words.observations[there + 1]:
                continue
            follows = (there if label else here) + 1
            source = words.observations
            if self.cueless:
                source = experience.transcript(int(rng.choice(long))).observations
                follows = min(follows, len(source) - 1)
            first.append(f"{words.observations[here]} > {words.actions[here]}")
            second.append(source[follows])
            labels.append(label)
            chosen.append(episode)
        made = self.tokenizer(first + second, truncation=True, padding=True, return_tensors="pt")
        return {
            **{
                name: made[name].reshape(2, len(labels), -1).transpose(0, 1) for name in ("input_ids", "attention_mask")
            },
            "labels": torch.tensor(labels),
            "episode": torch.tensor(chosen),
        }

    def logits(self, model: Any, batch: Batch) -> Tensor:
        """Return the logits of the two answers."""
        import torch

        vectors = pooled_text(model.encoder, batch["input_ids"].flatten(0, 1), batch["attention_mask"].flatten(0, 1))
        first, second = vectors.reshape(-1, 2, vectors.shape[1]).unbind(1)
        found: Tensor = model.head(torch.cat([first, second, (first - second).abs(), first * second], 1))
        return found
