"""The agent that acts at random: the least that any other has to beat."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..errors import ContractError
from ..experience import Goal, Observation
from .protocol import Finished, check_seen


class RandomAgent:
    """Chooses uniformly among the admissible actions."""

    def __init__(self, rng: np.random.Generator, sample: Callable[[np.random.Generator], str] | None = None) -> None:
        """Create the agent.

        Args:
            rng: Where its choices come from; it is consumed, and replaced by `reset`.
            sample: Draws an action where actions are free form.
        """
        self._rng = rng
        self._sample = sample

    def reset(self, seed: int) -> None:
        """Begin an episode whose choices follow from the seed."""
        self._rng = np.random.default_rng(seed)

    def act(self, observation: Observation, goal: Goal) -> str:
        """Draw one of the admissible actions, or a free one where none are listed.

        Raises:
            Finished: no action is admissible.
            ContractError: actions are free form here, and there is no `sample`.
        """
        check_seen(observation, goal)
        if observation.actions is None:
            if self._sample is None:
                raise ContractError(
                    "This environment lists no actions to choose from: explore it (`pathei collect STORE explore`), "
                    "choose another agent, or in Python give RandomAgent a `sample` that draws an action."
                )
            return self._sample(self._rng)
        if not observation.actions:
            raise Finished("No action is admissible.")
        return observation.actions[int(self._rng.integers(len(observation.actions)))]
