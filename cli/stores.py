"""The commands about stores: what is in them, as a table, as an episode, and in other formats."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ..errors import ConfigError
from ..store import Damage, ExperienceStore
from . import commands
from .console import LINES, make_console, print_error, say

_FORMATS: Final = MappingProxyType({".parquet": "parquet", ".jsonl": "chat"})
"""What a file is exported as by its ending."""


def store_info(command: commands.StoreSummary) -> int:
    """Say what a store holds."""
    import orjson

    from ..collectors.coverage import Coverage
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


def store_verify(command: commands.StoreVerify) -> int:
    """Name what is damaged."""
    with ExperienceStore.open(command.path, mode="read") as store:
        return _say_damage(command.path, store.check())


def store_salvage(command: commands.StoreSalvage) -> None:
    """Save what can be read."""
    from ..store import salvage

    report = salvage(command.path, command.out)
    for damage in report.damage:
        say(f"damaged: {damage}")
    for id_ in report.left:
        say(f"left behind: {id_} (its parent or an image of it is lost)")
    say(f"{command.out}: {report.trajectories} trajectories and {report.failures} failures saved.")


def store_merge(command: commands.StoreMerge) -> int:
    """Join stores; 1 if something of them was left out."""
    from ..store import merge

    report = merge(command.out, command.sources)
    for damage in report.damage:
        say(f"damaged: {damage}")
    for id_ in report.left:
        say(f"left out: {id_} (its parent or an image of it is lost)")
    for id_ in report.differing:
        say(f"left out: {id_} (another episode has its id)")
    if report.absent:
        say(f"not there yet: {', '.join(report.absent)}")
    say(
        f"{command.out}: {report.trajectories} trajectories and {report.failures} failures added, {report.known} were"
        " there already."
    )
    return int(bool(report.damage or report.left or report.differing))


def _say_damage(path: Path, found: Sequence[Damage]) -> int:
    console = make_console()
    if not found:
        console.print("Every file has its checksum, and every record can be read.")
        return 0
    for damage in found:
        say(str(damage))
    say(f"Save what can be read with `pathei store salvage {path} NEW`.")
    return 1


def store_show(command: commands.StoreShow) -> None:
    """Show or list episodes."""
    from itertools import islice

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


def store_export(command: commands.StoreExport) -> None:
    """Export a store."""
    from ..export import export

    named = command.format or _FORMATS.get(command.out.suffix)
    if named is None:
        raise ConfigError(f"Which format {str(command.out)!r} is to have is not clear: say so with --format.")
    with ExperienceStore.open(command.path, mode="read") as store:
        report = export(store, named, command.out, overwrite=command.overwrite, **vars(command.which))
    written = report.written
    skipped = f", {written.skipped} empty ones left out" if written.skipped else ""
    say(
        f"{report.path}: {written.rows} rows of {written.episodes} episodes{skipped}, {report.bytes / 1e6:.1f} MB "
        f"({report.format})"
    )


def view(command: commands.View) -> None:
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
            say(f"{command.export}: {count} episode{'s' * (count > 1)}, {size:.1f} MB")
            return
        server = ViewerServer(store, command.port)
        try:
            say(f"{command.path}: open {server.address} (Ctrl-C ends it)")
            server.run()
        except KeyboardInterrupt:
            console.print("Closed.")
        finally:
            server.close()


@contextmanager
def _viewed(path: Path) -> Iterator[ExperienceStore]:
    """Open a store, or ATIF documents as a store of their own that is removed afterwards."""
    from ..export import import_atif
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
            print_error(f"left out: {reason}")
        with ExperienceStore.open(place, mode="read") as store:
            yield store


def store_import(command: commands.StoreImport) -> int:
    """Import ATIF documents; 1 if one of them could not be read."""
    from ..export import import_atif

    config = {"command": "store import", "source": command.source.name}
    with ExperienceStore.open(command.path, config=config) as store:
        report = import_atif(store, command.source)
    for reason in report.left:
        say(f"left out: {reason}")
    say(f"{command.path}: {report.added} trajectories added, {report.known} were there already.")
    return int(bool(report.left))


def store_card(command: commands.StoreCard) -> None:
    """Print a store's card."""
    from ..export.card import card

    with ExperienceStore.open(command.path, mode="read") as store:
        print(card(store, name=command.name, licence=command.licence), end="")


def store_push(command: commands.StorePush) -> None:
    """Upload a store's episodes."""
    from ..export.card import push_to_hub
    from .console import tame_libraries

    tame_libraries()
    with ExperienceStore.open(command.path, mode="read") as store:
        address = push_to_hub(
            store,
            command.repo,
            format=command.format,
            licence=command.licence,
            private=command.private,
            **vars(command.which),
        )
    say(f"Uploaded: {address}")
