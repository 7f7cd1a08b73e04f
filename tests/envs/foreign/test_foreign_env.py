"""An environment in a child process is one of gymnasium: spaces, snapshots, and a new child after a broken one."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from pathei.envs import VerifiedReplay, restore, snapshot
from pathei.envs.foreign import ForeignEnv, TimeLimits, python_command, worker
from pathei.envs.foreign.env import read_space, read_value
from pathei.envs.foreign.worker import pack, receive
from pathei.envs.spaces import UnicodeText
from pathei.errors import ForeignRuntimeError

Left = Callable[[], list[str]]
SPACES = gymnasium.spaces.Dict(
    {
        "image": gymnasium.spaces.Box(0, 255, (3, 4, 2), np.uint8),
        "place": gymnasium.spaces.Box(-np.inf, np.inf, (3,), np.float32),
        "choice": gymnasium.spaces.Discrete(5, start=2),
        "choices": gymnasium.spaces.MultiDiscrete([3, 4]),
        "bits": gymnasium.spaces.MultiBinary(4),
        "pair": gymnasium.spaces.Tuple((gymnasium.spaces.Discrete(2), UnicodeText(20))),
    }
)


@pytest.fixture
def env(counting: list[str], left: Left) -> Iterator[ForeignEnv]:
    made = ForeignEnv(counting, {"first": 10}, name="Counting", limits=TimeLimits(step=5.0))
    yield made
    made.close()


def sent(value: Any) -> Any:
    """Return a value after its way through a message."""
    packed = bytearray(pack({"value": value}))

    def read(size: int) -> bytearray:
        taken = packed[:size]
        del packed[:size]
        return taken

    return receive(read)["value"]


def test_spaces_and_their_values_arrive_as_they_are() -> None:
    space = read_space(sent(worker.describe_space(SPACES)))
    assert space == SPACES
    SPACES.seed(0)
    for _ in range(20):
        assert read_value(space, sent(SPACES.sample())) in space


def test_an_unknown_space_is_named(counting: list[str], left: Left) -> None:
    with pytest.raises(ForeignRuntimeError, match="a space of the kind Graph cannot be sent"):
        ForeignEnv(counting, {"spaces": "unknown"})


def test_it_is_played_like_any_other(env: ForeignEnv) -> None:
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step("count")
    assert env.reset(seed=3, options={"goal": "x"})[0] == 13
    observation, reward, terminated, truncated, info = env.step("count")
    assert (observation, reward, terminated, truncated, info["count"]) == (14, 0.5, False, False, 14)
    assert env.action_space == UnicodeText(1000)


def test_the_snapshots_are_those_of_the_child(env: ForeignEnv) -> None:
    env.reset(seed=0)
    saved = snapshot(env)
    env.step("count")
    restore(env, saved)
    assert env.step("count")[0] == 11


def test_a_new_child_takes_the_place_of_a_broken_one(env: ForeignEnv) -> None:
    first = env.reset(seed=0)[1]["pid"]
    with pytest.raises(ForeignRuntimeError):
        env.step("exit 1")
    with pytest.raises(ForeignRuntimeError):
        env.step("count")
    observation, info = env.reset(seed=5)
    assert observation == 15
    assert info["pid"] != first


def test_old_and_new_gym_step_alike(left: Left, tmp_path: Path) -> None:
    module = tmp_path / "old.py"
    module.write_text(
        "from types import SimpleNamespace\n"
        "class Discrete:\n    n = 9\n"
        "class Old:\n"
        "    observation_space = action_space = Discrete()\n"
        "    def seed(self, seed):\n        self.at = seed\n"
        "    def reset(self):\n        return self.at\n"
        "    def step(self, action):\n"
        "        self.at += 1\n"
        "        return self.at, 1, self.at > 3, {'TimeLimit.truncated': True} if self.at == 5 else {}\n"
        "    def close(self):\n        pass\n"
        "make = Old\n"
    )
    env = ForeignEnv(python_command(sys.executable, f"{module}:make"))
    assert not hasattr(env, "snapshot")
    replayed = VerifiedReplay(env)
    assert replayed.reset(seed=2) == (2, {})
    saved = replayed.snapshot()
    ends = [replayed.step(0)[2:4] for _ in range(3)]
    assert ends == [(False, False), (True, False), (False, True)]
    replayed.restore(saved)
    assert replayed.step(0)[0] == 3
    env.close()
