"""What a loop has come to, for people: one table in the terminal. The page is `page`."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from ..learners.intervals import Interval
from .places import BASE, NOTHING
from .results import ALL, LoopResult

_UNLEARNED = (NOTHING, BASE)


def loop_table(found: LoopResult) -> Table:
    """Return who reached how many held-out goals, before anything was learned and after the last round.

    What is in brackets is a 95 % interval.
    """
    last = max(found.rounds, default=0)
    title = f"Held-out goals reached, {'before anything was learned' if not last else f'after round {last}'}"
    table = Table(title=title, title_justify="left")
    table.add_column("agent")
    for group in (*found.groups, ALL) if len(found.groups) > 1 else (ALL,):
        table.add_column(group, justify="right")
    table.add_column("steps to a goal", justify="right")
    table.add_column("tokens per episode", justify="right")
    table.add_column("language lost, nats/token", justify="right")
    rows = found.rows()
    for row, following in zip(rows, [*rows[1:], ""], strict=True):
        ends = row in _UNLEARNED and following not in _UNLEARNED
        table.add_row(*_cells(found, row, found.last(row) or 0), end_section=ends)
    return table


def rounds_table(found: LoopResult) -> Table:
    """Return the share of held-out goals that each agent reached after each round, and of new tasks by itself."""
    table = Table(title="Goals reached, round by round", title_justify="left")
    table.add_column("agent")
    for number in found.rounds:
        table.add_column(f"round {number}" if number else "before", justify="right")
    for row in found.rows():
        shares = (found.success(row, number) for number in found.rounds)
        table.add_row(row, *("" if one is None else f"{one.value:.0%}" for one in shares))
    if found.alone:
        means = {n: [v for (when, _), v in found.alone.items() if when == n] for n in found.rounds}
        table.add_section()
        table.add_row(
            "new tasks, alone", *(f"{sum(some) / len(some):.0%}" if (some := means[n]) else "" for n in found.rounds)
        )
    return table


def worth_lines(found: LoopResult) -> Iterator[str]:
    """Yield what learning was worth, a line for each comparison that was measured."""
    for what, value, other in found.worth():
        if value is not None and other is not None:
            form = "{:+.2f} against {:+.2f} nats" if "language" in what else "{:.1%} against {:.1%}"
            times = f", {value / other:.{2 if value < other else 1}f} times" if other else ""
            yield f"{what}: {form.format(value, other)}{times}"


def _cells(found: LoopResult, row: str, number: int) -> Iterator[str]:
    yield row
    for group in (*found.groups, ALL) if len(found.groups) > 1 else (ALL,):
        yield share(found.success(row, number, group))
    steps, tokens, language = found.steps(row, number), found.tokens(row, number), found.language(row, number)
    yield "-" if steps is None else f"{steps:.1f}"
    yield f"{tokens:,.0f}" if tokens else "-"
    if language is None:
        yield "0" if row == BASE else "-"
    else:
        value, spread = language
        yield f"{value:+.2f} ±{spread:.2f}" if spread else f"{value:+.2f}"


def share(interval: Interval | None) -> str:
    """Tell a share with its interval, in per cent."""
    if interval is None:
        return "-"
    return f"{interval.value:.0%} [{100 * interval.low:.0f}, {100 * interval.high:.0f}]"


__all__ = ["loop_table", "rounds_table", "share", "worth_lines"]
