"""Vectors of pictures, by an encoder of transformers in a folder: `OUT/model` of `pathei pretrain`, or any other."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...errors import ConfigError, ModelError
from ...extras import needed_by
from ...store.durable import sha256_of

Floats = np.ndarray[Any, np.dtype[np.float32]]
_AT_ONCE: Final = 64


class PictureEmbedder:
    """The embedder: the mean over places of an encoder's features, all stages of a residual network together."""

    def __init__(self, path: Path) -> None:
        """Load an encoder.

        Args:
            path: A folder that `AutoModel` and `AutoImageProcessor` read, or a run of `pathei pretrain`.

        Raises:
            ModelError: there is no encoder of pictures.
            MissingDependencyError: torch or transformers is not installed.
        """
        with needed_by("An encoder of pictures", "learn"):
            import torch  # noqa: F401
            from transformers import AutoImageProcessor, AutoModel
        folder = path / "model" if (path / "model" / "config.json").is_file() else path
        weights = folder / "model.safetensors"
        if not weights.is_file() or not (folder / "preprocessor_config.json").is_file():
            raise ModelError(
                f"{path} holds no encoder of pictures (model.safetensors and preprocessor_config.json): name a run of "
                "`pathei pretrain` on frames."
            )
        try:
            processors: Any = AutoImageProcessor
            self._prepare: Any = processors.from_pretrained(folder, local_files_only=True)
            self._model: Any = AutoModel.from_pretrained(folder, local_files_only=True).eval()
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"{folder} cannot be loaded as an encoder of pictures: {error}") from error
        self._is_grey = bool(getattr(self._model.config, "is_grey", False))
        self.path = folder
        self.name = f"pictures@{sha256_of(weights)[:12]}"
        """Its identity: the start of the hash of its weights."""

    def embed(self, pictures: Sequence[bytes]) -> Floats:
        """Return unit vectors of picture files, shape `[pictures, width]`.

        Raises:
            ConfigError: one is no picture.
        """
        import torch

        rows = []
        with torch.no_grad():
            for start in range(0, len(pictures), _AT_ONCE):
                images = [_decoded(one, self._is_grey) for one in pictures[start : start + _AT_ONCE]]
                pixels = self._prepare(images, return_tensors="pt")["pixel_values"]
                rows.append(torch.nn.functional.normalize(self._features(pixels)).numpy())
        return np.concatenate(rows) if rows else np.zeros((0, 0), np.float32)

    def _features(self, pixels: Any) -> Any:
        import torch

        kind = self._model.config.model_type
        if kind == "vit_mae":  # everything is seen; without this, three patches of four are not
            self._model.config.mask_ratio = 0.0
        found = self._model(pixels, output_hidden_states=kind == "resnet")
        if kind == "resnet":
            return torch.cat([one.mean((2, 3)) for one in found.hidden_states[1:]], 1)
        return found.last_hidden_state[:, 1:].mean(1)


def _decoded(data: bytes, is_grey: bool) -> Any:
    with needed_by("Reading pictures", "learn"):
        from PIL import Image, UnidentifiedImageError
    try:
        with Image.open(io.BytesIO(data)) as image:
            return (image.convert("L") if is_grey else image).convert("RGB")
    except (UnidentifiedImageError, OSError) as error:
        raise ConfigError(f"This is no picture that Pillow can read: {error}.") from error
