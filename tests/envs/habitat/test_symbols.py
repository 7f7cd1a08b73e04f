"""A home as a household graph: the same names and ids, and plans found there that are carried out in space."""

from __future__ import annotations

from pathlib import Path

import gymnasium
import numpy as np
import pytest

from pathei.collectors.search.collector import MctsConfig, find_plan, household_search
from pathei.envs import contract
from pathei.envs.habitat.backend import AgentSettings
from pathei.envs.habitat.env import HabitatEnv
from pathei.envs.habitat.files.symbols import skills_for, symbols, write_symbols
from pathei.envs.habitat.simulator.embedded import EmbeddedBackend
from pathei.envs.habitat.tasks import generate_one
from pathei.envs.habitat.world import HomeWorld
from pathei.envs.model import model_of


@pytest.fixture(scope="module")
def world() -> HomeWorld:
    return HomeWorld(EmbeddedBackend(AgentSettings()), "home:1:3")


def test_kinds_rooms_and_facts_are_those_of_the_home(world: HomeWorld) -> None:
    env = HabitatEnv(scene="home:1:3")
    _, info = env.reset(seed=0)
    graph, facts = symbols(world), info["facts"]["graph"]
    assert {node["id"]: node["class_name"] for node in graph["nodes"] if node["class_name"] != "doorjamb"} == {
        node[0]: node[1] for node in facts["nodes"]
    }
    doors = {node["id"] for node in graph["nodes"] if node["class_name"] == "doorjamb"}
    said = {
        (edge["from_id"], edge["relation_type"], edge["to_id"])
        for edge in graph["edges"]
        if edge["relation_type"] not in ("CLOSE", "BETWEEN") and edge["from_id"] not in doors and edge["from_id"] != 1
    }
    assert said == {tuple(edge) for edge in facts["edges"] if edge[0] != 1}
    assert {node["id"]: node["states"] for node in graph["nodes"] if node["states"]} == {
        node[0]: node[2] for node in facts["nodes"] if node[2]
    }


@pytest.mark.parametrize("number", [0, 1, 5])
def test_a_plan_found_in_symbols_is_carried_out_in_space(number: int, tmp_path: Path) -> None:
    task = generate_one("rearrange", 2, number)
    env = contract.make(task)
    contract.reset(env, task)
    home = env.unwrapped
    assert isinstance(home, HabitatEnv)
    write_symbols(home.world, tmp_path / "home.json")
    household = gymnasium.make("pathei/VirtualHome-v0", scene=str(tmp_path / "home.json"))
    household.reset(seed=0, options={"goal": {"text": "", "conditions": list(task.goal.conditions)}})
    config = MctsConfig(household_search(simulations=2_000, depth=30))
    found = find_plan(model_of(household.unwrapped), config, np.random.default_rng(0))
    assert found.result.success
    plan = [household.unwrapped.model().text(action) for action in found.plan]  # type: ignore[attr-defined]
    for skill in skills_for(plan, home.world):
        assert home.act(skill).error is None, (skill, plan)
    assert home.success


def test_one_hand_carries_what_two_would(world: HomeWorld) -> None:
    nodes = {node["prefab_name"]: node["id"] for node in symbols(world)["nodes"]}
    lines = [("Walk", "clock"), ("Grab", "clock"), ("Walk", "teddy_bear"), ("Grab", "teddy_bear"), ("Walk", "couch")]
    plan = [f"[{verb}] <{name}> ({nodes[name]})" for verb, name in lines]
    plan += [f"[PutBack] <{name}> ({nodes[name]}) <couch> ({nodes['couch']})" for name in ("clock", "teddy_bear")]
    assert skills_for([*plan, "[Sit] <couch> (1)", "nonsense"], world) == [
        "go to clock", "pick clock", "go to couch", "place clock on couch",
        "go to teddy_bear", "pick teddy_bear", "go to couch", "place teddy_bear on couch",
    ]  # fmt: skip
