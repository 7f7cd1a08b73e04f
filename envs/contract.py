"""What pathei and an environment expect of each other, and the way from what gymnasium returns to what is recorded.

An environment is a plain `gymnasium.Env`; every wrapper and tool of gymnasium works. A text environment keeps to these
conventions as well (`pathei.envs.checks.check_env` tests them):

* The observation is a string, or a dict with the string under `"text"` and, where there are images, an array (or a
  sequence of arrays) under `"image"`. It holds what the agent may perceive, and nothing else.
* The action is a string in the action space. An action that is impossible, ambiguous or nonsense never raises: the
  step changes nothing, and the observation says why.
* `info`, from `reset` and `step`, may hold:

  ========== ======================= ===================================================================
  `actions`  `tuple[str, ...]`       the admissible actions; absent where actions are free form
  `facts`    `dict`, plain JSON      privileged state for rewards and question corpora; never observed
  `success`  `bool`                  whether the goal holds now; absent where nothing can be checked
  `progress` `float` in [0, 1]       how much of the goal holds now
  `error`    `str`                   why the last action was refused, as the observation says; else absent
  ========== ======================= ===================================================================

  Facts may be of any form. Those that hold a graph (entities, relations, states, and what each step changed) in the
  form of `pathei.envs.facts` are read by corpora, skills, coverage and the goal check of `pathei.envs.facts.goals`.
* `reset` takes the goal in `options["goal"]`, as `{"text": str, "conditions": [dict, ...]}`, with its own options.
* It may draw pictures for people: `pictures()`, by name, in addition to what `render` draws (see `pictures` below).
* It may be `Snapshotable`: see `pathei.envs.snapshots`, whose names are here too. `restore` returns no observation.

Environments with numeric observations (`FrozenLake`, `CartPole`, `MiniGrid`) work as well: `observe` writes their
observations as compact JSON. Not here: the agent's side of the contract, and vector environments.
"""

from __future__ import annotations

import difflib
import importlib.util
import math
from collections.abc import Callable, Mapping, Set
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import orjson

from ..errors import ContractError, MissingDependencyError, UnknownNameError, unknown
from ..experience import Json, Observation, Task
from ..extras import install_command


class Requirement(NamedTuple):
    """One thing that an environment needs or can use."""

    what: str
    """What was looked for: `"RobotHow data"`."""
    ok: bool
    """Whether it is there."""
    note: str
    """What was found; where it is missing, the command that installs it."""
    required: bool = True
    """Whether the environment does not work without it."""

    @classmethod
    def packages(cls, what: str, *names: str, extra: str) -> Requirement:
        """Look for packages that an extra of pathei installs."""
        ok = all(importlib.util.find_spec(name) is not None for name in names)
        return cls(what, ok, "installed" if ok else install_command(extra))


def make(task: Task, *, render_mode: str | None = None) -> gymnasium.Env[Any, Any]:
    """Make the environment that a task asks for; `reset(env, task)` then starts the task.

    Args:
        task: The task.
        render_mode: What `render` is to return, as gymnasium has it; None for the environment's own default.

    Raises:
        UnknownNameError: no environment has this id; the nearest is suggested.
        MissingDependencyError: the environment needs something that is not installed.
    """
    drawn: dict[str, Any] = {} if render_mode is None else {"render_mode": render_mode}
    try:
        return gymnasium.make(task.env, **drawn)
    except gymnasium.error.DependencyNotInstalled as error:
        raise MissingDependencyError(f"The environment {task.env!r} cannot be made: {error}.") from error
    except gymnasium.error.Error as error:
        if task.env in gymnasium.registry:
            raise
        raise unknown_env(task.env) from error
    except ModuleNotFoundError as error:
        # gymnasium raises one without a name for an id of the form "module:Env-v0".
        module = error.name or task.env.partition(":")[0]
        if module.partition(".")[0] == __name__.partition(".")[0]:
            raise
        raise MissingDependencyError(
            f"The environment {task.env!r} needs the module {module!r}, which is not installed: "
            f"try `pip install {module.partition('.')[0]}`, or see `pathei env doctor`."
        ) from error


def reset(env: gymnasium.Env[Any, Any], task: Task) -> tuple[Any, dict[str, Any]]:
    """Start a task's episode: `env.reset` with its seed, its options and its goal.

    Returns:
        The first observation and info, as the environment gave them.

    Raises:
        ContractError: it returned something else.
    """
    goal = {"text": task.goal.text, "conditions": [dict(condition) for condition in task.goal.conditions]}
    result: Any = env.reset(seed=task.seed, options={**task.options, "goal": goal})
    _require_form("reset", result, ("observation", "info"))
    return result[0], result[1]


