"""Goals: checking against a plain reading of the graph, the published formats and back, faults, and words."""

import random
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pathei.envs.virtualhome.engine import rules_original as originals
from pathei.envs.virtualhome.engine.rules import EngineAction
from pathei.envs.virtualhome.engine.scene import Scene
from pathei.envs.virtualhome.engine.vocabulary import RELATIONS, STATES
from pathei.envs.virtualhome.engine.world import World
from pathei.envs.virtualhome.goals.check import GoalCheck
from pathei.envs.virtualhome.goals.formats import (
    e2wm_difference,
    from_e2wm,
    from_eai,
    from_predicates,
    from_watch_and_help,
    to_e2wm,
    to_eai,
    to_predicates,
    to_watch_and_help,
)
from pathei.envs.virtualhome.goals.ltl import from_ltl, to_ltl
from pathei.envs.virtualhome.language.describe_goal import describe, plural
from pathei.envs.virtualhome.language.script import LineReader
from pathei.errors import GoalError

GRAPH = orjson.loads((Path(__file__).parents[3] / "data" / "virtualhome" / "small.json").read_bytes())
SCENE = Scene.from_graph(GRAPH)
OTHER = {"id": 30, "class_name": "character", "category": "Characters", "properties": [], "states": ["SITTING"]}
DUO_EDGES = [
    (3, "CLOSE", 30),
    (30, "CLOSE", 3),
    (3, "FACING", 30),
    (30, "INSIDE", 1),
    (30, "CLOSE", 10),
    (30, "ON", 15),
]
DUO = {
    "nodes": [*GRAPH["nodes"], OTHER],
    "edges": GRAPH["edges"] + [{"from_id": a, "relation_type": r, "to_id": b} for a, r, b in DUO_EDGES],
}
"""The small world with a second character, whose CLOSE and FACING edges are kept apart too."""
RULES = originals.e2wm()
YOU = {"class": "character"}
IDS = st.sampled_from(SCENE.ids)
CLASSES = st.sampled_from(sorted(SCENE.of_class))
USED_PROPERTIES = st.sampled_from(sorted(name for name, nodes in SCENE.having.items() if nodes))
SIMPLE = st.one_of(
    st.fixed_dictionaries({"id": IDS}),
    st.fixed_dictionaries({"class": CLASSES}),
    st.fixed_dictionaries({"property": USED_PROPERTIES}),
)
SELECTORS = st.one_of(SIMPLE, st.fixed_dictionaries({"any": st.lists(SIMPLE, min_size=1, max_size=3)}))
COUNTS = st.sampled_from([{}, {"count": 1}, {"count": 2}, {"count": 3}, {"count": "all"}, {"new": True}])
NODE_CONDITIONS = st.builds(
    lambda node, state, count: {"node": node, "state": state, **count}, SELECTORS, st.sampled_from(STATES), COUNTS
)
RELATION_NAMES = st.sampled_from([*RELATIONS[:7], "HOLDS", "ON|INSIDE", "CLOSE|ON"])
EDGE_CONDITIONS = st.builds(
    lambda one, relation, other, count, either: {"from": one, "relation": relation, "to": other, **count, **either},
    SELECTORS,
    RELATION_NAMES,
    SELECTORS,
    COUNTS,
    st.sampled_from([{}, {"either": True}]),
)
CONDITIONS = st.one_of(
    NODE_CONDITIONS, EDGE_CONDITIONS, st.builds(lambda inner: {"not": inner}, NODE_CONDITIONS | EDGE_CONDITIONS)
)


def world() -> World:
    return World(SCENE, RULES)


def can_be_checked(condition: Any, home: World) -> bool:
    """Whether there is enough of what a condition asks for; the only fault that the generated ones may have."""
    try:
        GoalCheck([condition], home)
    except GoalError as error:
        if "can be so" in str(error):
            return False
        raise
    return True


def walk(home: World, rng: random.Random, steps: int) -> None:
    for _ in range(steps):
        character = rng.choice(home.characters)
        home.act(rng.choice(home.admissible(character)), character)


