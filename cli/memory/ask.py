"""The commands that ask a memory and show it: `query`, `list`, `show`, `stats`, `check`, `export`, `serve`.

They open it for reading, so that others may write meanwhile, but for `check` and `serve`. What changes a memory is in
`memory_changes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from ...errors import ConfigError
from ..console import make_console
from .commands import MemoryCheck, MemoryExport, MemoryList, MemoryQuery, MemoryServe, MemoryShow, MemoryStats, Which

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from ...memory.items import Filter, Hit, Item
    from ...memory.retrieval.ranking import RankingConfig

_SHORT: Final = 160
"""So many characters of a text are listed."""


def query(command: MemoryQuery) -> None:
    """Ask."""
    from ...memory.opening import open_memory
    from ...memory.retrieval.ranking import within
    from ...memory.serve import told

    if command.k < 1 or (command.budget is not None and command.budget < 1):
        raise ConfigError("A query asks for at least 1 item, and for a budget of at least 1 token.")
    where, ranking = where_of(command.which), _ranking(command)
    with open_memory(command.memory, mode="read") as memory:
        hits = memory.query(command.question, command.k, where, ranking=ranking)
    if command.budget is not None:
        hits = within(hits, command.budget)
    if command.json:
        _print_json({**told(hit.item), "score": hit.score, "why": dict(hit.why)} for hit in hits)
    elif hits:
        make_console().print(_answers(hits))
    else:
        make_console().print("Nothing is remembered that would answer.")


def list_items(command: MemoryList) -> None:
    """List items."""
    from itertools import islice

    from rich.table import Table

    from ...memory.opening import open_memory
    from ...memory.serve import told

    console = make_console()
    with open_memory(command.memory, mode="read") as memory:
        items = memory.items(where_of(command.which))
        some = list(islice(items, max(0, command.limit)))
        more = 0 if command.json else sum(1 for _ in items)
    if command.json:
        _print_json(map(told, some))
        return
    table = Table("id", "status", "what", "served")
    for item in some:
        text = " ".join(item.draft.text.split())
        table.add_row(item.id, item.status, _plain(_shortened(text)), _counts(item))
    console.print(table)
    if more:
        console.print(f"{more:,} more; --limit says how many are listed.")


def show(command: MemoryShow) -> None:
    """Show one item."""
    from dataclasses import asdict

    from rich.table import Table

    from ...memory.opening import open_memory
    from ...memory.serve import told

    with open_memory(command.memory, mode="read") as memory:
        item, events = memory.get(command.id), memory.history(command.id)
    if command.json:
        history = [asdict(event) for event in events]
        _print_json([{**told(item), "replaced_by": item.replaced_by, "history": history}])
        return
    console = make_console()
    console.print(_item_table(item))
    if events:
        table = Table("when", "item", "what", "how", title="History", title_justify="left")
        for event in events:
            table.add_row(_when(event.time), event.item, event.what, _plain(_shortened(_json(event.detail))))
        console.print(table)


def stats(command: MemoryStats) -> None:
    """Count."""
    from ...memory.opening import memory_at, open_memory
    from ...views.tables import megabytes

    with open_memory(command.memory, mode="read") as memory:
        found: Any = memory.stats()
    if command.json:
        _print_json([found])
        return
    table = pairs(str(memory_at(command.memory)))
    for kind, counts in found["kinds"].items():
        table.add_row(f"{kind}s", ", ".join(f"{count:,} {status}" for status, count in counts.items()) or "none")
    table.add_row("from episodes", f"{found['trajectories']:,}")
    table.add_row("embedder", f"{found['embedder']}, {found['dimensions']:,} numbers")
    table.add_row("size", megabytes(found["bytes"]))
    index = found["index"]
    said = f"{index['form']}, {index['rows']:,} items; {index['since']:,} since then"
    table.add_row("index", said if index["form"] != "none" else "none: all items are compared")
    if index["trouble"]:
        table.add_row("trouble", index["trouble"])
    make_console().print(table)


def check(command: MemoryCheck) -> int:
    """Look for damage; 1 if there is any."""
    from ...memory.opening import open_memory

    console = make_console()
    with open_memory(command.memory) as memory:
        faults = memory.faults()
    for fault in faults:
        console.print(fault, markup=False, soft_wrap=True)
    if not faults:
        console.print("Nothing is wrong: the table, the words and the index agree.")
    return int(bool(faults))


def export(command: MemoryExport) -> None:
    """Write a memory, or its skills, for others."""
    from ...memory.items import Filter
    from ...memory.opening import open_memory
    from ...memory.skill_files import FILE, write_skills

    with open_memory(command.memory, mode="read") as memory:
        if command.skills:
            written = len(write_skills(memory.items(Filter(kinds=("skill",))), command.out))
            what = f"skills, each a folder with a {FILE}"
        else:
            written, what = memory.export_jsonl(command.out), "items with their history, as JSON lines"
    make_console().print(f"{command.out}: {written:,} {what}.", markup=False, soft_wrap=True)


def serve(command: MemoryServe) -> None:
    """Serve a memory until the client goes away, or until Ctrl-C."""
    from rich.console import Console

    from ...memory.opening import open_memory
    from ...memory.serve import serve as serve_memory

    def tell(address: str) -> None:
        # Not on stdout, which over stdio is the protocol's.
        Console(stderr=True, highlight=False).print(f"{address}; Ctrl-C ends it.")

    mode: Literal["read", "write"] = "read" if command.read_only else "write"
    with open_memory(command.memory, mode=mode, embedder=command.embedder or "", make=True) as memory:
        serve_memory(memory, http=command.http, read_only=command.read_only, tell=tell)


def where_of(which: Which) -> Filter:
    """Return the items that options ask for.

    Raises:
        ConfigError: a time cannot be read.
        UnknownNameError: there is no such world.
    """
    from ...memory.items import Filter, Status
    from ...memory.storage.columns import STATUSES

    return Filter(
        None if which.kind is None else (which.kind,),
        world_id(which.world),
        which.task,
        which.success,
        _time("after", which.after),
        _time("before", which.before),
        cast("tuple[Status, ...]", STATUSES) if which.status == "any" else (which.status,),
    )


def world_id(name: str | None) -> str | None:
    """Return the gymnasium id of a world by its name; an id is returned as it is.

    Raises:
        UnknownNameError: there is no such world.
    """
    if not name or "/" in name or ":" in name:
        return name
    from ...envs.registry import get_env

    return get_env(name).id


def pairs(title: str) -> Table:
    """Return a table of names and values, without any yet."""
    from rich.table import Table

    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column("")
    table.add_column("", overflow="fold")
    return table


def _ranking(command: MemoryQuery) -> RankingConfig:
    from ...memory.retrieval.ranking import RankingConfig

    weights: dict[str, float] = {"recency": command.recency, "importance": command.importance}
    given = {"dense": command.dense, "lexical": command.lexical}
    weights |= {name: value for name, value in given.items() if value is not None}
    return RankingConfig(utility=command.utility, **weights)  # type: ignore[arg-type]


def _answers(hits: Iterable[Hit]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("", "kind", "what", "served", "why", show_lines=True)
    for rank, hit in enumerate(hits, 1):
        what = Text(hit.item.draft.text).append(f"\n{hit.item.id}", style="dim")
        why = "\n".join(f"{name:7} {value:.2f}" for name, value in hit.why.items())
        table.add_row(str(rank), hit.item.draft.kind, what, _counts(hit.item).replace(", ", "\n"), why)
    return table


def _item_table(item: Item) -> Table:
    draft = item.draft
    table = pairs(item.id)
    table.add_row("says", _plain(draft.text))
    ended = f", by {item.replaced_by}" if item.replaced_by else ""
    table.add_row("status", f"{item.status}{ended}, version {item.version}")
    table.add_row("world", _plain(draft.world or "any"))
    if draft.task:
        outcome = {True: "reached", False: "not reached", None: "nobody could tell whether it was reached"}
        table.add_row("goal", _plain(f"{draft.task} ({outcome[draft.success]})"))
    if draft.key:
        table.add_row("about", _plain(draft.key))
    step = "" if draft.source.step is None else f", step {draft.source.step}"
    source = f"{draft.source.trajectory}{step}" if draft.source.trajectory else "told, not lived"
    table.add_row("source", _plain(source))
    table.add_row("served", f"{_counts(item)}; lived first {_when(draft.time)}, last {_when(item.last_seen)}")
    table.add_row("weight", f"importance {draft.importance:.2f}, confidence {draft.confidence:.2f}")
    for name, value in draft.data.items():
        table.add_row(name, _plain(value if isinstance(value, str) else _json(value)))
    return table


def _counts(item: Item) -> str:
    return f"seen {item.seen}, helped {item.helpful}, harmed {item.harmful}"


def _time(option: str, told: str | None) -> float | None:
    if told is None:
        return None
    try:
        return datetime.fromisoformat(told).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigError(
            f"--{option} is a date or a time, such as 2026-11-26 or 2026-11-26T14:30, not {told!r}."
        ) from error


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).isoformat(" ", "minutes")


def _plain(text: str) -> Text:
    """Return text whose brackets are no markup: actions have them."""
    from rich.text import Text

    return Text(text)


def _shortened(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 3]}..."


def _json(value: Any) -> str:
    import orjson

    return orjson.dumps(value).decode()


def _print_json(values: Iterable[Mapping[str, Any]]) -> None:
    for value in values:
        print(_json(value))


__all__ = ["check", "export", "list_items", "pairs", "query", "serve", "show", "stats", "where_of", "world_id"]
