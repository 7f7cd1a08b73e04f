"""The command that gathers experience: `pathei collect`, in all its ways."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError
from .agents import acting, playing
from .commands import Collect
from .console import complain, make_console

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from ..agents import Agent
    from ..collectors import Collector
    from ..collectors.curriculum.proposers import GoalProposer
    from ..experience import Json, Task


def collect(command: Collect) -> int:
    """Play tasks into a store; 1 if every one of them failed."""
    from ..collectors.progress import progress
    from ..collectors.rollout.collect import gather
    from ..collectors.tasks import tasks_named
    from ..envs.registry import get_env
    from ..store import ExperienceStore
    from ..views.tables import gathered_table

    least = {"workers": 0, "steps": 1}
    faults = [f"--{name} must be at least {bound}" for name, bound in least.items() if getattr(command, name) < bound]
    if command.collector != "agent" and (command.agent or command.name):
        faults.append("--agent and --name go with --collector agent")
    if faults:
        raise ConfigError(f"{'; '.join(faults)}.")
    console = make_console()
    if command.collector == "curriculum":
        return _study(command, console)
    world = get_env(command.world)
    tasks = tasks_named(command.tasks, world, seed=command.seed, characters=command.characters)
    name, make = _collector_of(command)
    try:
        with ExperienceStore.open(command.out, config=_recorded(command), seeds=[command.seed]) as store:
            left = len(store.remaining(tasks, name))
            if left < len(tasks):
                console.print(f"{len(tasks) - left} of {len(tasks)} tasks are done already; {left} are left.")
            with progress(console, left, "Collecting") as watch:
                done = gather(
                    store,
                    tasks,
                    make,
                    workers=command.workers,
                    timeout=command.timeout,
                    collector=name,
                    watch=watch,
                )
            console.print(gathered_table(done, store.info()))
    except KeyboardInterrupt:
        # Read anew: an append that was interrupted may have reached the disk.
        with ExperienceStore.open(command.out, mode="read") as store:
            kept = len(tasks) - len(store.remaining(tasks, name))
        complain(
            f"Stopped: {kept} of {len(tasks)} tasks are kept in {command.out}. Run the same command again to go on."
        )
        return 130
    for error, count in done.errors.most_common(3):
        complain(f"{count} x {error}")
    return int(done.coverage.episodes == 0 and done.coverage.failures > 0)


def _study(command: Collect, console: Console) -> int:
    from ..collectors.curriculum.collector import Curriculum, CurriculumConfig
    from ..collectors.curriculum.players import SearchPlayer
    from ..collectors.curriculum.skill_player import SkillPlayer
    from ..collectors.curriculum.study import generated_houses, study
    from ..collectors.progress import progress
    from ..envs.registry import get_env, get_goal_space
    from ..store import ExperienceStore
    from ..views.tables import gathered_table

    if not command.tasks.isdecimal():
        raise ConfigError(f"A curriculum makes its own tasks: --tasks is how many attempts, not {command.tasks!r}.")
    attempts, spaces = int(command.tasks), get_goal_space(command.world)
    player = SkillPlayer(spaces) if command.player == "skills" else SearchPlayer()
    config = CurriculumConfig(max_steps=command.steps)
    curriculum = Curriculum(spaces, _proposer_of(command), player, config, seed=command.seed)
    with ExperienceStore.open(command.out, config=_recorded(command), seeds=[command.seed]) as store:
        houses = generated_houses(get_env(command.world).id, command.seed)
        try:
            with progress(console, attempts, "Studying") as watch:
                done = study(store, curriculum, houses, attempts, watch=watch)
        except KeyboardInterrupt:
            complain(f"Stopped: what was lived is kept in {command.out}. Run the same command again to go on.")
            return 130
        console.print(gathered_table(done, store.info()))
    return 0


def _proposer_of(command: Collect) -> GoalProposer:
    """Return the proposer of a curriculum's goals, by name."""
    if command.proposer != "model":
        from ..collectors.curriculum.proposers import proposer_named

        return proposer_named(command.proposer)
    if command.model is None:
        raise ConfigError("A language model proposes: name it with --model, as in --model local:PATH.")
    from ..agents.lm.completion import complete_named
    from ..collectors.curriculum.lm_proposer import LanguageModel

    return LanguageModel(complete_named(command.model))


def _recorded(command: Collect) -> dict[str, Json]:
    """Return the configuration as plain JSON."""
    given = {key: str(value) if isinstance(value, Path) else value for key, value in vars(command).items()}
    return {"command": "collect", **given, "lm": vars(command.lm) if (command.agent or "").startswith("lm:") else None}


def _collector_of(command: Collect) -> tuple[str, Callable[[], Collector]]:
    """Return the name under which episodes are recorded, and what makes the collector in whichever process plays."""
    if command.collector != "agent":
        return command.collector, _made_of(command)
    from functools import partial

    agents = playing(command)
    name = command.name or agents.collector
    return name, partial(acting, agents, name, command.steps, command.seed)


def _made_of(command: Collect) -> Callable[[], Collector]:
    from functools import partial

    if command.collector == "explore":
        from ..collectors.rollout.explore import Explore

        return partial(Explore, strategy=command.strategy, max_steps=command.steps, seed=command.seed)
    if command.collector == "scripted":
        from ..collectors.rollout.acting import AgentCollector, demonstrator

        return partial(AgentCollector, demonstrator, name="scripted", max_steps=command.steps, seed=command.seed)
    if command.collector == "errands":
        from ..collectors.rollout.acting import AgentCollector

        return partial(AgentCollector, _errand_runner, name="errands", max_steps=command.steps, seed=command.seed)
    from ..collectors.search.collector import Mcts, MctsConfig, household_search
    from ..envs.registry import get_env

    search = dataclasses.replace(
        household_search(simulations=command.simulations, seconds=command.seconds, depth=command.steps),
        env_steps=get_env(command.world).search_steps,
    )
    return partial(Mcts, MctsConfig(search, keep_tree=command.keep_tree), seed=command.seed)


def _errand_runner(task: Task) -> Agent:
    from ..agents.carrying import RandomCarryAgent
    from ..envs.registry import get_verbalizer

    return RandomCarryAgent(get_verbalizer(task.env))


__all__ = ["collect"]
