"""A home as a search sees it: the same transitions as `HabitatEnv.step`, without a word of text.

Not here: the transitions themselves (`env`).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, Final

from ....stable_random import StableRandom
from ...model import StepResult

if TYPE_CHECKING:
    from ..env import HabitatEnv

_KEPT: Final = 4_096


class HabitatModel:
    """The present episode of an environment, which it moves (`pathei.envs.model.Model`)."""

    def __init__(self, env: HabitatEnv) -> None:
        """Look at an environment that was reset."""
        self._env = env
        self._listed: dict[Hashable, tuple[str, ...]] = {}

    def actions(self) -> Sequence[str]:
        """Return the listed actions; none when the episode is over."""
        if self._env.over:
            return ()
        key = self.key()
        known = self._listed.get(key)
        if known is None:
            if len(self._listed) >= _KEPT:
                self._listed.clear()
            known = self._listed[key] = self._env.listed()
        return known

    def sample(self, draws: StableRandom) -> str | None:
        """Return one of them at random."""
        actions = self.actions()
        return actions[draws.below(len(actions))] if actions else None

    def possible(self, action: str, /) -> bool:
        """Return whether an action is among them."""
        return action in self.actions()

    def step(self, action: str, /) -> StepResult:
        """Do it."""
        return StepResult(self._env.act(action).reward, self._env.over)

    def snapshot(self) -> Any:
        """Return the present moment."""
        return self._env.moment()

    def restore(self, state: Any, /) -> object:
        """Go back to a moment of the same episode."""
        self._env.go_back(state)
        return None

    def key(self) -> Hashable:
        """Return where the agents and the things are, what is open, and whether the episode is over."""
        state = self._env.sim.state
        # The placements of a state are never changed in place; a step that moves nothing keeps them.
        return state.poses, frozenset(state.placements.items()), state.opened, self._env.over, self._env.turn

    def success(self) -> bool | None:
        """Return whether the goal is reached; None without a goal that can be checked."""
        return self._env.success

    def text(self, action: str, /) -> str:
        """Return the action itself."""
        return action


__all__ = ["HabitatModel"]
