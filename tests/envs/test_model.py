"""Environments as models: which actions there are, what a snapshot holds, and what is said when something lacks."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker, TimeLimit
from hypothesis import given
from hypothesis import strategies as st

from pathei.collectors.search.config import SearchConfig
from pathei.collectors.search.mcts import Search
from pathei.envs import contract
from pathei.envs.model import EnvModel, StepResult, model_of
from pathei.envs.replay import VerifiedReplay
from pathei.errors import SnapshotError
from pathei.experience import Task
from pathei.stable_random import StableRandom
from pathei.tests.support.lantern import lantern_task
from pathei.tests.support.search_worlds import LANTERNS as TASK
from pathei.tests.support.search_worlds import Table, lanterns, ring

Env = gymnasium.Env[Any, Any]


class Dial(gymnasium.Env[Any, Any]):
    """A dial with native snapshots that writes its observation into the same array every time."""

    def __init__(self, start: int = 0, offers: bool = False, goal: int | None = None) -> None:
        self.observation_space = spaces.Box(-100, 100, (1,), np.int64)
        self.action_space: spaces.Space[Any] = spaces.Discrete(3, start=start)
        self.start = start
        self.goal = goal
        self.at = 0
        self.shown = np.zeros(1, np.int64)
        if offers:
            self.model = lambda: Table(ring())

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Turn it to 0."""
        super().reset(seed=seed)
        self.at = self.shown[0] = 0
        return self.shown, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Turn it by -1, 0 or 1; it pays where it stands."""
        self.at += int(action) - self.start - 1
        self.shown[0] = self.at
        info: dict[str, Any] = {"action_mask": np.array([self.at > -2, True, self.at < 2], np.int8)}
        if self.goal is not None:
            info["success"] = self.at == self.goal
        return self.shown, float(self.at), False, False, info

    def snapshot(self) -> int:
        """Return where it stands."""
        return self.at

    def restore(self, state: int, /) -> None:
        """Turn it there; what was shown last stays as it is."""
        self.at = state


# --- which model


def test_an_environment_s_own_model_is_taken_through_wrappers_that_only_check() -> None:
    env = Dial(offers=True)
    assert isinstance(model_of(env), Table)
    assert isinstance(model_of(OrderEnforcing(PassiveEnvChecker(env))), Table)


def test_a_wrapper_that_changes_episodes_is_part_of_the_model() -> None:
    env: Env = TimeLimit(Dial(offers=True), 2)
    env.reset(seed=0)
    model = model_of(env)
    assert isinstance(model, EnvModel)
    assert model.step(2) == StepResult(1.0, False)
    assert model.step(2) == StepResult(2.0, True)
    assert model.actions() == ()


def test_the_household_offers_its_own_model() -> None:
    task = Task("home", "pathei/VirtualHome-v0", 1, TASK.goal, {"scene": "house:1"})
    env = contract.make(task)
    env.reset(seed=1, options={"scene": "house:1"})
    assert type(model_of(env.unwrapped)).__name__ == "HomeModel"


def test_an_environment_without_snapshots_is_told_what_to_do() -> None:
    env = gymnasium.make("CartPole-v1")
    env.reset(seed=0)
    with pytest.raises(SnapshotError, match="VerifiedReplay"):
        model_of(env)


# --- actions


def test_listed_actions_are_those_of_the_info_from_the_reset_on() -> None:
    model = lanterns()
    assert "go right" in model.actions()
    assert "go left" not in model.actions()
    model.step("go right")
    assert "go left" in model.actions()
    assert model.possible("go left")
    assert not model.possible("fly")


@pytest.mark.parametrize("start", [0, 5])
def test_a_discrete_space_is_enumerated_without_what_is_masked(start: int) -> None:
    env = Dial(start)
    observation, info = env.reset(seed=0)
    model = EnvModel(env, info, observation=observation)
    assert model.actions() == (start, start + 1, start + 2)
    model.step(start + 2)
    model.step(start + 2)
    assert model.actions() == (start, start + 1)


def test_what_cannot_be_listed_is_refused_with_both_ways_out() -> None:
    env = VerifiedReplay(contract.make(TASK))
    contract.reset(env, TASK)
    with pytest.raises(SnapshotError, match=r"info of its reset.*propose"):
        EnvModel(env).actions()


def test_what_is_proposed_is_tried() -> None:
    model = lanterns(propose=lambda observation, info: (observation[:7], *info["actions"]))
    assert model.actions()[0] == "You are"


@given(st.integers(0, 2**32 - 1))
def test_a_sample_is_one_of_the_actions(seed: int) -> None:
    model = Table(ring())
    assert model.sample(StableRandom(np.random.default_rng(seed))) in model.actions()


def test_samples_are_spread_evenly() -> None:
    env = Dial()
    observation, info = env.reset(seed=0)
    model, draws = EnvModel(env, info, observation=observation), StableRandom(np.random.default_rng(0))
    counts = np.bincount(np.array([model.sample(draws) for _ in range(3000)]))
    assert counts.min() > 900


# --- moments


def test_a_snapshot_holds_what_is_known_of_a_moment() -> None:
    model = lanterns()
    begin = model.snapshot()
    seen = model.observation()
    for action in ("go right", "go right", "light lamp (2)"):
        model.step(action)
    end, later = model.snapshot(), model.observation()
    model.restore(begin)
    assert model.observation() == seen
    model.restore(end)
    assert model.observation() == later
    assert later.actions == model.actions()
    assert later.facts is None


def test_an_observation_that_is_overwritten_is_kept_as_it_was() -> None:
    env = Dial()
    observation, info = env.reset(seed=0)
    model = EnvModel(env, info, observation=observation, observed_state=True)
    begin, key = model.snapshot(), model.key()
    model.step(2)
    assert model.key() != key
    model.restore(begin)
    assert model.key() == key
    assert model.observation().text == "[0]"


def test_a_goal_ends_the_search_s_episode_even_where_the_world_goes_on() -> None:
    """The dial could be turned away again, and a goal that is undone does not count."""
    env = Dial(goal=1)
    observation, info = env.reset(seed=0)
    model = EnvModel(env, info, observation=observation)
    assert model.step(2) == StepResult(1.0, True)
    assert model.success()
    assert model.actions() == ()


def test_an_end_is_an_end_before_and_after_a_restore() -> None:
    model = lanterns()
    found = Search(model, SearchConfig(300, depth=12, stop_on_success=True), np.random.default_rng(0)).run()
    outcomes = [model.step(action) for action in found.plan]
    assert [outcome.done for outcome in outcomes] == [False] * (len(outcomes) - 1) + [True]
    assert model.success()
    assert model.actions() == ()
    end = model.snapshot()
    model.restore(found.root.state)
    assert model.actions()
    model.restore(end)
    assert model.actions() == ()


def test_a_goal_that_holds_from_the_start_leaves_nothing_to_do() -> None:
    model = lanterns(lantern_task(4, rooms=4))
    assert model.success()
    assert model.actions() == ()
    found = Search(model, SearchConfig(), np.random.default_rng(0)).run()
    assert (found.plan, found.success, found.solved) == ((), True, True)


def test_states_are_known_only_where_the_observation_is_said_to_be_the_state() -> None:
    assert lanterns().key() is None
    model = lanterns(observed_state=True)
    first = model.key()
    model.step("go right")
    assert model.key() not in (None, first)
    model.step("go left")
    assert model.key() == first


def test_actions_are_written_as_text_or_json() -> None:
    model = lanterns()
    assert model.text("go left") == "go left"
    assert model.text(np.int64(3)) == "3"
    assert model.text(np.array([0.5, 1.0])) == "[0.5,1.0]"


# --- draws


@given(st.integers(0, 1000), st.integers(1, 50))
def test_a_shuffle_keeps_what_it_shuffles(seed: int, count: int) -> None:
    items = list(range(count))
    StableRandom(np.random.default_rng(seed)).shuffle(items)
    assert sorted(items) == list(range(count))


def test_shuffles_are_spread_evenly() -> None:
    draws = StableRandom(np.random.default_rng(0))
    counts: dict[tuple[int, ...], int] = {}
    for _ in range(6000):
        items = [0, 1, 2]
        draws.shuffle(items)
        counts[tuple(items)] = counts.get(tuple(items), 0) + 1
    assert len(counts) == 6
    assert min(counts.values()) > 850


def test_draws_are_those_of_the_generator() -> None:
    draws = StableRandom(np.random.default_rng(4))
    drawn = [draws.uniform() for _ in range(10_000)]
    assert all(0 <= number < 1 for number in drawn)
    assert sorted(drawn[:4096]) == sorted(np.random.default_rng(4).random(4096).tolist())
    assert {draws.below(3) for _ in range(100)} == {0, 1, 2}
