"""The rules `clean`: one test for each of their documented deviations from `v1`, in a house made for it.

Where the two differ, a test shows both, so the list in `docs/guide/envs/virtualhome_rules.md` is checked
on both sides. What holds in every state is tested in `test_world.py`.
"""

from typing import Any

import pytest

from pathei.envs.virtualhome.engine.profiles import rules_named
from pathei.envs.virtualhome.engine.rules import EngineAction
from pathei.envs.virtualhome.engine.scene import Scene
from pathei.envs.virtualhome.engine.vocabulary import RELATIONS
from pathei.envs.virtualhome.engine.world import World

KITCHEN, BEDROOM, CELLAR, ATTIC = 1, 2, 3, 4
DOOR, CELLAR_DOOR = 5, 6
ME, OTHER = 10, 11
TABLE, PLATE, APPLE, FRIDGE, BOX, CHEESE, CUP, WATER, BOWL = 20, 21, 22, 23, 24, 25, 26, 27, 28
BED, CHAIR, LAMP, SHIRT, BOTTLE, JUICE, BOOK, STOOL, TRAY = 30, 31, 32, 33, 34, 35, 36, 37, 38
LAUNDRY, WARDROBE, TELEVISION, KNIFE = 39, 40, 41, 42

NODES: list[tuple[int, str, str, str]] = [
    (KITCHEN, "kitchen", "", ""),
    (BEDROOM, "bedroom", "", ""),
    (CELLAR, "cellar", "", ""),
    (ATTIC, "attic", "", ""),
    (DOOR, "door", "CAN_OPEN", "OPEN"),
    (CELLAR_DOOR, "door", "CAN_OPEN", "CLOSED"),
    (ME, "character", "", ""),
    (OTHER, "character", "", ""),
    (TABLE, "table", "SURFACES", ""),
    (PLATE, "plate", "SURFACES GRABBABLE", ""),
    (APPLE, "apple", "EATABLE CUTTABLE GRABBABLE", ""),
    (FRIDGE, "fridge", "CAN_OPEN CONTAINERS HAS_SWITCH HAS_PLUG", "OPEN ON PLUGGED_IN"),
    (BOX, "box", "CAN_OPEN CONTAINERS GRABBABLE", "CLOSED"),
    (CHEESE, "cheese", "EATABLE GRABBABLE", ""),
    (CUP, "cup", "RECIPIENT GRABBABLE POURABLE", ""),
    (WATER, "water", "DRINKABLE POURABLE", ""),
    (BOWL, "bowl", "RECIPIENT GRABBABLE", ""),
    (BED, "bed", "SITTABLE LIEABLE SURFACES", ""),
    (CHAIR, "chair", "SITTABLE SURFACES GRABBABLE MOVABLE", ""),
    (LAMP, "lamp", "HAS_SWITCH HAS_PLUG", "ON PLUGGED_IN"),
    (SHIRT, "shirt", "CLOTHES GRABBABLE", ""),
    (BOTTLE, "bottle", "RECIPIENT CAN_OPEN GRABBABLE POURABLE", "CLOSED"),
    (JUICE, "juice", "DRINKABLE POURABLE GRABBABLE", ""),
    (BOOK, "book", "READABLE CAN_OPEN GRABBABLE", "CLOSED"),
    (STOOL, "stool", "SITTABLE SURFACES GRABBABLE", ""),
    (TRAY, "tray", "SURFACES GRABBABLE", ""),
    (LAUNDRY, "washing_machine", "CAN_OPEN CONTAINERS HAS_SWITCH", "OPEN ON"),
    (WARDROBE, "wardrobe", "CAN_OPEN CONTAINERS", "CLOSED"),
    (TELEVISION, "television", "LOOKABLE", ""),
    (KNIFE, "knife", "GRABBABLE", ""),
]
ROOM_OF = dict.fromkeys((BED, SHIRT, WARDROBE, TELEVISION), BEDROOM) | {STOOL: CELLAR, TRAY: ATTIC}
PLACES = [
    *((PLATE, "ON", TABLE), (APPLE, "ON", PLATE), (BOX, "INSIDE", FRIDGE), (CHEESE, "INSIDE", BOX)),
    *((CUP, "ON", TABLE), (WATER, "INSIDE", CUP), (BOWL, "ON", TABLE), (SHIRT, "ON", BED)),
    *((JUICE, "INSIDE", BOTTLE), (BOTTLE, "ON", TABLE), (BOOK, "ON", TABLE)),
    *((DOOR, "BETWEEN", KITCHEN), (DOOR, "BETWEEN", BEDROOM)),
    *((CELLAR_DOOR, "BETWEEN", CELLAR), (CELLAR_DOOR, "BETWEEN", KITCHEN)),
]


