"""MineDojo's tasks as a gymnasium environment: `pathei/MineDojo-v0`.

The package's tasks, spaces, masks, rewards and success rules are its own; it runs in another interpreter and starts
Minecraft by itself, or uses one that already listens on a port. An observation is the package's, and a text with it;
an action is the package's eight numbers, or words. Not here: the package (`runtime`, `bridge`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium import spaces

from ...errors import ConfigError, unknown
from ..foreign import ForeignEnv, TimeLimits, python_command
from ..spaces import UnicodeText
from ..text_env import check_options, explain, require_reset
from . import words
from .runtime import python, task_names

TASK: Final = "harvest_1_log"
OPTIONS: Final = ("task", "image_size", "port", "world_seed", "goal")
_LIMITS: Final = TimeLimits(start=60.0, make=180.0, reset=900.0, step=300.0)
"""The first reset starts Minecraft."""
_TEXT: Final = 20_000


class MineDojoEnv(gymnasium.Env[dict[str, Any], Any]):
    """One of MineDojo's tasks; see the head of this file, and `docs/guide/envs/minedojo.md`.

    The observation is the package's dict with a `"text"`: an array of names is a tuple of them, row by row, and an
    array of truth values is 0 and 1. `reset(seed, options)` takes these options, each of which may also be given to the
    constructor as the default:

    * `task`: the id of a task; default `"harvest_1_log"`. Another one needs a new environment of the package.
    * `image_size`: height and width of the picture `"rgb"`, which is `[3, height, width]`; default (160, 256). Only the
      constructor takes it.
    * `port`: where Minecraft with Malmo's mod listens on this machine; None to let the package start it.
    * `world_seed`: what the land follows from; None for any.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array", "ansi"]}  # noqa: RUF012  # gymnasium declares it so

    def __init__(self, *, render_mode: str | None = None, **defaults: Any) -> None:
        """Start the interpreter and make the task; Minecraft itself is started by the first `reset`.

        Args:
            render_mode: None, `"rgb_array"` or `"ansi"`.
            defaults: Options.

        Raises:
            ConfigError: an option is not known, or has no possible value.
            InstallError: MineDojo is not installed; the message holds the command.
            ForeignRuntimeError: it cannot be started.
        """
        check_options("MineDojo", defaults, OPTIONS)
        self.render_mode, self._defaults = render_mode, defaults
        self._arguments = _arguments(defaults)
        command = python_command(python(), f"{Path(__file__).with_name('bridge.py')}:make")
        self._place = TemporaryDirectory(prefix="pathei-minedojo-")  # the package writes logs where it is started
        self._inner = ForeignEnv(command, self._arguments, name="MineDojo", limits=_LIMITS, cwd=self._place.name)
        seen = self._inner.observation_space
        assert isinstance(seen, spaces.Dict)
        self.observation_space = spaces.Dict({**seen.spaces, "text": UnicodeText(_TEXT)})
        self.action_space = self._inner.action_space
        self._crafts: Sequence[str] = ()
        self._told = ("", "")
        self._seen: dict[str, Any] | None = None
        self._learn()

    @property
    def task(self) -> tuple[str, str, str]:
        """The present task: its id, its prompt and its guidance, as the package words them."""
        return (self._arguments["task"], *self._told)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin an episode; see the class for the options. Only the first one of a task begins in a new world.

        Raises:
            ConfigError: an option is not known, or has no possible value.
            ForeignRuntimeError: the package or Minecraft does not start, or is gone.
        """
        super().reset(seed=seed)
        check_options("MineDojo", options or {}, OPTIONS)
        arguments = _arguments({**self._defaults, **(options or {})})
        if arguments["image_size"] != self._arguments["image_size"]:
            raise ConfigError("The option 'image_size' of MineDojo is the constructor's: make another environment.")
        if arguments != self._arguments:
            self._inner.make_again(arguments)
            self._arguments = arguments
            self._learn()
        seen, info = self._inner.reset(seed=seed)
        self._seen = seen
        return self._observed(None), self._info(info)

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Act: by eight numbers as the package has them, or by words.

        An action that the masks forbid, and words that are none, change nothing; the text says why.

        Raises:
            ForeignRuntimeError: the package or Minecraft is gone.
        """
        before = require_reset(self._seen)
        numbers = words.read_action(action, before, self._crafts) if isinstance(action, str) else action
        if isinstance(numbers, str):
            return self._observed(numbers), 0.0, False, False, self._info({"success": False, "error": numbers})
        seen, reward, terminated, truncated, info = self._inner.step(np.asarray(numbers, np.int64))
        self._seen = seen
        return self._observed(info.get("error")), reward, terminated, truncated, self._info(info)

    def render(self) -> Any:
        """Return the picture, `[height, width, 3]`, in render mode `"rgb_array"`, or the text in `"ansi"`."""
        if self.render_mode is None:
            return None
        seen = require_reset(self._seen)
        return words.describe(seen) if self.render_mode == "ansi" else np.moveaxis(seen["rgb"], 0, -1)

    def close(self) -> None:
        """End the interpreter, and Minecraft if the package started it."""
        self._inner.close()
        self._place.cleanup()

    def _learn(self) -> None:
        said = self._inner.runtime.call("vocabulary")
        self._crafts, self._told = said["crafts"], (said["prompt"], said["guidance"])

    def _observed(self, refused: str | None) -> dict[str, Any]:
        seen = require_reset(self._seen)
        return {**seen, "text": explain(refused, words.describe(seen))[:_TEXT]}

    def _info(self, info: dict[str, Any]) -> dict[str, Any]:
        return {**info, "actions": words.admissible(require_reset(self._seen), self._crafts)}


def _arguments(given: dict[str, Any]) -> dict[str, Any]:
    """Return what the bridge makes a task of.

    Raises:
        ConfigError: an option has no possible value.
        InstallError: MineDojo is not installed.
    """
    task, size, port, seed = (given.get(name) for name in OPTIONS[:4])
    size = (160, 256) if size is None else size
    task = TASK if task is None else task
    if task not in (known := task_names()):
        raise ConfigError(str(unknown("task of MineDojo", str(task), sorted(known))))
    if not isinstance(size, Sequence) or [type(one) for one in size] != [int, int] or min(size) < 1:
        raise ConfigError(f"The option 'image_size' of MineDojo is (HEIGHT, WIDTH), not {size!r}.")
    for name, value, most in (("port", port, 65_535), ("world_seed", seed, 2**31 - 1)):
        if value is not None and not (type(value) is int and 0 <= value <= most):
            raise ConfigError(f"The option {name!r} of MineDojo is a whole number up to {most}, not {value!r}.")
    return {"task": task, "image_size": list(size), "port": port, "world_seed": seed}
