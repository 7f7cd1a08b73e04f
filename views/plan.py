"""One search to watch: a wish becomes a goal, the tree is shown, and the plan is done step by step."""

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
from ..envs.virtualhome.engine.profiles import rules_named
from ..envs.virtualhome.houses.scenes import load_scene
from ..envs.virtualhome.language.parse_instruction import read_wish
from ..experience import Task
from .tree import tree_view
from .watch import Watcher

ENV_ID = "pathei/VirtualHome-v0"


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


def plan_for_wish(wish: PlanRequest, search: SearchConfig, console: Console) -> bool:
    """Search, show and do a plan; return whether the goal was reached.

    Raises:
        GoalError: the wish cannot be read as something to check.
    """
    rules = rules_named(wish.rules)
    goal = read_wish(wish.wish, load_scene(wish.scene, rules), rules)
    task = Task(f"wish/{wish.scene}", ENV_ID, wish.seed, goal, {"scene": wish.scene, "rules": wish.rules})
    env = contract.make(task)
    recorder = Recorder(env, task, max_steps=search.depth + 1)
    watcher = Watcher(console, texts=False)
    recorder.reset()
    watcher(recorder)
    model = model_in(recorder)
    config = MctsConfig(replace(search, stop_on_success=True), prior=wish.prior)
    found = find_plan(model, config, np.random.default_rng(wish.seed))
    result = found.result
    console.print(tree_view(result.root, result.plan, model.text, width=wish.width, depth=wish.levels))
    console.print(
        Text(
            f"{result.simulations:,} simulations, {result.env_steps:,} steps of the world, {result.seconds:.2f} s; "
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
