"""What the commands for people who add parts do: `pathei list`, `pathei check-env`, `pathei new env`."""

from __future__ import annotations

import keyword
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...errors import ConfigError, ContractError, SnapshotError
from ..console import make_console, print_error, say
from .commands import CheckEnv, ListParts, NewPart
from .skeleton import FILES


def list_parts(command: ListParts) -> None:
    """List the parts of a kind, or the kinds."""
    from rich.markup import escape
    from rich.table import Table

    from ...registry import KINDS, get_registry

    table = Table("name", "what")
    if command.kind:
        rows = get_registry(command.kind).describe()
    else:
        rows = [(kind, ", ".join(get_registry(kind).names())) for kind in KINDS]
    for name, what in rows:
        table.add_row(name, escape(what))
    make_console().print(table)


def check_env(command: CheckEnv) -> int:
    """Check an environment's contracts, one line each; 1 if it breaks one."""
    import gymnasium
    import numpy as np

    from ... import envs
    from ...errors import MissingDependencyError

    id_ = envs.get_env(command.env).id

    def make() -> gymnasium.Env[Any, Any]:
        try:
            return gymnasium.make(id_)
        except (gymnasium.error.Error, ImportError) as error:
            raise MissingDependencyError(f"The environment {id_!r} cannot be made: {error}.") from error

    def conventions(env: gymnasium.Env[Any, Any]) -> None:
        envs.check_env(env, steps=command.steps, seed=command.seed)

    def snapshots(env: gymnasium.Env[Any, Any]) -> None:
        envs.check_snapshot(env, steps=command.steps, rng=np.random.default_rng(command.seed))

    def replay(env: gymnasium.Env[Any, Any]) -> None:
        snapshots(envs.VerifiedReplay(env))

    is_kept = _verdict("gymnasium's contract and pathei's conventions", make, conventions)
    own = _verdict("snapshots of its own", make, snapshots)
    replayed = own or _verdict("snapshots by verified replay", make, replay)
    return int(is_kept is not True or replayed is not True or own is False)


def _verdict(what: str, make: Callable[[], Any], check: Callable[[Any], None]) -> bool | None:
    """Print one line; return whether the contract is kept, None if the environment does not offer it."""
    env = make()
    try:
        check(env)
    except ContractError as error:
        print_error(f"broken: {what}: {error}")
        return False
    except SnapshotError as error:
        print(f"none: {what}: {' '.join(str(error).split())}")
        return None
    except Exception as error:  # noqa: BLE001  of the environment itself, or of gymnasium's checks around it
        from ...registry import one_line, raised_in

        print_error(f"broken: {what}: {one_line(error)}{'' if raised_in(error) else f' ({_place(error)})'}")
        return False
    finally:
        env.close()
    print(f"ok: {what}")
    return True


def _place(error: BaseException) -> str:
    """Return where an exception was raised: `gates.py, line 7, in step`."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}, line {last.lineno}, in {last.name}"


def new_env(command: NewPart) -> None:
    """Write the skeleton of a package."""
    from ...envs.registry import ENVS

    name = command.name
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ConfigError(f"The name {name!r} must be lower-case letters, digits and '_', and begin with a letter.")
    if name in ENVS.builtin or name in sys.stdlib_module_names or keyword.iskeyword(name):
        owner = "an environment of pathei" if name in ENVS.builtin else "Python's own"
        raise ConfigError(f"The name {name!r} is {owner}: choose another, such as {f'my_{name}'!r}.")
    folder = command.folder or Path(name)
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(f"The folder {folder} is not empty: choose another with --folder.")
    title = "".join(part.capitalize() for part in name.split("_"))
    for path, text in FILES.items():
        target = folder / path.replace("NAME", name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace("TITLE", title).replace("NAME", name), "utf-8")
    say(
        f"{folder}: a package with the environment {name}. Next:\n"
        f"  pip install -e {folder} && pytest {folder}\n"
        f"  pathei check-env {name}\n"
        f"  pathei env list"
    )
