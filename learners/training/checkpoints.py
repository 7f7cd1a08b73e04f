"""The plain loop's checkpoint: one file with everything that a resumed run needs; and the log of measurements.

A checkpoint is written to a temporary file and renamed, so `kill -9` leaves the old or the new one. It holds what is
trained, the optimizer, the state of the random generators and the step. The log has one line per step; on resuming it
is cut to the steps that are done, so every step is in it once. Not here: TRL's checkpoints, which TRL writes.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from ...errors import LearningError
from ...store.durable import explained, publish

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.optim import Optimizer

_LOG: Final = logging.getLogger(__name__)
CHECKPOINT: Final = "checkpoint/state.pt"
"""The plain loop's checkpoint within a run directory."""
METRICS: Final = "metrics.jsonl"
"""The log within a run directory: one JSON object per optimizer step."""


class Checkpoints:
    """Where a loop writes its log and its checkpoints; without a folder it keeps neither."""

    def __init__(self, folder: Path | None) -> None:
        """Prepare; nothing is written yet.

        Args:
            folder: The run directory; made if it is not there.
        """
        self._folder = folder
        if folder is not None:
            (folder / CHECKPOINT).parent.mkdir(parents=True, exist_ok=True)

    def restore(self, model: nn.Module, optimizer: Optimizer) -> int:
        """Bring a model and its optimizer to where the last checkpoint was written, and cut the log to it.

        Returns:
            How many optimizer steps are done; 0 if there is no checkpoint.

        Raises:
            LearningError: the checkpoint is of another model.
        """
        import torch

        if self._folder is None:
            return 0
        path = self._folder / CHECKPOINT
        if not path.exists():
            cut_log(self._folder, 0)
            return 0
        state = torch.load(path, map_location="cpu", weights_only=True)
        trained = _trained(model)
        if {name: value.shape for name, value in trained.items()} != {
            name: value.shape for name, value in state["model"].items()
        }:
            raise LearningError(f"The checkpoint {path} is of another model: give the run a directory of its own.")
        with torch.no_grad():
            for name, value in trained.items():
                value.copy_(state["model"][name])
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        if state["random_cuda"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(state["random_cuda"])
        cut_log(self._folder, state["step"])
        _LOG.info("Resumed from the checkpoint %s at step %d.", path, state["step"])
        return int(state["step"])

    def save(self, model: nn.Module, optimizer: Optimizer, step: int) -> None:
        """Write a checkpoint in place of the last one: `step` optimizer steps are done."""
        import torch

        if self._folder is None:
            return
        path = self._folder / CHECKPOINT
        temporary = path.with_suffix(".tmp")
        with explained(path):
            with (self._folder / METRICS).open("rb") as log:
                os.fsync(log.fileno())
            state = {
                "step": step,
                "model": _trained(model),
                "optimizer": optimizer.state_dict(),
                "random": torch.get_rng_state(),
                "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            }
            torch.save(state, temporary)
            publish(temporary, path)
        _LOG.debug("Wrote the checkpoint %s at step %d.", path, step)

    def log(self, metrics: Mapping[str, float]) -> None:
        """Append what was measured at one step."""
        if self._folder is not None:
            append_log(self._folder, metrics)


def append_log(folder: Path, metrics: Mapping[str, float]) -> None:
    """Append one step's line to a run's log."""
    with explained(folder / METRICS), (folder / METRICS).open("ab") as log:
        log.write(orjson.dumps(dict(metrics)) + b"\n")


def cut_log(folder: Path, steps: int) -> None:
    """Cut a run's log to its first steps: what came after them is done again."""
    path = folder / METRICS
    path.touch()
    lines = path.read_bytes().splitlines(keepends=True)
    os.truncate(path, sum(len(line) for line in lines[:steps]))


def _trained(model: nn.Module) -> dict[str, torch.Tensor]:
    """Return what training changes, by name: tied tensors once, frozen ones not at all, buffers included."""
    trained = {name: value.detach() for name, value in model.named_parameters() if value.requires_grad}
    kept = model.state_dict().keys()
    return trained | {name: value for name, value in model.named_buffers() if name in kept}