def graph() -> dict[str, Any]:
    """Kitchen and bedroom joined by an open door, a cellar behind a shut one, an attic without doors.

    Both characters are in the kitchen; the shut door is in the cellar.
    """
    keys = ("id", "class_name", "category", "properties", "states")
    rows = [(n, name, "Rooms" if n <= ATTIC else "Things", has.split(), in_.split()) for n, name, has, in_ in NODES]
    things = [number for number, *_ in NODES if number > ATTIC]
    rooms = {**dict.fromkeys(things, KITCHEN), **ROOM_OF, CELLAR_DOOR: CELLAR}
    edges = PLACES + [(number, "INSIDE", rooms[number]) for number in things]
    return {"nodes": [dict(zip(keys, row, strict=True)) for row in rows], "edges": [edge(*row) for row in edges]}


def edge(source: int, relation: str, target: int) -> dict[str, Any]:
    return {"from_id": source, "relation_type": relation, "to_id": target}


class Home:
    """A world in which tests act by ids."""

    def __init__(self, rules: str = "clean", house: dict[str, Any] | None = None) -> None:
        self.world = World(Scene.from_graph(house or graph()), rules_named(rules))
        if rules == "v1":  # which asks that everything was walked to or found once before; here that is of no interest
            for n in range(self.world.size):
                self.world.reach(n)

    def action(self, verb: str, *ids: int) -> EngineAction:
        """The grounded action."""
        return EngineAction(verb.upper(), *(self.world.scene.index[number] for number in ids))

    def refusal(self, verb: str, *ids: int, who: int = ME) -> str | None:
        """Why an action is not possible now, or None."""
        return self.world.refusal(self.action(verb, *ids), self.world.scene.index[who])

    def do(self, verb: str, *ids: int, who: int = ME) -> "Home":
        """Take an action that has to be possible."""
        says = self.world.act(self.action(verb, *ids), self.world.scene.index[who])
        assert says is None, f"{verb} {ids}: {says}"
        return self

    def where(self, number: int) -> set[tuple[str, int]]:
        """What a thing is in and on, and in whose hands."""
        ids = self.world.scene.ids
        return {
            (RELATIONS[r], ids[b if r < 2 else a])
            for a, r, b in self.world.edges()
            if (r < 2 and ids[a] == number) or (r in (5, 6) and ids[b] == number)
        }

    def states(self, number: int) -> set[str]:
        """The states that a thing is in."""
        return set(self.world.states_of(self.world.scene.index[number]))

    def listed(self, *ids: int, who: int = ME) -> set[str]:
        """The verbs with which something may be done now to exactly these nodes."""
        nodes = tuple(self.world.scene.index[number] for number in ids)
        found = self.world.admissible(self.world.scene.index[who])
        return {action.verb for action in found if tuple(n for n in action[1:] if n >= 0) == nodes}


# --- what is carried travels


def test_what_is_held_walks_along_with_all_that_is_on_and_in_it() -> None:
    home = Home().do("Walk", FRIDGE).do("Grab", BOX).do("Walk", BED)
    assert home.where(BOX) == {("INSIDE", BEDROOM), ("HOLDS_RH", ME)}
    assert home.where(CHEESE) == {("INSIDE", BEDROOM), ("INSIDE", BOX)}
    v1 = Home("v1").do("Walk", BOX).do("Grab", BOX).do("Walk", BED)
    assert v1.where(BOX) == {("INSIDE", KITCHEN), ("HOLDS_RH", ME)}
    assert v1.where(CHEESE) == {("INSIDE", KITCHEN)}


