"""Fisher information as a record: F for every parameter, whole or factored, and what has to be known to use it.

Unit. F is per predicted token: F_i = sum_n (dS_n/dtheta_i)^2 / sum_n T_n, where S_n is the *sum* of sequence n's token
losses in nats and T_n the number of tokens that it predicts. So 1/2 sum_i F_i d_i^2 is, in the diagonal Laplace
approximation, the cost of a step d in nats per token of reference text, whatever the lengths and batches were; for
sequences of one length T it is T times the Fisher information of the mean-token loss. The penalty is
lambda * sum_i F_i d_i^2, without the half.
Not here: estimating (`estimate`) and penalising (`methods.ewc`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from ...errors import FisherError
from ...experience import Json
from ..models.identity import model_hash
from .layers import logical_shapes
from .storage import Storage, pack, read, read_meta, unpack, write

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

CONVENTION: Final = "per-token/1"
"""The unit above; files of another are refused."""

Labels = Literal["data", "sample", "training"]
"""Whose next token the loss is of: the text's (empirical Fisher), one drawn from the model (true Fisher, Monte Carlo),
or the text's while the model was still being trained (`from_adam`)."""


@dataclass(frozen=True, slots=True)
class FisherMeta:
    """What has to be known of Fisher information before it is used."""

    model: str
    """`model_hash` of the model that it was estimated at."""
    labels: Labels
    backend: str
    """What estimated it: "loop", "hooks", "sampled" or "adam"."""
    sequences: int
    """N, how many sequences were used."""
    tokens: int
    """How many predicted tokens they have together; for "adam", those of one training step."""
    samples: tuple[str, ...] = ()
    """The first 16 hex digits of the SHA-256 of each sequence's token ids (int64), in order."""
    seed: int = 0
    """What sampled labels were drawn from."""
    batch: int = 1
    """How many sequences were gone through at once; for "sampled" this many share one square."""
    convention: str = CONVENTION
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of the packages that estimated it."""

    def as_json(self) -> dict[str, Json]:
        """Return the fields as plain JSON."""
        return {**dataclasses.asdict(self), "samples": list(self.samples), "versions": dict(self.versions)}

    @classmethod
    def from_json(cls, data: Mapping[str, Json], where: Path) -> FisherMeta:
        """Return what `as_json` was made from.

        Raises:
            FisherError: the convention is another one, or fields are missing.
        """
        if data.get("convention") != CONVENTION:
            raise FisherError(
                f"{where} has the convention {data.get('convention')!r} and this version reads {CONVENTION!r}: "
                "estimate Fisher information again."
            )
        known = {one.name: data[one.name] for one in dataclasses.fields(cls) if one.name in data}
        try:
            return cls(**{**known, "samples": tuple(known.get("samples", ()))})
        except TypeError as error:
            raise FisherError(f"{where} lacks what pathei has to know of it ({error}): estimate it again.") from error

    def same_as(self, other: FisherMeta) -> str | None:
        """Return the name of the first field, versions apart, in which two differ; None if they are alike."""
        names = (one.name for one in dataclasses.fields(self) if one.name != "versions")
        return next((name for name in names if getattr(self, name) != getattr(other, name)), None)


class Factors(NamedTuple):
    """A matrix of Fisher information as an outer product: F[i, j] ~ u[i] * v[j]."""

    u: Tensor
    """Shape `[rows]`."""
    v: Tensor
    """Shape `[columns]`."""


@dataclass(frozen=True, slots=True)
class FisherDiagonal:
    """The diagonal of a model's Fisher information, per predicted token."""

    tensors: Mapping[str, Tensor]
    """F by parameter name, in the parameter's shape (a quantised weight's is that of the matrix it stands for); tied
    parameters once. It may cover some of the parameters only."""
    meta: FisherMeta

    def check(self, model: nn.Module) -> None:
        """Make sure that this belongs to a model, with or without an adapter on it.

        Raises:
            FisherError: a name or a shape is not the model's, or the weights are not those it was estimated at.
        """
        _check(model, {name: tuple(value.shape) for name, value in self.tensors.items()}, self.meta)

    def save(self, path: Path | str, storage: Storage = "bf16") -> None:
        """Write it to a safetensors file, wholly or not at all.

        Raises:
            StoreError: the place cannot be written to.
        """
        form = {"form": "diagonal", "storage": storage, **self.meta.as_json()}
        write(Path(path), pack(self.tensors, storage), form)

    @classmethod
    def load(
        cls, path: Path | str, model: nn.Module | None = None, *, device: str = "cpu", dtype: torch.dtype | None = None
    ) -> FisherDiagonal:
        """Read what `save` wrote.

        Args:
            path: The file.
            model: If given, the file must belong to it (`check`).
            device: Where the tensors are put.
            dtype: Of the tensors; bfloat16 if None.

        Raises:
            FisherError: there is no such file, it is of another form or convention, or of another model.
        """
        import torch

        path = Path(path)
        meta = _meta(path, "diagonal")
        read_back = cls(unpack(read(path, device), dtype or torch.bfloat16), meta)
        if model is not None:
            read_back.check(model)
        return read_back

    def factored(self) -> FactoredFisher:
        """Return the rank-1 form: every matrix as the outer product with the same row and column sums.

        Shazeer & Stern 2018 (Adafactor): u = row sums / sqrt(total), v = column sums / sqrt(total). Tensors of other
        than two dimensions are kept as they are.
        """
        factors, tensors = {}, {}
        for name, value in self.tensors.items():
            if value.ndim != 2:
                tensors[name] = value.float()
                continue
            whole = value.float()
            rows, columns = whole.sum(1), whole.sum(0)
            root = rows.sum().sqrt().clamp_min(1e-30)  # all zeros stay all zeros
            factors[name] = Factors(rows / root, columns / root)
        return FactoredFisher(factors, tensors, self.meta)


