"""An agent that lives for the corpora: it carries things about the house, from room to room.

Exploration touches, switches and scrubs, and seldom takes a thing along; where nothing moves there is nothing to track
or to count. This agent chooses kinds of actions by weight and then one of the kind. Left out: any goal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from ...envs.virtualhome.language.plans import read_deed
from ...experience import Goal, Observation

WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {"leave": 2.0, "carry": 6.0, "approach": 2.0, "grab": 6.0, "put": 4.0, "drop": 1.5, "open": 1.0, "idle": 1.5}
)
"""How likely each kind of action is, where there is one: to go to another room with empty hands, with a thing, to walk
to something, to take, to put on or in something, to drop, to open, and all else."""
_KINDS: Final = {
    "GRAB": "grab",
    "PUTBACK": "put",
    "PUTIN": "put",
    "DROP": "drop",
    "OPEN": "open",
    "STANDUP": "approach",
}
_LEFT_OUT: Final = ("RUN", "FIND", "RELEASE", "PUTOBJBACK", "SIT", "LIE", "CLOSE")
_ROOMS: Final = re.compile(r"^Other rooms: (.+)\.$", re.MULTILINE)
_ID: Final = re.compile(r"\((\d+)\)")


class RandomCarryAgent:
    """Runs errands; follows from the seed it is reset with and from what it perceives."""

    def __init__(self, weights: Mapping[str, float] = WEIGHTS) -> None:
        """Create the agent; the weights are those of `WEIGHTS`."""
        self._weights = dict(weights)
        self._rng = np.random.default_rng(0)

    def reset(self, seed: int) -> None:
        """Begin an episode."""
        self._rng = np.random.default_rng(seed)

    def act(self, observation: Observation, goal: Goal) -> str:
        """Choose one of the admissible actions; where there are none, stand up."""
        actions = observation.actions or ("[StandUp]",)
        rooms = {int(number) for line in _ROOMS.findall(observation.text) for number in _ID.findall(line)}
        holding = "You hold" in observation.text
        kinds: dict[str, list[str]] = {}
        for action in actions:
            kinds.setdefault(_kind(action, rooms, holding), []).append(action)
        kinds.pop("", None)
        if not kinds:
            return actions[int(self._rng.integers(len(actions)))]
        weights = np.array([self._weights.get(kind, 1.0) for kind in kinds])
        chosen = list(kinds.values())[int(self._rng.choice(len(weights), p=weights / weights.sum()))]
        return chosen[int(self._rng.integers(len(chosen)))]


def _kind(action: str, rooms: set[int], holding: bool) -> str:
    """The kind of an action; empty for one that is never chosen."""
    deed = read_deed(action)
    if deed is None or deed.verb in _LEFT_OUT:
        return ""
    if deed.verb == "WALK":
        return ("carry" if holding else "leave") if deed.ids[0] in rooms else "approach"
    return _KINDS.get(deed.verb, "idle")


__all__ = ["WEIGHTS", "RandomCarryAgent"]
