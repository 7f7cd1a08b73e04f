"""Pictures of a home for people: depth and semantics in colours, and the home from above with the way that was walked.

Not here: what the camera sees (`simulator.raster`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .scenes.scene import Solid
from .world import HomeWorld

Picture = NDArray[np.uint8]
"""Of shape `[height, width, 3]`."""
_FAR: Final = 8.0
_PIXEL: Final = 0.03
"""How much of the floor a pixel of the map shows, in metres."""
_GROUND, _FLOOR, _FREE, _WAY = (70, 70, 74), (196, 190, 180), (238, 233, 222), (200, 40, 40)
_START: Final = (36, 86, 184)
_BEING: Final = (46, 139, 87)


def depth_picture(depth: NDArray[np.float32]) -> Picture:
    """Return depth as grey: white is near, black is 8 m away or more."""
    grey = np.where(depth > 0, 255 * np.clip(1 - depth / _FAR, 0, 1), 0).astype(np.uint8)
    return np.repeat(grey[..., None], 3, 2)


def semantic_picture(ids: NDArray[np.int32]) -> Picture:
    """Return a colour for each thing; the building is dark."""
    colours = np.random.default_rng(5).integers(60, 240, (256, 3), dtype=np.uint8)
    colours[0] = (40, 40, 44)
    return np.asarray(colours[np.where(ids > 0, 1 + (ids - 1) % 255, 0)])


def map_picture(world: HomeWorld, way: Sequence[tuple[float, float]]) -> Picture:
    """Return the home from above: where an agent can stand, the furniture, the agents, and a way through it.

    Args:
        world: The home as it is now.
        way: Places `(x, z)`; the first is marked as the start.
    """
    home, state = world.map.home, world.state
    free, corner = world.sim.topdown(_PIXEL)
    origin = np.array(corner)
    corners = np.array([room.polygon for room in home.rooms]).reshape(-1, 2)
    if len(corners):
        low, high = corners.min(0) - 0.1, corners.max(0) + 0.1
    else:
        low, high = origin, origin + np.array(free.shape[::-1]) * _PIXEL
    width, height = np.ceil((high - low) / _PIXEL).astype(int).tolist()
    image = np.full((height, width, 3), _GROUND, dtype=np.uint8)

    def fill(a: float, b: float, c: float, d: float, colour: Any) -> None:
        x0, z0 = np.maximum(((a - low[0]) / _PIXEL, (b - low[1]) / _PIXEL), 0)
        image[round(z0) : round((d - low[1]) / _PIXEL), round(x0) : round((c - low[0]) / _PIXEL)] = colour

    for room in home.rooms:
        fill(*room.polygon[0], *room.polygon[2], _FLOOR)
    for door in home.doors:
        x, z = door.middle
        wide, deep = (0.06, 0.475) if door.axis == 0 else (0.475, 0.06)
        fill(x - wide, z - deep, x + wide, z + deep, _FLOOR)
    rows, columns = np.nonzero(free)
    down, across = np.round((np.stack((rows * _PIXEL, columns * _PIXEL)).T + origin[::-1] - low[::-1]) / _PIXEL).T
    inside = (down >= 0) & (down < height) & (across >= 0) & (across < width)
    image[down[inside].astype(int), across[inside].astype(int)] = _FREE
    for thing in home.things:
        if not thing.movable:
            shown = thing.opened if thing.id in state.opened and thing.opened else thing.solids
            for one in sorted(shown, key=_top):
                colour = (one.colour >> 16, one.colour >> 8 & 255, one.colour & 255)
                fill(one.low[0], one.low[2], one.high[0], one.high[2], colour)
    for start, end in pairwise(way):
        for share in np.linspace(0, 1, 2 + int(np.hypot(end[0] - start[0], end[1] - start[1]) / _PIXEL)):
            x, z = (start[axis] + (end[axis] - start[axis]) * share for axis in (0, 1))
            fill(x - _PIXEL, z - _PIXEL, x + _PIXEL, z + _PIXEL, _WAY)
    marks = [(*way[0], _START)] if way else []
    marks += [(pose.position[0], pose.position[2], _BEING) for pose in state.poses[::-1]]
    marks[-1] = (*marks[-1][:2], _WAY)
    for x, z, colour in marks:
        fill(x - 0.1, z - 0.1, x + 0.1, z + 0.1, colour)
    return image


def _top(solid: Solid) -> float:
    return solid.high[1]
