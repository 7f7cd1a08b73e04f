"""Wishes in the imperative become conditions that can be checked."""

from __future__ import annotations

from typing import Any

import pytest

from pathei.envs.virtualhome.engine.profiles import rules_named
from pathei.envs.virtualhome.engine.rules import EngineAction
from pathei.envs.virtualhome.engine.scene import Scene
from pathei.envs.virtualhome.engine.vocabulary import ON
from pathei.envs.virtualhome.engine.world import World
from pathei.envs.virtualhome.goals.check import GoalCheck
from pathei.envs.virtualhome.houses.generate import generate_house
from pathei.envs.virtualhome.language.grammar.nouns import beginning, find_one, present, read_noun
from pathei.envs.virtualhome.language.grammar.sentences import read_instruction
from pathei.errors import GoalError

SCENE = Scene.from_graph(generate_house(7))
RULES = rules_named("clean")
YOU = {"class": "character"}


@pytest.mark.parametrize(
    ("wish", "condition"),
    [
        ("turn on the table lamp", {"node": {"class": "table_lamp"}, "state": "ON"}),
        ("Switch the television on.", {"node": {"class": "television"}, "state": "ON"}),
        ("open the fridge", {"node": {"class": "fridge"}, "state": "OPEN"}),
        ("put a plate in the sink", {"from": {"class": "plate"}, "relation": "INSIDE", "to": {"class": "sink"}}),
        (
            "put a plate on the dining table",
            {"from": {"class": "plate"}, "relation": "ON", "to": {"class": "dining_table"}},
        ),
        ("pick up a book", {"from": YOU, "relation": "HOLDS", "to": {"class": "book"}}),
        ("wash the plate", {"node": {"class": "plate"}, "state": "CLEAN"}),
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
    assert read("go to bed") == (in_bed, lying, {"done": {"verb": "SLEEP"}, "then": True})


def test_several_wishes_are_several_conditions() -> None:
    goal = read_instruction("open the fridge, then take a plate and put a cup in the sink", SCENE, RULES)
    assert len(goal.conditions) == 3


NOT_YOU = {"from": YOU, "relation": "INSIDE", "to": {"class": "bathroom"}}
LIGHT = {"node": {"class": "light"}, "state": "ON"}
ON_DESK = {"from": {"property": "GRABBABLE"}, "relation": "ON", "to": {"class": "desk"}}


@pytest.mark.parametrize(
    ("wishes", "conditions"),
    [
        ("nobody should be in the bathroom|no one in the bathroom|everybody out of the bathroom"
         "|I don't want anyone in the bathroom|leave the bathroom|you are not in the bathroom", [{"not": NOT_YOU}]),
        ("clear the desk|nothing is on the desk|take everything off the desk|clean off the desk"
         "|there should be nothing on the desk", [{"not": ON_DESK}]),
        ("the couch is free", [{"not": {**ON_DESK, "to": {"class": "couch"}}},
                               {"not": {"from": YOU, "relation": "ON", "to": {"class": "couch"}}}]),
        ("at least two lights are on|at least two lights on|two or more lights are on", [{**LIGHT, "count": 2}]),
        ("at most one light is on|no more than one light on|fewer than two lights are on",
         [{"not": {**LIGHT, "count": 2}}]),
        ("exactly one light is on", [LIGHT, {"not": {**LIGHT, "count": 2}}]),
        ("no light is on|no lights on|not a single light on in the house|none of the lights is on|"
         "no lights left on anywhere", [{"not": LIGHT}]),
        ("not every light is on", [{"not": {**LIGHT, "count": "all"}}]),
        ("no open doors|there are no open doors", [{"not": {"node": {"class": "door"}, "state": "OPEN"}}]),
        ("keep the books off the desk|no books on the desk",
         [{"not": {"from": {"class": "book"}, "relation": "ON", "to": {"class": "desk"}}}]),
    ],
)  # fmt: skip
def test_nobody_nothing_and_bounds(wishes: str, conditions: list[dict[str, Any]]) -> None:
    for wish in wishes.split("|"):
        assert list(read_instruction(wish, SCENE, RULES).conditions) == conditions, wish


@pytest.mark.parametrize("wish", ["make the bedroom dark", "darken the bedroom", "the bedroom should be dark"])
def test_a_dark_room_has_every_light_and_lamp_off(wish: str) -> None:
    (condition,) = read_instruction(wish, SCENE, RULES).conditions
    inside = {edge.source for edge in SCENE.edges if SCENE.classes[edge.target] == "bedroom"}
    lit = {SCENE.ids[n] for n in inside if SCENE.classes[n] in ("light", "floor_lamp", "table_lamp")}
    parts = condition["node"].get("any", [condition["node"]])
    assert condition["state"] == "OFF"
    assert {part["id"] for part in parts} == lit
    assert len(lit) == 1 or condition["count"] == "all"


def test_what_is_dirty_now_is_told_apart() -> None:
    graph = generate_house(7)
    plates = [node for node in graph["nodes"] if node["class_name"] == "plate"]
    for node in plates:
        node["states"] = [*{*node["states"]} - {"DIRTY", "CLEAN"}, "DIRTY" if node is plates[0] else "CLEAN"]
    scene = Scene.from_graph(graph)
    on_table = {"from": {"id": plates[0]["id"]}, "relation": "ON", "to": {"class": "dining_table"}}
    wish = "no dirty plates on the dining table"
    assert list(read_instruction(wish, scene, RULES).conditions) == [{"not": on_table}]
    plates[0]["states"] = ["CLEAN"]
    with pytest.raises(GoalError, match="none of the plates here is dirty"):
        read_instruction(wish, Scene.from_graph(graph), RULES)


def test_the_names_of_actions_are_those_of_goals() -> None:
    world = World(SCENE, RULES)
    for name in ("refrigerator", "the sofa", "dishes", "the fridge in the kitchen", "kitchen table"):
        goal = read_noun(name, beginning(SCENE)).nodes
        assert goal == find_one(name, present(world), SCENE.everything), name
    assert not find_one("two plates", present(world), SCENE.everything)


def test_clearing_is_measured_thing_by_thing() -> None:
    world = World(SCENE, RULES)
    check = GoalCheck(read_instruction("clear the desk", SCENE, RULES).conditions, world)
    things = [n for n in range(len(SCENE.ids)) if world.out[ON][n] & SCENE.of_class["desk"]]
    things = [n for n in things if SCENE.having["GRABBABLE"] >> n & 1]
    assert len(things) > 1
    assert check.progress() == 0.0
    me = world.characters[0]
    for action in (EngineAction("WALK", things[0]), EngineAction("GRAB", things[0])):
        world.act(action, me)
    assert check.progress() == pytest.approx(1 / len(things) if world.held(me) else 0.0)


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ("do nothing", "asks for nothing"),
        ("please don't do anything", "asks for nothing"),
        ("is the television on", "is a question"),
        ("turn on the elephant", "there is no elephant here\\.$"),
        ("clean the house", "there is no house here\\.$"),
        ("clean the kitchen", "is a room"),
        ("open the frigde", r"no frigde here \(did you mean fridge\?\)"),
        ("sit on the desk", "nobody can sit on the desk"),
        ("take the bread out of the fridge", "there is no bread in or on the fridge"),
        ("take the book from the bed", "there is no book in or on the bed"),
        ("move the book from the couch to the bookshelf", "there is no book in or on the couch"),
        ("dim the lights", "on or off"),
        ("clear the table", "say which"),
        ("empty the kitchen", "is a room"),
        ("at least one chair is free", "which is meant"),
        ("don't leave exactly one light on", "exact number"),
        ("put the fridge in the cup", "the fridge cannot be carried"),
        ("bring the bed to the kitchen", "the bed cannot be carried"),
        ("grab the fridge", "the fridge cannot be carried"),
    ],
)
def test_what_is_meant_half_is_refused_with_its_own_reason(wish: str, why: str) -> None:
    with pytest.raises(GoalError, match=why):
        read_instruction(wish, SCENE, RULES)