def test_a_nested_load_travels_through_several_rooms_and_is_put_down_whole() -> None:
    home = Home().do("Walk", PLATE).do("Grab", PLATE).do("Walk", CHAIR).do("PutBack", PLATE, CHAIR)
    home.do("Grab", CHAIR).do("Walk", BEDROOM).do("Walk", BED).do("PutBack", CHAIR, BED)
    assert home.where(CHAIR) == {("INSIDE", BEDROOM), ("ON", BED)}
    assert home.where(PLATE) == {("INSIDE", BEDROOM), ("ON", CHAIR)}
    assert home.where(APPLE) == {("INSIDE", BEDROOM), ("ON", PLATE)}


def test_what_is_worn_travels_and_comes_off_into_the_hand() -> None:
    home = Home().do("Walk", SHIRT).do("Grab", SHIRT).do("PutOn", SHIRT)
    assert home.where(SHIRT) == {("INSIDE", BEDROOM), ("ON", ME)}
    home.do("Walk", TABLE)
    assert home.where(SHIRT) == {("INSIDE", KITCHEN), ("ON", ME)}
    home.do("PutOff", SHIRT)
    assert home.where(SHIRT) == {("INSIDE", KITCHEN), ("HOLDS_RH", ME)}
    v1 = Home("v1").do("Walk", SHIRT).do("Grab", SHIRT).do("PutOn", SHIRT).do("Walk", TABLE).do("PutOff", SHIRT)
    assert v1.where(SHIRT) == {("INSIDE", BEDROOM)}


def test_putting_off_needs_a_free_hand() -> None:
    home = Home().do("Walk", SHIRT).do("Grab", SHIRT).do("PutOn", SHIRT).do("Walk", TABLE)
    home.do("Grab", CUP).do("Grab", BOWL)
    assert home.refusal("PutOff", SHIRT) == "both hands are full"


def test_what_is_dropped_lies_in_this_room_and_in_no_other() -> None:
    home = Home().do("Walk", TABLE).do("Grab", CUP).do("Walk", BED).do("Drop", CUP)
    assert home.where(CUP) == {("INSIDE", BEDROOM)}
    assert home.where(WATER) == {("INSIDE", BEDROOM), ("INSIDE", CUP)}
    v1 = Home("v1").do("Walk", TABLE).do("Grab", CUP).do("Walk", BED).do("Drop", CUP)
    assert v1.where(CUP) == {("INSIDE", BEDROOM), ("INSIDE", KITCHEN)}


def test_what_a_graph_puts_into_a_hand_and_into_no_room_is_dropped_into_the_room() -> None:
    held = graph()
    held["edges"] = [e for e in held["edges"] if e["from_id"] != KNIFE]
    held["edges"].append(edge(ME, "HOLDS_RH", KNIFE))
    home = Home(house=held)
    assert home.do("Drop", KNIFE).where(KNIFE) == {("INSIDE", KITCHEN)}


def test_what_is_put_somewhere_is_in_that_room_only() -> None:
    home = Home().do("Walk", TABLE).do("Grab", CUP).do("Walk", BED).do("PutBack", CUP, BED)
    assert home.where(CUP) == {("INSIDE", BEDROOM), ("ON", BED)}
    v1 = Home("v1").do("Walk", TABLE).do("Grab", CUP).do("Walk", BED).do("PutBack", CUP, BED)
    assert ("INSIDE", KITCHEN) in v1.where(CUP)


# --- walking, doors


def test_a_shut_door_bars_the_way_and_is_named() -> None:
    home = Home()
    assert home.refusal("Walk", STOOL) == "door (6) on the way to stool (37) is closed"
    home.do("Walk", CELLAR_DOOR).do("Open", CELLAR_DOOR).do("Walk", STOOL)
    assert home.where(ME) == {("INSIDE", CELLAR)}


def test_one_walks_to_ones_own_side_of_a_door() -> None:
    home = Home().do("Walk", CELLAR_DOOR)
    assert home.where(ME) == {("INSIDE", KITCHEN)}
    v1 = Home("v1").do("Walk", CELLAR_DOOR)
    assert v1.where(ME) == {("INSIDE", CELLAR)}, "through the shut door, since the graph says that it is in the cellar"


def test_a_door_that_is_several_rooms_away_is_walked_to_from_the_near_side() -> None:
    home = Home().do("Walk", BED).do("Walk", CELLAR_DOOR)
    assert home.where(ME) == {("INSIDE", KITCHEN)}
    assert home.listed(CELLAR_DOOR) >= {"OPEN", "TOUCH", "TURNTO"}


