"""DPO and KTO by TRL, on pairs of a better and a worse answer to one prompt, with the regularizers of any other run.

DPO (Rafailov et al. 2023, arXiv 2305.18290) raises the better answer against the worse one, KTO (Ethayarajh et al.
2024, arXiv 2402.01306) each answer for itself; both against the model as it was when training began. Pairs come from
`pathei store export --format preference`. Checkpoints, log and resuming are those of `training.trl`.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import ConfigError, LearningError
from ...extras import needed_by
from ..examples import Example
from ..methods.protocol import Regularizer
from ..training.batches import has_chat, tokenise
from ..training.config import TrainingConfig
from ..training.loop import Watch
from ..training.lora import is_adapted
from ..training.trl import arguments, kept_trainer, log_callbacks, run_trainer

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedTokenizerBase


def train_preferences(
    model: nn.Module,
    examples: Sequence[Example],
    training: TrainingConfig,
    regularizers: Sequence[Regularizer],
    folder: Path,
    watch: Watch | None = None,
    *,
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
) -> dict[str, float]:
    """Train a causal language model in place on pairs, by `training.loss`.

    Args:
        model: A causal language model of transformers, adapted already if it is to be.
        examples: Pairs (`is_pair`).
        training: How.
        regularizers: What keeps it near what it knew.
        folder: The run directory.
        watch: Called after every step, in the first process only.
        tokenizer: The model's.
        max_length: Pairs with a longer answer, prompt included, are left out; in tokens.

    Returns:
        What `training.trl.train` does; `loss` is that of DPO or KTO.

    Raises:
        ConfigError: an example is no pair, or a micro-batch of KTO has one row.
        LearningError: no pair is short enough, or what `training.trl.train` raises.
        MissingDependencyError: TRL is not installed.
    """
    if strange := next((one.id for one in examples if not is_pair(one)), None):
        raise ConfigError(
            f"The loss {training.loss!r} learns from pairs, and {strange!r} is none: write them with `pathei store "
            "export --format preference`."
        )
    kept = fitting(examples, tokenizer, max_length)
    if not kept:
        raise LearningError(f"None of {len(examples)} pairs fits into {max_length} tokens: raise max_length.")

    def build() -> Any:
        with needed_by("Learning from preferences", "learn"):
            import datasets  # type: ignore[import-untyped]

            arguments_class, trainer_class = _classes(training.loss)
        rows = [row for one in kept for row in _rows(one, training.loss, chat=has_chat(tokenizer))]
        said = _said(arguments(training, len(rows)), max_length)
        if training.loss == "kto" and said["per_device_train_batch_size"] < 2:
            raise ConfigError("KTO compares the answers of a micro-batch: let it have at least 2 rows.")
        return kept_trainer(trainer_class, folder, watch)(
            model=model,
            ref_model=None if is_adapted(model) else copy.deepcopy(model).eval().requires_grad_(False),
            args=arguments_class(output_dir=str(folder / "checkpoint"), beta=training.beta, **said),
            train_dataset=datasets.Dataset.from_list(rows),
            processing_class=tokenizer,
            callbacks=log_callbacks(folder, regularizers),
        )

    return run_trainer(build, training, regularizers, folder)


def _classes(loss: str) -> tuple[Any, Any]:
    """Return the classes of TRL's arguments and trainer for a loss."""
    if loss == "dpo":
        from trl.trainer.dpo_config import DPOConfig
        from trl.trainer.dpo_trainer import DPOTrainer

        return DPOConfig, DPOTrainer
    from trl.trainer.kto_config import KTOConfig
    from trl.trainer.kto_trainer import KTOTrainer

    return KTOConfig, KTOTrainer


def is_pair(example: Example) -> bool:
    """Whether an example has a better answer, its completion, and one other, a worse one."""
    return not example.turns and len(example.choices) == 2 and example.completion in example.choices


def worse(pair: Example) -> str:
    """Return the worse answer of a pair."""
    return next(one for one in pair.choices if one != pair.completion)


def fitting(pairs: Sequence[Example], tokenizer: PreTrainedTokenizerBase, max_length: int) -> list[Example]:
    """Return the pairs of which both answers, prompt included, have at most `max_length` tokens."""
    both = [side for one in pairs for side in (one, dataclasses.replace(one, completion=worse(one)))]
    lengths = [len(row.ids) for row in tokenise(both, tokenizer, max_length=1 << 30).rows]
    longest = map(max, lengths[::2], lengths[1::2])
    return [one for one, length in zip(pairs, longest, strict=True) if length <= max_length]


def _rows(pair: Example, loss: str, *, chat: bool) -> list[dict[str, Any]]:
    """Return a pair as TRL reads it: one row for DPO, two for KTO."""

    def side(role: str, text: str) -> Any:
        return [{"role": role, "content": text.strip() if role == "assistant" else text}] if chat else text

    asked, better, other = side("user", pair.prompt), side("assistant", pair.completion), side("assistant", worse(pair))
    if loss == "dpo":
        return [{"prompt": asked, "chosen": better, "rejected": other}]
    answers = ((better, True), (other, False))
    return [{"prompt": asked, "completion": answer, "label": label} for answer, label in answers]


def _said(plain: dict[str, Any], max_length: int) -> dict[str, Any]:
    """Return the arguments of an SFTConfig without what the others do not know; TRL tokenises and shuffles itself."""
    own = ("packing", "dataset_kwargs", "train_sampling_strategy", "remove_unused_columns")
    return {name: value for name, value in plain.items() if name not in own} | {"max_length": max_length}
