"""Breadth-first search: shortest plans where the goal pays nothing on the way, which a tree search finds late or never.

States are merged by the model's key. Where it has none, states with the same observation and facts are merged: a plan
that depends on their difference is then missed, but no wrong plan is recorded, as each is done in the environment.
Not here: search that a reward guides (`mcts`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ...errors import GoalError, at_least, check

if TYPE_CHECKING:
    from ...envs.model import Model
    from ...experience import Trajectory
    from ..options import PlaySettings
    from ..protocol import Collector
    from ..rollout.episode import Recorder
    from ..rollout.policy import PolicyReport, Rng

COLLECTOR: Final = "breadth"


@dataclass(frozen=True)
class BreadthOptions:
    """Search a shortest plan for each task, breadth first, then do it. For small environments with sparse rewards."""

    states: int = 20_000
    """The most distinct states that are visited for each task."""

    name = COLLECTOR
    in_process = False

    def make(self, play: PlaySettings) -> Collector:
        """Return the collector.

        Raises:
            ConfigError: there would be no state to visit.
        """
        from ..rollout.rollout import Rollout

        check(at_least(self, states=1), "breadth-first search options")
        policy = BreadthFirstPolicy(states=self.states, depth=play.longest)
        return Rollout(policy, name=COLLECTOR, max_steps=play.longest, seed=play.seed)


class ShortestPlan(NamedTuple):
    """What a breadth-first search found."""

    plan: tuple[Any, ...] | None
    """The model's actions; None if the goal was not reached."""
    states: int
    """Distinct states visited, the first included."""
    env_steps: int
    """Transitions made."""


class BreadthFirstPolicy:
    """Searches a shortest plan, then does it; it learns nothing, and nothing about it is random."""

    def __init__(self, *, states: int, depth: int) -> None:
        """Create the policy.

        Args:
            states: The most distinct states that are visited.
            depth: The longest plan.
        """
        self._states, self._depth = states, depth

    def play(self, recorder: Recorder, rng: Rng) -> PolicyReport:
        """Search, and do the plan.

        Raises:
            GoalError: no plan was found within the limits, or there is no goal to search for.
            ContractError: a step of the plan was refused.
            SnapshotError: the environment can be neither saved nor replayed.
        """
        from ..rollout.policy import HELD, PolicyReport
        from .collector import do, model_in, require_goal, snapshotable

        recorder.env = snapshotable(recorder.env)
        recorder.reset()
        if recorder.held:
            return PolicyReport({"ended": HELD})
        require_goal(recorder)
        model = model_in(recorder)
        found = shortest_plan(model, states=self._states, depth=self._depth)
        if found.plan is None:
            raise GoalError(f"No plan of at most {self._depth} steps was found in {found.states:,} states.")
        recorder.reset()
        do(recorder, [model.text(action) for action in found.plan], strict=True)
        return PolicyReport({"search": {"states": found.states, "env_steps": found.env_steps}}, found.env_steps)

    def learn(self, trajectory: Trajectory) -> None:
        """Do nothing."""


def shortest_plan(model: Model[Any, Any], *, states: int, depth: int) -> ShortestPlan:
    """Search the states of a model in the order of their distance, from where it is, until its goal holds.

    Args:
        model: Left where the search ended.
        states: The most distinct states that are visited.
        depth: The longest plan.
    """
    if model.success():
        return ShortestPlan((), 1, 0)
    steps, seen = 0, {_key(model)}
    waiting: deque[tuple[Any, tuple[Any, ...]]] = deque([(model.snapshot(), ())])
    while waiting:
        state, plan = waiting.popleft()
        model.restore(state)
        for action in model.actions() if len(plan) < depth else ():
            model.restore(state)
            result = model.step(action)
            steps += 1
            if model.success():
                return ShortestPlan((*plan, action), len(seen), steps)
            key = _key(model)
            if key in seen or result.done:
                continue
            if len(seen) >= states:
                return ShortestPlan(None, len(seen), steps)
            seen.add(key)
            waiting.append((model.snapshot(), (*plan, action)))
    return ShortestPlan(None, len(seen), steps)


def _key(model: Model[Any, Any]) -> Hashable:
    key, likely = model.key(), getattr(model, "likely_key", None)
    if key is None and likely is not None:
        key = likely()
    return object() if key is None else key
