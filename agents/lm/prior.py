"""A language model as a guide of tree search: how likely it finds each admissible action.

`collectors.guidance.guidance_of(LmPrior(...), model, goal)` makes of it what a `Search` takes. All actions of a state
are rated in one forward pass, and a state is rated once. Not here: values, and the history of the path: a search asks
about states in any order, so the model is shown the goal and the state alone.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from ...errors import check
from ...experience import Goal, Observation
from .backends import Backend, Choice, Conversation, Message, Usage
from .prompts import PromptContext, Prompts, fit, get_prompts


class LmPrior:
    """Offers prior weights; see the head of this file."""

    def __init__(
        self,
        backend: Backend,
        *,
        prompts: Prompts | None = None,
        temperature: float = 1.0,
        per_token: bool = True,
        floor: float = 0.1,
        cut: bool = False,
        keep: int = 10_000,
    ) -> None:
        """Prepare to rate.

        Args:
            backend: A model that can rate.
            prompts: The prompt templates; the style `experience` if None.
            temperature: Weights are proportional to exp(log-likelihood / temperature); more is more even.
            per_token: Whether the log-likelihood of an action is divided by its number of tokens.
            floor: The share of the weight that is distributed evenly, so that no action is excluded; in [0, 1].
            cut: Whether an observation that is too long for the model is truncated.
            keep: The number of ratings kept in the cache, the latest ones.

        Raises:
            ConfigError: a number is out of range.
        """
        rules = {
            f"temperature must be more than 0, not {temperature}": 0 < temperature < math.inf,
            f"floor must be in [0, 1], not {floor}": 0 <= floor <= 1,
            f"keep must be at least 1, not {keep}": keep >= 1,
        }
        check(rules, "language model prior")
        self._backend = backend
        self._prompts = prompts or get_prompts("experience")
        self._temperature = temperature
        self._per_token = per_token
        self._floor = floor
        self._cut = cut
        self._keep = keep
        self._known: dict[tuple[str, str, tuple[str, ...]], list[float]] = {}
        self.usage = Usage(requests=0)
        """What all ratings took so far."""

    def prior(self, observation: Observation, goal: Goal, actions: Sequence[str]) -> list[float]:
        """Return a weight for each action; together they are 1.

        Args:
            observation: What is perceived, without facts.
            goal: What is to be achieved.
            actions: The admissible actions in words.

        Raises:
            ModelError: the model does not answer, or cannot read what it would have to.
        """
        if not actions:
            return []
        key = (observation.text, goal.text, tuple(actions))
        weights = self._known.pop(key, None)
        if weights is None:
            weights = self._rate(observation, goal, tuple(actions))
        self._known[key] = weights  # to the end, as the latest
        if len(self._known) > self._keep:
            del self._known[next(iter(self._known))]
        return list(weights)

    def _rate(self, observation: Observation, goal: Goal, actions: tuple[str, ...]) -> list[float]:
        backend, context = self._backend, self._backend.context
        longest = max(actions, key=lambda action: len(action.encode()))
        room = backend.count(Conversation((Message("user", longest),))) + 4
        scene = PromptContext(goal, (), dataclasses.replace(observation, images=()), listed=False)
        budget = None if context is None else context - room
        fitted = fit(self._prompts, scene, budget, backend.count, cut=self._cut)
        [rated] = backend.rate([Choice(fitted.conversation, actions)])
        self.usage += rated.usage
        scores = rated.scores(self._per_token)
        best = max(scores)
        shares = [math.exp((score - best) / self._temperature) for score in scores]
        total, even = sum(shares), self._floor / len(actions)
        return [(1 - self._floor) * share / total + even for share in shares]
