"""Several trees merged at the root; and a search of what is proposed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from pathei.collectors.search.mcts import Search
from pathei.collectors.search.roots import merged_search
from pathei.envs import contract
from pathei.envs.model import EnvModel
from pathei.envs.replay import VerifiedReplay
from pathei.tests.support.lantern import lantern_task
from pathei.tests.support.search_worlds import LANTERNS as TASK
from pathei.tests.support.search_worlds import key_and_door_model, lanterns, tree_alone


def test_roots_are_independent_trees_added_up() -> None:
    config = tree_alone(150, depth=14)
    merged = merged_search(key_and_door_model(), config, np.random.default_rng(5), roots=4)
    seeds = np.random.SeedSequence(int(np.random.default_rng(5).integers(2**63))).spawn(4)
    trees = [Search(key_and_door_model(), config, np.random.default_rng(seed)).run() for seed in seeds]
    assert merged.simulations == sum(tree.simulations for tree in trees)
    assert merged.env_steps == sum(tree.env_steps for tree in trees)
    assert merged.value == max(tree.value for tree in trees)
    assert merged.plan in [tree.plan for tree in trees]
    for edge in merged.root.edges:
        same = [other for tree in trees for other in tree.root.edges if other.action == edge.action]
        assert edge.visits == sum(other.visits for other in same)
        assert edge.total == pytest.approx(sum(other.total for other in same))
        assert edge.best == max(other.best for other in same)
    visits = [edge.visits for edge in merged.root.edges]
    assert visits == sorted(visits, reverse=True)
    assert len({tree.plan for tree in trees} | {tree.env_steps for tree in trees}) > 2


def test_more_roots_find_no_less() -> None:
    config, rng = tree_alone(20, depth=14), np.random.default_rng
    values = [merged_search(key_and_door_model(), config, rng(1), roots=n).value for n in (1, 3, 9)]
    assert values == sorted(values)


def test_a_prior_weighs_the_actions_of_every_tree() -> None:
    model = lanterns()
    config = tree_alone(60, depth=14, selection="puct")

    def prior(actions: Sequence[Any]) -> list[float]:
        return [4.0 if action.startswith("light") else 1.0 for action in actions]

    for weigh in (None, prior):
        found = merged_search(model, config, np.random.default_rng(7), roots=3, prior=weigh)
        assert found.success
        assert (len({edge.prior for edge in found.root.edges}) > 1) == (weigh is not None)


def test_free_form_actions_are_searched_by_what_is_proposed() -> None:
    """The world lists nothing and takes any text; a proposer names many sentences, most of them nonsense."""

    def propose(observation: Any, info: Any) -> tuple[str, ...]:
        room = observation.split("room ")[1].split(".")[0]
        words = [f"sing verse {n}" for n in range(30)]
        return (f"light lamp ({room})", "go right", "go left", *words)

    env = VerifiedReplay(contract.make(TASK))
    task = lantern_task(3, rooms=3, free=True)
    observation, info = contract.reset(env, task)
    model = EnvModel(env, info, observation=observation, propose=propose)

    def prior(actions: Sequence[str]) -> list[float]:
        return [1.0 if action.startswith("sing") else 8.0 for action in actions]

    config = tree_alone(400, depth=10, selection="puct", widening=0.5, stop_on_success=True, rollout="prior")
    found = Search(model, config, np.random.default_rng(0), prior=prior).run()
    assert found.success
    assert len(found.root.edges) < 33
    fresh = contract.make(TASK)
    contract.reset(fresh, task)
    assert [bool(fresh.step(action)[4]["success"]) for action in found.plan][-1]
