"""Fisher information into a file, with a description of how it was made: the work of `pathei fisher`.

Not here: reading text and loading models, which the command does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from ...errors import FisherError
from ...store.durable import explained, write_atomically
from ..models.identity import model_hash
from .config import FisherConfig
from .estimate import BATCH, Selection, estimate
from .record import FactoredFisher, FisherDiagonal, FisherMeta
from .sequences import sample_ids

if TYPE_CHECKING:
    from torch import Tensor, nn


def fisher_to_file(
    model: nn.Module,
    sequences: Sequence[Tensor],
    out: Path,
    config: FisherConfig | None = None,
    *,
    parameters: Selection = None,
    progress: Callable[[int, int], None] | None = None,
) -> FisherDiagonal | FactoredFisher:
    """Estimate Fisher information into a safetensors file; after an interruption, call it again and it goes on.

    Next to `out` are `<stem>.json` (the configuration as resolved, N, tokens, model hash and versions) and, until it is
    done, a checkpoint. A file that is already there is read if it is of the same estimate; what is returned is always
    what was read from the file, rounding and all, so that a resumed run goes on with the same numbers. Several
    processes must see one file system.

    Args:
        model: The model to protect, without an adapter.
        sequences: Token ids of reference text; see `estimate`.
        out: The file to write.
        config: How; the defaults if None.
        parameters: Which ones; None for all.
        progress: Called with the number of sequences that are done, and their total.

    Raises:
        FisherError: `out` is there and of another estimate, or as `estimate`.
        StoreError: a file cannot be written.
    """
    config = config or FisherConfig()
    if out.exists():
        return _finished(out, model, sequences, config)
    checkpoint = out.with_name(f".{out.name}.partial")
    fisher = estimate(
        model,
        sequences,
        backend=config.backend,
        labels=config.labels,
        parameters=parameters,
        seed=config.seed,
        batch=config.batch,
        checkpoint=checkpoint,
        every=config.every,
        progress=progress,
    )
    if _leads():
        _describe(out.with_suffix(".json"), config, fisher.meta)
        if config.factored:
            fisher.factored().save(out)
        else:
            fisher.save(out, config.storage)
        for partial in out.parent.glob(f"{checkpoint.name}*"):
            partial.unlink()
    _wait()
    return _load(out, config)


def _load(out: Path, config: FisherConfig) -> FisherDiagonal | FactoredFisher:
    return FactoredFisher.load(out) if config.factored else FisherDiagonal.load(out)


def _wait() -> None:
    """Let every process read the file only when it is there."""
    import torch.distributed

    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.barrier()


def _leads() -> bool:
    """Whether this process is the one that writes."""
    import torch.distributed

    ready = torch.distributed.is_available() and torch.distributed.is_initialized()
    return not ready or torch.distributed.get_rank() == 0


def _finished(
    out: Path, model: nn.Module, sequences: Sequence[Tensor], config: FisherConfig
) -> FisherDiagonal | FactoredFisher:
    kept = _load(out, config)
    wanted = {
        "model": model_hash(model),
        "samples": sample_ids(sequences),
        "backend": config.backend,
        "labels": config.labels or kept.meta.labels,
        "batch": config.batch or BATCH[config.backend],
        "seed": config.seed if kept.meta.labels == "sample" else 0,
    }
    for name, value in wanted.items():
        if getattr(kept.meta, name) != value:
            raise FisherError(
                f"{out} is there and of another estimate ({name} differs): choose another file, or delete it."
            )
    return kept


def _describe(path: Path, config: FisherConfig, meta: FisherMeta) -> None:
    """Write the description of an estimate; the sequences' hashes are in the Fisher file itself."""
    resolved = {**dataclasses.asdict(config), "labels": meta.labels, "batch": meta.batch}
    data = {name: value for name, value in meta.as_json().items() if name not in ("samples", *resolved)}
    with explained(path):
        text = orjson.dumps({"config": resolved, **data}, option=orjson.OPT_INDENT_2)
        write_atomically(path, text + b"\n", path.with_suffix(".json.tmp"))
