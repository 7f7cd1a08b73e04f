"""Several trees merged at the root, whatever the number of processes; and agents that guide a search."""

import os
from collections.abc import Sequence
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest

from pathei.agents import Finished
from pathei.collectors.search.guidance import acting_prior, guidance_of
from pathei.collectors.search.mcts import Search, SearchConfig
from pathei.collectors.search.roots import RootsResult, search_roots
from pathei.envs import contract
from pathei.envs.model import EnvModel
from pathei.envs.replay import VerifiedReplay
from pathei.errors import ConfigError, WorkerError
from pathei.experience import Goal, Observation
from pathei.tests.support.lantern import lantern_task
from pathei.tests.support.search_worlds import LANTERNS as TASK
from pathei.tests.support.search_worlds import dying_model, key_and_door_model, lanterns, lighting

SMALL = SearchConfig(60, depth=14, selection="puct")


def timeless(result: RootsResult) -> RootsResult:
    """Return a result without the time that it took."""
    return result._replace(seconds=0.0)


def test_the_merged_result_is_the_same_with_any_number_of_processes() -> None:
    for guide, workers in ((None, 3), (lighting, 2)):
        alone = search_roots(lanterns, SMALL, 7, roots=3, guide=guide)
        shared = search_roots(partial(lanterns), SMALL, 7, roots=3, workers=workers, guide=guide)
        assert timeless(alone) == timeless(shared)
        assert alone.success
        assert timeless(alone) != timeless(search_roots(lanterns, SMALL, 8, roots=3, guide=guide))
        priors = {edge.prior for edge in shared.edges}
        assert (len(priors) > 1) == (guide is not None)


def test_roots_are_independent_trees_added_up() -> None:
    config = SearchConfig(150, depth=14)
    merged = search_roots(key_and_door_model, config, 5, roots=4)
    seeds = np.random.SeedSequence(5).spawn(4)
    trees = [Search(key_and_door_model(), config, np.random.default_rng(seed)).run() for seed in seeds]
    assert merged.simulations == sum(tree.simulations for tree in trees)
    assert merged.env_steps == sum(tree.env_steps for tree in trees)
    assert merged.value == max(tree.value for tree in trees)
    assert merged.plan in [tree.plan for tree in trees]
    for edge in merged.edges:
        same = [other for tree in trees for other in tree.root.edges if other.action == edge.action]
        assert edge.visits == sum(other.visits for other in same)
        assert edge.total == pytest.approx(sum(other.total for other in same))
        assert edge.best == max(other.best for other in same)
    visits = [edge.visits for edge in merged.edges]
    assert visits == sorted(visits, reverse=True)
    assert len({tree.plan for tree in trees} | {tree.env_steps for tree in trees}) > 2


def test_more_roots_find_no_less() -> None:
    values = [search_roots(key_and_door_model, SearchConfig(20, depth=14), 1, roots=n).value for n in (1, 3, 9)]
    assert values == sorted(values)


def test_what_cannot_be_done_is_said() -> None:
    with pytest.raises(ConfigError, match="at least 1 root"):
        search_roots(key_and_door_model, SMALL, 0, roots=0)
    with pytest.raises(ConfigError, match="functions at the top of a module"):
        search_roots(lambda: key_and_door_model(), SMALL, 0, roots=2, workers=2)
    with pytest.raises(WorkerError, match="died"):
        search_roots(dying_model, SMALL, 0, roots=2, workers=2)


def test_the_worlds_are_closed() -> None:
    closed: list[int] = []

    class Counting(gymnasium.Wrapper[Any, Any, Any, Any]):
        """Notes when it is closed."""

        def close(self) -> None:
            """Note it."""
            closed.append(os.getpid())
            super().close()

    def make() -> EnvModel:
        env = VerifiedReplay(Counting(contract.make(TASK)))
        observation, info = contract.reset(env, TASK)
        return EnvModel(env, info, observation=observation)

    search_roots(make, SMALL, 0, roots=3)
    assert closed == [os.getpid()] * 3


