"""The commands about stores: what is in them, as a table, as an episode, and in other formats."""

from __future__ import annotations

from .commands import StoreExport, StoreInfoCommand, StoreShow
from .console import make_console
from .worlds import LINES


def store_info(command: StoreInfoCommand) -> None:
    """Say what a store holds."""
    from ..collectors.coverage import Coverage
    from ..store import ExperienceStore
    from ..views.tables import info_tables

    console = make_console()
    with ExperienceStore.open(command.path, mode="read") as store:
        for table in info_tables(store.info()):
            console.print(table)
        if command.coverage:
            console.print(Coverage.of(store.trajectories()).table("What the episodes have touched"))
        if command.verify:
            store.verify()
            console.print("Every file has its checksum.")


def store_show(command: StoreShow) -> None:
    """Show or list episodes."""
    from itertools import islice

    from ..store import ExperienceStore
    from ..views.tables import listing
    from ..views.watch import Watcher

    console = make_console()
    with ExperienceStore.open(command.path, mode="read") as store:
        if command.id is not None:
            Watcher(console, lines=None if command.full else LINES).show_trajectory(store.expand(store.get(command.id)))
            return
        console.print(listing(islice(store.trajectories(), command.limit)))
        if len(store) > command.limit:
            console.print(f"{len(store) - command.limit} more; `pathei store show {command.path} ID` shows an episode.")


def store_export(command: StoreExport) -> None:
    """Export a store."""
    from ..export import export
    from ..store import ExperienceStore

    with ExperienceStore.open(command.path, mode="read") as store:
        report = export(
            store,
            command.format,
            command.out,
            success=command.success,
            roots=command.roots,
            overwrite=command.overwrite,
        )
    written = report.written
    skipped = f", {written.skipped} empty ones left out" if written.skipped else ""
    make_console().print(
        f"{report.path}: {written.rows} rows of {written.episodes} episodes{skipped}, {report.bytes / 1e6:.1f} MB "
        f"({report.format})",
        soft_wrap=True,
    )


__all__ = ["store_export", "store_info", "store_show"]
