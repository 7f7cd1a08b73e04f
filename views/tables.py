"""What the command line shows of collecting and of stores: tables, never episodes (`watch`) or progress bars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from rich.markup import escape
from rich.table import Table

from ..collectors.rollout.collect import CollectReport
from ..experience import Json, Trajectory
from ..store import StoreInfo

_VERSIONS: Final = ("pathei", "python")


def gathered_table(done: CollectReport, info: StoreInfo, collector: str) -> Table:
    """Return what one gathering by a collector, by its name, has brought, and what the store holds now."""
    summary = done.coverage.summary()
    table = pairs(f"Collected by {collector}")
    episodes = done.coverage.episodes - done.coverage.branches
    apart = f" and {done.coverage.branches:,} branches" if done.coverage.branches else ""
    table.add_row("episodes", f"{episodes:,}{apart} in {done.seconds:.1f} s ({done.rate:.0f}/s)")
    table.add_row("failures", f"{done.coverage.failures:,}")
    if done.before:
        table.add_row("done before", f"{done.before:,} of {done.tasks:,} tasks")
    if summary["successes"] is not None:
        unknown = done.coverage.episodes - done.coverage.checked
        rest = f" ({unknown:,} of unknown success)" if unknown else ""
        reached = done.coverage.successes - done.coverage.branch_successes
        more = f", and by {done.coverage.branch_successes:,} branches" if apart else ""
        table.add_row("goals reached", f"{reached:,} of {episodes + done.coverage.failures:,}{rest}{more}")
    table.add_row("steps", f"{summary['steps']:,}, {summary['refused']:,} refused, {summary['unchanged']:,} no change")
    for key in ("actions", "objects", "effects"):
        if (count := summary[f"distinct_{key}"]) is not None:
            table.add_row(f"distinct {key}", f"{count:,}")
    table.add_row("store", f"{info.path}: {info.episodes:,} episodes, {megabytes(info.bytes)}")
    return table


def info_tables(info: StoreInfo) -> Iterator[Table]:
    """Yield what a store holds, and who wrote it."""
    table = pairs(str(info.path))
    table.add_row("made", info.created)
    for row in info.counts.rows():
        table.add_row(*row)
    table.add_row("tasks done", f"{info.tasks_done:,}")
    table.add_row("size", f"{megabytes(info.bytes)}, {info.shards} sealed shards")
    for damage in info.damage:
        table.add_row("damaged", str(damage))
    if info.images:
        table.add_row("images", f"{info.images:,}, {megabytes(info.image_bytes)}")
    yield table
    sessions = Table("started", "from episode", "command", "settings", "versions")
    sessions.title, sessions.title_justify = "Sessions (all settings and versions: --json)", "left"
    for session in info.sessions:
        versions = ", ".join(f"{name} {session.versions[name]}" for name in _VERSIONS if name in session.versions)
        first = f"{session.trajectories:,}"
        begun = session.started[:19].replace("T", " ")
        sessions.add_row(begun, first, _command(session.config), escape(_settings(session.config)), versions)
    yield sessions


def _command(config: Mapping[str, Json]) -> str:
    """Return what wrote a session: `"collect mcts"`, `"store merge, sessions: 5"`."""
    command, merged = str(config.get("command", "")), config.get("from")
    collector = f" {config['collector']}" if "collector" in config else ""
    return f"{command}{collector}" + (f", sessions: {len(merged):,}" if isinstance(merged, list) else "")


def _settings(config: Mapping[str, Json]) -> str:
    """Return the settings of a session that are numbers, or texts that are not empty, or on."""
    named = {key: value for key, value in config.items() if key not in ("command", "collector", "out")}
    values = ((key, value) for key, value in named.items() if isinstance(value, str | int | float))
    return ", ".join(f"{key}={value}" for key, value in values if value != "" and value is not False)


def listing(trajectories: Iterable[Trajectory]) -> Table:
    """Return one line for each trajectory."""
    table = Table()
    for column in ("id", "collector", "goal"):
        table.add_column(column, overflow="fold")
    table.add_column("steps", justify="right")
    table.add_column("goal reached")
    for one in trajectories:
        reached = {True: "yes", False: "no", None: "unknown"}[one.success]
        table.add_row(one.id, one.collector, one.task.goal.text, str(len(one.steps)), reached)
    return table


def megabytes(size: int) -> str:
    """Return a size in bytes as one reads it: `"12.3 MB"`."""
    return f"{size / 1e6:,.1f} MB"


def pairs(title: str) -> Table:
    """Return an empty table of names and values."""
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column("")
    table.add_column("", overflow="fold")
    return table
