"""A language model as a guide of tree search: how likely it finds each admissible action.

`collectors.search.collector.text_prior` makes of it what a `Search` takes. All actions of a state
are rated in one forward pass, and a state is rated once. Not here: values, and the history of the path: a search asks
about states in any order, so the model is shown the goal and the state alone.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Final

from ...experience import Goal, Observation
from .backends import Backend, Choice, Conversation, Message, Usage
from .prompts import STYLES, PromptContext, fit

_FLOOR: Final = 0.1
"""The share of the weight that is distributed evenly, so that no action is excluded."""
_KEPT: Final = 10_000
"""The number of ratings kept in the cache, the latest ones."""


class LmPrior:
    """Offers prior weights; see the head of this file."""

    def __init__(self, backend: Backend, *, cut: bool = False) -> None:
        """Prepare to rate.

        Args:
            backend: A model that can rate; it is asked in the style `experience`.
            cut: Whether an observation that is too long for the model is truncated.
        """
        self._backend, self._cut = backend, cut
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
        if len(self._known) > _KEPT:
            del self._known[next(iter(self._known))]
        return list(weights)

    def _rate(self, observation: Observation, goal: Goal, actions: tuple[str, ...]) -> list[float]:
        backend, context = self._backend, self._backend.context
        longest = max(actions, key=lambda action: len(action.encode()))
        room = backend.count(Conversation((Message("user", longest),))) + 4
        scene = PromptContext(goal, (), dataclasses.replace(observation, images=()), listed=False)
        budget = None if context is None else context - room
        fitted = fit(STYLES["experience"], scene, budget, backend.count, cut=self._cut)
        [rated] = backend.rate([Choice(fitted.conversation, actions)])
        self.usage += rated.usage
        scores = rated.scores(per_token=True)
        shares = [math.exp(score - max(scores)) for score in scores]
        total, even = sum(shares), _FLOOR / len(actions)
        return [(1 - _FLOOR) * share / total + even for share in shares]