def selected(selector: Any) -> set[int]:
    """The ids that a selector means, read off the graph."""
    if "any" in selector:
        return set().union(*map(selected, selector["any"]))
    [(key, what)] = selector.items()
    name = {"id": "id", "class": "class_name"}.get(key, "properties")
    nodes = DUO["nodes"]
    return {n["id"] for n in nodes if n[name] == what or (name == "properties" and what in n[name])}


def plainly_found(condition: Any, graph: Any) -> Any:
    """The nodes in the state, or the pairs with the relation, that a condition speaks of, read off a graph."""
    if "node" in condition:
        return {n["id"] for n in graph["nodes"] if condition["state"] in n["states"]} & selected(condition["node"])
    names = condition["relation"].replace("HOLDS", "HOLDS_RH|HOLDS_LH").split("|")
    edges = {(e["from_id"], e["to_id"]) for e in graph["edges"] if e["relation_type"] in names}
    if condition.get("either"):
        edges |= {(b, a) for a, b in edges}
    return {(a, b) for a, b in edges if a in selected(condition["from"]) and b in selected(condition["to"])}


def plain_progress(condition: Any, graph: Any) -> float:
    """How far a condition is, read off the graph; a negation by the share of what must not be so that is no more."""
    if "not" in condition:
        inner = condition["not"]
        if inner.get("new") or inner.get("count") == "all":
            return float(plain_progress(inner, graph) < 1.0)
        over, first = (len(plainly_found(inner, moment)) - inner.get("count", 1) + 1 for moment in (graph, DUO))
        return 1.0 if over <= 0 else max(0.0, 1 - over / max(first, 1))
    found = plainly_found(condition, graph) - (plainly_found(condition, DUO) if condition.get("new") else set())
    if condition.get("count") == "all":
        there = selected(condition["node" if "node" in condition else "from"])
        return len(found if "node" in condition else {a for a, _ in found}) / len(there)
    return min(len(found) / int(condition.get("count", 1)), 1.0)


@settings(max_examples=200)
@given(st.lists(CONDITIONS, min_size=1, max_size=4), st.integers(0, 2**32))
@example([{"not": {"from": {"property": "GRABBABLE"}, "relation": "ON", "to": {"id": 10}}}], 128)  # half done
def test_progress_is_what_a_plain_reading_of_the_graph_says(conditions: list[Any], seed: int) -> None:
    home, rng = World(Scene.from_graph(DUO), RULES), random.Random(seed)
    walk(home, rng, rng.randrange(4))  # what is new is measured from the beginning of the world, not from here
    conditions = [condition for condition in conditions if can_be_checked(condition, home)]
    assume(conditions)
    check = GoalCheck(conditions, home)
    for _ in range(4):
        graph = home.to_graph()
        parts = [plain_progress(condition, graph) for condition in conditions]
        assert check.progress() == pytest.approx(sum(parts) / len(parts))
        assert check.achieved() == tuple(part == 1.0 for part in parts)
        assert check.satisfied() == all(check.achieved()) == (check.progress() == 1.0)
        walk(home, rng, 3)


def test_an_edge_may_be_wanted_in_either_direction() -> None:
    apple, table = {"class": "apple"}, {"property": "SURFACES"}
    for one, other, either in (
        (table, apple, True),
        (apple, table, True),
        (apple, table, False),
        (table, apple, False),
    ):
        check = GoalCheck([{"from": one, "relation": "ON", "to": other, "either": either}], world())
        assert check.satisfied() == (either or one is apple)


def test_what_held_at_the_beginning_does_not_count_as_new() -> None:
    home = world()
    edge = {"from": {"property": "GRABBABLE"}, "relation": "ON", "to": {"property": "SURFACES"}}
    state = {"node": {"property": "CAN_OPEN"}, "state": "CLOSED"}
    for condition in (edge, state):
        assert GoalCheck([condition], home).satisfied()
    new_edge = GoalCheck([{**edge, "new": True}], home)
    assert not new_edge.satisfied()
    with pytest.raises(GoalError, match="none can be so"):
        GoalCheck([{**state, "new": True}], home)
    read = LineReader(home.scene, home.rules)
    for line in ("[Walk] <table> (10)", "[Grab] <apple> (12)", "[Walk] <door> (4)", "[Open] <door> (4)"):
        assert home.act(read(line)) is None
    for line in ("[Walk] <bed> (15)", "[PutBack] <apple> (12) <bed> (15)"):
        assert home.act(read(line)) is None
    assert new_edge.satisfied()


