"""Goals in words become conditions by remembered goals and by the environment's grammar."""

from __future__ import annotations

from typing import Any

import pytest

from pathei.agents.skills.goals import GoalReader
from pathei.envs.registry import get_verbalizer
from pathei.envs.verbalizer import plain
from pathei.experience import Goal
from pathei.memory.items import Draft
from pathei.tests.support.small_memory import SmallMemory

HOME = get_verbalizer("pathei/VirtualHome-v0")
ON: dict[str, Any] = {"state": "ON"}


def inside(thing: str, place: str) -> dict[str, Any]:
    return {"from": {"class": thing}, "relation": "INSIDE", "to": {"class": place}}


def remembered(**goals: list[dict[str, Any]]) -> SmallMemory:
    """Return a memory of episodes with these goals, by their words with underscores."""
    told = ((words.replace("_", " "), wanted) for words, wanted in goals.items())
    return SmallMemory(
        Draft("episode", f"Goal: {words}. It succeeded.", "", data={"wanted": wanted}, task=words)
        for words, wanted in told
    )


def test_an_agent_sees_a_goal_without_its_conditions() -> None:
    goal = Goal("turn on the lamp", ({"node": {"class": "lamp"}, "state": "ON"},))
    assert goal.seen() == Goal("turn on the lamp")
    assert goal.seen().seen() is not goal


MEMORY = remembered(
    microwave_the_bread=[inside("bread", "microwave"), {"node": {"class": "microwave"}, **ON}],
    store_the_bread_in_the_fridge=[inside("bread", "fridge"), {"node": {"class": "fridge"}, "state": "CLOSED"}],
    lay_two_forks_in_the_box=[{**inside("fork", "box"), "count": 2}],
)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("microwave the chicken", [inside("chicken", "microwave"), {"node": {"class": "microwave"}, **ON}]),
        (
            "store the milk and the juice in the fridge",
            [inside("milk", "fridge"), inside("juice", "fridge"), {"node": {"class": "fridge"}, "state": "CLOSED"}],
        ),
        ("lay three plates in the box", [{**inside("plate", "box"), "count": 3}]),
        ("store the towel from the bathroom in the box", [inside("towel", "box")]),
        ("turn on the radio", [{"node": {"class": "radio"}, **ON}]),
        ("dinner is near: put the plate (12) in the sink", [{**inside("", "sink"), "from": {"id": 12}}]),
        ("sing", []),
    ],
)
def test_words_become_conditions(words: str, wanted: list[dict[str, Any]]) -> None:
    assert list(GoalReader(HOME, MEMORY).read(words)) == wanted


def test_lived_goals_serve_where_the_environment_reads_nothing() -> None:
    memory = remembered(fetch_the_lamp=[inside("lamp", "box")])
    assert list(GoalReader(plain(), memory).read("fetch the rope", ["rope"])) == [inside("rope", "box")]
    assert GoalReader(plain()).read("fetch the rope", ["rope"]) == ()


@pytest.mark.parametrize(
    ("words", "whole"),
    [
        ("dinner is near: put the plate in the sink", True),
        ("hum, put the plate in the sink", False),
        ("put the plate in the sink", True),
        ("dance", True),
    ],
)
def test_a_reading_is_whole_or_empty_where_that_is_asked(words: str, whole: bool) -> None:
    assert bool(HOME.read_goal(words, whole=True)) == (whole and words != "dance")
    assert bool(HOME.read_goal(words)) == (words != "dance")


def test_what_later_words_undo_is_not_wanted() -> None:
    assert list(HOME.read_goal("get the apple from the fridge and put it in the box")) == [inside("apple", "box")]
    bagged = [inside("bread", "backpack"), {"node": {"class": "backpack"}, "state": "CLOSED"}]
    assert list(HOME.read_goal("put the bread in the backpack and close it")) == bagged


def switched(machine: str) -> list[dict[str, Any]]:
    return [{"node": {"class": machine}, "state": "CLOSED"}, {"node": {"class": machine}, **ON}]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("wash the glass, using the dishwasher", [inside("glass", "dishwasher"), *switched("dishwasher")]),
        ("roast the apple", [inside("apple", "oven"), *switched("oven")]),
        ("the backpack is needed in the kitchen", [inside("backpack", "kitchen")]),
        ("the phone rings: take the call", [{**inside("character", "phone"), "relation": "HOLDS"}]),
        (
            "switch off whatever is on of these: stove, radio",
            [{"node": {"class": name}, "state": "OFF", "count": "all"} for name in ("stove", "radio")],
        ),
    ],
)
def test_the_grammar_reads_what_words_mean_in_any_house(words: str, wanted: list[dict[str, Any]]) -> None:
    assert list(HOME.read_goal(words, whole=True)) == wanted


TITLED = remembered(
    **{
        "Pet cat: softly": [{"actions": ["TOUCH"]}],
        "Pet cat: slowly": [{"actions": ["TOUCH"]}],
        "Pet cat: quietly": [{"actions": ["GRAB"]}],
        "Work: go to the office and turn on the computer": [{"node": {"class": "computer"}, **ON}],
    }
)


def test_a_title_says_more_than_the_words_after_it_and_several_goals_vote() -> None:
    assert list(GoalReader(HOME, TITLED).read("Pet cat: gently")) == [{"actions": ["TOUCH"]}]


def test_things_of_the_same_purpose_stand_for_each_other_in_other_words() -> None:
    memory = remembered(cook_the_soup_in_the_pot_on_the_stove=[inside("soup", "pot"), inside("pot", "stove")])
    said = "make a hot meal of the chicken, with the pot on the stove"
    assert list(GoalReader(HOME, memory).read(said)) == [inside("chicken", "pot"), inside("pot", "stove")]


def test_a_goal_that_does_not_give_its_own_conditions_back_lends_nothing_to_other_things() -> None:
    words = "have the pie on the desk and the pillow on the couch"
    memory = remembered(**{words: [inside("pie", "desk"), inside("pillow", "couch")]})
    found = GoalReader(HOME, memory).remembered(words.replace("pie", "bread"))
    assert found is not None
    assert list(found.conditions) == [inside("pie", "desk"), inside("pillow", "couch")]
