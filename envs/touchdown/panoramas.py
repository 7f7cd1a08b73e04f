"""Panoramas of one's own: the images are Google's, so they are never fetched, only read where a user has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import gymnasium
import numpy as np

from ...errors import DataError
from ...extras import needed_by

SIZE: Final = (200, 928)
"""Height and width of an observation: a quarter of the panoramas in which Touchdown's distances are measured."""


class Panoramas:
    """Images by panorama id, turned to where one faces."""

    def __init__(self, folder: Path) -> None:
        """Look into a folder of equirectangular images, `ID.jpg` or `ID.png`.

        Raises:
            DataError: there is no such folder.
        """
        if not folder.is_dir():
            raise DataError(f"There is no folder of panoramas at {folder}.")
        self._folder = folder
        self.space = gymnasium.spaces.Box(0, 255, (*SIZE, 3), np.uint8)

    def turned(self, pano: str, degrees: float) -> np.ndarray[Any, Any]:
        """Return a panorama of shape `[200, 928, 3]`, its centre a number of degrees to the right of the image's own.

        Raises:
            DataError: there is no image for it.
            MissingDependencyError: Pillow is not installed.
        """
        with needed_by("Reading panoramas", "web"):
            from PIL import Image
        path = next((found for end in ("jpg", "png") if (found := self._folder / f"{pano}.{end}").exists()), None)
        if path is None:
            raise DataError(f"There is no image {pano}.jpg in {self._folder}.")
        height, width = SIZE
        try:
            with Image.open(path) as image:
                pixels = np.asarray(image.convert("RGB").resize((width, height)))
        except OSError as error:
            raise DataError(f"The panorama {path} cannot be read ({error}).") from error
        return np.roll(pixels, -round(degrees / 360 * width), axis=1)
