"""The results of a loop as tables for the terminal. The page is `loop_page`."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from rich.table import Table

from ..learners.evaluation.intervals import Interval
from ..loop.results import ALL, LoopResult
from ..loop.workspace import BASE, NOTHING


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
    for row in found.rows():
        if row == NOTHING:
            table.add_section()
        table.add_row(*cells(found, row))
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


def comparisons(found: LoopResult) -> Iterator[str]:
    """Yield one line for each two agents that are compared on the same tasks, and one on forgetting."""
    for first, second, one in found.paired():
        yield (
            f"{first}, against {second}: {one.first} tasks only the first reached, {one.second} only the second; "
            f"difference {one.difference:+.0%} [{100 * one.low:+.0f}, {100 * one.high:+.0f}], p = {one.p:.3f}"
        )
    if (lost := found.forgetting()) is not None:
        yield f"forgetting with the method, and without one: {lost[0]:+.2f} against {lost[1]:+.2f} nats per token"


def columns(found: LoopResult) -> list[str]:
    """Return the titles of what `cells` yields after the agent's name."""
    groups = [*found.groups, ALL] if len(found.groups) > 1 else [ALL]
    foretold = ["held-out plans, nats/token"] if found.foretold else []
    return [*groups, "steps to a goal", "tokens per episode", *foretold, "forgetting, nats/token"]


def cells(found: LoopResult, row: str) -> Iterator[str]:
    """Yield an agent's name and what was measured of it last: goals by group, steps, tokens, plans, forgetting."""
    number = found.last(row) or 0
    yield row
    for group in [*found.groups, ALL] if len(found.groups) > 1 else [ALL]:
        yield share(found.success(row, number, group))
    yield _steps(found, row, number) or "-"
    yield _tokens(found, row, number) or "-"
    if found.foretold:
        nats = found.plan_nats(row)
        yield "-" if nats is None else f"{nats:.2f}"
    yield _lost(found, row, number) or ("0" if row == BASE else "-")


def share(interval: Interval | None) -> str:
    """Return a share with its interval, in per cent."""
    if interval is None:
        return "-"
    return f"{interval.value:.0%} [{100 * interval.low:.0f}, {100 * interval.high:.0f}]"
