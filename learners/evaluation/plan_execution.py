"""Plans in words, carried out: does what a model has written reach the goal?

The environment's verbalizer reads the sentences and does them (`Verbalizer.run_plan`). Not here: judging a plan by its
words (`metrics`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...envs import contract
from ...envs.plans import PlanOutcome
from ...envs.registry import get_verbalizer
from ...experience import Task

if TYPE_CHECKING:
    import gymnasium


class PlanExecutor:
    """Carries out plans, in one environment of each kind, which keeps what it has prepared; close it at the end."""

    def __init__(self) -> None:
        """Make nothing yet; an environment is made with its first plan."""
        self._envs: dict[str, gymnasium.Env[Any, Any]] = {}

    def __enter__(self) -> PlanExecutor:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the environments."""
        while self._envs:
            self._envs.popitem()[1].close()

    def execute(self, task: Task, text: str, *, skip_refused: bool = False) -> PlanOutcome:
        """Carry out a plan; the arguments, the result and the errors are those of `execute_plan`."""
        env = self.env(task)
        info = contract.reset(env, task)[1]
        return get_verbalizer(task.env).run_plan(env, info, text, skip_refused=skip_refused)

    def trim(self, task: Task, actions: Sequence[str]) -> tuple[str, ...] | None:
        """Return a plan without the steps that its goal does not need; None if it does not reach the goal."""
        return get_verbalizer(task.env).trim_plan(self.env(task), task, actions)

    def env(self, task: Task) -> gymnasium.Env[Any, Any]:
        """Return the environment of a task, not reset."""
        if task.env not in self._envs:
            self._envs[task.env] = contract.make(task)
        return self._envs[task.env]


def execute_plan(task: Task, text: str, *, skip_refused: bool = False) -> PlanOutcome:
    """Carry out a plan in the environment of a task, from its beginning.

    Args:
        task: Its environment and its goal.
        text: The plan in words, as a model wrote it.
        skip_refused: Whether to go on after a sentence that cannot be done; otherwise the plan ends there.

    Raises:
        UnknownNameError, MissingDependencyError: the environment cannot be made; see `pathei.envs.contract.make`.
        PatheiError: the task's scene or goal cannot be loaded; see the environment's `reset`.
    """
    with PlanExecutor() as executor:
        return executor.execute(task, text, skip_refused=skip_refused)
