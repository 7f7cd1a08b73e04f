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
    [("dinner is near: put the plate in the sink", False), ("put the plate in the sink", True), ("dance", True)],
)
def test_a_reading_is_whole_or_empty_where_that_is_asked(words: str, whole: bool) -> None:
    assert bool(HOME.read_goal(words, whole=True)) == (whole and words != "dance")
    assert bool(HOME.read_goal(words)) == (words != "dance")


def test_what_later_words_undo_is_not_wanted() -> None:
    assert list(HOME.read_goal("get the apple from the fridge and put it in the box")) == [inside("apple", "box")]
    bagged = [inside("bread", "backpack"), {"node": {"class": "backpack"}, "state": "CLOSED"}]
    assert list(HOME.read_goal("put the bread in the backpack and close it")) == bagged