def test_a_room_without_doors_is_open_to_all_sides() -> None:
    home = Home().do("Walk", TRAY)
    assert home.where(ME) == {("INSIDE", ATTIC)}
    assert home.do("Walk", TABLE).where(ME) == {("INSIDE", KITCHEN)}
    assert Home("v1").refusal("Walk", TRAY) == "no way leads to tray (38)"


def test_one_does_not_walk_to_oneself_or_to_what_one_carries() -> None:
    home = Home().do("Walk", TABLE).do("Grab", PLATE)
    for number in (ME, PLATE, APPLE):
        assert home.refusal("Walk", number) is not None
    assert Home("v1").do("Walk", TABLE).do("Grab", PLATE).refusal("Walk", PLATE) is None


def test_find_walks_unless_the_thing_is_in_reach_and_then_faces_it() -> None:
    home = Home().do("Find", LAMP)
    version = home.world.version
    assert home.refusal("LookAt", LAMP) is None
    assert home.do("Find", LAMP).world.version is version, "nothing is left to do"
    assert Home("v1").do("Find", LAMP).refusal("LookAt", LAMP) == "you are not facing lamp (32)"


# --- reach


def test_reach_is_what_one_walked_to_what_it_stands_on_and_what_is_on_it() -> None:
    home = Home().do("Walk", PLATE)
    assert all("TOUCH" in home.listed(number) for number in (PLATE, TABLE, APPLE, CUP))
    assert home.refusal("Touch", LAMP) == "lamp (32) is not within reach"


def test_reach_includes_what_is_openly_inside_and_not_what_is_inside_that() -> None:
    home = Home().do("Walk", FRIDGE)
    assert "GRAB" in home.listed(BOX)
    assert home.listed(CHEESE) == set()
    home.do("Open", BOX)
    assert home.refusal("Touch", CHEESE) == "cheese (25) is not within reach"
    assert "TOUCH" in home.do("Walk", BOX).listed(CHEESE)


def test_closeness_is_not_handed_on_by_things_and_rooms() -> None:
    linked = graph()
    for a, b in ((TABLE, LAMP), (LAMP, KNIFE)):
        linked["edges"] += [edge(a, "CLOSE", b), edge(b, "CLOSE", a)]
    home = Home(house=linked).do("Walk", TABLE)
    assert "TOUCH" in home.listed(LAMP), "a neighbour of what one walked to"
    assert home.refusal("Touch", KNIFE) == "knife (42) is not within reach"
    assert "TOUCH" in Home("v1", linked).do("Walk", TABLE).do("Find", LAMP).listed(KNIFE), "and its neighbour"


def test_nothing_needs_to_have_been_walked_to_in_this_episode() -> None:
    close = graph()
    close["edges"] += [edge(ME, "CLOSE", LAMP), edge(LAMP, "CLOSE", ME)]
    refusals = [
        World(Scene.from_graph(close), rules_named(name)).refusal(Home().action("SwitchOff", LAMP))
        for name in ("clean", "v1")
    ]
    assert refusals == [None, "lamp (32) has to be walked to or found first"]


# --- what is shut away


def test_what_is_in_an_open_box_in_a_closed_fridge_is_out_of_the_world() -> None:
    home = Home().do("Walk", FRIDGE).do("Open", BOX).do("Walk", BOX).do("Close", FRIDGE)
    for number in (BOX, CHEESE):
        assert home.listed(number) == set()
        assert "inside something closed" in str(home.refusal("Walk", number))
    v1 = Home("v1").do("Walk", BOX).do("Open", BOX).do("Walk", CHEESE).do("Walk", FRIDGE).do("Close", FRIDGE)
    assert {"GRAB", "TOUCH"} <= v1.do("Walk", CHEESE).listed(CHEESE), "one level only is looked at"


def test_what_is_shut_away_or_elsewhere_cannot_be_seen_or_faced() -> None:
    home = Home().do("Walk", FRIDGE).do("Close", FRIDGE)
    assert home.refusal("TurnTo", BOX) == "you do not see box (24) here"
    assert home.refusal("TurnTo", TELEVISION) == "you do not see television (41) here"
    assert {"TURNTO"} <= Home("v1").listed(CHEESE) & Home("v1").listed(TELEVISION)


