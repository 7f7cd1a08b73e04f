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

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

import gymnasium
import numpy as np

from ...errors import unknown
from ...experience import Observation, Trajectory
from ..coverage import Effects, read_kind
from .episode import PutImage, Recorder, write_action
from .policy import PolicyReport, Rng
from .rollout import Rollout

Strategy = Literal["uniform", "novelty"]
STRATEGIES: tuple[Strategy, ...] = ("uniform", "novelty")
"""How actions can be chosen."""
_FREE = 16
"""How many free-form actions are drawn to choose among."""
_MOST_ACTIONS = 1 << 16
"""How many actions an explorer remembers the kinds of, from one episode to the next."""


class ActionKinds(dict[str, int]):
    """Actions to the number of their kind; kinds and verbs are numbered in the order in which they are met."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers: dict[str, int] = {}
        self.verbs: dict[str, int] = {}
        """The number of each verb."""
        self.verb_of: list[int] = []
        """The number of the verb of each kind."""

    def __missing__(self, action: str) -> int:
        kind = self[action] = self.number(read_kind(action))
        return kind

    def number(self, kind: str) -> int:
        """Return the number of a kind: a verb, and the kinds of its objects after it, in one string."""
        number = self._numbers.setdefault(kind, len(self._numbers))
        if number == len(self.verb_of):
            self.verb_of.append(self.verbs.setdefault(kind.partition(" ")[0], len(self.verbs)))
        return number


class NoveltyCounts:
    """What has been tried so far with which effects; chooses by the formula at the top of this file."""

    def __init__(self, *, bonus: float = 0.5, temperature: float = 0.1, kinds: ActionKinds | None = None) -> None:
        """Begin with nothing known.

        Args:
            bonus: The weight of the count bonus.
            temperature: That of the softmax; at 0 the best is always taken, ties broken at random.
            kinds: The kinds of actions that other episodes have met; no choice depends on them.
        """
        self.bonus = bonus
        self.temperature = temperature
        self.seen: set[str] = set()
        """The state changes that were caused, by kind."""
        self._kinds = ActionKinds() if kinds is None else kinds
        self._met = 0
        """How many kinds this episode has met. They have the places from 1 on, in the order in which they were met."""
        self._places = np.zeros(0, dtype=np.intp)
        """The place of each kind by its number, 0 for none."""
        self._verb_of = np.zeros(0, dtype=np.intp)
        self._tries = self._found = self._bonuses = np.zeros(0)
        """By place: the number of the verb; how often the kind was tried, plus 1; how many new effects that caused; the
        count bonus."""
        self._verb_tries = self._verb_found = self._promise = np.zeros(0)
        """By the number of the verb: the same two counts, both plus 1, and the second by the first."""
        self._listed: Sequence[str] | None = None
        self._of_action = self._there = self._verbs_there = self._places

    def choose(self, actions: Sequence[str], rng: np.random.Generator) -> str:
        """Draw an action.

        Args:
            actions: The admissible ones, at least one.
            rng: Consumed: two draws.
        """
        if actions is not self._listed or not isinstance(actions, tuple):  # often nothing has changed
            self._listed = actions
            self._of_action = self._meet(np.fromiter(map(self._kinds.__getitem__, actions), np.intp, len(actions)))
            (self._there,) = np.bincount(self._of_action).nonzero()
            self._verbs_there = self._verb_of[self._there]
        there = self._there
        # The largest of score / temperature with Gumbel noise is a draw from the softmax.
        noise = max(self.temperature, 1e-9) * rng.gumbel(size=len(there))
        best = (self._scores(there, self._verbs_there) + noise).argmax()
        (group,) = (self._of_action == there[best]).nonzero()
        return actions[int(group[rng.integers(len(group))])]

    def score(self, kind: str) -> float:
        """Return the score of a kind of action: a verb, and the kinds of its objects after it, in one string."""
        place = self._meet(np.array([self._kinds.number(kind)]))
        return float(self._scores(place, self._verb_of[place])[0])

    def learn(self, action: str, effects: Iterable[str]) -> int:
        """Note the effects of an action, and return how many of them are new."""
        fresh = [effect for effect in effects if effect not in self.seen]
        self.seen.update(fresh)
        kind = self._kinds[action]
        place = int(self._places[kind]) if kind < len(self._places) else 0
        place = place or self._meet(np.array([kind])).item()
        self._tries[place] += 1
        self._found[place] += len(fresh)
        self._bonuses[place] = self.bonus / math.sqrt(self._tries[place])
        verb = self._verb_of[place]
        self._verb_tries[verb] += 1
        self._verb_found[verb] += len(fresh)
        self._promise[verb] = self._verb_found[verb] / self._verb_tries[verb]
        return len(fresh)

    def _scores(self, places: np.ndarray[Any, Any], verbs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        rates = (self._found[places] + self._promise[verbs]) / self._tries[places]
        scores: np.ndarray[Any, Any] = rates + self._bonuses[places]
        return scores

    def _meet(self, kinds: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return the places of some kinds; those that this episode has not met get theirs in order."""
        if len(self._kinds.verb_of) > len(self._places):
            self._places = _longer(self._places, 2 * len(self._kinds.verb_of), 0)
        places: np.ndarray[Any, Any] = self._places[kinds]
        if np.count_nonzero(places) < len(places):
            new = list(dict.fromkeys(kinds[places == 0].tolist()))
            fresh = slice(self._met + 1, self._met + 1 + len(new))
            if fresh.stop > len(self._tries) or len(self._kinds.verbs) > len(self._promise):
                self._make_room(2 * fresh.stop + 256, 2 * len(self._kinds.verbs))
            self._places[new] = range(fresh.start, fresh.stop)
            self._verb_of[fresh] = [self._kinds.verb_of[kind] for kind in new]
            self._met += len(new)
            places = self._places[kinds]
        return places

    def _make_room(self, kinds: int, verbs: int) -> None:
        """Let there be room for a number of kinds that this episode meets, and for a number of verbs."""
        self._verb_of, self._found = _longer(self._verb_of, kinds, 0), _longer(self._found, kinds, 0)
        self._tries, self._bonuses = _longer(self._tries, kinds, 1), _longer(self._bonuses, kinds, self.bonus)
        self._verb_tries, self._verb_found, self._promise = (
            _longer(one, verbs, 1) for one in (self._verb_tries, self._verb_found, self._promise)
        )


def _longer(array: np.ndarray[Any, Any], size: int, fill: float) -> np.ndarray[Any, Any]:
    """Return an array of at least that size: what it held, then the same value again and again."""
    return np.concatenate([array, np.full(max(0, size - len(array)), fill, array.dtype)])


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
        self._kinds = ActionKinds()
        self._novelty = NoveltyCounts(kinds=self._kinds)

    def play(self, recorder: Recorder, rng: Rng) -> PolicyReport:
        """Play to the end; the report's provenance holds the number of new effects."""
        rng = np.random.default_rng(rng)
        observation = recorder.reset()
        if not self._carry:
            if len(self._kinds) > _MOST_ACTIONS:
                self._kinds = ActionKinds()
            self._novelty = NoveltyCounts(kinds=self._kinds)
        novelty = self._novelty
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
    space, seed = env.action_space, int(rng.integers(2**31))

    def draws() -> Iterator[str]:
        space.seed(seed)  # only when the first is drawn: most environments list their actions
        while True:
            yield write_action(space.sample())

    return draws().__next__
