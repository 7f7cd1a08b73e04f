"""What to try next: proposers of goals for the curriculum.

* `UniformProposer` draws from the world's goal space: the least that any other has to beat.
* `LearningProgressProposer` draws goals in proportion to how much the success rate at goals of their kind is changing,
  up or down: absolute learning progress (Baranes & Oudeyer 2013; Portelas et al. 2019; Kanitscheider et al. 2021), with
  a share of uniform exploration. What is mastered and what is hopeless both change little, and are left alone.
* `NoveltyProposer` proposes what was never achieved, the likeliest first: goals of one condition, and combinations of
  conditions that were achieved one by one.

A goal that keeps being missed fades (`Misses`): every miss halves its weight, and a miss counts less as it grows old.

A proposer learns from attempts, in order, and from nothing else; so a new one that observes the attempts of a store
again is in the same state, and nothing has to be saved. Not here: retries (`curriculum`) and language models
(`lm_proposer`).
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

from ...envs.goal_space import GoalCandidate, GoalCondition, GoalSpace
from ...errors import ConfigError
from ...experience import Json, Observation

_FEW = 4
"""Among how many goals an exploring proposer chooses."""
_NEAR = 4.0
"""A goal that takes this many actions is half as good as one alike that is at hand."""
_TRIES = 30
"""The number of joins of random conditions that are tried until two or three fit together."""


class Situation(NamedTuple):
    """What a proposer can perceive."""

    space: GoalSpace
    """The goals of the household as it stands."""
    observation: Observation
    """What is perceived at the beginning of the episode, without facts."""


class GoalProposal(NamedTuple):
    """The next goal."""

    aim: GoalCandidate
    why: Mapping[str, Json] = {}
    """How it came about, plain JSON; kept in the trajectory's provenance and handed back with the attempt."""


class GoalAttempt(NamedTuple):
    """A goal that was tried, and the result."""

    aim: GoalCandidate
    success: bool
    """Whether its conditions held at the end, as the world checked; False for a crash."""
    steps: int
    """Transitions of the world that it cost, those of a search included; 0 for a crash, of which nobody knows."""
    why: Mapping[str, Json] = {}
    """What the proposal said; empty for a crash."""


class GoalProposer(Protocol):
    """Chooses goals and learns from attempts. Its state follows from the attempts it has observed, in their order."""

    def propose(self, situation: Situation, rng: np.random.Generator) -> GoalProposal:
        """Choose the next goal.

        Args:
            situation: Where it will be tried.
            rng: Consumed.

        Raises:
            ConfigError: this world offers no goals.
        """

    def update(self, attempt: GoalAttempt) -> None:
        """Learn from an attempt, no matter which proposer chose it."""


@dataclass(slots=True)
class Misses:
    """How often each goal was missed and never reached, so that what keeps missing fades and comes back later."""

    half_life: float = 100.0
    """The number of attempts, at any goal, after which a goal's misses count half."""
    _now: int = 0
    _missed: dict[str, tuple[int, int]] = field(default_factory=dict)
    """How often, and at which attempt the last time, by template."""

    def add(self, attempt: GoalAttempt) -> None:
        """Count an attempt; success forgets the misses."""
        self._now += 1
        template = attempt.aim.template
        if attempt.success:
            self._missed.pop(template, None)
        else:
            self._missed[template] = self._missed.get(template, (0, 0))[0] + 1, self._now

    def count(self, aim: GoalCandidate) -> int:
        """Return how often a goal was missed since it was last reached."""
        return self._missed.get(aim.template, (0, 0))[0]

    def weight(self, aim: GoalCandidate) -> float:
        """Return a factor in (0, 1]: 1 for a goal that was not missed, and half for each miss that is still fresh."""
        count, last = self._missed.get(aim.template, (0, 0))
        return float(0.5 ** (count * 0.5 ** ((self._now - last) / self.half_life)))


class UniformProposer:
    """Draws the number of conditions uniformly, and then the conditions; it learns nothing."""

    def __init__(self, *, largest: int = 3, by_kind: bool = False) -> None:
        """Draw goals.

        Args:
            largest: The maximum number of conditions.
            by_kind: Whether every kind of condition is equally likely: nine of ten conditions of a house are about
                where a thing is, and drawn one by one they leave little for the others.
        """
        self._largest = largest
        self._by_kind = by_kind

    def propose(self, situation: Situation, rng: np.random.Generator) -> GoalProposal:
        """Draw a goal."""
        size = int(rng.integers(1, self._largest + 1))
        return GoalProposal(draw(situation.space, size, rng, by_kind=self._by_kind))

    def update(self, attempt: GoalAttempt) -> None:
        """Do nothing."""


