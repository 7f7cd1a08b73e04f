"""What objectives share that show several pictures at once and ask which of a few answers is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..encoders import feature_width, grey, last_map, new_image_encoder
from ..protocol import Batch
from .base import ChoiceObjective
from .heads import with_head

if TYPE_CHECKING:
    from torch import Tensor, nn

_HIDDEN = 128


class PictureClassification(ChoiceObjective):
    """Examples are `"pixels"`, `[n, pictures, 3, size, size]`, and `"labels"`, `[n]`; a guess is right by chance."""

    is_grey: ClassVar[bool] = True
    """Without colour, which would do instead of shape (Doersch et al. 2015 drop it too)."""
    pictures: ClassVar[int]
    """Pictures of an example."""
    classes: ClassVar[int]
    """Possible answers."""

    def build(self) -> nn.Module:
        """Return an encoder; the head reads the maps of all pictures place by place, then averages."""
        from torch import nn

        encoder = new_image_encoder(self.config.size)
        head = nn.Sequential(
            nn.Conv2d(self.pictures * feature_width(encoder), _HIDDEN, 3, padding=1),
            nn.GELU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(_HIDDEN, self.classes),
        )
        return with_head(encoder, head)

    def logits(self, model: Any, batch: Batch) -> Tensor:
        """Return the logits of the answers."""
        maps = last_map(model.encoder, grey(batch["pixels"].flatten(0, 1)))
        found: Tensor = model.head(maps.reshape(len(batch["pixels"]), -1, *maps.shape[2:]))
        return found
