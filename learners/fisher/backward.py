"""The loop: backward passes whose gradients are squared and freed one parameter at a time.

With one sequence a batch this is exact for any architecture: torch calls back once for every parameter, after all of
its uses are summed, so tied weights are summed before they are squared, and no more than one gradient is alive. With
several a batch it squares the gradient of the batch, which is right for sampled labels only (Gauss-Newton-Bartlett):
their gradients have mean zero and are independent, so cross terms vanish in expectation. Not here: `fisher_hooks`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from ...errors import FisherError
from .sequences import SequenceBatch, SequenceLoss

if TYPE_CHECKING:
    from torch import Tensor, nn

Backend = Callable[[SequenceBatch], None]
"""Adds the squares of one batch to the sums."""


@contextlib.contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Leave a model, when the block ends, as it was: its modes, its gradients, and what requires one.

    Within the block there is no dropout and no gradient checkpointing of transformers (both are for training mode),
    no parameter has a gradient or requires one, and gradients are recorded whatever the caller had set.
    """
    import torch

    modes = [(module, module.training) for module in model.modules()]
    state = [(value, value.requires_grad, value.grad) for value in model.parameters()]
    try:
        model.eval()
        for value, _, _ in state:
            value.requires_grad_(False)
            value.grad = None
        with torch.enable_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training
        for value, needed, gradient in state:
            value.requires_grad_(needed)
            value.grad = gradient


@contextlib.contextmanager
def each_gradient(parameters: Mapping[str, nn.Parameter], receive: Callable[[str, Tensor], None]) -> Iterator[None]:
    """Within the block, hand every parameter's gradient to `receive` as soon as it is whole, and free it.

    Raises:
        FisherError: a parameter cannot have a gradient.
    """
    handles = []
    for name, value in parameters.items():
        if not value.is_floating_point():
            raise FisherError(
                f"Parameter {name!r} is stored as {value.dtype} and has no gradient: "
                "use backend='hooks', or leave it out."
            )

        def whole(done: Tensor, name: str = name) -> None:
            if done.grad is not None:
                receive(name, done.grad)
            done.grad = None

        value.requires_grad_(True)
        handles.append(value.register_post_accumulate_grad_hook(whole))  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        for value in parameters.values():
            value.requires_grad_(False)
            value.grad = None


@contextlib.contextmanager
def loop(parameters: Mapping[str, nn.Parameter], sums: Mapping[str, Tensor], loss: SequenceLoss) -> Iterator[Backend]:
    """Square whole gradients, one batch at a time.

    Args:
        parameters: Whose gradients, by name.
        sums: Where squares are added, by name, float32.
        loss: Of a batch.
    """

    def square(name: str, gradient: Tensor) -> None:
        sums[name].addcmul_(gradient, gradient)

    def run(batch: SequenceBatch) -> None:
        loss(batch).backward()  # type: ignore[no-untyped-call]

    with each_gradient(parameters, square):
        yield run
