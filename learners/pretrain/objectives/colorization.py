"""Colorization (Zhang et al. 2016): the quantised colours of a grey frame, rare ones weighing more.

The score is the share of coloured places whose hue falls into the right sector. Control: the hues of each frame are
turned by a random angle, so that no thing has a colour of its own; then one sector in six is right.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from ..encoders import dense, dense_side, dense_width, grey, new_image_encoder, to_input
from ..protocol import Batch, PretextScores
from ..reader import ExperienceReader
from .base import PretextObjective
from .colours import COLOURED, SECTORS, ab_of, sectors, shrunk, turned
from .heads import with_head

if TYPE_CHECKING:
    from torch import Tensor, nn

_STEP: Final = 20.0
_BINS: Final = 11
"""Bins along a and along b, `_STEP` wide, around 0."""
_COUNTED: Final = 512
"""Frames from which the frequencies of colours are counted."""


class Colorization(PretextObjective):
    """The colours of a grey frame."""

    is_grey: ClassVar[bool] = True

    @functools.cached_property
    def counts(self) -> tuple[Tensor, int]:
        """The weight of each bin in the loss (half uniform, as Zhang et al.), and the most frequent hue sector."""
        import torch

        shown, _ = self.experience.draw_frames(np.random.default_rng(0), _COUNTED)
        ab = ab_of(shrunk(shown, dense_side(self.config.size)))
        share = np.bincount(_bins(ab).ravel(), minlength=_BINS**2) / ab[..., 0].size
        weight = 1 / (0.5 * share + 0.5 / _BINS**2)
        hues = np.bincount(sectors(ab).ravel(), minlength=SECTORS + 1)[:SECTORS]
        return torch.tensor(weight / (weight * share).sum(), dtype=torch.float32), int(hues.argmax())

    def build(self) -> nn.Module:
        """Return an encoder and a classifier at each place."""
        from torch import nn

        encoder = new_image_encoder(self.config.size)
        head = nn.Sequential(nn.Conv2d(dense_width(encoder), 96, 1), nn.GELU(), nn.Conv2d(96, _BINS**2, 1))
        return with_head(encoder, head)

    def batch(self, experience: ExperienceReader, rng: np.random.Generator) -> Batch:
        """Return grey frames, and the bin and hue sector of the colour at each place."""
        import torch

        shown, episodes = experience.draw_frames(rng, self.config.batch_size)
        ab = ab_of(shrunk(shown, dense_side(self.config.size)))
        if self.cueless:
            ab = turned(ab, rng.uniform(0, 2 * np.pi, len(ab)))
        return {
            "pixels": grey(to_input(shown)),
            "labels": torch.from_numpy(_bins(ab)),
            "hues": torch.from_numpy(sectors(ab)),
            "episode": torch.from_numpy(episodes),
        }

    def logits(self, model: Any, pixels: Tensor) -> Tensor:
        """Return the logits of the bins, `[n, bins, side, side]`, for grey pictures."""
        found: Tensor = model.head(dense(model.encoder, pixels))
        return found

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the weighted cross-entropy."""
        import torch

        logits = self.logits(model, batch["pixels"])
        return torch.nn.functional.cross_entropy(logits.float(), batch["labels"], self.counts[0].to(logits.device))

    def metric(self, model: nn.Module, batch: Batch) -> PretextScores:
        """Return the share of coloured places with the right hue, frame by frame."""
        import torch

        logits = self.logits(model, batch["pixels"]).float()
        plain = torch.from_numpy(np.hypot(*centres().T) <= COLOURED)
        logits[:, plain.to(logits.device)] = -torch.inf
        hue = sectors(centres())[logits.argmax(1).cpu().numpy()]
        return hue_scores(hue, batch["hues"].cpu().numpy(), 0 if self.cueless else self.counts[1])


def hue_scores(found: np.ndarray[Any, Any], hues: np.ndarray[Any, Any], guess: Any) -> PretextScores:
    """Return the share of coloured places with the right hue, and with a guessed one, `[n]`; NaN without colours."""
    asked = hues < SECTORS
    with np.errstate(invalid="ignore"):
        shares = [((one == hues) & asked).sum((1, 2)) / asked.sum((1, 2)) for one in (found, guess)]
    return PretextScores(shares[0], shares[1])


def centres() -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the colour (a, b) of each bin, `[bins, 2]`."""
    along = (np.arange(_BINS) - _BINS // 2) * _STEP
    return np.stack(np.meshgrid(along, along, indexing="ij"), -1).reshape(-1, 2).astype(np.float32)


def _bins(ab: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.int64]]:
    place = np.clip(np.rint(ab / _STEP).astype(np.int64) + _BINS // 2, 0, _BINS - 1)
    return np.asarray(place[..., 0] * _BINS + place[..., 1])
