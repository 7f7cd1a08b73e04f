"""What `pathei demo` begins with: demonstrations played readably, then exploration and search on the same tasks.

It uses what the package has to offer and adds nothing of its own. Not here: fetched data, language models.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ..agents import ScriptedAgent
from ..collectors.coverage import compare
from ..collectors.progress import heading, progress
from ..collectors.protocol import Collector
from ..collectors.rollout.collect import CollectReport, collect
from ..collectors.rollout.episode import Envs
from ..collectors.rollout.explore import STRATEGIES, make_explorer
from ..collectors.rollout.policy import play
from ..collectors.search.collector import MctsConfig, household_search, make_searcher
from ..envs.registry import get_demonstration, get_env
from ..errors import ConfigError
from ..experience import Task
from ..store import ExperienceStore, StoreInfo
from .tables import megabytes
from .watch import Watcher

_SHOWN = 3
"""The number of demonstrations that are shown."""
_LOOKED_AT = 40
_AT_LEAST = 5
"""Shorter demonstrations show too little."""
_STEPS = 30
_SIMULATIONS = 1000
"""Enough to solve most of the tasks, and over in seconds."""


def run_demo(console: Console, out: Path, *, episodes: int = 300, workers: int = 2, seed: int = 0) -> None:
    """Give the tour.

    Args:
        console: Where to show it.
        out: Where a store is made for each way of exploring; those of an earlier demo are replaced.
        episodes: How many episodes each way of exploring collects, at least 1.
        workers: How many processes play; 0 for this one alone.
        seed: Houses, tasks and exploration follow from it.

    Raises:
        ConfigError: `episodes` is less than 1, or something else than an earlier demo is at `out`.
    """
    if episodes < 1:
        raise ConfigError(f"The demo needs at least one episode, not {episodes}.")
    tasks = get_env("virtualhome").generate_tasks(max(episodes, _SHOWN), seed)
    ways: dict[str, Callable[[], Collector]] = {
        strategy: partial(make_explorer, strategy=strategy, max_steps=_STEPS, seed=seed) for strategy in STRATEGIES
    }
    search = household_search(simulations=_SIMULATIONS, depth=_STEPS)
    ways["search"] = partial(make_searcher, MctsConfig(search), seed=seed)
    for name in ways:
        _clear(out / name)
    heading(console, "Demonstrations in generated houses")
    _show_demonstrations(console, tasks)
    heading(console, "Exploration, then search for plans: every episode is stored")
    found: dict[str, tuple[CollectReport, StoreInfo]] = {}
    for name, make in ways.items():
        found[name] = _collect(console, name, make, out / name, tasks[:episodes], workers, seed)
    console.print()
    console.print(_table(found))


def _clear(path: Path) -> None:
    """Remove the store of an earlier demo, and nothing else."""
    if not path.exists():
        return
    # Opening it takes the writer's lock, so a demo that still runs is not disturbed.
    with ExperienceStore.open(path, config={"command": "demo"}) as store:
        ours = all(session.config.get("command") == "demo" for session in store.info().sessions)
    if not ours:
        raise ConfigError(f"The store {path} was not made by a demo: choose another directory with --out.")
    shutil.rmtree(path)


def _show_demonstrations(console: Console, tasks: Sequence[Task]) -> None:
    envs = Envs()
    shortest_first = sorted(tasks[:_LOOKED_AT], key=lambda task: len(get_demonstration(task)))
    fitting = [task for task in shortest_first if len(get_demonstration(task)) >= _AT_LEAST] or shortest_first
    # Different activities, a short one first: it is shown with what is perceived, the others by what is done.
    by_words = {task.goal.text.split(" ", maxsplit=1)[0].lower(): task for task in reversed(fitting)}
    try:
        for number, task in enumerate(list(reversed(by_words.values()))[:_SHOWN]):
            watcher = Watcher(console, texts=number == 0, lines=8)
            agent = ScriptedAgent(get_demonstration(task))
            watcher.show_end(play(envs.get(task), task, agent, max_steps=100, watch=watcher))
    finally:
        envs.close()


def _collect(
    console: Console,
    name: str,
    make: Callable[[], Collector],
    path: Path,
    tasks: Sequence[Task],
    workers: int,
    seed: int,
) -> tuple[CollectReport, StoreInfo]:
    config = {"command": "demo", "way": name, "episodes": len(tasks), "steps": _STEPS, "seed": seed}
    with ExperienceStore.open(path, config=config, seeds=[seed]) as store:
        with progress(console, len(tasks), f"{name:8}") as watch:
            gathered = collect(store, tasks, make, workers=workers, watch=watch)
        return gathered, store.info()


def _table(found: dict[str, tuple[CollectReport, StoreInfo]]) -> Table:
    table = compare({name: gathered.coverage for name, (gathered, _) in found.items()}, "What happened")
    table.add_row("episodes per second", *[f"{gathered.rate:.0f}" for gathered, _ in found.values()])
    table.add_row("store", *[str(info.path) for _, info in found.values()])
    table.add_row("store size", *[megabytes(info.bytes) for _, info in found.values()])
    return table