def test_pairs_of_two_characters_count_once() -> None:
    home = World(Scene.from_graph(DUO), RULES)
    assert GoalCheck([{"from": YOU, "relation": "CLOSE", "to": YOU, "count": 2}], home).satisfied()
    assert not GoalCheck([{"from": YOU, "relation": "CLOSE", "to": YOU, "count": 3}], home).satisfied()


def test_weights_share_the_progress_and_optional_conditions_are_not_needed() -> None:
    home = world()
    sitting = {"node": YOU, "state": "SITTING", "weight": 3}
    near = {"from": YOU, "relation": "CLOSE", "to": {"class": "bed"}, "optional": True}
    check = GoalCheck([sitting, near], home)
    read = LineReader(home.scene, home.rules)
    for line in ("[Walk] <door> (4)", "[Open] <door> (4)", "[Walk] <bed> (15)"):
        assert home.act(read(line)) is None
    assert check.progress() == 0.25
    assert not check.satisfied()
    assert home.act(read("[Sit] <bed> (15)")) is None
    assert check.satisfied()
    assert GoalCheck([{"node": YOU, "state": "LYING", "optional": True}, sitting], home).satisfied()


def test_a_goal_without_conditions_is_never_satisfied() -> None:
    check = GoalCheck([], world())
    assert (check.progress(), check.satisfied(), check.achieved(), check.history) == (0.0, False, (), ())


def test_deeds_count_in_order_and_their_history_goes_back_with_the_world() -> None:
    home = world()
    check = GoalCheck(
        [
            {"actions": ["WALK", "GRAB|READ", "WALK"]},
            {"done": {"verb": "grab", "object": {"class": "apple"}}},
            {"not": {"done": {"verb": "DROP"}}},
        ],
        home,
    )
    read = LineReader(home.scene, home.rules)

    def do(line: str) -> None:
        assert home.act(read(line)) is None
        check.note(read(line))

    do("[Walk] <table> (10)")
    moment = home.version, check.history
    assert moment[1] == (1, 0, 0)
    do("[Grab] <book> (17)")
    do("[Drop] <book> (17)")
    assert check.history == (2, 0, 1)
    assert check.achieved() == (False, False, False)
    home.restore(moment[0])
    check.history = moment[1]
    assert check.achieved() == (False, False, True)
    do("[Grab] <apple> (12)")
    do("[Walk] <table> (10)")
    assert check.satisfied()
    assert check.history == (3, 1, 0)


