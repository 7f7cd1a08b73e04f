"""Wishes in the imperative become conditions that can be checked."""

from __future__ import annotations

from typing import Any

import pytest

from pathei.envs.virtualhome.engine.profiles import rules_named
from pathei.envs.virtualhome.engine.scene import Scene
from pathei.envs.virtualhome.engine.world import World
from pathei.envs.virtualhome.goals.check import GoalCheck
from pathei.envs.virtualhome.houses.generate import generate_house
from pathei.envs.virtualhome.language.parse_goal import read_instruction
from pathei.errors import GoalError

SCENE = Scene.from_graph(generate_house(7))
RULES = rules_named("clean")
YOU = {"class": "character"}


@pytest.mark.parametrize(
    ("wish", "condition"),
    [
        ("turn on the table lamp", {"node": {"class": "table_lamp"}, "state": "ON"}),
        ("Switch the light off.", {"node": {"class": "light"}, "state": "OFF"}),
        ("open the fridge", {"node": {"class": "fridge"}, "state": "OPEN"}),
        ("put the plate in the sink", {"from": {"class": "plate"}, "relation": "INSIDE", "to": {"class": "sink"}}),
        (
            "put a plate on the dining table",
            {"from": {"class": "plate"}, "relation": "ON", "to": {"class": "dining_table"}},
        ),
        ("pick up a book", {"from": YOU, "relation": "HOLDS", "to": {"class": "book"}}),
        ("wash the plate", {"node": {"class": "plate"}, "state": "CLEAN"}),
        ("sit on the bed", {"from": YOU, "relation": "ON", "to": {"class": "bed"}}),
        ("go to the kitchen", {"from": YOU, "relation": "INSIDE", "to": {"class": "kitchen"}}),
        ("the fridge is open", {"node": {"class": "fridge"}, "state": "OPEN"}),
    ],
)
def test_a_wish_becomes_what_is_true_once_it_was_obeyed(wish: str, condition: dict[str, Any]) -> None:
    goal = read_instruction(wish, SCENE, RULES)
    assert goal.conditions == (condition,)
    assert goal.text == wish


REQUESTS = """\
make coffee
put all the books on the bookshelf
wash the dishes and put them away
turn off every light
swich on the table lamp
put the apple back in the fridge
watch tv
close the fridge and turn off the lights in the kitchen
bring the apple to the living room
make sure the television is off
I'd like the curtain closed, please
could you please turn the radio on
please close every window
make sure no light is on
turn the tv off and the floor lamp on
move the book from the desk to the bookshelf
throw the newspaper away
the lights in the living room should be off
there should be an apple on the dining table
shut all doors
take a nap"""


@pytest.mark.parametrize("wish", REQUESTS.split("\n"))
def test_natural_requests_are_understood(wish: str) -> None:
    scene = Scene.from_graph(generate_house(2))
    GoalCheck(read_instruction(wish, scene, RULES).conditions, World(scene, RULES))


def test_quantities_negation_and_going_to_bed_are_not_misread() -> None:
    scene = Scene.from_graph(generate_house(2))

    def read(wish: str) -> tuple[Any, ...]:
        return read_instruction(wish, scene, RULES).conditions

    edge = {"from": {"class": "plate"}, "relation": "ON", "to": {"class": "dining_table"}}
    assert read("put two plates on the dining table") == ({**edge, "count": 2},)
    assert read("don't turn on the television") == ({"not": {"node": {"class": "television"}, "state": "ON"}},)
    lying = {"node": YOU, "state": "LYING"}
    in_bed = {"from": YOU, "relation": "ON", "to": {"class": "bed"}}
    assert read("go to bed") == (in_bed, lying, {"done": {"verb": "SLEEP"}})


def test_several_wishes_are_several_conditions() -> None:
    goal = read_instruction("open the fridge, then take a plate and put a cup in the sink", SCENE, RULES)
    assert len(goal.conditions) == 3


@pytest.mark.parametrize(
    "wish", ["", "dance a tango", "turn on the dragon", "put it away", "open the fridge or the oven"]
)
def test_what_cannot_be_checked_is_refused_with_a_reason(wish: str) -> None:
    with pytest.raises(GoalError, match=r"\w+ .*\w"):
        read_instruction(wish, SCENE, RULES)
