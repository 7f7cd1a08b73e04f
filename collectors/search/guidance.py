"""Agents that guide a search: a prior over actions, and a value of states.

An agent may offer a prior, a value, both or neither; one that only acts is a prior as well (`acting_prior`). A search
asks about states in any order, so what an agent answers must follow from what it is shown, not from what it was asked
before. Not here: caching of answers, which an agent with an expensive model does itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from ...agents.protocol import Agent, Finished, decide
from ...experience import Goal, Observation
from .mcts import Prior, Value


@runtime_checkable
class OffersPrior(Protocol):
    """An agent that offers a prior over actions."""

    def prior(self, observation: Observation, goal: Goal, actions: Sequence[str]) -> Sequence[float]:
        """Return a weight for each action: at least 0, in proportion to how likely it is to be right.

        Args:
            observation: What is perceived, without facts.
            goal: What is to be achieved.
            actions: The admissible actions in words.

        Returns:
            The weights, shape `[actions]`; their sum does not matter.
        """
        ...


@runtime_checkable
class OffersValue(Protocol):
    """An agent that estimates how good a state is."""

    def value(self, observation: Observation, goal: Goal) -> float:
        """Return the expected discounted return from here on, in units of the environment's reward."""
        ...


class Perceivable(Protocol):
    """A model with observations, as `EnvModel` is."""

    def observation(self) -> Observation:
        """Return the present observation, without facts."""
        ...

    def text(self, action: Any, /) -> str:
        """Return an action in words."""
        ...


class SearchPrior(NamedTuple):
    """The keywords `prior` and `value` of a `Search`."""

    prior: Prior | None
    value: Value | None


def guidance_of(agent: object, model: Perceivable, goal: Goal) -> SearchPrior:
    """Return the prior and the value that an agent offers, for a search over this model.

    Args:
        agent: The agent; what it does not offer is None.
        model: The model that is searched; the agent is shown its observation at the moment of asking.
        goal: What is to be achieved.
    """

    def prior(actions: Sequence[Any]) -> Sequence[float]:
        assert isinstance(agent, OffersPrior), "checked below"
        return agent.prior(model.observation(), goal, [model.text(action) for action in actions])

    def value() -> float:
        assert isinstance(agent, OffersValue), "checked below"
        return agent.value(model.observation(), goal)

    return SearchPrior(
        prior if isinstance(agent, OffersPrior) else None, value if isinstance(agent, OffersValue) else None
    )


def acting_prior(agent: Agent, model: Perceivable, goal: Goal, *, trust: float = 0.9) -> Prior:
    """Return a prior for an agent that only acts: what it would do weighs most, and the rest is shared evenly.

    With `SearchConfig(rollout="prior")` the agent plays the rollouts, deviating now and then.

    Args:
        agent: The agent. Where it has finished, or names an action that is not admissible, all weigh the same.
        model: The model that is searched.
        goal: What is to be achieved.
        trust: The share of its action, in [0, 1].
    """

    def prior(actions: Sequence[Any]) -> Sequence[float]:
        try:
            said = decide(agent, model.observation(), goal).action
        except Finished:
            return [1.0] * len(actions)
        named = [model.text(action) == said for action in actions]
        if len(actions) == 1 or not any(named):
            return [1.0] * len(actions)
        return [trust if it else (1 - trust) / (len(actions) - 1) for it in named]

    return prior


__all__ = ["OffersPrior", "OffersValue", "Perceivable", "SearchPrior", "acting_prior", "guidance_of"]
