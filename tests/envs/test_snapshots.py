"""Snapshots of real gymnasium environments through chains of wrappers."""

import copy
import pickle
import random
import time
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import wrappers
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
from gymnasium.envs.toy_text.frozen_lake import FrozenLakeEnv
from gymnasium.utils import EzPickle
from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.envs.checks import check_snapshot
from pathei.envs.snapshots import Snapshotable, restore, snapshot
from pathei.errors import ContractError, SnapshotError

Env = gymnasium.Env[Any, Any]


class Lake(FrozenLakeEnv):
    """gymnasium's slippery lake with snapshots of its own."""

    def snapshot(self) -> tuple[Any, ...]:
        """Return the square, the last action and the random state."""
        return self.s, self.lastaction, self.np_random.bit_generator.state

    def restore(self, state: tuple[Any, ...]) -> None:
        """Go back."""
        self.s, self.lastaction, self.np_random.bit_generator.state = state


class Pole(CartPoleEnv):
    """gymnasium's cart pole with snapshots of its own; it never draws after the reset."""

    def snapshot(self) -> tuple[Any, ...]:
        """Return the physical state, which each step replaces."""
        return self.state, self.steps_beyond_terminated, self.np_random.bit_generator.state

    def restore(self, state: tuple[Any, ...]) -> None:
        """Go back."""
        self.state, self.steps_beyond_terminated, self.np_random.bit_generator.state = state


