"""Pictures of an episode in a folder: what the environment draws after the reset and after every step.

Not here: frames in a store (`collectors.rollout.frames`).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from ..collectors.rollout.episode import Recorder
from ..collectors.rollout.frames import png
from ..envs import contract
from ..errors import ExportError


class FrameFolder:
    """Writes PNG files, `0003_rgb.png` after the third step; pass it to `play` as `watch`."""

    def __init__(self, folder: Path) -> None:
        """Name the folder, which is made if it does not exist."""
        self.folder = folder
        self.written = 0
        """How many files were written."""

    def __call__(self, recorder: Recorder) -> None:
        """Write what is drawn now.

        Raises:
            ExportError: the disk refuses.
            ContractError: a picture is not uint8 of shape `[height, width, 3]`.
        """
        for name, picture in contract.pictures(recorder.env).items():
            path = self.folder / f"{len(recorder.steps):04}_{name}.png"
            staged = path.with_name(f".{path.name}.part")
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                staged.write_bytes(png(picture))
                staged.replace(path)
            except OSError as error:
                raise ExportError(f"{path} cannot be written ({error.strerror}).") from error
            self.written += 1


def named(picture: np.ndarray[Any, Any]) -> str:
    """Return the name of a picture that is stored nowhere: the SHA-256 of what a store would hold."""
    return hashlib.sha256(png(picture)).hexdigest()
