"""KL to the frozen base: on a little reference text, the model's next-token distributions stay near the base's.

Learning without forgetting (Li & Hoiem 2016) on reference inputs: weight * mean over tokens of KL(base || model).
Replay uses one token per position, this the base's whole distribution, so a few sequences carry much information.
Under LoRA the base is the model itself with its adapter switched off; otherwise it is a frozen copy.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ...errors import at_least, check
from ..training.lora import is_adapted
from ..training.losses import Precision, autocast
from .protocol import Method, MethodContext, require
from .replay import whole

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import nn


@dataclass(frozen=True, slots=True)
class KlConfig:
    """The method `kl`."""

    sequences: int = 4
    """Reference sequences per optimizer step."""
    weight: float = 1.0
    """The weight of the divergence; the task's loss has 1."""

    def __post_init__(self) -> None:
        """Raise `ConfigError` if a field is out of range."""
        check(at_least(self, sequences=1, weight=0), "configuration of kl")


class BaseKL:
    """Adds the gradient of `weight` times KL(base || model) on reference sequences; a `Regularizer`."""

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
            sequences: Token ids of reference text, shape `[sequences, T]`.
            model: The model before it is trained; without an adapter it is copied.
            per_step: Sequences per step; each is run forward twice and backward once.
            weight: The weight of the divergence; the task's loss has 1.
            seed: Decides, together with the step's number, which sequences.
            precision: Of both forward passes.
        """
        self._base = None if is_adapted(model) else copy.deepcopy(model).eval().requires_grad_(False)
        self._sequences, self._per_step, self._weight = sequences, per_step, weight
        self._seed, self._precision = seed, precision

    def add_gradient(self, model: nn.Module, step: int) -> float:
        """Add the gradient, both models without dropout; return `weight` times the divergence in nats per token."""
        import torch

        from ..training.batches import draw

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
            # peft makes every adapter weight trainable when it enables the adapter again, frozen ones too.
            trained = [(one, one.requires_grad) for one in model.parameters()]
            with model.disable_adapter():  # type: ignore[operator]
                logits: torch.Tensor = model(input_ids=ids).logits
            for one, needed in trained:
                one.requires_grad_(needed)
            return logits
        return self._base.to(ids.device)(input_ids=ids).logits  # type: ignore[no-any-return]

    def finish(self, model: nn.Module) -> None:
        """Do nothing."""


def make_kl(context: MethodContext, config: KlConfig) -> BaseKL:
    """Make the regularizer."""
    return BaseKL(
        require(context.text, "kl", "reference text"),
        context.model,
        per_step=config.sequences,
        weight=config.weight,
        seed=context.seed,
        precision=context.precision,
    )


METHODS: Final = (
    Method(
        "kl",
        "on a little reference text, KL(base || model) is kept small (Li & Hoiem 2016)",
        KlConfig,
        make_kl,
        frozenset({"text"}),
    ),
)
