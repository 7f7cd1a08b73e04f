"""Which weights a model has, as one hash: what Fisher information and an anchor belong to.

An adapter of peft is not part of it, so a base has one hash, bare or adapted. Not here: buffers, configuration, and the
scales that a quantised layer keeps with its parameter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from torch import Tensor, nn

_CHUNK: Final = 1 << 24
"""How many elements are hashed at once."""
_ADAPTERS: Final = ("lora_", "modules_to_save", "ia3_", "oft_", "prompt_encoder")


def base_name(name: str) -> str | None:
    """Return what a parameter was called before peft wrapped the model; None if it belongs to the adapter."""
    if any(part.startswith(_ADAPTERS) for part in name.split(".")):
        return None
    return name.removeprefix("base_model.model.").replace(".base_layer.", ".")


def base_parameters(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield every parameter of the base with its name there; tied ones once, an adapter's not at all."""
    for name, value in model.named_parameters():
        base = base_name(name)
        if base is not None:
            yield base, value


def model_hash(model: nn.Module) -> str:
    """Return the SHA-256 (hex) of a model's parameters: their names, shapes, types and bytes, in the order of names.

    Tied parameters count once, under their first name. The model may lie on any device; it is read in chunks.
    """
    import torch

    digest = hashlib.sha256()
    for name, value in sorted(base_parameters(model), key=lambda pair: pair[0]):
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}\n".encode())
        for chunk in torch.split(value.detach().reshape(-1), _CHUNK):
            digest.update(raw_bytes(chunk))
    return digest.hexdigest()


def raw_bytes(tensor: Tensor) -> bytes:
    """Return the bytes of a tensor of any type, bfloat16 included, as they lie in memory (row-major)."""
    import torch

    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
