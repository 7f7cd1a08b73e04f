"""A home with agents that walk, pick, place, open and close: names, reach, skills, through its simulator.

All is said and done for one of them, `HomeWorld.who`. Not here: goals, text, episodes.
"""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from functools import cached_property
from typing import Final

from .backend import Pose, Quaternion, Vector
from .home_map import HomeMap, Place, away_from, known_map, middle
from .planning.follower import turned
from .scenes.scene import Thing
from .simulator.bodies import BODY, CHEST
from .simulator.home_simulator import AddedObjects, HomeSimulator, HomeState
from .simulator.sight import LookedAt, Seen

REACH: Final = 1.0
"""How far from furniture an agent may be that uses it, in metres; it has to be in the same room."""


class Lying:
    """What follows from where the things of a home are and what is open; worked out once, when it is asked for."""

    def __init__(self, sim: HomeSimulator, map_: HomeMap) -> None:
        """Note the present state."""
        self.placements, self.opened = sim.state.placements, sim.state.opened
        self._sim, self._map = sim, map_
        self.skills: dict[tuple[int, int, tuple[int, ...]], tuple[str, ...]] = {}
        """The skills that can be used, by the agent, its room and the furniture within its reach."""

    @cached_property
    def held(self) -> Mapping[int, int]:
        """What each agent holds."""
        return {place.held_by: id_ for id_, place in self.placements.items() if place.held_by is not None}

    @cached_property
    def loads(self) -> Mapping[tuple[int | None, bool], Sequence[Vector]]:
        """The places of what lies on and in each piece of furniture, by `(id, inside)`."""
        found: dict[tuple[int | None, bool], list[Vector]] = {}
        for place in self.placements.values():
            found.setdefault((place.holder, place.inside), []).append(place.position)
        return found

    @cached_property
    def looked_at(self) -> LookedAt:
        """The points that are looked at."""
        places = self.placements.items()
        seen = [(id_, one.position) for id_, one in places if one.held_by is None and self._sim.in_the_open(id_)]
        return self._map.sight.looked_at(seen)


