"""Order in time: are three frames in order (Misra et al. 2016), and does a clip run forward (Wei et al. 2018)?

Frames that repeat the one before are left out of clips. Controls: clips in which nothing moves; clips that go there and
back, which are the same in both directions.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ..encoders import to_input
from ..protocol import Batch, Modality
from ..reader import ExperienceReader
from .classification import PictureClassification


class ArrowOfTime(PictureClassification):
    """Whether a clip runs forward: label 1 for those that are as they happened."""

    modality: ClassVar[Modality] = "clips"
    pictures: ClassVar[int] = 3
    classes: ClassVar[int] = 2

    def clips(self, experience: ExperienceReader, rng: np.random.Generator) -> tuple[Any, Any, Any]:
        """Return clips `[n, 3, size, size, 3]`, whether each is as it happened, and the episodes."""
        shown, episodes = experience.draw_clips(rng, self.config.batch_size, 3)
        if self.cueless:
            shown = shown[:, [0, 1, 0]]
        forward = rng.integers(2, size=len(shown))
        return np.where(forward[:, None, None, None, None] == 1, shown, shown[:, ::-1]), forward, episodes

    def batch(self, experience: ExperienceReader, rng: np.random.Generator) -> Batch:
        """Return clips with their labels."""
        import torch

        shown, labels, episodes = self.clips(experience, rng)
        return {
            "pixels": to_input(shown),
            "labels": torch.from_numpy(labels),
            "episode": torch.from_numpy(episodes),
        }


class SequenceOrder(ArrowOfTime):
    """Whether three frames are in order: the one in the middle may be from just before or after."""

    def clips(self, experience: ExperienceReader, rng: np.random.Generator) -> tuple[Any, Any, Any]:
        """Return three frames, whether they are in order, and the episodes."""
        shown, episodes = experience.draw_clips(rng, self.config.batch_size, 4)
        labels, later = rng.integers(2, size=(2, len(shown)))
        ways = np.array([[[1, 0, 3], [0, 3, 2]], [[1, 2, 3], [0, 1, 2]]])
        moments = np.zeros((len(shown), 3), np.int64) if self.cueless else ways[labels, later]
        return np.take_along_axis(shown, moments[:, :, None, None, None], 1), labels, episodes
