"""The order in which landmarks lead through a goal: what going on would undo counts last."""

from typing import Any

from pathei.envs.virtualhome.engine.profiles import rules_named
from pathei.envs.virtualhome.engine.rules import EngineAction
from pathei.envs.virtualhome.engine.world import World
from pathei.envs.virtualhome.goals.check import GoalCheck
from pathei.envs.virtualhome.goals.landmarks import Landmarks
from pathei.envs.virtualhome.houses.scenes import load_scene


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
    """Sitting down first promises nothing, since what is left to do needs standing up again."""
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
    assert abs(promise()) < 1e-9
    do(world, ("STANDUP", "couch"), ("WALK", "television"), ("SWITCHON", "television"))
    assert abs(promise() - 1 / 3) < 1e-9
    do(world, ("WALK", "couch"), ("SIT", "couch"))
    assert check.satisfied()
    assert abs(promise() - 1.0) < 1e-9


def test_a_lid_counts_only_when_everything_is_inside() -> None:
    """A fridge that is shut at the beginning is no reason to leave it shut while something has to go in."""
    shut = {"node": {"class": "fridge"}, "state": "CLOSED"}
    inside = {"from": {"class": "soap"}, "relation": "INSIDE", "to": {"class": "fridge"}}
    world, check, landmarks = household(shut, inside)
    before = check.progress() + landmarks.potential(world.characters[0])
    do(world, ("WALK", "fridge"), ("OPEN", "fridge"))
    assert check.progress() == 0.0
    assert before == check.progress() + landmarks.potential(world.characters[0])


def test_a_goal_of_seats_alone_is_as_it_is() -> None:
    """Where nothing else is asked for, what would come last counts at once."""
    world, check, landmarks = household({"node": {"class": "character"}, "state": "SITTING"})
    do(world, ("WALK", "couch"), ("SIT", "couch"))
    assert check.progress() + landmarks.potential(world.characters[0]) == 1.0
