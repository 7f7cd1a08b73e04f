"""A policy that learns as it plays: it tries the skills that have worked, and searches for the rest.

After every episode each stretch of steps that brought the goal nearer is kept as a skill of the condition that it
served. For a new goal the skills of its conditions are tried in a model of the environment, then those of similar
conditions, in several orders. The rest is searched by PUCT. Its prior knows which things the goal names, and which
steps have served such goals; and every skill for a single thing ("hold it", "open it") is one move of the search, so
that skills are built on skills.

The policy begins with nothing but the goal's words. Where an attempt has few steps, because they are slow, the search
goes best first, and heeds the prior of the environment's own model if it may. It works where actions name their things
(`[Grab] <cup> (12)`); elsewhere it only searches. Not here: facts about the environment, and forgetting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any, Literal

import numpy as np

from ...envs.goal_space import GoalCandidate, GoalCondition, GoalSpaceProvider
from ...envs.model import Model
from ...envs.plans import succeeds
from ...errors import GoalError
from ...experience import Step, Trajectory
from ...stable_random import StableRandom
from ..coverage import read_act
from ..rollout.episode import Recorder
from ..rollout.policy import HELD, PolicyReport, Rng
from .collector import do, model_in, snapshotable
from .config import TREE_ALONE, SearchConfig
from .guided import GuidedModel, Move
from .mcts import Search
from .skill_library import SkillLibrary

_ORDERS = 3
"""In how many orders the conditions of a goal are tried."""
_BINDINGS = 2
"""How often each skill is tried, with other things of the kinds that it names."""
_AGAIN = 4
"""How often a condition is served again as long as that helps: every plate is washed one by one."""
_WANDER = 5
"""How many steps are done when no plan was found, so that an attempt leaves something to look at; and after a plan that
does not reach the goal, where the search was short: what is missing may be further away than it looked."""

ModelOf = Callable[[Recorder], Model[Any, Any]]
"""Makes the model of an episode that was just reset."""


class SkillPolicy:
    """Tries skills that have worked, and searches for the rest; see the head of this file."""

    def __init__(
        self,
        goals: GoalSpaceProvider,
        *,
        model_of: ModelOf = model_in,
        effort: int = 300,
        most: int | None = None,
        depth: int = 12,
        focus: float = 8.0,
        guide: float = 40.0,
        prior: Literal["heuristic", "none"] = "heuristic",
    ) -> None:
        """Begin without skills.

        Args:
            goals: Reads the conditions of a goal.
            model_of: Makes the model in which to plan.
            effort: The number of transitions of the model that one attempt may cost, approximately.
            most: A lower limit where steps are slow (`EnvSpec.search_steps`); None for none. With it, the search goes
                best first and makes no rollouts.
            depth: The longest searched plan, in actions and moves.
            focus: How much more often the search tries an action that names a thing of the goal.
            guide: How much more often it tries an action that all skills for such conditions have.
            prior: What a search with such a limit heeds as well: `"heuristic"`, the prior of the environment's model
                where that has one, or `"none"`.
        """
        self.library = SkillLibrary()
        """What was learned."""
        self._goals = goals
        self._model_of = model_of
        self._effort = effort = effort if most is None else min(effort, most)
        self._focus = focus
        self._guide = guide
        self._slow = most is not None
        self._expect = self._slow and prior == "heuristic"
        search = SearchConfig(simulations=max(1, effort), depth=depth, selection="puct", stop_on_success=True)
        best_first = replace(search, depth=max(depth, effort), rollout="none")
        self._search = best_first if self._slow else replace(search, rollout="random", **TREE_ALONE)

    def play(self, recorder: Recorder, rng: Rng) -> PolicyReport:
        """Plan in the model and do the plan; where that leaves the goal, act a little in proportion to the weights."""
        recorder.env = snapshotable(recorder.env)
        recorder.reset()
        if recorder.held:
            return PolicyReport({"ended": HELD})
        rng = np.random.default_rng(rng)
        aim = self._goals.aim(recorder.task.goal)
        plan, cost = self.plan(recorder, aim, rng)
        do(recorder, plan)
        for _ in range(_WANDER if self._slow or not recorder.steps else 0):
            actions = recorder.observation.actions
            if recorder.over or not actions:
                break
            weights = np.array([self._weight(aim, action) for action in actions]) * self._expected(recorder, actions)
            recorder.step(actions[int(rng.choice(len(actions), p=weights / weights.sum()))])
        return PolicyReport(env_steps=cost)

    def plan(self, recorder: Recorder, aim: GoalCandidate, rng: np.random.Generator) -> tuple[list[str], int]:
        """Return the best plan found, in words, and the transitions it cost; it may not reach the goal.

        Args:
            recorder: An episode that was just reset; its environment is left as it is.
            aim: The goal.
            rng: Consumed.
        """
        model = GuidedModel(
            self._model_of(recorder),
            lambda action: self._weight(aim, action),
            self._moves(aim),
            move_weight=self._focus,
            expect=self._expect,
        )
        draws, start = StableRandom(rng, 4096), model.snapshot()
        try:
            actions, found = self._by_skill(model, aim, draws)
            if not found:
                searched = self._searched(model, rng)
                model.restore(start)
                actions = model.flat([*actions, *searched])
                model.restore(start)
                actions = _trimmed(model, actions, self._effort if self._slow else None)
        finally:
            model.restore(start)
        return [model.text(action) for action in actions], model.steps

    def _expected(self, recorder: Recorder, actions: Sequence[str]) -> Any:
        """Return the prior of the environment's own model, squared, where that is heeded; shape `[actions]`."""
        model: Any = self._model_of(recorder)
        if not self._expect or not hasattr(model, "prior"):
            return np.ones(len(actions))
        listed = model.actions()
        expected = dict(zip(map(model.text, listed), model.prior(listed), strict=True))
        return np.square([expected.get(action, 1.0) for action in actions])

    def learn(self, trajectory: Trajectory) -> None:
        """Keep every stretch of the episode that brought its goal nearer."""
        try:
            aim = self._goals.aim(trajectory.task.goal)
        except GoalError:
            return  # the goal cannot be checked, so no condition is known that the steps served
        stretch: list[str] = []
        for step in trajectory.steps:
            if "error" not in step.info:
                stretch.append(step.action)
            if step.reward > 0 and (part := _served(aim, step)) is not None:
                self.library.learn(part, stretch)
                stretch = []

    # --- skills

    def _by_skill(self, model: GuidedModel, aim: GoalCandidate, draws: StableRandom) -> tuple[list[Any], bool]:
        """Serve the conditions in several orders; return the best that was done, and whether it reached the goal.

        The model is left where that leads.
        """
        start = model.snapshot()
        best: list[Any] = []
        best_gain, best_end = 0.0, start
        for order in _orders(aim.parts, draws):
            model.restore(start)
            actions: list[Any] = []
            gained = 0.0
            for part in order:
                served, gain = self._serve(model, part, draws)
                actions += served
                gained += gain
            if model.success():
                return actions, True
            if gained > best_gain:
                best, best_gain, best_end = actions, gained, model.snapshot()
        model.restore(best_end)
        return best, False

    def _serve(self, model: GuidedModel, part: GoalCondition, draws: StableRandom) -> tuple[list[Any], float]:
        """Serve one condition with a skill, again as long as it helps; return the actions and what was gained."""
        done: list[Any] = []
        total = 0.0
        for _ in range(_AGAIN):
            actions, gain = self._serve_once(model, part, draws)
            if gain <= 0:
                break
            done += actions
            total += gain
            if model.success():
                break
        return done, total

    def _serve_once(self, model: GuidedModel, part: GoalCondition, draws: StableRandom) -> tuple[Sequence[Any], float]:
        here = model.snapshot()
        for skill in self.library.suggestions(part):
            for _ in range(_BINDINGS):
                if model.steps >= self._effort:
                    return (), 0.0
                done = model.follow(Move(part, skill), draws, until_reward=True)
                if done.reward > 0:
                    return done.actions, done.reward
                model.restore(here)
        return (), 0.0

    # --- search

    def _searched(self, model: GuidedModel, rng: np.random.Generator) -> tuple[Any, ...]:
        left = self._effort - model.steps
        if left <= 0:
            return ()
        return Search(model, replace(self._search, env_steps=left), rng, prior=model.prior).run().plan

    def _moves(self, aim: GoalCandidate) -> list[Move]:
        """Return the known moves for each thing that the goal names."""
        things = dict.fromkeys(thing for part in aim.parts for thing in part.things)
        found: dict[Move, None] = {}
        for kind in self.library.simple():
            for thing in things:
                part = GoalCondition(kind.features, (thing,))
                found.update(dict.fromkeys(Move(part, skill) for skill in self.library.suggestions(part)[:1]))
        return list(found)

    def _weight(self, aim: GoalCandidate, action: str) -> float:
        act = read_act(action)
        named = any(thing in part.things for part in aim.parts for thing in act.things)
        useful = max(self.library.usefulness(part, act) for part in aim.parts)
        return 1.0 + self._focus * named + self._guide * useful


def _served(aim: GoalCandidate, step: Step) -> GoalCondition | None:
    """Return the condition that a rewarded step served: of several, the only one whose things it names."""
    if aim.size == 1:
        return aim.parts[0]
    act = read_act(step.action)
    named = [part for part in aim.parts if act.things and set(act.things) <= set(part.things)]
    return named[0] if len(named) == 1 else None


def _orders(parts: Sequence[GoalCondition], draws: StableRandom) -> Iterator[tuple[GoalCondition, ...]]:
    orders = list(permutations(parts))
    draws.shuffle(orders)
    yield from orders[:_ORDERS]


def _trimmed(model: GuidedModel, plan: list[Any], most: int | None) -> list[Any]:
    """Return a plan without the steps that are not needed, each tried once, the last first; one that fails as it is.

    Where steps are slow it ends when the model has made `most` transitions. A cheaper pass than
    `plans.without_idle_steps`, since its transitions count. The model stays where it is.
    """
    for place in range(len(plan) - 1, -1, -1):
        shorter = plan[:place] + plan[place + 1 :]
        if most is not None and model.steps + len(shorter) > most:
            break
        if succeeds(model, shorter):
            plan = shorter
    return plan
