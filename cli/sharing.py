"""The commands between pathei and others: verify a result file, and serve an environment."""

from __future__ import annotations

from dataclasses import asdict

from rich.table import Table

from ..collectors.verify import VerifiedResults
from ..errors import at_least, check
from ..experience import Json, Task
from . import commands
from .console import announce, make_console, say, tame_libraries


def verify(command: commands.Verify) -> None:
    """Verify a result file."""
    from ..collectors.progress import progress
    from ..collectors.verify import verify_results
    from ..export.results import read_results

    check(
        at_least(command, workers=0, steps=0) | {"timeout must be more than 0": command.timeout > 0}, "verify options"
    )
    tame_libraries()
    console = make_console()
    with progress(console, len(read_results(command.file).episodes), "Verifying") as watch:
        found = verify_results(
            command.file,
            tasks=command.tasks,
            steps=command.steps,
            learned_from=command.learned_from,
            workers=command.workers,
            timeout=command.timeout,
            watch=watch,
        )
    if command.json:
        import orjson

        print(orjson.dumps(_plain(found), option=orjson.OPT_INDENT_2).decode())
    else:
        console.print(_table(found))


def _plain(found: VerifiedResults) -> dict[str, object]:
    file = {name: value for name, value in asdict(found.file).items() if name != "episodes"}
    return {**asdict(found), "file": file, "success": found.success}


def _table(found: VerifiedResults) -> Table:

    table = Table("verified", "", title=f"{found.file.collector} in {found.file.tasks['env']}")
    spent, learned = found.spent, found.learned
    table.add_row("solved", f"{found.solved} of {found.tasks} tasks, {found.success:.1%}")
    table.add_row("the list of tasks", found.list_sha256)
    table.add_row("steps", f"{spent.steps} in {spent.episodes} episodes of at most {found.file.steps}")
    if learned.episodes:
        table.add_row("had learned from", f"{learned.episodes} episodes, {learned.steps} steps; none of the tasks")
    table.add_section()
    table.add_row("as the agent counted", "")
    table.add_row(
        "transitions of searches", f"{spent.search}" + (f", {learned.search} before" if learned.search else "")
    )
    table.add_row("tokens", f"{spent.tokens}" + (f", {learned.tokens} before" if learned.tokens else ""))
    return table


def serve(command: commands.Serve) -> None:
    """Serve an environment until the client goes away, or until Ctrl-C; or write the files that serve it."""
    from ..collectors.tasks import tasks_named
    from ..envs.registry import get_env

    check(
        at_least(command, steps=1)
        | {f"--as {command.protocol} needs --out, the folder to make": command.out is not None or _served(command)},
        "serve options",
    )
    tasks = tasks_named(command.tasks, get_env(command.env), seed=command.seed)
    if _served(command):
        _serve(command, tasks)
    else:
        _write(command, tasks)


def _served(command: commands.Serve) -> bool:
    return command.protocol in ("mcp", "openenv")


def _serve(command: commands.Serve, tasks: list[Task]) -> None:
    from functools import partial

    from ..interop import WorldSession
    from ..interop.mcp_server import serve_mcp
    from ..interop.openenv_server import serve_openenv

    session = partial(WorldSession, steps=command.steps, seed=command.seed, collector=command.record_as)
    # As `pathei collect` records it, so that result files are made of these episodes too.
    config: dict[str, Json] = {
        "env": command.env,
        "tasks": command.tasks,
        "seed": command.seed,
        "steps": command.steps,
        "collector": command.record_as,
    }
    if command.protocol == "mcp":
        serve_mcp(partial(session, tasks, out=command.out, config=config), http=command.http, announce=announce)
        return
    serve_openenv(
        command.env,
        tasks,
        port=8000 if command.http is None else command.http,
        out=command.out,
        config=config,
        open_session=session,
        announce=announce,
    )


def _write(command: commands.Serve, tasks: list[Task]) -> None:
    from ..interop.packages import write_harbor_tasks, write_verifiers_package

    assert command.out is not None
    if command.protocol == "harbor":
        count = write_harbor_tasks(command.out, command.env, tasks, steps=command.steps)
        say(f"{command.out}: {count} task folder{'s' * (count > 1)} for Harbor.")
        return
    name = write_verifiers_package(
        command.out, command.env, tasks=command.tasks, seed=command.seed, steps=command.steps
    )
    say(f"{command.out}: install it with `pip install {command.out}`, then `load_environment({name!r})`.")
