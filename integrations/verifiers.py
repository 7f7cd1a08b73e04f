"""An environment for verifiers: `load_environment("virtualhome")` is a `vf.Environment`, to evaluate and to train with.

The model reads the goal and what it observes, answers with an action, and reads what it observes then. The reward is
the sum of the episode's; `success` is a metric. Rollouts are apart: each has a session, and a thread, of its own.
Not here: stored episodes (verifiers saves its own results), and images.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ..agents.lm.reading import read_answer
from ..collectors.tasks import tasks_given
from ..errors import ContractError
from ..experience import Task
from ..export.text import prompt
from ..extras import needed_by
from ..interop import SessionView, WorldSession
from ..interop.session import require_steps

_ASKED = "Answer with your next action and nothing else, one of those that are listed, as it is written there."


def load_environment(
    world: str = "virtualhome", *, tasks: str | int | Sequence[Task] = 100, seed: int = 0, steps: int = 30
) -> Any:
    """Return an environment of verifiers.

    Args:
        world: The environment: a name of `pathei env list`, or `module:Id-v0`.
        tasks: How many tasks to generate, the name of a task set or a file of tasks, or the tasks themselves.
        seed: Seeds generated tasks.
        steps: The longest episode.

    Raises:
        UnknownNameError: there is no such environment; the message suggests the nearest.
        ConfigError: the tasks are none, or `steps` is less than 1.
        MissingDependencyError: verifiers is not installed.
    """
    found = tasks_given(world, tasks, seed=seed)
    require_steps(steps)
    with needed_by("An environment for verifiers", "verifiers"):
        import verifiers as vf  # type: ignore[import-untyped]
        from datasets import Dataset  # type: ignore[import-untyped]

    def earned(state: dict[str, Any]) -> float:
        return float(state["earned"])

    def success(state: dict[str, Any]) -> float:
        return float(state["success"])

    rows = [
        {"prompt": [{"role": "user", "content": f"Goal: {task.goal.text}"}], "answer": "", "info": {"task": task.id}}
        for task in found
    ]
    rubric = vf.Rubric(funcs=[earned])
    rubric.add_metric(success)
    make = _environment_class(vf)
    dataset = Dataset.from_list(rows)
    return make(found, steps, dataset=dataset, eval_dataset=dataset, rubric=rubric, system_prompt=_ASKED)


def _environment_class(vf: Any) -> Callable[..., Any]:
    """Return the class; it derives from one of verifiers, which is imported when it is needed."""

    class PatheiEnvironment(vf.MultiTurnEnv):  # type: ignore[misc]
        """Plays the task of a row: one observation, one action, and so on."""

        def __init__(self, tasks: Sequence[Task], steps: int, **others: Any) -> None:
            super().__init__(max_turns=-1, **others)
            self._tasks = {task.id: task for task in tasks}
            self._steps = steps

        async def setup_state(self, state: Any) -> Any:
            """Begin the episode and put what is observed first into the prompt."""
            task = self._tasks[state["info"]["task"]]
            state["thread"] = ThreadPoolExecutor(1, "rollout")
            state["session"] = await _run(state, WorldSession, [task], steps=self._steps)
            view = await _run(state, state["session"].look)
            *before, asked = state["prompt"]
            state["prompt"] = [*before, {**asked, "content": f"{asked['content']}\n\n{_told(view)}"}]
            _note(state, view)
            return state

        async def env_response(self, messages: Any, state: Any, **others: Any) -> Any:
            """Do what the model answered, and return what is observed then."""
            action = read_answer(str(messages[-1].get("content") or ""), thought=False).action
            try:
                view = await _run(state, state["session"].act, action)
            except ContractError as error:
                return [{"role": "user", "content": str(error)}]
            _note(state, view)
            said = [{"role": "user", "content": _told(view)}]
            if view.over:
                state["final_env_response"] = said
            return said

        @vf.stop  # type: ignore[untyped-decorator]
        async def nothing_to_do(self, state: Any) -> bool:
            """Stop before the first action where the goal holds already."""
            return bool(state.get("held"))

        @vf.cleanup  # type: ignore[untyped-decorator]
        async def close_session(self, state: Any) -> None:
            """End the session of a rollout."""
            session, thread = state.pop("session", None), state.pop("thread", None)
            if session is not None:
                await asyncio.get_running_loop().run_in_executor(thread, session.close)
            if thread is not None:
                thread.shutdown(wait=False)

    return PatheiEnvironment


async def _run(state: Any, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call a function in the rollout's thread: an environment that drives a browser stays in one."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(state["thread"], lambda: function(*arguments, **options))


def _told(view: SessionView) -> str:
    return prompt(None, view.observation, not view.over)


def _note(state: Any, view: SessionView) -> None:
    state["earned"], state["success"] = view.earned, view.success is True
    state["held"] = view.over and not view.steps
