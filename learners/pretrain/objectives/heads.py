"""What the objectives without a model of transformers share: an encoder with a head on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel


class EncoderWithHead(nn.Module):
    """An encoder of transformers, and the part that is thrown away after pre-training."""

    def __init__(self, encoder: PreTrainedModel, head: nn.Module) -> None:
        """Put them together."""
        super().__init__()
        self.encoder, self.head = encoder, head

    @property
    def base_model(self) -> PreTrainedModel:
        """The encoder, by the name that transformers' models with a head have for theirs."""
        return self.encoder


def classifier(width: int, classes: int) -> nn.Module:
    """Return a classifier with one hidden layer."""
    return nn.Sequential(nn.Linear(width, 128), nn.GELU(), nn.Linear(128, classes))


def grey(pixels: Tensor) -> Tensor:
    """Return pictures without colour, `[..., 3, size, size]`: the luminance of Rec. 601 three times."""
    weights = pixels.new_tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    return (pixels * weights).sum(-3, keepdim=True).expand_as(pixels).contiguous()