def test_a_deed_may_name_object_and_destination() -> None:
    home = world()
    pour = {"done": {"verb": "POUR", "object": {"class": "water"}, "destination": {"class": "cup"}}}
    check = GoalCheck([pour], home)
    water, cup, table = (home.scene.index[number] for number in (18, 19, 10))
    check.note(EngineAction("POUR", water, table))
    check.note(EngineAction("POUR", cup, cup))
    check.note(EngineAction("POUR", water))
    assert not check.satisfied()
    check.note(EngineAction("POUR", water, cup))
    assert check.satisfied()


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(GoalError) as caught:
        GoalCheck(
            [
                {"node": {"class": "tabel"}, "state": "CLEAN"},
                {"node": {"class": "tv"}, "state": "OM"},
                {"from": YOU, "relation": "HOLDS", "to": {"class": "apple"}},
                {"actions": ["DRINKK"]},
            ],
            world(),
        )
    message = str(caught.value)
    assert message.startswith("The goal cannot be checked here: condition 1: there is no tabel in this world")
    assert "did you mean table?" in message
    assert "condition 2: there is no state 'OM'" in message
    assert "condition 3" not in message
    assert "condition 4: there is no verb 'DRINKK'; did you mean 'DRINK'?" in message


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"node": {"class": "cup"}}, "lacks 'state'"),
        ({"nod": {"class": "cup"}, "state": "ON"}, "none of the keys"),
        ({"node": {"class": "cup"}, "state": "ON", "cuont": 2}, "did you mean 'count'"),
        ({"node": {"clas": "cup"}, "state": "ON"}, "did you mean 'class'"),
        ({"node": {"class": "cup", "id": 3}, "state": "ON"}, "a selector is one of"),
        ({"node": {"id": "12"}, "state": "ON"}, "not a whole number"),
        ({"node": {"any": []}, "state": "ON"}, "list of selectors"),
        ({"node": {"class": "cup"}, "state": 3}, "the state 3 is not a name"),
        ({"from": YOU, "relation": "HOLD", "to": YOU}, "did you mean 'HOLDS'"),
        ({"from": YOU, "relation": "ON", "to": YOU, "count": 0}, "the count 0"),
        ({"from": YOU, "relation": "ON", "to": YOU, "count": True}, "the count True"),
        ({"from": YOU, "relation": "ON", "to": YOU, "count": "all", "new": True}, "do not go together"),
        ({"from": YOU, "relation": "ON", "to": YOU, "either": 1}, "'either' is true or false"),
        ({"node": YOU, "state": "ON", "weight": 0}, "not a number above 0"),
        ({"node": YOU, "state": "ON", "weight": float("inf")}, "not a number above 0"),
        ({"not": "sitting"}, "is not a condition"),
        ({"actions": []}, "is a list of verbs"),
        ({"done": {"object": YOU}}, "takes a 'verb'"),
        ({"node": {"id": 999}, "state": "ON"}, "no node 999 in this world"),
        ({"node": {"property": "CREAM"}, "state": "ON"}, "no node with the property CREAM"),
        ({"node": {"class": "tv"}, "state": "ON", "count": 2}, "asks for 2 tvs, and only 1 can be so"),
        ("sit", "is not an object"),
    ],
)
def test_a_bad_condition_gets_one_sentence(condition: Any, message: str) -> None:
    with pytest.raises(GoalError) as caught:
        GoalCheck([condition], world())
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


# --- formats

STATE_NAMES = st.sampled_from(STATES)
E2WM_NODES = st.builds(lambda name, state: f"{name} || {state}", CLASSES, STATE_NAMES)
E2WM_EDGES = st.builds(lambda a, relation, b: f"{a} || {relation} || {b}", CLASSES, st.sampled_from(RELATIONS), CLASSES)


@given(st.fixed_dictionaries({"nodes": st.lists(E2WM_NODES), "edges": st.lists(E2WM_EDGES)}))
def test_e2wm_goals_are_written_back(change: Any) -> None:
    assert to_e2wm(from_e2wm(change)) == change


@given(st.integers(0, 2**32))
def test_what_a_walk_changed_is_a_goal_that_holds_after_it_and_not_before(seed: int) -> None:
    home = world()
    walk(home, random.Random(seed), 8)
    change = e2wm_difference(GRAPH, home.to_graph())
    check = GoalCheck(from_e2wm(change), home)
    assert all(check.achieved())
    home.restore(home.start)
    assert not any(check.achieved())


def test_the_e2wm_difference_is_by_instance_for_states_and_by_class_for_edges() -> None:
    nodes = [{"id": 1, "class_name": "lamp", "states": ["ON"]}, {"id": 2, "class_name": "lamp", "states": ["OFF"]}]
    nodes.append({"id": 3, "class_name": "cup", "states": []})
    after = [nodes[0], {**nodes[1], "states": ["ON"]}, nodes[2]]
    close = [{"from_id": a, "relation_type": "CLOSE", "to_id": b} for a, b in ((1, 3), (3, 1), (2, 3), (3, 2))]
    on = [{"from_id": 1, "relation_type": "ON", "to_id": 3}]
    change = e2wm_difference({"nodes": nodes, "edges": on}, {"nodes": after, "edges": [*on, *close]})
    assert change == {"nodes": ["lamp || ON"], "edges": ["cup || CLOSE || lamp"]}


