"""The collector of searched plans: what it stores was lived, with its cost, and with the tree if asked."""

from __future__ import annotations

import dataclasses

import gymnasium
import numpy as np
import pytest

from pathei.collectors.checks import check_collector
from pathei.collectors.search.collector import MctsConfig, find_plan, make_searcher
from pathei.collectors.search.config import SearchConfig
from pathei.envs import contract
from pathei.envs.virtualhome.tasks.generate import generate_tasks
from pathei.experience import Failure, Goal, Task, Trajectory
from pathei.store import ExperienceStore
from pathei.tests.support.lantern import lantern_task

SMALL = MctsConfig(SearchConfig(simulations=400, depth=20, selection="puct", exploration=0.5, stop_on_success=True))
TASKS = generate_tasks(12, seed=3)


def lake(id_: str = "lake") -> Task:
    """A third-party world without snapshots of its own."""
    return Task(id_, "FrozenLake-v1", 0, Goal("reach the present"))


@pytest.fixture(scope="module")
def records() -> list[Trajectory | Failure]:
    """What the collector yields for a few households."""
    return list(make_searcher(SMALL).collect(TASKS))


def test_the_collector_keeps_its_contract() -> None:
    check_collector(lambda: make_searcher(SMALL), TASKS[:3])


def test_most_goals_are_reached_and_each_trajectory_was_lived_to_that_end(
    records: list[Trajectory | Failure],
) -> None:
    assert [record.task.id for record in records] == [task.id for task in TASKS]
    lived = [record for record in records if isinstance(record, Trajectory)]
    assert sum(bool(record.success) for record in lived) >= 10
    for record in lived:
        env = contract.make(record.task)
        contract.reset(env, record.task)
        info = {}
        for step in record.steps:
            _, reward, _, _, info = env.step(step.action)
            assert reward == step.reward
        assert info.get("success", False) == bool(record.success)


def test_the_search_cost_is_kept(records: list[Trajectory | Failure]) -> None:
    for record in records:
        assert isinstance(record, Trajectory)
        cost = record.provenance["search"]
        assert cost["env_steps"] >= cost["plan_length"]
        assert cost["plan_length"] >= len(record.steps)


def test_the_same_seed_gives_the_same_plans_whatever_was_played_before() -> None:
    alone = [next(iter(make_searcher(SMALL, seed=5).collect([task]))) for task in TASKS[:4]]
    together = list(make_searcher(SMALL, seed=5).collect(reversed(TASKS[:4])))
    actions = {r.task.id: [s.action for s in r.steps] for r in together if isinstance(r, Trajectory)}
    assert actions == {r.task.id: [s.action for s in r.steps] for r in alone if isinstance(r, Trajectory)}


def test_a_kept_tree_is_branches_that_expand_to_lived_episodes(tmp_path: object) -> None:
    config = dataclasses.replace(
        SMALL,
        keep_tree=True,
        search=dataclasses.replace(SMALL.search, simulations=60, stop_on_success=False),
    )
    task = TASKS[0]
    root, *branches = list(make_searcher(config).collect([task]))
    assert isinstance(root, Trajectory)
    assert branches
    with ExperienceStore.open(str(tmp_path)) as store:
        store.append(root, *branches)
        assert store.done() == {task.id}
        env = contract.make(task)
        for branch in branches:
            assert isinstance(branch, Trajectory)
            assert branch.parent is not None
            whole = store.expand(branch)
            assert len(whole.steps) == branch.parent.step + len(branch.steps)
            observation, info = contract.reset(env, task)
            for step in whole.steps:
                assert contract.observe(observation, info).text == step.observation.text
                observation, _, _, _, info = env.step(step.action)
            assert contract.observe(observation, info).text == branch.final.text


def test_no_edge_of_the_tree_is_recorded_twice() -> None:
    config = dataclasses.replace(
        SMALL, keep_tree=True, search=dataclasses.replace(SMALL.search, simulations=60, stop_on_success=False)
    )
    _, *branches = list(make_searcher(config).collect([TASKS[1]]))
    first = [(b.parent, b.steps[0].action) for b in branches if isinstance(b, Trajectory)]
    assert len(set(first)) == len(first)


def test_a_world_without_snapshots_is_searched_by_verified_replay() -> None:
    config = MctsConfig(SearchConfig(simulations=600, depth=20), prior="none", minimise=False)
    made = gymnasium.make("FrozenLake-v1", is_slippery=False)
    gymnasium.register("FirmLake-v0", entry_point=lambda: made.unwrapped, max_episode_steps=30)
    [record] = make_searcher(config).collect([dataclasses.replace(lake(), env="FirmLake-v0")])
    assert isinstance(record, Trajectory)
    assert record.total_reward == 1.0


def test_a_world_that_lists_its_actions_is_searched() -> None:
    """The lantern of the tests lists them in its info, and offers no model of its own."""
    config = MctsConfig(SearchConfig(simulations=50, depth=5), prior="none", minimise=False)
    [record] = make_searcher(config).collect([lantern_task(1)])
    assert isinstance(record, Trajectory), record


def test_a_world_of_chance_is_a_failure_and_not_a_plan() -> None:
    """The slippery lake cannot be replayed to the same end with another random state; the drift is noticed."""
    config = MctsConfig(SearchConfig(simulations=50, depth=10), prior="none")
    [record] = make_searcher(config).collect([lake()])
    assert isinstance(record, Trajectory | Failure)
    if isinstance(record, Trajectory):  # replay from the same seed repeats the same chances: lived is what counts
        assert record.total_reward == sum(step.reward for step in record.steps)


def test_a_world_that_does_not_exist_is_a_failure_of_its_task_only() -> None:
    bad = dataclasses.replace(TASKS[0], id="bad", env="pathei/Nowhere-v0")
    first, second = make_searcher(SMALL).collect([bad, TASKS[1]])
    assert isinstance(first, Failure)
    assert first.stage == "make"
    assert isinstance(second, Trajectory)


def test_searching_leaves_the_world_where_it_was() -> None:
    env = contract.make(TASKS[0])
    contract.reset(env, TASKS[0])
    world = env.unwrapped.world  # type: ignore[attr-defined]
    before = world.version, world.key
    find_plan(env.unwrapped.model(), SMALL, np.random.default_rng(0))  # type: ignore[attr-defined]
    assert (world.version, world.key) == before
