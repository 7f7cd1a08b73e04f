"""The commands that read a memory: `query`, `list`, `show`, `stats`, `check`, `export`, `serve`.

All but `check` and `serve` open it for reading, so that another process may write to it. Commands that change a memory
are in `change`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Literal

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...errors import ConfigError
from ...memory import open_memory
from ...memory.exchange.item_json import item_as_json
from ...memory.items import Filter, Hit, Item
from ...memory.retrieval.ranking import RankingConfig
from ...views.tables import megabytes, pairs
from ..console import announce, make_console, say
from . import commands

_SHORT: Final = 160
"""The number of characters of a text that are listed on a terminal."""
_LONG: Final = 1_500
"""The number of characters of a text that an answer shows on a terminal."""


def query(command: commands.MemoryQuery) -> None:
    """Query a memory."""
    from ...memory import within_budget

    if command.k < 1 or (command.budget is not None and command.budget < 1):
        raise ConfigError("--k and --budget have to be at least 1.")
    where, ranking = make_filter(command.which), _ranking(command)
    with open_memory(command.memory, mode="read") as memory:
        hits = memory.query(command.question, command.k, where, ranking=ranking)
    if command.budget is not None:
        hits = within_budget(hits, command.budget)
    if command.json:
        _print_json({**item_as_json(hit.item), "score": hit.score, "scores": dict(hit.scores)} for hit in hits)
    elif hits:
        console = make_console()
        console.print(_answers(hits, command.question, console))
    else:
        make_console().print("No item was found.")


def list_items(command: commands.MemoryList) -> None:
    """List items."""
    from itertools import islice

    console = make_console()
    with open_memory(command.memory, mode="read") as memory:
        items = memory.items(make_filter(command.which))
        listed = list(islice(items, max(0, command.limit)))
        more = 0 if command.json else sum(1 for _ in items)
    if command.json:
        _print_json(map(item_as_json, listed))
        return
    table = Table("id", "status", "what", "feedback")
    for item in listed:
        text = f"{' '.join(item.draft.text.split())}{_whose(item)}"
        table.add_row(item.id, item.status, _plain(_shortened(text, console)), _counts(item))
    console.print(table)
    if more:
        console.print(f"{more:,} more; use --limit to list them.")


def show(command: commands.MemoryShow) -> None:
    """Show one item."""
    from dataclasses import asdict

    with open_memory(command.memory, mode="read") as memory:
        item, events = memory.get(command.id), memory.history(command.id)
    if command.json:
        history = [asdict(event) for event in events]
        _print_json([{**item_as_json(item), "replaced_by": item.replaced_by, "history": history}])
        return
    console = make_console()
    console.print(_item_table(item))
    if events:
        table = Table("time", "item", "event", "detail", title="History", title_justify="left")
        for event in events:
            table.add_row(_when(event.time), event.item, event.what, _plain(_shortened(_json(event.detail), console)))
        console.print(table)


def stats(command: commands.MemoryStats) -> None:
    """Print counts."""
    from ...memory.opening import memory_at, open_memory

    with open_memory(command.memory, mode="read") as memory:
        found: Any = memory.stats()
    if command.json:
        _print_json([found])
        return
    table = pairs(str(memory_at(command.memory)))
    for kind, counts in found["kinds"].items():
        table.add_row(f"{kind}s", ", ".join(f"{count:,} {status}" for status, count in counts.items()) or "none")
    table.add_row("from episodes", f"{found['trajectories']:,}")
    table.add_row("embedder", f"{found['embedder']}, {found['dimensions']:,} dimensions")
    table.add_row("size", megabytes(found["bytes"]))
    index = found["index"]
    described = f"{index['form']}, {index['rows']:,} items; {index['since']:,} added since"
    table.add_row("index", described if index["form"] != "none" else "none: all items are compared")
    if index["trouble"]:
        table.add_row("problem", index["trouble"])
    make_console().print(table)


def check(command: commands.MemoryCheck) -> int:
    """Check a memory; return 1 if there is a problem."""
    console = make_console()
    with open_memory(command.memory) as memory:
        problems = memory.problems()
    for problem in problems:
        say(problem)
    if not problems:
        console.print("No problems: the table, the full-text index and the vector index agree.")
    return int(bool(problems))


def export(command: commands.MemoryExport) -> None:
    """Export a memory, its skills, or what is proved as examples.

    Raises:
        ConfigError: two forms are asked for.
    """
    from ...memory import Filter
    from ...memory.exchange.examples import write_training_examples
    from ...memory.exchange.skill_files import FILE, write_skills

    if command.skills and command.examples:
        raise ConfigError("Skills and examples are two forms: export them one after the other.")
    with open_memory(command.memory, mode="read") as memory:
        if command.skills:
            written = len(write_skills(memory.items(Filter(kinds=("skill",))), command.out))
            what = f"skills, each a folder with a {FILE}"
        elif command.examples:
            written = write_training_examples(memory.items(), command.out)
            what = "examples for `pathei learn`, each of a proved item"
        else:
            written, what = memory.export_jsonl(command.out), "items with their history, as JSON lines"
    say(f"{command.out}: {written:,} {what}.")


def serve(command: commands.MemoryServe) -> None:
    """Serve a memory until the client goes away, or until Ctrl-C."""
    from ...memory.exchange.mcp_server import Scope
    from ...memory.exchange.mcp_server import serve as serve_memory

    scope = Scope(command.user, command.agent, command.session)
    mode: Literal["read", "share"] = "read" if command.read_only else "share"
    with open_memory(command.memory, mode=mode, embedder=command.embedder or "", create=True) as memory:
        serve_memory(memory, http=command.http, read_only=command.read_only, scope=scope, announce=announce)


def make_filter(which: commands.ItemSelection) -> Filter:
    """Return the filter that options describe.

    Raises:
        ConfigError: a time cannot be read.
        UnknownNameError: there is no such environment.
    """
    from ...memory.exchange.item_json import env_id_of
    from ...memory.items import STATUSES

    return Filter(
        None if which.kind is None else (which.kind,),
        env_id_of(which.env),
        which.task,
        which.success,
        read_time("after", which.after),
        read_time("before", which.before),
        STATUSES if which.status == "any" else (which.status,),
        which.user,
        which.agent,
        which.session,
        read_data(which.data),
        read_time("as-of", which.as_of),
    )


def _ranking(command: commands.MemoryQuery) -> RankingConfig:

    weights: dict[str, float] = {"recency": command.recency, "importance": command.importance}
    given = {"dense": command.dense, "lexical": command.lexical}
    weights |= {name: value for name, value in given.items() if value is not None}
    return RankingConfig(utility=command.utility, **weights)  # type: ignore[arg-type]


def _answers(hits: Iterable[Hit], question: str, console: Console) -> Table:
    """Return the hits: the best part of each on a terminal; elsewhere all of it, a line each."""
    from ...memory.exchange.item_json import preview

    seen = console.is_terminal
    between = "\n" if seen else ", "
    table = Table("", "kind", "what", "feedback", "scores", show_lines=seen)
    for rank, hit in enumerate(hits, 1):
        text = hit.item.draft.text
        what = Text(preview(text, question, _LONG) if seen else " ".join(text.split()))
        what.append(f"{between.lstrip(',')}{hit.item.id}{_whose(hit.item)}", style="dim")
        counts = _counts(hit.item).split(", ")
        scores = [f"{name:{7 if seen else 0}} {value:.2f}" for name, value in hit.scores.items()]
        table.add_row(str(rank), hit.item.draft.kind, what, between.join(counts), between.join(scores))
    return table


def _item_table(item: Item) -> Table:
    draft = item.draft
    table = pairs(item.id)
    table.add_row("text", _plain(draft.text))
    ended = f", by {item.replaced_by}" if item.replaced_by else ""
    table.add_row("status", f"{item.status}{ended}, version {item.version}")
    table.add_row("env", _plain(draft.env or "any"))
    if draft.task:
        outcome = {True: "reached", False: "not reached", None: "outcome unknown"}
        table.add_row("goal", _plain(f"{draft.task} ({outcome[draft.success]})"))
    named = {"key": draft.key, "user": draft.user, "agent": draft.agent, "session": draft.session}
    for name, value in named.items():
        if value:
            table.add_row(name, _plain(value))
    if draft.expires is not None:
        table.add_row("expires", _when(draft.expires))
    step = "" if draft.source.step is None else f", step {draft.source.step}"
    source = f"{draft.source.trajectory}{step}" if draft.source.trajectory else "added by hand"
    table.add_row("source", _plain(source))
    table.add_row("feedback", f"{_counts(item)}; first seen {_when(draft.time)}, last {_when(item.last_seen)}")
    table.add_row("weight", f"importance {draft.importance:.2f}, confidence {draft.confidence:.2f}")
    for name, value in draft.data.items():
        table.add_row(name, _plain(value if isinstance(value, str) else _json(value)))
    return table


def _whose(item: Item) -> str:
    """Return whom an item belongs to, as it follows its text: `" (user ann, session 3)"`; empty for anyone's."""
    draft = item.draft
    scopes = {"user": draft.user, "agent": draft.agent, "session": draft.session}
    named = ", ".join(f"{name} {value}" for name, value in scopes.items() if value)
    return named and f" ({named})"


