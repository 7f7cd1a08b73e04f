"""The console script `pathei`: performs the commands of `commands`.

Each command is a function of a module of this package, imported when it is needed: `pathei --help` has to answer at
once. What a command does is in the libraries; here are its tables, and how errors are printed.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

import tyro
from tyro.conf import CascadeSubcommandArgs, OmitSubcommandPrefixes

from .. import __version__
from ..errors import PatheiError
from ..logs import show_logs
from . import commands as c
from .aliases import replace_old_options
from .collect_commands import Collect
from .console import complain, take_verbose
from .memory import commands as m
from .plugins import commands as p

_PERFORMED_BY: Final[dict[type, str]] = {
    c.EnvList: "worlds:env_list",
    c.EnvDoctor: "worlds:env_doctor",
    c.DataList: "worlds:data_list",
    c.DataGet: "worlds:data_get",
    c.Run: "worlds:run",
    c.Plan: "worlds:plan",
    Collect: "collecting:collect",
    c.Demo: "tour:demo",
    c.Corpora: "learning:corpora",
    c.Fisher: "learning:fisher",
    c.Learn: "learning:learn",
    c.Eval: "learning:evaluate",
    c.StoreInfoCommand: "stores:store_info",
    c.StoreShow: "stores:store_show",
    c.StoreExport: "stores:store_export",
    c.Loop: "looping:loop",
    p.ListCommand: "plugins.perform:list_parts",
    p.CheckEnvCommand: "plugins.perform:check_env",
    p.NewCommand: "plugins.perform:new_env",
    m.MemoryBuild: "memory.change:build",
    m.MemoryQuery: "memory.ask:query",
    m.MemoryList: "memory.ask:list_items",
    m.MemoryShow: "memory.ask:show",
    m.MemoryStats: "memory.ask:stats",
    m.MemoryAdd: "memory.change:add",
    m.MemoryUpdate: "memory.change:update",
    m.MemoryForget: "memory.change:forget",
    m.MemoryFeedback: "memory.change:feedback",
    m.MemoryConsolidate: "memory.change:consolidate",
    m.MemoryCompact: "memory.change:compact",
    m.MemoryCheck: "memory.ask:check",
    m.MemoryReembed: "memory.change:reembed",
    m.MemoryExport: "memory.ask:export",
    m.MemoryImport: "memory.change:import_items",
    m.MemoryServe: "memory.ask:serve",
}
"""Which function performs which command."""


CONFIG: Final = (OmitSubcommandPrefixes, CascadeSubcommandArgs)
"""How the command line is parsed: options of a command may stand before or after its sub-command."""


def main(args: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        args: The arguments; those of the process if None.

    Returns:
        The exit status: 0 if all went well, 1 if a check found something missing or every task failed, 2 if pathei
        refused (the reason is one line on stderr), 130 after Ctrl-C.
    """
    given, level = take_verbose(sys.argv[1:] if args is None else args)
    if level is not None:
        show_logs(level)
    if given == ["--version"]:
        print(f"pathei {__version__}")
        return 0
    form: Any = c.Command
    about = (
        "Agents act in simulated environments, their experience is stored, and they learn from it. "
        "See also: pathei --version. Every command takes --verbose (twice for more): log lines on stderr."
    )
    given, notes = replace_old_options(given)
    for note in notes:
        complain(note)
    try:
        chosen: Any = tyro.cli(form, args=given, prog="pathei", description=about, config=CONFIG)
        return perform(getattr(chosen, "command", chosen))
    except PatheiError as error:
        complain(str(error))
        return 2
    except KeyboardInterrupt:
        complain("Stopped.")
        return 130
    except BrokenPipeError:
        # Whoever read our output has enough. Python would complain when it flushes stdout at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def perform(command: Any) -> int:
    """Run one parsed command and return the exit status; raises what `main` turns into messages."""
    module, _, function = _PERFORMED_BY[type(command)].partition(":")
    return int(getattr(importlib.import_module(f".{module}", __package__), function)(command) or 0)


__all__ = ["CONFIG", "main", "perform"]
