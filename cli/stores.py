"""The commands about stores: what is in them, as a table, as an episode, and in other formats."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ..errors import ConfigError
from .commands import (
    StoreCard,
    StoreExport,
    StoreImport,
    StoreInfoCommand,
    StoreMerge,
    StorePush,
    StoreSalvage,
    StoreShow,
    StoreVerify,
    View,
)
from .console import complain, make_console
from .worlds import LINES

if TYPE_CHECKING:
    from ..store import Damage, ExperienceStore

_FORMATS: Final = MappingProxyType({".parquet": "parquet", ".jsonl": "chat"})
"""What a file is exported as by its ending."""


def store_info(command: StoreInfoCommand) -> int:
    """Say what a store holds."""
    import orjson

    from ..collectors.coverage import Coverage
    from ..store import ExperienceStore
    from ..views.tables import info_tables

    console = make_console()
    with ExperienceStore.open(command.path, mode="read") as store:
        found = store.check() if command.verify else ()
        info = store.info()
        if command.json:
            print(
                orjson.dumps(
                    {**asdict(info), "episodes": info.episodes}, option=orjson.OPT_INDENT_2, default=str
                ).decode()
            )
            return int(bool(found))
        for table in info_tables(info):
            console.print(table)
        if command.coverage:
            console.print(Coverage.of(store.trajectories()).table("What the episodes have touched"))
        return _say_damage(command.path, found) if command.verify else 0


def store_verify(command: StoreVerify) -> int:
    """Name what is damaged."""
    from ..store import ExperienceStore

    with ExperienceStore.open(command.path, mode="read") as store:
        return _say_damage(command.path, store.check())


def store_salvage(command: StoreSalvage) -> None:
    """Save what can be read."""
    from ..store import salvage

    console = make_console()
    report = salvage(command.path, command.out)
    for damage in report.damage:
        console.print(f"damaged: {damage}", soft_wrap=True, markup=False)
    for id_ in report.left:
        console.print(f"left behind: {id_} (its parent or an image of it is lost)", soft_wrap=True, markup=False)
    console.print(
        f"{command.out}: {report.trajectories} trajectories and {report.failures} failures saved.", soft_wrap=True
    )


def store_merge(command: StoreMerge) -> int:
    """Join stores; 1 if something of them was left out."""
    from ..store import merge

    console = make_console()
    report = merge(command.out, command.sources)
    for damage in report.damage:
        console.print(f"damaged: {damage}", soft_wrap=True, markup=False)
    for id_ in report.left:
        console.print(f"left out: {id_} (its parent or an image of it is lost)", soft_wrap=True, markup=False)
    for id_ in report.differing:
        console.print(f"left out: {id_} (another episode has its id)", soft_wrap=True, markup=False)
    if report.absent:
        console.print(f"not there yet: {', '.join(report.absent)}", soft_wrap=True, markup=False)
    console.print(
        f"{command.out}: {report.trajectories} trajectories and {report.failures} failures added, {report.known} were"
        " there already.",
        soft_wrap=True,
    )
    return int(bool(report.damage or report.left or report.differing))


def _say_damage(path: Path, found: Sequence[Damage]) -> int:
    console = make_console()
    if not found:
        console.print("Every file has its checksum, and every record can be read.")
        return 0
    for damage in found:
        console.print(str(damage), soft_wrap=True, markup=False)
    console.print(f"Save what can be read with `pathei store salvage {path} NEW`.", soft_wrap=True)
    return 1


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

    named = command.format or _FORMATS.get(command.out.suffix)
    if named is None:
        raise ConfigError(f"Which format {str(command.out)!r} is to have is not clear: say so with --format.")
    with ExperienceStore.open(command.path, mode="read") as store:
        report = export(
            store,
            named,
            command.out,
            collector=command.collector,
            success=command.success,
            roots=command.roots,
            flags=command.flags,
            overwrite=command.overwrite,
        )
    written = report.written
    skipped = f", {written.skipped} empty ones left out" if written.skipped else ""
    make_console().print(
        f"{report.path}: {written.rows} rows of {written.episodes} episodes{skipped}, {report.bytes / 1e6:.1f} MB "
        f"({report.format})",
        soft_wrap=True,
    )


def view(command: View) -> None:
    """Serve a store until Ctrl-C, or write its episodes into a page."""
    from ..views.viewer import EpisodeFilter, ViewerServer, export_page

    console = make_console()
    with _viewed(command.path) as store:
        if command.export is not None:
            chosen = EpisodeFilter(command.env, command.collector, command.success, command.text)
            count = export_page(
                store,
                command.export,
                chosen,
                ids=command.episode,
                limit=command.limit,
                overwrite=command.overwrite,
            )
            size = command.export.stat().st_size / 1e6
            console.print(f"{command.export}: {count} episode{'s' * (count > 1)}, {size:.1f} MB", soft_wrap=True)
            return
        server = ViewerServer(store, command.port)
        try:
            console.print(f"{command.path}: open {server.address} (Ctrl-C ends it)", soft_wrap=True)
            server.run()
        except KeyboardInterrupt:
            console.print("Closed.")
        finally:
            server.close()


@contextmanager
def _viewed(path: Path) -> Iterator[ExperienceStore]:
    """Open a store, or ATIF documents as a store of their own that is removed afterwards."""
    from ..export import import_atif
    from ..store import ExperienceStore
    from ..store.manifest import NAME

    found = path.suffix == ".json" if path.is_file() else any(path.glob("*.json")) and not (path / NAME).exists()
    if not found:
        with ExperienceStore.open(path, mode="read") as store:
            yield store
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / path.resolve().name
        with ExperienceStore.open(place) as store:
            report = import_atif(store, path)
        for reason in report.left:
            complain(f"left out: {reason}")
        with ExperienceStore.open(place, mode="read") as store:
            yield store


def store_import(command: StoreImport) -> int:
    """Import ATIF documents; 1 if one of them could not be read."""
    from ..export import import_atif
    from ..store import ExperienceStore

    console = make_console()
    config = {"command": "store import", "source": command.source.name}
    with ExperienceStore.open(command.path, config=config) as store:
        report = import_atif(store, command.source)
    for reason in report.left:
        console.print(f"left out: {reason}", soft_wrap=True, markup=False)
    console.print(
        f"{command.path}: {report.added} trajectories added, {report.known} were there already.", soft_wrap=True
    )
    return int(bool(report.left))


def store_card(command: StoreCard) -> None:
    """Print a store's card."""
    from ..export.card import card
    from ..store import ExperienceStore

    with ExperienceStore.open(command.path, mode="read") as store:
        print(card(store, name=command.name, licence=command.licence), end="")


def store_push(command: StorePush) -> None:
    """Upload a store's episodes."""
    from ..export.card import push_to_hub
    from ..store import ExperienceStore
    from .console import tame_libraries

    tame_libraries()
    with ExperienceStore.open(command.path, mode="read") as store:
        address = push_to_hub(
            store,
            command.repo,
            format=command.format,
            licence=command.licence,
            private=command.private,
            collector=command.collector,
            success=command.success,
            roots=command.roots,
            flags=command.flags,
        )
    make_console().print(f"Uploaded: {address}", soft_wrap=True, markup=False)


__all__ = [
    "store_card",
    "store_export",
    "store_import",
    "store_info",
    "store_merge",
    "store_push",
    "store_salvage",
    "store_show",
    "store_verify",
    "view",
]
