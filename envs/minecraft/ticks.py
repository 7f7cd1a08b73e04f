"""The Minecraft world tick by tick, with keys, camera and mouse: `pathei/MinecraftTicks-v0`.

Actions and observations are numbers, for code that learns control. The world, its options and its goals are those of
`pathei/Minecraft-v0`; the reward is the change in the goal's progress, here the share of what is counted. A snapshot is
not offered, because the client's own motion would not be in it. Not here: skills (`env`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium import spaces

from ...experience import Task
from ..text_env import check_options, require_reset
from . import tasks
from .env import WORLD_OPTIONS, whole_option, world_options
from .goals import MinecraftGoal, read_goals
from .process.game import MinecraftGame, Seen

ENV: Final = "pathei/MinecraftTicks-v0"
KEYS: Final = ("forward", "back", "left", "right", "jump", "sneak", "sprint")
"""The keys, in the order of `action["keys"]`."""
AROUND: Final = 3
"""How many blocks are seen on every side."""
SLOTS: Final = 36
"""The places of the inventory: nine of the hotbar, then the others."""
_LONGEST: Final = 20
_TITLE: Final = "The Minecraft world in ticks"
_OPTIONS: Final = ("world", "goal", "ticks", *(name for name in WORLD_OPTIONS if name != "characters"))


class MinecraftTicksEnv(gymnasium.Env[dict[str, Any], Mapping[str, Any]]):
    """The world in ticks of a twentieth of a second; see the head of this file, and `docs/guide/envs/minecraft.md`.

    An action is a dict: `keys`, which of `KEYS` are down; `camera`, degrees by which the head turns down and to the
    right; `attack` and `use`, whether the mouse's buttons are down; `slot`, 0 or the place of the hotbar to take in
    hand, 1 to 9.

    An observation is a dict: `pose` (x, y, z in blocks, degrees to the right and down), `status` (health and food of
    20, air of 300, whether one stands), `time` of the day in ticks, `voxels` (kinds of blocks, `[y, z, x]` around the
    feet), `inventory` (kind and number at each place, 0 where there is nothing), and the `slot` in hand, from 0.
    `block_names` and `item_names` say what the kinds are.

    Options are those of `MinecraftEnv` on the world and the goal, and `ticks`: how many ticks an action is held, 1 to
    20; default 1.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012  # gymnasium declares it so

    def __init__(self, **defaults: Any) -> None:
        """Create the environment; node is started by the first `reset`.

        Args:
            defaults: Options of `reset`.

        Raises:
            ConfigError: an option is not known.
        """
        check_options(_TITLE, defaults, _OPTIONS)
        self._defaults = defaults
        side = 2 * AROUND + 1
        most = np.iinfo(np.int16).max
        self.observation_space = spaces.Dict(
            pose=spaces.Box(-np.inf, np.inf, (5,), np.float64),
            status=spaces.Box(0, 300, (4,), np.float64),
            time=spaces.Discrete(24_000),
            voxels=spaces.Box(0, most, (side, side, side), np.int16),
            inventory=spaces.Box(0, most, (SLOTS, 2), np.int16),
            slot=spaces.Discrete(9),
        )
        self.action_space = spaces.Dict(
            keys=spaces.MultiBinary(len(KEYS)),
            camera=spaces.Box(-180, 180, (2,), np.float32),
            attack=spaces.Discrete(2),
            use=spaces.Discrete(2),
            slot=spaces.Discrete(10),
        )
        self.game = MinecraftGame()
        """The node process."""
        self._goals: tuple[MinecraftGoal, ...] = ()
        self._ticks = 1
        self._begun: Seen | None = None
        self._progress = 0.0

    @property
    def block_names(self) -> tuple[str, ...]:
        """The names of the kinds of blocks, by number."""
        return self.game.rules.block_names

    @property
    def item_names(self) -> tuple[str, ...]:
        """The names of the kinds of things, by number; kind 0 is nothing."""
        return self.game.rules.item_names

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin in a world; see the class for the options.

        Raises:
            ConfigError: an option is not known or has no possible value.
            GoalError: a condition is none of this world.
            InstallError, ForeignRuntimeError: the world is not installed, or does not start.
        """
        super().reset(seed=seed)
        check_options(_TITLE, options or {}, _OPTIONS)
        given = {**self._defaults, **(options or {})}
        drawn, world = int(self.np_random.integers(2**31)), given.get("world")
        self._goals = read_goals(tuple((given.get("goal") or {}).get("conditions") or ()))
        self._ticks = whole_option("ticks", given.get("ticks") or 1, 1, _LONGEST)
        number = whole_option("world", drawn if world is None else world, 0, 2**31 - 1)
        self.game.begin(number, world_options(given))
        said = self.game.hold(0, {})
        self._begun = said["facts"]
        self._progress = self._measured(said["facts"])
        return _observed(said), self._info()

    def step(self, action: Mapping[str, Any]) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Hold what an action says for the ticks of the option `ticks`.

        Returns:
            Observation, reward (the change in progress), terminated (the goal is reached), truncated (False), info.

        Raises:
            ForeignRuntimeError: the node process is gone, or does not answer.
        """
        require_reset(self._begun)
        slot = int(action["slot"])
        held = {
            "keys": [int(key) for key in action["keys"]],
            "camera": [float(angle) for angle in action["camera"]],
            "attack": int(action["attack"]),
            "use": int(action["use"]),
            "slot": slot - 1 if slot else None,
        }
        said = self.game.hold(self._ticks, held)
        before, self._progress = self._progress, self._measured(said["facts"])
        return _observed(said), self._progress - before, self._over, False, self._info()

    def close(self) -> None:
        """End the node process."""
        self.game.close()

    @property
    def _over(self) -> bool:
        return bool(self._goals) and self._progress >= 1

    def _measured(self, facts: Seen) -> float:
        if not self._goals:
            return 0.0
        return sum(goal.measure(facts, require_reset(self._begun)) for goal in self._goals) / len(self._goals)

    def _info(self) -> dict[str, Any]:
        return {"success": self._over, "progress": self._progress} if self._goals else {}


def _observed(said: Mapping[str, Any]) -> dict[str, Any]:
    side = 2 * AROUND + 1
    return {
        "pose": np.array(said["pose"], np.float64),
        "status": np.array(said["status"], np.float64),
        "time": int(said["time"]),
        "voxels": np.array(said["voxels"], np.int16).reshape(side, side, side),
        "inventory": np.array(said["inventory"], np.int16),
        "slot": int(said["slot"]),
    }


def generate_tasks(n: int, seed: int) -> list[Task]:
    """Return the tasks of `pathei/Minecraft-v0`, to be done tick by tick."""
    return [dataclasses.replace(task, env=ENV) for task in tasks.generate_tasks(n, seed)]
