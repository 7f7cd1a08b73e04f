"""Touchdown's routes: instructions with the panoramas that they lead along, read from the published JSON lines.

Not here: the graph that they lie in (`graph`), and panoramas, which are Google's and not published with the data.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from ...errors import DataError

_VIEWS: Final = ("pre", "main", "post")


class TargetSpot(NamedTuple):
    """Where Touchdown is in one panorama."""

    pano: str
    x: float
    """Share of the panorama's width, from its left."""
    y: float
    """Share of its height, from its top."""


class Route(NamedTuple):
    """One instance: a route with its instruction, and a description of the spot at its end."""

    id: str
    text: str
    """The instruction for the walk."""
    panos: tuple[str, ...]
    """From the start to the goal."""
    start_heading: float
    """In degrees; no link's heading (see `StreetGraph.facing`)."""
    description: str = ""
    """Where at the goal Touchdown is."""
    spots: tuple[TargetSpot, ...] = ()
    """Where it can be seen, from the goal and the panoramas before and after."""


def read_routes(path: Path) -> Sequence[Route]:
    """Read a file of Touchdown's (`train.json`, `dev.json`, `test.json`, or a re-split), plain or gzipped.

    Raises:
        DataError: the file is missing or a line does not have the form; says which.
    """
    try:
        data = path.read_bytes()
        lines = (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines()
    except (OSError, EOFError) as error:
        raise DataError(f"Routes cannot be read from {path} ({error}).") from error
    routes = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            routes.append(_route(orjson.loads(line)))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"Line {number} of {path} is no route of Touchdown's ({error!r}).") from error
    return routes


def _route(data: dict[str, Any]) -> Route:
    panos = data["route_panoids"]
    if not isinstance(panos, list) or not panos:
        raise ValueError("no route_panoids")
    heading, text = data["start_heading"], str(data["navigation_text"]).strip()
    return Route(
        str(data["route_id"]),
        text,
        tuple(str(pano) for pano in panos),
        float(heading),
        str(data.get("td_location_text", "")).strip(),
        tuple(spot for view in _VIEWS if (spot := _spot(data, view)) is not None),
    )


def _spot(data: dict[str, Any], view: str) -> TargetSpot | None:
    centre = data.get(f"{view}_static_center")
    if centre is None:
        return None
    point = orjson.loads(centre) if isinstance(centre, str) else centre
    # (-1, -1) says that it cannot be seen from there.
    return None if point["x"] < 0 else TargetSpot(str(data[f"{view}_pano"]), float(point["x"]), float(point["y"]))
