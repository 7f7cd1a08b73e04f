"""Tasks in generated homes, as Habitat has them, for one and for two, what solves them, and what is there.

Episodes of PointNav and ImageNav are drawn as habitat-lab draws them: the way is 1 to 30 m long, and not straight; a
picture is taken at the goal in any direction. Not here:
habitat-lab's files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from ...errors import ConfigError
from ...experience import Goal, Task
from ..facts import ConditionJson
from ..graph_goals import edge, say_condition, state
from .backend import AgentSettings, Pose, Vector
from .env import ENV, HabitatEnv
from .goals import IMAGE, OBJECT, PERSON, POINT, Follow
from .graph import HomeGraph
from .planning.follower import turned
from .planning.oracle import follow, rearrange
from .planning.together import follow_person, share_goal
from .scenes.generate import home_name
from .simulator.embedded import EmbeddedBackend
from .simulator.home_simulator import HomeState
from .world import HomeWorld

REARRANGE: Final = "rearrange"
TEAM: Final = "team"
"""Rearrangement by two: Habitat 3.0's social rearrangement."""
_KINDS_FOR_TWO: Final = (PERSON, TEAM)
_KINDS: Final = (REARRANGE, OBJECT, REARRANGE, POINT)
"""The kinds of tasks that `generate_tasks` takes in turn."""
_HOMES: Final = 4
"""How many tasks share a home."""
OBJECT_CATEGORIES: Final = ("chair", "bed", "houseplant", "toilet", "television", "couch")
"""The kinds that Habitat's ObjectNav challenge asks for."""
_LEAST, _MOST, _STRAIGHT = 1.0, 30.0, 1.1
_TRIES: Final = 100
_APART: Final = 3.0
_CLOSED: Final = 0.25
"""In how many homes to be rearranged the doors are closed at the beginning."""


def generate_tasks(n: int, seed: int, *, characters: int | None = None) -> list[Task]:
    """Return tasks of several kinds in turn, four in each home.

    Args:
        n: How many.
        seed: What they follow from.
        characters: 2 for Habitat 3.0's tasks: following a person, and rearrangement by two agents.

    Raises:
        ConfigError: `characters` is neither 1 nor 2.
    """
    kinds = {None: _KINDS, 1: _KINDS, 2: _KINDS_FOR_TWO}.get(characters)
    if kinds is None:
        raise ConfigError(f"There are tasks for one and for two in homes, not for {characters}.")
    return [generate_one(kinds[number % len(kinds)], seed, number) for number in range(n)]


def generate_kind(kind: str, n: int, seed: int) -> list[Task]:
    """Return tasks of one kind: `"point"`, `"image"`, `"object"`, `"rearrange"`, `"person"` or `"team"`.

    Raises:
        ConfigError: there is no such kind.
    """
    return [generate_one(kind, seed, number) for number in range(n)]


def image_tasks() -> list[Task]:
    """Return forty tasks of image-goal navigation: the task set `habitat-images`."""
    return generate_kind(IMAGE, 40, 0)


