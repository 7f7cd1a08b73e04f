"""Replay: every step also trains on a little reference text.

The oldest remedy (Ratcliff 1990; Robins 1995) and, measured, among the strongest. The text is the user's, or the
base model's own samples, drawn before training (self-generated replay: no reference text needs to be kept or shipped).
Not here: choosing what to replay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ...errors import at_least, check
from ..training.losses import Precision, autocast, summed_loss
from .protocol import Method, MethodContext, require

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import nn
    from transformers import PreTrainedTokenizerBase

    from ..training.batches import TrainingBatch


@dataclass(frozen=True, slots=True)
class ReplayConfig:
    """The methods `replay` and `self-replay`."""

    sequences: int = 4
    """Reference sequences per optimizer step."""
    weight: float = 1.0
    """The weight of their loss; the task's loss has 1."""

    def __post_init__(self) -> None:
        """Raise `ConfigError` if a field is out of range."""
        check(at_least(self, sequences=1, weight=0), "configuration of replay")


class Replay:
    """Adds the gradient of `weight` times the mean loss per token on reference sequences; a `Regularizer`."""

    def __init__(
        self,
        sequences: NDArray[np.int64],
        *,
        per_step: int = 4,
        weight: float = 1.0,
        seed: int = 0,
        precision: Precision = "fp32",
        name: str = "replay",
    ) -> None:
        """Prepare.

        Args:
            sequences: Token ids of reference text, shape `[sequences, T]`.
            per_step: Sequences per step.
            weight: The weight of their loss; the task's loss has 1.
            seed: Decides, together with the step's number, which sequences.
            precision: Of the forward pass.
            name: The name in logs and tables.
        """
        self.name = name
        self._sequences, self._per_step, self._weight = sequences, per_step, weight
        self._seed, self._precision = seed, precision

    def add_gradient(self, model: nn.Module, step: int) -> float:
        """Add the gradient; return `weight` times the mean loss of the step's sequences, in nats per token."""
        from ..training.batches import draw

        batch = whole(draw(self._sequences, self._per_step, seed=self._seed, step=step), model)
        with autocast(model, self._precision):
            loss = self._weight * summed_loss(model, batch) / batch.labels[:, 1:].numel()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.item()

    def finish(self, model: nn.Module) -> None:
        """Do nothing."""


def whole(sequences: NDArray[np.int64], model: nn.Module) -> TrainingBatch:
    """Return sequences as a batch on the model's device; every token but the first of each is to be predicted."""
    import torch

    from ..training.batches import TrainingBatch

    ids = torch.from_numpy(sequences).to(next(model.parameters()).device)
    return TrainingBatch(ids, torch.ones_like(ids), ids, torch.ones(ids.shape, device=ids.device))


def self_generated(
    model: nn.Module, tokenizer: PreTrainedTokenizerBase, *, count: int, length: int, seed: int, batch: int = 16
) -> NDArray[np.int64]:
    """Sample texts from a model's own distribution, lay them end to end, and cut them into sequences.

    A text begins after the token that begins one, and ends with the one that ends it, or after `length` tokens. torch's
    random state is left as it was.

    Args:
        model: A causal language model of transformers, before it is trained.
        tokenizer: The model's.
        count: How many sequences.
        length: T, in tokens.
        seed: Decides what is drawn.
        batch: Texts drawn at the same time.

    Returns:
        Token ids, shape `[count, length]`.
    """
    import numpy as np
    import torch
    from transformers import GenerationConfig

    from ..training.batches import has_chat, pad_of, separator_of

    end = separator_of(tokenizer)
    bos = None if has_chat(tokenizer) else tokenizer.bos_token_id
    first: Any = end if bos is None else bos
    # Every field overrides the model's own defaults, so that only its distribution decides.
    config = GenerationConfig(  # type: ignore[no-untyped-call]
        do_sample=True,
        top_k=0,
        top_p=1.0,
        temperature=1.0,
        repetition_penalty=1.0,
        max_new_tokens=length,
        eos_token_id=end,
        pad_token_id=pad_of(tokenizer),
    )
    tokens: list[int] = []
    where, mode = next(model.parameters()).device, model.training
    begin = torch.full((batch, 1), first, device=where)
    model.eval()
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(seed)
        while len(tokens) < count * length:
            drawn = model.generate(  # type: ignore[operator]
                input_ids=begin, attention_mask=torch.ones_like(begin), generation_config=config
            )
            for text in drawn[:, 1:].tolist():
                tokens += text[: text.index(end) + 1] if end in text else text
    model.train(mode)
    return np.array(tokens[: count * length], dtype=np.int64).reshape(count, length)


def make_replay(context: MethodContext, config: ReplayConfig) -> Replay:
    """Make the regularizer of `replay`."""
    return _replay("replay", require(context.text, "replay", "reference text"), context, config)


def make_self_replay(context: MethodContext, config: ReplayConfig) -> Replay:
    """Make the regularizer of `self-replay`."""
    return _replay("self-replay", require(context.samples, "self-replay", "the base's own samples"), context, config)


def _replay(name: str, sequences: NDArray[np.int64], context: MethodContext, config: ReplayConfig) -> Replay:
    return Replay(
        sequences,
        per_step=config.sequences,
        weight=config.weight,
        seed=context.seed,
        precision=context.precision,
        name=name,
    )


METHODS: Final = (
    Method(
        "replay",
        "every step also trains on a little reference text (Robins 1995)",
        ReplayConfig,
        make_replay,
        frozenset({"text"}),
    ),
    Method(
        "self-replay",
        "replay of what the base wrote by itself before training; needs no reference text",
        ReplayConfig,
        make_self_replay,
        frozenset({"samples"}),
        shares="replay",
    ),
)
