"""Which rooms a camera may see, through doorways: the others are not drawn.

Rooms are rectangles, so what is seen of the next room lies in the angle of its doorway. An angle is never taken too
small, so nothing that is seen is left out. Not here: drawing.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..scenes.scene import Doorway, Home, Solid, bounds

_NEAR: Final = 0.2
"""In metres: an agent this near to a doorway may see all of the next room."""
_ALL: Final = (-math.pi, math.pi)
Window = tuple[float, float]


class Portals:
    """The rooms of one home as seen from its places; of no use in a home without doorways."""

    def __init__(self, home: Home) -> None:
        """Gather the doorways of each room."""
        self._corners = [(*one.polygon[0], *one.polygon[2]) for one in home.rooms] if home.doors else []
        self._doors: list[list[Doorway]] = [[] for _ in self._corners]
        for door in home.doors:
            for room in door.rooms:
                self._doors[room].append(door)

    def room_of(self, *solids: Solid) -> int:
        """Return the room that boxes are in, by their middle; -1 where rooms make no difference."""
        low, high = bounds(solids)
        return self.room_at((low[0] + high[0]) / 2, (low[2] + high[2]) / 2)

    def room_at(self, x: float, z: float) -> int:
        """Return the room of a place, the nearest where it is in none."""

        def away(room: int) -> float:
            x0, z0, x1, z1 = self._corners[room]
            return max(x0 - x, x - x1, 0.0) + max(z0 - z, z - z1, 0.0)

        return min(range(len(self._corners)), key=away, default=-1)

    def visible(self, x: float, z: float, yaw: float, pitch: float, half: float, aspect: float) -> NDArray[np.bool_]:
        """Return which rooms a camera may see.

        Args:
            x: Where it is.
            z: Where it is.
            yaw: Where it looks, in radians about +Y.
            pitch: Upwards, in radians.
            half: The tangent of half of its horizontal field of view.
            aspect: The height of the image over its width.

        Returns:
            One flag for each room, and a last one, always set, for what is in none: shape `[rooms + 1]`.
        """
        seen = np.zeros(len(self._corners) + 1, dtype=bool)
        seen[-1] = True
        if self._corners:
            ahead = math.cos(pitch) - half * aspect * abs(math.sin(pitch))
            wide = math.atan2(half, ahead) + 1e-3
            self._look(self.room_at(x, z), None, (-wide, wide), (x, z, yaw), seen)
        return seen

    def _look(
        self, room: int, came: Doorway | None, window: Window, eye: tuple[float, float, float], seen: NDArray[np.bool_]
    ) -> None:
        seen[room] = True
        for door in self._doors[room]:
            if door is not came:
                through = _clipped(door, window, eye)
                if through is not None:
                    self._look(door.rooms[door.rooms[0] == room], door, through, eye, seen)


def _clipped(door: Doorway, window: Window, eye: tuple[float, float, float]) -> Window | None:
    """Return the part of a window, in radians from straight ahead to the left, that a doorway leaves; None for none."""
    x, z, yaw = eye
    across, along = (x, z) if door.axis == 0 else (z, x)
    if abs(across - door.at) < _NEAR and door.low - _NEAR < along < door.high + _NEAR:
        return _ALL
    ends = (
        ((door.at, door.low), (door.at, door.high)) if door.axis == 0 else ((door.low, door.at), (door.high, door.at))
    )
    one, other = (math.atan2(x - a, z - b) - yaw for a, b in ends)
    turn = (other - one + math.pi) % (2 * math.pi) - math.pi
    low, high = min(one, one + turn), max(one, one + turn)
    # The wall has a width: its sides are seen a little beyond the middle of the doorway.
    margin = 0.12 / max(math.hypot(x - ends[0][0], z - ends[0][1]), math.hypot(x - ends[1][0], z - ends[1][1]), 0.2)
    low, high = low - margin, high + margin
    for shift in (0.0, 2 * math.pi, -2 * math.pi, 4 * math.pi, -4 * math.pi):
        start, end = max(low + shift, window[0]), min(high + shift, window[1])
        if start < end:
            return start, end
    return None
