"""What the objectives without a model of transformers share: an encoder with a head on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel


def with_head(encoder: PreTrainedModel, head: nn.Module) -> nn.Module:
    """Return an encoder of transformers with a part that is thrown away after pre-training: `encoder` and `head`."""
    from torch import nn

    class EncoderWithHead(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.head = encoder, head

        @property
        def base_model(self) -> PreTrainedModel:
            """The encoder, by the name that transformers' models with a head have for theirs."""
            return encoder

    return EncoderWithHead()


def classifier(width: int, classes: int) -> nn.Module:
    """Return a classifier with one hidden layer."""
    from torch import nn

    return nn.Sequential(nn.Linear(width, 128), nn.GELU(), nn.Linear(128, classes))


def grey(pixels: Tensor) -> Tensor:
    """Return pictures without colour, `[..., 3, size, size]`: the luminance of Rec. 601 three times."""
    weights = pixels.new_tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    return (pixels * weights).sum(-3, keepdim=True).expand_as(pixels).contiguous()