PLACES = st.sampled_from(["plate", "fridge", "kitchentable", "235", "12"])
NUMBERS = st.sampled_from(["235", "12"])
PREDICATES = st.one_of(
    st.builds("{}_{}_{}".format, st.sampled_from(["on", "inside", "offOn", "offInside"]), PLACES, PLACES),
    st.builds("{}_{}".format, st.sampled_from(["holds", "close", "sit"]), PLACES),
    st.builds("{}_{}_{}".format, st.sampled_from(["holds", "close"]), PLACES, NUMBERS),
    st.builds("{}_{}_1".format, st.sampled_from(["turnOn", "turnOff", "open", "closed"]), PLACES),
)
COUNTED = PREDICATES.filter(lambda text: not text.startswith("off"))
VALUES = st.one_of(
    st.integers(1, 4),
    st.tuples(st.integers(1, 4), st.booleans(), st.sampled_from([0.5, 2.0])).map(list),
)


@given(st.lists(PREDICATES))
def test_predicates_are_written_back(predicates: list[str]) -> None:
    assert to_predicates(from_predicates(predicates)) == predicates


@given(st.dictionaries(COUNTED, VALUES))
def test_watch_and_help_counts_are_written_back(counts: dict[str, Any]) -> None:
    assert to_watch_and_help(from_watch_and_help(counts)) == counts


def test_watch_and_help_counts_mean_pairs_of_that_relation() -> None:
    counts = {"on_plate_kitchentable": 2, "inside_apple_fridge": 0, "holds_book": 1, "sit_sofa": [1, False, 3]}
    assert from_watch_and_help(counts) == (
        {
            "from": {"class": "plate"},
            "relation": "ON",
            "to": {"class": "kitchentable"},
            "count": 2,
            "weight": 2,
        },
        {"from": YOU, "relation": "HOLDS", "to": {"class": "book"}},
        {"from": YOU, "relation": "ON", "to": {"class": "sofa"}, "weight": 3, "optional": True},
    )


def test_names_with_underscores_are_told_apart_by_the_classes_of_the_scene() -> None:
    edge = {"from": {"class": "dish_bowl"}, "relation": "ON", "to": {"class": "kitchen_table"}}
    assert from_watch_and_help({"on_dish_bowl_kitchen_table": 1}, {"dish_bowl", "kitchen_table"}) == (edge,)
    assert from_predicates(["on_dish_bowl_235"]) == ({**edge, "to": {"id": 235}},)
    assert from_predicates(["holds_dish_bowl_1"]) == ({"from": {"id": 1}, "relation": "HOLDS", "to": edge["from"]},)
    with pytest.raises(GoalError, match=r"several ways.*give the classes"):
        from_predicates(["on_dish_bowl_kitchen_table"])
    with pytest.raises(GoalError, match="several ways"):
        from_predicates(["on_a_b_c"], {"a", "b_c", "a_b", "c"})


@pytest.mark.parametrize(
    ("text", "message"),
    [("on_plate", "needs a second"), ("above_plate_12", "no predicate"), ("sit", "no predicate")],
)
def test_a_bad_predicate_gets_one_sentence(text: str, message: str) -> None:
    with pytest.raises(GoalError, match=message):
        from_predicates([text])


EAI_NODES = st.builds(
    lambda number, state: {"id": number, "class_name": SCENE.classes[SCENE.index[number]], "state": state},
    IDS,
    STATE_NAMES,
)
EAI_EDGES = st.builds(
    lambda a, relation, b: {"from_id": a, "relation_type": relation, "to_id": b}, IDS, st.sampled_from(RELATIONS), IDS
)
EAI_ACTIONS = st.lists(st.sampled_from(["TYPE", "SWITCHOFF", "READ|LOOKAT", "POUR", "SLEEP"]), max_size=3)
EAI_GOALS = st.fixed_dictionaries({"goal": st.lists(EAI_NODES | EAI_EDGES), "actions": EAI_ACTIONS})


@given(EAI_GOALS)
def test_eai_goals_and_their_formulas_are_written_back(goal: Any) -> None:
    conditions = from_eai(goal)
    assert to_eai(conditions, SCENE) == goal
    if conditions:
        assert from_ltl(to_ltl(conditions, SCENE)) == conditions


