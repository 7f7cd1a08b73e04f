"""The processes of a run under a launcher such as `torchrun`: which one this is, where it computes, and their order."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


def rank() -> int:
    """Return this process's number; 0 without a launcher."""
    return int(os.environ.get("RANK", "0"))


def process_count() -> int:
    """Return the number of processes; 1 without a launcher."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def device() -> str:
    """Return the device of this process: its own GPU, or the CPU."""
    import torch

    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else "cpu"


@contextlib.contextmanager
def first_process_first() -> Iterator[None]:
    """Let the first process run a block before the others, which then find its results."""
    if process_count() == 1:
        yield
        return
    import torch
    from accelerate import PartialState  # type: ignore[import-untyped]

    # The trainer uses the process group that this makes. accelerate's own ordering of processes fails without GPUs.
    PartialState(cpu=not torch.cuda.is_available())
    if rank() != 0:
        torch.distributed.barrier()
    try:
        yield
    finally:
        if rank() == 0:
            torch.distributed.barrier()
