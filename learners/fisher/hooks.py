"""Per-sequence gradients from module hooks: autograd forms no weight gradient, so frozen and 4-bit bases will do.

Forward hooks keep what goes into a layer, tensor hooks catch what comes back to its output, and as soon as every use
of a parameter has both, the gradient of each sequence is formed, squared and added, some rows at a time. A weight that
is used twice (tied embedding and head) waits for both, and is summed before it is squared. The first sequence is gone
through twice, here and by autograd, and a parameter whose gradients differ is refused by name: a layer that scales its
output, a weight that is read outside its layer. Not here: layers that `fisher_layers` does not know.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from ...errors import FisherError
from .backward import Backend, each_gradient
from .layers import Gradient, MatrixGradient, VectorGradient, gradients, is_embedding
from .sequences import SequenceBatch, SequenceLoss

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

_EXACT: Final = (1e-3, 1e-8)
"""How far the squares of a parameter may differ, relative to their size, and relative to the greatest size the least
that counts: a gradient that is 0 but for rounding (of a key's bias, say) rounds differently each time."""
_ROUGH: Final = (0.1, 1e-2)
"""The same for half-precision types."""
_PART: Final = 1 << 19
"""How many entries of a gradient are formed and squared at once on a CPU: few enough that they are still in its last
cache when squared, and enough for a matrix product at full speed."""
_LOOP: Final = "use backend='loop', or leave its parameters out"


class _Use(NamedTuple):
    """One use of a parameter in one forward pass."""

    gradient: Gradient
    x: Tensor
    """Shape `[B, T, in]`, or `[B, T]` for token ids."""
    delta: Tensor
    """The gradient of the layer's output, shape `[B, T, out]`."""


class _Catcher:
    """Hooks on every layer that owns one of the parameters."""

    def __init__(self, model: nn.Module, parameters: Mapping[str, nn.Parameter], sums: Mapping[str, Tensor]) -> None:
        import torch

        self.sums = sums
        self.rows = 0
        self._names = {id(value): name for name, value in parameters.items()}
        self._awaited: dict[str, int] = {}
        self._uses: dict[str, list[_Use]] = {}
        self._scratch = torch.empty(0)
        self._views: dict[tuple[torch.Size, torch.dtype, torch.device], Tensor] = {}
        self._backward = False
        # All layers are looked at before the first hook is set, so that a refusal leaves none behind.
        owners = [(path, module, self._own(path, module)) for path, module in model.named_modules()]
        self.handles = [
            module.register_forward_hook(self._hook(path, module, named)) for path, module, named in owners if named
        ]

    def _own(self, path: str, module: nn.Module) -> dict[str, Gradient]:
        """Return how to get the gradients of a layer's own selected parameters, by their names in the model."""
        own = {last: self._names[id(value)] for last, value in module._parameters.items() if id(value) in self._names}
        known = gradients(module) if own else {}
        if known is None or not own.keys() <= known.keys():
            raise FisherError(
                f"The back end 'hooks' does not know the layer {path!r} ({type(module).__name__}): {_LOOP}."
            )
        return {name: known[last] for last, name in own.items()}

    def _hook(self, path: str, module: nn.Module, named: Mapping[str, Gradient]) -> Any:
        inner = 1 if is_embedding(module) else 2
        padding = getattr(module, "padding_idx", None)

        def caught(_: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            import torch

            if self._backward:
                raise FisherError(
                    f"Layer {path!r} is run again in the backward pass: switch gradient checkpointing off."
                )
            if len(inputs) != 1 or not isinstance(output, torch.Tensor):
                raise FisherError(
                    f"Layer {path!r} ({type(module).__name__}) takes or gives more than one tensor: {_LOOP}."
                )
            x = inputs[0].detach()
            if self.rows > 1 and (x.ndim < inner or x.shape[0] != self.rows):
                raise FisherError(f"Layer {path!r} mixes the sequences of a batch: use batch=1, or backend='loop'.")
            if not output.requires_grad:
                output.requires_grad_(True)
            x = x.reshape(self.rows, -1) if inner == 1 else x.reshape(self.rows, -1, x.shape[-1])
            for name in named:
                self._awaited[name] = self._awaited.get(name, 0) + 1

            def returned(delta: Tensor) -> None:
                delta = delta.reshape(self.rows, -1, delta.shape[-1])
                if padding is not None:  # torch gives this row no gradient, whatever it is used for
                    delta = delta * (x != padding)[..., None]
                for name, gradient in named.items():
                    self._uses.setdefault(name, []).append(_Use(gradient, x, delta))
                    self._awaited[name] -= 1
                    if not self._awaited[name]:
                        self._square(name)

            output.register_hook(returned)  # type: ignore[no-untyped-call]

        return caught

    def run(self, loss: SequenceLoss, batch: SequenceBatch) -> None:
        """Add the squares of every sequence of a batch."""
        self.rows = len(batch.indices)
        self._awaited.clear()
        self._uses.clear()
        total = loss(batch)
        self._backward = True
        try:
            total.backward()  # type: ignore[no-untyped-call]
            for name in list(self._uses):  # a use that the loss does not depend on never comes back
                self._square(name)
        finally:
            self._backward = False

    def _square(self, name: str) -> None:
        uses, total = self._uses.pop(name), self.sums[name]
        if total.ndim == 1:
            _square_vector(uses, total)
        elif len(uses) == 1 and not uses[0].x.is_floating_point():
            _square_rows(uses[0], total)
        else:
            self._square_matrix(uses, total)

    def _square_matrix(self, uses: list[_Use], total: Tensor) -> None:
        for part, rows in _parts(total):
            buffer = self._buffer(part.shape, uses[0].delta.dtype, part.device)
            for row in range(self.rows):
                for keep, use in enumerate(uses):
                    form = cast("MatrixGradient", use.gradient)
                    form(use.x[row], use.delta[row], buffer, min(keep, 1), rows)
                part.addcmul_(buffer, buffer)

    def _buffer(self, shape: torch.Size, dtype: torch.dtype, device: torch.device) -> Tensor:
        """Return room for a part of a gradient; all parameters share it."""
        import torch

        found = self._views.get((shape, dtype, device))
        if found is None:
            if self._scratch.numel() < shape.numel() or (self._scratch.dtype, self._scratch.device) != (dtype, device):
                self._scratch, self._views = torch.empty(shape.numel(), dtype=dtype, device=device), {}
            found = self._views[shape, dtype, device] = self._scratch[: shape.numel()].view(shape)
        return found


def _square_vector(uses: list[_Use], total: Tensor) -> None:
    """Do it for a bias or a norm's weight: all sequences at once."""
    first, *more = (cast("VectorGradient", use.gradient)(use.x, use.delta) for use in uses)
    for gradient in sum(more, first):
        total.addcmul_(gradient, gradient)


def _square_rows(use: _Use, total: Tensor) -> None:
    """Do it for an embedding that is used once: only the rows of a sequence's own tokens have a gradient."""
    import torch

    for ids, delta in zip(use.x, use.delta, strict=True):
        tokens, places = torch.unique(ids, return_inverse=True)
        full = ids.new_zeros(len(tokens), total.shape[1], dtype=delta.dtype)
        full.index_add_(0, places, delta)
        total.index_add_(0, tokens, full.float().square_())


@contextlib.contextmanager
def hooks(
    model: nn.Module,
    parameters: Mapping[str, nn.Parameter],
    sums: Mapping[str, Tensor],
    loss: SequenceLoss,
    first: SequenceBatch,
) -> Iterator[Backend]:
    """Form, square and add the gradient of every sequence of a batch.

    Args:
        model: With layers that are known.
        parameters: Whose gradients, by name.
        sums: Where squares are added, by name, float32; all zeros, and so again when the block begins.
        loss: Of a batch.
        first: One sequence to verify the hooks with.

    Raises:
        FisherError: a layer is not known, or does not do what its class promises.
    """
    catcher = _Catcher(model, parameters, sums)
    try:
        catcher.run(loss, first)
        for handle in catcher.handles:
            handle.remove()
        _verify(parameters, sums, loss, first)
        for total in sums.values():
            total.zero_()
        catcher = _Catcher(model, parameters, sums)
        yield lambda batch: catcher.run(loss, batch)
    finally:
        for handle in catcher.handles:
            handle.remove()


def _verify(
    parameters: Mapping[str, nn.Parameter], sums: Mapping[str, Tensor], loss: SequenceLoss, first: SequenceBatch
) -> None:
    """Compare the squares of one sequence with autograd's, for every parameter that autograd can do."""
    able = {name: value for name, value in parameters.items() if value.is_floating_point()}
    if not able:
        return
    sizes, errors = dict.fromkeys(able, 0.0), {name: _size(sums[name]) for name in able}

    def compare(name: str, gradient: Tensor) -> None:
        square = gradient.float().square()
        sizes[name] = _size(square)
        errors[name] = _size(square.sub_(sums[name]))

    with each_gradient(able, compare):
        loss(first).backward()  # type: ignore[no-untyped-call]
    exact = all(value.dtype.itemsize >= 4 for value in able.values())
    tolerance, floor = _EXACT if exact else _ROUGH
    least = floor * max(sizes.values())
    wrong = [name for name, error in errors.items() if not error <= tolerance * max(sizes[name], least)]
    if wrong:
        raise FisherError(
            f"The back end 'hooks' gets the gradient of {wrong[0]!r} wrong (and of {len(wrong) - 1} more), because its "
            f"layer does not do what its class promises, or is not finite: {_LOOP}."
        )


def _parts(total: Tensor) -> Iterator[tuple[Tensor, slice]]:
    """Yield parts of a parameter, of at most `_PART` entries or single rows, and which rows they are.

    A parameter is one part where it is small, and on a GPU.
    """
    size, count = total.numel(), total.shape[0]
    if size <= _PART or total.device.type != "cpu":
        yield total, slice(0, count)
        return
    height = max(1, _PART * count // size)
    for start in range(0, count, height):
        rows = slice(start, min(count, start + height))
        yield total[rows], rows


def _size(tensor: Tensor) -> float:
    """Return the root of the mean square."""
    return float(tensor.norm()) / math.sqrt(max(tensor.numel(), 1))