def generate_one(kind: str, seed: int, number: int) -> Task:
    """Return one of the tasks of `generate_kind`, by its number.

    Raises:
        ConfigError: there is no such kind.
    """
    if kind not in _MAKERS:
        raise ConfigError(f"There is no kind {kind!r} of tasks in homes; those are {', '.join(_MAKERS)}.")
    world = HomeWorld(EmbeddedBackend(AgentSettings()), home_name(seed * 10_000 + number // _HOMES))
    rng = np.random.default_rng((seed, number, len(kind)))
    for _ in range(_TRIES):
        start = world.sim.random_point(rng)
        turn = turned((0.0, 0.0, 0.0, 1.0), 30.0 * int(rng.integers(12)))
        world.sim.set_agent(Pose(start, turn))
        closed = kind == REARRANGE and rng.random() < _CLOSED
        for door in world.map.joins:
            world.sim.set_open(door, not closed)
        before = world.state
        goal = _MAKERS[kind](world, start, rng)
        if goal is not None and _solved(world, before, goal):
            options: dict[str, Any] = {
                "scene": world.scene, "start_position": [*start], "start_rotation": [*turn],
            }  # fmt: skip
            if closed and world.map.joins:
                options["doors"] = "closed"
            if kind in _KINDS_FOR_TWO:
                options |= _second(world, start, rng)
            if kind == TEAM:
                options["characters"] = 2
            return Task(f"habitat:{kind}/{seed}/{number}", ENV, 0, goal, options)
    raise ConfigError(f"No task of the kind {kind!r} was found in {world.scene}.")


def _second(world: HomeWorld, start: Vector, rng: np.random.Generator) -> dict[str, Any]:
    """Return where the second agent or the person begins: farther away than one who is found."""
    for _ in range(_TRIES):
        place = world.sim.random_point(rng)
        if _APART <= world.sim.path(start, [place]).distance < _MOST:
            break
    turn = turned((0.0, 0.0, 0.0, 1.0), 30.0 * int(rng.integers(12)))
    return {"other_start_position": [*place], "other_start_rotation": [*turn]}


def _solved(world: HomeWorld, start: HomeState, goal: Goal) -> bool:
    """Return whether a plan of skills reaches a goal: two objects may be meant for the last free place."""
    if "navigate" in goal.conditions[0]:
        return True
    try:
        rearrange(world, goal.conditions)
    except ConfigError:
        return False
    finally:
        world.sim.restore(start)
    return True


def _point(world: HomeWorld, start: Vector, rng: np.random.Generator) -> Goal | None:
    end = world.sim.random_point(rng)
    way, straight = world.sim.path(start, [end]).distance, float(np.hypot(end[0] - start[0], end[2] - start[2]))
    if not _LEAST <= way <= _MOST or (way / straight < _STRAIGHT and rng.random() > 0.2):
        return None
    return Goal("Go to the goal and stop there.", ({"navigate": POINT, "position": list(end)},))


def _image(world: HomeWorld, start: Vector, rng: np.random.Generator) -> Goal | None:
    goal = _point(world, start, rng)
    if goal is None:
        return None
    rotation = turned((0.0, 0.0, 0.0, 1.0), 30.0 * int(rng.integers(12)))
    condition = {**goal.conditions[0], "navigate": IMAGE, "rotation": list(rotation)}
    return Goal("Go to where the second picture was taken and stop there.", (condition,))


def _object(world: HomeWorld, start: Vector, rng: np.random.Generator) -> Goal | None:
    kinds = [kind for kind in OBJECT_CATEGORIES if world.map.view_points(kind)]
    if not kinds:
        kinds = sorted({kind for kind, ids in world.map.kinds.items() if not world.thing(ids[0]).movable})
    kind = kinds[int(rng.integers(len(kinds)))]
    if not _LEAST <= world.sim.nearest_distance(start, world.map.view_points(kind)) <= _MOST:
        return None
    text = f"Find a {kind.replace('_', ' ')} and stop near it."
    return Goal(text, ({"navigate": OBJECT, "category": kind},))


def _rearrange(world: HomeWorld, start: Vector, rng: np.random.Generator) -> Goal | None:
    """Return a goal of one to three conditions: objects put somewhere else, something opened or closed."""
    graph = HomeGraph(world.map)
    now = graph.graph(graph.facts(world.state, world.rooms))
    conditions: list[ConditionJson] = []
    loose = [kind for kind, ids in world.map.kinds.items() if world.thing(ids[0]).movable]
    for place in rng.permutation(len(loose))[: int(rng.integers(1, 3))]:
        kind = loose[int(place)]
        spots = list(_destinations(world, kind))
        if spots:
            conditions.append(spots[int(rng.integers(len(spots)))])
    if not conditions:
        return None
    if rng.random() < 0.3:
        taken = {str(one["to"]["class"]) for one in conditions}
        doors = [one for one in sorted(_openable(world)) if one not in taken]
        if doors:
            conditions.append(state(doors[int(rng.integers(len(doors)))], "OPEN"))
    text = " and ".join(say_condition(one, now) for one in conditions)
    return Goal(f"{text[:1].upper()}{text[1:]}.", tuple(conditions))


def _team(world: HomeWorld, start: Vector, rng: np.random.Generator) -> Goal | None:
    goal = _rearrange(world, start, rng)
    return goal if goal is not None and len(goal.conditions) > 1 else None


def _person(_: HomeWorld, __: Vector, rng: np.random.Generator) -> Goal | None:
    condition = {"navigate": PERSON, **Follow(walk=int(rng.integers(2**31)))._asdict()}
    return Goal("Find the person and follow them, 1 to 2 m behind.", (condition,))


def _destinations(world: HomeWorld, kind: str) -> Iterator[ConditionJson]:
    """Yield the places where no object of a kind is yet and one may be put."""
    own = {world.state.placements[id_].holder for id_ in world.map.kinds[kind]}
    for other, ids in world.map.kinds.items():
        things = [world.thing(id_) for id_ in ids]
        if things[0].movable or own & set(ids) or world.map.stand_at(world.map.bases[ids[0]]) is None:
            continue
        if any(world.free_spot(id_, False) for id_ in ids):
            yield edge(kind, "ON", other)
        elif any(world.free_spot(id_, True) for id_ in ids):
            yield edge(kind, "INSIDE", other)


def _openable(world: HomeWorld) -> set[str]:
    return {thing.category for thing in world.map.home.things if thing.opened is not None}


_Maker = Callable[[HomeWorld, Vector, np.random.Generator], Goal | None]
_MAKERS: Final[Mapping[str, _Maker]] = MappingProxyType(
    {POINT: _point, IMAGE: _image, OBJECT: _object, REARRANGE: _rearrange, PERSON: _person, TEAM: _team}
)


def demonstration(task: Task) -> Sequence[str]:
    """Return the actions that solve a task: the greedy follower's moves, or the fewest skills.

    Raises:
        ConfigError: the task names no scene or start, or nothing here solves it.
    """
    if not {"scene", "start_position", "start_rotation"} <= task.options.keys():
        raise ConfigError(f"The task {task.id!r} names no scene and start, so nothing can be demonstrated.")
    env = HabitatEnv()
    goal = {"text": task.goal.text, "conditions": task.goal.conditions}
    try:
        env.reset(seed=task.seed, options={**task.options, "goal": goal})
        nav = env.navigation
        if nav is not None and nav.follow is not None:
            return follow_person(env)
        if task.options.get("characters") == 2:
            return share_goal(env)
        return follow(env.world, nav) if nav is not None else rearrange(env.world, task.goal.conditions)
    finally:
        env.close()