def test_formulas_are_read_as_published() -> None:
    formula = (
        "(exists x0. ((READ(x0) or LOOKAT(x0))) then (HOLDS_RH(character.3, book.17) and NEXT_TO(tv.21, book.17)))"
    )
    assert from_ltl(formula) == (
        {"from": {"id": 3}, "relation": "HOLDS_RH", "to": {"id": 17}},
        {"from": {"id": 21}, "relation": "CLOSE", "to": {"id": 17}},
        {"actions": ["READ|LOOKAT"]},
    )
    assert from_ltl("exists x0. (exists x1. (POUR(x0,x1)))") == ({"actions": ["POUR"]},)
    assert from_ltl("(not ON(tv.21) and GRAB(cup.19))") == (
        {"not": {"node": {"id": 21}, "state": "ON"}},
        {"done": {"verb": "GRAB", "object": {"id": 19}}},
    )
    assert to_ltl(from_ltl("(not ON(tv.21) and GRAB(cup.19))"), SCENE) == "(not ON(tv.21) and GRAB(cup.19))"


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("(ON(tv.21) or OFF(tv.21))", "cannot express 'or' over states"),
        ("(ON(tv.21) then exists x0. (TYPE(x0)))", "a state that holds before something else"),
        ("forall x0. (ON(tv.21))", "cannot express 'forall'"),
        ("not (ON(tv.21) and OFF(tv.21))", "'not' of several"),
        ("BESIDE(tv.21, cup.19)", "no state, relation or verb"),
        ("(ON(tv.21)", r"'\)' should stand before the end"),
        ("ON(tv.21) OFF(tv.21)", "goes on with 'OFF'"),
        ("ON(tv.21) & OFF(tv.21)", "unreadable at character 10"),
        ("", "should stand before the end"),
        ("INSIDE(x0, cup.19)", "both variables and objects"),
    ],
)
def test_what_a_formula_cannot_say_is_reported(formula: str, message: str) -> None:
    with pytest.raises(GoalError, match=message):
        from_ltl(formula)


@pytest.mark.parametrize("write", [to_e2wm, to_watch_and_help, to_predicates])
def test_a_format_refuses_what_it_cannot_say(write: Any) -> None:
    with pytest.raises(GoalError, match="cannot say"):
        write([{"actions": ["TYPE"]}])


def test_the_formats_by_id_refuse_what_they_cannot_say() -> None:
    for write in (to_eai, to_ltl):
        with pytest.raises(GoalError, match="cannot say"):
            write([{"node": {"class": "tv"}, "state": "ON"}], SCENE)


# --- words


def test_goals_are_told_in_plain_words() -> None:
    cup, table = {"class": "cup"}, {"class": "table"}
    conditions = [{"node": {"class": "floor_lamp"}, "state": "ON"}, {"from": cup, "relation": "ON", "to": table}]
    assert describe(conditions) == "the floor lamp is on and a cup is on the table"
    assert describe([{"from": cup, "relation": "ON", "to": table, "count": 2}]) == "2 cups are on the table"
    assert describe([{"not": {"from": cup, "relation": "ON", "to": table}}]) == "no cup is on the table"
    assert describe([{"from": YOU, "relation": "HOLDS", "to": {"class": "apple"}}]) == "you hold an apple"
    assert describe([{"node": YOU, "state": "SITTING"}]) == "you are sitting"
    assert describe([{"node": cup, "state": "DIRTY", "count": "all"}]) == "every cup is dirty"
    assert describe([{"actions": ["TYPE", "SWITCHOFF"]}]) == "you type on something, then switch off something"
    assert describe([{"from": YOU, "relation": "CLOSE", "to": {"id": 19}}], SCENE) == "you are close to the cup"
    assert describe([{"from": {"id": 3}, "relation": "FACING", "to": {"id": 21}}], SCENE) == "you face the tv"
    assert describe([{"node": {"id": 12}, "state": "CLEAN"}]) == "number 12 is clean"
    assert describe([]) == ""


@given(st.lists(CONDITIONS, min_size=1, max_size=3))
def test_every_goal_can_be_told(conditions: list[Any]) -> None:
    for scene in (None, SCENE):
        text = describe(conditions, scene)
        assert text == " ".join(text.split())
        assert "_" not in text


def test_plurals() -> None:
    nouns = {"cup": "cups", "box": "boxes", "knife": "knives", "dish": "dishes", "berry": "berries", "tray": "trays"}
    assert {noun: plural(noun) for noun in nouns} == nouns
