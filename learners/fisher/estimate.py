"""Estimating Fisher information: how much the loss on reference text depends on each parameter.

F_i is the mean over predicted tokens of squared per-sequence gradients (Kirkpatrick et al. 2017); `record` defines its
unit. Every back end squares the gradient of one sequence at a time, never that of a batch of the text's own labels:
that would be too small by the size of the batch, and biased. `file` estimates into a file.
Not here: exact expectation over the vocabulary (one backward pass per word and token), and off-diagonal terms.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from ...errors import FisherError, unknown
from ..models.identity import base_name, model_hash
from .accumulate import SquareSums
from .backward import Backend, loop, undisturbed
from .hooks import hooks
from .layers import logical_shapes
from .record import FisherDiagonal, FisherMeta
from .sequences import SequenceLoss, check_sequences, make_batch, plan_batches, sample_ids

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

BackendName = Literal["loop", "hooks", "sampled"]
"""How squares are made; see `estimate`."""
Selection = Iterable[str] | Callable[[str], bool] | None
"""Which parameters: their names, a test of a name, or None for all."""
BATCH: Final = {"loop": 1, "hooks": 4, "sampled": 8}
"""The default batch size of each back end."""
_PACKAGES: Final = ("pathei", "torch", "transformers", "safetensors")


def estimate(
    model: nn.Module,
    sequences: Sequence[Tensor],
    *,
    backend: BackendName = "loop",
    labels: Literal["data", "sample"] | None = None,
    parameters: Selection = None,
    seed: int = 0,
    batch: int | None = None,
    checkpoint: Path | None = None,
    every: int = 64,
    progress: Callable[[int, int], None] | None = None,
) -> FisherDiagonal:
    """Estimate the diagonal of a model's Fisher information from sequences of reference text.

    F = sum_n (dS_n/dtheta)^2 / sum_n T_n, with S_n the sum of sequence n's token losses in nats and T_n = length - 1
    its predicted tokens: every token counts alike, whatever the lengths (see `record`). The model is left as it
    was; in the meantime there is no dropout and no gradient checkpointing. Under `torch.distributed` every process is
    called with the same sequences, takes its share, and returns the same.

    Args:
        model: A causal language model without an adapter: `model(input_ids=...)` gives logits, or something with them.
        sequences: Token ids, int64, each of shape `[length]`, at least 2 long; on the CPU.
        backend: "loop": one sequence at a time through autograd, any architecture. "hooks": from layers' inputs and
            output gradients, also for frozen and 4-bit weights. "sampled": the square of a batch's gradient.
        labels: "data": the text's own tokens (empirical Fisher). "sample": drawn from the model (true Fisher, Monte
            Carlo). None for "data", and for "sample" where the back end needs it.
        parameters: Which ones; their names, or a test of a name. None for all.
        seed: What labels are drawn from; each sequence has its own stream.
        batch: How many sequences at once; None for `BATCH`.
        checkpoint: A file to go on from after an interruption; left when done. None for none.
        every: Sequences between checkpoints.
        progress: Called with the number of this process's sequences that are done, and their total.

    Returns:
        F, float32, on the device of each parameter.

    Raises:
        FisherError: a sequence, a layer, a label or a gradient cannot be used; the message names it.
        UnknownNameError: there is no such back end or parameter.
        StoreError: the checkpoint cannot be written.
    """
    kind, size = _settled(backend, labels, batch, every)
    check_sequences(sequences, model)
    chosen, names = _chosen(model, parameters), sample_ids(sequences)
    zeros, tokens = _zeros(model, chosen), sum(len(ids) - 1 for ids in sequences)
    drawn = seed if kind == "sample" else None
    meta = FisherMeta(
        model_hash(model), kind, backend, len(names), tokens, names, drawn or 0, size, versions=package_versions()
    )
    rank, world = _processes()
    sums, loss = SquareSums(zeros, meta, checkpoint, rank, world), SequenceLoss(model, drawn)
    plan, device = plan_batches([len(ids) for ids in sequences], size, rank, world), next(model.parameters()).device
    with undisturbed(model), _backend(model, backend, chosen, sums, loss, sequences) as run:
        _add_up(plan, sums, lambda indices: run(make_batch(sequences, indices, device)), every, progress)
    sums.check()
    if world > 1:
        sums.all_reduce()
    return FisherDiagonal({name: value.div_(tokens) for name, value in zeros.items()}, meta)


def from_adam(optimizer: torch.optim.Optimizer, model: nn.Module, *, tokens_per_step: int) -> FisherDiagonal:
    """Take Adam's second moment for Fisher information, when the model was trained with it: it costs nothing.

    "Squisher" (arXiv 2507.18807): v is a running mean of squared gradients of the mean loss over a step's tokens; it is
    freed of its bias towards 0 and multiplied by how many tokens those are. Right near the end of training without
    gradient clipping (clipped gradients are smaller), and for the text that was trained on.

    Args:
        optimizer: Adam or AdamW after training `model`.
        model: The trained model.
        tokens_per_step: Predicted tokens in one optimizer step, all micro-batches and processes together.

    Raises:
        FisherError: the optimizer has no second moment of a parameter, or `tokens_per_step` is no count.
    """
    if tokens_per_step < 1:
        raise FisherError(f"tokens_per_step is {tokens_per_step}: give how many tokens one training step predicts.")
    decays = {id(value): group.get("betas") for group in optimizer.param_groups for value in group["params"]}
    tensors = {}
    for name, value in _chosen(model, None).items():
        state, betas = optimizer.state.get(value, {}), decays.get(id(value))
        if "exp_avg_sq" not in state or betas is None:
            raise FisherError(f"The optimizer has no second moment of {name!r}: train all parameters with Adam first.")
        bias = 1 - betas[1] ** float(state["step"])
        tensors[name] = state["exp_avg_sq"].float() * (tokens_per_step / bias)
    meta = FisherMeta(model_hash(model), "training", "adam", 0, tokens_per_step, versions=package_versions())
    SquareSums(tensors, meta, None, 0, 1).check()
    return FisherDiagonal(tensors, meta)


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that an estimate depends on, those that are installed."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _settled(
    backend: str, labels: Literal["data", "sample"] | None, batch: int | None, every: int
) -> tuple[Literal["data", "sample"], int]:
    """Return the labels and the batch size that apply."""
    if backend not in BATCH:
        raise unknown("Fisher back end", backend, BATCH)
    if labels not in (None, "data", "sample"):
        raise unknown("kind of labels", str(labels), ("data", "sample"))
    if backend == "sampled" and labels == "data":
        raise FisherError(
            "The square of a batch's gradient is not the sum of squares for the text's own labels: "
            "use labels='sample', or backend='loop' or 'hooks'."
        )
    size = BATCH[backend] if batch is None else batch
    if size < 1 or every < 1 or (backend == "loop" and size != 1):
        raise FisherError(
            f"batch is {size} and every is {every}: both are at least 1, and the loop's batch is 1 "
            "(use 'hooks' for several sequences at once)."
        )
    return labels or ("sample" if backend == "sampled" else "data"), size


def _chosen(model: nn.Module, parameters: Selection) -> dict[str, nn.Parameter]:
    """Return the chosen parameters by name, in the model's order."""
    own = dict(model.named_parameters())
    adapter = next((name for name in own if base_name(name) != name), None)
    if adapter is not None:
        raise FisherError(f"The model carries an adapter ({adapter!r}): estimate Fisher information before adding it.")
    if parameters is None:
        return own
    names = {name for name in own if parameters(name)} if callable(parameters) else set(parameters)
    for name in sorted(names - own.keys()):
        raise unknown("parameter", name, own)
    if not names:
        raise FisherError("No parameter was chosen: name at least one.")
    return {name: value for name, value in own.items() if name in names}


