"""The shop as a search sees it: the same places and rewards, no text.

A place is the whole state, so a search recognises a page that it reaches in two ways.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from ...stable_random import StableRandom
from ..model import StepResult
from .pages import ShopPage

if TYPE_CHECKING:
    from .env import WebShopEnv


class ShopModel:
    """The present episode of an environment, which it moves (`pathei.envs.model.Model`)."""

    def __init__(self, buyer: WebShopEnv) -> None:
        """Look at an environment that was reset."""
        self._buyer = buyer

    def actions(self) -> Sequence[str]:
        """Return the admissible actions."""
        return self._buyer.actions()

    def sample(self, draws: StableRandom) -> str | None:
        """Return one of them at random."""
        actions = self._buyer.actions()
        return actions[draws.below(len(actions))] if actions else None

    def possible(self, action: str, /) -> bool:
        """Return whether an action is among them."""
        return action in self._buyer.actions()

    def step(self, action: str, /) -> StepResult:
        """Do it."""
        earned = self._buyer.act(action)
        return StepResult(earned, self._buyer.over)

    def snapshot(self) -> ShopPage:
        """Return the present place."""
        return self._buyer.place

    def restore(self, state: ShopPage, /) -> object:
        """Go back to a place."""
        self._buyer.go(state)
        return None

    def key(self) -> Hashable:
        """Return the place, without what changes the text alone: what was looked at, and the order of the choices."""
        place = self._buyer.place
        return place._replace(seen=frozenset(), options=tuple(sorted(place.options)))

    def success(self) -> bool:
        """Return whether the goal holds: as a rule, that exactly the right thing was bought."""
        return self._buyer.progress == 1.0

    def text(self, action: str, /) -> str:
        """Return the action itself."""
        return action
