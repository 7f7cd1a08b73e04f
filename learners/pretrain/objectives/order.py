"""Order in time: are three frames in order (Misra et al. 2016), and does a clip run forward (Wei et al. 2018)?

Frames that repeat the one before are left out of clips. Controls: clips in which nothing moves; clips that go there and
back, which are the same in both directions.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..config import PretrainConfig
from ..encoders import feature_width, new_image_encoder, pooled, to_input
from ..protocol import Batch, Modality, PretextScores
from ..reader import ExperienceReader
from .heads import classifier, with_head

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class ArrowOfTime:
    """Whether a clip runs forward."""

    experience: ExperienceReader
    config: PretrainConfig
    cueless: bool = False
    modality: Modality = "frames"

    def build(self) -> nn.Module:
        """Return an encoder and a classifier of three vectors."""
        encoder = new_image_encoder(self.config.size)
        return with_head(encoder, classifier(3 * feature_width(encoder), 2))

    def clips(self, experience: ExperienceReader, rng: np.random.Generator) -> tuple[Any, Any, Any]:
        """Return clips `[n, 3, size, size, 3]`, whether each is as it happened, and the episodes."""
        shown, episodes = experience.draw_clips(rng, self.config.batch_size, 3)
        if self.cueless:
            shown = shown[:, [0, 1, 0]]
        forward = rng.integers(2, size=len(shown))
        return np.where(forward[:, None, None, None, None] == 1, shown, shown[:, ::-1]), forward, episodes

    def batch(self, experience: ExperienceReader, rng: np.random.Generator) -> Batch:
        """Return clips, and label 1 for those that are as they happened."""
        import torch

        shown, labels, episodes = self.clips(experience, rng)
        return {
            "clips": to_input(shown),
            "labels": torch.from_numpy(labels),
            "episode": torch.from_numpy(episodes),
        }

    def _logits(self, model: Any, batch: Batch) -> Tensor:
        vectors = pooled(model.encoder, batch["clips"].flatten(0, 1))
        found: Tensor = model.head(vectors.reshape(-1, 3 * vectors.shape[1]))
        return found

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the cross-entropy of the two answers."""
        import torch

        return torch.nn.functional.cross_entropy(self._logits(model, batch), batch["labels"])

    def metric(self, model: nn.Module, batch: Batch) -> PretextScores:
        """Return whether each answer is right; a guess is right half of the time."""
        right = (self._logits(model, batch).argmax(-1) == batch["labels"]).float().cpu().numpy()
        return PretextScores(right, np.full(len(right), 0.5))

    def control(self) -> ArrowOfTime:
        """Return the objective without its cue."""
        return dataclasses.replace(self, cueless=True)

    def view(self, pixels: Tensor) -> Tensor:
        """Return pictures as they are."""
        return pixels


@dataclass(frozen=True, eq=False)
class SequenceOrder(ArrowOfTime):
    """Whether three frames are in order: the one in the middle may be from just before or after."""

    def clips(self, experience: ExperienceReader, rng: np.random.Generator) -> tuple[Any, Any, Any]:
        """Return three frames, whether they are in order, and the episodes."""
        shown, episodes = experience.draw_clips(rng, self.config.batch_size, 4)
        labels, later = rng.integers(2, size=(2, len(shown)))
        ways = np.array([[[1, 0, 3], [0, 3, 2]], [[1, 2, 3], [0, 1, 2]]])
        moments = np.zeros((len(shown), 3), np.int64) if self.cueless else ways[labels, later]
        return np.take_along_axis(shown, moments[:, :, None, None, None], 1), labels, episodes