class BoundedPole(Pole):
    """The same, with finite bounds, as rescaling asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.observation_space = gymnasium.spaces.Box(-10.0, 10.0, (4,))


class Counter(gymnasium.Env[int, int], EzPickle):
    """Counts its steps; deterministic, so its snapshot leaves out the generator, which it never uses."""

    observation_space = gymnasium.spaces.Discrete(10_000)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self) -> None:
        EzPickle.__init__(self)
        self.count = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Start from zero."""
        super().reset(seed=seed)
        self.count = 0
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Count by one or two."""
        self.count += 1 + int(action)
        return self.count, float(action), False, False, {}

    def snapshot(self) -> int:
        """Return the count."""
        return self.count

    def restore(self, state: int) -> None:
        """Go back."""
        self.count = state


def made(env: Env, steps: int = 50) -> Env:
    """Wrap as `gymnasium.make` does."""
    return wrappers.TimeLimit(wrappers.OrderEnforcing(wrappers.PassiveEnvChecker(env)), steps)


def walk(env: Env, actions: list[int]) -> list[tuple[Any, ...]]:
    """Return observation, reward and flags of each step."""
    return [env.step(action)[:4] for action in actions]


def test_saving_the_unwrapped_environment_leaves_the_time_limit_counting_and_a_snapshot_does_not() -> None:
    env = made(Counter(), 5)
    env.reset(seed=0)
    inner, whole = env.unwrapped.snapshot(), snapshot(env)
    walk(env, [0, 0, 0])
    env.unwrapped.restore(inner)
    assert [truncated for *_, truncated in walk(env, [0, 0])] == [False, True]
    restore(env, whole)
    assert [truncated for *_, truncated in walk(env, [0] * 5)] == [False] * 4 + [True]


def test_deepcopy_of_an_ezpickle_environment_loses_its_state_and_a_snapshot_does_not() -> None:
    env = made(Counter())
    env.reset(seed=0)
    walk(env, [1, 1])
    assert copy.deepcopy(env).unwrapped.count == 0
    saved = snapshot(env)
    walk(env, [1])
    restore(env, saved)
    assert env.unwrapped.count == 4


CHAINS: dict[str, Callable[[], Env]] = {
    "as made": lambda: made(Lake()),
    "short limit": lambda: made(Lake(), 4),
    "autoreset": lambda: wrappers.Autoreset(made(Lake(), 7)),
    "statistics": lambda: wrappers.RecordEpisodeStatistics(made(Lake(), 9)),
    "statistics over autoreset": lambda: wrappers.RecordEpisodeStatistics(wrappers.Autoreset(made(Lake(), 5))),
    "sticky": lambda: wrappers.StickyAction(made(Lake()), 0.5, (1, 3)),
    "sticky, generator not saved within": lambda: wrappers.StickyAction(made(Counter()), 0.5, (1, 3)),
    "repeat": lambda: wrappers.RepeatAction(made(Lake()), 2),
    "time aware": lambda: wrappers.TimeAwareObservation(made(Pole())),
    "frame stack": lambda: wrappers.FrameStackObservation(made(Pole()), 3),
    "frame stack, zeros": lambda: wrappers.FrameStackObservation(made(Pole()), 3, padding_type="zero"),
    "delay": lambda: wrappers.DelayObservation(made(Pole()), 2),
    "max and skip": lambda: wrappers.MaxAndSkipObservation(made(Pole()), 3),
    "running mean of observations": lambda: wrappers.NormalizeObservation(made(Pole())),
    "running mean of rewards": lambda: wrappers.NormalizeReward(made(Pole())),
    "transforms": lambda: wrappers.TransformReward(
        wrappers.ClipReward(wrappers.TransformObservation(made(Lake()), lambda square: square, None), 0.0, 1.0),
        lambda reward: 2 * reward,
    ),
    "reshaped and rescaled": lambda: wrappers.ReshapeObservation(
        wrappers.DtypeObservation(wrappers.RescaleObservation(made(BoundedPole()), -1.0, 1.0), np.float64), (2, 2)
    ),
    "filtered": lambda: wrappers.FilterObservation(wrappers.TimeAwareObservation(made(Pole()), flatten=False), ["obs"]),
    "flattened, stacked, normal": lambda: wrappers.FrameStackObservation(
        wrappers.NormalizeObservation(wrappers.FlattenObservation(wrappers.DelayObservation(made(Lake()), 1))), 2
    ),
    "rendered": lambda: wrappers.RenderCollection(made(Lake(render_mode="ansi"))),
}


@pytest.mark.parametrize("chain", CHAINS)
def test_every_known_wrapper_is_restored_with_all_its_state(chain: str) -> None:
    check_snapshot(CHAINS[chain](), steps=16, rng=np.random.default_rng(1), rounds=3)


FORGETFUL: dict[str, tuple[type[gymnasium.Wrapper[Any, Any, Any, Any]], tuple[Any, ...], type[Env]]] = {
    "TimeLimit": (wrappers.TimeLimit, (12,), Counter),
    "TimeAwareObservation": (wrappers.TimeAwareObservation, (), Pole),
    "FrameStackObservation": (wrappers.FrameStackObservation, (3,), Pole),
    "DelayObservation": (wrappers.DelayObservation, (2,), Pole),
    "NormalizeObservation": (wrappers.NormalizeObservation, (), Pole),
    "NormalizeReward": (wrappers.NormalizeReward, (), Counter),
    "StickyAction": (wrappers.StickyAction, (0.5, 3), Counter),
    "RecordEpisodeStatistics": (wrappers.RecordEpisodeStatistics, (), Pole),
}


@pytest.mark.parametrize("name", FORGETFUL)
def test_leaving_out_the_state_of_a_wrapper_would_be_noticed(name: str) -> None:
    wrapper, arguments, env = FORGETFUL[name]
    stateless = type(f"Stateless{name}", (wrapper,), {"snapshot_fields": ()})
    with pytest.raises(ContractError):
        check_snapshot(stateless(made(env(), 40), *arguments), steps=30, rng=np.random.default_rng(0))


@given(st.lists(st.one_of(st.integers(0, 3), st.sampled_from(["save", "back"])), max_size=60), st.data())
@settings(max_examples=60)
def test_any_walk_among_snapshots_agrees_with_playing_each_branch_from_the_reset(
    moves: list[int | str], data: st.DataObject
) -> None:
    env, fresh = made(Lake(), 12), made(Lake(), 12)
    env.reset(seed=5)
    path: list[int] = []
    saved: list[tuple[list[int], Any]] = [([], snapshot(env))]
    over = False
    for move in moves:
        if move == "save":
            saved.append((list(path), snapshot(env)))
        elif move == "back" or over:
            origin, state = data.draw(st.sampled_from(saved))
            restore(env, state)
            path, over = list(origin), False
            fresh.reset(seed=5)
            over = any(terminated or truncated for _, _, terminated, truncated in walk(fresh, path))
        else:
            path.append(int(move))
            seen = env.step(move)[:4]
            fresh.reset(seed=5)
            assert walk(fresh, path)[-1] == seen
            over = seen[2] or seen[3]


def test_a_snapshot_serves_a_sibling_that_was_never_reset() -> None:
    env, sibling = made(Lake()), made(Lake())
    env.reset(seed=3)
    walk(env, [1, 2])
    saved = snapshot(env)
    restore(sibling, pickle.loads(pickle.dumps(saved)))  # noqa: S301
    assert walk(sibling, [2, 2, 1, 1]) == walk(env, [2, 2, 1, 1])


def test_restoring_takes_back_no_check_of_the_passive_checker() -> None:
    env = wrappers.PassiveEnvChecker(Counter())
    env.reset(seed=0)
    saved = snapshot(env)
    walk(env, [0, 0])
    restore(env, saved)
    assert env.checked_step
    assert env.checked_data_reuse


def test_episode_statistics_count_the_time_of_their_own_branch_only() -> None:
    env = wrappers.RecordEpisodeStatistics(made(Counter(), 3))
    env.reset(seed=0)
    saved = snapshot(env)
    for _ in range(2):
        time.sleep(0.05)
        walk(env, [1, 1])
        restore(env, saved)
    walk(env, [1, 0])
    statistics = env.step(1)[4]["episode"]
    assert statistics["r"] == 2.0
    assert statistics["l"] == 3
    assert statistics["t"] < 0.05
    assert list(env.length_queue) == [3]


def test_the_frames_kept_for_skipping_are_those_of_the_branch() -> None:
    # The limit falls within the second skip, so that what is returned then is still the first one's frames.
    env = wrappers.MaxAndSkipObservation(made(Pole(), 4), 3)
    env.reset(seed=0)
    start = snapshot(env)
    env.step(0)
    saved = snapshot(env)
    last = env.step(0)[0]
    restore(env, start)
    env.step(1)
    restore(env, saved)
    assert np.array_equal(env.step(0)[0], last)


class Noise(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Counts its calls; pathei cannot know that."""

    def __init__(self, env: Env) -> None:
        super().__init__(env)
        self.calls = 0

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Every third reward is doubled."""
        observation, reward, terminated, truncated, info = super().step(action)
        self.calls += 1
        return observation, reward * (1 + (self.calls % 3 == 0)), terminated, truncated, info


class DeclaredNoise(Noise):
    """The same, naming its state."""

    snapshot_fields = ("calls",)


class Dice(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Has random generators of its own, and names them."""

    snapshot_fields = ("rng", "bits", "plain")

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self.rng, self.bits, self.plain = np.random.default_rng(0), np.random.PCG64(1), random.Random(2)

    def throw(self) -> tuple[float, int, float]:
        """Draw from each."""
        return self.rng.random(), int(self.bits.random_raw()), self.plain.random()


