"""Exploration without a goal in mind: actions at random, or those that promise something new.

Uniform exploration draws among the admissible actions. In a house most of them look at, point to or walk to something,
so it changes little. Novelty-seeking exploration counts, for each kind of action k (verb and kinds of its objects), how
often it was tried, `n(k)`, and how many state changes it caused that had not been seen before, `s(k)`; and the
same, `N(v)` and `S(v)`, for its verb v alone. An action's score is

    (s(k) + m(v)) / (n(k) + 1) + bonus / sqrt(n(k) + 1),    m(v) = (S(v) + 1) / (N(v) + 1)

the rate of new effects, shrunk towards its verb's, and a count bonus (Strehl & Littman 2008). Kinds are drawn by
softmax of score / temperature, and then one of the actions of the kind. So an untried kind is preferred, one with a
fruitful verb more than one with an idle verb, and what only repeats itself fades.

Several characters act in turn as the environment lets them. Not here: planning; exploration looks one step ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Literal

import gymnasium
import numpy as np

from ...errors import unknown
from ...experience import Observation, Trajectory
from ..coverage import Effects, read_act
from .episode import PutImage, Recorder, write_action
from .policy import PolicyReport, Rng
from .rollout import Rollout

Strategy = Literal["uniform", "novelty"]
STRATEGIES: tuple[Strategy, ...] = ("uniform", "novelty")
"""How actions can be chosen."""
_FREE = 16
"""How many free-form actions are drawn to choose among."""


class _Kinds(dict[str, int]):
    """Actions to the number of their kind; kinds and verbs are numbered in the order in which they are met."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: dict[str, int] = {}
        """By kind: a verb, and the kinds of its objects after it, in one string."""
        self.verbs: dict[str, int] = {}
        self.verb_of = np.zeros(64, dtype=np.intp)
        """The number of the verb of each kind, shape `[capacity]`."""

    def __missing__(self, action: str) -> int:
        kind = _kind(action)
        number = self.numbers.get(kind)
        if number is None:
            number = self.number(kind)
        self[action] = number
        return number

    def number(self, kind: str) -> int:
        """Return the number of a kind."""
        number = self.numbers.get(kind)
        if number is None:
            number = self.numbers[kind] = len(self.numbers)
            if number == len(self.verb_of):
                self.verb_of = np.resize(self.verb_of, 2 * number)
            self.verb_of[number] = self.verbs.setdefault(kind.partition(" ")[0], len(self.verbs))
        return number


@lru_cache(maxsize=1 << 16)
def _kind(action: str) -> str:
    return " ".join(read_act(action).kind)


