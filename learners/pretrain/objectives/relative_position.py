"""The relative position of two patches (Doersch et al. 2015): which neighbour of the first is the second?

A patch can give away where in the frame it lies (floor below, an agent's own body at the edge), and then two patches of
different frames are enough. So the frame is turned and mirrored at random, its border is left out, neighbours are the
four at the sides, and there is a gap and jitter between patches, so that edges do not run on. Control: the second patch
is of another frame, turned by itself. What a patch shows upright (an agent's marker) still gives its side away.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..config import PretrainConfig
from ..encoders import feature_width, new_image_encoder, pooled, to_input
from ..protocol import Batch, Modality, PretextScores
from ..reader import ExperienceReader
from .heads import classifier, with_head

if TYPE_CHECKING:
    from torch import Tensor, nn

_SIDES: Final = ((-1, 0), (1, 0), (0, -1), (0, 1))
_BORDER: Final = 1 / 8
_GAP: Final = 1 / 28


@dataclass(frozen=True, eq=False)
class RelativePosition:
    """Where one patch lies from another."""

    experience: ExperienceReader
    config: PretrainConfig
    cueless: bool = False
    modality: Modality = "frames"

    def build(self) -> nn.Module:
        """Return an encoder and a classifier of two vectors."""
        encoder = new_image_encoder(self.config.size)
        return with_head(encoder, classifier(2 * feature_width(encoder), len(_SIDES)))

    def batch(self, experience: ExperienceReader, rng: np.random.Generator) -> Batch:
        """Return pairs of patches `[n, 2, 3, size, size]` and the side at which the second lies."""
        import torch

        count, size = self.config.batch_size, self.config.size
        shown, episodes = experience.draw_frames(rng, count)
        other = experience.draw_frames(rng, count)[0] if self.cueless else shown
        sides = rng.integers(len(_SIDES), size=count)
        border, gap = round(_BORDER * size.picture), round(_GAP * size.picture)
        patch = (size.picture - 2 * border - 2 * gap) // 3
        pairs = []
        for n in range(count):
            turns, mirrored = rng.integers(4), bool(rng.integers(2))
            first = _turned(shown[n], int(turns), mirrored)
            if self.cueless:
                turns, mirrored = rng.integers(4), bool(rng.integers(2))
            second = _turned(other[n], int(turns), mirrored)
            start = np.array([border + patch + gap] * 2)
            move = np.array(_SIDES[sides[n]]) * (patch + gap)
            places = (start + rng.integers(-gap, gap + 1, 2), start + move + rng.integers(-gap, gap + 1, 2))
            pairs.append([_cut(first, places[0], patch), _cut(second, places[1], patch)])
        pixels = to_input(np.array(pairs))
        # A convolution takes a patch at half of a frame's size, a transformer at its own.
        side = size.picture // 2 if size.convolutional else size.picture
        scaled = torch.nn.functional.interpolate(pixels.flatten(0, 1), (side, side), mode="bilinear")
        return {
            "patches": scaled.reshape(count, 2, *scaled.shape[1:]),
            "labels": torch.from_numpy(sides),
            "episode": torch.from_numpy(episodes),
        }

    def _logits(self, model: Any, batch: Batch) -> Tensor:
        vectors = pooled(model.encoder, batch["patches"].flatten(0, 1))
        found: Tensor = model.head(vectors.reshape(-1, 2 * vectors.shape[1]))
        return found

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the cross-entropy of the four sides."""
        import torch

        return torch.nn.functional.cross_entropy(self._logits(model, batch), batch["labels"])

    def metric(self, model: nn.Module, batch: Batch) -> PretextScores:
        """Return whether each side is right."""
        right = (self._logits(model, batch).argmax(-1) == batch["labels"]).float().cpu().numpy()
        return PretextScores(right, np.full(len(right), 1 / len(_SIDES)))

    def control(self) -> RelativePosition:
        """Return the objective with the second patch from another frame."""
        return dataclasses.replace(self, cueless=True)

    def view(self, pixels: Tensor) -> Tensor:
        """Return pictures as they are."""
        return pixels


def _turned(picture: np.ndarray[Any, Any], turns: int, mirrored: bool) -> np.ndarray[Any, Any]:
    turned = np.rot90(picture, turns)
    return turned[:, ::-1] if mirrored else turned


def _cut(picture: np.ndarray[Any, Any], place: np.ndarray[Any, Any], size: int) -> np.ndarray[Any, Any]:
    top, left = place
    return picture[top : top + size, left : left + size]
