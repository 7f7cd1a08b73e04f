"""Two sentences: does observation B follow observation A and its action? After next-sentence prediction (Devlin 2019).

A pair that does not belong together takes B from another moment of the same episode, so that neither the task nor the
words of the place give the answer; moments are drawn alike for both. Control: B is of another episode in either case,
at the same moments, so that only the position could give the answer.
"""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..config import PretrainConfig
from ..encoders import new_text_encoder_fields
from ..protocol import Batch, Modality, PretextScores
from ..reader import ExperienceReader
from ..text import train_tokenizer

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class SentencePairs:
    """Does this observation follow that one?"""

    experience: ExperienceReader
    config: PretrainConfig
    cueless: bool = False
    modality: Modality = "text"

    @functools.cached_property
    def tokenizer(self) -> Any:
        """The tokenizer, trained on the training part."""
        size = self.config.size
        return train_tokenizer(self.experience, size.vocabulary, size.tokens)

    def build(self) -> nn.Module:
        """Return a BERT with the head for two sentences."""
        from transformers import BertConfig, BertForNextSentencePrediction

        fields = new_text_encoder_fields(self.config.size, len(self.tokenizer), self.tokenizer.pad_token_id)
        return BertForNextSentencePrediction(BertConfig(**fields))

    def batch(self, experience: ExperienceReader, rng: np.random.Generator) -> Batch:
        """Return pairs of observations; label 0 is a pair that belongs together, as transformers has it."""
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
        made = self.tokenizer(
            first, second, truncation="longest_first", padding=True, return_token_type_ids=True, return_tensors="pt"
        )
        return {
            **{name: made[name] for name in ("input_ids", "attention_mask", "token_type_ids")},
            "labels": torch.tensor(labels),
            "episode": torch.tensor(chosen),
        }

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the cross-entropy of the two answers."""
        found: Tensor = model(**{name: value for name, value in batch.items() if name != "episode"}).loss
        return found

    def metric(self, model: nn.Module, batch: Batch) -> PretextScores:
        """Return whether each answer is right; a guess is right half of the time."""
        inputs = {name: value for name, value in batch.items() if name not in ("episode", "labels")}
        right = (model(**inputs).logits.argmax(-1) == batch["labels"]).float().cpu().numpy()
        return PretextScores(right, np.full(len(right), 0.5))

    def control(self) -> SentencePairs:
        """Return the objective with B from other episodes."""
        return dataclasses.replace(self, cueless=True)

    def view(self, pixels: Tensor) -> Tensor:
        """Return pictures as they are; it reads none."""
        return pixels
