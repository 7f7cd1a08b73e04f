"""How a model is trained: one configuration for the plain loop and for TRL.

Not here: the methods against forgetting (`methods`), and where data and models come from (`config`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from ...errors import at_least, check
from ...pretrained import is_smollm2, is_tiny

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ALL_LINEAR: Final = "all-linear"
"""The LoRA target for every linear layer except the head."""


def learning_rate_for(adapter: bool, model: str = "") -> float:
    """Return a learning rate to begin with.

    The tiny model's was chosen on household plans, and all weights of SmolLM2 reached plans at this one
    (`docs/benchmarks/learning.md`); an adapter's is that of QLoRA (Dettmers et al. 2023, for 7 and 13 billion weights).
    None was tuned for a larger model here.

    Args:
        adapter: Whether an adapter is trained, and not all weights.
        model: The name of the model that is trained.
    """
    if is_tiny(model):
        return 5e-3 if adapter else 3e-3
    return 2e-4 if adapter or is_smollm2(model) else 1e-4


@dataclass(frozen=True, slots=True)
class LoraConfig:
    """A low-rank adapter (Hu et al. 2021): W + alpha / rank * B A, where only A and B are trained."""

    rank: int = 16
    """The rank of every update."""
    alpha: float = 32.0
    """The update is scaled by alpha / rank."""
    dropout: float = 0.0
    """The probability that an input of the adapter is dropped."""
    targets: tuple[str, ...] = (ALL_LINEAR,)
    """The names of the adapted layers, `("q_proj", "v_proj")`, or `("all-linear",)`."""

    def adapts(self, weight: str) -> bool:
        """Whether a weight of this name may be adapted; with `all-linear`, any may."""
        layer = weight.removesuffix(".weight")
        return self.targets == (ALL_LINEAR,) or any(
            layer == target or layer.endswith("." + target) for target in self.targets
        )

    def rules(self) -> dict[str, bool]:
        """Return the rules that the fields must keep, for `errors.check`."""
        return {
            "lora.rank must be at least 1": self.rank >= 1,
            "lora.alpha must be more than 0": 0 < self.alpha < math.inf,
            "lora.dropout must be in [0, 1)": 0 <= self.dropout < 1,
            "lora.targets must name at least one layer": bool(self.targets) and all(self.targets),
        }


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How to train."""

    epochs: float = 3.0
    """Passes over the examples; ignored if `steps` is given."""
    steps: int | None = None
    """Optimizer steps; None to derive them from `epochs`."""
    batch_size: int = 16
    """Examples per optimizer step, all micro-batches and all processes together."""
    gradient_accumulation_steps: int = 1
    """Micro-batches per optimizer step; does not change the gradient."""
    learning_rate: float | None = None
    """The maximum learning rate of AdamW; None for one that suits the model: 3e-3 for all weights of
    the tiny one and 5e-3 for its adapter, 2e-4 for all weights of SmolLM2 and for other models' adapters, else 1e-4."""
    warmup: int = 0
    """Steps over which the learning rate rises from 0."""
    schedule: Literal["constant", "linear", "cosine"] = "linear"
    """The learning rate after warm-up.

    constant: stays
    linear: falls to 0 along a line
    cosine: falls to 0 along a half cosine
    """
    weight_decay: float = 0.0
    """AdamW's decoupled decay, of matrices only."""
    max_grad_norm: float = 1.0
    """The task gradient is clipped to this norm; 0 for no clipping."""
    max_length: int = 1024
    """The maximum length of an example in tokens, including the end-of-sequence token."""
    over_long: Literal["drop", "truncate"] = "drop"
    """What becomes of examples that are too long.

    drop: they are left out
    truncate: they lose the beginning of their prompt
    """
    seed: int = 0
    """Orders the examples, and seeds adapters and dropout."""
    precision: Literal["fp32", "bf16"] = "bf16"
    """The precision of matrix products; weights and the optimizer are in float32.

    fp32: float32
    bf16: bfloat16 where the hardware has it (autocast)
    """
    gradient_checkpointing: bool = False
    """Whether activations are recomputed in the backward pass: less memory, about a third more time."""
    packing: bool = False
    """Whether several examples share a row of `max_length` tokens; for TRL with FlashAttention."""
    group_by_length: bool = False
    """Whether a step's examples have similar lengths, which leaves little padding."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """The weight of the loss by `Example.kind`; 1 for kinds that are not listed."""
    env_loss: float = 0.0
    """What the loss of a token that the environment says in a conversation counts, against 1 for one of the agent's:
    the model learns to foresee what its actions do. For the plain trainer."""
    loss: Literal["answers", "dpo", "kto"] = "answers"
    """What is minimised.

    answers: the negative log-likelihood of the answers
    dpo: of pairs, the better answer against the worse one, by TRL
    kto: of pairs, each answer for itself, by TRL
    """
    beta: float = 0.1
    """For "dpo" and "kto": how strongly the model is held near where it began."""
    lora: LoraConfig | None = None
    """An adapter to train instead of all weights."""
    trainer: Literal["plain", "trl"] = "plain"
    """Who trains.

    plain: our own loop, one process on a CPU or one GPU
    trl: TRL's SFTTrainer on one or many GPUs
    """
    fsdp: bool = False
    """For "trl" under a launcher: shard weights, gradients and optimizer over the GPUs (FSDP2)."""
    save_every: int = 100
    """Steps between checkpoints."""
    keep: tuple[int, ...] = ()
    """Steps after which what is trained is kept as it is then, in `step-N`: for a learning curve."""

    def __post_init__(self) -> None:
        """Raise `ConfigError` if a field is out of range."""
        check(self._rules() | (self.lora.rules() if self.lora else {}), "training configuration")

    def _rules(self) -> dict[str, bool]:
        return {
            "epochs must be more than 0": 0 < self.epochs < math.inf,
            **at_least(self, steps=1, batch_size=1, warmup=0, weight_decay=0, max_grad_norm=0, max_length=2),
            **at_least(self, seed=0, save_every=1),
            "gradient_accumulation_steps must be at least 1 and at most batch_size": (
                1 <= self.gradient_accumulation_steps <= max(self.batch_size, 1)
            ),
            "learning_rate must be more than 0": self.learning_rate is None or 0 < self.learning_rate < math.inf,
            "schedule must be 'constant', 'linear' or 'cosine'": self.schedule in ("constant", "linear", "cosine"),
            "over_long must be 'drop' or 'truncate'": self.over_long in ("drop", "truncate"),
            "precision must be 'fp32' or 'bf16'": self.precision in ("fp32", "bf16"),
            "weights must be finite and at least 0": all(0 <= weight < math.inf for weight in self.weights.values()),
            "trainer must be 'plain' or 'trl'": self.trainer in ("plain", "trl"),
            "loss must be 'answers', 'dpo' or 'kto'": self.loss in ("answers", "dpo", "kto"),
            "losses 'dpo' and 'kto' need trainer 'trl'": self.loss == "answers" or self.trainer == "trl",
            "losses 'dpo' and 'kto' support neither packing nor fsdp nor weights": (
                self.loss == "answers" or not (self.packing or self.fsdp or self.weights)
            ),
            "env_loss must be finite and at least 0": 0 <= self.env_loss < math.inf,
            "env_loss needs trainer 'plain'": not self.env_loss or self.trainer == "plain",
            "beta must be more than 0": 0 < self.beta < math.inf,
            "packing needs trainer 'trl'": not self.packing or self.trainer == "trl",
            "packing does not support weights": not (self.packing and self.weights),
            "fsdp needs trainer 'trl'": not self.fsdp or self.trainer == "trl",
            "keep must be steps from 1 on": all(step >= 1 for step in self.keep),
            "fsdp does not support keep": not (self.fsdp and self.keep),
        }

    @property
    def peak(self) -> float:
        """The maximum learning rate; without one, that of a model of which nothing is known."""
        return learning_rate_for(self.lora is not None) if self.learning_rate is None else self.learning_rate

    def steps_for(self, examples: int) -> int:
        """Return the number of optimizer steps for a number of examples, at least one."""
        return self.steps or max(1, math.ceil(self.epochs * examples / self.batch_size))

    def order(self, lengths: Sequence[int]) -> NDArray[np.int64]:
        """Return the rows of every optimizer step, shape `[steps, batch_size]`, given each row's length in tokens."""
        from .batches import order_of  # here, since a command's help needs no numpy

        steps = self.steps_for(len(lengths))
        return order_of(lengths, steps=steps, batch=self.batch_size, seed=self.seed, alike=self.group_by_length)

    def learning_rate_at(self, step: int, steps: int) -> float:
        """Return the learning rate of optimizer step `step` (from 0) of `steps`, as transformers' schedules do."""
        if step < self.warmup:
            return self.peak * step / self.warmup
        gone = (step - self.warmup) / max(1, steps - self.warmup)
        shapes = {"constant": 1.0, "linear": max(0.0, 1 - gone), "cosine": (1 + math.cos(math.pi * gone)) / 2}
        return self.peak * shapes[self.schedule]
