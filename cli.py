"""The console script `pathei`: performs the commands of `commands`.

What a command does stands in the libraries; here are its tables and how errors are told. Everything that takes time to
import is imported inside the functions, because `pathei --help` has to answer at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro
from tyro.conf import OmitArgPrefixes, OmitSubcommandPrefixes

from . import __version__
from .commands import (
    Collect,
    Command,
    DataGet,
    DataList,
    Demo,
    EnvDoctor,
    EnvList,
    Plan,
    Run,
    StoreExport,
    StoreInfo,
    StoreShow,
)
from .errors import ConfigError, PatheiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from .agents import Agent
    from .collectors import Collector
    from .collectors.proposers import Proposer
    from .experience import Task

_LINES = 14
"""So many lines of an observation are shown, unless `--full` asks for all."""


def main(args: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        args: The arguments; those of the process if None.

    Returns:
        The exit status: 0 if all went well, 1 if a check found something missing or every task failed, 2 if pathei
        refused (the reason is one line on stderr), 130 after Ctrl-C.
    """
    given = list(sys.argv[1:] if args is None else args)
    if given == ["--version"]:
        print(f"pathei {__version__}")
        return 0
    form: Any = Command
    flat = (OmitArgPrefixes, OmitSubcommandPrefixes)
    about = (
        "Agents live in simulated worlds, their experience is kept, and they learn from it. See also: pathei --version."
    )
    chosen: Any = tyro.cli(form, args=given, prog="pathei", description=about, config=flat)
    try:
        return perform(getattr(chosen, "command", chosen))
    except PatheiError as error:
        _complain(str(error))
        return 2
    except KeyboardInterrupt:
        _complain("Stopped.")
        return 130
    except BrokenPipeError:
        # Whoever read our output has enough. Python would complain when it flushes stdout at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def perform(command: Any) -> int:
    """Run one parsed command and return the exit status; raises what `main` turns into messages."""
    do: dict[type, Any] = {
        EnvList: _env_list,
        EnvDoctor: _env_doctor,
        DataList: _data_list,
        DataGet: _data_get,
        Run: _run,
        Collect: _collect,
        Plan: _plan,
        StoreInfo: _store_info,
        StoreShow: _store_show,
        StoreExport: _store_export,
        Demo: _demo,
    }
    return int(do[type(command)](command) or 0)


def _console() -> Console:
    from rich.console import Console

    # A pipe has no width; 80 columns, which rich assumes there, would fold the tables.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 120)


def _complain(message: str) -> None:
    from rich.console import Console
    from rich.text import Text

    Console(stderr=True).print(Text(" ".join(message.split()), style="red"), soft_wrap=True)


def _env_list(_: EnvList) -> None:
    from rich.table import Table

    from .envs.registry import WORLDS

    table = Table("name", "gymnasium id", "what", "needs")
    for world in WORLDS:
        table.add_row(world.name, world.id, world.what, world.needs)
    _console().print(table)


def _env_doctor(command: EnvDoctor) -> int:
    from rich.table import Table

    from .envs.registry import world_named

    checks = world_named(command.name).check()
    table = Table("", "what", "where, or how to get it")
    for check in checks:
        table.add_row("ok" if check.ok else "missing" if check.required else "optional", check.what, check.note)
    _console().print(table)
    return int(any(check.required and not check.ok for check in checks))


def _data_list(_: DataList) -> None:
    from rich.table import Table

    from . import data

    table = Table("name", "what", "MB", "licence", "from", "fetched")
    for one in data.available():
        row = (one.name, one.what, f"{one.size / 1e6:.0f}", one.licence, one.where, "yes" if one.fetched else "no")
        table.add_row(*row)
    _console().print(table)


def _data_get(command: DataGet) -> None:
    from . import data

    console, wanted = _console(), data.named(command.name)
    if not wanted.fetched:
        console.print(f"Fetching {wanted.name} from {wanted.where} ({wanted.size / 1e6:.0f} MB) ...")
    console.print(f"{wanted.name} is in {data.fetch(wanted)}", soft_wrap=True)


