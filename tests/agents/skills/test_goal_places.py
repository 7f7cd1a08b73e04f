"""Where goals in words say that their things are."""

from __future__ import annotations

import pytest

from pathei.agents.skills.goal_places import GoalPlaces
from pathei.envs.facts import Entity
from pathei.envs.virtualhome.verbalizer import HomeVerbalizer

HOME = HomeVerbalizer()
ROOMS = [Entity("kitchen", 1), Entity("bathroom", 2), Entity("living_room", 3), Entity("bedroom", 4)]
SEEN = "You are in the bedroom (4).\n- desk (50); on it: book (115), cup (104)\n- bed (45); on it: book (116)"


@pytest.mark.parametrize(
    ("goal", "kind", "rooms"),
    [
        ("turn on the light in the kitchen", "light", ["kitchen"]),
        ("bring the towel from the bathroom to the bedroom", "towel", ["bathroom"]),
        ("wash your hands at the bathroom sink", "sink", ["bathroom"]),
        ("clean the bathroom: floor and sink", "sink", ["bathroom"]),
        ("the plate from the kitchen and the plate from the living room", "plate", ["kitchen", "living_room"]),
        ("put the cup from the desk in the kitchen", "cup", []),
        ("put the cup (104) on the desk", "cup", []),
    ],
)
def test_rooms(goal: str, kind: str, rooms: list[str]) -> None:
    assert [room.kind for room in GoalPlaces(goal, HOME).rooms(kind, ROOMS)] == rooms


def test_spots() -> None:
    places = GoalPlaces("put the book from the desk on the shelf", HOME)
    assert places.names_spot("book", 115, SEEN)
    assert not places.names_spot("book", 116, SEEN)
    assert not places.names_spot("cup", 104, SEEN)
