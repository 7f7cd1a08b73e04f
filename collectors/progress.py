"""Progress bars: of anything that takes minutes, and of collecting, with what the episodes brought about."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.rule import Rule

from ..experience import Failure, Record
from .coverage import Coverage


class PlainLines:
    """Says how far something is where there is no terminal for a bar: a line at most every `seconds`."""

    def __init__(self, console: Console, seconds: float = 10.0) -> None:
        """Begin; the first line comes after `seconds`."""
        self._console, self._seconds = console, seconds
        self._begun = self._last = time.monotonic()

    def say(self, text: str) -> None:
        """Print a line, with the time since the beginning, if it is time for one and this is no terminal."""
        now = time.monotonic()
        if not self._console.is_terminal and now - self._last >= self._seconds:
            self._last = now
            self._console.print(f"{text}, {now - self._begun:.0f} s", soft_wrap=True, highlight=False, markup=False)


def heading(console: Console, title: str) -> None:
    """Print a title with a line after it, as long as a terminal is wide or 120 columns."""
    console.print(Rule(title, align="left"), width=min(console.width, 120))


@contextlib.contextmanager
def progress_bar(console: Console, name: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar, or a line every ten seconds where there is no terminal, for what calls back with how much is done.

    Yields:
        What is called with how much is done, and of how much, if that is known; nothing is shown before.
    """
    columns = (TextColumn(f"{name:10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    plain = PlainLines(console)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        job = bar.add_task(name, total=None, visible=False)

        def advance(done: int, of: int | None) -> None:
            plain.say(f"{name}: {done} of {'?' if of is None else of}")
            bar.update(job, completed=done, total=of, visible=True)

        yield advance


@contextlib.contextmanager
def progress(console: Console, total: int | None, title: str) -> Iterator[Callable[[Sequence[Record]], None]]:
    """Show a progress bar, or a line every ten seconds where there is no terminal: what was solved, and the failures.

    Args:
        console: Where.
        total: How many tasks there are; None where that is not known yet.
        title: What stands before the bar.

    Yields:
        What `collect` takes as `watch`.
    """
    seen = Coverage()
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TextColumn("[green]{task.fields[found]}"),
        TextColumn("[red]{task.fields[failed]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        refresh_per_second=5,
    )
    plain = PlainLines(console)
    with bar:
        job = bar.add_task(title, total=total, rate="", found="", failed="")

        done = 0

        def watch(records: Sequence[Record]) -> None:
            nonlocal done
            roots = [record for record in records if isinstance(record, Failure) or record.parent is None]
            for record in roots:
                seen.add(record)
            done += len(roots)
            of = "" if total is None else f" of {total}"
            plain.say(f"{title}: {done}{of}, {seen.successes} solved, {seen.failures} failed")
            speed = bar.tasks[job].speed
            solved = f"{seen.successes} solved, " if seen.checked else ""
            bar.update(
                job,
                advance=len(roots),
                rate="" if speed is None else f"{speed:.0f}/s",
                found=f"{solved}{len(seen.effects)} effects",
                failed=f"{seen.failures} failed" if seen.failures else "",
            )

        yield watch
