"""The tasks of the 2 x 2: houses with places of their own, and whether facts of a house are needed."""

from __future__ import annotations

from pathlib import Path

import orjson

from pathei.agents.lm.backends import Conversation, Message, ModelRequest
from pathei.benchmarks.agents.cell_tasks import HOME, ByHeart, Needs, cells, own_house, visit
from pathei.envs.verbalizer import ask_for_place
from pathei.envs.virtualhome.engine.scene import Scene
from pathei.envs.virtualhome.houses.generate import generate_house
from pathei.experience import Goal, Task
from pathei.memory import open_memory

ENV = "pathei/VirtualHome-v0"


def places(graph: dict[str, list[dict[str, object]]]) -> dict[object, set[object]]:
    found: dict[object, set[object]] = {}
    for edge in graph["edges"]:
        if edge["relation_type"] in ("ON", "INSIDE"):
            found.setdefault(edge["from_id"], set()).add(edge["to_id"])
    return found


def test_a_house_of_its_own_has_the_same_things_in_other_places() -> None:
    own, usual = own_house(65), generate_house(65)
    assert own["nodes"] == usual["nodes"]
    assert own == own_house(65)
    before, after = places(usual), places(own)
    moved = {thing for thing in before if before[thing] != after[thing]}
    assert 10 < len(moved) < 35
    rooms = {node["id"] for node in own["nodes"] if node["category"] == "Rooms"}
    assert all(len(after[thing] & rooms) == 1 for thing in after)
    Scene.from_graph(own, where="own")


def test_the_reference_goes_by_the_notes_from_the_first_on() -> None:
    known = ["Here the cup is in the bathroom cabinet, in the bathroom.", "A cup is kept in a sink."]
    asked = Conversation((Message("user", ask_for_place("cup", HOME, known)),))
    for among, wanted in (
        (("kitchen.", "bathroom."), "bathroom."),
        (("sink.", "bathroom cabinet."), "bathroom cabinet."),
    ):
        [reply] = ByHeart(()).generate([ModelRequest(asked, among=among)])
        assert reply.text == wanted


def test_facts_are_needed_for_what_is_out_of_the_way_and_not_for_what_is_in_view(tmp_path: Path) -> None:
    graph = own_house(70)
    path = tmp_path / "house.json"
    path.write_bytes(orjson.dumps(graph))
    names = {node["id"]: node["class_name"] for node in graph["nodes"]}
    [you] = [id_ for id_, name in names.items() if name == "character"]
    kinds = {node["id"]: node["category"] for node in graph["nodes"]}
    rooms = {edge["from_id"]: edge["to_id"] for edge in graph["edges"] if kinds[edge["to_id"]] == "Rooms"}
    needs = {}
    with open_memory(tmp_path / "memory", embedder="ngrams", create=True) as memory:
        things = [id_ for id_ in names if id_ >= 100 and list(names.values()).count(names[id_]) == 1]
        for thing in things[:6]:
            script = (f"[Walk] <{names[thing]}> ({thing})",)
            near = {"from": {"class": "character"}, "relation": "CLOSE", "to": {"id": thing}}
            goal = Goal(f"walk to the {HOME.noun(names[thing])}", (near,))
            task = Task(f"walk-{thing}", ENV, 1, goal, {"scene": str(path)})
            needs[thing] = Needs(memory).needed(task, script, 4)
            assert not list(memory.query("where", 4))  # it is left as it was
            assert len(list(visit(task, str(path), 0, moved=0.0))) > 40
    assert all(needs[thing] is not True for thing in needs if rooms[thing] == rooms[you])
    assert True in needs.values()
    assert False in needs.values()


def test_tasks_that_were_found_are_kept_and_more_are_found_where_the_search_ended(tmp_path: Path) -> None:
    with open_memory(tmp_path / "memory", embedder="ngrams", create=True) as memory:
        one = cells(1, memory, tmp_path, 750)
        assert {task.group for task in one} == {
            f"facts {needed}, {words} words" for needed in ("needed", "not needed") for words in ("known", "other")
        }
        kept = (tmp_path / "cells.jsonl").read_bytes()
        assert cells(1, memory, tmp_path, 750) == one
        assert (tmp_path / "cells.jsonl").read_bytes() == kept
        two = cells(2, memory, tmp_path, 750)
        assert two[:4] == one
        assert len({(task.task.id, task.task.goal.text) for task in two}) == 8
        assert (tmp_path / "cells.jsonl").read_bytes().startswith(kept)