@pytest.mark.parametrize(
    "wish", ["", "dance a tango", "turn on the dragon", "put it away", "open the fridge or turn on the oven"]
)
def test_what_cannot_be_checked_is_refused_with_a_reason(wish: str) -> None:
    with pytest.raises(GoalError, match=r"\w+ .*\w"):
        read_instruction(wish, SCENE, RULES)


@pytest.mark.parametrize(
    "wish",
    [
        "open the fridge and close the fridge",
        "open the dishwasher, then close it",
        "the fridge is open, then the fridge is closed",
        "turn on the tv and turn off the television",
        "turn on the light and then turn it off",
        "turn on the tv, sit on the couch and turn off the tv",
        "plug in the radio and unplug it",
    ],
)
def test_an_order_of_states_is_refused(wish: str) -> None:
    with pytest.raises(GoalError, match=r"one thing is to be .*, and then .* order of what is done cannot be said"):
        read_instruction(wish, SCENE, RULES)


@pytest.mark.parametrize(
    ("wish", "states"),
    [
        ("open the fridge, put an apple in the fridge and close it", ["CLOSED"]),
        ("the fridge is open and the fridge is closed", ["OPEN", "CLOSED"]),
    ],
)
def test_what_is_opened_on_the_way_is_left_out(wish: str, states: list[str]) -> None:
    conditions = read_instruction(wish, SCENE, RULES).conditions
    assert [one["state"] for one in conditions if "state" in one] == states