def step(env: gymnasium.Env[Any, Any], action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
    """Act in an environment: `env.step`, whose five values are what gymnasium says they are.

    Raises:
        ContractError: they are not: there are other values, the reward is no finite number, or `info` is no dict.
    """
    result: Any = env.step(action)
    _require_form("step", result, ("observation", "reward", "terminated", "truncated", "info"))
    observation, reward, terminated, truncated, info = result
    try:
        is_number = math.isfinite(reward)
    except TypeError:
        is_number = False
    if not is_number:
        raise ContractError(f"The environment returned the reward {reward!r}: a reward is a finite number.")
    return observation, float(reward), bool(terminated), bool(truncated), info


def succeeded(info: Mapping[str, Any]) -> bool | None:
    """Return whether the goal holds, as an info says; None if it does not say.

    Raises:
        ContractError: its `success` is neither true nor false, nor 1 or 0.
    """
    said = info.get("success")
    if said is None:
        return None
    if not isinstance(said, bool | int | float | np.generic) or said not in (0, 1):
        raise ContractError(f"The environment's info holds the success {said!r}: it is true or false, or left out.")
    return bool(said)


def observe(
    observation: Any, info: Mapping[str, Any], put_image: Callable[[np.ndarray[Any, Any]], str] | None = None
) -> Observation:
    """Turn what `reset` or `step` returned into the record of what was seen.

    Args:
        observation: A string; or a dict with `"text"`, whose other entries but `"image"` are taken to be the same
            thing in numbers and are not recorded; or anything else, which becomes compact JSON by the rule of `plain`.
        info: The info returned with it; `actions` and `facts` are taken out of it.
        put_image: Stores an image (array of shape `[height, width, channels]`) and returns its SHA-256 in hex;
            needed only where observations hold images.

    Raises:
        ContractError: the text is not a string, the actions are not a sequence of strings, or there is an image and no
            `put_image`.
    """
    images: tuple[str, ...] = ()
    if isinstance(observation, str):
        text = observation
    elif isinstance(observation, Mapping) and "text" in observation:
        text = observation["text"]
        if not isinstance(text, str):
            raise ContractError(f"An observation's 'text' must be a string, not {type(text).__name__}.")
        if observation.get("image") is not None:
            images = _images(observation["image"], put_image)
    else:
        text = orjson.dumps(_plain(observation)).decode()
    return Observation(text, images, _actions(info.get("actions")), info.get("facts"))


def pictures(env: gymnasium.Env[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """Return what an environment draws now, by name: its own `pictures()`, else what it renders as `frame`.

    Args:
        env: Made with the render mode `"rgb_array"`.

    Returns:
        Arrays of uint8, shape `[height, width, 3]`; none where nothing is drawn.
    """
    own = getattr(env.unwrapped, "pictures", None)
    if own is not None:
        return dict(own())
    frame = env.render()
    return {} if frame is None else {"frame": np.asarray(frame, np.uint8)}


def plain(info: Mapping[str, Any]) -> dict[str, Json]:
    """Return what of an info belongs into a `Step`, as plain JSON: all of it but `actions` and `facts`.

    NumPy numbers and arrays become numbers and lists, tuples and sets become lists (sets sorted by their JSON), keys
    become strings. A number that JSON does not have (NaN, infinities) becomes None; an integer beyond 64 bits becomes a
    string of digits. Any other value is replaced by the name of its type in angle brackets, `"<module.Class>"`, which
    is the same in every run, as its `repr` often is not.
    """
    return {str(key): _plain(value) for key, value in info.items() if key != "actions" and key != "facts"}


def unknown_env(name: str) -> UnknownNameError:
    """Return the error that names the environment nearest to a gymnasium id, or to `module:Id-v0`."""
    module, colon, id_ = name.rpartition(":")
    near = difflib.get_close_matches(id_, list(gymnasium.registry), n=1)
    ours = [known for known in gymnasium.registry if known.startswith("pathei/")]
    return unknown("environment", name, [f"{module}{colon}{one}" for one in near] or ours)


def _require_form(called: str, result: Any, parts: tuple[str, ...]) -> None:
    if not isinstance(result, tuple) or len(result) != len(parts):
        found = f"{len(result)} values" if isinstance(result, tuple) else type(result).__name__
        raise ContractError(f"The environment's `{called}` returned {found}: it returns ({', '.join(parts)}).")
    if not isinstance(result[-1], (dict, Mapping)):  # a dict is one too: found to be so in a tenth of the time
        raise ContractError(f"The environment's `{called}` returned an info that is no dict: {result[-1]!r}.")


def _actions(actions: Any) -> tuple[str, ...] | None:
    if actions is None:
        return None
    try:
        "".join(listed := tuple(actions))  # refuses whatever is not a string, at the speed of C: hundreds may be listed
        if not isinstance(actions, str):
            return listed
    except TypeError:
        pass
    raise ContractError(f"The environment's info holds the actions {actions!r:.200}: they are a tuple of strings.")


def _images(value: Any, put_image: Callable[[np.ndarray[Any, Any]], str] | None) -> tuple[str, ...]:
    if put_image is None:
        raise ContractError(
            "The observation holds an image and there is nowhere to put it: pass put_image, "
            "or leave 'image' out of the observation."
        )
    arrays = list(value) if isinstance(value, list | tuple) else [value]
    return tuple(put_image(np.asarray(array)) for array in arrays)


def _plain(value: Any) -> Json:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value) if -(2**63) <= value < 2**64 else str(int(value))
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, np.ndarray | np.generic):
        return _plain_array(np.asarray(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Set):
        return sorted((_plain(item) for item in value), key=orjson.dumps)
    kind = type(value)
    return f"<{kind.__module__}.{kind.__qualname__}>"


def _plain_array(array: np.ndarray[Any, Any]) -> Json:
    if array.dtype.kind == "f":
        # By way of orjson, which writes a float32 as 0.1 and not as 0.10000000149011612.
        numbers = np.ascontiguousarray(array, dtype=np.float32 if array.itemsize <= 4 else np.float64)
        values = orjson.loads(orjson.dumps(np.atleast_1d(numbers), option=orjson.OPT_SERIALIZE_NUMPY))
        return values if array.ndim else values[0]
    # Of the other kinds, tolist makes Python values: numbers, strings, or objects that are judged one by one.
    return array.tolist() if array.dtype.kind in "biu" else _plain(array.tolist())
