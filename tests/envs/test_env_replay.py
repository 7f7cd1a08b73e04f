"""Verified replay: snapshots for real gymnasium environments that have none, and drift that is found out."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import wrappers
from gymnasium.envs.toy_text.frozen_lake import FrozenLakeEnv
from gymnasium.envs.toy_text.taxi import TaxiEnv
from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.envs.checks import check_snapshot
from pathei.envs.replay import VerifiedReplay, fingerprint
from pathei.envs.snapshots import Snapshotable, Snapshotter, restore, snapshot
from pathei.errors import ReplayDriftError, SnapshotError

Env = gymnasium.Env[Any, Any]


def walk(env: Env, actions: list[int]) -> list[tuple[Any, ...]]:
    """Return observation, reward and flags of each step."""
    return [env.step(action)[:4] for action in actions]


def taxi() -> Env:
    """Return the taxi in the rain, with a passenger who changes their mind."""
    return wrappers.TimeLimit(TaxiEnv(is_rainy=True, fickle_passenger=True), 200)


DETERMINISTIC: dict[str, Callable[[], Env]] = {
    "FrozenLake": lambda: VerifiedReplay(gymnasium.make("FrozenLake-v1")),
    "Taxi, rain": lambda: VerifiedReplay(taxi()),
    "CartPole": lambda: VerifiedReplay(gymnasium.make("CartPole-v1", max_episode_steps=12)),
    "CartPole, wrapped within": lambda: VerifiedReplay(
        wrappers.FrameStackObservation(wrappers.TimeAwareObservation(gymnasium.make("CartPole-v1")), 2)
    ),
    "CartPole, wrapped without": lambda: wrappers.NormalizeObservation(
        wrappers.TimeLimit(VerifiedReplay(gymnasium.make("CartPole-v1")), 9)
    ),
    "Blackjack": lambda: VerifiedReplay(gymnasium.make("Blackjack-v1")),
    "Blackjack, autoreset": lambda: wrappers.Autoreset(VerifiedReplay(gymnasium.make("Blackjack-v1"))),
    "replay within replay": lambda: VerifiedReplay(VerifiedReplay(gymnasium.make("FrozenLake-v1"))),
}


@pytest.mark.parametrize("name", DETERMINISTIC)
def test_replay_gives_snapshots_to_any_deterministic_environment(name: str) -> None:
    check_snapshot(DETERMINISTIC[name](), steps=14, rng=np.random.default_rng(2), rounds=3)


@pytest.mark.parametrize("name", ["MiniGrid-DoorKey-5x5-v0", "MiniGrid-Dynamic-Obstacles-6x6-v0"])
def test_replay_gives_snapshots_to_minigrid(name: str) -> None:
    pytest.importorskip("minigrid")
    env = VerifiedReplay(gymnasium.make(f"minigrid:{name}"))
    check_snapshot(env, steps=14, rng=np.random.default_rng(3), rounds=3)


@given(st.lists(st.integers(0, 3), max_size=8), st.lists(st.integers(0, 3), min_size=1, max_size=4))
@settings(max_examples=40)
def test_after_backtracking_the_new_actions_are_part_of_the_next_snapshot(prefix: list[int], new: list[int]) -> None:
    env, fresh = DETERMINISTIC["Taxi, rain"](), taxi()
    env.reset(seed=1)
    walk(env, prefix)
    root = snapshot(env)
    walk(env, [4, 5, 0, 1])
    restore(env, root)
    walk(env, new)
    branch = snapshot(env)
    restore(env, root)
    restore(env, branch)
    assert branch.core.actions == (*prefix, *new)
    fresh.reset(seed=1)
    walk(fresh, [*prefix, *new])
    assert walk(env, [2, 3]) == walk(fresh, [2, 3])


class Tally(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Counts what reaches the environment inside, over resets."""

    def __init__(self, env: Env) -> None:
        super().__init__(env)
        self.resets = self.steps = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Count a reset."""
        self.resets += 1
        return super().reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Count a step."""
        self.steps += 1
        return super().step(action)


def test_restoring_what_extends_the_present_state_replays_only_the_rest() -> None:
    tally = Tally(gymnasium.make("FrozenLake-v1", is_slippery=False))
    env = VerifiedReplay(tally)
    env.reset(seed=0)
    walk(env, [1])
    early = snapshot(env)
    walk(env, [1, 2])
    late = snapshot(env)
    restore(env, late)
    assert (tally.resets, tally.steps) == (1, 3)
    restore(env, early)
    assert (tally.resets, tally.steps) == (2, 4)
    restore(env, late)
    assert (tally.resets, tally.steps) == (2, 6)
    env.reset(seed=0)
    walk(env, [1])
    restore(env, late)
    assert (tally.resets, tally.steps) == (3, 9)
    env.reset(seed=1)
    restore(env, late)
    assert (tally.resets, tally.steps) == (5, 12)


class Drifting(gymnasium.Env[int, int]):
    """Counts; but something outside of the seed changes the third step of every later episode."""

    observation_space = gymnasium.spaces.Discrete(10_000)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, what: str) -> None:
        self.what = what
        self.count = self.episodes = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Start, and remember that it did."""
        super().reset(seed=seed)
        self.episodes += 1
        self.count = 0
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Count, and drift at the third step."""
        self.count += 1
        drifts = self.what if self.episodes > 1 and self.count == 3 else ""
        seen = self.count + 100 * (drifts == "observation")
        return seen, 0.5 * (drifts == "reward"), drifts == "terminated", False, {}


