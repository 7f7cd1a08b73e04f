"""What a character perceives and how it is told: everything in view once and by its id, and nothing else."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.envs.virtualhome.engine.profiles import PROFILES, rules_named
from pathei.envs.virtualhome.engine.rules import EngineAction
from pathei.envs.virtualhome.engine.scene import Scene, bits
from pathei.envs.virtualhome.engine.vocabulary import INSIDE, ON
from pathei.envs.virtualhome.engine.world import World
from pathei.envs.virtualhome.houses.generate import generate_house
from pathei.envs.virtualhome.language.observation import describe, nameable, visible

IDS = re.compile(r"\(([\d, ]+)\)")

Edges = list[tuple[int, str, int]]


def home(edges: Edges, states: dict[int, str] | None = None, rules: str = "clean") -> World:
    """A kitchen (1), a bedroom (2), a door (3), two people (10, 11) in the kitchen, and whatever the edges name."""
    names = {1: "kitchen", 2: "bedroom", 3: "door", 10: "character", 11: "character"}
    names |= {20: "table", 21: "plate", 22: "apple", 23: "box", 24: "key_ring", 25: "shirt", 26: "floor", 27: "chair"}
    graph = {
        "nodes": [
            {
                "id": number,
                "class_name": name,
                "category": {1: "Rooms", 2: "Rooms", 26: "Floor"}.get(number, "Things"),
                "properties": [],
                "states": (states or {}).get(number, "").split(),
            }
            for number, name in names.items()
        ],
        "edges": [
            {"from_id": a, "relation_type": r, "to_id": b}
            for a, r, b in [(n, "INSIDE", 1) for n in (3, 10, 11)] + [(3, "BETWEEN", 1), (3, "BETWEEN", 2)] + edges
        ],
    }
    return World(Scene.from_graph(graph), rules_named(rules))


def told(world: World, who: int = 0) -> str:
    return describe(world, world.characters[who])


def line(text: str, start: str) -> str:
    """The one line of a description that begins so."""
    (found,) = [row for row in text.split("\n") if row.startswith(start)]
    return found


def ids_in(text: str) -> list[int]:
    return [int(number) for group in IDS.findall(text) for number in group.split(",")]


# --- the sentences


def test_an_empty_kitchen() -> None:
    assert told(home([])) == (
        "You are in the kitchen (1). Your hands are empty.\n"
        "- character (11)\n"
        "- door (3) to the bedroom (2)\n"
        "Other rooms: bedroom (2)."
    )


def test_what_is_on_and_in_things_is_told_with_them_to_any_depth() -> None:
    edges: Edges = [(n, "INSIDE", 1) for n in (20, 21, 22, 23, 24)]
    edges += [(21, "ON", 20), (22, "ON", 21), (23, "ON", 20), (24, "INSIDE", 23)]
    text = told(home(edges, {20: "DIRTY", 23: "OPEN", 22: "CLEAN"}))
    assert line(text, "- table") == "- table (20): dirty; on it: plate (21) [apple (22)], box (23) open [key ring (24)]"


def test_what_is_in_and_what_is_on_a_thing_are_told_apart() -> None:
    edges: Edges = [(n, "INSIDE", 1) for n in (20, 21, 22)] + [(21, "ON", 20), (22, "INSIDE", 20)]
    assert line(told(home(edges)), "- table") == "- table (20); on it: plate (21); in it: apple (22)"


def test_what_is_closed_hides_what_is_in_it_and_shows_what_is_on_it() -> None:
    edges: Edges = [(n, "INSIDE", 1) for n in (21, 22, 23)] + [(21, "ON", 23), (22, "INSIDE", 23)]
    text = told(home(edges, {23: "CLOSED"}))
    assert line(text, "- box") == "- box (23): closed; on it: plate (21)"
    assert "apple" not in text


def test_hands_are_told_with_states_and_contents_and_not_again() -> None:
    edges: Edges = [(n, "INSIDE", 1) for n in (21, 22, 23, 24)]
    edges += [(10, "HOLDS_RH", 21), (10, "HOLDS_LH", 23), (22, "ON", 21), (24, "INSIDE", 23)]
    text = told(home(edges, {21: "DIRTY", 23: "CLOSED"}))
    first = text.split("\n")[0]
    assert first == (
        "You are in the kitchen (1). You hold plate (21) dirty [apple (22)] in your right hand "
        "and box (23) closed in your left hand."
    )
    assert text.count("plate") == text.count("apple") == 1
    assert "key ring" not in text


def test_clothes_and_posture_are_told() -> None:
    edges: Edges = [(25, "INSIDE", 1), (25, "ON", 10), (27, "INSIDE", 1), (10, "ON", 27)]
    text = told(home(edges, {10: "SITTING"}))
    assert text.startswith(
        "You are in the kitchen (1). You are sitting on chair (27). Your hands are empty. You wear shirt (25).\n"
    )


def test_others_are_told_with_what_they_hold_and_wear() -> None:
    edges: Edges = [(n, "INSIDE", 1) for n in (21, 22, 25)]
    edges += [(11, "HOLDS_LH", 21), (22, "ON", 21), (25, "ON", 11)]
    text = told(home(edges, {11: "LYING"}))
    assert line(text, "- character") == "- character (11): lying; holding: plate (21) [apple (22)]; wearing: shirt (25)"


def test_somebody_on_a_chair_is_told_with_the_chair() -> None:
    edges: Edges = [(27, "INSIDE", 1), (11, "ON", 27), (21, "INSIDE", 1), (11, "HOLDS_RH", 21)]
    text = told(home(edges, {11: "SITTING"}))
    assert line(text, "- chair") == "- chair (27); on it: character (11) sitting [plate (21)]"


def test_doors_say_where_they_lead_from_either_side() -> None:
    world = home([(11, "INSIDE", 2)], {3: "CLOSED"})
    world.unlink(world.scene.index[11], INSIDE, world.scene.index[1])
    assert line(told(world, 0), "- door") == "- door (3) to the bedroom (2), closed"
    assert line(told(world, 1), "- door") == "- door (3) to the kitchen (1), closed"


def test_walls_and_floors_come_last_and_in_groups() -> None:
    edges: Edges = [(26, "INSIDE", 1), (21, "INSIDE", 1), (21, "ON", 26), (10, "CLOSE", 21), (21, "CLOSE", 10)]
    rows = told(home(edges)).split("\n")
    assert rows[-3:] == ["Around you: floor (26).", "Other rooms: bedroom (2).", "Close to you: plate (21)."]
    assert "- plate (21)" in rows


def test_things_in_a_circle_are_told_all_the_same() -> None:
    edges: Edges = [(20, "INSIDE", 1), (21, "INSIDE", 1), (20, "INSIDE", 21), (21, "INSIDE", 20), (22, "INSIDE", 22)]
    text = told(home([*edges, (22, "INSIDE", 1)]))
    assert {20, 21, 22} <= set(ids_in(text))


def test_one_who_is_nowhere_is_told_so() -> None:
    world = home([])
    world.unlink(world.scene.index[10], INSIDE, world.scene.index[1])
    assert told(world) == "You are nowhere. Your hands are empty.\nOther rooms: kitchen (1), bedroom (2)."


def test_states_of_ones_own_are_told_in_their_own_words() -> None:
    rules = rules_named("clean").extended(states=("FRESHLY_PAINTED",))
    graph = home([(20, "INSIDE", 1)]).to_graph()
    next(n for n in graph["nodes"] if n["id"] == 20)["states"] = ["FRESHLY_PAINTED"]
    world = World(Scene.from_graph(graph, extra_states=rules.extra_states), rules)
    assert line(told(world), "- table") == "- table (20): freshly painted"


# --- in any house, after any walk

choices = st.lists(st.integers(0, 10**6), max_size=30)


def walked(seed: int, rules: str, picks: list[int], characters: int = 2) -> World:
    graph = generate_house(seed, characters=characters, size="small")
    world = World(Scene.from_graph(graph), rules_named(rules))
    for turn, pick in enumerate(picks):
        character = world.characters[turn % characters]
        actions = world.admissible(character)
        verbs = sorted({action.verb for action in actions})
        of_verb = [action for action in actions if action.verb == verbs[pick % len(verbs)]]
        world.act(of_verb[pick // len(verbs) % len(of_verb)], character)
    return world


def shut_away(world: World, n: int) -> bool:
    """Anything around the node is closed around it; found by climbing."""
    trail, seen = [n], {n}
    while trail:
        node = trail.pop()
        inside = [h for h in bits(world.out[INSIDE][node]) if not world.scene.rooms >> h & 1]
        if any("CLOSED" in world.states_of(holder) for holder in inside):
            return True
        trail += [x for x in (*inside, *bits(world.out[ON][node])) if x not in seen]
        seen.update(trail)
    return False


@settings(max_examples=60)
@given(st.integers(0, 500), st.sampled_from(sorted(PROFILES)), choices)
def test_what_is_told_is_exactly_what_may_be_named(seed: int, rules: str, picks: list[int]) -> None:
    world = walked(seed, rules, picks)
    for character in world.characters:
        text = describe(world, character)
        named = {world.scene.index[number] for number in ids_in(text)}
        assert named | {character} == set(bits(nameable(world, character)))
        for n in named:
            label = world.scene.labels[n]
            assert label in text or re.search(rf"{label.split(' (')[0]} \([\d, ]*\b{world.scene.ids[n]}\b", text), label


@settings(max_examples=60)
@given(st.integers(0, 500), choices)
def test_what_is_shut_away_or_elsewhere_is_not_told(seed: int, picks: list[int]) -> None:
    world = walked(seed, "clean", picks)
    for character in world.characters:
        here = world.rules.room_of(world, character)
        seen = set(ids_in(describe(world, character)))
        for n in range(world.size):
            if shut_away(world, n) or (
                world.rules.room_of(world, n) != here and not world.scene.rooms >> n & 1 and not _is_door(world, n)
            ):
                assert world.scene.ids[n] not in seen, world.scene.labels[n]


def _is_door(world: World, n: int) -> bool:
    return bool(world.doorways.doors >> n & 1)


@settings(max_examples=40)
@given(st.integers(0, 500), choices)
def test_each_thing_is_told_in_one_place(seed: int, picks: list[int]) -> None:
    world = walked(seed, "clean", picks)
    text = describe(world, world.characters[0])
    things = "\n".join(row for row in text.split("\n") if not row.startswith(("Other rooms", "Close to you")))
    things = re.sub(r"(to the|You are \w+ on) [\w ]+ \(\d+\)", "", things)
    numbers = ids_in(things)
    assert len(numbers) == len(set(numbers))


@settings(max_examples=40)
@given(st.integers(0, 500), st.sampled_from(sorted(PROFILES)), choices)
def test_telling_changes_nothing_and_is_repeated_word_for_word(seed: int, rules: str, picks: list[int]) -> None:
    world = walked(seed, rules, picks)
    before = [list(table) for table in world.tables], world.version
    texts = [describe(world, character) for character in world.characters * 2]
    assert ([list(table) for table in world.tables], world.version) == before
    assert texts[: len(world.characters)] == texts[len(world.characters) :]


def test_opening_something_shows_what_is_in_it() -> None:
    world = World(Scene.from_graph(generate_house(0)), rules_named("clean"))
    me, fridge = world.characters[0], world.scene.of_class["fridge"].bit_length() - 1
    inside = world.into[INSIDE][fridge]
    assert inside
    assert world.act(EngineAction("WALK", fridge)) is None
    assert not visible(world, me) & inside
    assert world.act(EngineAction("OPEN", fridge)) is None
    assert visible(world, me) & inside == inside
    assert world.act(EngineAction("CLOSE", fridge)) is None
    assert not visible(world, me) & inside
