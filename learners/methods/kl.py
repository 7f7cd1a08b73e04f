"""KL to the frozen base: on a little old text, the model's next-token distributions stay near what the base's were.

Learning without forgetting (Li & Hoiem 2016) with old inputs: weight * mean over tokens of KL(base || model). Unlike
replay it asks for the base's whole distribution, so a few sequences say much. Under LoRA the base is the model itself
with its adapter switched off; else it is a frozen copy.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from ..training.batches import draw
from ..training.lora import is_adapted
from ..training.losses import Precision, autocast
from .replay import whole

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import nn


class BaseKL:
    """Adds the gradient of `weight` times KL(base || model) on old sequences; a `Preserver`."""

    name = "kl"

    def __init__(
        self,
        sequences: NDArray[np.int64],
        model: nn.Module,
        *,
        per_step: int = 4,
        weight: float = 1.0,
        seed: int = 0,
        precision: Precision = "fp32",
    ) -> None:
        """Prepare.

        Args:
            sequences: Old text, shape `[sequences, T]`.
            model: The model before it is trained; without an adapter it is copied.
            per_step: How many sequences a step goes through, twice forward and once backward.
            weight: What the divergence counts beside the task's loss.
            seed: With the step's number, decides which.
            precision: Of both forward passes.
        """
        self._base = None if is_adapted(model) else copy.deepcopy(model).eval().requires_grad_(False)
        self._sequences, self._per_step, self._weight = sequences, per_step, weight
        self._seed, self._precision = seed, precision

    def add_gradient(self, model: nn.Module, step: int) -> float:
        """Add the gradient, both models without dropout; return `weight` times the divergence in nats per token."""
        import torch

        ids = whole(draw(self._sequences, self._per_step, seed=self._seed, step=step), model).input_ids
        mode = model.training
        model.eval()
        with autocast(model, self._precision):
            with torch.no_grad():
                target = self._base_logits(model, ids).float().log_softmax(-1)
            guess = model(input_ids=ids).logits.float().log_softmax(-1)
            divergence = torch.nn.functional.kl_div(guess, target, reduction="sum", log_target=True)
            loss = self._weight * divergence / ids.numel()
        loss.backward()  # type: ignore[no-untyped-call]
        model.train(mode)
        return loss.item()

    def _base_logits(self, model: nn.Module, ids: torch.Tensor) -> torch.Tensor:
        if self._base is None:
            with model.disable_adapter():  # type: ignore[operator]
                return model(input_ids=ids).logits  # type: ignore[no-any-return]
        return self._base.to(ids.device)(input_ids=ids).logits  # type: ignore[no-any-return]

    def finish(self, model: nn.Module) -> None:
        """Do nothing."""


__all__ = ["BaseKL"]
