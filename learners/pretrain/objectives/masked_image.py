"""The masked autoencoder (He et al. 2022) on frames, 75 % of the patches masked, by transformers.

The score is the share of the error of the mean picture that is explained at masked patches. Control: each patch comes
from another frame, so that what is seen says nothing of what is not, and the mean is the best answer.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..encoders import to_input, vit_fields
from ..protocol import Batch, PretextScores
from ..reader import ExperienceReader
from .base import PretextObjective

if TYPE_CHECKING:
    from torch import Tensor, nn

_AVERAGED: Final = 512
"""Frames of which the mean picture is made."""


class MaskedImage(PretextObjective):
    """Fill in masked patches of frames."""

    @functools.cached_property
    def mean(self) -> Tensor:
        """The mean picture of the training part, `[3, size, size]`."""
        shown, _ = self.experience.draw_frames(np.random.default_rng(0), _AVERAGED)
        return to_input(shown).mean(0)

    def build(self) -> nn.Module:
        """Return a vision transformer with its decoder."""
        from transformers import ViTMAEConfig, ViTMAEForPreTraining

        scale = self.config.size
        decoder = {"decoder_hidden_size": scale.width // 2, "decoder_num_hidden_layers": max(1, scale.layers // 3)}
        decoder |= {"decoder_num_attention_heads": scale.heads // 2, "decoder_intermediate_size": 2 * scale.width}
        fields: dict[str, Any] = vit_fields(scale) | decoder
        model = ViTMAEForPreTraining(ViTMAEConfig(**fields, mask_ratio=self.config.mask_ratio or 0.75))
        # transformers 5.24 leaves both at zero in a new model, so that no patch knows its place.
        for places in (model.vit.embeddings.position_embeddings, model.decoder.decoder_pos_embed):
            places.data.copy_(place_vectors(scale.picture // scale.patch, places.shape[-1]))
        return model

    def batch(self, experience: ExperienceReader, rng: np.random.Generator) -> Batch:
        """Return frames, and the noise that decides which patches are masked."""
        import torch

        scale = self.config.size
        shown, episodes = experience.draw_frames(rng, self.config.batch_size)
        pixels, side = to_input(shown), scale.picture // scale.patch
        if self.cueless:
            cut = pixels.reshape(len(pixels), 3, side, scale.patch, side, scale.patch)
            order = torch.from_numpy(rng.permuted(np.tile(np.arange(len(pixels)), (side * side, 1)), axis=1).T.copy())
            rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
            mixed = cut[order.view(-1, side, side), :, rows, :, columns]
            pixels = mixed.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)
        noise = torch.from_numpy(rng.random((len(pixels), side * side), np.float32))
        return {"pixel_values": pixels, "noise": noise, "episode": torch.from_numpy(episodes)}

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the mean squared error at masked patches."""
        found: Tensor = model(batch["pixel_values"], noise=batch["noise"]).loss
        return found

    def metric(self, model: Any, batch: Batch) -> PretextScores:
        """Return the explained share of the mean picture's error, frame by frame."""
        made = model(batch["pixel_values"], noise=batch["noise"])
        wanted = model.patchify(batch["pixel_values"])
        plain = model.patchify(self.mean.to(wanted.device)[None])
        masked, count = made.mask, made.mask.sum(1)
        error = ((made.logits.float() - wanted).square().mean(-1) * masked).sum(1) / count
        mean_error = ((plain - wanted).square().mean(-1) * masked).sum(1) / count
        values = ((mean_error - error) / mean_error.mean()).cpu().numpy()
        return PretextScores(values, np.zeros(len(values)))


def place_vectors(side: int, width: int) -> Tensor:
    """Return a fixed vector for each place of a grid, sines and cosines of row and column as in MAE's own code.

    Args:
        side: The grid's height and width.
        width: Length of a vector, a multiple of 4.

    Returns:
        Shape `[1, 1 + side**2, width]`, row by row; the first, of the class token, is 0.
    """
    import torch

    rates = 10_000 ** -(torch.arange(width // 4) / (width // 4))
    angles = torch.arange(side)[:, None] * rates
    along = torch.cat([angles.sin(), angles.cos()], 1)
    rows, columns = along[:, None].expand(side, side, -1), along[None].expand(side, side, -1)
    places = torch.cat([columns, rows], -1).reshape(1, side * side, width)
    return torch.cat([torch.zeros(1, 1, width), places], 1)