def test_what_is_shut_away_is_not_eaten_drunk_or_poured() -> None:
    home = Home().do("Walk", FRIDGE)
    assert "EAT" not in home.listed(FRIDGE), "the cheese is in the closed box"
    home.do("Open", BOX)
    assert "EAT" in home.listed(FRIDGE)
    home.do("Close", FRIDGE)
    assert "EAT" not in home.listed(FRIDGE)
    home.do("Walk", TABLE).do("Grab", BOTTLE)
    assert home.refusal("Drink", BOTTLE) is not None
    assert home.refusal("Pour", BOTTLE, BOWL) is not None
    home.do("Open", BOTTLE)
    assert home.refusal("Drink", BOTTLE) is None
    assert home.refusal("Pour", BOTTLE, BOWL) is None


def test_nothing_is_poured_into_what_is_closed() -> None:
    home = Home().do("Walk", TABLE).do("Grab", CUP)
    assert home.refusal("Pour", CUP, BOTTLE) == "bottle (34) is closed"
    assert Home("v1").do("Walk", TABLE).do("Grab", CUP).refusal("Pour", CUP, BOTTLE) is None


# --- nothing contains itself


@pytest.mark.parametrize("destination", [PLATE, APPLE])
def test_nothing_is_put_onto_itself_or_onto_what_it_carries(destination: int) -> None:
    home = Home().do("Walk", TABLE).do("Grab", PLATE)
    assert home.refusal("PutBack", PLATE, destination) is not None
    assert home.listed(PLATE, destination) == set()
    v1 = Home("v1").do("Walk", TABLE).do("Grab", PLATE)
    assert v1.refusal("PutBack", PLATE, PLATE) is None


def test_nothing_is_put_into_or_poured_into_itself() -> None:
    home = Home().do("Walk", TABLE).do("Grab", CUP)
    assert home.refusal("PutIn", CUP, CUP) == "cup (26) cannot be put into or onto itself"
    assert home.refusal("Pour", CUP, CUP) == "cup (26) cannot be put into or onto itself"
    v1 = Home("v1").do("Walk", TABLE).do("Grab", CUP)
    assert v1.refusal("PutIn", CUP, CUP) is None


def test_a_box_does_not_go_into_a_box_that_is_in_it() -> None:
    home = Home().do("Walk", FRIDGE).do("Grab", BOX).do("Open", BOX).do("Walk", TABLE).do("Grab", BOTTLE)
    home.do("PutIn", BOTTLE, BOX)
    assert home.refusal("PutIn", BOX, BOTTLE) is not None


# --- taking and putting


def test_grabbing_takes_along_what_is_on_and_in_a_thing() -> None:
    home = Home().do("Walk", TABLE).do("Grab", CUP)
    assert home.where(WATER) == {("INSIDE", KITCHEN), ("INSIDE", CUP)}
    assert Home("v1").do("Walk", TABLE).do("Grab", CUP).where(WATER) == {("INSIDE", KITCHEN)}


def test_what_is_in_one_hand_is_not_taken_into_the_other() -> None:
    home = Home().do("Walk", TABLE).do("Grab", CUP)
    assert home.refusal("Grab", CUP) == "cup (26) is in somebody's hands, or worn"
    assert Home("v1").do("Walk", TABLE).do("Grab", CUP).refusal("Grab", CUP) is None


def test_what_another_holds_or_wears_is_not_taken() -> None:
    home = Home().do("Walk", SHIRT, who=OTHER).do("Grab", SHIRT, who=OTHER).do("PutOn", SHIRT, who=OTHER)
    home.do("Walk", TABLE, who=OTHER).do("Grab", CUP, who=OTHER).do("Walk", TABLE).do("Walk", OTHER)
    for number in (CUP, SHIRT):
        assert home.refusal("Grab", number) is not None
        assert "GRAB" not in home.listed(number)
    home.do("PutBack", CUP, TABLE, who=OTHER).do("Walk", TABLE).do("Grab", CUP)
    assert home.where(CUP) == {("INSIDE", KITCHEN), ("HOLDS_RH", ME)}