class LearningProgressProposer:
    """Draws goals in proportion to the absolute learning progress at goals of their kind.

    The progress of a group of goals is `|r1 - r0|`, where `r1` is the success rate over the newer half of its last
    `window` attempts and `r0` that over the older half. A goal's conditions name groups from the particular
    (`"cup INSIDE dishwasher"`) to the general (`"_ INSIDE _"`), apart for each number of conditions; each condition
    counts by its most particular group of at least `enough` attempts, and the goal by the mean over its conditions.
    """

    def __init__(
        self, *, largest: int = 3, window: int = 20, enough: int = 6, explore: float = 0.2, candidates: int = 64
    ) -> None:
        """Begin with nothing known.

        Args:
            largest: The maximum number of conditions of a goal.
            window: How many attempts of a group count, the last ones.
            enough: A group with fewer attempts is not judged.
            explore: The share of goals that are drawn uniformly instead.
            candidates: Among how many uniform draws to choose.
        """
        self._largest = largest
        self._window = window
        self._enough = enough
        self._explore = explore
        self._candidates = candidates
        self._outcomes: dict[str, deque[bool]] = {}
        self._misses = Misses()

    def propose(self, situation: Situation, rng: np.random.Generator) -> GoalProposal:
        """Draw a goal."""
        sizes = rng.integers(1, self._largest + 1, size=self._candidates)
        if rng.random() < self._explore:
            return self._exploring([draw(situation.space, int(size), rng, by_kind=True) for size in sizes[:_FEW]], rng)
        aims = [draw(situation.space, int(size), rng, by_kind=True) for size in sizes]
        progress = np.array([self.progress(aim) * self._misses.weight(aim) for aim in aims])
        total = float(progress.sum())
        if total <= 0:
            return self._exploring(aims[:_FEW], rng)
        chosen = int(rng.choice(len(aims), p=progress / total))
        return GoalProposal(aims[chosen], {"by": "progress", "progress": round(float(progress[chosen]), 4)})

    def update(self, attempt: GoalAttempt) -> None:
        """Note the outcome in every group that the goal belongs to."""
        self._misses.add(attempt)
        for part in (*attempt.aim.parts, _size(attempt.aim)):
            for feature in part.features:
                outcomes = self._outcomes.setdefault(feature, deque(maxlen=self._window))
                outcomes.append(attempt.success)

    def _exploring(self, aims: Sequence[GoalCandidate], rng: np.random.Generator) -> GoalProposal:
        """Take one of a few goals, whatever their kind; what kept missing seldom."""
        weights = np.array([self._misses.weight(aim) for aim in aims])
        return GoalProposal(aims[int(rng.choice(len(aims), p=weights / weights.sum()))], {"by": "exploration"})

    def progress(self, aim: GoalCandidate) -> float:
        """Return the absolute learning progress at a goal, in [0, 1]; 0 where too little is known."""
        return sum(self._progress(part) for part in (*aim.parts, _size(aim))) / (aim.size + 1)

    def _progress(self, part: GoalCondition) -> float:
        for feature in reversed(part.features):
            outcomes = list(self._outcomes.get(feature, ()))
            if len(outcomes) >= self._enough:
                return _change(outcomes)
        return 0.0


def _size(aim: GoalCandidate) -> GoalCondition:
    return GoalCondition((f"{aim.size} conditions",))


def _change(outcomes: Sequence[bool]) -> float:
    """Return by how much the success rate of the newer half differs from that of the older, beyond its standard error.

    Without that a rate that stays at a half would seem to change all the time, and would be practised for ever.
    """
    half = len(outcomes) // 2
    older, newer, whole = (sum(part) / len(part) for part in (outcomes[:half], outcomes[half:], outcomes))
    error = math.sqrt(whole * (1 - whole) * (1 / half + 1 / (len(outcomes) - half)))
    return max(0.0, abs(newer - older) - error)


@dataclass(slots=True)
class CompetenceProposer:
    """How likely the agent reaches a goal, judged by what it tried: rates of features, each shrunk to the general one.

    The rate of a feature with `s` successes in `n` attempts is `(s + strength * p) / (n + strength)`, where `p` is the
    rate of the next more general feature, and `prior` above the most general. Attempts count less as they grow old,
    since the agent learns: what was hopeless comes to be worth a try again.
    """

    prior: float = 0.5
    """The rate of a kind of condition that was never tried."""
    strength: float = 3.0
    """How many attempts of its own weigh as much as what is known in general."""
    half_life: float = 100.0
    """The number of attempts, at any goal, after which an attempt counts half."""
    _now: int = 0
    _tried: dict[str, tuple[float, float, int]] = field(default_factory=dict)

    def add(self, aim: GoalCandidate, success: bool) -> None:
        """Count an attempt. A failure at several conditions is shared among them: nobody knows which was the cause."""
        self._now += 1
        share = 1.0 if success else 1.0 / aim.size
        for part in aim.parts:
            for feature in part.features:
                won, tried = self._counts(feature)
                self._tried[feature] = (won + success, tried + share, self._now)

    def chance(self, aim: GoalCandidate) -> float:
        """Return the probability of reaching a goal, its conditions taken to be independent."""
        chance = 1.0
        for part in aim.parts:
            rate = self.prior
            for feature in part.features:
                won, tried = self._counts(feature)
                rate = (won + self.strength * rate) / (tried + self.strength)
            chance *= rate
        return chance

    def _counts(self, feature: str) -> tuple[float, float]:
        won, tried, when = self._tried.get(feature, (0.0, 0.0, 0))
        kept = 0.5 ** ((self._now - when) / self.half_life)
        return won * kept, tried * kept


