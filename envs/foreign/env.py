"""A gymnasium environment whose other half runs in a child process.

The child says what its spaces are when the environment is made. If it dies, hangs or sends nonsense, the call raises
`ForeignRuntimeError`, and the next `reset` starts another child. Snapshots are the child's own where it has them, so
the environment is then `Snapshotable`; else `VerifiedReplay` can be put around it. Not here: the wire (`runtime`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces

from ...errors import ForeignRuntimeError
from ..spaces import UnicodeText
from . import worker
from .runtime import START_S, ForeignRuntime


class TimeLimits(NamedTuple):
    """How long each call may take, in seconds; then the child is killed."""

    start: float = START_S
    """Until the process answers."""
    make: float = 120.0
    """Making the environment: the simulator starts here."""
    reset: float = 120.0
    step: float = 60.0
    snapshot: float = 60.0
    """Saving or restoring."""


class ForeignEnv(gymnasium.Env[Any, Any]):
    """An environment in a child process, with the child's spaces.

    `snapshot` and `restore` are there where the child has them.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"]}  # noqa: RUF012  # gymnasium declares it so

    def __init__(
        self,
        command: Sequence[str],
        arguments: Mapping[str, Any] | None = None,
        *,
        name: str = "The foreign environment",
        limits: TimeLimits = TimeLimits(),  # noqa: B008  # a tuple of numbers
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        render_mode: str | None = None,
    ) -> None:
        """Start the child and make the environment in it.

        Args:
            command: The program and its arguments; see `python_command`.
            arguments: What the environment is made with.
            name: What messages call it, at the beginning of a sentence.
            limits: How long each call may take.
            env: Variables over those of this process.
            cwd: The child's working directory.
            render_mode: None, or `"rgb_array"` where the child can `render`.

        Raises:
            ForeignRuntimeError: the child does not start, or cannot make the environment.
        """
        self.render_mode = render_mode
        self._command, self._arguments = list(command), dict(arguments or {})
        self._name, self._limits, self._env, self._cwd = name, limits, dict(env or {}), cwd
        self._runtime: ForeignRuntime | None = None
        self._begun = False
        made = self._start()
        try:
            self.observation_space = read_space(made["observation_space"])
            self.action_space = read_space(made["action_space"])
        except (KeyError, TypeError, ValueError) as error:
            self._forget()
            raise ForeignRuntimeError(f"{name} described its spaces in a form that is not known: {error}.") from error
        if made.get("snapshots"):
            self.snapshot = self._snapshot
            self.restore = self._restore

    @property
    def runtime(self) -> ForeignRuntime:
        """The child, running or not.

        Raises:
            ForeignRuntimeError: the environment is closed.
        """
        if self._runtime is None:
            raise ForeignRuntimeError(f"{self._name} is closed.")
        return self._runtime

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, in a new child if the last one is gone."""
        super().reset(seed=seed)
        if self._runtime is None or not self._runtime.running:
            self._start()
        began = self.runtime.call("reset", {"seed": seed, "options": options}, self._limits.reset)
        self._begun = True
        return self._observed(began), began["info"]

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Act."""
        if not self._begun:
            raise gymnasium.error.ResetNeeded("Call reset() before anything else.")
        after = self.runtime.call("step", {"action": action}, self._limits.step)
        ended = after["terminated"], after["truncated"]
        return self._observed(after), after["reward"], *ended, after["info"]

    def make_again(self, arguments: Mapping[str, Any]) -> None:
        """Make the environment with other arguments, in the same child if that runs; its spaces must be the same.

        Raises:
            ForeignRuntimeError: the child cannot make it.
        """
        self._arguments = dict(arguments)
        if self._runtime is None or not self._runtime.running:
            self._start()
        else:
            self._begun = False
            self._runtime.call("make", self._arguments, self._limits.make)

    def render(self) -> Any:
        """Return an image, `[height, width, 3]`, in render mode `"rgb_array"`."""
        return None if self.render_mode is None else self.runtime.call("render", {}, self._limits.step)

    def close(self) -> None:
        """Close the environment and end the child."""
        self._forget()

    def _snapshot(self) -> Any:
        return self.runtime.call("snapshot", {}, self._limits.snapshot)

    def _restore(self, state: Any, /) -> None:
        self.runtime.call("restore", {"snapshot": state}, self._limits.snapshot)

    def _observed(self, reply: Mapping[str, Any]) -> Any:
        return read_value(self.observation_space, reply["observation"])

    def _start(self) -> Mapping[str, Any]:
        self._forget()
        runtime = ForeignRuntime(
            self._command, env=self._env, cwd=self._cwd, name=self._name, start_s=self._limits.start
        )
        self._runtime, self._begun = runtime, False
        try:
            made: Mapping[str, Any] = runtime.call("make", self._arguments, self._limits.make)
        except ForeignRuntimeError:
            self._forget()
            raise
        return made

    def _forget(self) -> None:
        if self._runtime is not None:
            self._runtime.close()
            self._runtime = None


def python_command(python: str | Path, target: str | Path) -> list[str]:
    """Return the command that runs an environment in another Python, of version 3.8 or newer.

    Args:
        python: The interpreter.
        target: The factory that makes the environment, `"module:factory"` or `"file.py:factory"`.
    """
    return [str(python), worker.__file__, str(target)]


def read_space(described: Mapping[str, Any]) -> gymnasium.Space[Any]:
    """Return the space that `worker.describe_space` described.

    Raises:
        KeyError, TypeError, ValueError: it is not such a description.
    """
    kind = described["kind"]
    if kind == "Box":
        return spaces.Box(described["low"], described["high"], dtype=np.dtype(described["dtype"]).type)
    if kind == "Discrete":
        return spaces.Discrete(described["n"], start=described["start"])
    if kind == "MultiDiscrete":
        return spaces.MultiDiscrete(described["nvec"])
    if kind == "MultiBinary":
        return spaces.MultiBinary(described["n"])
    if kind == "Text":
        return UnicodeText(described["max_length"])
    if kind == "Dict":
        return spaces.Dict({key: read_space(one) for key, one in described["spaces"].items()})
    if kind == "Tuple":
        return spaces.Tuple([read_space(one) for one in described["spaces"]])
    raise ValueError(f"a space of the kind {kind!r}")


def read_value(space: gymnasium.Space[Any], value: Any) -> Any:
    """Return a value of a space in the form that the space asks for: the wire knows lists, not tuples."""
    if isinstance(space, spaces.Dict) and isinstance(value, Mapping):
        return {key: read_value(space[key], item) if key in space.keys() else item for key, item in value.items()}  # noqa: SIM118
    if isinstance(space, spaces.Tuple) and isinstance(value, list) and len(value) == len(space.spaces):
        return tuple(map(read_value, space.spaces, value))
    if isinstance(space, spaces.Box | spaces.MultiDiscrete | spaces.MultiBinary):
        return np.asarray(value, space.dtype)
    return value
