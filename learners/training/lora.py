"""LoRA by peft: an adapter put on a model before training, and worked into its weights afterwards.

Not here: quantised bases, which are the caller's to load, and adapters of other kinds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import LearningError
from ...extras import needed_by
from .config import ALL_LINEAR, LoraConfig

if TYPE_CHECKING:
    from torch import nn


def with_lora(model: nn.Module, lora: LoraConfig, *, seed: int) -> nn.Module:
    """Put a fresh adapter on a causal language model; the base is frozen, and what the model says does not change yet.

    Args:
        model: A model of transformers; its layers are changed in place.
        lora: The adapter.
        seed: Of A's first values; B is 0.

    Returns:
        The peft model.

    Raises:
        LearningError: the model has no such layers.
        MissingDependencyError: peft is not installed.
    """
    import torch

    with needed_by("LoRA"):
        import peft
    targets: str | list[str] = ALL_LINEAR if lora.targets == (ALL_LINEAR,) else list(lora.targets)
    config = peft.LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,  # type: ignore[arg-type]
        lora_dropout=lora.dropout,
        target_modules=targets,
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        try:
            return peft.get_peft_model(model, config)
        except ValueError as error:
            raise LearningError(f"LoRA finds nothing to adapt: {error}") from error


def check_targets(model: nn.Module, lora: LoraConfig) -> None:
    """Refuse an adapter that finds nothing to adapt, or that cannot be made for want of peft.

    Raises:
        LearningError: no layer has one of the target names; some that there are, are listed.
        MissingDependencyError: peft is not installed.
    """
    with needed_by("LoRA"):
        import peft  # noqa: F401
    layers = [name for name, layer in model.named_modules() if hasattr(layer, "weight")]
    if not any(lora.adapts(name) for name in layers):
        known = ", ".join(dict.fromkeys(name.rpartition(".")[2] for name in layers))
        raise LearningError(f"LoRA finds nothing to adapt: the model has no layer {lora.targets[0]!r}, but {known}.")


def is_adapted(model: nn.Module) -> bool:
    """Whether a model carries an adapter of peft."""
    return hasattr(model, "disable_adapter")


def merged(model: nn.Module) -> nn.Module:
    """Return the model with its adapter worked into the weights; one without an adapter comes back as it is."""
    return model.merge_and_unload() if is_adapted(model) else model  # type: ignore[operator]
