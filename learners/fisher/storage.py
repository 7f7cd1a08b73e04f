"""Fisher information as a safetensors file: bfloat16, or eight bits of the square root in blocks of 256.

Half precision is not offered: a fifth of a real Fisher's entries become 0 in it. Eight bits of F itself neither: the
square root keeps twice the range. Codes are always stored with their block's scale and cannot be read without it.
Not here: what the numbers mean (`record`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import orjson

from ...errors import FisherError
from ...experience import Json
from ...store.durable import explained, publish

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Storage = Literal["bf16", "sqrt8"]
"""How F is kept on disk: 2 bytes an entry, or 1 and a 64th."""
BLOCK: Final = 256
"""How many entries share a scale in "sqrt8"; the last block of a tensor may be shorter."""
_KEY: Final = "pathei"


def encode_sqrt8(values: Tensor) -> tuple[Tensor, Tensor]:
    """Encode a non-negative tensor.

    Returns:
        Codes 0..255, uint8, of the tensor's shape; and scales, float32, shape `[blocks]`: an entry is
        (code * scale)^2, and |sqrt(entry) - sqrt(value)| is at most half a scale, which is a 510th of the block's
        greatest square root.
    """
    import torch

    roots = values.detach().reshape(-1).float().sqrt()
    blocks = torch.nn.functional.pad(roots, (0, -roots.numel() % BLOCK)).view(-1, BLOCK)
    scales = blocks.amax(1) / 255
    codes = (blocks / scales.clamp_min(torch.finfo(torch.float32).tiny)[:, None]).round_().clamp_(0, 255)
    return codes.to(torch.uint8).view(-1)[: roots.numel()].view(values.shape).contiguous(), scales


def decode_sqrt8(codes: Tensor, scales: Tensor, dtype: torch.dtype) -> Tensor:
    """Return what `encode_sqrt8` encoded, in the codes' shape."""
    import torch

    flat = codes.reshape(-1)
    blocks = torch.nn.functional.pad(flat, (0, -flat.numel() % BLOCK)).view(-1, BLOCK)
    values = (blocks * scales[:, None]).square_().to(dtype)
    return values.view(-1)[: flat.numel()].view(codes.shape)


def pack(tensors: Mapping[str, Tensor], storage: Storage) -> dict[str, Tensor]:
    """Return what goes into the file for these tensors."""
    import torch

    if storage == "bf16":
        return {name: value.detach().to(torch.bfloat16).contiguous() for name, value in tensors.items()}
    if storage != "sqrt8":
        raise FisherError(f"There is no storage {storage!r}: choose 'bf16' or 'sqrt8'.")
    packed = {}
    for name, value in tensors.items():
        packed[f"codes:{name}"], packed[f"scales:{name}"] = encode_sqrt8(value)
    return packed


def unpack(packed: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    """Return the tensors that `pack` packed, whichever way, by name."""
    plain = {name: value.to(dtype) for name, value in packed.items() if ":" not in name}
    codes = [name.removeprefix("codes:") for name in packed if name.startswith("codes:")]
    return plain | {name: decode_sqrt8(packed[f"codes:{name}"], packed[f"scales:{name}"], dtype) for name in codes}


def write(path: Path, tensors: Mapping[str, Tensor], meta: Mapping[str, Json]) -> None:
    """Write tensors and what is to be known of them to one file, which is there wholly or not at all.

    Raises:
        StoreError: the place cannot be written to.
    """
    from safetensors.torch import save_file

    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            save_file({name: value.cpu() for name, value in tensors.items()}, temporary, _labels(meta))
            publish(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def read_meta(path: Path) -> dict[str, Json]:
    """Return what is to be known of a file's tensors, without reading them.

    Raises:
        FisherError: there is no such file, or pathei did not write it.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            labels = file.metadata() or {}
    except FileNotFoundError as error:
        raise FisherError(f"There is no file {path}: estimate Fisher information first.") from error
    except (SafetensorError, OSError) as error:
        raise FisherError(
            f"{path} is no whole safetensors file ({error}): estimate Fisher information again."
        ) from error
    if _KEY not in labels:
        raise FisherError(f"{path} does not say what its numbers mean: only files that pathei wrote can be read.")
    return dict(orjson.loads(labels[_KEY]))


def read(path: Path, device: str) -> dict[str, Tensor]:
    """Return the tensors of a file whose `read_meta` succeeded."""
    from safetensors.torch import load_file

    return dict(load_file(path, device=device))


def _labels(meta: Mapping[str, Json]) -> dict[str, str]:
    return {_KEY: orjson.dumps(dict(meta)).decode()}
