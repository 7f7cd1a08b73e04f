"""Who tries the goals of a curriculum: any agent, a tree search, or a player that keeps what worked (`skills`).

A player drives a `Recorder`, so what it does is lived in the real environment and recorded. What it does in a model of
the environment beforehand is counted. Left out: choosing goals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from ...agents.protocol import Agent, Finished, reset_agent
from ...envs.model import Model
from ...envs.plans import without_idle_steps
from ...experience import Trajectory
from ..rollout.episode import Recorder
from ..search.collector import MctsConfig, find_plan, model_in
from ..search.guided import GuidedModel

ModelOf = Callable[[Recorder], Model[Any, Any]]
"""Makes the model of an episode that was just reset."""


class Player(Protocol):
    """Tries to reach a goal, and may learn from what came of it.

    What it knows is a function of the trajectories it was given to learn from, in their order.
    """

    def attempt(self, recorder: Recorder, rng: np.random.Generator) -> int:
        """Play an episode that was just reset, to its end or until nothing more can be done.

        Args:
            recorder: The episode; its task holds the goal.
            rng: Consumed.

        Returns:
            How many transitions of the world it cost beside the steps that were recorded.
        """
        ...

    def learn(self, trajectory: Trajectory) -> None:
        """Learn from an episode that is over, whoever played it."""
        ...


class AgentPlayer:
    """Lets any agent play; it learns nothing."""

    def __init__(self, agent: Agent) -> None:
        """Play with an agent; it is reset for each episode and shown no facts."""
        self._agent = agent

    def attempt(self, recorder: Recorder, rng: np.random.Generator) -> int:
        """Play until the episode is over or the agent has finished."""
        reset_agent(self._agent, int(rng.integers(2**63)))
        while not recorder.over:
            try:
                recorder.step(self._agent.act(recorder.observation.seen(), recorder.task.goal))
            except Finished:
                break
        return 0

    def learn(self, trajectory: Trajectory) -> None:
        """Take no notice."""


class SearchPlayer:
    """Searches a plan with Monte Carlo tree search, then does it; it learns nothing."""

    def __init__(self, config: MctsConfig | None = None, *, model_of: ModelOf = model_in) -> None:
        """Play by search.

        Args:
            config: How to search; with a limit in seconds, attempts depend on the machine's speed.
            model_of: Makes the model in which to search.
        """
        self._config = MctsConfig() if config is None else config
        self._model_of = model_of

    def attempt(self, recorder: Recorder, rng: np.random.Generator) -> int:
        """Search, and do the best plan that was found, whether or not it reaches the goal."""
        model = self._model_of(recorder)
        result = find_plan(model, replace(self._config, minimise=False), rng).result
        counted = GuidedModel(model, lambda action: 1.0)
        minimise = self._config.minimise and result.success
        plan = without_idle_steps(counted, result.plan) if minimise else result.plan
        do(recorder, [model.text(action) for action in plan])
        return result.env_steps + counted.steps

    def learn(self, trajectory: Trajectory) -> None:
        """Take no notice."""


def do(recorder: Recorder, plan: list[str]) -> None:
    """Do the actions of a plan until the episode is over."""
    for action in plan:
        if recorder.over:
            break
        recorder.step(action)


__all__ = ["AgentPlayer", "ModelOf", "Player", "SearchPlayer", "do", "model_in"]
