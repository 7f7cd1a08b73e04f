"""habitat-lab's own tasks and configurations as a text environment: `pathei/HabitatLab-v0`.

Episodes, physics, robots and measures are habitat-lab's, in an interpreter of its own; here are words. An action is a
name of the configuration's action space (`move_forward`, `stop`), with arguments as JSON where it has some
(`base_velocity {"base_vel": [1, 0]}`). Where the task has a planning domain, `pick apple_1 robot_0` applies a rule of
it, and `navigate apple_1` takes a step of the oracle's way; `<char1>` before an action means the second agent. Not
here: homes of pathei's (`pathei/Habitat-v0`), and snapshots.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from ....errors import ConfigError, ForeignRuntimeError, InstallError
from ...contract import Requirement
from ...foreign import ForeignRuntime, python_command
from ...spaces import TextWithImages
from ...text_env import TextEnv, explain, require_reset
from ..language.text import say_bearing
from .install import PYTHON_VARIABLE, gpus_to_try, python_of

DEFAULT_CONFIG: Final = "benchmark/nav/pointnav/pointnav_habitat_test.yaml"
_CHILD: Final = Path(__file__).with_name("lab_child.py")
_MAKE_S, _CALL_S, _PROBE_S = 900.0, 120.0, 120.0
_ACTOR: Final = re.compile(r"<char(\d+)>\s*")
_GOALS: Final = ("pointgoal", "pointgoal_with_gps_compass")
_MOST_NUMBERS: Final = 8
_MAX_TEXT: Final = 20_000


class HabitatLabEnv(TextEnv[Any]):
    """An episode of habitat-lab's.

    `reset(seed, options)` takes:

    * `config`: the configuration's file, as `habitat.get_config` takes it; `DEFAULT_CONFIG` by default.
    * `overrides`: a list of what of it is to be otherwise: `"habitat.dataset.split=val"`.
    * `episode`: the episode, by its id or its place in the data set; else it follows from the seed.
    * `goal`: only its text is used: what is asked for is the configuration's task.

    An observation is a dict of the `text`, which has the sensors of few numbers, and as `image` the pictures (uint8,
    `[rows, width, 3]`); a text alone where there are none. `info["metrics"]` holds habitat-lab's measures. The reward
    is the change of progress: success, or the share of the distance that was covered.
    """

    title = "habitat-lab"
    option_names = ("config", "overrides", "episode", "goal")

    def __init__(self, *, render_mode: str | None = None, **defaults: Any) -> None:
        """Create the environment, with defaults of `reset`'s options; habitat-lab is started by `reset`.

        Raises:
            ConfigError: an option is not known.
        """
        super().__init__(max_text=_MAX_TEXT, max_action=2_000, render_mode=render_mode, defaults=defaults)
        self.observation_space = TextWithImages(_MAX_TEXT)
        self._runtime: ForeignRuntime | None = None
        self._made: tuple[str, tuple[str, ...]] | None = None
        self._about: Mapping[str, Any] | None = None
        self._seen: Mapping[str, Any] | None = None
        self._goal, self._first, self._progress = "", 0, 0.0
        self._away = 0.0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; see the class for the options.

        Raises:
            ConfigError: an option has no possible value, or there is no such episode.
            InstallError: no interpreter with habitat-lab is known.
            ForeignRuntimeError: habitat-lab cannot be started, or refuses the configuration.
        """
        given = self.begin(seed, options)
        overrides = given.get("overrides") or ()
        if isinstance(overrides, str) or not all(isinstance(one, str) for one in overrides):
            raise ConfigError(f"'overrides' is a list of texts such as 'habitat.seed=1', not {overrides!r}.")
        self._make(str(given.get("config") or DEFAULT_CONFIG), tuple(overrides))
        self._goal = str((given.get("goal") or {}).get("text") or "")
        number = self._episode(given.get("episode"))
        self._seen = self._call("begin", number=number, seed=int(self.np_random.integers(2**31)))
        self._away = float(self._seen["metrics"].get("distance_to_goal", 0.0))
        self._progress = self._reached()[1]
        return self._observed(None), self._info()

    def step(self, action: str) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Do an action; one that is none changes nothing."""
        seen, before = require_reset(self._seen), self._progress
        error: str | None = "the episode is over"
        if not seen["over"]:
            read = self._read(action)
            error = read if isinstance(read, str) else None
            if not isinstance(read, str):
                self._seen = seen = self._call("act", action=read[0], args=read[1])
        self._progress = self._reached()[1]
        info = self._info()
        if error is not None:
            info["error"] = error
        late = bool(seen["over"] and seen["late"] and not info.get("success"))
        return self._observed(error), self._progress - before, bool(seen["over"]) and not late, late, info

    def text(self) -> str:
        """Return the text of the present observation."""
        seen = require_reset(self._seen)
        episode, lines = seen["episode"], [f"Goal: {self._goal}"] if self._goal else []
        if episode["instruction"]:
            lines.append(f"Instruction: {episode['instruction']}")
        if episode["category"]:
            lines.append(f"Find a {episode['category'].replace('_', ' ')}.")
        for name, value in sorted(seen["sensors"].items()):
            numbers = np.asarray(value).ravel()
            if name in _GOALS and len(numbers) == 2:
                away, left = float(numbers[0]), math.degrees(float(numbers[1]))
                lines.append(f"The goal is {away:.2f} m away, {say_bearing(left)}.")
            elif len(numbers) <= _MOST_NUMBERS and name != "objectgoal":
                lines.append(f"{name}: {', '.join(f'{one:.3g}' for one in numbers.tolist())}")
        return "\n".join(lines)

    def close(self) -> None:
        """End habitat-lab."""
        if self._runtime is not None:
            self._runtime.close()
        self._runtime, self._made = None, None

    def _make(self, config: str, overrides: tuple[str, ...]) -> None:
        if self._made == (config, overrides) and self._runtime is not None and self._runtime.running:
            return
        self.close()
        failure: ForeignRuntimeError | None = None
        for gpu in gpus_to_try():
            self._runtime = ForeignRuntime(python_command(python_of(), f"{_CHILD}:Lab"), name="habitat-lab")
            try:
                self._runtime.call("make", {"config": config, "overrides": list(overrides), "gpu": gpu}, _MAKE_S)
            except ForeignRuntimeError as error:
                failure = failure or error
                self._runtime.close()
            else:
                self._made = config, overrides
                self._about = self._call("describe")
                return
        self._runtime = None
        raise failure or ForeignRuntimeError("habitat-lab was not started.")

    def _call(self, name: str, **args: Any) -> Any:
        return require_reset(self._runtime).call(name, args, _CALL_S)

    def _episode(self, asked: Any) -> int:
        episodes: Sequence[str] = require_reset(self._about)["episodes"]
        if not episodes:
            raise ConfigError("The configuration's data set has no episode.")
        if asked is None:
            return int(self.np_random.integers(len(episodes)))
        if isinstance(asked, str) and asked in episodes:
            return episodes.index(asked)
        if isinstance(asked, int) and 0 <= asked < len(episodes):
            return asked
        raise ConfigError(f"The episode is an id or a number of 0 to {len(episodes) - 1} here, not {asked!r}.")

    def _read(self, text: str) -> tuple[str, dict[str, Any]] | str:
        """Return an action's name and arguments, or why it is none."""
        about = require_reset(self._about)
        named = _ACTOR.match(text.strip())
        prefix = f"agent_{named[1]}_" if named is not None else ""
        said = text.strip()[named.end() if named is not None else 0 :]
        word, _, rest = said.partition(" ")
        words = rest.split()
        for name in (f"{prefix}{word}", word):
            if name in about["actions"]:
                return self._with_arguments(name, rest)
        if word == "navigate":
            return self._about_entities(prefix, "oracle_nav_action", [(1, words)])
        rules = about["rules"]
        if any(word == name for name, _ in rules):
            return self._about_entities(
                prefix, "pddl_action", [(n, words if name == word else []) for name, n in rules]
            )
        return f"{said[:80]!r} is no action here; those are {', '.join(sorted(about['actions']))}"

    def _with_arguments(self, name: str, rest: str) -> tuple[str, dict[str, Any]] | str:
        known = require_reset(self._about)["actions"][name]
        try:
            given = orjson.loads(rest) if rest.strip() else {}
        except orjson.JSONDecodeError:
            return f"what follows {name} is no JSON"
        if not isinstance(given, dict) or given.keys() != set(known):
            return f"{name} takes {', '.join(known) or 'no arguments'}"
        for key, value in given.items():
            if not all(isinstance(one, int | float) for one in (value if isinstance(value, list) else [value])):
                return f"{key} is a number or a list of numbers"
        return name, given

    def _about_entities(
        self, prefix: str, argument: str, parts: Sequence[tuple[int, Sequence[str]]]
    ) -> tuple[str, dict[str, Any]] | str:
        """Return the action with an argument that has a number for each entity, from 1; 0 where nothing is meant."""
        about = require_reset(self._about)
        action = next((name for name, keys in about["actions"].items() if f"{prefix}{argument}" in keys), None)
        if action is None:
            return f"there is no action here with the argument {prefix}{argument}"
        numbers: list[int] = []
        for count, words in parts:
            unknown = [word for word in words if word not in about["entities"]]
            if unknown:
                return f"there is no {unknown[0]} here; there are {', '.join(about['entities'][:20])}"
            if words and len(words) != count:
                return f"it is about {count} things, not {len(words)}"
            numbers += [about["entities"].index(word) + 1 for word in words] if words else [0] * count
        return action, {f"{prefix}{argument}": numbers}

    def _reached(self) -> tuple[bool | None, float]:
        metrics = require_reset(self._seen)["metrics"]
        said = metrics.get("success", metrics.get("pddl_success"))
        done = None if said is None else bool(said)
        left = metrics.get("distance_to_goal")
        near = max(0.0, 1 - float(left) / self._away) / 2 if left is not None and self._away > 0 else 0.0
        return done, 1.0 if done else near

    def _info(self) -> dict[str, Any]:
        seen, about = require_reset(self._seen), require_reset(self._about)
        plain = tuple(sorted(name for name, arguments in about["actions"].items() if not arguments))
        success, progress = self._reached()
        info: dict[str, Any] = {
            "metrics": copy.deepcopy(seen["metrics"]),
            "progress": progress,
            "episode": seen["episode"]["id"],
        }
        if len(plain) == len(about["actions"]):
            info["actions"] = () if seen["over"] else plain
        if success is not None:
            info["success"] = success
        return info

    def _observed(self, error: str | None) -> Any:
        text, sensors = explain(error, self.text()), require_reset(self._seen)["sensors"]
        pictures = tuple(
            np.array(value[..., :3])
            for _, value in sorted(sensors.items())
            if value.dtype == np.uint8 and value.ndim == 3 and value.shape[2] in (3, 4)
        )
        return {"text": text, "image": pictures} if pictures else text


def check_lab() -> Sequence[Requirement]:
    """Look for an interpreter with habitat-lab; it is imported in a child process."""
    what = "habitat-lab"
    try:
        command = python_command(python := python_of(), f"{_CHILD}:LabProbe")
        with ForeignRuntime(command, name="habitat-lab") as child:
            child.call("make", {}, _PROBE_S)
            return [Requirement(what, True, f"{child.call('version', {}, _PROBE_S)}: {python}")]
    except InstallError:
        note = f"set {PYTHON_VARIABLE} to an interpreter that has habitat-sim and habitat-lab (pip install --no-deps)"
        return [Requirement(what, False, note)]
    except ForeignRuntimeError as error:
        return [Requirement(what, False, f"{error} In that interpreter: pip install --no-deps habitat-lab")]
