"""Reading households: what a graph may look like, and one sentence for each fault that it may have."""

import contextlib
import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.envs.virtualhome.engine.profiles import rules_named
from pathei.envs.virtualhome.engine.scene import Scene, bits
from pathei.envs.virtualhome.engine.vocabulary import ON
from pathei.envs.virtualhome.houses.generate import generate_house
from pathei.envs.virtualhome.houses.scenes import load_scene
from pathei.errors import ConfigError, GraphError, PatheiError

Graph = dict[str, Any]


def small() -> Graph:
    return {
        "nodes": [
            {"id": 7, "class_name": "table", "category": "Furniture", "properties": ["SURFACES"], "states": []},
            {"id": 1, "class_name": "kitchen", "category": "Rooms", "properties": [], "states": []},
            {"id": 3, "class_name": "character", "category": "Characters", "properties": [], "states": []},
            {"id": 12, "class_name": "desk_lamp", "category": "Lamps", "properties": ["HAS_SWITCH"], "states": ["OFF"]},
        ],
        "edges": [
            {"from_id": 3, "relation_type": "INSIDE", "to_id": 1},
            {"from_id": 12, "relation_type": "ON", "to_id": 7},
            {"from_id": 12, "relation_type": "ON", "to_id": 7},
        ],
    }


# --- what is read


def test_nodes_are_indexed_in_order_of_id() -> None:
    scene = Scene.from_graph(small())
    assert scene.ids == (1, 3, 7, 12)
    assert scene.classes == ("kitchen", "character", "table", "desk_lamp")
    assert [scene.index[number] for number in scene.ids] == [0, 1, 2, 3]
    assert scene.characters == (1,)
    assert scene.rooms == 0b0001
    assert scene.everything == 0b1111
    assert scene.labels[3] == "desk lamp (12)"
    assert scene.name(3) == "<desk_lamp> (12)"


def test_an_edge_that_is_written_twice_counts_once() -> None:
    assert [edge for edge in Scene.from_graph(small()).edges if edge.relation == ON] == [(3, ON, 2)]


def test_of_two_nodes_with_one_id_the_last_counts() -> None:
    graph = small()
    graph["nodes"].append({**graph["nodes"][0], "class_name": "stool"})
    assert Scene.from_graph(graph).classes[2] == "stool"


def test_words_are_read_in_any_case_and_lists_may_be_missing() -> None:
    graph = small()
    graph["nodes"][3] |= {"properties": ["has_switch"], "states": ["off"]}
    graph["edges"][1]["relation_type"] = "on"
    del graph["nodes"][1]["properties"], graph["nodes"][1]["states"], graph["nodes"][0]["category"]
    scene = Scene.from_graph(graph)
    assert scene.having["HAS_SWITCH"] == 0b1000
    assert scene.edges[1].relation == ON


def test_class_names_are_read_as_script_lines_write_them() -> None:
    graph = small()
    graph["nodes"][3]["class_name"] = "Desk Lamp"
    scene = Scene.from_graph(graph)
    assert scene.classes[3] == "desk_lamp"
    assert scene.nodes[3]["class_name"] == "Desk Lamp", "the record stays as it was read"


def test_what_no_rule_reads_is_kept_in_the_records() -> None:
    graph = small()
    graph["nodes"][0]["bounding_box"] = {"center": [1.0, 2.0, 3.0]}
    assert Scene.from_graph(graph).nodes[2]["bounding_box"] == {"center": [1.0, 2.0, 3.0]}


def test_reading_changes_nothing_in_the_graph() -> None:
    graph = generate_house(4)
    before = copy.deepcopy(graph)
    Scene.from_graph(graph)
    assert graph == before


def test_a_file_may_hold_a_graph_or_the_two_graphs_of_robothow(tmp_path: Path) -> None:
    plain, pair = tmp_path / "plain.json", tmp_path / "pair.json"
    plain.write_bytes(orjson.dumps(small()))
    pair.write_bytes(orjson.dumps({"init_graph": small(), "final_graph": {}}))
    assert Scene.from_file(plain).ids == Scene.from_file(str(pair)).ids == (1, 3, 7, 12)


