"""The results of a loop as tables for the terminal. The page is `loop_page`."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from rich.table import Table

from ..learners.evaluation.intervals import Interval
from ..loop.results import ALL, LoopResult
from ..loop.workspace import BASE, NOTHING

_UNLEARNED = (NOTHING, BASE)


def loop_table(found: LoopResult) -> Table:
    """Return the share of held-out goals that each agent reached, before learning and after the last round.

    Brackets are 95 % intervals.
    """
    last = max(found.rounds, default=0)
    title = f"Held-out goals reached, {'before learning' if not last else f'after round {last}'}"
    table = Table(title=title, title_justify="left")
    table.add_column("agent")
    for name in columns(found):
        table.add_column(name, justify="right")
    rows = found.rows()
    for row, following in zip(rows, [*rows[1:], ""], strict=True):
        ends = row in _UNLEARNED and following not in _UNLEARNED
        table.add_row(*cells(found, row), end_section=ends)
    return table


def rounds_table(found: LoopResult) -> Table:
    """Return the measurements of every agent after each round: goals, steps, tokens, forgetting, new tasks alone."""
    table = Table(title="Held-out tasks, round by round", title_justify="left")
    for name in ("what", "agent"):
        table.add_column(name)
    for number in found.rounds:
        table.add_column(f"round {number}" if number else "before", justify="right")
    for what, format_ in _MEASURES.items():
        rows = {row: [format_(found, row, number) for number in found.rounds] for row in found.rows()}
        for place, (row, cells) in enumerate((row, cells) for row, cells in rows.items() if any(cells)):
            if not place:
                table.add_section()
            table.add_row("" if place else what, row, *cells)
    if found.alone:
        means = {n: [v for (when, _), v in found.alone.items() if when == n] for n in found.rounds}
        cells = [f"{sum(some) / len(some):.0%}" if (some := means[n]) else "" for n in found.rounds]
        table.add_section()
        table.add_row("new goals reached", "before any search", *cells)
    return table


def _reached(found: LoopResult, row: str, number: int) -> str:
    one = found.success(row, number)
    return "" if one is None else f"{one.value:.0%}"


def _steps(found: LoopResult, row: str, number: int) -> str:
    steps = found.steps(row, number)
    return "" if steps is None else f"{steps:.1f}"


def _tokens(found: LoopResult, row: str, number: int) -> str:
    tokens = found.tokens(row, number)
    return f"{tokens:,.0f}" if tokens else ""


def _lost(found: LoopResult, row: str, number: int) -> str:
    language = found.language(row, number)
    if language is None:
        return ""
    value, spread = language
    return f"{value:+.2f} ±{spread:.2f}" if spread else f"{value:+.2f}"


_MEASURES: Final = MappingProxyType(
    {
        "goals reached": _reached,
        "steps to a goal": _steps,
        "tokens per episode": _tokens,
        "forgetting, nats/token": _lost,
    }
)


def worth_lines(found: LoopResult) -> Iterator[str]:
    """Yield one line for each comparison that was measured."""
    for what, value, other in found.worth():
        if value is not None and other is not None:
            form = "{:+.2f} against {:+.2f} nats" if "forgetting" in what else "{:.1%} against {:.1%}"
            times = f", {value / other:.{2 if value < other else 1}f} times" if other else ""
            yield f"{what}: {form.format(value, other)}{times}"


def columns(found: LoopResult) -> list[str]:
    """Return the titles of what `cells` yields after the agent's name."""
    groups = [*found.groups, ALL] if len(found.groups) > 1 else [ALL]
    return [*groups, "steps to a goal", "tokens per episode", "forgetting, nats/token"]


def cells(found: LoopResult, row: str) -> Iterator[str]:
    """Yield an agent's name and what was measured of it last: goals by group, steps, tokens, forgetting."""
    number = found.last(row) or 0
    yield row
    for group in columns(found)[:-3]:
        yield share(found.success(row, number, group))
    yield _steps(found, row, number) or "-"
    yield _tokens(found, row, number) or "-"
    yield _lost(found, row, number) or ("0" if row == BASE else "-")


def share(interval: Interval | None) -> str:
    """Return a share with its interval, in per cent."""
    if interval is None:
        return "-"
    return f"{interval.value:.0%} [{100 * interval.low:.0f}, {100 * interval.high:.0f}]"
