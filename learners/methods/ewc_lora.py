"""Elastic Weight Consolidation of LoRA adapters: the merged update is held, against the Fisher information of W itself.

The penalty is lambda * sum_ij F_ij (s B A)_ij^2 per adapted matrix (E2WM; EWC-LoRA, ICLR 2026), not one on A and B: at
the start B = 0, so their own Fisher information says nothing about what the base knows. theta* is the frozen base and
costs nothing. With D = B A the gradients are gB = 2 lambda s^2 (F . D) A^T and gA = 2 lambda s^2 B^T (F . D), formed in
chunks of rows. If F = u v^T, D is never formed: sums over r x r matrices suffice. Under FSDP2 every process takes
some of the rows. Not here: DoRA and other variants, and adapters of convolutions, experts and attention blocks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from ...errors import FisherError, LearningError, check
from ...extras import needed_by
from .parameters import check_fisher, gradient_of, is_sharded, place_like

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..fisher.record import FactoredFisher, FisherDiagonal

Factors = tuple["Tensor", "Tensor"]
"""F as u v^T: one non-negative number per row and one per column of W."""

# How many entries of B A are formed at once: a core's cache should hold a chunk, a GPU wants few launches.
_CHUNK: Final = 1 << 18
_CHUNK_ON_GPU: Final = 1 << 24
_PREFIX: Final = "base_model.model."
# With these initialisations the base keeps its weights and is theta*; others move a part of W into the adapter.
_KEEPS_BASE: Final = (True, False, "gaussian", "eva", "orthogonal")


class EwcLora:
    """The penalty on the merged update of LoRA adapters (peft); a `Regularizer`."""

    def __init__(
        self,
        fisher: Mapping[str, Tensor | Factors],
        strength: float,
        *,
        chunk: int | None = None,
        name: str = "ewc-lora",
    ) -> None:
        """Prepare; the tensors are used as they are, in any floating dtype.

        Args:
            fisher: By the name that a weight has in the base model (`"transformer.h.0.attn.c_attn.weight"`): F in the
                shape of that weight, or its factors (u, v) with F = u v^T. Weights that are not adapted are ignored.
            strength: lambda, at least 0, on the per-token scale.
            chunk: Entries of B A formed at once; None for a default that suits the device.
            name: The name in logs and tables.

        Raises:
            ConfigError: a number is out of range.
        """
        rules = {
            f"strength must be at least 0 and finite, not {strength}": 0 <= strength < math.inf,
            f"chunk must be at least 1, not {chunk}": chunk is None or chunk >= 1,
        }
        check(rules, "EwcLora settings")
        self.strength = float(strength)
        self._fisher, self._chunk, self._name = fisher, chunk, name
        self._placed: dict[str, tuple[slice, Tensor | Factors]] = {}

    @classmethod
    def of(cls, fisher: FisherDiagonal | FactoredFisher, model: nn.Module, strength: float) -> Self:
        """Return the penalty against Fisher information of the base, whole or `factored()`.

        Args:
            fisher: Estimated at the base's weights, which is checked.
            model: The base, with or without the adapter.
            strength: lambda.

        Raises:
            ConfigError: lambda is out of range.
            FisherError: the Fisher information is of other weights.
        """
        fisher.check(model)
        factors: Mapping[str, Factors] | None = getattr(fisher, "factors", None)
        return cls(fisher.tensors if factors is None else factors, strength)

    @property
    def name(self) -> str:
        """The name in logs and tables."""
        return self._name

    def add_gradient(self, model: nn.Module, step: int = 0) -> float:
        """Add the penalty's gradient to those of A and B of every active adapter that is trained.

        Args:
            model: A peft model, or one into which peft has put adapters.
            step: Not used.

        Returns:
            lambda * sum F (s B A)^2 in nats, over all adapted matrices; 0 if lambda is 0.

        Raises:
            FisherError: an adapted matrix has no Fisher information, or one of another shape.
            LearningError: there is no adapter, or one of an unsupported kind.
            MissingDependencyError: peft is not installed.
        """
        import torch

        if not self.strength:
            return 0.0
        with torch.no_grad():
            values = [self._add(update) for update in updates(model)]
        return self.strength * float(torch.stack(values).sum())

    def finish(self, model: nn.Module) -> None:
        """Do nothing: the adapter is left as it is."""

    def _add(self, update: LoraUpdate) -> Tensor:
        """Add the gradient of one adapted matrix, and return F . (s B A)^2, summed."""
        import torch

        left, right = update.factors()
        rows, fisher = self._place(update, left, right)
        here = left[rows]
        if isinstance(fisher, tuple):
            value, slope, right_slope = factored_penalty(fisher, here, right)
        else:
            chunk = self._chunk or (_CHUNK if left.device.type == "cpu" else _CHUNK_ON_GPU)
            value, slope, right_slope = full_penalty(fisher, here, right, chunk)
        left_slope = torch.zeros_like(left)
        left_slope[rows] = slope
        for part in (value, left_slope, right_slope):
            update.reduce(part)
        update.add(left_slope, right_slope, 2 * self.strength)
        return value

    def _place(self, update: LoraUpdate, left: Tensor, right: Tensor) -> tuple[slice, Tensor | Factors]:
        """Return this process's rows of a matrix and their Fisher information, on the adapter's device."""
        name = update.name
        if name in self._placed and _device(self._placed[name][1]) == left.device:
            return self._placed[name]
        if name not in self._fisher:
            raise FisherError(
                f"The adapted matrix {name!r} has no Fisher information: estimate it for all that the adapter targets."
            )
        fisher, rows = self._fisher[name], update.rows(left.shape[0])
        found = tuple(len(one) for one in fisher) if isinstance(fisher, tuple) else tuple(fisher.shape)
        if found != (left.shape[0], right.shape[1]):
            raise FisherError(
                f"The Fisher information of {name!r} has shape {found}, the adapted matrix "
                f"{(left.shape[0], right.shape[1])}: estimate it on this base model."
            )
        if isinstance(fisher, tuple):
            u, v = (one.to(left.device).float() for one in fisher)
            self._placed[name] = rows, (check_fisher(name, u[rows]), check_fisher(name, v))
        else:
            self._placed[name] = rows, check_fisher(name, fisher[rows].to(left.device))
        return self._placed[name]


def full_penalty(fisher: Tensor, left: Tensor, right: Tensor, chunk: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return sum F . (L R)^2 and half its gradients, forming at most one chunk of L R.

    Args:
        fisher: F, shape `[rows, columns]`, any floating dtype.
        left: L, shape `[rows, rank]`, float32.
        right: R, shape `[rank, columns]`, float32.
        chunk: The maximum number of entries of L R formed at once; at least one row is.

    Returns:
        The value, (F . L R) R^T and L^T (F . L R).
    """
    import torch

    count, columns = fisher.shape
    height = max(1, min(count, chunk // columns))
    left_slope, right_slope = torch.empty_like(left), torch.zeros_like(right)
    buffer = torch.empty(height, columns, dtype=left.dtype, device=left.device)
    for start in range(0, count, height):
        rows = slice(start, start + height)
        piece = left[rows]
        weighed = torch.mm(piece, right, out=buffer[: len(piece)]).mul_(fisher[rows])
        torch.mm(weighed, right.T, out=left_slope[rows])
        right_slope.addmm_(piece.T, weighed)
    # sum F D^2 = <F . D, L R> = <(F . D) R^T, L>: the value needs no further pass over D.
    return (left_slope * left).sum(), left_slope, right_slope


def factored_penalty(factors: Factors, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the same for F = u v^T, without forming anything of the shape of F."""
    u, v = factors
    weighed_left, weighed_right = left * u[:, None], right * v
    left_slope = weighed_left @ (weighed_right @ right.T)
    right_slope = (left.T @ weighed_left) @ weighed_right
    return (left_slope * left).sum(), left_slope, right_slope


class LoraUpdate(NamedTuple):
    """The merged update of one weight: sum over active adapters of s B A, or its transpose where W is stored so."""

    name: str
    """The weight's name in the base model."""
    pairs: Sequence[tuple[nn.Parameter, nn.Parameter, float]]
    """A `[rank, in]`, B `[out, rank]` and s of every active adapter."""
    transposed: bool
    """Whether W is stored as `[in, out]`, as in Conv1D and embeddings."""

    def factors(self) -> tuple[Tensor, Tensor]:
        """Return L and R with L R = the update in the weight's own layout, in float32; s is with B."""
        import torch

        pairs = [(_whole(a), _whole(b) * scale) for a, b, scale in self.pairs]
        if self.transposed:
            return torch.cat([a.T for a, _ in pairs], 1), torch.cat([b.T for _, b in pairs], 0)
        return torch.cat([b for _, b in pairs], 1), torch.cat([a for a, _ in pairs], 0)

    def add(self, left_slope: Tensor, right_slope: Tensor, factor: float) -> None:
        """Add gradients with respect to L and R, times a factor, to those of A and B."""
        start = 0
        for a, b, scale in self.pairs:
            ranks = slice(start, start := start + a.shape[0])
            of_b, of_a = left_slope[:, ranks], right_slope[ranks]
            if self.transposed:
                of_b, of_a = of_a.T, of_b.T
            for parameter, slope, times in ((a, of_a, factor), (b, of_b, factor * scale)):
                if parameter.requires_grad:
                    gradient_of(parameter).add_(place_like(slope, parameter), alpha=times)

    def rows(self, count: int) -> slice:
        """Return the rows that this process takes: all of them where nothing is sharded."""
        mesh: Any = getattr(self.pairs[0][0], "device_mesh", None)
        if mesh is None:
            return slice(0, count)
        place = 0
        for size, at in zip(mesh.shape, mesh.get_coordinate(), strict=True):
            place = place * size + at
        return slice(count * place // mesh.size(), count * (place + 1) // mesh.size())

    def reduce(self, value: Tensor) -> None:
        """Sum what the processes found for their rows, in place."""
        from torch import distributed

        mesh: Any = getattr(self.pairs[0][0], "device_mesh", None)
        for dimension in range(mesh.ndim if mesh is not None else 0):
            distributed.all_reduce(value, group=mesh.get_group(dimension))


def updates(model: nn.Module) -> Iterator[LoraUpdate]:
    """Yield the merged update of every weight that has an active LoRA adapter.

    Raises:
        LearningError: there is none, or an adapter is of a kind whose update is not s B A next to an unchanged base.
        MissingDependencyError: peft is not installed.
    """
    with needed_by("EWC of adapters"):
        from peft.tuners.lora import LoraLayer
        from torch import nn
        from transformers.pytorch_utils import Conv1D
    configs, found = getattr(model, "peft_config", None) or {}, False
    for path, module in model.named_modules():
        if isinstance(module, LoraLayer):
            active = [one for one in module.active_adapters if one in module.scaling]
            pairs = [_pair(path, module, adapter, configs.get(adapter)) for adapter in active]
            if pairs:
                found = True
                transposed = isinstance(module.get_base_layer(), (nn.Embedding, Conv1D))
                yield LoraUpdate(f"{path.removeprefix(_PREFIX)}.weight", pairs, transposed)
    if not found:
        raise LearningError("The model has no active LoRA adapter: use EWC for full fine-tuning, or add one with peft.")


def _pair(path: str, module: Any, adapter: str, config: Any) -> tuple[nn.Parameter, nn.Parameter, float]:
    """Return A, B and s of one adapter.

    Raises:
        LearningError: it is of an unsupported kind; the message names it and the reason.
    """
    if problem := _find_problem(module, adapter, getattr(config, "init_lora_weights", True)):
        raise LearningError(f"EwcLora does not support the adapter {adapter!r} of {path}: {problem}.")
    if adapter in module.lora_embedding_A:
        return module.lora_embedding_A[adapter], module.lora_embedding_B[adapter], float(module.scaling[adapter])
    return module.lora_A[adapter].weight, module.lora_B[adapter].weight, float(module.scaling[adapter])


def _find_problem(module: Any, adapter: str, start: Any) -> str:
    """Return why the update of an adapter is not s B A next to an unchanged base; empty if it is."""
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    base = module.get_base_layer()
    if type(module).__name__ == "ParamWrapper":
        return f"it adapts a bare parameter of a {type(base).__name__}"
    if not isinstance(base, (nn.Linear, nn.Embedding, Conv1D)):
        return f"it adapts a {type(base).__name__}, and only linear layers and embeddings have the update s B A"
    if adapter in module.lora_variant:
        return f"it is a {type(module.lora_variant[adapter]).__name__}, whose update is not s B A"
    if module.lora_bias.get(adapter, False):
        return "it trains a bias (lora_bias), which the Fisher information of the weight does not cover"
    if start not in _KEEPS_BASE:
        return f"it began as {start!r}, which takes a part of the base's weight away, so the base is no anchor"
    return ""


def _whole(parameter: Any) -> Tensor:
    """Return all of a parameter, in float32; of a sharded one, gathered."""
    whole: Tensor = parameter.full_tensor() if is_sharded(parameter) else parameter
    return whole.detach().float()


def _device(fisher: Tensor | Factors) -> Any:
    return (fisher[0] if isinstance(fisher, tuple) else fisher).device
