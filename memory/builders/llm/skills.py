"""Skills written by a language model, kept only if executing them reaches the goal.

The model is any function from a prompt to a text. Its prompt shows a successful episode and asks for a shorter plan, as
lines of actions; other text in the answer is ignored. A plan is kept if it reaches the goal when it is executed from
the start of the task. Not here: lessons and facts (`notes`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from ....envs import contract
from ....experience import Task, Trajectory
from ...items import Draft
from ..drafts import skill_about

Complete = Callable[[str], str]
"""Continues a prompt."""
CheckPlan = Callable[[Task, Sequence[str]], bool]
"""Executes actions from the start of a task, and returns whether they reach the goal."""

_ACTION: Final = re.compile(r"^\s*(?:[-*]|\d+[.)])?\s*(\[\w+\].*|\S.*)$")
_MOST: Final = 60
PROMPT: Final = """An agent was asked: {goal}
It succeeded with these actions:
{actions}
Write the shortest list of actions that reaches the same goal, one per line, in the same form, and nothing else.
"""


class LlmSkills:
    """Builds skills that a language model writes."""

    def __init__(self, complete: Complete, check: CheckPlan | None = None, *, model: str = "") -> None:
        """Ask a model.

        Args:
            complete: The model.
            check: Verifies a plan; by default it is executed in the environment of the task.
            model: Its name, which is stored with every item.
        """
        self._complete, self._model = complete, model
        self._check = reaches_goal if check is None else check

    def build(self, trajectory: Trajectory) -> Iterator[Draft]:
        """Yield the plan that the model wrote for a successful episode, if it reaches the goal.

        Raises:
            ModelError: the model does not answer.
        """
        done = [step.action for step in trajectory.steps if not step.info.get("error")]
        if not trajectory.success or not done:
            return
        goal = trajectory.task.goal.text
        plan = read_plan(self._complete(PROMPT.format(goal=goal, actions="\n".join(done))), done)
        if not plan or not self._check(trajectory.task, plan):
            return
        text, key = f"How to do: {goal}. Steps: {'; '.join(plan)}.", f"written: {trajectory.task.id}"
        yield skill_about(trajectory, text, key, plan, [goal], plan=True, written=True, by=self._model)


def read_plan(text: str, like: Sequence[str]) -> list[str]:
    """Return the actions in an answer: its lines without list marks, and only script lines if `like` has only those."""
    script = all(action.startswith("[") for action in like)
    found = [match[1].strip() for line in text.splitlines() if (match := _ACTION.match(line))]
    return [line for line in found if line.startswith("[") or not script][:_MOST]


def reaches_goal(task: Task, actions: Sequence[str]) -> bool:
    """Execute actions in the environment of a task, and return whether they reach the goal."""
    env = contract.make(task)
    try:
        contract.reset(env, task)
        for action in actions:
            *_, terminated, truncated, info = env.step(action)
            if terminated or truncated:
                return bool(info.get("success"))
        return False
    finally:
        env.close()