def test_declared_properties_and_states_are_read() -> None:
    graph = small()
    graph["nodes"][0] |= {"properties": ["SURFACES", "paintable"], "states": ["PAINTED"]}
    scene = Scene.from_graph(graph, extra_properties=["PAINTABLE"], extra_states=["PAINTED", "PAINTED", "ON"])
    assert scene.having["PAINTABLE"] == 0b0100
    assert scene.state_names[10:] == ("PAINTED",)
    assert scene.states[10] == 0b0100


@given(st.integers(0, 2**80))
def test_bits_are_the_places_of_the_ones(bitset: int) -> None:
    places = list(bits(bitset))
    assert places == sorted(places)
    assert sum(1 << place for place in places) == bitset


# --- faults


def node(index: int, **fields: Any) -> Callable[[Graph], None]:
    return lambda graph: graph["nodes"][index].update(fields)


def edge(**fields: Any) -> Callable[[Graph], None]:
    return lambda graph: graph["edges"][1].update(fields)


def without(kind: str, index: int, key: str) -> Callable[[Graph], None]:
    return lambda graph: graph[kind][index].pop(key)


def entry(kind: str, index: int, value: Any) -> Callable[[Graph], None]:
    return lambda graph: graph[kind].__setitem__(index, value)


FAULTS: list[tuple[Callable[[Graph], None], str]] = [
    (lambda graph: graph.pop("edges"), "is an object with the lists 'nodes' and 'edges'"),
    (lambda graph: graph.update(nodes={}), "is an object with the lists 'nodes' and 'edges'"),
    (entry("nodes", 2, "cup"), "Node number 2 of home.json needs a whole number 'id'"),
    (without("nodes", 0, "id"), "Node number 0 of home.json needs a whole number 'id'"),
    (node(0, id="7"), "Node number 0 of home.json needs a whole number 'id'"),
    (node(0, id=7.0), "Node number 0 of home.json needs a whole number 'id'"),
    (node(0, id=True), "Node number 0 of home.json needs a whole number 'id'"),
    (node(0, id=-7), "Node number 0 of home.json needs a whole number 'id'"),
    (without("nodes", 0, "class_name"), "and a string 'class_name'"),
    (node(0, class_name=5), "and a string 'class_name'"),
    (node(0, class_name=""), "class name"),
    (node(0, class_name="cup> (9) <b"), "class name"),
    (node(0, class_name="cup\nof tea"), "class name"),
    (node(0, class_name="{0.__class__}"), "class name"),
    (node(0, properties="SURFACES"), "node 7 (table) of home.json needs a list of words as 'properties'"),
    (node(0, states=5), "node 7 (table) of home.json needs a list of words as 'states'"),
    (node(0, properties=["SURFACE"]), "has the unknown property 'SURFACE'; did you mean SURFACES?"),
    (node(0, properties=[None]), "has the unknown property None"),
    (node(3, states=["BROKEN_BEYOND_REPAIR"]), "has the unknown state 'BROKEN_BEYOND_REPAIR'; known are: CLOSED, OPEN"),
    (node(1, category="Room"), "There is no room (a node of category 'Rooms') in home.json"),
    (node(2, class_name="person"), "There is no character in home.json"),
    (entry("edges", 1, [12, "ON", 7]), "edge number 1 of home.json needs 'from_id', 'relation_type' and 'to_id'"),
    (entry("edges", 1, None), "edge number 1 of home.json needs 'from_id', 'relation_type' and 'to_id'"),
    (without("edges", 1, "to_id"), "edge number 1 of home.json needs 'from_id', 'relation_type' and 'to_id'"),
    (edge(to_id=8), "edge number 1 of home.json names node 8, and there is no such node"),
    (edge(from_id="12"), "edge number 1 of home.json names node '12', and there is no such node"),
    (edge(from_id=[12]), "edge number 1 of home.json names node [12], and there is no such node"),
    (edge(relation_type="ABOVE"), "edge number 1 of home.json has the unknown relation 'ABOVE'; known are: ON"),
    (edge(relation_type=3), "edge number 1 of home.json has the unknown relation 3"),
]


