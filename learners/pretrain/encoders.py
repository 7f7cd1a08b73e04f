"""Encoders of transformers at the scales of `config`: new ones, and what is read off them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .config import ModelScale

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import ModernBertConfig, PreTrainedModel, PreTrainedTokenizerFast


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
        "initializer_range": initial_spread(scale.width),
    }


def initial_spread(width: int) -> float:
    """Return the standard deviation of a transformer's new weights.

    The usual 0.02 is meant for widths of 768; with it a narrow layer passes on little of what comes in, and attention
    stays even for hundreds of steps.
    """
    return float(0.5 * width**-0.5)


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


def layers_of_picture(encoder: PreTrainedModel, pixels: Tensor) -> Tensor:
    """Return what `pooled` does of every layer, `[n, width]`: a residual network's are all in `pooled`."""
    import torch

    if encoder.config.model_type == "resnet":
        return pooled(encoder, pixels)
    return torch.cat([one[:, 1:].mean(1) for one in _layers(encoder, pixels)], 1)


def calibrate(encoder: PreTrainedModel, batches: Iterable[Tensor]) -> None:
    """Take the statistics of batch normalisation from batches of pictures, `[n, 3, size, size]`; weights stay."""
    import torch

    norms = [one for one in encoder.modules() if isinstance(one, torch.nn.BatchNorm2d)]
    if not norms:
        return
    kept = [one.momentum for one in norms]
    for one in norms:
        one.reset_running_stats()
        one.momentum = None  # the mean over all batches
    was_training = encoder.training
    encoder.train()
    with torch.no_grad():
        for pixels in batches:
            encoder(pixels)
    encoder.train(was_training)
    for one, momentum in zip(norms, kept, strict=True):
        one.momentum = momentum


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


def _tokens(encoder: PreTrainedModel, pixels: Tensor) -> Tensor:
    """Return a transformer's tokens in the order of their places, the class token first; nothing is masked."""
    return _seen_whole(encoder, pixels).last_hidden_state  # type: ignore[no-any-return]


def _layers(encoder: PreTrainedModel, pixels: Tensor) -> Sequence[Tensor]:
    """Return what `_tokens` does of every layer."""
    return _seen_whole(encoder, pixels, output_hidden_states=True).hidden_states[1:]  # type: ignore[no-any-return]


def _seen_whole(encoder: Any, pixels: Tensor, **options: bool) -> Any:
    import torch

    if encoder.config.model_type != "vit_mae":
        return encoder(pixels, **options)
    kept, encoder.config.mask_ratio = encoder.config.mask_ratio, 0.0
    try:
        patches = (encoder.config.image_size // encoder.config.patch_size) ** 2
        noise = torch.arange(patches, device=pixels.device).expand(len(pixels), patches).float()
        return encoder(pixels, noise=noise, **options)
    finally:
        encoder.config.mask_ratio = kept


def text_config(scale: ModelScale, tokenizer: PreTrainedTokenizerFast) -> ModernBertConfig:
    """Return the configuration of a ModernBERT (Warner et al. 2024), a BERT with relative places (RoPE).

    With BERT's absolute positions a small encoder learns no more than how frequent each word is for its first
    thousand steps: it has to find for each place apart which ones are next to it.
    """
    from transformers import ModernBertConfig

    return ModernBertConfig(
        vocab_size=len(tokenizer),
        hidden_size=scale.width,
        intermediate_size=2 * scale.width,
        num_hidden_layers=scale.layers,
        num_attention_heads=scale.heads,
        max_position_embeddings=scale.tokens,
        initializer_range=initial_spread(scale.width),
        layer_types=["full_attention"] * scale.layers,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
        cls_token_id=tokenizer.cls_token_id,
        sep_token_id=tokenizer.sep_token_id,
    )


def pooled_text(encoder: PreTrainedModel, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
    """Return one vector for each text, `[n, width]`: the mean over its tokens, which the mask marks."""
    hidden: Tensor = encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
    return _mean_of_tokens(hidden, attention_mask)


def layers_of_text(encoder: PreTrainedModel, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
    """Return what `pooled_text` does of every layer, `[n, layers * width]`."""
    import torch

    made = encoder(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True)
    return torch.cat([_mean_of_tokens(one, attention_mask) for one in made.hidden_states[1:]], 1)


def _mean_of_tokens(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    mask = attention_mask[..., None]
    return (hidden * mask).sum(1) / mask.sum(1)
