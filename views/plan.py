"""One search to watch: an instruction becomes a goal, the tree is shown, and the plan is done step by step."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from rich.console import Console
from rich.text import Text

from ..collectors.rollout.episode import Recorder
from ..collectors.search.collector import MctsConfig, find_plan, model_in
from ..collectors.search.config import SearchConfig
from ..envs import contract
from ..envs.goal_space import goal_in_words
from ..envs.plans import DOMAIN, PROBLEM, pddl_of
from ..envs.registry import get_verbalizer
from ..errors import GoalHoldsError
from ..experience import Task
from .tree import tree_view
from .watch import Watcher

_PLANS: Final = ("problem.pddl.soln", "sas_plan")
"""How planners call the plan that they leave next to a problem."""


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
    recorder = _begun(task, instruction, search.depth + 1, console)
    if recorder is None:
        return True
    watcher = Watcher(console, texts=False)
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
    spent = search.env_steps is not None and result.env_steps >= search.env_steps
    return _judged(recorder, console, "try more --env-steps" if spent else "try more --simulations or --steps")


def plan_in_pddl(task: Task, instruction: str, folder: Path, console: Console) -> bool:
    """Write a task in PDDL, and do the plan that a planner has left there; return whether that reached the goal.

    Args:
        task: The environment, its seed and its options; the goal comes from the instruction.
        instruction: What is to be done, in words.
        folder: Where `domain.pddl` and `problem.pddl` go, and the plan is looked for; without one, nothing is to be
            reached.
        console: Where everything is shown.

    Raises:
        ConfigError: the environment does not say its tasks in PDDL.
        GoalError: the instruction cannot be read as something to check, or cannot be written in PDDL.
        ScriptError: the plan has a step that is not of this domain.
    """
    recorder = _begun(task, instruction, sys.maxsize, console)
    if recorder is None:
        return True
    written = pddl_of(recorder.env)
    written.save(folder)
    plan = next((folder / name for name in _PLANS if (folder / name).is_file()), None)
    if plan is None:
        files = f"{folder / DOMAIN} and {folder / PROBLEM}"
        console.print(
            f"{files} are written. A plan in {' or '.join(_PLANS)} next to them will be done.", soft_wrap=True
        )
        return True
    watcher = Watcher(console, texts=False)
    watcher(recorder)
    for action in written.read(plan.read_text("utf-8")):
        step = recorder.step(action)
        watcher(recorder)
        if "error" in step.info:
            break
    return _judged(recorder, console, f"{plan} was made for another task, or changed")


def _begun(task: Task, instruction: str, max_steps: int, console: Console) -> Recorder | None:
    """Begin the episode in which an instruction is to be carried out, and show how it was read.

    None where the goal holds already, so that there is nothing to do.
    """
    env = contract.make(task)
    contract.reset(env, task)
    try:
        goal = goal_in_words(env, task.env, instruction)
    except GoalHoldsError as error:
        _nothing_to_do(str(error), console)
        env.close()
        return None
    said = get_verbalizer(task.env).say_goal(env, goal).rstrip(".")
    console.print(Text(f"Goal: {said}.", style="bold"), soft_wrap=True)
    recorder = Recorder(env, replace(task, goal=goal), max_steps=max_steps)
    recorder.reset()
    if recorder.held:
        _nothing_to_do(f"The goal holds already: {said}.", console)
        env.close()
        return None
    return recorder


def _nothing_to_do(why: str, console: Console) -> None:
    console.print(Text(f"{why} Nothing is to be done.", style="bold green"), soft_wrap=True)


def _judged(recorder: Recorder, console: Console, advice: str) -> bool:
    """Say whether the goal is reached, and close the environment."""
    reached = recorder.success
    verdict = "The goal is reached." if reached else f"The goal was not reached: {advice}."
    console.print(Text(verdict, style="bold green" if reached else "bold yellow"))
    recorder.env.close()
    return reached
