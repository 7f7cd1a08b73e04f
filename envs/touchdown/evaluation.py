"""Measures whole runs: trajectories on the streets become the rows of Touchdown's tables."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean
from typing import NamedTuple

from ...errors import RecordError
from ...experience import Trajectory
from .maps import map_named
from .metrics import Navigation, navigation


class Means(NamedTuple):
    """The means over many walks."""

    walks: int
    tc: float
    """In percent."""
    spd: float
    """In links."""
    sed: float
    """In percent."""
    ndtw: float
    """In percent."""


def measure(trajectory: Trajectory) -> Navigation:
    """Measure one stored walk; where it was not ended by `stop` it counts as if it had been.

    Raises:
        RecordError: it is no walk on a map that is known by name, with facts.
        DataError: its map cannot be read.
    """
    options = trajectory.task.options
    if "map" not in options or "route" not in options:
        raise RecordError(f"The trajectory {trajectory.id!r} names no map and no route: it cannot be measured.")
    graph = map_named(str(options["map"]))
    seen = [*(step.observation for step in trajectory.steps), trajectory.final]
    try:
        panos = [graph.index[(observation.facts or {})["pano"]] for observation in seen]
    except KeyError as error:
        raise RecordError(f"The trajectory {trajectory.id!r} does not say where it was ({error}).") from error
    walked = [pano for number, pano in enumerate(panos) if number == 0 or pano != panos[number - 1]]
    return navigation(graph, walked, [graph.index[pano] for pano in options["route"]])


def mean_of(measures: Iterable[Navigation]) -> Means:
    """Return the means, shares in percent as the published tables have them.

    Raises:
        RecordError: there is nothing to measure.
    """
    found = list(measures)
    if not found:
        raise RecordError("There are no walks to measure.")
    tc, spd, sed, ndtw = (fmean(values) for values in zip(*found, strict=True))
    return Means(len(found), 100 * tc, spd, 100 * sed, 100 * ndtw)
