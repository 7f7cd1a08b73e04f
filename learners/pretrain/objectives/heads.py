"""What the objectives without a model of transformers share: an encoder with a head on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn
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
