"""Conditions of the Minecraft world are read, written, said and measured; other spellings of actions are understood."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.envs.facts import Action, FactGraph
from pathei.envs.minecraft.actions import normalise
from pathei.envs.minecraft.goals import COUNTED, MinecraftGoal, read_goal, say_goals, write_goal
from pathei.envs.minecraft.graph import possible, say
from pathei.envs.minecraft.tasks import generate_tasks
from pathei.envs.minecraft.verbalizer import MinecraftVerbalizer
from pathei.errors import GoalError

SEEN = {"inventory": {"oak_log": 2, "birch_log": 1}, "stats": {"crafted": {"stick": 8}}, "position": [3.0, 40.0, 4.0],
        "biome": "forest", "alive": 50_000, "worn": [None, "iron_boots"]}  # fmt: skip
BEGUN = {**SEEN, "position": [0.0, 60.0, 0.0]}
COUNTED_GOALS = st.builds(
    MinecraftGoal, st.sampled_from(COUNTED), st.sampled_from(["stick", "oak_log", "log"]), st.integers(1, 99)
)
PLACES = st.builds(MinecraftGoal, st.sampled_from(["depth", "distance"]), st.just(""), st.integers(1, 60))


@given(COUNTED_GOALS | PLACES | st.builds(MinecraftGoal, st.just("biome"), st.just("taiga"), st.just(1)))
def test_what_is_written_is_read_again(goal: MinecraftGoal) -> None:
    assert read_goal(write_goal(goal)) == goal


@pytest.mark.parametrize(
    ("condition", "far"),
    [
        ({"inventory": "log", "count": 6}, 0.5),
        ({"inventory": "oak_log", "count": 2}, 1.0),
        ({"crafted": "stick", "count": 16}, 0.5),
        ({"killed": "cow"}, 0.0),
        ({"reached": {"biome": "forest"}}, 1.0),
        ({"reached": {"depth": 20}}, 0.5),
        ({"reached": {"distance": 10}}, 0.5),
        ({"survived": "day", "count": 2}, 1.0),
        ({"used": "iron_boots"}, 1.0),
        ({"used": "stone_axe"}, 0.0),
        ({"inventory": "stick|birch_log", "count": 2}, 0.5),
        ({"from": {"class": "character"}, "relation": "HOLDS", "to": {"class": "oak_log"}}, 1.0),
        ({"node": {"class": "stick"}, "state": "CRAFTED"}, 1.0),
    ],
)
def test_a_condition_says_how_far_it_is(condition: dict[str, Any], far: float) -> None:
    assert read_goal(condition).measure(SEEN, BEGUN) == far


@pytest.mark.parametrize(
    "condition",
    [
        {}, {"have": "stick"}, {"crafted": "stick", "count": 0}, {"crafted": ""}, {"crafted": "stick", "killed": "cow"},
        {"reached": {"far": 3}}, {"reached": {"distance": 0}}, {"crafted": "stick", "count": "3"},
        {"node": {"class": "stick"}, "state": "OPEN"},
    ],
)  # fmt: skip
def test_a_malformed_condition_is_refused_in_a_sentence(condition: dict[str, Any]) -> None:
    with pytest.raises(GoalError, match="Minecraft world"):
        read_goal(condition)


def test_tasks_say_what_they_ask_for() -> None:
    tasks = generate_tasks(60, 5)
    assert tasks == generate_tasks(60, 5)
    for task in tasks:
        assert task.goal.text == say_goals([read_goal(one) for one in task.goal.conditions])
    assert len({task.goal.text for task in tasks}) > 12


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Craft 4 Oak Planks.", "craft 4 oak_planks"),
        ("mine  a minecraft:stone", "mine stone"),
        ("Place the crafting table", "place crafting_table"),
        ("kill 1 zombie", "kill zombie"),
        ("explore North!", "explore north"),
        ("go to 1 2 -3", "go to 1 2 -3"),
    ],
)
def test_other_spellings_are_understood(said: str, meant: str) -> None:
    assert normalise(said) == meant


def test_actions_are_taken_apart_and_said_in_sentences() -> None:
    words = MinecraftVerbalizer()
    mined, explored = words.read_action("mine 3 oak_log"), words.read_action("explore north")
    crafted = words.read_action("craft oak_log")
    assert mined is not None
    assert crafted is not None
    assert (mined.verb, mined.names, mined.number) == ("MINE", ("oak_log",), 3)
    assert mined.ids == crafted.ids
    assert explored == Action("EXPLORE_NORTH", (), ())
    assert words.read_action("<char1> mine 3 oak_log") == mined
    assert words.say_action(mined) == "Mine the oak log."
    assert words.read_action(" ") is None


def test_an_agent_reads_in_words_what_the_world_offers_and_how_much_of_it() -> None:
    words = MinecraftVerbalizer()
    nothing = FactGraph.of_facts(frozenset(), {}, [], [])
    for condition in possible(nothing):
        assert words.read_goal(say(condition, nothing), whole=True) == (condition,)
    found = words.read_goal("Mine 3 oak logs, then craft a crafting table and kill two zombies.", whole=True)
    assert [read_goal(one) for one in found] == [
        MinecraftGoal("inventory", "oak_log", 3),
        MinecraftGoal("crafted", "crafting_table", 1),
        MinecraftGoal("killed", "zombie", 2),
    ]
    assert [read_goal(one).thing for one in words.read_goal("Mine an oak log and sing.")] == ["oak_log"]
    assert words.read_goal("Mine an oak log and sing.", whole=True) == ()
