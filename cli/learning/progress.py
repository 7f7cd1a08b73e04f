"""The progress bar of what takes minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


@contextmanager
def progress_bar(console: Console, name: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar for what calls back with how much is done, and of how much; nothing before that."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from ...collectors.progress import PlainLines

    with Progress(
        TextColumn(f"{name:10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    ) as bar:
        jobs: list[Any] = []
        plain = PlainLines(console)

        def advance(done: int, of: int) -> None:
            plain.say(f"{name}: {done} of {of}")
            if not jobs:
                jobs.append(bar.add_task(name, total=of))
            bar.update(jobs[0], completed=done, total=of)

        yield advance


__all__ = ["progress_bar"]
