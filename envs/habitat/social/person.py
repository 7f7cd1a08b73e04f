"""The person of social navigation: walks from place to place in a home, and waits for who stands in the way.

Where the person goes follows from a seed, so an episode is the same in every run. Not here: what is measured
(`measures`), and what the person looks like (`simulator.bodies`).
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from ..backend import Pose, Vector
from ..simulator.home_simulator import HomeSimulator
from ..world import facing

PERSON: Final = 1
"""The person's number among the agents."""
STRIDE: Final = 0.15
"""How far the person walks in one step, in metres; an agent walks 0.25."""
ROOM: Final = 1.1
"""How near the person comes to another agent, in metres from middle to middle."""
_ARRIVED: Final = 0.05
_PATIENCE: Final = 3


class Walk(NamedTuple):
    """Where a person is going."""

    seed: int
    number: int = 0
    """How many places the person has left behind."""
    waited: int = 0
    """For how many steps somebody has stood in the way."""


def stroll(sim: HomeSimulator, walk: Walk) -> Walk:
    """Let the person walk one step further, and return where they are going then.

    Args:
        sim: The simulator; its agent number `PERSON` is moved.
        walk: Where the person is going.
    """
    here, other = sim.agent(PERSON).position, sim.agent(0).position
    path = sim.path(here, [_destination(sim, walk)])
    if path.distance < _ARRIVED or math.isinf(path.distance):
        return Walk(walk.seed, walk.number + 1)
    place = _along(path.points, STRIDE)
    near = _apart(place, other)
    if near < ROOM and near < _apart(here, other):
        tired = walk.waited + 1 >= _PATIENCE
        return Walk(walk.seed, walk.number + 1) if tired else walk._replace(waited=walk.waited + 1)
    sim.set_agent(Pose(place, facing((here[0], here[2]), (place[0], place[2]))), PERSON)
    return walk._replace(waited=0)


def _destination(sim: HomeSimulator, walk: Walk) -> Vector:
    return sim.random_point(np.random.default_rng((walk.seed, walk.number)))


def _along(points: tuple[Vector, ...], metres: float) -> Vector:
    """Return the place so far along a path."""
    left = metres
    for start, end in pairwise(points):
        length = _apart(start, end)
        if length >= left > 0:
            share = left / length
            return start[0] + (end[0] - start[0]) * share, end[1], start[2] + (end[2] - start[2]) * share
        left -= length
    return points[-1]


def _apart(one: Vector, other: Vector) -> float:
    return math.hypot(one[0] - other[0], one[2] - other[2])
