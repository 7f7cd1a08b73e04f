"""The command that gathers experience: `pathei collect`, with any collector."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterator

import orjson

from ..collectors.options import PlaySettings
from ..collectors.rollout.collect import CollectReport
from ..collectors.sharding import TaskShard
from ..errors import ConfigError, at_least, check
from ..experience import Json, Task
from ..store import ExperienceStore
from .collect_commands import Collect
from .console import make_console, print_error, tame_libraries

_WORKERS = 2


def collect(command: Collect) -> int:
    """Play tasks into a store; 1 if every one of them failed."""
    from ..views.tables import gathered_table

    timed = {"timeout must be a finite number of seconds above 0": 0 < command.timeout < math.inf}
    check({**at_least(command, workers=0, steps=1), **timed}, "collect options")
    tame_libraries()
    options = command.collector
    if options.in_process and command.workers:
        raise ConfigError("This collector plays in one process: leave out --workers.")
    command, part = _part_of(command)
    name, tasks = options.name, _tasks_of(command)
    if part is not None:
        tasks = part.of(tasks) if isinstance(tasks, list) else filter(part.has, tasks)
    console = make_console()
    try:
        with ExperienceStore.open(command.out, config=_recorded(command), seeds=[command.seed]) as store:
            done = _play(command, name, tasks, store)
            console.print(gathered_table(done, store.info(), name))
    except KeyboardInterrupt:
        print_error(f"Stopped: {_kept(command, name, tasks)} in {command.out}. Run the same command again to resume.")
        return 130
    for error, count in done.errors.most_common(3):
        print_error(f"{count} x {error}")
    return int(done.coverage.episodes == 0 and done.coverage.failures > 0)


def _part_of(command: Collect) -> tuple[Collect, TaskShard | None]:
    """Return which part of the tasks is played, and the command with the store of that part."""
    if command.shard is None:
        return command, None
    from ..collectors.sharding import read_shard

    if hasattr(command.collector, "practice"):
        raise ConfigError(
            "This collector learns from one attempt to the next, so its attempts cannot be divided: leave out --shard."
        )
    part = read_shard(command.shard, os.environ)
    said = f"{part.index}/{part.count}"
    return dataclasses.replace(command, out=part.folder(command.out), shard=said), part


def _tasks_of(command: Collect) -> list[Task] | Iterator[Task]:
    from ..collectors.tasks import iter_tasks_named, on_server
    from ..envs.registry import get_env
    from ..experience import Goal

    tasks: list[Task] | Iterator[Task]
    own = hasattr(command.collector, "practice")
    if own and command.tasks.isdecimal():
        tasks = _settings(command).tasks(command.collector, int(command.tasks))
    else:
        world = get_env(command.env)
        tasks = iter_tasks_named(command.tasks, world, seed=command.seed, characters=command.characters)
        if own:  # the tasks say where each attempt is made, and it chooses the goals
            tasks = [dataclasses.replace(task, goal=Goal("")) for task in tasks]
    return tasks if command.server is None else on_server(tasks, command.server)


def _play(command: Collect, name: str, tasks: list[Task] | Iterator[Task], store: ExperienceStore) -> CollectReport:
    from ..collectors.progress import progress
    from ..collectors.rollout.collect import collect_with

    console, options, left = make_console(), command.collector, None
    if isinstance(tasks, list):
        left = len(tasks) if hasattr(options, "practice") else len(store.remaining(tasks, name))
        if left < len(tasks):
            console.print(f"{len(tasks) - left} of {len(tasks)} tasks are done already; {left} are left.")
    elif command.shard is None and not store.done(name):
        left = int(command.tasks)
    with progress(console, left, "Collecting") as watch:
        done = collect_with(
            options, _settings(command), store, tasks, timeout=command.timeout, pool=command.pool, watch=watch
        )
    if not isinstance(tasks, list) and done.before:
        console.print(f"{done.before} of {done.tasks} tasks were done already.")
    return done


def _settings(command: Collect) -> PlaySettings:

    workers = command.workers
    if workers is None:
        workers = 0 if command.collector.in_process else _WORKERS
    return PlaySettings(command.env, command.steps, command.seed, workers, command.out if command.frames else None)


def _kept(command: Collect, name: str, tasks: list[Task] | Iterator[Task]) -> str:
    """Say what is in the store: read again, as an append that was interrupted may have reached the disk."""
    if hasattr(command.collector, "practice"):
        return "every attempt is kept"
    with ExperienceStore.open(command.out, mode="read") as store:
        if not isinstance(tasks, list):
            return f"{len(store.done(name))} tasks of {name!r} are kept"
        return f"{len(tasks) - len(store.remaining(tasks, name))} of {len(tasks)} tasks are kept"


def _recorded(command: Collect) -> dict[str, Json]:
    """Return the configuration as plain JSON."""
    common = {key: value for key, value in vars(command).items() if key not in ("out", "collector")}
    return {
        "command": "collect",
        "out": str(command.out),
        **common,
        "collector": command.collector.name,
        **({"own_goals": True} if hasattr(command.collector, "practice") else {}),
        **orjson.loads(orjson.dumps(dataclasses.asdict(command.collector), default=str)),
    }
