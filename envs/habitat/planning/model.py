"""A home as a search sees it: the same transitions as `HabitatEnv.step`, without a word of text.

Not here: the transitions themselves (`env`).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, Final

from ....stable_random import StableRandom
from ...facts import EdgeCondition, NodeCondition, parse_conditions
from ...model import StepResult
from ..graph import node_of
from ..language.actions import read_command

if TYPE_CHECKING:
    from ..env import HabitatEnv

_KEPT: Final = 4_096
_NAMED: Final = 8.0
"""How much more an action weighs that names only what the goal is about."""


class HabitatModel:
    """The present episode of an environment, which it moves (`pathei.envs.model.Model`)."""

    def __init__(self, env: HabitatEnv) -> None:
        """Look at an environment that was reset."""
        self._env = env
        self._listed: dict[Hashable, tuple[str, ...]] = {}
        self._about = _named_by(env)
        self._weights: dict[str, float] = {}

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

    def prior(self, actions: Sequence[str]) -> Sequence[float]:
        """Return a weight for each action: more for one that names only what the goal is about, or where that is."""
        return [self._weight(action) for action in actions]

    def _weight(self, action: str) -> float:
        known = self._weights.get(action)
        if known is None:
            command = read_command(action.partition("> ")[2] if action.startswith("<") else action)
            named = [] if command is None else [one for one in (command.thing, command.holder) if one]
            about = bool(named) and all(one.replace(" ", "_") in self._about for one in named)
            known = self._weights[action] = _NAMED if about else 1.0
        return known

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


def _named_by(env: HabitatEnv) -> frozenset[str]:
    """Return the names of the things and rooms that a goal about facts is about, and of what they are on or in."""
    world, found = env.world, set[str]()
    if env.navigation is None:
        for one in parse_conditions(env.conditions):
            condition = one.condition
            if isinstance(condition, NodeCondition):
                chosen = [condition.node]
            else:
                chosen = [condition.source, condition.target] if isinstance(condition, EdgeCondition) else []
            kinds = {kind for selector in chosen for kind in selector.classes}
            nodes = {id_ for selector in chosen for id_ in selector.ids}
            found |= {room.name for room in world.map.home.rooms if room.name in kinds}
            for id_, name in world.map.names.items():
                if world.thing(id_).category in kinds or node_of(name) in nodes:
                    found.add(name)
                    place = world.state.placements.get(id_)
                    if place is not None and place.holder is not None:
                        found |= {world.map.names[one] for one in (place.holder, world.map.bases[place.holder])}
    return frozenset(found)
