"""Requests as people say them: what is read, that it is read back, and how the plans end."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest

import pathei.envs
from pathei.collectors.search.collector import MctsConfig, find_plan, household_search
from pathei.envs.contract import make, reset
from pathei.envs.facts import FactGraph, satisfied
from pathei.envs.goal_space import goal_in_words
from pathei.envs.virtualhome.engine.profiles import rules_named
from pathei.envs.virtualhome.engine.scene import Scene
from pathei.envs.virtualhome.engine.world import World
from pathei.envs.virtualhome.goals.check import GoalCheck
from pathei.envs.virtualhome.goals.contradictions import require_possible
from pathei.envs.virtualhome.houses.generate import generate_house
from pathei.envs.virtualhome.language.describe_goal import describe, plural
from pathei.envs.virtualhome.language.grammar.sentences import read_instruction, read_sentence
from pathei.envs.virtualhome.language.lexicon import PLURALS
from pathei.errors import GoalError
from pathei.experience import Task

SCENE = Scene.from_graph(generate_house(7))
RULES = rules_named("clean")
DISHWASHER = "the dishwasher is closed and then the dishwasher is on"
WASHER = "the washing machine is closed and then the washing machine is on"
OVEN = "the chicken is in the oven, the oven is closed and then the oven is on"
MICROWAVE = "the chicken is in the microwave, the microwave is closed and then the microwave is on"
CLOTHES = "every pants, shirt, socks or sweater is in the washing machine"

READINGS = f"""\
put the chicken in the microwave and turn it on = {MICROWAVE}
heat up the chicken in the microwave = {MICROWAVE}
heat the chicken up = {MICROWAVE}
cook the chicken = {OVEN}
bake the chicken in the oven = {OVEN}
turn on the oven and put the chicken in it = {OVEN}
fry the chicken on the stove = the chicken is on the stove and then the stove is on
put all the dirty dishes in the dishwasher and switch it on = every glass or fork is in the dishwasher, {DISHWASHER}
put the dirty glass in the dishwasher, close it and start it = the glass is in the dishwasher, {DISHWASHER}
start the dishwasher with the bowl in it = the bowl is in the dishwasher, {DISHWASHER}
the dishwasher should be running with all the plates in it = every plate is in the dishwasher, {DISHWASHER}
wash the plate and the cup in the dishwasher = a plate is in the dishwasher, a cup is in the dishwasher, {DISHWASHER}
use the dishwasher to wash the plates = every plate is in the dishwasher, {DISHWASHER}
wash the plates using the dishwasher = every plate is in the dishwasher, {DISHWASHER}
load the dishwasher with the plates and the glass and start it = every plate is in the dishwasher, \
the glass is in the dishwasher, {DISHWASHER}
close the dishwasher and turn it on = {DISHWASHER}
run the dishwasher = the dishwasher is on
do the laundry = {CLOTHES}, {WASHER}
put a towel in the washing machine and turn it on = a towel is in the washing machine, {WASHER}
start the washing machine with the shirt in it = a shirt is in the washing machine, {WASHER}
put the bread in the toaster and turn it on = the bread is in the toaster and then the toaster is on
plug in the toaster and put the bread in it and turn it on = \
the toaster is plugged in, the bread is in the toaster and then the toaster is on
boil water = the water is in the pot, the pot is on the stove and then the stove is on
sit on the couch and watch tv = \
you are on the couch, you are sitting, the television is on and then you watch the television
switch on the television, then sit down on the couch and watch it = \
the television is on, then you are on the couch, then you are sitting and then you watch the television
watch tv in bed = you are on the bed, you are lying, the television is on and then you watch the television
read a book on the couch = you are on the couch, you are sitting and then you read a book
turn on the computer and type on it = the computer is on and then you type on the computer
go to the bedroom and go to sleep = you are in the bedroom, you are on the bed, you are lying and then you sleep
put the apple on a plate and eat it = the apple is on a plate and then you eat the apple
take the book to the bedroom and read it = a book is in the bedroom and then you read that book
put the book on the nightstand and read it = \
the book (118) is on the nightstand and you read the book (118)
take two plates, wash them and put them on the dining table = \
2 plates are clean and those 2 plates are on the dining table
put an apple on a plate and put the plate in the fridge = the apple is on a plate and that plate is in the fridge
first wash the plate, then put it in the kitchen cabinet = \
a plate is clean and then that plate is in the kitchen cabinet
I want you to wash the cup and put it away = a cup is clean and that cup is in the kitchen cabinet
grab a cup, fill it with water and put it on the nightstand = the water is in a cup and that cup is on the nightstand
the cup is in the sink and the sink is clean = a cup is in a sink and that sink is clean
take the plate out of the sink, wash it and put it back in the kitchen cabinet = \
the plate (104) is clean and the plate (104) is in the kitchen cabinet
get the book off the bookshelf and put it on the bed = \
a book is not on or in the bookshelf and that book is on the bed
bring the book and the newspaper to the living room and read the newspaper = \
a book is in the living room, the newspaper is in the living room and then you read the newspaper
could you please bring me a glass of water to the bedroom? = the water is in the glass and the glass is in the bedroom
open the fridge, take out the juice and put it on the dining table, then close the fridge = \
the juice is on the dining table and then the fridge is closed
go to the kitchen, take a glass and bring it to the bedroom = the glass is in the bedroom
open the fridge and take the juice = the fridge is open and you hold the juice
put all cups but one in the sink = a cup is in a sink and fewer than 2 cups are in that sink
put all the cups except one in the dishwasher = \
a cup is in the dishwasher and fewer than 2 cups are in the dishwasher
close all doors and windows = every door is closed and every window is closed
put the cup or the glass in the sink = a cup or glass is in a sink
put a towel in every sink = a towel is in the sink (29) and a towel is in the sink (30)
put everything from the desk on the bookshelf = every keyboard, mouse or book (118) is on the bookshelf
wash the dishes in the sink = every plate (104), bowl or fork is clean
would you mind opening the window? = the window (17) is open
how about closing the windows? = every window is closed
would you be so kind as to turn off the lights in the kitchen = the light (13) is off
I'd like the curtain closed, please = the curtain is closed
I need the newspaper = you hold the newspaper
hand me a towel, please = you hold a towel
get me a plate from the kitchen = you hold the plate (104)
switch the light on in the bathroom = the light (14) is on
turn the tv off and the floor lamp on = the television is off and the floor lamp is on
look for the cat = you are close to the cat
put the fork next to the plate = the fork is close to a plate
empty the dishwasher = no grabbable thing is in the dishwasher
stop the washing machine = the washing machine is off
put the toys away = the teddy bear is in the toy box
take the cat to the kitchen = the cat is in the kitchen
put on a shirt = a shirt is on you
don't leave the fridge open = no fridge is open
the fridge is closed and you are in bed = the fridge is closed, you are on the bed and you are lying"""


@pytest.mark.parametrize("row", READINGS.split("\n"))
def test_a_request_has_its_reading_which_is_read_back(row: str) -> None:
    request, _, reading = row.partition(" = ")
    conditions = read_sentence(request, SCENE, RULES)
    assert describe(conditions, SCENE) == reading
    assert read_sentence(reading, SCENE, RULES) == conditions
    world = World(SCENE, RULES)
    GoalCheck(conditions, world)
    require_possible(conditions, world)


ORDERED = """\
close the window before turning on the tv
close the window, before you turn on the tv
before turning on the tv, close the window
before you turn on the tv, please close the window
turn on the tv after closing the window
after closing the window, turn on the tv
after you have closed the window, turn on the tv
once the window is closed, turn on the tv
turn on the tv, but first close the window
first close the window, then turn on the tv
close the window first, then turn on the tv
close the window, and after that turn on the tv
close the window. Next, turn on the tv
close the window and finally turn on the tv"""


@pytest.mark.parametrize("request_", ORDERED.split("\n"))
def test_words_of_order_are_an_order_that_is_judged(request_: str) -> None:
    conditions = read_sentence(request_, SCENE, RULES)
    assert describe(conditions, SCENE) == "the window (18) is closed and then the television is on"
    assert [one.get("then", False) for one in conditions] == [False, True]


@pytest.mark.parametrize(("places", "reached"), [((0, 1, 2, 3), True), ((2, 3, 0, 1), False)])
def test_what_is_asked_for_before_something_else_has_to_be_done_before_it(
    places: tuple[int, ...], reached: bool
) -> None:
    goal = read_instruction("open the window before turning off the tv", SCENE, RULES)
    task = Task("order", "pathei/VirtualHome-v0", 7, goal)
    env = make(task)
    reset(env, task)
    actions = (
        "[Walk] <window> (17)", "[Open] <window> (17)", "[Walk] <television> (41)", "[SwitchOff] <television> (41)",
    )  # fmt: skip
    for place in places:
        info = env.step(actions[place])[4]
        assert "error" not in info
    assert info["success"] is reached


def test_every_noun_has_its_verb_and_is_read_back() -> None:
    """A plural for one thing, as "pants" or "keys", takes "are", "all" and "those"."""
    seen = set[str]()
    for seed in range(4):
        scene = Scene.from_graph(generate_house(seed))
        for name in sorted({*scene.classes} - {"character"}):
            many, node = name in PLURALS, {"class": name}
            seen |= {name} & PLURALS
            be, every, that = ("are", "all", "those") if many else ("is", "every", "that")
            noun, dirty = name.replace("_", " "), {"node": node, "state": "DIRTY"}
            one, floor = {**node, "same": "one"}, {"class": "floor"}
            sayings = {
                f"{noun} {be} dirty": [dirty],
                f"{every} {noun} {be} dirty": [{**dirty, "count": "all"}],
                f"not {every} {noun} {be} dirty": [{"not": {**dirty, "count": "all"}}],
                f"no {noun} {be} dirty": [{"not": dirty}],
                f"2 {plural(noun)} are dirty": [{**dirty, "count": 2}],
                f"and {that} {noun} {be} on": [
                    {"node": one, "state": "DIRTY"},
                    {"from": one, "relation": "ON", "to": floor},
                ],
            }
            for words, conditions in sayings.items():
                said = describe(conditions, scene)
                assert words in said
                read = read_sentence(said, scene, RULES)
                if scene.classes.count(name) > 1 and "and" not in words:
                    assert read == tuple(conditions), said
    assert seen == {"keys", "pants", "socks"}


def test_readings_are_read_back_in_other_houses() -> None:
    read = 0
    for seed in (2, 5):
        scene = Scene.from_graph(generate_house(seed))
        for request in (row.partition(" = ")[0] for row in READINGS.split("\n")):
            try:
                conditions = read_sentence(request, scene, RULES)
            except GoalError:
                continue  # it names what this house has not
            read += 1
            assert read_sentence(describe(conditions, scene), scene, RULES) == conditions, request
    assert read > 60


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ("tidy up the living room", "the living room is a room: say which things in it are meant"),
        ("tidy the bedroom", "the bedroom is a room"),
        ("watch the couch", "nobody can watch the couch"),
        ("put the book and the newspaper from the living room on the nightstand in the bedroom",
         "there is no book in the living room"),
        ("could I have a glass of milk", "there is no glass of milk here"),
        ("dance a tango", "what 'dance' asks for in 'dance a tango' is not known"),
        ("juggle the plates in the sink", "what 'juggle' asks for in 'juggle the plates in the sink' is not known"),
        ("fold the laundry and put it in the closet", "what 'fold' asks for in 'fold the laundry' is not known"),
        ("put the plate in the sink with a hose", "what 'with a hose' says in 'put the plate in the sink with a hose'"),
        ("wash the cup with the soap", "the soap is no machine that does this"),
        ("open the fridge or turn on the oven", "has 'or', which no condition can say"),
        ("switch the light off in the hallway", "there is no hallway here"),
        ("close the window before dinner", "has 'before', which stands between two requests only"),
        ("close the window after that", "has 'after', which stands between two requests only"),
        ("if the window is open, close it", "'if the window is open' has 'if', which no condition can say"),
        ("when you sit, turn on the tv", "'when you sit' has 'when', which no condition can say"),
        ("turn on the tv until the window is closed", "has 'until', which no condition can say"),
        ("open the microwave, put the soup in it, close it and turn it on", "there is no soup here"),
        ("put the plates and the elephants in the sink and the fridge", "there is no elephants here"),
    ],
)  # fmt: skip
def test_a_refusal_is_one_sentence_that_names_what_is_not_understood(request_: str, why: str) -> None:
    with pytest.raises(GoalError) as refusal:
        read_sentence(request_, SCENE, RULES)
    said = str(refusal.value)
    assert why in said
    assert ";" not in said


HOUSE = "house:7"


def planned(request: str) -> tuple[Any, list[str]]:
    """Return a household with a request as its goal, and a plan that was found."""
    env = gymnasium.make("pathei/VirtualHome-v0", scene=HOUSE)
    env.reset(seed=0)
    goal = goal_in_words(env, "pathei/VirtualHome-v0", request)
    options = {"goal": {"text": goal.text, "conditions": list(goal.conditions)}}
    env.reset(seed=0, options=options)
    model = env.unwrapped.model()  # type: ignore[attr-defined]
    plan = find_plan(model, MctsConfig(household_search()), np.random.default_rng(0)).plan
    lines = [model.text(action) for action in plan]
    env.reset(seed=0, options=options)
    return env, lines


@pytest.mark.parametrize(
    ("request_", "last"),
    [
        ("put the chicken in the microwave and turn it on", ("PutIn", "Close", "SwitchOn")),
        ("start the dishwasher with the bowl in it", ("PutIn", "Close", "SwitchOn")),
        ("put the bread in the toaster and turn it on", ("PutIn", "SwitchOn")),
        ("sit on the couch and watch tv", ("SwitchOn", "Sit", "Watch")),
        ("take the book to the bedroom and read it", ("Grab", "Read")),
    ],
)
def test_a_plan_ends_as_people_mean(request_: str, last: tuple[str, ...]) -> None:
    env, lines = planned(request_)
    infos = [env.step(line)[4] for line in lines]
    assert [info["success"] for info in infos] == [False] * (len(infos) - 1) + [True]
    verbs = [line[1 : line.index("]")] for line in lines]
    places = [max(place for place, verb in enumerate(verbs) if verb == one) for one in last]
    assert places == sorted(places), lines
    assert places[-1] == len(lines) - 1


def test_what_is_switched_on_too_early_does_not_count_until_it_is_done_again() -> None:
    env, lines = planned("put the bread in the toaster and turn it on")
    put = next(line for line in lines if line.startswith("[PutIn]"))
    on = lines[-1]
    assert on.startswith("[SwitchOn]")
    early = [*(line for line in lines[:-1] if line != put), on]
    for line in early:
        assert "error" not in env.step(line)[4], line
    before = pathei.envs.snapshot(env)
    for _ in range(2):
        assert not env.step(put)[4]["success"]
        assert not env.step(on.replace("SwitchOn", "SwitchOff"))[4]["success"]
        assert env.step(on)[4]["success"]
        pathei.envs.restore(env, before)


def test_one_plate_is_clean_and_in_the_cabinet() -> None:
    plate = {"class": "plate", "same": "plate"}
    conditions = [{"node": plate, "state": "CLEAN"}, {"from": plate, "relation": "ON", "to": {"class": "table"}}]
    nodes = [[1, "plate", ["CLEAN"]], [2, "plate", []], [3, "table", []]]
    graph = FactGraph({"nodes": nodes, "edges": [[2, "ON", 3]], "rooms": [], "characters": []})
    assert not satisfied(graph, conditions)
    assert satisfied(
        graph, [{"node": {"class": "plate"}, "state": "CLEAN"}, {**conditions[1], "from": {"class": "plate"}}]
    )
    graph.states[2] = {"CLEAN"}
    assert satisfied(graph, conditions)


def test_one_thing_is_not_in_two_places() -> None:
    plate = {"class": "plate", "same": "plate"}
    places = [{"from": plate, "relation": "INSIDE", "to": {"class": name}} for name in ("sink", "kitchen_cabinet")]
    with pytest.raises(GoalError, match="cannot hold together"):
        require_possible(places, World(SCENE, RULES))
