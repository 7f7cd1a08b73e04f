"""What an agent sees of a home, worked out with rays to a few points of each thing instead of an image.

A thing is seen if one of its points is in the field of view, near enough, and no fixed box is in between. Movable
objects hide nothing. Not here: words for it (`text`), and images (`simulator.raster`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .backend import AgentSettings, Pose, Vector
from .scenes.scene import Home, Solid, bounds

FAR: Final = 8.0
"""How far an agent recognises things, in metres."""
_EYE: Final = 0.02
Floats = NDArray[np.float64]


class Seen(NamedTuple):
    """A thing in view."""

    id: int
    """The thing; for a doorway -1 minus its place in `Home.doors`."""
    distance: float
    """From the agent to the nearest point looked at, on the floor, in metres."""
    bearing: float
    """In degrees, to the left positive."""


class _Boxes(NamedTuple):
    low: Floats
    high: Floats
    owner: NDArray[np.int64]
    """The furniture that each belongs to; 0 for the building."""


class Sight:
    """Looks around in one home."""

    def __init__(self, home: Home, settings: AgentSettings) -> None:
        """Gather the boxes that hide things."""
        self._home, self._settings = home, settings
        self._furniture = [thing for thing in home.things if not thing.movable]
        self._points = {thing.id: _looked_at(thing.solids) for thing in self._furniture}
        self._doors = np.array([(x, 1.2, z) for x, z in (door.middle for door in home.doors)]).reshape(-1, 3)
        self._boxes: dict[frozenset[int], _Boxes] = {}

    def around(self, pose: Pose, loose: Sequence[tuple[int, Vector]], opened: frozenset[int]) -> list[Seen]:
        """Return what an agent sees, the nearest first.

        Args:
            pose: Where it is.
            loose: The movable objects that are in the open, each with the middle of its lower side.
            opened: The furniture that is open.
        """
        ids = [id_ for id_, points in self._points.items() for _ in points]
        lying = np.array([place for _, place in loose], dtype=float).reshape(-1, 3)
        points = np.concatenate([*self._points.values(), lying + np.array((0.0, _EYE, 0.0)), self._doors])
        ids += [id_ for id_, _ in loose]
        ids += [-1 - number for number in range(len(self._doors))]
        owners = np.array(ids, dtype=np.int64)
        eye = np.array(pose.position) + np.array((0.0, self._settings.camera_height, 0.0))
        kept = self._in_view(pose, points - eye)
        kept = kept[~_hidden(eye, points[kept], owners[kept], self._boxes_of(opened))]
        across, along = points[kept, 0] - eye[0], points[kept, 2] - eye[2]
        _, y, _, w = pose.rotation
        yaw = 2 * math.atan2(y, w)
        bearings = np.degrees((np.arctan2(-across, -along) - yaw + math.pi) % (2 * math.pi) - math.pi)
        best: dict[int, Seen] = {}
        for id_, distance, bearing in zip(
            owners[kept].tolist(), np.hypot(across, along).tolist(), bearings.tolist(), strict=True
        ):
            if id_ not in best or distance < best[id_].distance:
                best[id_] = Seen(id_, distance, bearing)
        return sorted(best.values(), key=lambda one: (one.distance, one.id))

    def sees_fixed(self, place: tuple[float, float], id_: int) -> bool:
        """Return whether an agent at a place on the floor sees a piece of furniture when it turns to it."""
        eye = np.array((place[0], self._settings.camera_height, place[1]))
        points = self._points[id_]
        return not _hidden(eye, points, np.full(len(points), id_), self._boxes_of(frozenset())).all()

    def _in_view(self, pose: Pose, off: Floats) -> NDArray[np.intp]:
        _, y, _, w = pose.rotation
        yaw, pitch = 2 * math.atan2(y, w), math.radians(pose.pitch)
        ahead = -off[:, 0] * math.sin(yaw) - off[:, 2] * math.cos(yaw)
        side = off[:, 0] * math.cos(yaw) - off[:, 2] * math.sin(yaw)
        depth = ahead * math.cos(pitch) + off[:, 1] * math.sin(pitch)
        height = off[:, 1] * math.cos(pitch) - ahead * math.sin(pitch)
        wide = math.tan(math.radians(self._settings.hfov) / 2)
        tall = wide * self._settings.rows / self._settings.width
        near = np.hypot(off[:, 0], off[:, 2]) < FAR
        return np.flatnonzero((depth > 0.01) & (np.abs(side) <= wide * depth) & (np.abs(height) <= tall * depth) & near)

    def _boxes_of(self, opened: frozenset[int]) -> _Boxes:
        known = self._boxes.get(opened)
        if known is None:
            if len(self._boxes) >= 64:
                self._boxes.clear()
            solids = [(one, 0) for one in self._home.structure]
            for thing in self._furniture:
                shown = thing.opened if thing.id in opened and thing.opened else thing.solids
                solids += [(one, thing.id) for one in shown]
            known = self._boxes[opened] = _Boxes(
                np.array([one.low for one, _ in solids]),
                np.array([one.high for one, _ in solids]),
                np.array([owner for _, owner in solids], dtype=np.int64),
            )
        return known


def _looked_at(solids: Sequence[Solid]) -> Floats:
    """Return the points of a piece of furniture that are looked at: the middle of its box, and above and below it."""
    low, high = bounds(solids)
    x, z = (low[0] + high[0]) / 2, (low[2] + high[2]) / 2
    return np.array([(x, low[1] + (high[1] - low[1]) * share, z) for share in (0.25, 0.6, 0.98)])


def _hidden(eye: Floats, points: Floats, owners: NDArray[np.int64], boxes: _Boxes) -> NDArray[np.bool_]:
    """Return which points have a box between them and the eye; what belongs to the point's own thing hides nothing."""
    way = points - eye
    way[way == 0] = 1e-12
    inverse = 1 / way
    enter = np.full((len(points), len(boxes.low)), 0.0)
    leave = np.full_like(enter, 0.995)
    for axis in range(3):
        one = (boxes.low[:, axis] - eye[axis]) * inverse[:, axis, None]
        other = (boxes.high[:, axis] - eye[axis]) * inverse[:, axis, None]
        np.maximum(enter, np.minimum(one, other), out=enter)
        np.minimum(leave, np.maximum(one, other), out=leave)
    return np.asarray(((enter < leave) & (boxes.owner != owners[:, None])).any(1))


__all__ = ["FAR", "Seen", "Sight"]
