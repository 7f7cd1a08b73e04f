"""A double of habitat-lab: the names that `pathei/HabitatLab-v0` uses, as strict as the real ones.

A flat world without walls: PointNav in `pointnav.yaml`, a planning domain with an apple in `rearrange.yaml`.
Types are enforced; an episode that is over, or changed without a reset, refuses a step; without the CUDA device that a
configuration names the process ends. It is not habitat-lab.
"""

from __future__ import annotations

import os
import random
from typing import Any

import numpy as np

__version__ = "0.3.3"
_STEP, _LIMIT, _NEAR = 0.25, 20, 0.2


class Config(dict):  # type: ignore[type-arg]
    """A configuration."""


def get_config(config_path: str, overrides: list[str] | None = None) -> Config:
    """Return a configuration; overrides are texts of the form `key=value`."""
    if type(config_path) is not str or not all(type(one) is str and "=" in one for one in overrides or []):
        raise TypeError("get_config takes a path and a list of texts")
    if config_path not in ("pointnav.yaml", "rearrange.yaml"):
        raise OSError(f"Config file not found: {config_path}")
    said = dict(one.split("=", 1) for one in overrides or [])
    unknown = said.keys() - {"habitat.simulator.habitat_sim_v0.gpu_device_id", "habitat.environment.max_episode_steps"}
    if unknown:
        raise ValueError(f"Could not override {sorted(unknown)}")
    return Config(task=config_path, **said)


class _Space:
    """A space with others in it, as gym's `Dict` is."""

    def __init__(self, **spaces: Any) -> None:
        self.spaces = spaces


class _Named:
    def __init__(self, name: str, n_args: int = 0) -> None:
        self.name, self.n_args = name, n_args


class _Problem:
    def get_ordered_entities_list(self) -> list[_Named]:
        """Return the entities."""
        return [_Named("apple"), _Named("table"), _Named("robot")]

    def get_ordered_actions(self) -> list[_Named]:
        """Return the rules."""
        return [_Named("pick", 2), _Named("place", 3)]


class _Task:
    def __init__(self, problem: bool) -> None:
        if problem:
            self.pddl_problem = _Problem()


class Episode:
    """An episode of PointNav."""

    def __init__(self, episode_id: str, goal: tuple[float, float]) -> None:
        self.episode_id, self.scene_id, self.goal = episode_id, "flat.glb", goal


class Env:
    """habitat-lab's environment."""

    def __init__(self, config: Config, dataset: Any = None) -> None:
        if not isinstance(config, Config):
            raise TypeError("Env takes a configuration")
        if config.get("habitat.simulator.habitat_sim_v0.gpu_device_id", "0") != "-1":
            os._exit(1)  # "unable to find CUDA device 0 among 1 EGL devices"
        self._pddl = config["task"] == "rearrange.yaml"
        self._limit = int(config.get("habitat.environment.max_episode_steps", _LIMIT))
        self.task = _Task(self._pddl)
        self.episodes = [Episode(str(10 + n), (0.0, -1.0 - n)) for n in range(3)]
        empty = {"move_forward": object(), "turn_left": object(), "turn_right": object(), "stop": object()}
        args = {"pddl_apply_action": _Space(pddl_action=object()), "oracle_nav": _Space(oracle_nav_action=object())}
        self.action_space = _Space(**({**args, "rearrange_stop": object()} if self._pddl else empty))
        self._current: Episode | None = None
        self._changed, self._steps, self.episode_over = False, -1, False
        self._place, self._turn, self._stopped, self._held = np.zeros(2), 0, False, False

    @property
    def current_episode(self) -> Episode:
        """The episode."""
        assert self._current is not None
        return self._current

    @current_episode.setter
    def current_episode(self, episode: Episode) -> None:
        self._current, self._changed = episode, True

    def seed(self, seed: int) -> None:
        """Seed."""
        if type(seed) is not int:
            raise TypeError("seed takes an int")
        random.seed(seed)

    def reset(self) -> dict[str, Any]:
        """Begin the episode that was set."""
        assert self._current is not None, "Reset requires an episode"
        self._changed, self._steps, self.episode_over = False, 0, False
        self._place, self._turn, self._stopped, self._held = np.zeros(2), 0, False, False
        return self._observations()

    def step(self, action: Any) -> dict[str, Any]:
        """Do an action."""
        assert self._steps >= 0, "Cannot call step before calling reset"
        assert self.episode_over is False, "Episode over, call reset before calling step"
        assert not self._changed, "Episode was changed"
        name, args = action["action"], action.get("action_args", {})
        if name not in self.action_space.spaces:
            raise KeyError(name)
        if name == "pddl_apply_action":
            value = args["pddl_action"]
            assert isinstance(value, np.ndarray)
            assert (value.dtype, value.shape) == (np.float32, (5,))
            self._held = self._held or value.tolist() == [1.0, 3.0, 0.0, 0.0, 0.0]
            self._stopped = self._held and value.tolist() == [0.0, 0.0, 1.0, 2.0, 3.0]
        elif name == "oracle_nav":
            assert args["oracle_nav_action"].shape == (1,)
        elif name == "move_forward":
            angle = self._turn * np.pi / 6
            self._place = self._place + _STEP * np.array((-np.sin(angle), -np.cos(angle)))
        else:
            self._turn += {"turn_left": 1, "turn_right": -1}.get(name, 0)
            self._stopped = name == "stop"
        self._steps += 1
        self.episode_over = self._stopped or self._past_limit()
        return self._observations()

    def _past_limit(self) -> bool:
        return self._steps >= self._limit

    def _away(self) -> float:
        return float(np.linalg.norm(np.array(self.current_episode.goal) - self._place))

    def _observations(self) -> dict[str, Any]:
        x, z = np.array(self.current_episode.goal) - self._place
        bearing = (np.arctan2(-x, -z) - self._turn * np.pi / 6 + np.pi) % (2 * np.pi) - np.pi
        return {
            "rgb": np.full((4, 6, 3), self._steps, np.uint8), "depth": np.zeros((4, 6, 1), np.float32),
            "pointgoal_with_gps_compass": np.array([self._away(), bearing], np.float32),
            "is_holding": np.array([float(self._held)], np.float32),
        }  # fmt: skip

    def get_metrics(self) -> dict[str, Any]:
        """Return the measures."""
        if self._pddl:
            return {"pddl_success": np.bool_(self._stopped), "num_steps": self._steps}
        done = float(self._stopped and self._away() < _NEAR)
        collisions = {"count": 0, "is_collision": False}
        return {"distance_to_goal": self._away(), "success": done, "spl": done, "collisions": collisions,
                "top_down_map": {"map": np.zeros((2, 2), np.uint8)}}  # fmt: skip

    def close(self) -> None:
        """End it."""
