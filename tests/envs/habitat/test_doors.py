"""Doors: they bar the way while they are closed, shortest paths respect them, and skills open them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pathei.envs.checks import check_snapshot
from pathei.envs.facts.graph import Fact
from pathei.envs.habitat.backend import Pose
from pathei.envs.habitat.env import HabitatEnv
from pathei.envs.habitat.graph import node_of
from pathei.envs.habitat.planning.oracle import rearrange
from pathei.envs.habitat.tasks import demonstration, generate_one
from pathei.envs.habitat.world import facing
from pathei.errors import GoalError

HOME = "home:0"
"""Of four rooms; the bedroom and the bathroom have doors."""


def begun(**options: Any) -> HabitatEnv:
    """Return an environment in the home, its agent in the middle of the bedroom."""
    env = HabitatEnv(scene=HOME, actions="all")
    env.reset(seed=0, options=options)
    room = next(n for n, one in enumerate(env.world.map.home.rooms) if one.name == "bedroom")
    env.world.go_to_room(room)
    return env


def facts(env: HabitatEnv) -> set[Fact]:
    return env.fact_graph().facts()


def test_a_closed_door_bars_the_way_until_it_is_opened() -> None:
    env = begun()
    world, door = env.world, next(id_ for id_, rooms in env.world.map.joins.items() if env.world.room in rooms)
    name = world.map.names[door]
    living = world.map.stand_at(world.map.ids["couch"])
    assert living is not None
    goal = (living[0], world.map.free.floor, living[1])
    way = env.sim.path(env.sim.agent().position, [goal])
    assert math.isfinite(way.distance)
    assert (node_of(name), "OPEN", None) in facts(env)
    for action in (f"go to {name}", f"close {name}"):
        assert env.act(action).error is None
    assert (node_of(name), "CLOSED", None) in facts(env)
    here = env.sim.agent().position
    assert env.sim.path(here, [goal]).distance == math.inf
    assert env.sim.nearest_distance(here, (goal,)) == math.inf
    assert "a door is closed" in str(env.act("go to couch").error)
    assert not any("couch" in action for action in env.listed())
    x, z = next(one for one in world.map.home.doors if one.leaf == door).middle
    env.sim.set_agent(Pose(here, facing((here[0], here[2]), (x, z))))
    before = world.room
    assert [env.act("move_forward").error for _ in range(8)] == [None] * 8
    assert world.room == before
    depth = env.sim.render(("depth",))["depth"]
    assert env.act(f"open {name}").error is None
    assert env.sim.render(("depth",))["depth"][128, 128] > depth[128, 128] + 0.5
    assert math.isfinite(env.sim.path(env.sim.agent().position, [goal]).distance)
    assert [env.act("move_forward").error for _ in range(8)] == [None] * 8
    assert world.room != before


def test_no_door_closes_on_somebody() -> None:
    env = begun()
    door = next(one for one in env.world.map.home.doors if one.leaf and env.world.room in one.rooms)
    x, z = door.middle
    env.sim.set_agent(Pose((x, env.world.map.free.floor, z)))
    assert "stands where" in str(env.act(f"close {env.world.map.names[door.leaf]}").error)


def test_plans_and_searches_go_through_closed_doors() -> None:
    env = begun(doors="closed")
    plan = rearrange(env.world, ({"from": {"class": "character"}, "relation": "INSIDE", "to": {"class": "kitchen"}},))
    assert any(action.startswith("open door") for action in plan)
    assert env.world.map.home.rooms[env.world.room].name == "kitchen"
    task = next(task for number in range(20) if "doors" in (task := generate_one("rearrange", 0, number)).options)
    assert demonstration(task)
    with pytest.raises(GoalError, match="doors are closed"):
        begun(doors="closed", goal={"conditions": [{"navigate": "object", "category": "toilet"}]})


def test_doors_are_part_of_a_snapshot() -> None:
    check_snapshot(HabitatEnv(scene=HOME, doors="closed"), rng=np.random.default_rng(0), steps=6, rounds=2)
