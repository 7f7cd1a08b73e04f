"""What an agent sees of a home, worked out with rays to a few points of each thing instead of an image.

A thing is seen if one of its points is in the field of view, near enough, and no fixed box is in between. Movable
objects hide nothing. Not here: words for it (`language.text`), and images (`raster`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..backend import AgentSettings, Pose, Vector
from ..scenes.scene import Home, Solid, bounds
from .portals import Portals

FAR: Final = 8.0
"""How far an agent recognises things, in metres."""
_EYE: Final = 0.02
_SHARES: Final = (0.25, 0.6, 0.98)
"""How high on a piece of furniture the points are that are looked at."""
_POINTS: Final = len(_SHARES)
_SHORT: Final = 0.995
"""How much of the way to a point a box has to be on that hides it."""
Floats = NDArray[np.float64]
_LEAST: Final = np.array(((0.0,), (0.0,), (0.0,), (0.0,), (0.01,)))
_LEVEL: Final = np.array((1.0, 0.0, 1.0))


class Seen(NamedTuple):
    """A thing in view."""

    id: int
    """The thing; for a doorway -1 minus its place in `Home.doors`."""
    distance: float
    """From the agent to the nearest point looked at, on the floor, in metres."""
    bearing: float
    """In degrees, to the left positive."""


class LookedAt(NamedTuple):
    """Points that are looked at, and whose they are."""

    points: Floats
    """Shape `[points, 3]`."""
    owners: NDArray[np.int64]
    """Shape `[points]`."""
    rooms: NDArray[np.int64]
    """By their places in `Home.rooms`; -1 for what may be seen from several. Shape `[points]`."""


class _Boxes(NamedTuple):
    corners: Floats
    """The lower corners and the higher ones, shape `[2, 3, 1, boxes]`."""
    owner: NDArray[np.int64]
    """The furniture that each belongs to; 0 for the building."""
    room: NDArray[np.int64]


class _InSight(NamedTuple):
    """What is in the rooms that a camera may see."""

    things: LookedAt
    opened: frozenset[int]
    rooms: bytes
    """Which rooms these are."""
    points: Floats
    owners: NDArray[np.int64]
    boxes: _Boxes


class Sight:
    """Looks around in one home."""

    def __init__(self, home: Home, settings: AgentSettings) -> None:
        """Gather the boxes that hide things."""
        self._home, self._settings, self._portals = home, settings, Portals(home)
        self._wide, self._aspect = math.tan(math.radians(settings.hfov) / 2), settings.rows / settings.width
        self._furniture = [thing for thing in home.things if not thing.movable]
        self._points = {thing.id: _looked_at(thing.solids) for thing in self._furniture}
        own = [(thing.id, self._portals.room_of(*thing.solids)) for thing in self._furniture for _ in range(_POINTS)]
        own += [(-1 - number, -1) for number in range(len(home.doors))]
        doors = np.array([(x, 1.2, z) for x, z in (door.middle for door in home.doors)]).reshape(-1, 3)
        owners, rooms = np.array(own, dtype=np.int64).reshape(-1, 2).T
        self._fixed = LookedAt(np.concatenate([*self._points.values(), doors]), owners, rooms)
        self._boxes: dict[frozenset[int], _Boxes] = {}
        self._last: _InSight | None = None

    def looked_at(self, lying: Sequence[tuple[int, Vector]]) -> LookedAt:
        """Return the points that are looked at: those of the furniture and the doorways, and of movable objects.

        Args:
            lying: The movable objects that are in the open, each with the middle of its lower side.
        """
        fixed = self._fixed
        points = np.array([(x, y + _EYE, z) for _, (x, y, z) in lying], dtype=float).reshape(-1, 3)
        own = [(id_, self._portals.room_at(x, z)) for id_, (x, _, z) in lying]
        owners, rooms = np.array(own, dtype=np.int64).reshape(-1, 2).T
        return LookedAt(
            np.concatenate([fixed.points, points]),
            np.concatenate([fixed.owners, owners]),
            np.concatenate([fixed.rooms, rooms]),
        )

    def around(
        self, pose: Pose, things: LookedAt, others: Sequence[tuple[int, Vector]], opened: frozenset[int]
    ) -> list[Seen]:
        """Return what an agent sees, the nearest first.

        Args:
            pose: Where it is.
            things: What `looked_at` returned.
            others: Other agents, each with the place at which it is looked.
            opened: The furniture that is open.
        """
        x, y, z = pose.position
        eye = np.array((x, y + self._settings.camera_height, z))
        _, turn, _, w = pose.rotation
        yaw, pitch = 2 * math.atan2(turn, w), math.radians(pose.pitch)
        here = self._in_sight(x, z, yaw, pitch, things, opened)
        points, owners = here.points, here.owners
        if others:
            points = np.concatenate([points, np.array([place for _, place in others])])
            owners = np.concatenate([owners, np.array([id_ for id_, _ in others], dtype=np.int64)])
        off = points - eye
        kept = self._in_view(yaw, pitch, off)
        off, owners = off[kept], owners[kept]
        shown = ~_hidden(eye, off, owners, here.boxes)
        best: dict[int, tuple[float, float, float]] = {}
        for id_, (across, _, along) in zip(owners[shown].tolist(), off[shown].tolist(), strict=True):
            distance = math.hypot(across, along)
            if id_ not in best or distance < best[id_][0]:
                best[id_] = distance, across, along
        seen = []
        for id_, (distance, across, along) in best.items():
            bearing = (math.atan2(-across, -along) - yaw + math.pi) % (2 * math.pi) - math.pi
            seen.append(Seen(id_, distance, math.degrees(bearing)))
        return sorted(seen, key=lambda one: (one.distance, one.id))

    def sees_fixed(self, place: tuple[float, float], id_: int) -> bool:
        """Return whether an agent at a place on the floor sees a piece of furniture when it turns to it."""
        eye = np.array((place[0], self._settings.camera_height, place[1]))
        points = self._points[id_]
        return not _hidden(eye, points - eye, np.full(len(points), id_), self._boxes_of(frozenset())).all()

    def _in_sight(
        self, x: float, z: float, yaw: float, pitch: float, things: LookedAt, opened: frozenset[int]
    ) -> _InSight:
        """Return what is in the rooms that may be seen; the last answer is kept, as the next is often the same."""
        rooms = self._portals.visible(x, z, yaw, pitch, self._wide, self._aspect)
        key, last = rooms.tobytes(), self._last
        if last is None or last.things is not things or last.opened is not opened or last.rooms != key:
            boxes, seen = self._boxes_of(opened), rooms[things.rooms]
            inside = rooms[boxes.room]
            kept = _Boxes(boxes.corners.compress(inside, -1), boxes.owner[inside], boxes.room[inside])
            last = _InSight(things, opened, key, things.points[seen], things.owners[seen], kept)
            self._last = last
        return last

    def _in_view(self, yaw: float, pitch: float, off: Floats) -> NDArray[np.intp]:
        """Return which points, given from the eye, are in the field of view and near enough."""
        s, c, up, level = math.sin(yaw), math.cos(yaw), math.sin(pitch), math.cos(pitch)
        wide, tall = self._wide, self._wide * self._aspect
        side, ahead, above = (c, 0.0, -s), (-s * level, up, -c * level), (s * up, level, c * up)
        # How far inside each of the four planes that bound the view, and in front of the camera.
        planes = [
            [wide * a - b for a, b in zip(ahead, side, strict=True)],
            [wide * a + b for a, b in zip(ahead, side, strict=True)],
            [tall * a - b for a, b in zip(ahead, above, strict=True)],
            [tall * a + b for a, b in zip(ahead, above, strict=True)],
            ahead,
        ]
        inside = np.logical_and.reduce(np.array(planes) @ off.T >= _LEAST)
        return np.asarray((inside & (off * off @ _LEVEL < FAR**2)).nonzero()[0])

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
                np.array([[one.low for one, _ in solids], [one.high for one, _ in solids]])
                .swapaxes(1, 2)[:, :, None]
                .copy(),
                np.array([owner for _, owner in solids], dtype=np.int64),
                np.array([self._portals.room_of(one) for one, _ in solids], dtype=np.int64),
            )
        return known


def _looked_at(solids: Sequence[Solid]) -> Floats:
    """Return the points of a piece of furniture that are looked at: the middle of its box, and above and below it."""
    low, high = bounds(solids)
    x, z = (low[0] + high[0]) / 2, (low[2] + high[2]) / 2
    return np.array([(x, low[1] + (high[1] - low[1]) * share, z) for share in _SHARES])


def _hidden(eye: Floats, way: Floats, owners: NDArray[np.int64], boxes: _Boxes) -> NDArray[np.bool_]:
    """Return which points have a box between them and the eye; what belongs to the point's own thing hides nothing.

    Args:
        eye: Where the eye is.
        way: The points, from the eye on, shape `[points, 3]`.
        owners: Whose they are, shape `[points]`.
        boxes: What hides.
    """
    if not len(way):
        return np.zeros(0, dtype=bool)
    inverse = 1 / np.where(way == 0, 1e-12, way)
    # Where the way to each point comes to the two planes of each box that an axis has: shape [2, 3, points, boxes].
    planes = (boxes.corners - eye[:, None, None]) * inverse.T[:, :, None]
    enter = np.maximum.reduce(np.minimum(planes[0], planes[1]), initial=0.0)
    leave = np.minimum.reduce(np.maximum(planes[0], planes[1]), initial=_SHORT)
    return np.asarray(np.logical_or.reduce((enter < leave) & (boxes.owner != owners[:, None]), axis=1))
