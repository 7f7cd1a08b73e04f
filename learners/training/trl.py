"""Training by TRL's SFTTrainer: one GPU or many, from the same configuration and the same batches as the plain loop.

Rows are tokenised and in the order of their steps, so step n sees the same examples as in the plain loop, whatever the
number of processes. Regularizers act through a callback, never in the loss. A checkpoint counts only when it is marked
complete, so after `kill -9` during a write, the one before is used. Not here: quantising a base.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ...errors import ConfigError, LearningError
from ...extras import needed_by
from ..methods.protocol import Regularizer
from ..run_directory import GATHERED
from .batches import IGNORED, TokenizedExample, collate, labelled, pad_of
from .callback import regularizer_callback
from .checkpoints import append_log, cut_log
from .config import TrainingConfig
from .loop import Watch
from .losses import able

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedTokenizerBase
    from trl.trainer.sft_trainer import SFTTrainer

_LOG: Final = logging.getLogger(__name__)
_WHOLE: Final = "WHOLE"


def train(
    model: nn.Module,
    rows: Sequence[TokenizedExample],
    training: TrainingConfig,
    regularizers: Sequence[Regularizer],
    folder: Path,
    watch: Watch | None = None,
    *,
    tokenizer: PreTrainedTokenizerBase,
) -> dict[str, float]:
    """Train a causal language model in place, as `plain.train` does; FSDP2 leaves it sharded and writes `GATHERED`.

    Args:
        model: A causal language model of transformers, adapted already if it is to be.
        rows: What to learn.
        training: How.
        regularizers: What keeps it near what it knew; they see the model's own parameter names.
        folder: The run directory; checkpoints go to `checkpoint/`, TensorBoard's events to `tensorboard/`.
        watch: Called after every step, in the first process only.
        tokenizer: The model's; without a padding token it gets the one that ends a sequence.

    Returns:
        `steps` of this call, its `seconds`, and the last step's `loss` in nats per token.

    Raises:
        ConfigError: the batch cannot be divided among the processes and micro-batches.
        LearningError: the loss is no number any more, or several GPUs are visible to one process.
        MissingDependencyError: TRL is not installed.
    """

    def build() -> SFTTrainer:
        with needed_by("The trainer 'trl'", "learn"):
            import datasets  # type: ignore[import-untyped]
            from trl.trainer.sft_config import SFTConfig
        packed, count, pad = training.packing and can_pack(model), len(rows), pad_of(tokenizer)
        data = datasets.Dataset.from_dict(
            {"input_ids": [row.ids for row in rows], "labels": [row.labels for row in rows]}
        )
        if not packed:
            data = data.add_column("weight", [row.weight for row in rows])
            data = data.select(training.order([len(row.ids) for row in rows]).ravel())
        return _weighing(folder, watch, weighted=bool(training.weights))(
            model=model,  # type: ignore[arg-type]
            args=SFTConfig(output_dir=str(folder / "checkpoint"), **arguments(training, None if packed else count)),
            train_dataset=data,
            processing_class=tokenizer,
            data_collator=None if packed else lambda features: _laid(features, pad),
            callbacks=log_callbacks(folder, regularizers),
        )

    return run_trainer(build, training, regularizers, folder)


def run_trainer(
    build: Callable[[], Any], training: TrainingConfig, regularizers: Sequence[Regularizer], folder: Path
) -> dict[str, float]:
    """Train with a trainer of TRL from the last whole checkpoint on; see `train` for what is returned and raised.

    Args:
        build: Makes the trainer, of a class that `kept_trainer` made.
        training: How.
        regularizers: Their last word is asked for at the end.
        folder: The run directory.
    """
    import torch

    begun = time.perf_counter()
    with torch.random.fork_rng():
        trainer = build()
        last = _last_whole(folder / "checkpoint", remove_torn=trainer.is_world_process_zero())
        done = int(last.name.rpartition("-")[2]) if last else 0
        if trainer.is_world_process_zero():
            cut_log(folder, done)
        trainer.accelerator.wait_for_everyone()
        _LOG.info("Training with TRL%s.", f" from {last}" if last else "")
        trainer.train(resume_from_checkpoint=str(last) if last else None)
    for one in regularizers:
        one.finish(trainer.model)
    if training.fsdp:
        trainer.save_model(str(folder / GATHERED))
    # What the first process has written, its log too, is whole for all from here on.
    trainer.accelerator.wait_for_everyone()
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    row = {"steps": float(trainer.state.global_step - done), "seconds": time.perf_counter() - begun}
    return {**row, "loss": losses[-1]} if losses else row


def can_pack(model: nn.Module) -> bool:
    """Whether examples can share a row cheaply without seeing each other: FlashAttention takes their borders."""
    return "flash" in str(getattr(model.config, "_attn_implementation", ""))


def log_callbacks(folder: Path, regularizers: Sequence[Regularizer]) -> list[Any]:
    """Return a trainer's callbacks, in this order, so that TensorBoard sees what the regularizers add to the log."""
    from transformers.integrations.integration_utils import TensorBoardCallback

    board = TensorBoardCallback(_writer(folder / "tensorboard"))  # type: ignore[no-untyped-call]
    return [regularizer_callback(regularizers, finish=False), board]


def _writer(folder: Path) -> Any:
    """Return TensorBoard's writer."""
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder))