def _run(command: Run) -> None:
    from .collectors.episode import Envs, play
    from .collectors.tasks import choose_task, tasks_named
    from .collectors.watch import Watcher
    from .envs.registry import world_named

    world = world_named(command.world)
    tasks = tasks_named(command.tasks, world, seed=command.seed, characters=command.characters)
    task = choose_task(tasks, id_=command.task, scene=command.scene, goal=command.goal)
    console, envs = _console(), Envs()
    watcher = Watcher(console, texts=command.agent != "human", lines=None if command.full else _LINES)
    try:
        agent = _agent_of(command, task, console)
        played = play(envs.get(task), task, agent, max_steps=command.steps, seed=command.seed, watch=watcher)
        watcher.show_end(played)
    finally:
        envs.close()


def _agent_of(command: Run, task: Task, console: Console) -> Agent:
    from .agents import HumanAgent, RandomAgent, ScriptedAgent

    if command.agent == "human":
        return HumanAgent(console)
    if command.agent == "random":
        import numpy as np

        return RandomAgent(np.random.default_rng(command.seed))
    if command.script is None:
        if command.scene is not None:
            raise ConfigError(
                "There is no demonstration for another scene: add --agent random, --agent human or --script."
            )
        from .envs.registry import demonstration_of

        return ScriptedAgent(demonstration_of(task))
    try:
        return ScriptedAgent(command.script.read_text("utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The script {command.script} cannot be read: {error}.") from error


def _collect(command: Collect) -> int:
    from .collectors.gather import gather
    from .collectors.tables import gathered_table, progress
    from .collectors.tasks import tasks_named
    from .envs.registry import world_named
    from .store import ExperienceStore

    least = {"workers": 0, "steps": 1}
    faults = [f"--{name} must be at least {bound}" for name, bound in least.items() if getattr(command, name) < bound]
    if faults:
        raise ConfigError(f"{'; '.join(faults)}.")
    console = _console()
    if command.collector == "curriculum":
        return _study(command, console)
    world = world_named(command.world)
    tasks = tasks_named(command.tasks, world, seed=command.seed, characters=command.characters)
    make = _collector_of(command)
    config = {"command": "collect", **{key: str(v) if isinstance(v, Path) else v for key, v in vars(command).items()}}
    try:
        with ExperienceStore.open(command.out, config=config, seeds=[command.seed]) as store:
            left = len(store.remaining(tasks))
            if left < len(tasks):
                console.print(f"{len(tasks) - left} of {len(tasks)} tasks are done already; {left} are left.")
            with progress(console, left, "Collecting") as watch:
                done = gather(store, tasks, make, workers=command.workers, timeout=command.timeout, watch=watch)
            console.print(gathered_table(done, store.info()))
    except KeyboardInterrupt:
        # Read anew: an append that was interrupted may have reached the disk.
        with ExperienceStore.open(command.out, mode="read") as store:
            kept = len(tasks) - len(store.remaining(tasks))
        _complain(
            f"Stopped: {kept} of {len(tasks)} tasks are kept in {command.out}. Run the same command again to go on."
        )
        return 130
    for error, count in done.errors.most_common(3):
        _complain(f"{count} x {error}")
    return int(done.coverage.episodes == 0 and done.coverage.failures > 0)


def _study(command: Collect, console: Console) -> int:
    from .collectors.curriculum import Curriculum, CurriculumConfig
    from .collectors.players import SearchPlayer
    from .collectors.skill_player import SkillPlayer
    from .collectors.study import generated_houses, study
    from .collectors.tables import gathered_table, progress
    from .envs.registry import world_named
    from .envs.virtualhome.goal_space import HomeGoals
    from .store import ExperienceStore

    if not command.tasks.isdecimal():
        raise ConfigError(f"A curriculum makes its own tasks: --tasks is how many attempts, not {command.tasks!r}.")
    attempts, spaces = int(command.tasks), HomeGoals()
    player = SkillPlayer(spaces) if command.player == "skills" else SearchPlayer()
    config = CurriculumConfig(max_steps=command.steps)
    curriculum = Curriculum(spaces, _proposer_of(command), player, config, seed=command.seed)
    kept = {"command": "collect", **{key: str(v) if isinstance(v, Path) else v for key, v in vars(command).items()}}
    with ExperienceStore.open(command.out, config=kept, seeds=[command.seed]) as store:
        houses = generated_houses(world_named(command.world).id, command.seed)
        try:
            with progress(console, attempts, "Studying") as watch:
                done = study(store, curriculum, houses, attempts, watch=watch)
        except KeyboardInterrupt:
            _complain(f"Stopped: what was lived is kept in {command.out}. Run the same command again to go on.")
            return 130
        console.print(gathered_table(done, store.info()))
    return 0


def _proposer_of(command: Collect) -> Proposer:
    """Return the proposer of a curriculum's goals, by name."""
    if command.proposer != "model":
        from .collectors.proposers import proposer_named

        return proposer_named(command.proposer)
    if command.model is None:
        raise ConfigError("A language model proposes: name it with --model, as in --model local:PATH.")
    from .agents.completion import complete_named
    from .collectors.lm_proposer import LanguageModel

    return LanguageModel(complete_named(command.model))


def _collector_of(command: Collect) -> Callable[[], Collector]:
    """Return what makes the collector, in whichever process it is needed."""
    from functools import partial

    if command.collector == "explore":
        from .collectors.explore import Explore

        return partial(Explore, strategy=command.strategy, max_steps=command.steps, seed=command.seed)
    from .collectors.mcts import Mcts, MctsConfig, household_search

    search = household_search(simulations=command.simulations, seconds=command.seconds, depth=command.steps)
    return partial(Mcts, MctsConfig(search, keep_tree=command.keep_tree), seed=command.seed)


def _plan(command: Plan) -> int:
    from .collectors.mcts import household_search
    from .collectors.wish import plan_for_wish

    search = household_search(simulations=command.simulations, depth=command.steps)
    console = _console()
    return int(not plan_for_wish(command, search, console))


def _store_info(command: StoreInfo) -> None:
    from .collectors.coverage import Coverage
    from .collectors.tables import info_tables
    from .store import ExperienceStore

    console = _console()
    with ExperienceStore.open(command.path, mode="read") as store:
        for table in info_tables(store.info()):
            console.print(table)
        if command.coverage:
            console.print(Coverage.of(store.trajectories()).table("What the episodes have touched"))
        if command.verify:
            store.verify()
            console.print("Every file has its checksum.")


def _store_show(command: StoreShow) -> None:
    from itertools import islice

    from .collectors.tables import listing
    from .collectors.watch import Watcher
    from .store import ExperienceStore

    console = _console()
    with ExperienceStore.open(command.path, mode="read") as store:
        if command.id is not None:
            Watcher(console, lines=None if command.full else _LINES).show_trajectory(
                store.expand(store.get(command.id))
            )
            return
        console.print(listing(islice(store.trajectories(), command.limit)))
        if len(store) > command.limit:
            console.print(f"{len(store) - command.limit} more; `pathei store show {command.path} ID` shows an episode.")


def _store_export(command: StoreExport) -> None:
    from .export import export
    from .store import ExperienceStore

    with ExperienceStore.open(command.path, mode="read") as store:
        report = export(
            store,
            command.format,
            command.out,
            success=command.success,
            roots=command.roots,
            overwrite=command.overwrite,
        )
    written = report.written
    skipped = f", {written.skipped} empty ones left out" if written.skipped else ""
    _console().print(
        f"{report.path}: {written.rows} rows of {written.episodes} episodes{skipped}, {report.bytes / 1e6:.1f} MB "
        f"({report.format})",
        soft_wrap=True,
    )


def _demo(command: Demo) -> None:
    from .collectors.demo import run_demo

    run_demo(_console(), command.out, episodes=command.episodes, workers=command.workers, seed=command.seed)


if __name__ == "__main__":
    sys.exit(main())
