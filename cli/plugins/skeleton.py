"""The files of a package that adds an environment; `NAME` and `TITLE` are replaced. See `pathei new env`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_PYPROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "NAME-env"
version = "0.1.0"
description = "The environment NAME for pathei."
requires-python = ">=3.11"
dependencies = ["pathei"]

[project.entry-points."pathei.envs"]
NAME = "NAME_env:SPEC"

[tool.setuptools]
packages = ["NAME_env"]
"""

_README = """\
# NAME

An environment for [pathei](https://pypi.org/project/pathei/): a corridor of rooms with a lamp in each.

```
pip install -e .
pytest
pathei check-env NAME
pathei run --env NAME
pathei run --env NAME --agent random
```

`NAME_env/env.py` is the environment, `NAME_env/__init__.py` its `EnvSpec`, which the entry point in `pyproject.toml`
offers to pathei. `pytest` and `pathei check-env` check the contracts.
"""

_INIT = '''\
"""The environment NAME: its id for gymnasium and its row for pathei."""

import gymnasium

from pathei.envs import EnvSpec

gymnasium.register("TITLE-v0", entry_point="NAME_env.env:TITLEEnv", max_episode_steps=50)

SPEC = EnvSpec(
    id="NAME_env:TITLE-v0",
    entry_point="NAME_env.env:TITLEEnv",
    max_episode_steps=50,
    name="NAME",
    what="a corridor of rooms with a lamp in each",
    tasks="NAME_env.env:generate_tasks",
    demonstration="NAME_env.env:demonstration",
)
'''

_ENV = '''\
"""A corridor of rooms with a lamp in each. Replace it by your own environment, and keep the contract."""

from typing import Any

import gymnasium

from pathei import Goal, Task
from pathei.envs import UnicodeText

ROOMS = 6


class TITLEEnv(gymnasium.Env[str, str]):
    """Observations and actions are text; `info` has the admissible actions, and whether the goal is reached."""

    metadata = {"render_modes": []}

    def __init__(self) -> None:
        self.observation_space = UnicodeText(1000)
        self.action_space = UnicodeText(100)
        self._room = 0
        self._lit = [False] * ROOMS

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin in room 0; which lamps are lit follows from the seed."""
        super().reset(seed=seed)
        self._room = 0
        self._lit = [bool(value) for value in self.np_random.integers(2, size=ROOMS)]
        self._lit[-1] = False
        return self._text(), self._info()

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Walk, or light the lamp of this room. An impossible action changes nothing, and the observation says why."""
        if action not in self._actions():
            error = f"You cannot do {action!r} here."
            return f"{error} {self._text()}", 0.0, False, False, self._info() | {"error": error}
        before = sum(self._lit)
        if action == "light the lamp":
            self._lit[self._room] = True
        else:
            self._room += 1 if action == "go right" else -1
        return self._text(), float(sum(self._lit) - before), all(self._lit), False, self._info()

    def snapshot(self) -> Any:
        """Return the state, the random state included."""
        return self._room, tuple(self._lit), self.np_random.bit_generator.state

    def restore(self, state: Any) -> None:
        """Go back to a snapshot."""
        self._room, lit, self.np_random.bit_generator.state = state
        self._lit = list(lit)

    def _actions(self) -> tuple[str, ...]:
        left = ("go left",) if self._room else ()
        right = ("go right",) if self._room < ROOMS - 1 else ()
        return (*left, *right, *(() if self._lit[self._room] else ("light the lamp",)))

    def _info(self) -> dict[str, Any]:
        return {"actions": self._actions(), "success": all(self._lit), "progress": sum(self._lit) / ROOMS}

    def _text(self) -> str:
        lamps = ", ".join("on" if lit else "off" for lit in self._lit)
        return f"You are in room {self._room}. The lamps of the rooms are {lamps}."


def generate_tasks(n: int, seed: int) -> list[Task]:
    """Return tasks that follow from the seed; the environment follows from the seed of its task."""
    goal = Goal("light all lamps")
    return [Task(f"NAME/{number}", "NAME_env:TITLE-v0", number, goal) for number in range(seed, seed + n)]


def demonstration(task: Task) -> list[str]:
    """Return actions that reach the goal of a task."""
    env = TITLEEnv()
    env.reset(seed=task.seed)
    actions = []
    for room, lit in enumerate(env._lit):
        actions += ["go right"] if room else []
        actions += [] if lit else ["light the lamp"]
    return actions
'''

_TEST = '''\
"""The environment keeps gymnasium's contract and pathei's, and its demonstrations reach their goals."""

import gymnasium
import numpy as np

from NAME_env import SPEC
from NAME_env.env import demonstration, generate_tasks
from pathei.envs import check_env, check_snapshot, make, reset


def test_it_keeps_the_contract() -> None:
    check_env(gymnasium.make(SPEC.id))


def test_snapshots_hold_all_of_its_state() -> None:
    check_snapshot(gymnasium.make(SPEC.id), rng=np.random.default_rng(0))


def test_demonstrations_reach_the_goal() -> None:
    for task in generate_tasks(5, 0):
        env = make(task)
        _, info = reset(env, task)
        for action in demonstration(task):
            info = env.step(action)[4]
        assert info["success"]
'''

FILES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pyproject.toml": _PYPROJECT,
        "README.md": _README,
        "NAME_env/__init__.py": _INIT,
        "NAME_env/env.py": _ENV,
        "tests/test_NAME.py": _TEST,
    }
)
"""The text of each file by its path."""
