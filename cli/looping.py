"""The command that closes the loop: `pathei loop`."""

from __future__ import annotations

from .console import make_console, patient_threads
from .learning import quiet
from .loop_commands import Loop


def loop(command: Loop) -> None:
    """Run rounds of living and learning, and show what they came to."""
    patient_threads()
    from ..loop.page import write_page
    from ..loop.report import loop_table, rounds_table, worth_lines
    from ..loop.running import run_loop

    console = make_console()
    if command.loop.tunes:
        quiet()
    found = run_loop(command.out, command.loop, console)
    for table in (loop_table(found), rounds_table(found)):
        console.print(table)
    for line in worth_lines(found):
        console.print(line, soft_wrap=True)
    if command.report:
        console.print(f"Report: {write_page(command.out, command.loop, found)}", soft_wrap=True)


__all__ = ["loop"]
