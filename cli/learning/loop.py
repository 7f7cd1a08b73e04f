"""The command that closes the loop: `pathei loop`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..console import make_console, tame_libraries
from .commands import Loop

if TYPE_CHECKING:
    from rich.console import Console

    from ...loop.config import LoopConfig


def loop(command: Loop) -> None:
    """Run rounds of collecting and learning, and show the results."""
    show_loop(command.out, command.loop, make_console(), report=command.report)


def show_loop(out: Path, config: LoopConfig, console: Console, *, report: bool = True) -> None:
    """Run or resume a loop, and show the results: tables, comparisons and a page."""
    tame_libraries()
    from ...loop.run import run_loop
    from ...views.loop_page import write_page
    from ...views.loop_table import comparisons, loop_table, rounds_table

    found = run_loop(out, config, console)
    for table in (loop_table(found), rounds_table(found)):
        console.print(table)
    for line in comparisons(found):
        console.print(line, soft_wrap=True)
    if report:
        console.print(f"Report: {write_page(out, config, found)}", soft_wrap=True)
