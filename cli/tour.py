"""The tour: `pathei demo`. Agents live, their experience is kept (`collectors.demo`), and a model learns from it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from ..errors import MissingDependencyError
from .commands import Demo
from .console import make_console, patient_threads

if TYPE_CHECKING:
    from rich.console import Console

    from ..experience import Trajectory

_LESSONS: Final = 3
"""So many demonstrations are learned from for each episode that every way of exploring collects."""


def demo(command: Demo) -> None:
    """Give the tour."""
    from ..collectors.demo import run_demo

    patient_threads()
    console = make_console()
    run_demo(console, command.out, episodes=command.episodes, workers=command.workers, seed=command.seed)
    if not command.learn:
        return
    from ..learners.demo import demo_corpus, run_learning_demo

    try:
        examples = demo_corpus(_lessons(console, command), seed=command.seed)
        run_learning_demo(console, examples, command.out / "learning", seed=command.seed)
    except MissingDependencyError as error:
        console.print(f"\nThe tour ends here, without learning: {error}", markup=False, soft_wrap=True)


def _lessons(console: Console, command: Demo) -> list[Trajectory]:
    """Return demonstrations of the activities that the model is asked about."""
    from ..collectors.acting import Act, demonstrator
    from ..collectors.gather import gather
    from ..collectors.tables import progress
    from ..envs.virtualhome.activities import generate_tasks
    from ..learners.demo import demo_activities
    from ..store import ExperienceStore

    tasks = generate_tasks(_LESSONS * command.episodes, command.seed, activities=demo_activities(), split="train")
    config = {"command": "demo", "way": "lessons", "seed": command.seed}
    make = partial(Act, demonstrator, name="scripted", seed=command.seed)
    with ExperienceStore.open(command.out / "lessons", config=config, seeds=[command.seed]) as store:
        with progress(console, len(store.remaining(tasks)), "lessons ") as watch:
            gather(store, tasks, make, workers=command.workers, watch=watch)
        return list(store.trajectories())


__all__ = ["demo"]
