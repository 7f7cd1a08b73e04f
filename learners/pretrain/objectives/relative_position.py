"""The relative position of two patches (Doersch et al. 2015): which neighbour of the first is the second?

A patch can give away where in the frame it lies (floor below, an agent's own marker at the edge), and then two patches
of different frames are enough. So every frame is turned, mirrored and moved along both axes as on a torus, each at
random: whatever a patch shows, it is equally likely at every place. Neighbours are the four at the sides, with a gap
and jitter between patches, so that edges do not run on. Control: the second patch is of another frame, which is turned
and moved by itself.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

import numpy as np

from ..encoders import to_input
from ..protocol import Batch
from ..reader import ExperienceReader
from .classification import PictureClassification

_SIDES: Final = ((-1, 0), (1, 0), (0, -1), (0, 1))
_PATCH: Final = 1 / 4
_GAP: Final = 1 / 28


class RelativePosition(PictureClassification):
    """Where one patch lies from another."""

    pictures: ClassVar[int] = 2
    classes: ClassVar[int] = len(_SIDES)

    def batch(self, experience: ExperienceReader, rng: np.random.Generator) -> Batch:
        """Return pairs of patches and the side at which the second lies."""
        import torch

        count, size = self.config.batch_size, self.config.size
        shown, episodes = experience.draw_frames(rng, count)
        other = experience.draw_frames(rng, count)[0] if self.cueless else shown
        sides = rng.integers(len(_SIDES), size=count)
        patch, gap = round(_PATCH * size.picture), round(_GAP * size.picture)
        centre = np.array([(size.picture - patch) // 2] * 2)
        pairs = []
        for n in range(count):
            first = displaced(shown[n], rng)
            second = displaced(other[n], rng) if self.cueless else first
            moved = centre + np.array(_SIDES[sides[n]]) * (patch + gap)
            places = (one + rng.integers(-gap, gap + 1, 2) for one in (centre, moved))
            pairs.append([_cut(one, place, patch) for one, place in zip((first, second), places, strict=True)])
        pixels = to_input(np.array(pairs))
        # A convolution takes a patch at half of a frame's size, a transformer at its own.
        side = size.picture // 2 if size.convolutional else size.picture
        scaled = torch.nn.functional.interpolate(pixels.flatten(0, 1), (side, side), mode="bilinear")
        return {
            "pixels": scaled.reshape(count, 2, *scaled.shape[1:]),
            "labels": torch.from_numpy(sides),
            "episode": torch.from_numpy(episodes),
        }


def displaced(picture: np.ndarray[Any, Any], rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Return a picture `[size, size, channels]` turned, perhaps mirrored, and moved round its edges."""
    turned = np.rot90(picture, int(rng.integers(4)))
    if rng.integers(2):
        turned = turned[:, ::-1]
    rows, columns = (int(step) for step in rng.integers(len(picture), size=2))
    return np.roll(turned, (rows, columns), (0, 1))


def _cut(picture: np.ndarray[Any, Any], place: np.ndarray[Any, Any], size: int) -> np.ndarray[Any, Any]:
    top, left = place
    return picture[top : top + size, left : left + size]
