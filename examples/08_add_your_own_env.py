"""Add your own environment: any gymnasium environment works; text, admissible actions and snapshots make it better.

`pathei new env NAME` writes a package like this one, with its tests, that the command line finds by name.
"""

from typing import Any

import gymnasium
import numpy as np

import pathei
from pathei.envs import UnicodeText, check_env, check_snapshot


class Safe(gymnasium.Env[str, str]):
    """A safe with three dials: it opens when every dial shows its digit."""

    observation_space, action_space = UnicodeText(200), UnicodeText(20)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Choose the digits, which follow from the seed."""
        super().reset(seed=seed)
        self._dials, self._secret = [0, 0, 0], [int(digit) for digit in self.np_random.integers(1, 4, size=3)]
        return self._seen()

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Turn a dial; an action that cannot be done changes nothing, and the observation says why."""
        before = self._right()
        if action not in self._seen()[1]["actions"]:
            error, (text, info) = f"There is no action {action!r}.", self._seen()
            return f"{error} {text}", 0.0, False, False, info | {"error": error}
        dial = int(action.removeprefix("turn dial "))
        self._dials[dial] = (self._dials[dial] + 1) % 4
        text, info = self._seen()
        return text, float(self._right() - before) / 3, self._right() == 3, False, info

    def snapshot(self) -> Any:
        """Return the whole state, the random state included: a search goes back to it."""
        return tuple(self._dials), tuple(self._secret), self.np_random.bit_generator.state

    def restore(self, state: Any) -> None:
        """Go back to a snapshot."""
        (self._dials, self._secret), self.np_random.bit_generator.state = map(list, state[:2]), state[2]

    def _right(self) -> int:
        return sum(dial == digit for dial, digit in zip(self._dials, self._secret, strict=True))

    def _seen(self) -> tuple[str, dict[str, Any]]:
        actions = tuple(f"turn dial {number}" for number in range(3))
        text = f"The dials show {self._dials}; {self._right()} of them click."
        return text, {"actions": actions, "success": self._right() == 3, "progress": self._right() / 3}


if __name__ == "__main__":
    gymnasium.register("Safe-v0", entry_point="__main__:Safe", max_episode_steps=30)
    check_env(pathei.make_env("Safe-v0"))  # gymnasium's contract and pathei's conventions
    check_snapshot(pathei.make_env("Safe-v0"), rng=np.random.default_rng(0))
    for collector in ("explore", "breadth", "mcts"):
        report = pathei.collect("runs/examples/safe", 10, collector, env="Safe-v0")
        print(f"{collector:8} {report.coverage.successes} of 10 safes opened, {report.coverage.steps} steps")
