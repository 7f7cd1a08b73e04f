"""The commands about environments: list and check them, and watch an agent or a search in one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from .. import data
from ..errors import ConfigError
from . import commands
from .console import LINES, make_console, say, tame_libraries

if TYPE_CHECKING:
    from ..agents import Agent
    from ..collectors.rollout.episode import Recorder


def env_list(_: commands.EnvList) -> None:
    """List the environments."""
    from ..envs.registry import ENVS, get_env

    table = Table("name", "gymnasium id", "state", "what", "needs")
    for name in ENVS.names():
        try:
            spec = get_env(name)
            missing = spec.missing()
        except ConfigError as error:  # one broken package does not hide the others
            table.add_row(name, "", "cannot be used", escape(str(error)), "")
        else:
            state = f"not installed: {', '.join(missing)}" if missing else "ready"
            table.add_row(name, spec.id, escape(state), escape(spec.what), escape(spec.needs))
    make_console().print(table)


def env_doctor(command: commands.EnvDoctor) -> int:
    """Check what an environment needs; 1 if something required is missing."""
    from ..envs.registry import get_env

    checks = get_env(command.name).check()
    table = Table("", "what", "where, or how to get it")
    for check in checks:
        table.add_row("ok" if check.ok else "missing" if check.required else "optional", check.what, escape(check.note))
    make_console().print(table)
    return int(any(check.required and not check.ok for check in checks))


def env_install(command: commands.EnvInstall) -> int:
    """Install what an environment runs in; 1 if nothing is installed this way, and something required is missing."""
    from ..envs.foreign.install import install
    from ..envs.registry import get_env

    console, spec = make_console(), get_env(command.name)
    if spec.runtime:
        runtime = spec.load_runtime()
        there = runtime.folder if not command.again else None
        folder = install(runtime, lambda line: console.print(f"{escape(line)} ..."), again=command.again)
        say(f"{runtime.what} is in {folder}{' already' if there else ''}")
    left = [one for one in spec.check() if one.required and not one.ok]
    for one in left:
        say(f"{one.what} is missing: {one.note}")
    if not left and not spec.runtime:
        console.print(f"{spec.name} is ready: it needs {spec.needs}.")
    return int(bool(left) and not spec.runtime)


def data_list(_: commands.DataList) -> None:
    """List the data sets."""
    table = Table("name", "what", "MB", "licence", "from", "fetched")
    for one in data.available():
        row = (one.name, one.what, f"{one.size / 1e6:.0f}", one.licence, one.where, "yes" if one.fetched else "no")
        table.add_row(*row)
    make_console().print(table)


def data_get(command: commands.DataGet) -> None:
    """Fetch a data set."""
    console, wanted = make_console(), data.named(command.name)
    if not wanted.fetched:
        console.print(f"Fetching {wanted.name} from {wanted.where} ({wanted.size / 1e6:.0f} MB) ...")
    path = data.fetch(wanted)
    if wanted.name == "smollm2":
        from ..learners.models.smollm2 import smollm2

        tame_libraries()
        path = smollm2()
    say(f"{wanted.name} is in {path}")


def run(command: commands.Run) -> None:
    """Play one episode and show it."""
    from ..agents.lm.agent import LmConfig
    from ..agents.registry import AgentMaker
    from ..collectors.options import PlaySettings
    from ..collectors.rollout.episode import Envs
    from ..collectors.rollout.policy import play
    from ..collectors.tasks import choose_task, on_server, tasks_named
    from ..envs.registry import get_env
    from ..views.frames import FrameFolder, named
    from ..views.watch import Watcher

    spec = get_env(command.env)
    tasks = tasks_named(command.tasks, spec, seed=command.seed, characters=command.characters)
    if command.server is not None:
        tasks = on_server(tasks, command.server)
    task = choose_task(tasks, id_=command.task, scene=command.scene, goal=command.goal)
    console, envs = make_console(), Envs(frames=command.show is not None)
    frames = None if command.show is None else FrameFolder(command.show)
    tame_libraries()
    agents = AgentMaker(command.agent, LmConfig(**vars(command.lm)), console=console)
    watcher = Watcher(console, texts=not agents.is_human, lines=None if command.full else LINES)
    try:
        agent = _script(command) or agents(task)
        steps = PlaySettings(steps=command.steps)
        longest = steps.longest_of(command.agent)
        watch = watcher if frames is None else _both(watcher, frames)
        env, seed = envs.get(task), command.seed
        played = play(env, task, agent, max_steps=longest, seed=seed, put_image=named, watch=watch)
        watcher.show_end(played)
        if frames is not None:
            say(f"{frames.written} pictures are in {frames.folder}.")
    finally:
        envs.close()
        agents.close()


def _both(one: Callable[[Recorder], None], other: Callable[[Recorder], None]) -> Callable[[Recorder], None]:
    def watch(recorder: Recorder) -> None:
        one(recorder)
        other(recorder)

    return watch


def _script(command: commands.Run) -> Agent | None:
    """Return the agent that plays a script; None if another one is wanted."""
    if command.agent != "scripted":
        return None
    if command.script is None:
        if command.scene is not None:
            raise ConfigError(
                "There is no demonstration for another scene: add --agent random, --agent human or --script."
            )
        return None
    from ..agents import ScriptedAgent

    try:
        return ScriptedAgent(command.script.read_text("utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The script {command.script} cannot be read: {error}.") from error


def plan(command: commands.Plan) -> int:
    """Search a plan and show it; 1 if none is found."""
    from ..collectors.search.collector import household_search
    from ..envs.registry import get_env
    from ..experience import Goal, Task
    from ..views.plan import plan_for_instruction, plan_in_pddl

    spec = get_env(command.env)
    search = household_search(simulations=command.simulations, depth=command.steps)
    console = make_console()
    if spec.name == "virtualhome":
        options = {"scene": command.scene, "rules": command.rules}
        task = Task(f"instruction/{command.scene}", spec.id, command.seed, Goal(""), options)
    else:
        tame_libraries()
        search = replace(search, env_steps=spec.search_steps)
        [task] = spec.generate_tasks(1, command.seed)
    if command.env_steps is not None:
        search = replace(search, env_steps=command.env_steps)
    if command.pddl is not None:
        return int(not plan_in_pddl(task, command.instruction, command.pddl, console))
    reached = plan_for_instruction(
        task,
        command.instruction,
        search,
        console,
        prior=command.prior,
        width=command.width,
        levels=command.levels,
    )
    return int(not reached)