class HomeWorld:
    """The present state of a home; it moves its simulator."""

    def __init__(
        self,
        sim: HomeSimulator,
        scene: str,
        added: AddedObjects = AddedObjects(),  # noqa: B008
        agents: int = 1,
    ) -> None:
        """Put a scene back to its beginning, with objects that an official episode adds, and some agents.

        Raises:
            ConfigError: there is no such scene.
            DataError: its file cannot be read.
        """
        sim.reset(scene, added=added, agents=agents)
        self.sim, self.scene = sim, scene
        self.who = 0
        """The agent for which all is said and done."""
        self.calls_person = False
        """Whether another agent is called a person."""
        self.map = known_map(sim.scenery, sim.settings)
        self._lying = Lying(sim, self.map)

    @property
    def state(self) -> HomeState:
        """All that changes."""
        return self.sim.state

    @property
    def lying(self) -> Lying:
        """What follows from where the things are now."""
        state, known = self.sim.state, self._lying
        if known.placements is not state.placements or known.opened is not state.opened:
            self._lying = known = Lying(self.sim, self.map)
        return known

    @property
    def pose(self) -> Pose:
        """Where the agent is."""
        return self.sim.agent(self.who)

    @property
    def room(self) -> int:
        """The room that the agent is in."""
        x, _, z = self.pose.position
        return self.map.room_at(x, z)

    @property
    def rooms(self) -> tuple[int, ...]:
        """The room of each agent."""
        return tuple([self.map.room_at(pose.position[0], pose.position[2]) for pose in self.state.poses])

    @property
    def held(self) -> int | None:
        """What the agent holds."""
        return self.lying.held.get(self.who)

    @property
    def touching(self) -> bool:
        """Whether the agent collides with another."""
        (x, _, z), radius = self.pose.position, self.sim.settings.radius
        return any(math.hypot(x - a, z - b) < 2 * radius for a, b in self._others())

    def _others(self) -> list[Place]:
        poses = enumerate(self.state.poses)
        return [(pose.position[0], pose.position[2]) for number, pose in poses if number != self.who]

    def thing(self, id_: int) -> Thing:
        """Return a thing by its id."""
        return self.map.thing(id_)

    def support(self, id_: int) -> int | None:
        """Return the furniture on the floor that a thing is, stands on or lies in; None for what is held."""
        if self.thing(id_).movable:
            holder = self.state.placements[id_].holder
            return None if holder is None else self.map.bases[holder]
        return self.map.bases[id_]

    def room_of(self, id_: int) -> int:
        """Return the room of a thing; that of the agent for what is held."""
        support = self.support(id_)
        return self.room if support is None else self.map.rooms[support]

    def in_reach(self, id_: int) -> bool:
        """Return whether the agent can use a thing from where it stands."""
        support = self.support(id_)
        if support is None or not self.map.is_in(support, self.room):
            return False
        x, _, z = self.pose.position
        return away_from(self.thing(support), x, z) <= REACH

    def is_closed(self, id_: int) -> bool:
        """Return whether furniture can be opened and is not open."""
        return self.thing(id_).opened is not None and id_ not in self.state.opened

    def free_spot(self, id_: int, inside: bool) -> Vector | None:
        """Return the first free place on or in a piece of furniture."""
        thing = self.thing(id_)
        places = thing.inside if inside else thing.on
        taken = self.lying.loads.get((id_, inside), ())
        free = (places[spot] for spot in self.map.spots.get((id_, inside), ()))
        return next((place for place in free if not any(math.dist(place, one) < 0.05 for one in taken)), None)

    def named(self, name: str, prefer: Sequence[int] = ()) -> int | None:
        """Return the thing that a name means: its own, or its kind's, the nearest of several; None for no thing.

        Args:
            name: As `HomeMap.names` has it, or a kind, or another name for a kind (`catalogue.ALIASES`).
            prefer: Things that are meant rather than others of their kind.
        """
        word = name.strip().lower().removeprefix("the ").replace(" ", "_")
        kind, _, number = word.rpartition("_")
        exact = self.map.ids.get(
            f"{self.map.kind(kind)}_{number}" if number.isdecimal() else word, self.map.ids.get(word)
        )
        if exact is not None:
            return exact
        options = self.map.kinds.get(self.map.kind(word), [])
        return min(options, key=lambda id_: (id_ not in prefer, self._away(id_)), default=None)

    def _away(self, id_: int) -> float:
        x, _, z = self.pose.position
        support = self.support(id_)
        if support is None:
            return -1.0 if self.state.placements[id_].held_by == self.who else 1_000.0
        # Another room is farther than anything in this one.
        return away_from(self.thing(support), x, z) + 100 * (self.map.rooms[support] != self.room)

    def around(self) -> list[Seen]:
        """Return what the agent sees, the nearest first."""
        state = self.state
        others = [
            (BODY + number, (pose.position[0], pose.position[1] + CHEST, pose.position[2]))
            for number, pose in enumerate(state.poses)
            if number != self.who
        ]
        return self.map.sight.around(self.pose, self.lying.looked_at, others, state.opened)

    def name(self, id_: int) -> str:
        """Return the name of a thing, or of another agent that is seen."""
        if id_ < BODY:
            return self.map.names[id_]
        return "person" if self.calls_person else f"char{id_ - BODY}"

    def go_to(self, id_: int) -> float | None:
        """Walk to a thing by the shortest path and face it; return the length walked, None where there is no way.

        This is the oracle skill. It turns by any angle, and always ends in the same place for the same furniture.
        """
        support = self.support(id_)
        stand = None if support is None else self._stand(support)
        if support is None or stand is None:
            return None
        return self._walk(stand, middle(self.thing(support)), self._tilt(id_, stand))

    def _stand(self, id_: int) -> Place | None:
        """Return where to stand to use a piece of furniture: where no other agent is."""
        others, body = self._others(), 2 * self.sim.settings.radius + 0.1
        if not others and id_ not in self.map.joins:
            return self.map.stand_at(id_)
        free = [place for place in self.map.stands(id_) if all(math.dist(place, one) >= body for one in others)]
        if id_ in self.map.joins:  # of the two sides of a door, the one that is not behind it
            here = self.pose.position
            sides = [[one for one in free if self.map.room_at(*one) == room][:1] for room in self.map.joins[id_]]
            ways = [(self.sim.path(here, [(x, here[1], z)]).distance, (x, z)) for side in sides for x, z in side]
            return min(ways, default=(0.0, None))[1]
        return next(iter(free), None)

    def closed_doors(self) -> frozenset[int]:
        """Return the doors that are closed."""
        return frozenset(self.map.joins) - self.state.opened

    def rooms_within(self, closed: Container[int]) -> set[int]:
        """Return the rooms that an agent comes to while some doors are closed."""
        found, left = {self.room}, [self.room]
        while left:
            room = left.pop()
            for door in self.map.home.doors:
                other = door.rooms[door.rooms[0] == room]
                if room in door.rooms and door.leaf not in closed and other not in found:
                    found.add(other)
                    left.append(other)
        return found

    def in_the_way(self, id_: int) -> bool:
        """Return whether an agent stands where a door closes."""
        near = self.sim.settings.radius + 0.05
        return any(away_from(self.thing(id_), pose.position[0], pose.position[2]) < near for pose in self.state.poses)

    def go_to_room(self, room: int) -> float | None:
        """Walk to the middle of a room, looking ahead; return the length walked, None where there is no way."""
        (x0, z0), _, (x1, z1), _ = self.map.home.rooms[room].polygon
        return self._walk(self.map.free.nearest((x0 + x1) / 2, (z0 + z1) / 2), None, 0.0)

    def _tilt(self, id_: int, stand: Place) -> float:
        """Return how far the camera is to look down from a place to see a thing, in whole steps of a tilt."""
        thing, settings = self.thing(id_), self.sim.settings
        place = self.state.placements.get(id_)
        top = thing.box[1][1] if place is None else place.position[1]
        fall = settings.camera_height - top
        down = math.degrees(math.atan2(fall, math.dist(stand, middle(self.thing(self.support(id_) or id_)))))
        return -settings.tilt * min(max(round(down / settings.tilt), 0), 2)

    def _walk(self, goal: Place, look_at: Place | None, pitch: float) -> float | None:
        pose, height = self.pose, self.map.free.floor
        path = self.sim.path(pose.position, [(goal[0], height, goal[1])])
        if math.isinf(path.distance):
            return None
        rotation = pose.rotation
        if look_at is not None:
            rotation = facing(goal, look_at)
        elif path.distance > 0.05:
            x, _, z = path.points[-2]
            rotation = facing((x, z), goal)
        self.sim.set_agent(Pose((goal[0], height, goal[1]), rotation, pitch), self.who)
        return path.distance


def facing(place: Place, towards: Place) -> Quaternion:
    """Return the rotation of an agent that looks from one place to another."""
    angle = math.atan2(place[0] - towards[0], place[1] - towards[1])
    return turned((0.0, 0.0, 0.0, 1.0), math.degrees(angle))
