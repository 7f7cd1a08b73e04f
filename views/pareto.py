"""Method by method, what was gained and what was lost: one table, and one picture.

The picture has the skill in the new task upwards and forgetting to the right; nothing is above and left of a
method on the frontier. Not here: measuring (`evaluate`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from ..extras import needed_by
from ..learners.evaluation.intervals import Interval
from ..learners.evaluation.result import Evaluation
from ..store.durable import explained, publish


@dataclass(frozen=True, slots=True)
class ParetoPoint:
    """What one method came to."""

    method: str
    """As tables call it."""
    skill: Interval
    """In the new task, in [0, 1]."""
    lost: Interval
    """Forgetting: increase in nats per token on reference text, over the base."""
    note: str = ""
    """Its setting, in a few words: `"lambda 30"`."""


def points_of(evaluations: Mapping[str, Evaluation], split: str = "seen") -> list[ParetoPoint]:
    """Return a point for each evaluation, by its name, that says what language it lost."""
    return [ParetoPoint(name, one.skill(split), one.forgetting) for name, one in evaluations.items() if one.forgetting]


def frontier(points: Sequence[ParetoPoint]) -> tuple[ParetoPoint, ...]:
    """Return the points that no other one beats in skill and in language both, from the least lost on."""
    best, found = float("-inf"), []
    for point in sorted(points, key=lambda one: (one.lost.value, -one.skill.value)):
        if point.skill.value > best:
            best = point.skill.value
            found.append(point)
    return tuple(found)


def evaluation_table(evaluations: Mapping[str, Evaluation], title: str = "") -> Table:
    """Return one table of several evaluations side by side, of the same questions and texts."""
    table = Table(title=title or None)
    table.add_column("question", no_wrap=True)
    table.add_column("metric", no_wrap=True)
    for heading in ("n", "baseline", *evaluations):
        table.add_column(heading, justify="right", no_wrap=True)
    cells = {
        name: {(one.kind, one.split, one.metric): one for one in evaluation.scores}
        for name, evaluation in evaluations.items()
    }
    for kind, split, metric in dict.fromkeys(key for column in cells.values() for key in column):
        found = [column.get((kind, split, metric)) for column in cells.values()]
        some = next(one for one in found if one is not None)
        texts = ["" if one is None else _about(one.interval, ".2f") for one in found]
        table.add_row(f"{kind}, {split}", metric, str(len(some.values)), f"{some.baseline:.2f}", *texts)
    table.add_section()
    for (what, unit), row in _language_rows(evaluations).items():
        if any(row):
            table.add_row(what, unit, "", "", *row)
    return table


def harness_table(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Table:
    """Return what lm-eval measured, by model and task, as one table of several models side by side."""
    table = Table(title="lm-eval")
    for heading in ("task", "metric", *found):
        table.add_column(heading, justify="right" if heading in found else "left", no_wrap=True)
    rows = {(task, metric) for tasks in found.values() for task, metrics in tasks.items() for metric in metrics}
    for task, metric in sorted(rows):
        values = [tasks.get(task, {}).get(metric) for tasks in found.values()]
        table.add_row(task, metric, *("" if value is None else f"{value:.3f}" for value in values))
    return table


def _language_rows(evaluations: Mapping[str, Evaluation]) -> dict[tuple[str, str], list[str]]:
    """Return the rows on language: of the base and, after the arrow, of the model."""
    every = list(evaluations.values())
    return {
        ("reference text", "perplexity"): [_change(one, "perplexity", ".0f") for one in every],
        ("reference text", "bits/byte"): [_change(one, "bits_per_byte", ".3f") for one in every],
        ("forgetting", "nats/token"): [_about(one.forgetting, "+.2f") if one.forgetting else "" for one in every],
        ("KL(base || model)", "nats/token"): ["" if one.kl is None else f"{one.kl:.2f}" for one in every],
        **_retention_rows(every),
    }


def _retention_rows(every: Sequence[Evaluation]) -> dict[tuple[str, str], list[str]]:
    """Return the rows on text of three kinds and on knowledge: of the base and, after the arrow, of the model."""
    known = [[one for one in (each.base_retention, each.retention) if one is not None] for each in every]
    kinds = dict.fromkeys(kind for both in known for one in both for kind in one.texts)
    forms = dict.fromkeys(form for both in known for one in both for form in one.knowledge)
    rows = {
        (kind, "bits/byte"): [" → ".join(f"{one.texts[kind].bits_per_byte:.3f}" for one in both) for both in known]
        for kind in kinds
    }
    for form in forms:
        rows[form, "right"] = [" → ".join(f"{one.share(form).value:.1%}" for one in both) for both in known]
    return rows


def _change(evaluation: Evaluation, what: str, form: str) -> str:
    both = (evaluation.base_language, evaluation.language)
    return " → ".join(format(getattr(one, what), form) for one in both if one is not None)


def pareto_table(points: Sequence[ParetoPoint], title: str = "") -> Table:
    """Return one row per method; those on the frontier are marked."""
    best = frontier(points)
    table = Table(title=title or None)
    table.add_column("method")
    table.add_column("setting")
    table.add_column("skill", justify="right")
    table.add_column("forgetting, nats per token", justify="right")
    table.add_column("frontier", justify="center")
    for one in points:
        lost = f"{one.lost.value:+.2f} [{one.lost.low:+.2f}, {one.lost.high:+.2f}]"
        table.add_row(one.method, one.note, _share(one.skill), lost, "*" if one in best else "")
    return table


def pareto_picture(
    points: Sequence[ParetoPoint], path: Path, *, title: str = "", tried: Sequence[ParetoPoint] = ()
) -> None:
    """Draw the picture; the file is wholly there or not at all.

    Args:
        points: At most ten, so that they can be distinguished.
        path: Ends in `.png`, `.svg` or `.pdf`.
        title: Above it.
        tried: Other settings, drawn small and without a name.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        StoreError: the file cannot be written.
    """
    with needed_by("The picture"):
        from matplotlib.figure import Figure
    figure = Figure(figsize=(7.5, 4.8), layout="constrained")
    axes = figure.add_subplot()
    edge = frontier(points)
    axes.plot([one.lost.value for one in edge], [one.skill.value for one in edge], color="0.75", lw=1.5, zorder=1)
    for number, one in enumerate(points):
        colour = f"C{number}"
        axes.errorbar(
            one.lost.value,
            one.skill.value,
            xerr=[[max(0.0, one.lost.value - one.lost.low)], [max(0.0, one.lost.high - one.lost.value)]],
            yerr=[[max(0.0, one.skill.value - one.skill.low)], [max(0.0, one.skill.high - one.skill.value)]],
            fmt="os^Dv<>ph*"[number % 10],
            color=colour,
            ms=7,
            elinewidth=1,
            zorder=3,
            label=f"{one.method}, {one.note}" if one.note else one.method,
        )
        mine = [other for other in tried if other.method == one.method]
        axes.plot(
            [other.lost.value for other in mine],
            [other.skill.value for other in mine],
            ".",
            color=colour,
            alpha=0.4,
            zorder=2,
        )
    _dress(axes, title)
    temporary = path.with_name(f"{path.stem}.tmp{path.suffix}")
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(temporary, dpi=150)
        publish(temporary, path)


def _dress(axes: Any, title: str) -> None:
    """Say what the axes are."""
    axes.axvline(0, color="0.85", lw=1, zorder=0)
    axes.set_xlabel("forgetting: nats per token of held-out text, above the base")
    axes.set_ylabel("skill in the new tasks")
    axes.set_ylim(bottom=0)
    axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(fontsize=8, frameon=False, loc="lower right")


def _about(interval: Interval, form: str) -> str:
    """Tell an interval shortly, by half its width; a Wilson interval is not quite symmetric."""
    return f"{interval.value:{form}} ±{(interval.high - interval.low) / 2:.2f}"


def _share(interval: Interval) -> str:
    return f"{interval.value:.2f} [{interval.low:.2f}, {interval.high:.2f}]"