@dataclass(frozen=True, slots=True)
class FactoredFisher:
    """The same with every matrix as an outer product: in + out numbers instead of in * out."""

    factors: Mapping[str, Factors]
    """By parameter name, those with two dimensions; float32."""
    tensors: Mapping[str, Tensor]
    """By parameter name, the others, whole; float32."""
    meta: FisherMeta

    def check(self, model: nn.Module) -> None:
        """Make sure that this belongs to a model; see `FisherDiagonal.check`."""
        shapes = {name: (len(pair.u), len(pair.v)) for name, pair in self.factors.items()}
        _check(model, shapes | {name: tuple(value.shape) for name, value in self.tensors.items()}, self.meta)

    def dense(self) -> FisherDiagonal:
        """Return it with every outer product written out."""
        import torch

        whole = {name: torch.outer(pair.u, pair.v) for name, pair in self.factors.items()}
        return FisherDiagonal({**whole, **self.tensors}, self.meta)

    def save(self, path: Path | str) -> None:
        """Write it, in float32, to a safetensors file, wholly or not at all.

        Raises:
            StoreError: the place cannot be written to.
        """
        packed = {name: value.contiguous() for name, value in self.tensors.items()}
        for name, pair in self.factors.items():
            packed[f"u:{name}"], packed[f"v:{name}"] = pair
        write(Path(path), packed, {"form": "factored", "storage": "fp32", **self.meta.as_json()})

    @classmethod
    def load(cls, path: Path | str, model: nn.Module | None = None, *, device: str = "cpu") -> FactoredFisher:
        """Read what `save` wrote; see `FisherDiagonal.load`."""
        path = Path(path)
        meta = _meta(path, "factored")
        packed = read(path, device)
        names = [name.removeprefix("u:") for name in packed if name.startswith("u:")]
        factors = {name: Factors(packed[f"u:{name}"], packed[f"v:{name}"]) for name in names}
        read_back = cls(factors, {name: value for name, value in packed.items() if ":" not in name}, meta)
        if model is not None:
            read_back.check(model)
        return read_back


def _meta(path: Path, form: str) -> FisherMeta:
    data: dict[str, Any] = read_meta(path)
    if data.get("form") != form:
        raise FisherError(f"{path} is in the form {data.get('form')!r} and {form!r} was asked for: load it as such.")
    return FisherMeta.from_json(data, path)


def _check(model: nn.Module, shapes: Mapping[str, tuple[int, ...]], meta: FisherMeta) -> None:
    own = logical_shapes(model)
    for name, shape in shapes.items():
        if name not in own:
            raise FisherError(
                f"Fisher information names {name!r}, which the model does not have: it is of another model."
            )
        if own[name] != shape:
            raise FisherError(
                f"The Fisher information of {name!r} has shape {shape} and the parameter {own[name]}: it is of another "
                "model."
            )
    found = model_hash(model)
    if found != meta.model:
        raise FisherError(
            f"Fisher information was estimated at the weights {meta.model[:12]} and the model has {found[:12]}: load "
            "the weights that it was estimated at, in the same type, or estimate it again."
        )
