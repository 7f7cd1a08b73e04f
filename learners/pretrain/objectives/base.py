"""What objectives share: what they are made of, their control, a choice among answers, and the words of a store."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..config import PretrainConfig
from ..protocol import Batch, Modality, PretextScores
from ..reader import ExperienceReader
from ..text import train_tokenizer

if TYPE_CHECKING:
    from typing import Self

    from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class PretextObjective:
    """The base of objectives; see `protocol.Objective`."""

    experience: ExperienceReader
    config: PretrainConfig
    cueless: bool = False
    """Whether the cue is taken away."""
    modality: ClassVar[Modality] = "frames"
    is_grey: ClassVar[bool] = False

    def control(self) -> Self:
        """Return the objective without its cue; the head of each module says what that is."""
        return dataclasses.replace(self, cueless=True)

    @functools.cached_property
    def tokenizer(self) -> Any:
        """The tokenizer of an objective that reads texts, trained on the training part."""
        size = self.config.size
        return train_tokenizer(self.experience, size.vocabulary, size.tokens)


class ChoiceObjective(PretextObjective):
    """Asks which of a few answers is right, the `"labels"` of a batch, `[n]`; a guess is one of them at random."""

    def logits(self, model: Any, batch: Batch) -> Tensor:
        """Return the logits of the answers, shape `[n, classes]`."""
        raise NotImplementedError

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the cross-entropy of the answers."""
        import torch

        return torch.nn.functional.cross_entropy(self.logits(model, batch), batch["labels"])

    def metric(self, model: nn.Module, batch: Batch) -> PretextScores:
        """Return whether each answer is right."""
        logits = self.logits(model, batch)
        right = (logits.argmax(-1) == batch["labels"]).float().cpu().numpy()
        return PretextScores(right, np.full(len(right), 1 / logits.shape[-1]))
