"""Wishes in the imperative become conditions that can be checked."""

from __future__ import annotations

from typing import Any

import pytest

from pathei.envs.virtualhome.engine.profiles import rules_named
from pathei.envs.virtualhome.engine.scene import Scene
from pathei.envs.virtualhome.houses.generate import generate_house
from pathei.envs.virtualhome.language.parse_instruction import read_instruction
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


def test_several_wishes_are_several_conditions() -> None:
    goal = read_instruction("open the fridge, then take a plate and put a cup in the sink", SCENE, RULES)
    assert len(goal.conditions) == 3


@pytest.mark.parametrize("wish", ["", "dance a tango", "turn on the dragon", "read a book"])
def test_what_cannot_be_checked_is_refused_with_a_reason(wish: str) -> None:
    with pytest.raises(GoalError, match=r"\w+ .*\w"):
        read_instruction(wish, SCENE, RULES)
