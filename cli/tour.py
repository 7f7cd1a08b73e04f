"""The tour: `pathei demo`. Agents live and their experience is kept (`collectors.demo`), then a model learns from it.

The questions that it learns need episodes of activities and houses that it has not seen, and people who carry things
about; these are lived here, on the way from one part to the other.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..errors import MissingDependencyError
from .commands import Demo
from .console import make_console

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import Console

    from ..agents import Agent
    from ..experience import Task, Trajectory

_SHOWN = 3
"""So many activities are demonstrated for each one that is explored."""
_ERRANDS = 48
"""So many steps people carry things about."""


def demo(command: Demo) -> None:
    """Give the tour."""
    from ..collectors.demo import run_demo

    console = make_console()
    run_demo(console, command.out, episodes=command.episodes, workers=command.workers, seed=command.seed)
    if not command.learn:
        return
    from ..learners.demo import demo_corpus, run_learning_demo

    try:
        examples = demo_corpus(_lived(console, command), seed=command.seed)
        run_learning_demo(console, examples, command.out / "learning", seed=command.seed)
    except MissingDependencyError as error:
        console.print(f"\nThe tour ends here, without learning: {error}", markup=False, soft_wrap=True)


def _lived(console: Console, command: Demo) -> list[Trajectory]:
    """Return episodes to ask questions about: demonstrations, some of them held out, and errands."""
    from ..envs.virtualhome.activities import generate_tasks
    from ..learners.corpora.splits import unseen_activities

    n, seed = _SHOWN * command.episodes, command.seed
    tasks = generate_tasks(n, seed) + generate_tasks(n // 4, seed + 1, split="test", activities=unseen_activities())
    found = _play(console, command, "demonstrations", tasks, _demonstrator)
    households = [task for people in (1, 2, 3) for task in generate_tasks(n // 6, seed + 1 + people, characters=people)]
    return found + _play(console, command, "errands", households, _runner)


def _play(
    console: Console, command: Demo, name: str, tasks: list[Task], agent_for: Callable[[Task], Agent]
) -> list[Trajectory]:
    from ..collectors.acting import Act
    from ..collectors.gather import gather
    from ..collectors.tables import progress
    from ..store import ExperienceStore

    path: Path = command.out / name
    config = {"command": "demo", "way": name, "seed": command.seed}
    make = partial(Act, agent_for, name=name, max_steps=_ERRANDS, seed=command.seed)
    with ExperienceStore.open(path, config=config, seeds=[command.seed]) as store:
        with progress(console, len(store.remaining(tasks)), f"{name:14}") as watch:
            gather(store, tasks, make, workers=command.workers, watch=watch)
        return list(store.trajectories())


def _demonstrator(task: Task) -> Agent:
    from ..collectors.acting import demonstrator

    return demonstrator(task)


def _runner(_: Task) -> Agent:
    from ..learners.corpora.errands import Errands

    return Errands()


__all__ = ["demo"]