def test_a_seat_is_not_taken_from_under_somebody() -> None:
    home = Home().do("Walk", CHAIR).do("Walk", CHAIR, who=OTHER).do("Sit", CHAIR, who=OTHER)
    assert home.refusal("Grab", CHAIR) == "somebody is on chair (31)"
    assert home.do("StandUp", who=OTHER).refusal("Grab", CHAIR) is None


def test_nor_is_what_the_seat_stands_on() -> None:
    home = Home().do("Walk", TRAY).do("Grab", TRAY).do("Walk", CHAIR).do("Drop", TRAY)
    home.do("Grab", CHAIR).do("Walk", TRAY).do("PutBack", CHAIR, TRAY).do("Sit", CHAIR)
    assert home.refusal("Grab", TRAY) == "somebody is on tray (38)"
    assert "GRAB" not in home.listed(TRAY)


def test_one_does_not_sit_on_what_somebody_carries() -> None:
    home = Home().do("Walk", TRAY).do("Grab", TRAY).do("Walk", CHAIR).do("Grab", CHAIR).do("PutBack", CHAIR, TRAY)
    home.do("Walk", ME, who=OTHER)
    for who in (ME, OTHER):
        assert home.refusal("Sit", CHAIR, who=who) is not None
        assert "SIT" not in home.listed(CHAIR, who=who)


def test_things_are_put_on_surfaces_only() -> None:
    home = Home().do("Walk", CHAIR).do("Walk", TABLE).do("Grab", CUP)
    assert home.refusal("PutBack", CUP, BOTTLE) == "nothing can be put on bottle (34)"
    assert Home("v1").do("Walk", TABLE).do("Grab", CUP).refusal("PutBack", CUP, BOTTLE) is None


def test_things_are_put_into_containers_only() -> None:
    home = Home().do("Walk", PLATE).do("Grab", APPLE)
    for number in (TABLE, BOOK, PLATE):
        assert home.refusal("PutIn", APPLE, number) is not None
    assert Home("v1").do("Walk", APPLE).do("Grab", APPLE).do("Walk", TABLE).refusal("PutIn", APPLE, TABLE) is None


def test_putting_back_returns_a_thing_to_where_it_was_on_or_in() -> None:
    home = Home().do("Walk", PLATE).do("Grab", APPLE).do("Walk", BED)
    assert home.refusal("PutObjBack", APPLE) == "plate (21) is not within reach"
    home.do("Walk", PLATE).do("PutObjBack", APPLE)
    assert home.where(APPLE) == {("INSIDE", KITCHEN), ("ON", PLATE)}
    assert home.do("Walk", KNIFE).do("Grab", KNIFE).refusal("PutObjBack", KNIFE) is not None, "it was near things only"


# --- liquids, machines


def test_pouring_moves_what_is_in_the_vessel_and_keeps_the_vessel_in_hand() -> None:
    home = Home().do("Walk", TABLE).do("Grab", CUP).do("Pour", CUP, BOWL)
    assert home.where(CUP) == {("INSIDE", KITCHEN), ("HOLDS_RH", ME)}
    assert home.where(WATER) == {("INSIDE", KITCHEN), ("INSIDE", BOWL)}
    assert home.refusal("Pour", CUP, BOWL) == "there is nothing in cup (26) to pour"
    v1 = Home("v1").do("Walk", TABLE).do("Grab", CUP).do("Pour", CUP, BOWL)
    assert v1.where(CUP) == {("INSIDE", KITCHEN), ("HOLDS_RH", ME), ("INSIDE", BOWL)}


def test_pouring_a_liquid_from_the_hand_leaves_it_in_the_vessel_only() -> None:
    home = (
        Home().do("Walk", TABLE).do("Grab", BOTTLE).do("Open", BOTTLE).do("Walk", TABLE).do("Walk", BOTTLE, who=OTHER)
    )
    home.do("PutBack", BOTTLE, TABLE).do("Grab", JUICE).do("Pour", JUICE, BOWL)
    assert home.where(JUICE) == {("INSIDE", KITCHEN), ("INSIDE", BOWL)}


def test_drinking_needs_something_to_drink() -> None:
    home = Home().do("Walk", TABLE).do("Grab", CUP)
    assert home.refusal("Drink", CUP) is None
    home.do("Pour", CUP, BOWL)
    assert home.refusal("Drink", CUP) == "there is nothing drinkable in or on cup (26)"
    assert Home("v1").do("Walk", TABLE).do("Grab", CUP).refusal("Drink", CUP) is None


