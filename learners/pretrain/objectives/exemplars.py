"""Exemplars (Dosovitskiy et al. 2014): which frame is this distorted view of? Each of many frames is a class.

Views are cut, scaled, mirrored and recoloured. The score is on new views of the same frames; `retrieval` asks for
unseen ones. Control: the class of each view is drawn at random.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..encoders import dense_width, new_image_encoder, pooled, to_input
from ..protocol import Batch
from ..reader import ExperienceReader
from .base import ChoiceObjective
from .heads import with_head

if TYPE_CHECKING:
    from torch import Tensor, nn

_CLASSES: Final = 256


class Exemplars(ChoiceObjective):
    """Which frame is a distorted view of?"""

    @functools.cached_property
    def places(self) -> list[tuple[int, int]]:
        """Where the exemplars are: distinct frames of the training part."""
        count = min(_CLASSES, len(self.experience.places))
        self.experience.require_frames(2)
        chosen = np.random.default_rng(0).choice(len(self.experience.places), count, replace=False)
        return [self.experience.places[n] for n in sorted(chosen)]

    def build(self) -> nn.Module:
        """Return an encoder and a linear classifier."""
        from torch import nn

        encoder = new_image_encoder(self.config.size)
        return with_head(encoder, nn.Linear(dense_width(encoder), len(self.places)))

    def batch(self, experience: ExperienceReader, rng: np.random.Generator) -> Batch:
        """Return views of exemplars; those of the training part, whichever part is asked, as they are the classes."""
        import torch

        count = self.config.batch_size
        drawn = rng.integers(len(self.places), size=count)
        chosen = [self.places[n] for n in drawn]
        views = distort(to_input(self.experience.pictures(chosen)), rng)
        labels = rng.integers(len(self.places), size=count) if self.cueless else drawn
        return {
            "pixels": views,
            "labels": torch.from_numpy(labels),
            "episode": torch.tensor([episode for episode, _ in chosen]),
        }

    def logits(self, model: Any, batch: Batch) -> Tensor:
        """Return the logits of the classes."""
        found: Tensor = model.head(pooled(model.encoder, batch["pixels"]))
        return found


def distort(pixels: Tensor, rng: np.random.Generator) -> Tensor:
    """Return a random view of each picture: 60 to 100 % of its side, mirrored or not, brighter or darker, recoloured.

    Args:
        pixels: Shape `[n, 3, size, size]`, from -1 to 1.
        rng: It is consumed.
    """
    import torch

    count = len(pixels)
    scale = rng.uniform(0.6, 1.0, (count, 1))
    shift = rng.uniform(-1, 1, (count, 2)) * (1 - scale)
    mirror = rng.choice([-1.0, 1.0], (count, 1))
    theta = np.zeros((count, 2, 3), np.float32)
    theta[:, 0, 0], theta[:, 1, 1], theta[:, :, 2] = (scale * mirror)[:, 0], scale[:, 0], shift
    grid = torch.nn.functional.affine_grid(torch.from_numpy(theta), list(pixels.shape), align_corners=False)
    views = torch.nn.functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    gain = torch.from_numpy(rng.uniform(0.7, 1.3, (count, 3, 1, 1)).astype(np.float32))
    return ((views + 1) * gain - 1).clamp(-1, 1)


def retrieval(encoder: Any, pixels: Tensor, rng: np.random.Generator) -> float:
    """Return how often the nearest of unseen pictures, by the cosine, is the one of which a view was made.

    The encoder is as `AutoModel` loads it, pixels have the shape `[n, 3, size, size]`, and `rng` is consumed.
    """
    import torch

    with torch.no_grad():
        known, asked = (torch.nn.functional.normalize(pooled(encoder, one)) for one in (pixels, distort(pixels, rng)))
    return float(((asked @ known.T).argmax(1) == torch.arange(len(pixels))).float().mean())
