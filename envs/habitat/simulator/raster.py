"""A renderer of flat faces in numpy: colour, depth and semantic images in one pass, without a GPU or a window.

Every face is a convex polygon of four corners. For each face and each row of pixels the interval that it covers follows
from its edges; all intervals are written out as pixels, and the nearest face wins. Light falls by the direction of a
face and fades with the distance. Not here: curved surfaces, textures, shadows, transparency.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..backend import DEPTH, RGB, SEMANTIC

Floats = NDArray[np.float64]
_NEAR: Final = 0.01
_FAR: Final = 200.0
_ID_BITS: Final = 13
_IDS: Final = np.uint64((1 << _ID_BITS) - 1)
_LIGHT: Final = np.array([[0.62, 0.78], [0.45, 1.0], [0.70, 0.88]])
"""How bright a face is that looks down or up each axis: towards -X and +X, -Y and +Y, -Z and +Z."""
_CORNERS: Final = np.array(
    [
        [[0, 0, 0], [0, 0, 1], [0, 1, 1], [0, 1, 0]], [[1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 0, 1]],
        [[0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 0, 1]], [[0, 1, 0], [0, 1, 1], [1, 1, 1], [1, 1, 0]],
        [[0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 0, 0]], [[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]],
    ]
)  # fmt: skip


class Faces(NamedTuple):
    """Faces to be drawn, at most 8,192."""

    corners: Floats
    """Shape `[faces, 4, 3]`, counter-clockwise as seen from outside."""
    normals: Floats
    """Of length 1, shape `[faces, 3]`."""
    colours: NDArray[np.uint8]
    """With the light on them, shape `[faces, 3]`."""
    semantic: NDArray[np.int32]
    thing: NDArray[np.int32]
    """The id of the thing that each belongs to; 0 for the building."""
    room: NDArray[np.int32]
    """The room that each is in; -1 for none."""


class Camera(NamedTuple):
    """A camera without roll."""

    position: Floats
    right: Floats
    up: Floats
    forward: Floats
    half: float
    """The tangent of half of the horizontal field of view."""


def camera_at(position: Floats, yaw: float, pitch: float, hfov: float) -> Camera:
    """Return a camera; angles in degrees, yaw about +Y from -Z to the left, pitch upwards."""
    a, b = math.radians(yaw), math.radians(pitch)
    s, c, ps, pc = math.sin(a), math.cos(a), math.sin(b), math.cos(b)
    return Camera(
        position,
        np.array((c, 0.0, -s)),
        np.array((s * ps, pc, c * ps)),
        np.array((-s * pc, ps, -c * pc)),
        math.tan(math.radians(hfov) / 2),
    )


def box_faces(low: Floats, high: Floats, colours: NDArray[np.uint8], ids: NDArray[np.int32]) -> Faces:
    """Return the faces of boxes.

    Args:
        low: Lower corners, shape `[boxes, 3]`.
        high: Upper corners.
        colours: Shape `[boxes, 3]`.
        ids: The semantic id, the thing and the room of each, shape `[boxes, 3]`.
    """
    corners = low[:, None, None] + _CORNERS * (high - low)[:, None, None]
    normals = np.zeros((6, 3))
    normals[np.arange(6), np.arange(6) // 2] = np.tile((-1.0, 1.0), 3)
    lit = (colours[:, None].astype(float) * _LIGHT.reshape(6)[:, None]).astype(np.uint8)
    return Faces(
        corners.reshape(-1, 4, 3),
        np.tile(normals, (len(low), 1)),
        lit.reshape(-1, 3),
        np.repeat(ids[:, 0], 6),
        np.repeat(ids[:, 1], 6),
        np.repeat(ids[:, 2], 6),
    )


def joined(parts: Sequence[Faces]) -> Faces:
    """Return several groups of faces as one."""
    return Faces(*(np.concatenate([part[field] for part in parts]) for field in range(len(Faces._fields))))


class _Hits(NamedTuple):
    """What each pixel shows."""

    face: NDArray[np.intp]
    """The face, shape `[rows * width]`; -1 where there is none."""
    inverse: Floats
    """One over the depth along the camera's axis, in 1/m; 0 where there is nothing."""

    @property
    def depth(self) -> NDArray[np.float32]:
        """The depth along the camera's axis, in metres; 0 where there is nothing."""
        there = self.inverse > 0
        return np.divide(1.0, self.inverse, out=np.zeros_like(self.inverse), where=there).astype(np.float32)