def test_one_eats_from_a_bowl_as_from_a_plate() -> None:
    home = Home().do("Walk", PLATE).do("Grab", APPLE).do("Walk", TABLE).do("PutIn", APPLE, BOWL)
    assert home.refusal("Eat", BOWL) is None
    v1 = Home("v1").do("Walk", APPLE).do("Grab", APPLE).do("Walk", TABLE).do("PutIn", APPLE, BOWL)
    assert v1.refusal("Eat", BOWL) == "there is nothing to eat on bowl (28)"


def test_a_pulled_plug_switches_off() -> None:
    home = Home().do("Walk", LAMP).do("PlugOut", LAMP)
    assert home.states(LAMP) == {"OFF", "PLUGGED_OUT"}
    assert home.refusal("SwitchOn", LAMP) == "lamp (32) is unplugged"
    home.do("PlugIn", LAMP).do("SwitchOn", LAMP)
    assert home.states(LAMP) == {"ON", "PLUGGED_IN"}
    assert Home("v1").do("Walk", LAMP).do("PlugOut", LAMP).states(LAMP) == {"ON", "PLUGGED_OUT"}


def test_a_running_fridge_opens_and_a_running_machine_does_not() -> None:
    home = Home().do("Walk", FRIDGE).do("Close", FRIDGE).do("Open", FRIDGE)
    home.do("Walk", LAUNDRY).do("Close", LAUNDRY)
    assert home.refusal("Open", LAUNDRY) == "washing machine (39) is running"
    assert Home("v1").do("Walk", FRIDGE).do("Close", FRIDGE).refusal("Open", FRIDGE) == "fridge (23) is running"


# --- postures


@pytest.mark.parametrize(("verb", "state"), [("Sit", "SITTING"), ("Lie", "LYING")])
def test_standing_up_undoes_sitting_and_lying_down(verb: str, state: str) -> None:
    home = Home().do("Walk", BED)
    before = home.where(ME), home.states(ME)
    home.do(verb, BED)
    assert home.states(ME) == {state}
    assert home.where(ME) == {("INSIDE", BEDROOM), ("ON", BED)}
    assert home.refusal("Walk", TABLE) == "you have to stand up first"
    assert home.refusal("Sleep") is None
    home.do("StandUp")
    assert (home.where(ME), home.states(ME)) == before
    v1 = Home("v1").do("Walk", BED).do(verb, BED).do("StandUp")
    assert v1.where(ME) == {("INSIDE", BEDROOM), ("ON", BED)}, "it stays on the bed for ever"


def test_one_stands_up_before_lying_down_elsewhere() -> None:
    home = Home().do("Walk", BED).do("Sit", BED)
    assert home.refusal("Lie", BED) == "you have to stand up first"
    assert Home("v1").do("Walk", BED).do("Sit", BED).refusal("Lie", BED) is None


def test_only_people_take_up_a_seat() -> None:
    home = Home().do("Walk", TABLE).do("Grab", CUP).do("Walk", CHAIR).do("PutBack", CUP, CHAIR)
    assert home.refusal("Sit", CHAIR) is None
    home.do("Walk", CHAIR, who=OTHER).do("Sit", CHAIR, who=OTHER)
    assert home.refusal("Sit", CHAIR) == "there is no place left on chair (31)"
    v1 = Home("v1").do("Walk", TABLE).do("Grab", CUP).do("Walk", CHAIR).do("PutBack", CUP, CHAIR)
    assert v1.refusal("Sit", CHAIR) == "there is no place left on chair (31)"


# --- several characters


def test_people_greet_each_other_and_not_themselves() -> None:
    home = Home()
    assert home.refusal("Greet", OTHER) is None
    assert home.refusal("Greet", ME) is not None
    assert Home("v1").refusal("Greet", OTHER) == "character (11) is not person"


def test_what_is_carried_away_is_out_of_everybodys_reach() -> None:
    home = Home().do("Walk", PLATE).do("Walk", PLATE, who=OTHER).do("Grab", PLATE).do("Walk", BED)
    for number in (PLATE, APPLE):
        assert "not within reach" in str(home.refusal("Touch", number, who=OTHER))
