"""The verbs of pathei in one place, with plain arguments: make, collect, remember, fine-tune, measure, loop.

Each function only calls the part that does the work, and imports it when it is called, so `import pathei` stays light.
Not here: options that few need; they are in the parts (`pathei.collectors`, `pathei.learners`, `pathei.loop`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import ConfigError, configured, path_of
from .experience import Task

if TYPE_CHECKING:
    import gymnasium

    from .agents import Agent
    from .collectors import CollectReport
    from .learners import Evaluation, LearnReport
    from .loop.results import LoopResult
    from .memory.experience_memory import ExperienceMemory


def make_env(name: str | Task, **options: Any) -> gymnasium.Env[Any, Any]:
    """Return a new environment.

    Args:
        name: Its name (`pathei list env`), its gymnasium id, or `module:Id-v0`; or a task, for the one that it is in.
        options: Passed to the environment's constructor.

    Raises:
        UnknownNameError: there is none of that name; the nearest is suggested.
        ConfigError: what the name stands for is no environment, or the environment takes no such options.
    """
    import gymnasium

    from .envs.registry import get_env, register_id

    spec = get_env(name.env if isinstance(name, Task) else name)
    if spec.id not in gymnasium.registry:
        register_id(spec)
    try:
        return gymnasium.make(spec.id, **options)
    except TypeError as error:
        if not options:
            raise
        raise ConfigError(
            f"{name!r} cannot be made with {', '.join(options)} ({' '.join(str(error).split())})."
        ) from error


def make_agent(name: str, task: Task) -> Agent:
    """Return a new agent for one episode of a task.

    Args:
        name: `"random"`, `"scripted"`, `"lm:MODEL"`, `"skills:MEMORY"`, ... (`pathei list agent`).
        task: What it will act in. Its seed determines what is random.

    Raises:
        UnknownNameError, ConfigError: there is no such agent, or its name lacks a part.
        PatheiError: its model or memory cannot be loaded.
    """
    from .agents.registry import AgentMaker

    return AgentMaker(name)(task)


def generate_tasks(env: str, n: int = 10, *, seed: int = 0) -> list[Task]:
    """Return `n` tasks of an environment that follow from the seed.

    Args:
        env: The environment; see `make_env`.
        n: How many.
        seed: Determines the tasks.

    Raises:
        UnknownNameError, ConfigError: there is no such environment.
    """
    from .envs.registry import get_env

    return get_env(env).generate_tasks(n, seed)


def collect(
    store: str | Path,
    tasks: Sequence[Task] | int,
    collector: str = "explore",
    *,
    env: str = "virtualhome",
    steps: int | None = None,
    seed: int = 0,
    workers: int = 0,
    **options: Any,
) -> CollectReport:
    """Play tasks and append the episodes to a store. Tasks that are already played are skipped.

    Args:
        store: The store's folder; made if it does not exist.
        tasks: What to play, all in one environment; or how many tasks are generated. For a collector that chooses its
            own goals (`"curriculum"`) the number of attempts, earlier ones included, or the tasks in which they are
            made.
        collector: Its name (`pathei list collector`).
        env: The environment, by name, where `tasks` is a number.
        steps: The longest episode, in steps; for a search, its horizon. None: 30, and a demonstration to its end.
        seed: Determines everything random, together with each task's seed.
        workers: How many processes play; 0 for this one alone.
        options: The collector's own options; the command line's, with underscores.

    Returns:
        How many episodes were stored and how many failed.

    Raises:
        ConfigError: there are no tasks, or those of several environments, or two with the same id; an argument or
            option is missing or of another type; or the collector plays in one process, and workers are asked for.
        UnknownNameError: there is no such collector, environment, or option.
        StoreError: the store cannot be opened or written.
    """
    from .collectors.options import PlaySettings
    from .collectors.registry import make_options
    from .collectors.rollout.collect import collect_with
    from .store import ExperienceStore

    chosen = make_options(collector, options)
    play = PlaySettings(env, steps, seed, workers)
    if isinstance(tasks, int):
        tasks = play.tasks(chosen, tasks)
    if not isinstance(tasks, Sequence) or not all(isinstance(task, Task) for task in tasks):
        raise ConfigError(f"What is played is a number of tasks or a list of Task, not {tasks!r:.80}.")
    envs = {task.env for task in tasks}
    if not envs:
        raise ConfigError("There is no task to play: give at least one.")
    if len(envs) != 1:
        raise ConfigError(f"The tasks must be of one environment, not of {len(envs)}.")
    with ExperienceStore.open(store, seeds=[seed]) as opened:
        return collect_with(chosen, replace(play, env=envs.pop()), opened, tasks)


def open_memory(path: str | Path, *, embedder: str = "", create: bool = True) -> ExperienceMemory:
    """Open a memory for reading and writing, with the builders that need no language model.

    Args:
        path: The memory's folder, or the folder of the store that it belongs to.
        embedder: The embedder of a new memory; a suitable one if empty.
        create: Whether a memory that does not exist is made.

    Raises:
        MemoryStoreError: there is none, or it cannot be opened.
        UnknownNameError, ConfigError: there is no such embedder.
    """
    from .memory.opening import open_memory as open_

    return open_(path, embedder=embedder, builders="default", create=create)


def finetune(out: str | Path, data: str | Path, **settings: Any) -> LearnReport:
    """Fine-tune a language model, or continue a run that was interrupted.

    Args:
        out: The run's folder.
        data: A store, or a file of examples.
        settings: Further fields of `pathei.learners.LearnConfig`, such as `method="ewc"`.

    Raises:
        ConfigError: the folder holds another run, or something that a method needs is missing.
        LearningError: another process uses the folder, or training diverged.
        PatheiError: the data or the model cannot be read.
    """
    from .learners import LearnConfig
    from .learners import finetune as train

    return train(configured(LearnConfig, "learning", out=path_of(out, "run"), data=path_of(data, "data"), **settings))


def evaluate(run: str | Path, **settings: Any) -> Evaluation:
    """Measure the model of a finished run, and how much language it forgot against its base.

    Args:
        run: The run's folder; see `finetune`.
        settings: Fields of `pathei.learners.EvaluateRunConfig`.

    Raises:
        ConfigError: it was measured here with other settings.
        LearningError: the run is not finished, or holds nothing to ask.
    """
    from .learners import EvaluateRunConfig, evaluate_run

    return evaluate_run(path_of(run, "run"), configured(EvaluateRunConfig, "evaluation", **settings))


def run_loop(out: str | Path, **settings: Any) -> LoopResult:
    """Collect, learn, and collect again with the better agent; or continue a loop that was interrupted.

    Args:
        out: The loop's folder.
        settings: Fields of the loop's configuration, `pathei.loop.config.LoopConfig`.

    Raises:
        ConfigError: another loop is in the folder, or something that a method needs is missing.
        LearningError: another process runs the loop.
        PatheiError: an environment, a model or a memory cannot be loaded.
    """
    from rich.console import Console

    from .loop.config import LoopConfig
    from .loop.run import run_loop as run

    return run(path_of(out, "loop"), configured(LoopConfig, "loop", **settings), Console(stderr=True))