@pytest.mark.parametrize(("spoil", "expected"), FAULTS)
def test_each_fault_is_named_in_one_sentence(spoil: Callable[[Graph], None], expected: str) -> None:
    graph = small()
    spoil(graph)
    with pytest.raises(GraphError) as caught:
        Scene.from_graph(graph, where="home.json")
    message = str(caught.value)
    assert expected in message
    assert "\n" not in message
    assert message[-1] in ".?"
    assert message[0].isupper()


@pytest.mark.parametrize("graph", [None, 5, "graph", [], {}, {"init_graph": small()}])
def test_what_is_no_graph_at_all_is_refused(graph: Any) -> None:
    with pytest.raises(GraphError, match="the lists 'nodes' and 'edges'"):
        Scene.from_graph(graph)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "is not JSON"),
        (b'{"nodes": [}', "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b'{"init_graph": []}', "the lists 'nodes' and 'edges'"),
    ],
)
def test_a_file_that_is_no_graph_is_named(tmp_path: Path, data: bytes, expected: str) -> None:
    path = tmp_path / "home.json"
    path.write_bytes(data)
    with pytest.raises(GraphError, match=expected) as caught:
        Scene.from_file(path)
    assert "home.json" in str(caught.value)


@pytest.mark.parametrize("name", ["nowhere.json", ".", "a\0b", "x" * 5000])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(GraphError, match="cannot be read"):
        Scene.from_file(tmp_path / name)


json = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 15) | st.floats(allow_nan=False) | st.sampled_from(["ON", "id", "{0}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "nodes", "edges"]), inner),
    max_leaves=5,
)


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([*small()["nodes"][0], "x"]), json), max_size=3), json)
def test_whatever_stands_in_a_graph_it_is_read_or_refused(spoilt: list[tuple[int, str, Any]], more: Any) -> None:
    graph = small()
    for index, key, value in spoilt:
        graph["nodes"][index][key] = value
    graph["edges"].append(more)
    with contextlib.suppress(GraphError):
        Scene.from_graph(graph)


# --- by name


def test_a_scene_is_named_by_the_seed_of_a_house() -> None:
    rules = rules_named("clean")
    one, same = load_scene("house:7", rules), load_scene("house:7", rules)
    assert (one.ids, one.edges, one.states) == (same.ids, same.edges, same.states)
    assert load_scene("house:8", rules).edges != one.edges
    assert len(load_scene("house:7", rules, characters=2).characters) == 2
    assert len(load_scene("house:7", rules, size="large").ids) > len(one.ids)


def test_a_scene_is_named_by_the_path_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "home.json"
    path.write_bytes(orjson.dumps(small()))
    assert load_scene(str(path), rules_named("v1")).ids == (1, 3, 7, 12)


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("house:", {}, "named by its seed"),
        ("house:-1", {}, "named by its seed"),
        ("house:seven", {}, "named by its seed"),
        ("house:\u0667", {}, "named by its seed"),
        ("house:" + "9" * 5000, {}, "named by its seed"),
        ("home.json", {"characters": 2}, "for generated houses"),
        ("house:7", {"size": "huge"}, "its size is one of"),
        ("house:7", {"characters": 0}, "1 to 4 characters live in it"),
        (7, {}, "name of a scene is a string"),
    ],
)
def test_a_scene_that_cannot_be_is_refused(name: Any, options: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        load_scene(name, rules_named("clean"), **options)


def test_an_unknown_path_is_a_fault_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(PatheiError, match="cannot be read"):
        load_scene(str(tmp_path / "nowhere.json"), rules_named("clean"))


def test_unknown_rules_suggest_the_nearest() -> None:
    with pytest.raises(PatheiError, match=r"There is no rule profile 'clear'; did you mean 'clean'\?"):
        rules_named("clear")