def arguments(training: TrainingConfig, examples: int | None) -> dict[str, Any]:
    """Say in SFTConfig's words how to train.

    Args:
        training: In our words.
        examples: How many; None where they are packed, and how many rows they make is not known yet.
    """
    import torch
    from transformers import TrainingArguments

    processes, parts = int(os.environ.get("WORLD_SIZE", "1")), training.gradient_accumulation_steps
    if training.batch_size % (processes * parts):
        raise ConfigError(
            f"{training.batch_size} examples per step cannot be shared by {processes} processes with {parts} "
            f"micro-batches each: make `batch_size` a multiple of {processes * parts}."
        )
    if processes == 1 and torch.cuda.device_count() > 1:
        raise LearningError(
            f"{torch.cuda.device_count()} GPUs are visible to one process: start one per GPU with `accelerate "
            "launch --multi_gpu --num_processes`, or choose one with CUDA_VISIBLE_DEVICES."
        )
    names = ("activation_checkpointing", "gradient_checkpointing")
    known = {field.name for field in dataclasses.fields(TrainingArguments)}
    how_long: dict[str, Any] = {"num_train_epochs": training.epochs, "max_steps": training.steps or -1}
    if examples is not None:
        how_long = {"max_steps": training.steps_for(examples)}
    schedules = {"constant": "constant_with_warmup", "linear": "linear", "cosine": "cosine"}
    return how_long | {
        "per_device_train_batch_size": training.batch_size // (processes * parts),
        "gradient_accumulation_steps": parts,
        "learning_rate": training.peak,
        "warmup_steps": training.warmup,
        "lr_scheduler_type": schedules[training.schedule],
        "weight_decay": training.weight_decay,
        "max_grad_norm": training.max_grad_norm,
        "max_length": training.max_length,
        "packing": examples is None,
        "dataset_kwargs": {"skip_prepare_dataset": examples is not None},
        "train_sampling_strategy": "random" if examples is None else "sequential",
        "remove_unused_columns": examples is None,
        "seed": training.seed,
        "bf16": able(training.precision) == "bf16",
        # The name that transformers 6 will know, where this version has it already.
        next(name for name in names if name in known): training.gradient_checkpointing,
        "fsdp": training.fsdp,
        "save_steps": training.save_every,
        # The one before the last is what is left if the last is torn.
        "save_total_limit": 2,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "disable_tqdm": True,
        "report_to": "none",
        "dataloader_pin_memory": torch.cuda.is_available(),
    }


def _laid(features: Sequence[dict[str, Any]], pad: int) -> dict[str, Any]:
    """Lay the rows of a micro-batch side by side, as the plain loop does."""
    rows = [
        labelled(one["input_ids"], [label != IGNORED for label in one["labels"]], one["weight"]) for one in features
    ]
    return collate(rows, pad)._asdict()


def _weighing(folder: Path, watch: Watch | None, *, weighted: bool) -> type[SFTTrainer]:
    """Build the class of the trainer that imitates, which weighs rows."""
    from trl.trainer.sft_trainer import SFTTrainer

    class WeighingTrainer(kept_trainer(SFTTrainer, folder, watch)):  # type: ignore[misc]
        """TRL's trainer with weights."""

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: Any = False, num_items_in_batch: Any = None
        ) -> Any:
            """Weigh the loss of each row, if any weight was given; else leave all to TRL."""
            weights = inputs.pop("weights", None)
            if not weighted:
                return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            out = model(**inputs, use_cache=False, fused_lm_head=True)
            loss = -(out.log_probs * weights[:, :1]).sum() / num_items_in_batch
            return loss * self.accelerator.num_processes

    return WeighingTrainer


def kept_trainer(base: Any, folder: Path, watch: Watch | None) -> Any:
    """Build a class of one of TRL's trainers with our log, and marks on whole checkpoints.

    Args:
        base: TRL's class.
        folder: The run directory.
        watch: Called after every step, in the first process only.
    """
    from transformers import PrinterCallback

    class PatheiTrainer(base):  # type: ignore[misc]
        """TRL's trainer with our log and marks."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.remove_callback(PrinterCallback)

        def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
            """Write the run's own log and call the watcher; the callback has added the regularizers' values."""
            super().log(logs, start_time)
            if "loss" not in logs:
                return
            if not all(math.isfinite(value) for value in logs.values()):
                raise LearningError(f"Step {self.state.global_step} is no number any more: lower learning_rate.")
            row = {"step": self.state.global_step, "steps": self.state.max_steps, **logs}
            row["norm"] = row.pop("grad_norm", math.nan)
            if self.is_world_process_zero():
                append_log(folder, row)
                if watch is not None:
                    watch(row)

        def _save_checkpoint(self, model: Any, trial: Any) -> None:
            """Mark a checkpoint that all processes have written to its end."""
            super()._save_checkpoint(model, trial)
            self.accelerator.wait_for_everyone()
            if self.is_world_process_zero():
                (folder / "checkpoint" / f"checkpoint-{self.state.global_step}" / _WHOLE).touch()

    return PatheiTrainer


def _last_whole(folder: Path, *, remove_torn: bool) -> Path | None:
    """Return the last checkpoint that was written to its end; what was torn is removed."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    whole = [path for path in found if (path / _WHOLE).exists()]
    if remove_torn:
        for path in set(found) - set(whole):
            _LOG.warning("Removed the unfinished checkpoint %s.", path)
            shutil.rmtree(path)
    return whole[-1] if whole else None