# --- agents


class Lamplighter:
    """Reads the room's lamp from the text: lights it if it is off, else goes on to the right."""

    def __init__(self) -> None:
        self.asked: list[tuple[Observation, tuple[str, ...]]] = []

    def act(self, observation: Observation, goal: Goal) -> str:
        """Choose by the text alone."""
        assert goal == TASK.goal
        assert observation.facts is None
        actions = observation.actions or ()
        light = [action for action in actions if action.startswith("light")]
        if "is off" in observation.text:
            return light[0]
        if "go right" not in actions:
            raise Finished
        return "go right"

    def prior(self, observation: Observation, goal: Goal, actions: Sequence[str]) -> Sequence[float]:
        """Weigh by what it would do."""
        self.asked.append((observation, tuple(actions)))
        said = self.act(observation, goal) if "go right" in actions or "is off" in observation.text else None
        return [10.0 if action == said else 1.0 for action in actions]

    def value(self, observation: Observation, goal: Goal) -> float:
        """Hope for more further to the right."""
        return 0.5 * int(observation.text.split("room ")[1].split(".")[0])


class OnlyActs:
    """Acts like the lamplighter and offers nothing else."""

    def act(self, observation: Observation, goal: Goal) -> str:
        """Do as it does."""
        return Lamplighter().act(observation, goal)


def test_an_agent_that_offers_a_prior_and_a_value_guides_the_search() -> None:
    agent, model = Lamplighter(), lanterns()
    guidance = guidance_of(agent, model, TASK.goal)
    assert guidance.prior is not None
    assert guidance.value is not None
    config = SearchConfig(40, depth=12, selection="puct", rollout="none", stop_on_success=True)
    guided = Search(model, config, np.random.default_rng(0), prior=guidance.prior, value=guidance.value).run()
    blind = Search(lanterns(), config, np.random.default_rng(0)).run()
    assert guided.success
    assert guided.simulations < blind.simulations
    for observation, actions in agent.asked:
        assert observation.actions == actions
        assert observation.text


def test_what_an_agent_does_not_offer_is_not_used() -> None:
    assert guidance_of(OnlyActs(), lanterns(), TASK.goal) == (None, None)


def test_an_agent_that_only_acts_plays_the_rollouts() -> None:
    """It can light all lamps by itself, so the first rollout that follows it does."""
    model = lanterns()
    prior = acting_prior(OnlyActs(), model, TASK.goal, trust=0.999)
    config = SearchConfig(1, depth=12, selection="puct", rollout="prior")
    assert Search(model, config, np.random.default_rng(0), prior=prior).run().success


def test_the_share_of_an_acting_agent_is_what_it_is_trusted() -> None:
    model = lanterns()
    actions = model.actions()
    weights = acting_prior(OnlyActs(), model, TASK.goal, trust=0.7)(actions)
    assert sum(weights) == pytest.approx(1.0)
    assert max(weights) == 0.7
    assert actions[list(weights).index(0.7)] == OnlyActs().act(model.observation(), TASK.goal)


def test_an_agent_that_has_finished_or_speaks_of_something_else_leaves_all_open() -> None:
    class Idle:
        """Has nothing to do."""

        def act(self, observation: Observation, goal: Goal) -> str:
            """Finish."""
            raise Finished

    class Dreamer:
        """Is elsewhere."""

        def act(self, observation: Observation, goal: Goal) -> str:
            """Dream."""
            return "fly"

    model = lanterns()
    for agent in (Idle(), Dreamer()):
        assert len(set(acting_prior(agent, model, TASK.goal)(model.actions()))) == 1


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

    config = SearchConfig(400, depth=10, selection="puct", widening=0.5, stop_on_success=True, rollout="prior")
    found = Search(model, config, np.random.default_rng(0), prior=prior).run()
    assert found.success
    assert len(found.root.edges) < 33
    fresh = contract.make(TASK)
    contract.reset(fresh, task)
    assert [bool(fresh.step(action)[4]["success"]) for action in found.plan][-1]
