"""The taxi: its contract, its transitions beside gymnasium's own, and what solves it."""

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.toy_text.taxi import TaxiEnv as Taxi
from hypothesis import given
from hypothesis import strategies as st

import pathei.envs  # noqa: F401  # registers the ids
from pathei.envs import check_env, check_snapshot, contract
from pathei.envs.adapters.taxi import ACTIONS, TaxiEnv, demonstration, generate_tasks
from pathei.errors import ConfigError


def test_it_keeps_the_contract() -> None:
    with gymnasium.make("pathei/Taxi-v0") as env:
        check_env(env)
        check_snapshot(env, rng=np.random.default_rng(0))


@given(st.integers(0, 10_000), st.lists(st.integers(0, 5), max_size=40))
def test_it_moves_as_gymnasium_s_own(seed: int, numbers: list[int]) -> None:
    ours, theirs = TaxiEnv(), Taxi()
    ours.reset(seed=seed)
    theirs.reset()
    theirs.s = ours._state
    for number in numbers:
        _, _, terminated, _, info = ours.step(ACTIONS[number])
        after, _, done, *_ = theirs.step(number)
        assert (ours._state, terminated) == (after, done)
        assert info["success"] == done
        if done:
            break


def test_demonstrations_reach_the_goal() -> None:
    for task in generate_tasks(20, 0):
        env = contract.make(task)
        contract.reset(env, task)
        total, info = 0.0, {}
        for action in demonstration(task):
            _, reward, _, _, info = env.step(action)
            total += float(reward)
            assert "error" not in info
        assert info["success"]
        assert total == 1.0


def test_what_cannot_be_done_is_explained() -> None:
    env = TaxiEnv()
    env.reset(options={"state": 1})
    text, reward, *_, info = env.step("drop off")
    assert (reward, info["error"]) == (0.0, "you cannot drop off here")
    assert text.startswith("That did not work: you cannot drop off here.")
    assert "is not an action" in env.step("fly")[-1]["error"]
    with pytest.raises(ConfigError, match="no state 500"):
        env.reset(options={"state": 500})