def render(
    faces: Faces, camera: Camera, rows: int, width: int, sensors: Sequence[str], rooms: NDArray[np.bool_] | None = None
) -> dict[str, NDArray[Any]]:
    """Return the images that a camera sees; see `SimBackend.render`.

    Args:
        faces: All there is.
        camera: Where it is.
        rows: Rows of pixels.
        width: Pixels in a row.
        sensors: The names of the images.
        rooms: Which rooms may be seen, and last whether what is in none may be; all if None.
    """
    hits = cast_pixels(faces, camera, rows, width, rooms)
    nothing = hits.face < 0
    empty = bool(nothing.any())
    images: dict[str, NDArray[Any]] = {}
    for sensor in sensors:
        if sensor == DEPTH:
            images[sensor] = hits.depth.reshape(rows, width)
        elif sensor == SEMANTIC:
            seen = faces.semantic.take(hits.face)
            images[sensor] = (np.where(nothing, 0, seen) if empty else seen).astype(np.int32).reshape(rows, width)
        elif sensor == RGB:
            image = _lit(faces.colours.take(hits.face, axis=0), hits.inverse)
            if empty:
                image[nothing] = 0
            images[sensor] = image.reshape(rows, width, 3)
    return images


def _lit(colours: NDArray[np.uint8], inverse: Floats) -> NDArray[np.uint8]:
    """Return colours as they look from a distance: `1.06 / (1 + 0.045 depth)` as bright, at most as they are."""
    bright = inverse / (inverse + 0.045)
    bright *= 1.06 * 256
    fade = np.minimum(bright, 256.0, out=bright).astype(np.uint16)
    lit = colours * fade[:, None]
    lit >>= 8
    return lit.astype(np.uint8)


def cast_pixels(faces: Faces, camera: Camera, rows: int, width: int, rooms: NDArray[np.bool_] | None = None) -> _Hits:
    """Return the nearest face at each pixel, and one over its depth along the camera's axis."""
    kept, view, inverse = _in_view(faces, camera, rows / width, rooms)
    if not len(kept):
        return _Hits(np.full(rows * width, -1, dtype=np.intp), np.zeros(rows * width))
    across = (np.arange(width) + 0.5) * (2 * camera.half / width) - camera.half
    down: Floats = camera.half * rows / width - (np.arange(rows, dtype=np.float64) + 0.5) * (2 * camera.half / width)
    face, row = _rows_covered(view, camera.half, rows, width)
    from_, to = _between(_planes(view, inverse), face, down[row])
    scale = width / (2 * camera.half)
    first = np.clip(np.ceil((from_ + camera.half) * scale - 0.5), 0, width).astype(np.intp)
    last = np.clip(np.floor((to + camera.half) * scale - 0.5), -1, width - 1).astype(np.intp)
    spans = np.flatnonzero(last >= first)
    face, row, first = face[spans], row[spans], first[spans]
    counts = last[spans] - first + 1
    plane = inverse[face]
    step = plane[:, 0] * (2 * camera.half / width)
    begin = np.cumsum(counts) - counts
    # Where a span's pixels stand in the list of all: its own numbers follow from theirs by one addition.
    place = np.arange(int(counts.sum()))
    base = plane[:, 0] * across[first] + plane[:, 1] * down[row] + plane[:, 2] - step * begin
    pixel = place + np.repeat(row * width + first - begin, counts)
    keys = np.repeat(step, counts)
    keys *= place
    keys += np.repeat(base, counts)
    bits = keys.view(np.uint64)
    bits &= ~_IDS
    bits |= np.repeat(face.astype(np.uint64), counts)
    nearest = np.zeros(rows * width, dtype=np.uint64)
    np.maximum.at(nearest, pixel, bits)
    shown = kept.take((nearest & _IDS).astype(np.intp))
    if not nearest.all():
        shown[nearest == 0] = -1
    return _Hits(shown, (nearest & ~_IDS).view(np.float64))


