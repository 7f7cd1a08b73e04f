"""What an agent sees, in words: the room, the things in view with distance and bearing, what is held.

Not here: what is in view (`simulator.sight`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from ..backend import Pose
from ..simulator.bodies import BODY
from ..simulator.sight import Seen
from ..world import HomeWorld

_MOST: Final = 24
"""The most things that a text lists, the nearest first."""
_WINDS: Final = ("north", "north-west", "west", "south-west", "south", "south-east", "east", "north-east")


def heading(pose: Pose) -> float:
    """Return the way that an agent faces, in degrees to the left of north (-Z), in [0, 360)."""
    _, y, _, w = pose.rotation
    return math.degrees(2 * math.atan2(y, w)) % 360


def say_bearing(degrees: float) -> str:
    """Return a bearing in words: `"25° to the left"`, `"ahead"`."""
    rounded = 5 * round(abs(degrees) / 5)
    if rounded < 5:
        return "ahead"
    if rounded > 175:
        return "behind you"
    return f"{rounded}° to the {'left' if degrees > 0 else 'right'}"


def bearing_to(pose: Pose, x: float, z: float) -> float:
    """Return the bearing of a place, in degrees from straight ahead to the left."""
    away = math.degrees(math.atan2(pose.position[0] - x, pose.position[2] - z))
    return (away - heading(pose) + 180) % 360 - 180


def describe(world: HomeWorld, seen: Sequence[Seen]) -> str:
    """Return where the agent is, what it sees and what it holds."""
    pose, rooms = world.pose, world.map.home.rooms
    wind = _WINDS[round(heading(pose) / 45) % 8]
    where = f"in the {rooms[world.room].name}, facing {wind}" if rooms else f"facing {wind}"
    tilt = f", looking {'up' if pose.pitch > 0 else 'down'} by {abs(pose.pitch):.0f}°" if pose.pitch else ""
    things = [one for one in seen if one.id > 0][:_MOST]
    ways = [one for one in seen if one.id < 0]
    held = world.held
    lines = [
        f"You are {where}{tilt}.",
        f"You see: {'; '.join(_listed(world, things))}." if things else "You see nothing near.",
        f"You hold the {world.map.names[held]}." if held is not None else "You hold nothing.",
    ]
    if ways:
        lines.insert(2, f"Doorways: {'; '.join(_way(world, one) for one in ways)}.")
    return "\n".join(lines)


def _listed(world: HomeWorld, things: Sequence[Seen]) -> list[str]:
    """Say each thing; what lies on or in something that is seen is said with it."""
    shown = {one.id for one in things}
    holders: dict[tuple[int, bool], list[str]] = {}
    for one in things:
        place = world.state.placements.get(one.id)
        if place is not None and place.holder in shown:
            holders.setdefault((place.holder, place.inside), []).append(world.name(one.id))
    said = []
    for one in things:
        place = world.state.placements.get(one.id)
        if place is not None and place.holder in shown:
            continue
        parts = [f"{world.name(one.id)}{_state(world, one.id)} {one.distance:.1f} m {say_bearing(one.bearing)}"]
        for inside in (False, True):
            load = holders.get((one.id, inside))
            if load:
                parts.append(f"{'in' if inside else 'on'} it {', '.join(load)}")
        if place is not None and place.holder is not None:
            parts.append(f"{'in' if place.inside else 'on'} the {world.map.names[place.holder]}")
        said.append(", ".join(parts))
    return said


def _state(world: HomeWorld, id_: int) -> str:
    if id_ >= BODY or world.thing(id_).opened is None:
        return ""
    return " (closed)" if world.is_closed(id_) else " (open)"


def _way(world: HomeWorld, seen: Seen) -> str:
    door = world.map.home.doors[-1 - seen.id]
    other = door.rooms[0] if door.rooms[1] == world.room else door.rooms[1]
    return f"to the {world.map.home.rooms[other].name} {seen.distance:.1f} m {say_bearing(seen.bearing)}"
