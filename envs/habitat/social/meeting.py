"""How an agent and a person stand to each other, and how soon somebody could meet the person.

Not here: what follows from that (`measures`).
"""

from __future__ import annotations

import math

from ..backend import Pose, Vector
from ..planning.follower import ahead, turned
from ..simulator.home_simulator import HomeSimulator
from .measures import FACING, FARTHEST, Meeting


def meeting(sim: HomeSimulator, agent: Pose, person: Pose, before: Pose) -> Meeting:
    """Return how an agent and a person stand to each other.

    Args:
        sim: The simulator.
        agent: Where the agent is.
        person: Where the person is.
        before: Where the agent was a step ago.
    """
    x, _, z = (here - there for here, there in zip(agent.position, before.position, strict=True))
    ax, az = _looks(before)
    away = math.hypot(person.position[0] - agent.position[0], person.position[2] - agent.position[2])
    return Meeting(
        sim.path(agent.position, [person.position]).distance, away, _facing(agent, person.position),
        away < 2 * sim.settings.radius, x * ax + z * az, math.hypot(x, z),
    )  # fmt: skip


def fewest_steps(sim: HomeSimulator, start: Pose, person: Vector, most: int) -> float:
    """Return how many steps a walk takes that meets a person who stands still: nearer than 2 m, and facing them.

    The walker turns until it faces the next corner of the shortest path and then goes on, as habitat-lab's does.

    Args:
        sim: The simulator; nothing in it is moved.
        start: Where the walk begins.
        person: Where the person is.
        most: More steps are not looked at.

    Returns:
        The steps; infinite where there are more.
    """
    settings, pose = sim.settings, start
    for step in range(most + 1):
        path = sim.path(pose.position, [person])
        if math.isinf(path.distance) or path.distance - FARTHEST > (most - step) * settings.forward:
            return math.inf
        if path.distance <= FARTHEST and _facing(pose, person) > FACING:
            return step
        corner = path.points[1] if len(path.points) > 1 else person
        off = _bearing(pose, corner)
        if abs(off) > settings.turn / 2:
            pose = pose._replace(rotation=turned(pose.rotation, math.copysign(settings.turn, off)))
        else:
            place = sim.try_step(pose.position, ahead(pose.position, pose.rotation, settings.forward))
            pose = pose._replace(position=place)
    return math.inf


def _looks(pose: Pose) -> tuple[float, float]:
    """Return the direction `(x, z)` that an agent looks in, of length 1."""
    x, _, z = ahead((0.0, 0.0, 0.0), pose.rotation, 1.0)
    return x, z


def _facing(pose: Pose, place: Vector) -> float:
    x, z = place[0] - pose.position[0], place[2] - pose.position[2]
    length = math.hypot(x, z)
    ax, az = _looks(pose)
    return (x * ax + z * az) / length if length > 0 else 1.0


def _bearing(pose: Pose, place: Vector) -> float:
    """Return the bearing of a place, in degrees from straight ahead to the left."""
    x, z = place[0] - pose.position[0], place[2] - pose.position[2]
    ax, az = _looks(pose)
    return math.degrees(math.atan2(ax * -z + az * x, ax * x + az * z))
