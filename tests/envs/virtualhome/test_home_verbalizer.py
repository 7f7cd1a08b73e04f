"""The household's words: read from the observation what was written there, split its tasks, read instructions."""

from typing import Any

import gymnasium
import numpy as np
import pytest

from pathei.envs.facts import Action, FactGraph
from pathei.envs.registry import get_env
from pathei.envs.verbalizer import is_unseen_activity
from pathei.envs.virtualhome.engine.places import room_of
from pathei.envs.virtualhome.engine.preconditions import CLOSED
from pathei.envs.virtualhome.engine.scene import bits
from pathei.envs.virtualhome.language.observation import visible
from pathei.envs.virtualhome.verbalizer import HomeVerbalizer, is_unseen_house
from pathei.errors import GoalError
from pathei.experience import Observation

HOME = HomeVerbalizer()


@pytest.mark.parametrize("seed", range(4))
def test_surroundings_are_those_of_the_world(seed: int) -> None:
    """On a random walk: the room, the other rooms, full hands, and what is closed in view."""
    env: Any = gymnasium.make("pathei/VirtualHome-v0")
    rng = np.random.default_rng(seed)
    text, info = env.reset(seed=seed)
    world = env.unwrapped.world
    me, ids = world.characters[0], world.scene.ids
    for _ in range(40):
        seen = HOME.surroundings(Observation(text))
        room = room_of(world, me)
        assert (None if seen.here is None else seen.here.id) == (None if room is None else ids[room])
        assert {one.id for one in seen.rooms} == {ids[n] for n in bits(world.scene.rooms)} - {ids[room or 0]}
        assert seen.holding == bool(world.held(me))
        closed = {ids[n] for n in bits(visible(world, me) & world.having[CLOSED])}
        assert {one.id for one in seen.closed} <= closed
        assert all(world.scene.classes[world.scene.index[one.id]] == one.kind for one in (*seen.rooms, *seen.closed))
        text, _, _, _, info = env.step(str(rng.choice(np.array(info["actions"], dtype=object))))


def test_tasks_are_split_by_activity_and_house() -> None:
    """Every combination, by the rule that corpora use."""
    spec = get_env("virtualhome")
    for activities in ("seen", "unseen"):
        for scenes in ("train", "test"):
            for task in spec.generate_split(12, 3, activities=activities, scenes=scenes):  # type: ignore[arg-type]
                assert is_unseen_activity(HOME.activity(task) or "") == (activities == "unseen")
                assert HOME.is_unseen_scene(task) == is_unseen_house(HOME.scene(task)) == (scenes == "test")


def test_plain_english_is_read_where_names_are_unambiguous() -> None:
    """With a graph; without one only script lines."""
    graph = FactGraph({"nodes": [[1, "cup", []], [2, "dining_table", []], [3, "chair", []], [4, "chair", []]],
                       "edges": [], "rooms": [], "characters": []})  # fmt: skip
    assert HOME.read_action("put the cup on the dining table", graph) == Action(
        "PUTBACK", ("cup", "dining_table"), (1, 2)
    )
    assert HOME.read_action("sit on the chair", graph) is None
    assert HOME.read_action("sit on the chair (4)", graph) == Action("SIT", ("chair",), (4,))
    assert HOME.read_action("put the cup on the dining table") is None


def test_instructions_become_goals() -> None:
    """About the things of the house that the environment stands in."""
    env: Any = gymnasium.make("pathei/VirtualHome-v0")
    env.reset(seed=0, options={"scene": "house:7"})
    goal = HOME.read_instruction(env, "open the fridge")
    assert goal is not None
    assert goal.conditions == ({"node": {"class": "fridge"}, "state": "OPEN"},)
    with pytest.raises(GoalError):
        HOME.read_instruction(env, "open the spaceship")