@pytest.mark.parametrize("what", ["observation", "reward", "terminated"])
def test_drift_is_refused_naming_the_step_and_what_differs(what: str) -> None:
    env = VerifiedReplay(Drifting(what))
    env.reset(seed=7)
    walk(env, [0, 0, 0, 0])
    saved = snapshot(env)
    walk(env, [0])
    with pytest.raises(ReplayDriftError, match=rf"step 3 of 4 \(action 0\) led to another {what}"):
        restore(env, saved)
    with pytest.raises(SnapshotError, match="restoring it failed"):
        env.step(0)
    env.reset(seed=7)
    env.step(0)


def test_drift_at_the_reset_is_named_with_its_seed() -> None:
    env = VerifiedReplay(FrozenLakeEnv())
    env.reset(seed=7)
    env.step(0)
    other = VerifiedReplay(wrappers.TransformObservation(FrozenLakeEnv(), lambda square: square + 1, None))
    with pytest.raises(ReplayDriftError, match=r"the reset \(seed 7\) led to another observation"):
        restore(other, snapshot(env))


def test_a_wrapper_that_remembers_over_resets_is_found_out() -> None:
    env = VerifiedReplay(wrappers.NormalizeObservation(gymnasium.make("CartPole-v1")))
    env.reset(seed=0)
    walk(env, [0, 1])
    saved = snapshot(env)
    walk(env, [0])
    with pytest.raises(ReplayDriftError, match="running mean"):
        restore(env, saved)


def test_replay_needs_a_reset_first_and_after_an_exception() -> None:
    env = VerifiedReplay(gymnasium.make("CartPole-v1"))
    with pytest.raises(SnapshotError, match="has not been reset"):
        snapshot(env)
    env.reset(seed=0)
    saved = snapshot(env)
    with pytest.raises(AssertionError):
        env.step(99)
    with pytest.raises(SnapshotError, match="raised an exception"):
        snapshot(env)
    restore(env, saved)
    env.step(0)


def test_a_reset_without_a_seed_can_be_restored_and_follows_the_last_seed() -> None:
    env = VerifiedReplay(gymnasium.make("FrozenLake-v1"))
    env.reset(seed=1)
    env.reset()
    saved = snapshot(env)
    seen = walk(env, [1, 2, 1])
    env.reset(seed=2)
    restore(env, saved)
    assert walk(env, [1, 2, 1]) == seen
    env.reset(seed=1)
    env.reset()
    assert walk(env, [1, 2, 1]) == seen


def test_options_and_array_actions_are_kept_as_they_were_given() -> None:
    env = VerifiedReplay(wrappers.RescaleAction(gymnasium.make("Pendulum-v1"), -1.0, 1.0))
    options = {"x_init": 0.1, "y_init": 0.2}
    env.reset(seed=0, options=options)
    options["x_init"] = 3.0
    action = np.array([0.5], dtype=np.float32)
    seen = env.step(action)[:2]
    action[0] = -1.0
    saved = snapshot(env)
    env.step(action)
    restore(env, saved)
    assert saved.core.options == {"x_init": 0.1, "y_init": 0.2}
    env.reset(seed=0, options={"x_init": 0.1, "y_init": 0.2})
    assert fingerprint(env.step(np.array([0.5], dtype=np.float32))[0]) == fingerprint(seen[0])


def test_a_replay_snapshot_is_plain_data_that_another_process_can_use() -> None:
    env = DETERMINISTIC["Blackjack"]()
    env.reset(seed=3)
    env.step(1)
    saved = pickle.loads(pickle.dumps(snapshot(env)))  # noqa: S301
    other = DETERMINISTIC["Blackjack"]()
    Snapshotter(other).restore(saved)
    assert other.step(0)[:4] == env.step(0)[:4]


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=8,
)


@given(VALUES, VALUES)
def test_fingerprints_agree_exactly_for_equal_values(one: Any, two: Any) -> None:
    assert fingerprint(one) == fingerprint(copy.deepcopy(one))
    # repr tells types apart and takes NaN as equal to itself; for dicts the order must not matter.
    ordered = {key: one[key] for key in reversed(one)} if isinstance(one, dict) else one
    assert fingerprint(ordered) == fingerprint(one)
    if not (isinstance(one, dict) and isinstance(two, dict)):
        assert (fingerprint(one) == fingerprint(two)) == (repr(one) == repr(two))


def test_fingerprints_tell_shapes_and_types_of_arrays_apart() -> None:
    zeros = np.zeros((2, 3), dtype=np.float32)
    kinds = [zeros, zeros.T.copy(), zeros.astype(np.int32), zeros.tolist(), zeros + 1e-7, np.float32(0.0)]
    assert len({fingerprint(kind) for kind in kinds}) == len(kinds)
    assert fingerprint(np.asfortranarray(zeros)) == fingerprint(zeros)
    assert fingerprint(np.array(["a", {"b": 1}], dtype=object)) == fingerprint(["a", {"b": 1}])


def test_what_can_only_be_compared_by_identity_is_refused() -> None:
    with pytest.raises(SnapshotError, match="A object in an observation"):
        fingerprint({"text": object()})


def test_it_is_snapshotable_by_itself() -> None:
    assert isinstance(VerifiedReplay(FrozenLakeEnv()), Snapshotable)
