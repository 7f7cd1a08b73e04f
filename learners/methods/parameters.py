"""Parameters as the methods need them: this process's part of a sharded one, its gradient, and copies as anchors."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ...errors import FisherError

if TYPE_CHECKING:
    from torch import Tensor, nn


def check_fisher(name: str, fisher: Tensor) -> Tensor:
    """Return a tensor of Fisher information after checking that it can be one.

    Raises:
        FisherError: an entry is negative, infinite or not a number.
    """
    low, high = (bound.item() for bound in fisher.aminmax()) if fisher.numel() else (0.0, 0.0)
    if not 0 <= low <= high < math.inf:
        raise FisherError(
            f"The Fisher information of {name!r} lies in [{low}, {high}], and squares are finite and at least 0: "
            "estimate it again, in float32 or bfloat16."
        )
    return fisher


def place_like(value: Tensor, parameter: Tensor) -> Tensor:
    """Return the part of a whole tensor that belongs to this process's part of a parameter, on its device.

    Args:
        value: In the parameter's whole shape, the same in every process; or a scalar, which stays one.
        parameter: A tensor, or a DTensor sharded in any way.
    """
    value = value.detach().to(parameter.device)
    if not is_sharded(parameter) or not value.ndim:
        return value
    from torch.distributed.tensor import DTensor, distribute_tensor

    assert isinstance(parameter, DTensor), "only DTensors are sharded"
    # Every process has the whole, so nothing is sent; cloning frees the whole.
    mine = distribute_tensor(value, parameter.device_mesh, parameter.placements, src_data_rank=None)
    return mine.to_local().clone()


def is_sharded(tensor: Tensor) -> bool:
    """Whether this is a DTensor, of which this process holds a part."""
    return hasattr(tensor, "to_local")


def local(tensor: Any) -> Tensor:
    """Return this process's part of a tensor, which shares its memory."""
    mine: Tensor = tensor.to_local() if is_sharded(tensor) else tensor
    return mine


def gradient_of(parameter: Tensor) -> Tensor:
    """Return this process's part of a parameter's gradient; a missing gradient is set to zeros first."""
    import torch

    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return local(parameter.grad)


def anchor_of(model: nn.Module, names: Iterable[str] | None = None) -> dict[str, Tensor]:
    """Return theta*: copies of a model's parameters as they are now, whole and in their own dtype.

    Args:
        model: Before it is trained on.
        names: Which parameters; by default those that are trained.

    Raises:
        FisherError: the model lacks one of them.
    """
    parameters = dict(model.named_parameters())
    wanted = [name for name, one in parameters.items() if one.requires_grad] if names is None else list(names)
    if strange := [name for name in wanted if name not in parameters]:
        raise FisherError(f"The model has no parameter {strange[0]!r} to take as an anchor.")
    found: dict[str, Any] = {name: parameters[name].detach() for name in wanted}
    return {name: (one.full_tensor() if is_sharded(one) else one).clone() for name, one in found.items()}
