"""The progress bar of collecting: how many tasks are done, how fast, and what they brought about."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ..experience import Failure, Record
from .coverage import Coverage


@contextlib.contextmanager
def progress(console: Console, total: int, title: str) -> Iterator[Callable[[Sequence[Record]], None]]:
    """Show a progress bar where there is a terminal: the rate, what was solved and brought about, and the failures.

    Args:
        console: Where.
        total: How many tasks there are.
        title: What stands before the bar.

    Yields:
        What `gather` takes as `watch`.
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
    with bar:
        job = bar.add_task(title, total=total, rate="", found="", failed="")

        def watch(records: Sequence[Record]) -> None:
            if bar.disable:
                return
            roots = [record for record in records if isinstance(record, Failure) or record.parent is None]
            for record in roots:
                seen.add(record)
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


__all__ = ["progress"]
