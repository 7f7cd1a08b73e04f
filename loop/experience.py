"""Collecting into stores: the episodes of a round, in three ways, and of the held-out tasks.

Both resume with what is missing. Not here: learning from it (`learning`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from ..collectors.options import PlaySettings
from ..collectors.progress import progress
from ..collectors.registry import make_collector
from ..collectors.rollout.collect import collect
from ..envs.registry import get_env
from ..experience import Task
from ..store import ExperienceStore
from .workspace import LoopAgent, LoopWorkspace

if TYPE_CHECKING:
    from rich.console import Console

AGENT: Final = "agent"
"""The collector that episodes of the loop's own agent name."""
SEARCH: Final = "mcts"
EXPLORE: Final = "explore"


def collect_round(place: LoopWorkspace, number: int, console: Console) -> None:
    """Collect a round: the round's tasks, and self-proposed goals.

    The agent that has learned so far plays the tasks; those that it does not reach are searched. In the first round
    there is no such agent, so all of them are searched, and some more are explored.
    """
    tasks = place.tasks(number)
    with _opened(place, place.store) as store:
        if number == 1:
            _gather(place, store, place.explored(), EXPLORE, "exploring", console)
        else:
            actor = place.best(number - 1)
            _gather(place, store, tasks, AGENT, f"{actor.row} plays", console, agent=actor.agent, record_as=AGENT)
            done = solved(store, {task.id for task in tasks})
            tasks = [task for task in tasks if task.id not in done]
        horizon = place.config.steps // 2 + 1
        simulations = place.config.simulations
        _gather(place, store, tasks, SEARCH, "searching", console, horizon, simulations=simulations)
        _propose(place, number, store, console)


def solved(store: ExperienceStore, tasks: set[str]) -> set[str]:
    """Return which of these tasks the loop's own agent has brought to their goal."""
    return {one.task.id for one in store.trajectories(success=True) if one.collector == AGENT and one.task.id in tasks}


def measure(place: LoopWorkspace, actor: LoopAgent, console: Console) -> None:
    """Let an agent play all held-out tasks."""
    tasks = [task for group in place.held_out_tasks().values() for task in group]
    name, agent = actor.collector, actor.agent
    with _opened(place, place.held_out) as store:
        _gather(place, store, tasks, AGENT, name, console, agent=agent, record_as=name)


def _propose(place: LoopWorkspace, number: int, store: ExperienceStore, console: Console) -> None:
    """Let the curriculum try self-proposed goals, where the environment offers goals; resumes across rounds."""
    attempts = number * place.config.proposed
    if get_env(place.config.env).goal_space is None or not attempts:
        return
    from ..collectors.curriculum.collector import Curriculum
    from ..collectors.curriculum.proposers import NoveltyProposer
    from ..collectors.search.skill_policy import SkillPolicy
    from ..envs.registry import get_goal_space

    goals = get_goal_space(place.config.env)
    policy = SkillPolicy(goals, most=get_env(place.config.env).search_steps)
    curriculum = Curriculum(goals, NoveltyProposer(), policy, seed=place.seed)
    with progress(console, place.config.proposed, f"{'self-proposed goals':28}") as watch:
        collect(store, list(islice(place.scenes(), attempts)), curriculum, watch=watch)


def _gather(
    place: LoopWorkspace,
    store: ExperienceStore,
    tasks: Sequence[Task],
    collector: str,
    title: str,
    console: Console,
    steps: int = 0,
    **options: Any,
) -> None:
    """Play what is missing of some tasks; `options` are the collector's own."""
    config, name = place.config, options.get("record_as", collector)
    left = store.remaining(tasks, name)
    if not left:
        return
    play = PlaySettings(config.env, steps or config.steps, place.seed, config.workers)
    make = partial(make_collector, collector, play, **options)
    with progress(console, len(left), f"{title:28}") as watch:
        collect(store, left, make, name=name, workers=config.workers, timeout=config.timeout, watch=watch)


def _opened(place: LoopWorkspace, path: Any) -> ExperienceStore:
    return ExperienceStore.open(path, config={"command": "loop", "env": place.config.env}, seeds=[place.seed])
