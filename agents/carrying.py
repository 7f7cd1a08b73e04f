"""A random agent that carries things from room to room.

Exploration touches, switches and scrubs, and seldom takes a thing along; where nothing moves there is nothing to track
or to count. This agent chooses kinds of actions by weight and then one action of the kind. Not here: any goal.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from ..envs.verbalizer import Surroundings, Verbalizer, plain
from ..experience import Goal, Observation
from .protocol import check_seen

WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {"leave": 2.0, "carry": 6.0, "approach": 2.0, "grab": 6.0, "put": 4.0, "drop": 1.5, "open": 1.0, "idle": 1.5}
)
"""How likely each kind of action is, where there is one: to go to another room with empty hands, to go there with a
thing, to walk to something, to take, to put on or in something, to drop, to open, and all else."""


class RandomCarryAgent:
    """Carries things about; what it does follows from its seed and from what it perceives."""

    def __init__(self, verbalizer: Verbalizer | None = None, weights: Mapping[str, float] = WEIGHTS) -> None:
        """Create the agent.

        Args:
            verbalizer: Knows what the environment's verbs do and reads rooms off its observations; the plain one if
                None.
            weights: Those of `WEIGHTS`, or others for the same kinds.
        """
        self._verbalizer = plain() if verbalizer is None else verbalizer
        self._weights = dict(weights)
        self._rng = np.random.default_rng(0)

    def reset(self, seed: int) -> None:
        """Begin an episode."""
        self._rng = np.random.default_rng(seed)

    def act(self, observation: Observation, goal: Goal) -> str:
        """Choose one of the admissible actions; where none are listed, stand up."""
        check_seen(observation, goal)
        actions = observation.actions or ("[StandUp]",)
        surroundings = self._verbalizer.surroundings(observation)
        kinds: dict[str, list[str]] = {}
        for action in actions:
            kinds.setdefault(self._kind(action, surroundings), []).append(action)
        kinds.pop("", None)
        if not kinds:
            return actions[int(self._rng.integers(len(actions)))]
        weights = np.array([self._weights.get(kind, 1.0) for kind in kinds])
        chosen = list(kinds.values())[int(self._rng.choice(len(weights), p=weights / weights.sum()))]
        return chosen[int(self._rng.integers(len(chosen)))]

    def _kind(self, text: str, surroundings: Surroundings) -> str:
        """Return the kind of an action; empty for one that is never chosen."""
        action = self._verbalizer.read_action(text)
        verb = text.strip().partition(" ")[0].upper() if action is None else action.verb
        kind = self._verbalizer.lexicon.carrying.get(verb, "idle")
        if kind != "go":
            return kind
        rooms = [room.id for room in surroundings.rooms]
        if action is None or not action.ids or action.ids[0] in rooms:
            return "carry" if surroundings.holding else "leave"
        return "approach"