SITTING = {"node": YOU, "state": "SITTING"}


@pytest.mark.parametrize(
    ("wish", "place"),
    [
        ("sit on the sofa", "couch"),
        ("sit down on the bed", "bed"),
        ("sit in the armchair", "armchair"),
        ("you are sitting on the toilet", "toilet"),
        ("put the cat on the sofa and sit on it", "couch"),
        ("put a book on the bed and sit on it", "bed"),
    ],
)
def test_who_is_to_sit_somewhere_sits_there(wish: str, place: str) -> None:
    conditions = read_instruction(wish, SCENE, RULES).conditions
    assert list(conditions[-2:]) == [{"from": YOU, "relation": "ON", "to": {"class": place}}, SITTING]


def ids(kind: str, place: str) -> list[int]:
    """Return the ids of the things of a kind that are directly in or on others."""
    found = {
        one.source for one in SCENE.edges if (SCENE.classes[one.source], SCENE.classes[one.target]) == (kind, place)
    }
    return sorted(SCENE.ids[node] for node in found)


def test_what_is_taken_from_a_place_is_what_is_there_now() -> None:
    [plate] = ids("plate", "sink")
    held = {"from": YOU, "relation": "HOLDS", "to": {"id": plate}}
    for wish in ("take the plate out of the sink", "grab a plate from the sink", "get the plate from the sink"):
        assert list(read_instruction(wish, SCENE, RULES).conditions) == [held]
    on_table = {"from": {"id": plate}, "relation": "ON", "to": {"class": "dining_table"}}
    for wish in (
        "take the plate out of the sink and put it on the dining table",
        "move the plate from the sink to the dining table",
    ):
        assert list(read_instruction(wish, SCENE, RULES).conditions) == [on_table]


def test_the_light_is_one_that_is_not_so_yet() -> None:
    on = SCENE.states[SCENE.state_names.index("ON")] & SCENE.of_class["light"]
    assert 0 < on.bit_count() < SCENE.of_class["light"].bit_count()
    for state, wish in (("OFF", "turn off the light"), ("ON", "turn on the light")):
        [condition] = read_instruction(wish, SCENE, RULES).conditions
        meant = {one["id"] for one in condition["node"].get("any", [condition["node"]])}
        lit = {SCENE.ids[n] for n in range(len(SCENE.ids)) if on >> n & 1}
        assert condition["state"] == state
        assert meant
        assert meant <= lit if state == "OFF" else not meant & lit
    [in_sink] = ids("plate", "sink")
    [put] = read_instruction("put the plate in the sink", SCENE, RULES).conditions
    assert in_sink not in {one["id"] for one in put["from"].get("any", [put["from"]])}


def test_a_machine_that_is_filled_and_runs_is_closed() -> None:
    wish = "put all the plates in the dishwasher and turn it on"
    states = [one["state"] for one in read_instruction(wish, SCENE, RULES).conditions if "state" in one]
    assert states == ["CLOSED", "ON"]
    wish = "put the bread in the toaster and turn it on"
    assert [one["state"] for one in read_instruction(wish, SCENE, RULES).conditions if "state" in one] == ["ON"]


def test_it_is_what_makes_sense_of_all_that_was_named() -> None:
    conditions = read_instruction("take the cup, go to the kitchen and wash it", SCENE, RULES).conditions
    assert conditions[-1] == {"node": {"class": "cup", "same": "cup"}, "state": "CLEAN"}