class NoveltyProposer:
    """Proposes what was never achieved, ordered by the difficulty that what is known implies.

    Half of the goals are of one condition, whatever it is; the others combine conditions, and only such as have been
    achieved. Of some candidates, the one is taken with the greatest `chance * gain`: the probability of reaching it
    (`CompetenceProposer`) times what is new in it (`gain`), less if it kept missing (`Misses`) or if it is far, where
    the environment says how far goals are.
    """

    def __init__(self, *, largest: int = 3, effects: float = 0.5, candidates: int = 48) -> None:
        """Begin with nothing achieved.

        Args:
            largest: The maximum number of conditions of a goal.
            effects: The share of goals of one condition, in [0, 1]; there are more while too little was achieved.
            candidates: Among how many goals to choose.
        """
        self._largest = largest
        self._effects = 1.0 if largest < 2 else effects
        self._candidates = candidates
        self._competence = CompetenceProposer()
        self._achieved: Counter[str] = Counter()
        self._templates: set[str] = set()
        self._misses = Misses()

    def propose(self, situation: Situation, rng: np.random.Generator) -> GoalProposal:
        """Choose a goal; one that was achieved already only if no other was found."""
        space = situation.space
        known = [aim for name in self._achieved if (aim := space.named(name)) is not None]
        sizes = range(1, self._largest + 1)
        first = 1 if rng.random() < self._effects else int(rng.integers(2, self._largest + 1))
        for size in sorted(sizes, key=lambda size: size != first):
            aims = self._drawn(space, known, size, rng)
            new = [aim for aim in aims if aim.template not in self._templates]
            if new:
                scores = [
                    self._competence.chance(aim) * self.gain(aim) * self._misses.weight(aim) * nearness(space, aim)
                    for aim in new
                ]
                best = new[int(np.argmax(scores))]
                chance, gain = self._competence.chance(best), self.gain(best)
                return GoalProposal(best, {"by": "novelty", "chance": round(chance, 4), "gain": round(gain, 4)})
        return GoalProposal(draw(space, 1, rng), {"by": "chance"})

    def update(self, attempt: GoalAttempt) -> None:
        """Note what was achieved, and how hard it is."""
        self._misses.add(attempt)
        self._competence.add(attempt.aim, attempt.success)
        if attempt.success:
            self._templates.add(attempt.aim.template)
            for part in attempt.aim.parts:
                self._achieved.update(part.features)

    def gain(self, aim: GoalCandidate) -> float:
        """Return how much of a goal is new: one for itself, and for each feature achieved n times `1 / sqrt(n + 1)`."""
        counts = [self._achieved[feature] for part in aim.parts for feature in part.features]
        return (aim.template not in self._templates) + sum(1 / math.sqrt(count + 1) for count in counts)

    def _drawn(
        self, space: GoalSpace, known: Sequence[GoalCandidate], size: int, rng: np.random.Generator
    ) -> Iterator[GoalCandidate]:
        """Yield candidates of a size: of one condition any, of several what was achieved one by one."""
        if size == 1:
            yield from (draw(space, 1, rng, by_kind=True) for _ in range(self._candidates))
            return
        for _ in range(self._candidates if len(known) >= size else 0):
            places = rng.choice(len(known), size=size, replace=False)
            joined = space.join([known[int(place)] for place in places])
            if joined is not None:
                yield joined


def nearness(space: GoalSpace, aim: GoalCandidate) -> float:
    """Return a factor in [0, 1] for the actions that a goal takes from here; 1 where nobody says.

    What is new is counted by the action, so what is far away has its turn when what is near was missed a few times.
    """
    work = getattr(space, "work", None)
    actions = None if work is None else work(aim)
    return 1.0 if actions is None else _NEAR / (_NEAR + actions)


def draw(space: GoalSpace, size: int, rng: np.random.Generator, *, by_kind: bool = False) -> GoalCandidate:
    """Draw a goal of at most this number of conditions: fewer where no combination was found that fits together.

    Args:
        space: The goals to draw from.
        size: How many conditions, at least 1.
        rng: Consumed.
        by_kind: Whether every kind of condition is equally likely, and not every condition.

    Raises:
        ConfigError: there are no goals.
    """
    groups = list(space.kinds().values()) if by_kind else [space.aims()]
    if not groups or not groups[0]:
        raise ConfigError("This world offers no goals: nothing in it can be changed by the rules that it has.")

    def one() -> GoalCandidate:
        group = groups[int(rng.integers(len(groups)))] if by_kind else groups[0]
        return group[int(rng.integers(len(group)))]

    for _ in range(_TRIES if size > 1 else 0):
        joined = space.join([one() for _ in range(size)])
        if joined is not None:
            return joined
    return one()
