"""The greedy follower of habitat-sim: the next action along the shortest path to a place, for any `SimBackend`.

Each sequence of turns to one side and one step forward is tried in thought; the one that comes nearer to the goal with
the fewest turns, without colliding, is begun. Not here: turning back and forth without end,
which does not happen with the turns and steps of Habitat's tasks.
"""

from __future__ import annotations

import math
from typing import Final

from ..backend import Pose, Quaternion, SimBackend, Vector

_COLLISION_COST: Final = 0.25
_TURN_COST: Final = 0.0125
_GOOD_ENOUGH: Final = 0.99
_MOVED: Final = 1e-5
"""Squared metres: what a step may lack and still count as no collision, as in habitat-sim."""


def turned(rotation: Quaternion, degrees: float) -> Quaternion:
    """Return a rotation about +Y turned further, to the left where the angle is positive."""
    half = math.radians(degrees) / 2
    s, c = math.sin(half), math.cos(half)
    _, y, _, w = rotation
    return 0.0, y * c + w * s, 0.0, w * c - y * s


def ahead(position: Vector, rotation: Quaternion, metres: float) -> Vector:
    """Return the place straight ahead."""
    _, y, _, w = rotation
    norm = y * y + w * w
    return position[0] - metres * 2 * y * w / norm, position[1], position[2] - metres * (w * w - y * y) / norm


def collided(start: Vector, wanted: Vector, reached: Vector) -> bool:
    """Return whether a step fell short, by habitat-sim's rule."""
    return _squared(start, reached) + _MOVED < _squared(start, wanted)


def _squared(a: Vector, b: Vector) -> float:
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2


def next_move(sim: SimBackend, pose: Pose, goal: Vector, radius: float) -> str | None:
    """Return the next move towards a goal, None on arrival.

    Args:
        sim: The simulator.
        pose: Where the agent is.
        goal: Where it is to go.
        radius: How near is near enough, in metres; habitat-sim's default is three quarters of a step.

    Returns:
        One of `MOVES`; `""` where there is no way.
    """
    distance = sim.path(pose.position, [goal]).distance
    if distance < radius:
        return None
    if math.isinf(distance):
        return ""
    settings = sim.settings
    best, chosen = -_COLLISION_COST, ""
    for turns in range(math.ceil(180 / settings.turn - 1e-9)):
        for move, sign in (("turn_left", 1), ("turn_right", -1)):
            wanted = ahead(pose.position, turned(pose.rotation, sign * turns * settings.turn), settings.forward)
            reached = sim.try_step(pose.position, wanted)
            left = sim.path(reached, [goal]).distance
            reward = (distance - left) / settings.forward - _TURN_COST * turns
            reward -= _COLLISION_COST * collided(pose.position, wanted, reached)
            if reward > best:
                best, chosen = reward, move if turns else "move_forward"
        if best > _GOOD_ENOUGH:
            break
    return chosen
