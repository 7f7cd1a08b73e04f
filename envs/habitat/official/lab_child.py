"""The child's side of `pathei/HabitatLab-v0`: it drives habitat-lab 0.2.5 to 0.3.4 by its public interface.

It is run by another Python (from 3.8 on) through `pathei.envs.foreign`, so it imports nothing of pathei. habitat-lab's
configurations name CUDA device 0, and without it habitat-sim ends the process: the device is always overridden. Not
here: words for observations and actions.
"""

from __future__ import annotations

import importlib
import os
from typing import Any, Sequence  # noqa: UP035  # Python 3.8 takes these as types

os.environ.setdefault("MAGNUM_LOG", "quiet")
os.environ.setdefault("HABITAT_SIM_LOG", "quiet")

import numpy as np

_GPU = "habitat.simulator.habitat_sim_v0.gpu_device_id"


class Lab:
    """One `habitat.Env`; every method is a call of `HabitatLabEnv`."""

    def __init__(self, config: str, overrides: Sequence[str], gpu: int = -1) -> None:
        """Make the environment of a configuration.

        Args:
            config: The configuration's file, as `habitat.get_config` takes it.
            overrides: What of it is to be otherwise: `"habitat.dataset.split=val"`.
            gpu: The CUDA device that draws; -1 draws on the processor. Without that device the process ends.
        """
        habitat: Any = importlib.import_module("habitat")
        said = [*(str(one) for one in overrides), f"{_GPU}={int(gpu)}"]
        self.env = habitat.Env(config=habitat.get_config(config, overrides=said))

    def describe(self) -> dict[str, Any]:
        """Return the actions with the names of their arguments, what they can be about, and the episodes."""
        problem = getattr(self.env.task, "pddl_problem", None)
        entities = [] if problem is None else [str(one.name) for one in problem.get_ordered_entities_list()]
        rules = [] if problem is None else [[str(one.name), int(one.n_args)] for one in problem.get_ordered_actions()]
        actions = {
            str(name): sorted(str(key) for key in getattr(space, "spaces", None) or {})
            for name, space in self.env.action_space.spaces.items()
        }
        episodes = [str(one.episode_id) for one in self.env.episodes]
        return {"actions": actions, "entities": entities, "rules": rules, "episodes": episodes}

    def begin(self, number: int, seed: int) -> dict[str, Any]:
        """Begin an episode, by its place in the data set."""
        self.env.seed(int(seed))
        # An episode that was set is the one with which the next reset begins.
        self.env.current_episode = self.env.episodes[number]
        return self._seen(self.env.reset())

    def act(self, action: str, args: dict[str, Any]) -> dict[str, Any]:
        """Do an action; numbers in lists go in as arrays in single precision."""
        given = {name: np.array(value, dtype=np.float32) for name, value in args.items()}
        return self._seen(self.env.step({"action": action, "action_args": given} if given else {"action": action}))

    def _seen(self, observations: Any) -> dict[str, Any]:
        episode = self.env.current_episode
        instruction = getattr(getattr(episode, "instruction", None), "instruction_text", "")
        return {
            "sensors": {str(name): _sent(value) for name, value in observations.items() if _sent(value) is not None},
            "metrics": _plain(self.env.get_metrics()),
            "over": bool(self.env.episode_over),
            # habitat-lab has no word for an episode that only ran out of steps.
            "late": bool(self.env._past_limit()),
            "episode": {
                "id": str(episode.episode_id), "scene": str(episode.scene_id),
                "category": str(getattr(episode, "object_category", None) or ""), "instruction": str(instruction),
            },
        }  # fmt: skip

    def close(self) -> None:
        """End the environment."""
        self.env.close()


def _sent(value: Any) -> Any:
    """Return a sensor's value as an array that can be sent; None for what is none."""
    array = np.asarray(value) if isinstance(value, (np.ndarray, np.generic, int, float, list)) else None
    if array is None or array.dtype.kind not in "biuf":
        return None
    if array.dtype.kind == "f":
        return np.ascontiguousarray(array, dtype=np.float32)
    return np.ascontiguousarray(array, dtype=np.uint8 if array.dtype == np.uint8 else np.int32)


def _plain(value: Any) -> Any:
    """Return measures as plain JSON; pictures, such as maps, are left out."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items() if _plain(item) is not None}
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, float, np.integer, np.floating)):
        return float(value)
    return value if isinstance(value, str) else None


class LabProbe:
    """What a doctor asks."""

    def version(self) -> str:
        """Return the version of habitat-lab."""
        return str(getattr(importlib.import_module("habitat"), "__version__", "unknown"))

    def close(self) -> None:
        """Do nothing: the process ends."""