def test_a_wrapper_s_own_generators_go_back_as_often_as_wanted() -> None:
    env = Dice(Pole())
    env.reset(seed=0)
    begin = snapshot(env)
    first = [env.throw(), env.throw()]
    for _ in range(2):
        restore(env, begin)
        assert [env.throw(), env.throw()] == first


class SelfSavingNoise(Noise):
    """The same, answering for itself and all inside it."""

    def snapshot(self) -> tuple[int, Any]:
        """Return the count and the rest."""
        return self.calls, snapshot(self.env)

    def restore(self, state: tuple[int, Any]) -> None:
        """Go back."""
        self.calls = state[0]
        restore(self.env, state[1])


class Misnamed(Noise):
    """Names an attribute that it does not have."""

    snapshot_fields = ("cals",)


def test_the_first_wrapper_that_cannot_be_saved_is_named_with_what_to_do() -> None:
    with pytest.raises(SnapshotError, match=r"wrapper Noise cannot be saved.*snapshot_fields.*VerifiedReplay"):
        snapshot(made(Noise(Counter())))


def test_a_subclass_of_a_known_wrapper_is_refused_for_it_may_hold_more() -> None:
    subclass = type("PatientTimeLimit", (wrappers.TimeLimit,), {})
    with pytest.raises(SnapshotError, match="PatientTimeLimit"):
        snapshot(subclass(Counter(), 5))


def test_an_environment_without_snapshots_is_refused_naming_the_alternative() -> None:
    with pytest.raises(SnapshotError, match=r"CartPoleEnv has no snapshot.*VerifiedReplay"):
        snapshot(gymnasium.make("CartPole-v1"))


def test_a_wrapper_may_name_its_state_or_save_itself() -> None:
    for wrapper in (DeclaredNoise, SelfSavingNoise):
        check_snapshot(made(wrapper(Counter())), rng=np.random.default_rng(0))
    with pytest.raises(SnapshotError, match="'cals'"):
        snapshot(Misnamed(Counter()))


def test_a_snapshot_of_other_wrappers_is_refused() -> None:
    env = made(Counter())
    env.reset(seed=0)
    with pytest.raises(SnapshotError, match=r"TimeLimit<OrderEnforcing<PassiveEnvChecker<Counter>>>.*OrderEnforcing"):
        restore(wrappers.OrderEnforcing(Counter()), snapshot(env))


def test_snapshotables_are_told_by_their_methods() -> None:
    assert isinstance(Counter(), Snapshotable)
    assert not isinstance(made(Counter()), Snapshotable)
