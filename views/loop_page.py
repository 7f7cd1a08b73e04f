"""A page with the results of a loop: curves, the table, and one task before and after learning. One HTML file.

Nothing on the page is loaded from elsewhere. Not here: measuring.
"""

from __future__ import annotations

import html
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Template
from typing import Any, Final, NamedTuple

from ..envs.facts.graph import HOLDING, PASSING, Fact, read_changes
from ..experience import Trajectory
from ..extras import install_command
from ..loop.config import LoopConfig
from ..loop.results import ALL, LoopResult
from ..loop.workspace import BASE, BOTH, MEMORY, NOTHING, PLAIN, PROMPTED, WEIGHTS, LoopWorkspace
from ..store import ExperienceStore
from ..store.durable import explained, write_atomically
from .loop_table import cells, columns, comparisons

PAGE: Final = "report.html"
_COLOURS: Final = {
    NOTHING: "#8a8f98", BASE: "#b58b5a", MEMORY: "#2a6fb0", PROMPTED: "#7d5ba6", WEIGHTS: "#c2571a", BOTH: "#2b8a4b",
    PLAIN: "#d9a13b",
}  # fmt: skip
_SHOWN: Final = 24
"""The maximum number of steps of an episode that are shown."""
_MINOR: Final = PASSING | set(HOLDING)
"""What is taken in hand has to be laid down again."""
_RULE: Final = (
    "Of the held-out tasks that only the second of these agents reached, this is the one with the fewest refused steps,"
    " then with the fewest states and places that the plan brought about and left again, then with the most"
    " conditions, then with the fewest steps."
)
_FRAME: Final = Template(
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title><style>
:root { color-scheme: light dark; --soft: light-dark(#5c636d, #9aa3ad); --line: light-dark(#dfe3e8, #343a42);
  --good: light-dark(#1c6b38, #6fcf8f); --bad: light-dark(#a3401a, #f0986c) }
body { font: 15px/1.5 system-ui, sans-serif; color: light-dark(#1d2126, #e6e8eb); background: light-dark(#fff, #16191d);
  max-width: 64rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin-bottom: .2rem } h2 { font-size: 1.1rem; margin-top: 2.2rem } .note { color: var(--soft) }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: right }
th:first-child, td:first-child { text-align: left } td { white-space: nowrap }
th { font-weight: 600; vertical-align: bottom; border-bottom: 2px solid var(--soft) }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 1.5rem } .two > div { min-width: 0 }
ol { padding-left: 1.8rem; margin: .4rem 0; font: 13px/1.55 ui-monospace, monospace; overflow-wrap: anywhere }
li.good { color: var(--good) } li.bad { color: var(--bad) } .verdict { font-weight: 600 }
svg { width: 100%; height: auto; background: #fff; border-radius: .4rem }
@media (max-width: 48rem) {
  .two { grid-template-columns: 1fr } .curves { overflow-x: auto } svg { min-width: 42rem } thead { display: none }
  td { display: flex; justify-content: space-between; gap: 1rem }
  td::before { content: attr(data-column); color: var(--soft); text-align: left; white-space: normal }
  td:first-child { font-weight: 600; margin-top: 1rem; border-bottom: 2px solid var(--soft) }
  td:first-child::before { content: none }
}
</style></head><body><h1>$title</h1><p class="note">$about</p>
$body
</body></html>
"""
)


class EpisodePair(NamedTuple):
    """One task, before and after learning."""

    before: Trajectory
    after: Trajectory
    who: tuple[str, str]
    """The agents that played it before and after."""


def write_page(out: Path, config: LoopConfig, found: LoopResult) -> Path:
    """Write the page into the loop's directory, and return its path.

    Raises:
        StoreError: it cannot be written.
    """
    path = out / PAGE
    body = "\n".join([_curves(found), _table(found), _worth(found), _transcripts(_pair(out, config))])
    learned = {"both": "into an external memory and into a model's weights"}.get(config.learn, f"into {config.learn}")
    about = (
        f"{config.env}: {config.rounds} rounds of {config.tasks} tasks, learned {learned}, "
        f"{config.seeds} seed{'s' if config.seeds > 1 else ''}. Everything is measured on held-out tasks; brackets and "
        "bars are 95 % intervals over tasks."
    )
    page = _FRAME.substitute(title="What was collected, and what was learned", about=html.escape(about), body=body)
    with explained(path):
        write_atomically(path, page.encode(), path.with_name(f"{PAGE}.tmp"))
    return path


def _curves(found: LoopResult) -> str:
    """Draw the share of goals reached after each round, one picture per group; a note without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return f'<p class="note">The curves need matplotlib: {html.escape(install_command("learn"))}.</p>'
    groups = [*found.groups] if len(found.groups) > 1 else [ALL]
    figure = Figure(figsize=(4.6 * len(groups) + 1.2, 3.6), layout="constrained")
    every: Any = figure.subplots(1, len(groups), sharey=True, squeeze=False)[0]
    for axes, group in zip(every, groups, strict=True):
        for place, row in enumerate(rows := found.rows()):
            _line(axes, found, row, group, 0.03 * (place - (len(rows) - 1) / 2))
        axes.set_title(group, fontsize=10)
        axes.set_xlabel("round")
        axes.set_xticks(found.rounds)
        axes.set_ylim(-0.02, 1.02)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    every[0].set_ylabel("held-out goals reached")
    every[-1].legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    _, tag, svg = drawn.getvalue().partition("<svg")
    return f'<h2>Goals reached, round by round</h2><div class="curves">{tag}{svg}</div>'


def _line(axes: Any, found: LoopResult, row: str, group: str, aside: float) -> None:
    """Draw one agent's line, slightly shifted so that equal ones can be distinguished."""
    points = [(n, one) for n in found.rounds if (one := found.success(row, n, group)) is not None]
    if len(points) == 1 and row in (NOTHING, BASE):  # an agent that never learns is the same after every round
        points = [(n, points[0][1]) for n in found.rounds]
    values = [one.value for _, one in points]
    axes.errorbar(
        [n + aside for n, _ in points],
        values,
        yerr=[[one.value - one.low for _, one in points], [one.high - one.value for _, one in points]],
        fmt=":" if row in (NOTHING, BASE) else "-",
        color=_COLOURS[row],
        marker="o",
        ms=4,
        elinewidth=0.9,
        capsize=2,
        label=row,
    )


def _table(found: LoopResult) -> str:
    head = ["agent", *columns(found)]
    rows = [list(cells(found, row)) for row in found.rows()]
    return f"<h2>Before learning, and after the last round</h2>{_html_table(head, rows)}"


def _worth(found: LoopResult) -> str:
    lines = "".join(f"<li>{html.escape(line)}</li>" for line in comparisons(found))
    return f"<h2>On the same tasks</h2><ul>{lines}</ul>" if lines else ""


def _html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    first = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    rest = "".join(f"<tr>{''.join(map(_cell, head, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{first}</tr></thead><tbody>{rest}</tbody></table>"


def _cell(column: str, text: str) -> str:
    """Return a cell that knows its column: a narrow screen shows a row as a list."""
    return f'<td data-column="{html.escape(column)}">{html.escape(text)}</td>'


def _pair(out: Path, config: LoopConfig) -> EpisodePair | None:
    """Return a held-out task that was reached only after learning: the one whose plan is the clearest."""
    place = LoopWorkspace(out, config, config.seed)
    after = place.best(config.rounds)
    rows = {actor.row: actor for actor in place.actors(0)}
    before = rows[BASE if after.row == WEIGHTS else NOTHING]
    with ExperienceStore.open(place.held_out, mode="read") as store:
        failed = store.trajectories(success=False)
        lost = {one.task.id: one.id for one in failed if one.collector == before.collector}
        won = [
            (_clearness(one), one.id, one.task.id)
            for one in store.trajectories(success=True)
            if one.collector == after.collector and one.task.id in lost
        ]
        if not won:
            return None
        _, best, task = max(won)
        return EpisodePair(store.get(lost[task]), store.get(best), (before.row, after.row))


def _clearness(one: Trajectory) -> tuple[int, ...]:
    """Return how clear a plan is, larger is clearer; `_RULE` says it in words."""
    refused = sum("error" in step.info for step in one.steps)
    after = [*(step.observation for step in one.steps[1:]), one.final][: len(one.steps)]
    begun, back = set[Fact](), 0
    for change in (change for seen in after for change in read_changes(seen.facts) if change.what not in _MINOR):
        back += change.fact in begun and not change.begins
        begun |= {change.fact} if change.begins else set()
    return -refused, -back, len(one.task.goal.conditions), -len(one.steps)


def _transcripts(pair: EpisodePair | None) -> str:
    if pair is None:
        return ""
    columns = ((pair.before, f"Before, with {pair.who[0]}"), (pair.after, f"After, with {pair.who[1]}"))
    shown = "".join(f"<div><h3>{html.escape(title)}</h3>{''.join(_episode(one))}</div>" for one, title in columns)
    goal = html.escape(pair.after.task.goal.text)
    return f'<h2>One task, before and after: “{goal}”</h2><p class="note">{_RULE}</p><div class="two">{shown}</div>'


def _episode(trajectory: Trajectory) -> Iterator[str]:
    yield "<ol>"
    for step in trajectory.steps[:_SHOWN]:
        kind = ' class="good"' if step.reward > 0 else ' class="bad"' if step.info.get("error") else ""
        yield f"<li{kind}>{html.escape(step.action)}</li>"
    yield "</ol>"
    rest = len(trajectory.steps) - _SHOWN
    more = f"{rest} steps more. " if rest > 0 else "" if trajectory.steps else "Nothing was done. "
    verdict = "The goal is reached." if trajectory.success else "The goal is not reached."
    yield f'<p class="verdict">{more}{verdict}</p>'
