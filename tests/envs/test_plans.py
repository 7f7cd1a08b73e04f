"""Plans are checked by doing them, and rid of what does not matter."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pathei.envs.plans import succeeds, without_idle_steps
from pathei.envs.virtualhome.engine.profiles import rules_named
from pathei.envs.virtualhome.engine.rules import EngineAction
from pathei.envs.virtualhome.engine.scene import Scene
from pathei.envs.virtualhome.engine.vocabulary import RELATIONS
from pathei.envs.virtualhome.engine.world import World
from pathei.envs.virtualhome.goals.check import GoalCheck
from pathei.envs.virtualhome.houses.generate import generate_house
from pathei.envs.virtualhome.model import HomeModel

LIGHT_ON = ({"node": {"class": "light"}, "state": "ON", "new": True},)


def home(seed: int) -> tuple[World, HomeModel]:
    """A generated house in which some light has to go on."""
    world = World(Scene.from_graph(generate_house(seed)), rules_named("clean"))
    return world, HomeModel(world, GoalCheck(LIGHT_ON, world))


def dark_light(world: World) -> int:
    """A light that is off, in a room that can be walked to."""
    off = world.scene.of_class["light"] & world.having[world.scene.state_names.index("OFF")]
    lights = [a.first for a in world.admissible() if a.verb == "WALK" and off >> a.first & 1]
    return lights[0]


def lit_seed() -> int:
    """A house in which some light within reach is off."""
    for seed in range(100):
        world = World(Scene.from_graph(generate_house(seed)), rules_named("clean"))
        off = world.scene.of_class["light"] & world.having[world.scene.state_names.index("OFF")]
        if any(a.verb == "WALK" and off >> a.first & 1 for a in world.admissible()):
            return seed
    raise AssertionError("no house with a dark light")


def test_a_plan_padded_with_useless_steps_is_stripped_to_what_matters() -> None:
    world, model = home(lit_seed())
    light = dark_light(world)
    room = world.rules.room_of(world, world.characters[0])
    assert room is not None
    padding = EngineAction("WALK", room)
    plan = [padding, padding, EngineAction("WALK", light), EngineAction("SWITCHON", light), padding]
    assert without_idle_steps(model, plan) == (EngineAction("WALK", light), EngineAction("SWITCHON", light))


def test_steps_that_can_only_go_together_are_removed_together() -> None:
    """Opening and closing undo each other; neither can be left out alone where the goal wants the door shut."""
    world, _ = home(lit_seed())
    light = dark_light(world)
    shut = [n for n in range(world.size) if world.scene.having["CAN_OPEN"] >> n & 1 and world.having[0] >> n & 1]
    for thing in shut:
        around = [EngineAction("WALK", thing), EngineAction("OPEN", thing), EngineAction("CLOSE", thing)]
        conditions = (*LIGHT_ON, {"node": {"id": world.scene.ids[thing]}, "state": "CLOSED"})
        model = HomeModel(world, GoalCheck(conditions, world))
        plan = [*around, EngineAction("WALK", light), EngineAction("SWITCHON", light)]
        if succeeds(model, plan):
            assert without_idle_steps(model, plan) == tuple(plan[-2:])
            return
    raise AssertionError("nothing in this house can be opened and closed")


def test_a_goal_that_was_reached_and_undone_does_not_count() -> None:
    world, model = home(lit_seed())
    light = dark_light(world)
    on = [EngineAction("WALK", light), EngineAction("SWITCHON", light)]
    assert succeeds(model, on)
    assert not succeeds(model, [*on, EngineAction("SWITCHOFF", light)])


def test_a_plan_with_an_impossible_step_does_not_succeed_and_is_left_as_it_is() -> None:
    world, model = home(lit_seed())
    light = dark_light(world)
    plan = (EngineAction("SWITCHON", light), EngineAction("WALK", light), EngineAction("SWITCHON", light))
    if world.refusal(plan[0]) is not None:
        assert not succeeds(model, plan)
        assert without_idle_steps(model, plan) == plan


@given(st.integers(0, 30), st.integers(0, 1000))
def test_what_remains_succeeds_is_a_subsequence_and_needs_every_step(house: int, walk: int) -> None:
    world = World(Scene.from_graph(generate_house(house)), rules_named("clean"))
    rng = np.random.default_rng(walk)
    start = world.version
    plan = []
    for _ in range(12):
        actions = world.admissible()
        plan.append(actions[int(rng.integers(len(actions)))])
        world.act(plan[-1])
    states = [change for change in world.version.delta if change[0] == 2 * len(RELATIONS)]
    if not states:
        return
    _, state, old, new = states[-1]
    gained = new & ~old
    if not gained:
        return
    node = gained.bit_length() - 1
    world.restore(start)
    if world.having[state] >> node & 1:
        return  # what was so at the beginning never counts as new
    goal = ({"node": {"id": world.scene.ids[node]}, "state": world.scene.state_names[state], "new": True},)
    model = HomeModel(world, GoalCheck(goal, world))
    if not succeeds(model, plan):
        return
    short = without_idle_steps(model, plan)
    assert succeeds(model, short)
    remaining = iter(plan)
    assert all(action in remaining for action in short)
    assert all(not succeeds(model, short[:i] + short[i + 1 :]) for i in range(len(short)))
    assert world.version is start
