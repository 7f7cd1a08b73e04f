"""MineDojo as an environment that pathei's worker can drive; this file runs in MineDojo's own interpreter.

Its observations and actions are the package's, in spaces that gymnasium has: an array of names is a tuple of texts, an
array of truth values is `MultiBinary`, and a single number is `Discrete`. It uses the package, NumPy, the standard
library, and the syntax of Python 3.8. Not here: words (`words`).
"""

from __future__ import annotations

import copy
import importlib
from typing import Any, Sequence  # noqa: UP035  # Python 3.8 takes these as types

LONGEST = 64
"""The longest name, in characters."""


class Text:
    """A space of texts, which gym 0.21 has not."""

    max_length = LONGEST


def make(task: str, image_size: Sequence[int], port: int | None = None, world_seed: int | None = None) -> Bridge:
    """Make one of MineDojo's tasks.

    Args:
        task: Its id, such as `"harvest_1_log"`.
        image_size: Height and width of the picture.
        port: Where Minecraft with Malmo's mod already listens on this machine; None to let the package start it.
        world_seed: What the land follows from; None for any.
    """
    minedojo = importlib.import_module("minedojo")
    if port is not None:
        _attach(port)
    seeds = {} if world_seed is None else {"seed": world_seed, "world_seed": str(world_seed)}
    specifications = importlib.import_module("minedojo.tasks").ALL_TASKS_SPECS
    whole = copy.deepcopy(specifications.get(task))
    made = minedojo.make(task_id=task, image_size=tuple(image_size), **seeds)
    if whole is not None:  # The package uses the specification up, and could not make the same task again.
        specifications[task] = whole
    return Bridge(made)


def _attach(port: int) -> None:
    """Make the package use a Minecraft that runs already."""
    bridge_env = importlib.import_module("minedojo.sim.bridge.bridge_env.bridge_env")

    def existing(*args: object, **options: object) -> Any:
        instance = bridge_env.InstanceManager.add_existing_instance(port)
        instance.launch(replaceable=False)
        instance.had_to_clean = False
        return instance

    bridge_env.BridgeEnv._get_new_instance = existing


class Bridge:
    """One task."""

    def __init__(self, env: Any) -> None:
        """Convert the spaces."""
        self._env, self._seen = env, None
        self._space = env.observation_space
        self.observation_space = convert_space(self._space)
        self.action_space = env.action_space

    def vocabulary(self) -> dict[str, Any]:
        """Return the names of what can be crafted or smelted, in the order of the actions, and the task in words."""
        meta = importlib.import_module("minedojo.sim.mc_meta.mc")
        texts = [str(getattr(self._env, name, "") or "") for name in ("task_prompt", "task_guidance")]
        return {"crafts": list(meta.ALL_CRAFT_SMELT_ITEMS), "prompt": texts[0], "guidance": texts[1]}

    def reset(self, seed: int | None = None, options: object = None) -> tuple[Any, dict[str, Any]]:
        """Begin: the first time in a new world, later as the package resets, which leaves what was changed."""
        if seed is not None:
            self._env.seed(seed)
        self._seen = convert(self._space, self._env.reset())
        return self._seen, {"success": False}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Act; what the package refuses because the masks forbid it changes nothing."""
        try:
            seen, reward, done, _ = self._env.step(action)
        except ValueError as error:
            return self._seen, 0.0, False, False, {"success": False, "error": str(error)}
        self._seen = convert(self._space, seen)
        return (
            self._seen,
            float(reward),
            bool(done),
            False,
            {"success": bool(getattr(self._env, "is_successful", False))},
        )

    def close(self) -> None:
        """End the game."""
        self._env.close()


def _kind(space: Any) -> str:
    """Return what becomes of a space: `Dict`, `Tuple` (of texts), `MultiBinary`, `Discrete`, or its own kind."""
    kind = type(space).__name__
    if kind == "Text" and space.shape:
        return "Tuple"
    if kind == "Box" and space.dtype.name == "bool":
        return "MultiBinary" if space.shape else "Discrete"
    if kind == "Box" and not space.shape:
        return "Discrete"
    return kind


def convert_space(space: Any) -> Any:
    """Return a space of the package as one that the worker can describe."""
    kind = _kind(space)
    if kind == "Dict":
        return _named("Dict", spaces={key: convert_space(one) for key, one in space.spaces.items()})
    if kind == "Tuple":
        return _named("Tuple", spaces=[Text()] * _size(space.shape))
    if kind == "MultiBinary":
        return _named("MultiBinary", n=list(space.shape))
    if kind == "Discrete" and type(space).__name__ == "Box":
        return _named("Discrete", n=int(space.high) - int(space.low) + 1, start=int(space.low))
    return space


def convert(space: Any, value: Any) -> Any:
    """Return a value of the package as one of the converted space."""
    kind = _kind(space)
    if kind == "Dict":
        return {key: convert(one, value[key]) for key, one in space.spaces.items()}
    if kind == "Tuple":
        return [str(name)[:LONGEST] for name in value.reshape(-1).tolist()]
    if kind == "MultiBinary":
        return value.astype("int8")
    if kind == "Discrete":
        return int(value)
    return value


def _named(kind: str, **attributes: Any) -> Any:
    return type(kind, (), attributes)()


def _size(shape: Sequence[int]) -> int:
    size = 1
    for length in shape:
        size *= int(length)
    return size
