"""Regularizers in any trainer of transformers or TRL: one callback, at `on_pre_optimizer_step`.

There the task's gradient is whole, averaged over processes and clipped, and the optimizer has not moved yet. So the
penalty counts once however the batch is cut into micro-batches, takes nothing of the clipping budget, and never enters
the model's loss. SFTTrainer, GRPOTrainer and their like share this hook. A checkpoint remembers of a method only its
name, lambda and the digest of its file, as JSON, and a resumed run with another one is refused. Not here:
DeepSpeed, which keeps gradients where no callback sees them, and fp16, whose gradients are scaled.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from ...errors import ConfigError, LearningError
from ...extras import needed_by
from ...store.durable import explained, sha256_of, write_atomically
from ..methods.protocol import Regularizer

if TYPE_CHECKING:
    from torch import nn
    from transformers import TrainerCallback


def regularizer_callback(
    regularizers: Sequence[Regularizer],
    *,
    metrics: Path | str | None = None,
    sources: Mapping[str, Path | str] | None = None,
    finish: bool = True,
) -> TrainerCallback:
    """Return the callback that lets regularizers act in a trainer: `SFTTrainer(..., callbacks=[callback])`.

    Every value is put into the trainer's own log under the method's name, and into `metrics` at every step. Reporters
    such as TensorBoard's run before callbacks that are given to the trainer; to let them see the values too, say
    `trainer.callback_handler.callbacks.insert(0, callback)` instead.

    Args:
        regularizers: They add their gradients in this order.
        metrics: A file to which `{"step": 1, "ewc": 0.02}` is appended at every step; a resumed run cuts it to the step
            where it goes on.
        sources: The file that a method was made of, by the method's name; checkpoints remember its digest.
        finish: Whether `finish` of each is called when training ends; say False to call it yourself.

    Raises:
        ConfigError: two methods have the same name, or a source is no method's or no file.
        MissingDependencyError: transformers is not installed.
    """
    return _class_of(_Methods(regularizers, metrics, sources or {}, finish))()


def _class_of(run: _Methods) -> type[TrainerCallback]:
    """Return the callback's class.

    The trainer may build a new one from the state in a checkpoint (`restore_callback_states_from_checkpoint`), so all
    that is not JSON belongs to the class.
    """
    with needed_by("Training"):
        from transformers import TrainerCallback
        from transformers.trainer_callback import ExportableState

    # Checkpoints hold the class's name, so it stays what it was in version 0.1.
    class PreserverCallback(TrainerCallback, ExportableState):
        """Lets all methods act once per optimizer step."""

        def __init__(self, methods: list[dict[str, Any]] | None = None) -> None:
            self.methods = methods or run.identities

        def state(self) -> dict[str, Any]:
            return {"args": {"methods": self.methods}, "attributes": {}}

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            _refuse(args)
            # A checkpoint that was written without this callback has no entry, and the trainer looks for one.
            kept = state.stateful_callbacks.setdefault(type(self).__name__, self.state())
            run.begin(kept[-1] if isinstance(kept, list) else kept, state)

        def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            run.act(kwargs["model"], state)

        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if "loss" in (logs := kwargs["logs"]):
                logs.update(run.values)
                state.log_history[-1].update(run.values)

        def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            run.end(kwargs["model"])

    return PreserverCallback


class _Methods:
    """The regularizers of one run, what checkpoints say of them, and what they said at the last step."""

    def __init__(
        self,
        regularizers: Sequence[Regularizer],
        metrics: Path | str | None,
        sources: Mapping[str, Path | str],
        finish: bool,
    ) -> None:
        self.identities = _identities(regularizers, sources)
        self.values: dict[str, float] = {}
        self._regularizers, self._log, self._finish = (
            regularizers,
            _Log(None if metrics is None else Path(metrics)),
            finish,
        )

    def begin(self, kept: Mapping[str, Any], state: Any) -> None:
        """Check that a resumed run goes on with the same methods, and cut the log to where it goes on."""
        _compare(kept, self.identities)
        if state.is_world_process_zero:
            self._log.cut(state.global_step)

    def act(self, model: nn.Module, state: Any) -> None:
        """Let every method add its gradient.

        Raises:
            LearningError: a value is no number any more.
        """
        for regularizer in self._regularizers:
            value = regularizer.add_gradient(model, state.global_step)
            if not math.isfinite(value):
                raise LearningError(
                    f"The penalty of {regularizer.name!r} is {value} at step {state.global_step + 1}: lower the "
                    "learning rate or its strength."
                )
            self.values[regularizer.name] = value
        if state.is_world_process_zero:
            self._log.append({"step": state.global_step + 1, **self.values})

    def end(self, model: nn.Module) -> None:
        """Let every method have its last word, unless the caller wants to do that."""
        for regularizer in self._regularizers if self._finish else ():
            regularizer.finish(model)


def _identities(regularizers: Sequence[Regularizer], sources: Mapping[str, Path | str]) -> list[dict[str, Any]]:
    """Return what a checkpoint remembers of each method.

    Raises:
        ConfigError: two methods have the same name, or a source is no method's or no file.
    """
    names = [regularizer.name for regularizer in regularizers]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ConfigError(f"Two methods are called {twice[0]!r}, so their values cannot be distinguished: rename one.")
    if strange := sorted(set(sources) - set(names)):
        raise ConfigError(f"`sources` names the method {strange[0]!r}, and given are: {', '.join(names) or 'none'}.")
    found = []
    for regularizer in regularizers:
        identity: dict[str, Any] = {"name": regularizer.name, "strength": getattr(regularizer, "strength", None)}
        if regularizer.name in sources:
            path = Path(sources[regularizer.name])
            if not path.is_file():
                raise ConfigError(f"The source of {regularizer.name!r} is no file: {path}.")
            identity |= {"path": str(path), "sha256": sha256_of(path)}
        found.append(identity)
    return found


def _refuse(args: Any) -> None:
    """Refuse ways of training in which a gradient added here would be lost or wrong.

    Raises:
        LearningError: DeepSpeed or fp16 is asked for; says what to use instead.
    """
    if getattr(args, "deepspeed_plugin", None) is not None:
        raise LearningError(
            "DeepSpeed keeps gradients where no callback can add to them, so a regularizer would do nothing: use FSDP2 "
            "(fsdp=True)."
        )
    if args.fp16:
        raise LearningError(
            "fp16 scales the gradients by a changing factor, so a regularizer's would be wrong: use bf16=True."
        )


def _compare(kept: Mapping[str, Any], now: Sequence[Mapping[str, Any]]) -> None:
    """Refuse to go on from a checkpoint with other methods than before.

    Raises:
        LearningError: a name, lambda or digest differs; the path may.
    """
    before = kept["args"]["methods"]
    plain = [[{key: one.get(key) for key in ("name", "strength", "sha256")} for one in all_] for all_ in (before, now)]
    if plain[0] != plain[1]:
        raise LearningError(
            f"The checkpoint was trained with {plain[0]}, and this run brings {plain[1]}: give the same methods, or "
            "start in another directory."
        )


class _Log:
    """A file of JSON lines, one per optimizer step; without a path nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def cut(self, step: int) -> None:
        """Keep the lines of the first `step` steps; a line that was torn by a kill goes too."""
        if self._path is None:
            return
        with explained(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lines = self._path.read_bytes().splitlines(keepends=True) if self._path.exists() else []
            kept = [line for line in lines if line.endswith(b"\n") and orjson.loads(line)["step"] <= step]
            write_atomically(self._path, b"".join(kept), self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp"))

    def append(self, values: Mapping[str, float]) -> None:
        """Append what was measured at one step."""
        if self._path is not None:
            with explained(self._path), self._path.open("ab") as file:
                file.write(orjson.dumps(dict(values)) + b"\n")
