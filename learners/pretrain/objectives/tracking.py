"""Tracking by colorization (Vondrick et al. 2018): grey frames; each place copies its colour from an earlier frame.

The hues of every clip are turned by a random angle, so that a colour can be known only by finding the same thing in
the reference. The score is the share of coloured places with the right hue; its baseline is that nothing has moved.
Control: the reference's hues are turned by another angle, so that copying helps no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from ..encoders import dense, dense_side, dense_width, grey, new_image_encoder, to_input
from ..protocol import Batch, Modality, PretextScores
from ..reader import ExperienceReader
from .base import PretextObjective
from .colorization import hue_scores
from .colours import SECTORS, ab_of, sectors, shrunk, turned
from .heads import with_head

if TYPE_CHECKING:
    from torch import Tensor, nn

_WIDTH: Final = 64
_TEMPERATURE: Final = 0.1


class Tracking(PretextObjective):
    """Copy colours from an earlier frame to follow things."""

    modality: ClassVar[Modality] = "clips"
    is_grey: ClassVar[bool] = True

    def build(self) -> nn.Module:
        """Return an encoder and a projection at each place."""
        from torch import nn

        encoder = new_image_encoder(self.config.size)
        width = dense_width(encoder)
        head = nn.Sequential(nn.Conv2d(width, _WIDTH, 3, padding=1), nn.GELU(), nn.Conv2d(_WIDTH, _WIDTH, 1))
        return with_head(encoder, head)

    def batch(self, experience: ExperienceReader, rng: np.random.Generator) -> Batch:
        """Return two grey frames of each clip, and the hue sectors of both."""
        import torch

        shown, episodes = experience.draw_clips(rng, self.config.batch_size, 2)
        ab = ab_of(shrunk(shown, dense_side(self.config.size)))
        angles = rng.uniform(0, 2 * np.pi, (2, len(ab)))
        hues = [sectors(turned(ab[:, n], angles[n if self.cueless else 0])) for n in range(2)]
        return {
            "clips": grey(to_input(shown)),
            "reference": torch.from_numpy(hues[0]),
            "hues": torch.from_numpy(hues[1]),
            "episode": torch.from_numpy(episodes),
        }

    def copied(self, model: Any, batch: Batch) -> Tensor:
        """Return the share of each hue (grey is the last) that is copied to each place, `[n, hues, side, side]`."""
        import torch

        maps = model.head(dense(model.encoder, batch["clips"].flatten(0, 1))).float()
        vectors = torch.nn.functional.normalize(maps, dim=1).reshape(-1, 2, _WIDTH, maps.shape[2] * maps.shape[3])
        alike = torch.softmax(vectors[:, 1].mT @ vectors[:, 0] / _TEMPERATURE, -1)
        source = torch.nn.functional.one_hot(batch["reference"].flatten(1), SECTORS + 1).float()
        found: Tensor = (source.mT @ alike.mT).reshape(len(alike), SECTORS + 1, *batch["hues"].shape[1:])
        return found

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the cross-entropy; coloured and grey places weigh alike together."""
        import torch

        logs = self.copied(model, batch).clamp_min(1e-4).log()
        nats = torch.nn.functional.nll_loss(logs, batch["hues"], reduction="none")
        coloured = batch["hues"] < SECTORS
        return (nats[coloured].mean() if coloured.any() else 0.0) + nats[~coloured].mean()

    def metric(self, model: nn.Module, batch: Batch) -> PretextScores:
        """Return the share of coloured places with the right hue, clip by clip."""
        found = self.copied(model, batch)[:, :SECTORS].argmax(1).cpu().numpy()
        guess = 0 if self.cueless else batch["reference"].cpu().numpy()
        return hue_scores(found, batch["hues"].cpu().numpy(), guess)
