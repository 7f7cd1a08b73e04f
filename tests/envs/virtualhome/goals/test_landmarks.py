"""The order in which landmarks lead through a goal: what going on would undo counts last."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pathei.collectors.search.collector import MctsConfig, find_plan, household_search
from pathei.envs import contract
from pathei.envs.goal_space import goal_in_words
from pathei.envs.virtualhome.engine.profiles import rules_named
from pathei.envs.virtualhome.engine.rules import EngineAction
from pathei.envs.virtualhome.engine.scene import bits
from pathei.envs.virtualhome.engine.world import World
from pathei.envs.virtualhome.goals.check import GoalCheck
from pathei.envs.virtualhome.goals.landmarks import READY, TOO_EARLY, Landmarks
from pathei.envs.virtualhome.houses.scenes import load_scene
from pathei.experience import Goal, Task


def household(*conditions: Any) -> tuple[World, GoalCheck, Landmarks]:
    """A generated house and a goal in it."""
    rules = rules_named("clean")
    world = World(load_scene("house:0", rules), rules)
    check = GoalCheck(conditions, world)
    return world, check, Landmarks(check, world)


def do(world: World, *actions: tuple[str, str]) -> None:
    """Do actions with the first thing of a class; the rules allow each."""
    for verb, name in actions:
        nodes = world.scene.of_class[name]
        refusal = world.act(EngineAction(verb, (nodes & -nodes).bit_length() - 1 if verb != "STANDUP" else -1))
        assert refusal is None, refusal


def test_a_seat_counts_only_when_everything_else_is_done() -> None:
    """Sitting down first costs a little, since what is left to do needs standing up again."""
    sitting = {"node": {"class": "character"}, "state": "SITTING"}
    seated = {"from": {"class": "character"}, "relation": "ON", "to": {"class": "couch"}}
    done = {"node": {"class": "television"}, "state": "ON"}
    world, check, landmarks = household(sitting, seated, done)
    me = world.characters[0]

    def promise() -> float:
        return check.progress() + landmarks.potential(me)

    assert promise() == 0.0
    do(world, ("WALK", "couch"), ("SIT", "couch"))
    assert check.progress() > 0.6
    assert promise() == pytest.approx(-TOO_EARLY * 2 / 3)
    do(world, ("STANDUP", "couch"), ("WALK", "television"), ("SWITCHON", "television"))
    assert abs(promise() - 1 / 3) < 1e-9
    do(world, ("WALK", "couch"), ("SIT", "couch"))
    assert check.satisfied()
    assert abs(promise() - 1.0) < 1e-9


def test_a_lid_counts_only_when_everything_is_inside() -> None:
    """While something has to go into a fridge, to open it is a little better than to leave it shut."""
    shut = {"node": {"class": "fridge"}, "state": "CLOSED"}
    inside = {"from": {"class": "soap"}, "relation": "INSIDE", "to": {"class": "fridge"}}
    world, check, landmarks = household(shut, inside)
    me = world.characters[0]
    assert check.progress() + landmarks.potential(me) == pytest.approx(-TOO_EARLY / 2)
    do(world, ("WALK", "fridge"), ("OPEN", "fridge"))
    assert check.progress() == landmarks.potential(me) == 0.0


def test_each_of_many_things_is_worth_its_share_on_the_way() -> None:
    """Laying down one of several things is a gain, and two things in hand promise more than one."""
    world, check, landmarks = household(
        {"from": {"class": "pillow"}, "relation": "ON", "to": {"class": "dining_table"}, "count": "all"}
    )
    one, other = bits(world.scene.of_class["pillow"])
    table = next(iter(bits(world.scene.of_class["dining_table"])))
    promises = [0.0]
    for way in [("WALK", one), ("GRAB", one)], [("WALK", other), ("GRAB", other)], [("WALK", table)]:
        for verb, thing in way:
            assert world.act(EngineAction(verb, thing)) is None
        promises.append(check.progress() + landmarks.potential(world.characters[0]))
    for thing in (one, other):
        assert world.act(EngineAction("PUTBACK", thing, table)) is None
        promises.append(check.progress() + landmarks.potential(world.characters[0]))
    assert promises == pytest.approx([0.0, READY / 2, READY, READY, 0.5 + READY / 2, 1.0])


@pytest.mark.parametrize(
    ("goal", "house"),
    [("do the laundry", 7), ("do the laundry", 14), ("put all the cups and the glasses in the sink", 14)],
)
def test_goals_of_many_things_are_reached_best_first(goal: str, house: int) -> None:
    task = Task("many", "pathei/VirtualHome-v0", 0, Goal(""), {"scene": f"house:{house}", "rules": "clean"})
    env = contract.make(task)
    contract.reset(env, task)
    task = replace(task, goal=goal_in_words(env, task.env, goal))
    contract.reset(env, task)
    search = household_search(simulations=1, depth=60)
    found = find_plan(env.unwrapped.model(), MctsConfig(search), np.random.default_rng(0))
    assert found.result.success
    assert found.result.simulations == 0


def test_a_goal_of_seats_alone_is_as_it_is() -> None:
    """Where nothing else is asked for, what would come last counts at once."""
    world, check, landmarks = household({"node": {"class": "character"}, "state": "SITTING"})
    do(world, ("WALK", "couch"), ("SIT", "couch"))
    assert check.progress() + landmarks.potential(world.characters[0]) == 1.0
