"""One search to watch: an instruction becomes a goal, the tree is shown, and the plan is done step by step."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np
from rich.console import Console
from rich.text import Text

from ..collectors.rollout.episode import Recorder
from ..collectors.search.collector import MctsConfig, find_plan, model_in
from ..collectors.search.mcts import SearchConfig
from ..envs import contract
from ..envs.registry import get_verbalizer
from ..errors import GoalError
from ..experience import Goal, Task
from .tree import tree_view
from .watch import Watcher


class PlanRequest(Protocol):
    """What is asked for; the command `pathei plan` is one."""

    @property
    def wish(self) -> str:
        """In words."""
        ...

    @property
    def scene(self) -> str:
        """Where."""
        ...

    @property
    def rules(self) -> str:
        """Under which rules."""
        ...

    @property
    def prior(self) -> str:
        """`"heuristic"` or `"none"`."""
        ...

    @property
    def seed(self) -> int:
        """Seeds the search."""
        ...

    @property
    def width(self) -> int:
        """How many moves of each state are shown."""
        ...

    @property
    def levels(self) -> int:
        """How many levels of the tree are shown."""
        ...


def plan_for_instruction(env_id: str, request: PlanRequest, search: SearchConfig, console: Console) -> bool:
    """Search, show and do a plan; return whether the goal was reached.

    Raises:
        GoalError: the instruction cannot be read as something to check.
    """
    options = {"scene": request.scene, "rules": request.rules}
    task = Task(f"wish/{request.scene}", env_id, request.seed, Goal(""), options)
    env = contract.make(task)
    contract.reset(env, task)
    goal = get_verbalizer(env_id).read_instruction(env, request.wish)
    if goal is None:
        raise GoalError(f"{env_id} reads no instructions: it cannot say what {request.wish!r} asks for.")
    task = replace(task, goal=goal)
    recorder = Recorder(env, task, max_steps=search.depth + 1)
    watcher = Watcher(console, texts=False)
    recorder.reset()
    watcher(recorder)
    model = model_in(recorder)
    config = MctsConfig(replace(search, stop_on_success=True), prior=request.prior)
    found = find_plan(model, config, np.random.default_rng(request.seed))
    result = found.result
    console.print(tree_view(result.root, result.plan, model.text, width=request.width, depth=request.levels))
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
