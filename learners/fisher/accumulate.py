"""Running sums of squares that survive `kill -9`, and are the same after resuming, bit for bit.

A checkpoint holds the float32 sums and how many batches are in them; batches go on in the order that was planned.
With several processes each has its own file and its own share of the sequences. Not here: what is squared.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...errors import FisherError
from .record import FisherMeta
from .storage import read, read_meta, write

if TYPE_CHECKING:
    from torch import Tensor

_FORM: Final = "sums"


class SquareSums:
    """Sums of squares by parameter name."""

    def __init__(
        self, tensors: Mapping[str, Tensor], meta: FisherMeta, path: Path | None, rank: int, world: int
    ) -> None:
        """Take tensors to add to.

        Args:
            tensors: By name, float32, on the device where squares are made.
            meta: What they are the sums of.
            path: The checkpoint; None for none.
            rank: This process's number.
            world: The number of processes.
        """
        self.tensors = tensors
        self._meta = meta
        self._share = f"{rank} of {world}"
        self._path = path if path is None or world == 1 else path.with_name(f"{path.name}.{rank}-of-{world}")

    def restore(self) -> int:
        """Bring the sums to where the checkpoint was written.

        Returns:
            How many batches are in them; 0 if there is no checkpoint.

        Raises:
            FisherError: the checkpoint is of another estimate.
        """
        if self._path is None or not self._path.exists():
            return 0
        data = read_meta(self._path)
        meta = FisherMeta.from_json(data, self._path)
        kept = read(self._path, "cpu")
        other = meta.same_as(self._meta)
        if data.get("form") != _FORM or data.get("share") != self._share:
            other = "processes"
        elif other is None and {n: t.shape for n, t in kept.items()} != {n: t.shape for n, t in self.tensors.items()}:
            other = "parameters"
        if other is not None:
            raise FisherError(
                f"The checkpoint {self._path} is of another estimate ({other} differ): delete it, or go on as it was."
            )
        for name, value in self.tensors.items():
            value.copy_(kept[name])
        return int(data["batches"])

    def save(self, batches: int) -> None:
        """Write a checkpoint in place of the last one.

        Raises:
            FisherError: a sum is not finite.
            StoreError: the place cannot be written to.
        """
        if self._path is not None:
            self.check()
            form = {"form": _FORM, "share": self._share, "batches": batches}
            write(self._path, self.tensors, {**self._meta.as_json(), **form})

    def check(self) -> None:
        """Make sure that every sum is finite; what is not stays so, so this need not be asked after every batch.

        Raises:
            FisherError: one is not; the message names it.
        """
        for name, value in self.tensors.items():
            if not bool(value.isfinite().all()):
                raise FisherError(
                    f"The squared gradient of {name!r} is not finite: use float32 or bfloat16 weights, and look for a "
                    "layer whose gradient overflows."
                )

    def all_reduce(self) -> None:
        """Add up the sums of all processes, in every process."""
        import torch.distributed

        for value in self.tensors.values():
            torch.distributed.all_reduce(value)
