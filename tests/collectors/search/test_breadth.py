"""Breadth-first search: shortest plans, its limits, and the collector in real environments."""

import gymnasium
import networkx as nx  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.collectors.checks import check_collector
from pathei.collectors.options import PlaySettings
from pathei.collectors.registry import make_collector
from pathei.collectors.search.breadth import shortest_plan
from pathei.collectors.search.collector import MctsConfig, find_plan
from pathei.collectors.search.config import SearchConfig
from pathei.envs.model import EnvModel
from pathei.envs.registry import get_demonstration, get_env
from pathei.errors import ConfigError
from pathei.experience import Failure, Trajectory
from pathei.tests.support.search_worlds import Move, Table


@given(st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=30))
def test_plans_are_as_short_as_networkx_finds_them(edges: set[tuple[int, int]]) -> None:
    moves = {a: {f"to {b}": Move(b) for x, b in sorted(edges) if x == a} for a in range(9)}
    graph = nx.DiGraph([*edges, (0, 0), (8, 8)])
    found = shortest_plan(Table(moves, goal=lambda state: state == 8), states=100, depth=20)
    if nx.has_path(graph, 0, 8):
        assert found.plan is not None
        assert len(found.plan) == nx.shortest_path_length(graph, 0, 8)
    else:
        assert found.plan is None


def test_its_limits_hold() -> None:
    line = {n: {"on": Move(n + 1)} for n in range(50)}
    assert shortest_plan(Table(line, goal=lambda state: state == 9), states=100, depth=8).plan is None
    limited = shortest_plan(Table(line, goal=lambda state: state == 9), states=5, depth=50)
    assert (limited.plan, limited.states) == (None, 5)
    with pytest.raises(ConfigError, match="states"):
        make_collector("breadth", PlaySettings(), states=0)


def test_the_taxi_arrives_by_a_shortest_way() -> None:
    play = PlaySettings(env="taxi", steps=40)
    tasks = get_env("taxi").generate_tasks(8, 0)
    records = list(make_collector("breadth", play).collect(tasks))
    for record, task in zip(records, tasks, strict=True):
        assert isinstance(record, Trajectory)
        assert record.success
        assert len(record.steps) == len(get_demonstration(task))
        assert record.provenance["search"]["states"] <= 500


def test_what_is_out_of_reach_is_a_failure() -> None:
    (record,) = make_collector("breadth", PlaySettings(env="taxi", steps=2)).collect(
        get_env("taxi").generate_tasks(1, 0)
    )
    assert isinstance(record, Failure)
    assert "No plan of at most 2 steps" in record.error


def test_it_keeps_the_contract_of_collectors() -> None:
    tasks = get_env("taxi").generate_tasks(3, 1)
    check_collector(lambda: make_collector("breadth", PlaySettings(env="taxi", steps=40)), tasks)


@pytest.mark.parametrize("level", ["MiniGrid-DoorKey-6x6-v0", "MiniGrid-FourRooms-v0"])
def test_a_tree_search_of_a_sparse_goal_costs_no_more_than_three_times_breadth_first(level: str) -> None:
    pytest.importorskip("minigrid")
    costs = []
    for search in (False, True):
        env = gymnasium.make("pathei/MiniGrid-v0", level=level)
        observation, info = env.reset(seed=3)
        model = EnvModel(env, info, observation=observation)
        if search:
            config = MctsConfig(SearchConfig(2000, depth=40, selection="puct", stop_on_success=True))
            found = find_plan(model, config, np.random.default_rng(0)).result
            assert found.success
            costs.append(found.env_steps)
        else:
            shortest = shortest_plan(model, states=10_000, depth=40)
            assert shortest.plan is not None
            costs.append(shortest.env_steps)
        env.close()
    assert costs[1] <= 3 * costs[0]
