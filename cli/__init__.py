"""The console script `pathei`: performs the commands of `commands`.

Each command is a function of a module of this package, imported when it is needed: `pathei --help` has to answer at
once. What a command does is in the libraries; here are its tables, and how errors are printed.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from .. import __version__
from ..errors import PatheiError
from ..extras import EXTRAS, missing
from ..logs import show_logs
from ..registry import one_line, raised_in
from .aliases import replace_old_options
from .console import print_error, print_plainly, take_verbose, warnings_as_lines
from .parsing import CONFIG, parse
from .table import COMMANDS, PERFORMED_BY, load, names_only


def main(args: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        args: The arguments; those of the process if None.

    Returns:
        The exit status: 0 if all went well, 1 if a check found something missing, every task failed, or code of others
        raised an exception, 2 if pathei refused (the reason is one line on stderr), 130 after Ctrl-C.
    """
    print_plainly(sys.stdout, sys.stderr)
    given, level = take_verbose(sys.argv[1:] if args is None else args)
    if level is not None:
        show_logs(level)
    if given == ["--version"]:
        print(f"pathei {__version__}{' (compiled)' if importlib.util.find_spec('pathei__mypyc') else ''}")
        return 0
    about = (
        "Agents act in simulated environments, their experience is stored, and they learn from it. "
        "See also: pathei --version. Every command takes --verbose (twice for more): log lines on stderr."
    )
    given, notes = replace_old_options(given)
    for note in notes:
        print_error(note)
    if "" not in sys.path and (here := os.getcwd()) not in sys.path:
        sys.path.append(here)  # for a `module:Name` of one's own; last, so that it hides nothing
    try:
        if not given or given[0] not in COMMANDS:
            parse(names_only(), given, "pathei", about)
        name, *rest = given
        chosen = parse(load(COMMANDS[name][0]), rest, f"pathei {name}")
        with warnings_as_lines():
            return perform(getattr(chosen, "command", chosen))
    except PatheiError as error:
        print_error(str(error))
        return 2
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in EXTRAS:
            raise
        print_error(str(missing(f"pathei {given[0]}", error)))
        return 2
    except KeyboardInterrupt:
        print_error("Stopped.")
        return 130
    except BrokenPipeError:
        # The reader of our output has closed it. Python would raise again when it flushes stdout at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (Exception, SystemExit) as error:
        if not raised_in(error):
            raise  # a fault of pathei keeps its traceback
        if level is not None:
            traceback.print_exc()
        print_error(f"{one_line(error)}{'' if level is not None else '; --verbose prints the traceback'}.")
        return 1


def perform(command: Any) -> int:
    """Run one parsed command and return the exit status; raises what `main` turns into messages."""
    return int(load(PERFORMED_BY[type(command).__name__])(command) or 0)


__all__ = ["CONFIG", "main", "perform"]
