"""The weight gradient of one sequence, from what went into a layer and what came back: sum over t of delta_t x_t.

Known are Linear (4-bit ones too: nothing here reads the weight), the transposed linear layer of GPT-2 (`Conv1D`),
Embedding, LayerNorm and RMSNorm in its many copies. Not here: everything else, which `fisher_hooks` refuses by name,
and whether a layer does what its class promises, which `fisher_hooks` verifies on the first sequence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..models.identity import base_name

if TYPE_CHECKING:
    from torch import Tensor, nn

MatrixGradient = Callable[["Tensor", "Tensor", "Tensor", int, slice], None]
"""Given x `[T, in]` (or token ids `[T]`), delta `[T, out]`, the place for some rows of the gradient, 1 to add to what
is there or 0 to replace it, and which rows of the parameter these are, with both ends."""
VectorGradient = Callable[["Tensor", "Tensor"], "Tensor"]
"""Given x `[B, T, in]` and delta `[B, T, out]`, the gradients of all sequences, `[B, out]`."""
Gradient = MatrixGradient | VectorGradient
"""By the dimensions of the parameter, 2 or 1."""


def gradients(module: nn.Module) -> dict[str, Gradient] | None:
    """Return how to get the gradient of each of a layer's own parameters, or None for a layer that is not known."""
    from torch import nn

    if isinstance(module, nn.Linear):
        return {"weight": _linear, "bias": _bias}
    if type(module).__name__ == "Conv1D" and hasattr(module, "nf"):
        return {"weight": _conv1d, "bias": _bias}
    if isinstance(module, nn.Embedding):
        return {"weight": _embedding}
    if any(value.ndim != 1 for value in module.parameters(recurse=False)):
        return None
    if isinstance(module, nn.LayerNorm):
        return {"weight": _layer_norm(module.eps), "bias": _bias}
    if type(module).__name__.endswith("RMSNorm"):
        return {"weight": _rms_norm(_epsilon(module))}
    return None


def is_embedding(module: nn.Module) -> bool:
    """Whether a layer is fed with token ids."""
    from torch import nn

    return isinstance(module, nn.Embedding)


def logical_shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    """Return the shape of every parameter of the base, by name; a packed weight has that of the matrix it stands for.

    Names are those without an adapter; tied parameters count once.
    """
    from torch import nn

    modules = dict(model.named_modules())
    shapes = {}
    for name, value in model.named_parameters():
        base = base_name(name)
        if base is None:
            continue
        owner, _, last = name.rpartition(".")
        module = modules[owner]
        packed = isinstance(module, nn.Linear) and last == "weight"
        shapes[base] = (module.out_features, module.in_features) if packed else tuple(value.shape)
    return shapes


def _linear(x: Tensor, delta: Tensor, out: Tensor, keep: int, rows: slice) -> None:
    out.addmm_(delta[:, rows].t(), x.to(delta.dtype), beta=keep)


def _conv1d(x: Tensor, delta: Tensor, out: Tensor, keep: int, rows: slice) -> None:
    out.addmm_(x[:, rows].to(delta.dtype).t(), delta, beta=keep)


def _bias(x: Tensor, delta: Tensor) -> Tensor:
    return delta.sum(1)


def _embedding(x: Tensor, delta: Tensor, out: Tensor, keep: int, rows: slice) -> None:
    if not keep:
        out.zero_()
    here = ((x >= rows.start) & (x < rows.stop)).nonzero()[:, 0]
    if len(here):
        out.index_add_(0, x[here] - rows.start, delta[here])


def _layer_norm(epsilon: float) -> VectorGradient:
    def gradient(x: Tensor, delta: Tensor) -> Tensor:
        from torch.nn.functional import layer_norm

        return (delta * layer_norm(x.float(), x.shape[-1:], eps=epsilon)).sum(1)

    return gradient


def _rms_norm(epsilon: float | None) -> VectorGradient:
    def gradient(x: Tensor, delta: Tensor) -> Tensor:
        from torch.nn.functional import rms_norm

        return (delta * rms_norm(x.float(), x.shape[-1:], eps=epsilon)).sum(1)

    return gradient


def _epsilon(module: Any) -> float | None:
    for name in ("variance_epsilon", "eps", "epsilon"):
        if getattr(module, name, None) is not None:
            return float(getattr(module, name))
    return None
