"""Reads boxes out of the meshes of an exported home: each has 24 corners of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import trimesh


class Boxes(NamedTuple):
    """Boxes with their colours."""

    low: np.ndarray
    high: np.ndarray
    colours: np.ndarray

    def moved(self, by: Any) -> Boxes:
        """Return the boxes elsewhere."""
        return Boxes(self.low + by, self.high + by, self.colours)


def read_boxes(path: Path) -> Boxes:
    """Return the boxes of a GLB."""
    low, high, colours = [], [], []
    for mesh in trimesh.load(path, process=False).geometry.values():
        corners = np.asarray(mesh.vertices).reshape(-1, 24, 3)
        low.append(corners.min(1))
        high.append(corners.max(1))
        colours.append(np.tile(mesh.visual.material.baseColorFactor[:3], (len(corners), 1)))
    return Boxes(np.concatenate(low), np.concatenate(high), np.concatenate(colours).astype(np.uint8))


def together(parts: list[Boxes]) -> Boxes:
    """Return several groups of boxes as one."""
    return Boxes(*(np.concatenate([part[field] for part in parts]) for field in range(3)))
