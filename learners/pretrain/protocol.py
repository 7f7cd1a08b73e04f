"""What an objective is: the contract that the trainer and the probe rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .reader import ExperienceReader

Modality = Literal["frames", "clips", "text"]
"""What an objective reads: single pictures, pictures in the order of time, or transcripts."""
Batch = dict[str, Any]
"""Tensors by name, the first dimension of each the batch; `"episode"` numbers the episode of each example."""


class PretextScores(NamedTuple):
    """How well the pretext task was done, example by example."""

    values: np.ndarray[Any, Any]
    """Shape `[n]`, higher is better; an accuracy or an explained share. NaN where an example asks nothing."""
    baseline: np.ndarray[Any, Any]
    """What the best answer without looking would have got on the same examples, shape `[n]`."""


class Objective(Protocol):
    """A self-supervised task. It is made from a store's training part and its configuration, and is not changed."""

    @property
    def modality(self) -> Modality:
        """What it reads."""

    @property
    def is_grey(self) -> bool:
        """Whether its encoder is shown pictures without colour only."""

    def build(self) -> nn.Module:
        """Return a new model, drawn from torch's random state: `model.base_model` (transformers') and a head."""

    def batch(self, experience: ExperienceReader, rng: np.random.Generator) -> Batch:
        """Return one batch of a part of the experience; the same generator state gives the same batch."""

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the loss of a batch, a number with gradients."""

    def metric(self, model: nn.Module, batch: Batch) -> PretextScores:
        """Return the scores of a batch; the model is in evaluation mode and without gradients."""

    def control(self) -> Objective:
        """Return the same objective with the cue taken away: whatever is trained on it must not beat its baseline."""