class NoveltyCounts:
    """What has been tried so far with which effects; chooses by the formula at the top of this file."""

    def __init__(self, *, bonus: float = 0.5, temperature: float = 0.1) -> None:
        """Begin with nothing known.

        Args:
            bonus: The weight of the count bonus.
            temperature: That of the softmax; at 0 the best is always taken, ties broken at random.
        """
        self.bonus = bonus
        self.temperature = temperature
        self.seen: set[str] = set()
        """The state changes that were caused, by kind."""
        self._kinds = _Kinds()
        # How often each kind and each verb was tried, and how many new effects that caused.
        self._tried, self._found, self._verb_tried, self._verb_found = (np.zeros(64) for _ in range(4))
        self._listed: Sequence[str] | None = None
        self._of_action = self._there = np.zeros(0, dtype=np.intp)

    def choose(self, actions: Sequence[str], rng: np.random.Generator) -> str:
        """Draw an action.

        Args:
            actions: The admissible ones, at least one.
            rng: Consumed: two draws.
        """
        if actions is not self._listed or not isinstance(actions, tuple):  # often nothing has changed
            self._listed = actions
            self._of_action = np.fromiter(map(self._kinds.__getitem__, actions), dtype=np.intp, count=len(actions))
            (self._there,) = np.bincount(self._of_action).nonzero()
        kinds, there = self._of_action, self._there
        # The largest of score / temperature with Gumbel noise is a draw from the softmax.
        noisy = self._scores(there) + max(self.temperature, 1e-9) * rng.gumbel(size=len(there))
        (group,) = (kinds == there[noisy.argmax()]).nonzero()
        return actions[int(group[int(rng.integers(len(group)))])]

    def score(self, kind: str) -> float:
        """Return the score of a kind of action: a verb, and the kinds of its objects after it, in one string."""
        return float(self._scores(np.array([self._kinds.number(kind)]))[0])

    def learn(self, action: str, effects: Iterable[str]) -> int:
        """Note the effects of an action, and return how many of them are new."""
        fresh = [effect for effect in effects if effect not in self.seen]
        self.seen.update(fresh)
        kind = self._kinds[action]
        self._make_room()
        verb = self._kinds.verb_of[kind]
        for counts, place, more in (
            (self._tried, kind, 1),
            (self._found, kind, len(fresh)),
            (self._verb_tried, verb, 1),
            (self._verb_found, verb, len(fresh)),
        ):
            counts[place] += more
        return len(fresh)

    def _scores(self, kinds: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        self._make_room()
        verbs = self._kinds.verb_of[kinds]
        tries = self._tried[kinds] + 1
        promise = (self._verb_found[verbs] + 1) / (self._verb_tried[verbs] + 1)
        scores: np.ndarray[Any, Any] = (self._found[kinds] + promise) / tries + self.bonus / np.sqrt(tries)
        return scores

    def _make_room(self) -> None:
        """Let every kind have its counts; there are never more verbs than kinds."""
        more = len(self._kinds.verb_of) - len(self._tried)
        if more:
            self._tried, self._found, self._verb_tried, self._verb_found = (
                np.append(counts, np.zeros(more))
                for counts in (self._tried, self._found, self._verb_tried, self._verb_found)
            )


class ExplorePolicy:
    """The policy that explores; see the head of this file."""

    def __init__(self, strategy: Strategy = "novelty", *, carry: bool = False) -> None:
        """Create the policy.

        Args:
            strategy: How actions are chosen.
            carry: Whether what was tried and seen is carried over to the next episode. It finds more in many episodes
                of one process, but then an episode depends on those before it, and cannot be repeated alone.

        Raises:
            UnknownNameError: there is no such strategy.
        """
        if strategy not in STRATEGIES:
            raise unknown("strategy of exploration", strategy, STRATEGIES)
        self._strategy = strategy
        self._carry = carry
        self._novelty = NoveltyCounts()

    def play(self, recorder: Recorder, rng: Rng) -> PolicyReport:
        """Play to the end; the report's provenance holds the number of new effects."""
        rng = np.random.default_rng(rng)
        observation = recorder.reset()
        novelty = self._novelty if self._carry else NoveltyCounts()
        choose = novelty.choose if self._strategy == "novelty" else uniform
        effects = Effects(observation)
        sample = _sampler(recorder.env, rng)
        found = 0
        while not recorder.over:
            actions = observation.actions
            if actions is None:
                actions = tuple(sample() for _ in range(_FREE))
            if not actions:
                break
            step = recorder.step(choose(actions, rng))
            following = recorder.observation
            found += novelty.learn(step.action, _unless_refused(step.info, effects, observation, following))
            observation = following
        return PolicyReport({"strategy": self._strategy, "carry": self._carry, "new_effects": found})

    def learn(self, trajectory: Trajectory) -> None:
        """Do nothing."""


def make_explorer(
    *,
    strategy: Strategy = "novelty",
    max_steps: int = 30,
    seed: int = 0,
    carry: bool = False,
    put_image: PutImage | None = None,
) -> Rollout:
    """Return the collector that explores; see `ExplorePolicy` and `Rollout` for the arguments."""
    policy = ExplorePolicy(strategy, carry=carry)
    return Rollout(policy, name="explore", max_steps=max_steps, seed=seed, put_image=put_image)


def uniform(actions: Sequence[str], rng: np.random.Generator) -> str:
    """Draw one of the actions, at least one, each with the same probability; `rng` is consumed: one draw."""
    return actions[int(rng.integers(len(actions)))]


def _unless_refused(info: Any, effects: Effects, before: Observation, after: Observation) -> list[str]:
    return [] if "error" in info else effects.of(before, after)


def _sampler(env: gymnasium.Env[Any, Any], rng: np.random.Generator) -> Callable[[], str]:
    """Return what draws free-form actions, in words, from the action space; `rng` is consumed once, to seed it."""
    space = env.action_space
    space.seed(int(rng.integers(2**31)))
    return lambda: write_action(space.sample())
