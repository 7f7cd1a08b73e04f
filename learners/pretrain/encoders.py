"""Encoders of transformers at the scales of `config`: new ones, and what is read off them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .config import ModelScale

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel


def new_image_encoder(scale: ModelScale) -> PreTrainedModel:
    """Return a new encoder of pictures, drawn from torch's random state."""
    from transformers import ResNetConfig, ResNetModel, ViTConfig, ViTModel

    if scale.convolutional:
        return ResNetModel(
            ResNetConfig(embedding_size=32, hidden_sizes=[32, 64, 128], depths=[1, 1, 1], layer_type="basic")
        )
    return ViTModel(ViTConfig(**vit_fields(scale)), add_pooling_layer=False)


def vit_fields(scale: ModelScale) -> dict[str, Any]:
    """Return the fields that the vision transformers' configurations share."""
    return {
        "image_size": scale.picture,
        "patch_size": scale.patch,
        "hidden_size": scale.width,
        "num_hidden_layers": scale.layers,
        "num_attention_heads": scale.heads,
        "intermediate_size": 4 * scale.width,
    }


def feature_width(encoder: PreTrainedModel) -> int:
    """Return the number of channels of `last_map`."""
    config: Any = encoder.config
    return int(config.hidden_sizes[-1] if config.model_type == "resnet" else config.hidden_size)


def to_input(pixels: np.ndarray[Any, Any]) -> Tensor:
    """Return pictures `[..., size, size, 3]` (uint8) as `[..., 3, size, size]`, from -1 to 1."""
    import torch

    return (torch.from_numpy(np.ascontiguousarray(pixels)).movedim(-1, -3).float() / 127.5 - 1).contiguous()


def grey(pixels: Tensor) -> Tensor:
    """Return pictures without colour, `[..., 3, size, size]`: the luminance of Rec. 601 three times."""
    weights = pixels.new_tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    return (pixels * weights).sum(-3, keepdim=True).expand_as(pixels).contiguous()


def pooled(encoder: PreTrainedModel, pixels: Tensor) -> Tensor:
    """Return one vector for each picture, `[n, dense_width]`: the mean over the places of `dense`.

    Args:
        encoder: As `AutoModel.from_pretrained` loads it.
        pixels: Shape `[n, 3, size, size]`; other sizes than its own where it is convolutional.
    """
    import torch

    if encoder.config.model_type == "resnet":
        maps = encoder(pixels, output_hidden_states=True).hidden_states[1:]
        return torch.cat([one.mean((2, 3)) for one in maps], 1)
    return _tokens(encoder, pixels)[:, 1:].mean(1)


def last_map(encoder: PreTrainedModel, pixels: Tensor) -> Tensor:
    """Return the last features place by place, `[n, feature_width, h, w]`."""
    if encoder.config.model_type == "resnet":
        found: Tensor = encoder(pixels).last_hidden_state
        return found
    return _as_map(_tokens(encoder, pixels))


def dense(encoder: PreTrainedModel, pixels: Tensor) -> Tensor:
    """Return features place by place, `[n, channels, h, w]`; all stages of a residual network at its finest grid."""
    import torch

    if encoder.config.model_type == "resnet":
        maps = encoder(pixels, output_hidden_states=True).hidden_states
        size = maps[1].shape[-2:]
        return torch.cat(
            [torch.nn.functional.interpolate(one.contiguous(), size, mode="bilinear") for one in maps[1:]], 1
        )
    return _as_map(_tokens(encoder, pixels))


def dense_width(encoder: PreTrainedModel) -> int:
    """Return the number of channels of `dense`."""
    config: Any = encoder.config
    return int(sum(config.hidden_sizes) if config.model_type == "resnet" else config.hidden_size)


def dense_side(scale: ModelScale) -> int:
    """Return the height and width of the grid of `dense`."""
    return scale.picture // (4 if scale.convolutional else scale.patch)


def _as_map(tokens: Tensor) -> Tensor:
    """Return a transformer's tokens without the class token as a map, `[n, width, side, side]`."""
    side = int((tokens.shape[1] - 1) ** 0.5)
    return tokens[:, 1:].mT.reshape(len(tokens), -1, side, side)


def _tokens(encoder: Any, pixels: Tensor) -> Tensor:
    """Return a transformer's tokens in the order of their places, the class token first; nothing is masked."""
    import torch

    if encoder.config.model_type != "vit_mae":
        found: Tensor = encoder(pixels).last_hidden_state
        return found
    kept, encoder.config.mask_ratio = encoder.config.mask_ratio, 0.0
    try:
        patches = (encoder.config.image_size // encoder.config.patch_size) ** 2
        noise = torch.arange(patches, device=pixels.device).expand(len(pixels), patches).float()
        shown: Tensor = encoder(pixels, noise=noise).last_hidden_state
        return shown
    finally:
        encoder.config.mask_ratio = kept


def new_text_encoder_fields(scale: ModelScale, vocabulary: int, pad: int) -> dict[str, Any]:
    """Return the fields of a BERT's configuration."""
    return {
        "vocab_size": vocabulary,
        "hidden_size": scale.width,
        "num_hidden_layers": scale.layers,
        "num_attention_heads": scale.heads,
        "intermediate_size": 4 * scale.width,
        "max_position_embeddings": scale.tokens,
        "pad_token_id": pad,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }


def pooled_text(encoder: PreTrainedModel, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
    """Return one vector for each text, `[n, width]`: the mean over its tokens, which the mask marks."""
    mask = attention_mask[..., None]
    hidden: Tensor = encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
    return (hidden * mask).sum(1) / mask.sum(1)