def _planes(view: Floats, inverse: Floats) -> Floats:
    """Return the planes through the camera and each edge of the faces, shape `[5, 3, faces]`.

    A fifth one keeps what is behind the camera out: the inverse depth must be positive there.
    """
    corners = view.transpose(1, 2, 0)
    (x, y, z), (u, v, w) = (np.moveaxis(one, 1, 0) for one in (corners, np.roll(corners, -1, 0)))
    planes = np.empty((5, 3, len(view)))
    planes[:4, 0], planes[:4, 1], planes[:4, 2] = y * w - z * v, z * u - x * w, x * v - y * u
    planes[4] = inverse.T
    planes[4, 2] -= 1 / _FAR
    return planes


def _between(planes: Floats, face: NDArray[np.intp], down: Floats) -> tuple[Floats, Floats]:
    """Return from where to where faces are seen in rows of pixels, as tangents; the end before the begin for nowhere.

    Args:
        planes: As `_planes` returns them.
        face: The faces, shape `[spans]`.
        down: Where the rows are, as tangents, shape `[spans]`.
    """
    slope = planes[:, 0].take(face, axis=1)
    rest = planes[:, 1].take(face, axis=1)
    rest *= down
    rest += planes[:, 2].take(face, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = -rest / slope
    rising, falling = slope > 1e-12, slope < -1e-12
    from_ = np.where(rising, crossing, -np.inf).max(0)
    to = np.where(falling, crossing, np.inf).min(0)
    to[(~(rising | falling) & (rest < 0)).any(0)] = -np.inf
    return from_, to


def _rows_covered(view: Floats, half: float, rows: int, width: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return pairs of a face and a row of pixels in which it may be seen.

    Args:
        view: The corners of the faces as the camera sees them, shape `[faces, 4, 3]`.
        half: The tangent of half of the horizontal field of view.
        rows: Rows of pixels.
        width: Pixels in a row.
    """
    before = np.asarray((view[..., 2] > _NEAR).all(1))
    slant = view[..., 1] / np.where(before[:, None], view[..., 2], 1.0)
    scale = width / (2 * half)
    first = np.where(before, np.ceil((rows - 1) / 2 - slant.max(1) * scale - 1e-6), 0).clip(0, rows).astype(np.intp)
    last = np.where(before, np.floor((rows - 1) / 2 - slant.min(1) * scale + 1e-6), rows - 1)
    counts = (last.clip(-1, rows - 1).astype(np.intp) - first + 1).clip(0)
    within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(np.arange(len(view)), counts), within + np.repeat(first, counts)


def _in_view(
    faces: Faces, camera: Camera, aspect: float, rooms: NDArray[np.bool_] | None
) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Return the faces that may be seen, their corners as the camera sees them, and their inverse depth's plane.

    The inverse depth of a face at the pixel `(u, v)`, both as tangents, is `plane @ (u, v, 1)`.
    """
    towards = ((camera.position - faces.corners[:, 0]) * faces.normals).sum(1)
    facing = towards > 1e-6
    kept = np.flatnonzero(facing if rooms is None else facing & rooms[faces.room])
    axes = np.stack([camera.right, camera.up, camera.forward])
    view = (faces.corners[kept] - camera.position) @ axes.T
    x, y, z = view[..., 0], view[..., 1], view[..., 2]
    wide, high = camera.half * z, camera.half * aspect * z
    outside = (x > wide).all(1) | (x < -wide).all(1) | (y > high).all(1) | (y < -high).all(1) | (z < _NEAR).all(1)
    inside = ~outside
    kept, view = kept[inside], view[inside]
    normals = faces.normals[kept] @ axes.T
    return kept, view, normals / -towards[kept, None]
