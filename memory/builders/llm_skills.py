"""Skills that a language model writes, kept only where the world proves them.

The model is any function from a prompt to a text. It is shown an episode that succeeded and asked for a shorter or
better plan, as lines of actions; what it says around them is passed over. A plan is kept if, carried out in the world
from the task's beginning, it reaches the goal. Left out: skills that nothing has proved, and words (`said`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from ...envs import contract
from ...experience import Task, Trajectory
from ..items import Draft, Source

Complete = Callable[[str], str]
"""Continues a prompt."""
Prove = Callable[[Task, Sequence[str]], bool]
"""Carries actions out from a task's beginning, and tells whether the goal was reached."""

_ACTION: Final = re.compile(r"^\s*(?:[-*]|\d+[.)])?\s*(\[\w+\].*|\S.*)$")
_MOST: Final = 60
PROMPT: Final = """An agent was asked: {goal}
It succeeded with these actions:
{actions}
Write the shortest list of actions that reaches the same goal, one per line, in the same form, and nothing else.
"""


class LlmSkills:
    """The builder of skills that a model writes."""

    def __init__(self, complete: Complete, prove: Prove | None = None, *, model: str = "") -> None:
        """Ask a model.

        Args:
            complete: The model.
            prove: How a plan is proved; in the task's own environment if None.
            model: What it is called; kept with every item.
        """
        self._complete, self._model = complete, model
        self._prove = carry_out if prove is None else prove

    def build(self, trajectory: Trajectory) -> Iterator[Draft]:
        """Return the plan that the model wrote for an episode that succeeded, if the world proves it.

        Raises:
            ModelError: the model does not answer.
        """
        done = [step.action for step in trajectory.steps if not step.info.get("error")]
        if not trajectory.success or not done:
            return
        goal = trajectory.task.goal.text
        plan = read_plan(self._complete(PROMPT.format(goal=goal, actions="\n".join(done))), done)
        if not plan or not self._prove(trajectory.task, plan):
            return
        told = "; ".join(plan)
        yield Draft(
            "skill",
            f"How to do: {goal}. Steps: {told}.",
            trajectory.task.env,
            key=f"written: {trajectory.task.id}",
            task=goal,
            success=True,
            data={
                "name": goal,
                "parameters": [],
                "preconditions": [],
                "steps": plan,
                "effects": [goal],
                "calls": [],
                "plan": True,
                "written": True,
                "by": self._model,
            },
            source=Source(trajectory.id),
        )


def read_plan(text: str, like: Sequence[str]) -> list[str]:
    """Return the actions in what a model wrote: lines without list marks; of script lines, only those.

    Args:
        text: What it wrote.
        like: Actions of the same world.
    """
    script = all(action.startswith("[") for action in like)
    found = [match[1].strip() for line in text.splitlines() if (match := _ACTION.match(line))]
    return [line for line in found if line.startswith("[") or not script][:_MOST]


def carry_out(task: Task, actions: Sequence[str]) -> bool:
    """Carry actions out in a task's own environment, and tell whether the goal was reached."""
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


__all__ = ["PROMPT", "Complete", "LlmSkills", "Prove", "carry_out", "read_plan"]