def _counts(item: Item) -> str:
    return f"seen {item.seen}, helped {item.helpful}, harmed {item.harmful}"


def read_time(option: str, text: str | None) -> float | None:
    """Return the date or the time of an option as seconds since 1970; None if it was not given."""
    from ...memory.exchange.item_json import seconds_of

    return None if text is None else seconds_of(text, f"--{option}")


def read_data(pairs: Iterable[str]) -> dict[str, Any]:
    """Read data of the form `NAME=VALUE`; a value that is JSON is read as such, another one is a text.

    Raises:
        ConfigError: one has no equals sign, or two have the same name.
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise ConfigError(f"--data has to be NAME=VALUE, as in --data page=12, not {pair!r}.")
        if name in found:
            raise ConfigError(f"--data names {name!r} twice.")
        try:
            found[name] = orjson.loads(value)
        except orjson.JSONDecodeError:
            found[name] = value
    return found


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).isoformat(" ", "minutes")


def _plain(text: str) -> Text:
    """Return text whose brackets are not read as markup: actions contain them."""
    return Text(text)


def _shortened(text: str, console: Console) -> str:
    return text if len(text) <= _SHORT or not console.is_terminal else f"{text[: _SHORT - 3]}..."


def _json(value: Any) -> str:

    return orjson.dumps(value).decode()


def _print_json(values: Iterable[Mapping[str, Any]]) -> None:
    for value in values:
        print(_json(value))
