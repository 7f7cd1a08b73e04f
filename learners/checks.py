"""The executable contract of `Regularizer`: a method's own test calls it, and a message names the likely cause.

    check_regularizer(lambda model: Replay(sequences), tiny_model)

Not here: whether the gradient is the one that the method's paper states; that is the method's own test.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import ContractError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .methods.protocol import Regularizer


def check_regularizer(
    make: Callable[[nn.Module], Regularizer], make_model: Callable[[], nn.Module], *, seed: int = 0
) -> None:
    """Check that a regularizer keeps the contract of `methods.protocol.Regularizer`.

    The weights are moved a little after it is made, as training would. Its gradient must be added, be repeatable, be
    that of the value it returns (by a central difference), and leave everything else unchanged.

    Args:
        make: Makes the regularizer for a model before its first step.
        make_model: Makes a small causal language model, the same one at each call, with its adapter if it has one.
        seed: Seeds how the weights are moved.

    Raises:
        ContractError: the contract is broken; says how, and what is probably the cause.
    """
    import torch

    model = make_model()
    regularizer = make(model)
    _require(bool(regularizer.name), "has no name", "logs and tables are labelled with it")
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in _trained(model).values():
            parameter.add_(0.02 * torch.randn(parameter.shape, generator=random))
    frozen = next((value for value in model.parameters() if value.requires_grad), None)
    before = {name: value.detach().clone() for name, value in model.state_dict().items()}
    mode, state = model.training, torch.get_rng_state()
    value, slope = _gradient(regularizer, model, start=0.0)
    _require(math.isfinite(value), f"returned {value}", "return the value that belongs to the gradient, in nats")
    _require(model.training == mode, "left the model in another mode", "restore `model.training` after `model.eval()`")
    _require(torch.equal(torch.get_rng_state(), state), "used torch's random state", "draw from the seed and the step")
    changed = [name for name, old in before.items() if not torch.equal(old, model.state_dict()[name])]
    _require(not changed, f"changed the weight {changed[:1]}", "only `finish` may change weights")
    again, repeated = _gradient(regularizer, model, start=0.0)
    same = again == value and all(torch.allclose(slope[name], repeated[name], rtol=1e-4, atol=1e-7) for name in slope)
    _require(same, "gave another gradient at the same step", "draw from the seed and the step's number only")
    _, added = _gradient(regularizer, model, start=1.0)
    kept = all(torch.allclose(added[name], slope[name] + 1, rtol=1e-4, atol=1e-5) for name in slope)
    _require(kept, "replaced or scaled the gradient that was there", "add to `parameter.grad`, do not set it")
    _check_slope(regularizer, model, slope)
    if frozen is not None:
        _check_frozen(regularizer, model, frozen)
    regularizer.finish(model)
    finite = all(bool(value.isfinite().all()) for value in model.parameters())
    _require(finite, "left weights that are not finite after `finish`", "check the arithmetic of `finish`")


def _trained(model: nn.Module) -> dict[str, nn.Parameter]:
    return {name: value for name, value in model.named_parameters() if value.requires_grad}


def _gradient(regularizer: Regularizer, model: nn.Module, start: float) -> tuple[float, dict[str, Tensor]]:
    """Return the value and the gradients after one call at step 3, with gradients that begin at a constant."""
    import torch

    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, start) if parameter.requires_grad else None
    value = regularizer.add_gradient(model, 3)
    found = {name: one.grad for name, one in _trained(model).items()}
    return float(value), {name: grad.detach().clone() for name, grad in found.items() if grad is not None}


def _check_slope(regularizer: Regularizer, model: nn.Module, slope: dict[str, Tensor]) -> None:
    """Compare the gradient with a central difference of the value along it."""
    import torch

    square = sum(float(one.double().square().sum()) for one in slope.values())
    if not square:
        return
    parameters, step = _trained(model), 1e-3 / math.sqrt(square)

    def value_at(distance: float) -> float:
        with torch.no_grad():
            for name, one in slope.items():
                parameters[name].add_(one, alpha=distance)
        value, _ = _gradient(regularizer, model, start=0.0)
        with torch.no_grad():
            for name, old in kept.items():
                parameters[name].copy_(old)
        return value

    kept = {name: parameters[name].detach().clone() for name in slope}
    rise, expected = value_at(step) - value_at(-step), 2 * step * square
    close = abs(rise - expected) <= 0.05 * abs(expected) + 1e-6
    reason = "return the value whose gradient was added, with the same weight; a factor of 2 is the usual cause"
    _require(close, f"returns a value that changes by {rise:.3g} where its gradient says {expected:.3g}", reason)


def _check_frozen(regularizer: Regularizer, model: nn.Module, parameter: nn.Parameter) -> None:
    parameter.requires_grad_(False)
    _gradient(regularizer, model, start=0.0)
    touched = parameter.grad is not None
    parameter.requires_grad_(True)
    _require(not touched, "gave a gradient to a frozen parameter", "skip parameters that do not require a gradient")


def _require(holds: bool, what: str, cause: str) -> None:
    if not holds:
        raise ContractError(f"The regularizer {what}: {cause}.")
