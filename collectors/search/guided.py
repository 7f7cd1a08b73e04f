"""A model that uses what a policy has learned: weighted actions, skills as moves, and transitions counted.

`GuidedModel` wraps any `pathei.envs.model.Model` and is one itself, so the same tree search runs on both. Not here:
where the weights and skills come from (`skill_library`, `skill_policy`).
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from ...envs.goal_space import GoalCondition
from ...envs.model import Model, StepResult
from ...memory.builders.signatures import read_counted
from ...stable_random import StableRandom
from ..coverage import ActionWords, read_act
from .skill_library import LiftedSkill, bind, write_act

_TRIES = 16
"""How many remembered actions are tried before the admissible ones are listed."""
_LIST_AGAIN = 0.05
"""The probability with which they are listed anyway, so that new ones are found."""


class Move(NamedTuple):
    """A skill with things put into its roles, done as one action; `GuidedModel.flat` expands it."""

    part: GoalCondition
    skill: LiftedSkill


class Done(NamedTuple):
    """The result of following a skill."""

    actions: tuple[Any, ...]
    """The actions that were done."""
    reward: float
    """The sum of the rewards."""
    over: bool
    """Whether the episode ended with it."""


class GuidedModel:
    """A model that counts its transitions, whose random actions follow weights, and which may have moves."""

    def __init__(
        self,
        model: Model[Any, Any],
        weigh: Callable[[str], float],
        moves: Iterable[Move] = (),
        *,
        move_weight: float = 1.0,
        expect: bool = False,
    ) -> None:
        """Guide a model.

        Args:
            model: The environment.
            weigh: Gives an action in words its weight, above 0.
            moves: Skills that a search may use as actions.
            move_weight: The weight of each of them.
            expect: Whether weights are multiplied by the model's own prior, where it has one.
        """
        self.steps = 0
        """Transitions so far."""
        self.snapshot, self.restore, self.key = model.snapshot, model.restore, model.key
        self.success, self.text = model.success, model.text
        self.likely_key = getattr(model, "likely_key", None)
        self._expects: Callable[[Sequence[Any]], Sequence[float]] | None = (
            getattr(model, "prior", None) if expect else None
        )
        self._model = model
        self._weigh = weigh
        self._moves = tuple(moves)
        self._weights: dict[Any, float] = dict.fromkeys(self._moves, move_weight)
        self._known: list[Any] = list(self._moves)
        self._sums: list[float] = list(accumulate(self._weights.values()))
        self._by_act: dict[str, list[tuple[Any, ActionWords]]] = {}

    def actions(self) -> Sequence[Any]:
        """Return the admissible actions and the moves that can begin; remember the actions."""
        listed = self._listed()
        if not listed:
            return ()
        return [*listed, *(move for move in self._moves if self._begins(move))]

    def prior(self, actions: Sequence[Any], /) -> Sequence[float]:
        """Return the weights of listed actions, shape `[actions]`."""
        weights = [self._weights[action] for action in actions]
        if self._expects is None:
            return weights
        plain = [action for action in actions if not isinstance(action, Move)]
        expected = dict(zip(plain, self._expects(plain), strict=True))
        return [weight * expected.get(action, 1.0) for action, weight in zip(actions, weights, strict=True)]

    def sample(self, draws: StableRandom) -> Any | None:
        """Draw an action by weight among those remembered that are possible; None if there is none.

        Listing the admissible actions is expensive, and most of them are idle, so it is done only now and then.
        """
        if self._known and draws.uniform() >= _LIST_AGAIN:
            for _ in range(_TRIES):
                action = self._known[bisect(self._sums, draws.uniform() * self._sums[-1])]
                if self.possible(action):
                    return action
        listed = self.actions()
        if not listed:
            return None
        sums = list(accumulate(self.prior(listed)))
        return listed[bisect(sums, draws.uniform() * sums[-1])]

    def possible(self, action: Any, /) -> bool:
        """Return whether an action is admissible, or a move can begin."""
        return self._begins(action) if isinstance(action, Move) else self._model.possible(action)

    def step(self, action: Any, /) -> StepResult:
        """Do an action, or all of a move, and count it."""
        if isinstance(action, Move):
            done = self.follow(action)
            return StepResult(done.reward, done.over)
        self.steps += 1
        return self._model.step(action)

    def follow(self, move: Move, draws: StableRandom | None = None, *, until_reward: bool = False) -> Done:
        """Do a skill step by step; a step that is not possible is skipped, or done with another number of things.

        Args:
            move: The skill and its things.
            draws: Chooses among several things of a kind; the first is taken if None.
            until_reward: Whether to stop as soon as it has earned something.
        """
        bound: dict[str, int] = {}
        done: list[Any] = []
        earned = 0.0
        for step in move.skill:
            verb, *names = step.split()
            fitting = [pair for pair in self._fitting(bind(step, move.part)) if _agrees(names, pair[1], bound)]
            fitting = _nearest(fitting, read_counted(verb)[1])
            if not fitting:
                continue
            action, act = fitting[draws.below(len(fitting)) if draws is not None else 0]
            bound.update(zip(names, act.ids, strict=False))
            outcome = self.step(action)
            earned += outcome.reward
            done.append(action)
            if outcome.done or (until_reward and earned > 0):
                return Done(tuple(done), earned, outcome.done)
        return Done(tuple(done), earned, False)

    def flat(self, plan: Sequence[Any]) -> list[Any]:
        """Do a plan, and return the actions of the environment that it consists of."""
        actions: list[Any] = []
        for action in plan:
            if isinstance(action, Move):
                actions += self.follow(action).actions
            else:
                self.step(action)
                actions.append(action)
        return actions

    def _listed(self) -> Sequence[Any]:
        listed = self._model.actions()
        for action in listed:
            if action not in self._weights:
                text = self._model.text(action)
                act = read_act(text)
                self._weights[action] = weight = self._weigh(text)
                self._known.append(action)
                self._sums.append(weight + (self._sums[-1] if self._sums else 0.0))
                self._by_act.setdefault(write_act(act), []).append((action, act))
        return listed

    def _begins(self, move: Move) -> bool:
        known = self._by_act.get(bind(move.skill[0], move.part), ())
        return any(self._model.possible(action) for action, _ in known)

    def _fitting(self, step: str) -> list[tuple[Any, ActionWords]]:
        possible = self._model.possible
        fitting = [pair for pair in self._by_act.get(step, ()) if possible(pair[0])]
        if not fitting:
            self._listed()
            fitting = [pair for pair in self._by_act.get(step, ()) if possible(pair[0])]
        return fitting


def _nearest(pairs: list[tuple[Any, ActionWords]], number: int | None) -> list[tuple[Any, ActionWords]]:
    """Return the actions that are about this many things, one if None, or else about the nearest number of them."""

    def away(act: ActionWords) -> int:
        return abs((act.number or 1) - (number or 1))

    least = min((away(act) for _, act in pairs), default=0)
    return [pair for pair in pairs if away(pair[1]) == least]


def _agrees(names: Sequence[str], act: ActionWords, bound: dict[str, int]) -> bool:
    """Whether an action's things are those that the same names stood for before, and others for other names."""
    for name, id_ in zip(names, act.ids, strict=False):
        if bound.get(name, id_) != id_:
            return False
        role = name.partition("#")[0]
        if any(other == id_ for key, other in bound.items() if key != name and key.partition("#")[0] == role):
            return False
    return True
