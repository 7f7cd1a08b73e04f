"""One search to watch: an instruction becomes a goal, the tree is shown, and the plan is done step by step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
from rich.console import Console
from rich.text import Text

from ..collectors.rollout.episode import Recorder
from ..collectors.search.collector import MctsConfig, find_plan, model_in
from ..collectors.search.mcts import SearchConfig
from ..envs import contract
from ..envs.registry import get_goal_space, get_verbalizer
from ..errors import ConfigError, GoalError
from ..experience import Goal, Task
from .tree import tree_view
from .watch import Watcher


def plan_for_instruction(
    task: Task,
    instruction: str,
    search: SearchConfig,
    console: Console,
    *,
    prior: str = "heuristic",
    width: int = 4,
    levels: int = 4,
) -> bool:
    """Search, show and do a plan; return whether the goal was reached, or holds already.

    Args:
        task: The environment, its seed and its options; the goal comes from the instruction.
        instruction: What is to be done, in words.
        search: How to search.
        console: Where everything is shown.
        prior: `"heuristic"` or `"none"`; see `MctsConfig`.
        width: How many moves of each state are shown.
        levels: How many levels of the tree are shown.

    Raises:
        GoalError: the instruction cannot be read as something to check, or the environment reads none.
    """
    env = contract.make(task)
    contract.reset(env, task)
    task = replace(task, goal=_goal(env, task, instruction))
    recorder = Recorder(env, task, max_steps=search.depth + 1)
    watcher = Watcher(console, texts=False)
    recorder.reset()
    if recorder.held:
        console.print(Text(f"The goal holds already: nothing is to be done. ({task.goal.text})", style="bold green"))
        env.close()
        return True
    watcher(recorder)
    model = model_in(recorder)
    config = MctsConfig(replace(search, stop_on_success=True), prior=prior)
    found = find_plan(model, config, np.random.default_rng(task.seed))
    result = found.result
    console.print(tree_view(result.root, result.plan, model.text, width=width, depth=levels))
    console.print(
        Text(
            f"{result.simulations:,} simulations, {result.env_steps:,} environment steps, {result.seconds:.2f} s; "
            f"a plan of {len(result.plan)} steps, {len(found.plan)} of which matter:",
            style="dim",
        )
    )
    recorder.reset()
    for action in found.plan:
        recorder.step(model.text(action))
        watcher(recorder)
    reached = bool(recorder.steps and recorder.steps[-1].info.get("success"))
    verdict = "The goal is reached." if reached else "The goal was not reached: try more --simulations or --steps."
    console.print(Text(verdict, style="bold green" if reached else "bold yellow"))
    env.close()
    return reached


def _goal(env: gymnasium.Env[Any, Any], task: Task, instruction: str) -> Goal:
    """Read an instruction: by the environment's own reader, or as one of the goals that it offers.

    Raises:
        GoalError: it cannot be read, or the environment reads none.
    """
    goal = get_verbalizer(task.env).read_instruction(env, instruction)
    if goal is not None:
        return goal
    try:
        space = get_goal_space(task.env)
    except ConfigError as error:
        raise GoalError(f"{task.env} cannot say what {instruction!r} asks for. {error}") from None
    return space.present(env).read(instruction).goal