def _add_up(
    plan: Sequence[tuple[int, ...]],
    sums: SquareSums,
    run: Callable[[tuple[int, ...]], None],
    every: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Go through the batches that are not in the sums yet, with checkpoints."""
    first = sums.restore()
    done, total = sum(map(len, plan[:first])), sum(map(len, plan))
    for number, indices in enumerate(plan[first:], first + 1):
        run(indices)
        done += len(indices)
        if done // every > (done - len(indices)) // every or done == total:
            sums.save(number)
        if progress is not None:
            progress(done, total)


def _zeros(model: nn.Module, chosen: dict[str, nn.Parameter]) -> dict[str, Tensor]:
    import torch

    shapes = logical_shapes(model)
    return {name: torch.zeros(shapes[name], dtype=torch.float32, device=one.device) for name, one in chosen.items()}


def _backend(
    model: nn.Module,
    backend: str,
    chosen: dict[str, nn.Parameter],
    sums: SquareSums,
    loss: SequenceLoss,
    sequences: Sequence[Tensor],
) -> AbstractContextManager[Backend]:
    if backend != "hooks":
        return loop(chosen, sums.tensors, loss)
    first = make_batch(sequences, (0,), next(model.parameters()).device)
    return hooks(model, chosen, sums.tensors, loss, first)


def _processes() -> tuple[int, int]:
    import torch.distributed

    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1
