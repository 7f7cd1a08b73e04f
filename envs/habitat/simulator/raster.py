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
    depth: NDArray[np.float32]


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
    images: dict[str, NDArray[Any]] = {}
    for sensor in sensors:
        if sensor == DEPTH:
            images[sensor] = hits.depth.reshape(rows, width)
        elif sensor == SEMANTIC:
            images[sensor] = np.where(nothing, 0, faces.semantic[hits.face]).astype(np.int32).reshape(rows, width)
        elif sensor == RGB:
            fade = np.float32(1.06) / (1 + np.float32(0.045) * hits.depth)
            shown = faces.colours.take(hits.face, axis=0) * np.minimum(fade, np.float32(1.0))[:, None]
            image = shown.astype(np.uint8)
            if nothing.any():
                image[nothing] = 0
            images[sensor] = image.reshape(rows, width, 3)
    return images


def cast_pixels(faces: Faces, camera: Camera, rows: int, width: int, rooms: NDArray[np.bool_] | None = None) -> _Hits:
    """Return the nearest face at each pixel, and its depth along the camera's axis (0 where there is none)."""
    kept, view, inverse = _in_view(faces, camera, rows / width, rooms)
    across = (np.arange(width) + 0.5) * (2 * camera.half / width) - camera.half
    down = -((np.arange(rows) + 0.5) * (2 * camera.half / width) - camera.half * rows / width)
    edges = np.cross(view, np.roll(view, -1, 1))
    # A fifth edge keeps what is behind the camera out: the inverse depth must be positive there.
    planes = np.concatenate([edges, inverse[:, None] - np.array((0.0, 0.0, 1 / _FAR))], axis=1)
    face, row = _rows_covered(view, camera.half, rows, width)
    slope = planes[face, :, 0]
    rest = planes[face, :, 1] * down[row, None] + planes[face, :, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = -rest / slope
    rising, falling = slope > 1e-12, slope < -1e-12
    from_ = np.where(rising, crossing, -np.inf).max(1)
    to = np.where(falling, crossing, np.inf).min(1)
    to[((~rising & ~falling) & (rest < 0)).any(1)] = -np.inf
    scale = width / (2 * camera.half)
    first = np.clip(np.ceil((from_ + camera.half) * scale - 0.5), 0, width)
    last = np.clip(np.floor((to + camera.half) * scale - 0.5), -1, width - 1)
    counts = np.maximum(last - first + 1, 0).astype(np.intp)
    spans = np.flatnonzero(counts)
    counts, first, face, row = counts[spans], first[spans].astype(np.intp), face[spans], row[spans]
    base = inverse[face, 0] * across[first.clip(max=width - 1)] + inverse[face, 1] * down[row] + inverse[face, 2]
    before = np.cumsum(counts) - counts
    within = np.arange(int(counts.sum())) - np.repeat(before, counts)
    pixel = within + np.repeat(row * width + first, counts)
    step = inverse[face, 0] * (2 * camera.half / width)
    depth_key = np.repeat(base, counts) + within * np.repeat(step, counts)
    keys = (depth_key.view(np.uint64) & ~_IDS) | np.repeat(face.astype(np.uint64), counts)
    nearest = np.zeros(rows * width, dtype=np.uint64)
    np.maximum.at(nearest, pixel, keys)
    there = nearest != 0
    inverse_depth = (nearest & ~_IDS).view(np.float64)
    depth = np.divide(1.0, inverse_depth, out=np.zeros(rows * width), where=there).astype(np.float32)
    if not len(kept):
        return _Hits(np.full(rows * width, -1, dtype=np.intp), depth)
    shown = kept[(nearest & _IDS).astype(np.intp)]
    return _Hits(shown if there.all() else np.where(there, shown, -1), depth)


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


__all__ = ["Camera", "Faces", "box_faces", "camera_at", "cast_pixels", "joined", "render"]
