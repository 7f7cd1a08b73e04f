"""Proof of a plan in other tasks of the same sort, which the environment generates from another seed.

Not here: environments that generate no tasks of their own; there a plan is carried out again in its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final, NamedTuple

from ...envs import contract
from ...envs.registry import get_env, get_verbalizer
from ...errors import PatheiError
from ...experience import Task
from ..verification.replay import ReplayEnvs
from .template import TemplateStep, match_goal, next_action, split_goal

_SEED: Final = 918_273
"""The seed of the tasks in which plans are proved."""
_MADE: Final = 400
_TRIED: Final = 3
_ALIKE: Final = 0.5
"""Goals of one sort share at least this part of their words."""


class PlanProof(NamedTuple):
    """How a plan did in other tasks."""

    tried: int
    """In how many it was to be tried."""
    passed: int
    """In how many it reached the goal, up to the first in which it did not."""
    steps: int
    """The number of environment steps."""

    @property
    def holds(self) -> bool:
        """Whether it reached the goal in all of them: in most may be luck."""
        return 0 < self.tried == self.passed


def siblings(task: Task) -> list[Task] | None:
    """Return other tasks of the same sort, the most alike first; None where an environment generates no tasks."""
    verbalizer = get_verbalizer(task.env)
    activity, own = verbalizer.activity(task), split_goal(task.goal.text)
    made = _generated(task.env)
    if made is None:
        return None
    matcher = SequenceMatcher(None, b=own, autojunk=False)
    rated = []
    for place, other in enumerate(made):
        if verbalizer.activity(other) != activity or (other.seed, other.options) == (task.seed, task.options):
            continue
        matcher.set_seq1(split_goal(other.goal.text))
        if matcher.quick_ratio() >= _ALIKE and (ratio := matcher.ratio()) >= _ALIKE:
            rated.append((-ratio, place, other))
    alike = sorted(rated, key=lambda one: one[:2])
    if activity is None and alike and alike[0][0] == -1.0:  # the sort of a task is known by its goal only
        alike = [one for one in alike if one[0] == -1.0]
    return [other for *_, other in alike]


def prove(envs: ReplayEnvs, lifted: str, steps: Sequence[TemplateStep], others: Sequence[Task]) -> PlanProof:
    """Carry out a plan in some other tasks whose goals it fits.

    Args:
        envs: Has the environment.
        lifted: The goal with parameters.
        steps: The steps.
        others: The tasks, the first of which are tried.

    Raises:
        PatheiError: the environment cannot be made here.
        Exception: any other error of the environment.
    """
    fitting = [(one, values) for one in others if (values := match_goal(lifted, one.goal.text)) is not None][:_TRIED]
    passed = count = 0
    for task, values in fitting:
        env = envs.env(task)
        observation, info = contract.reset(env, task)
        is_done = False
        for step in steps:
            action = next_action(step, values, contract.observe(observation, info, lambda image: "").text)
            if action is None:
                break
            observation, _, terminated, truncated, info = env.step(action)
            count += 1
            is_done = info.get("success") is True
            if terminated or truncated:
                break
        if not is_done:
            break
        passed += 1
    return PlanProof(len(fitting), passed, count)


@lru_cache(maxsize=8)
def _generated(env: str) -> tuple[Task, ...] | None:
    try:
        spec = get_env(env)
    except PatheiError:
        return None
    return tuple(spec.generate_tasks(_MADE, _SEED)) if spec.tasks else None
