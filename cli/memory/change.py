"""The commands that change a memory: `build`, `add`, `import`, `update`, `forget`, `feedback`, and its upkeep.

One process at a time may change a memory. Changes are committed before they are printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from ...collectors.progress import progress_bar
from ...errors import ConfigError
from ...memory import open_memory
from ...memory.experience_memory import ExperienceMemory
from ...memory.filling import BuildReport
from ...memory.protocol import Builder
from ...memory.upkeep import ConsolidationReport
from ...memory.verification.verify import VerificationCounts
from ..console import make_console, print_error, say, tame_libraries
from . import commands
from .ask import read_data, read_time

_LISTED: Final = 20
"""The number of merged and retired items that are listed."""


def build(command: commands.MemoryBuild) -> int:
    """Build a memory from a store."""
    from ...memory import make_builders, make_llm_builders
    from ...memory.builders.llm.notes import LlmFacts, LlmReflections
    from ...memory.filling import BuildTally, fill_memory
    from ...memory.opening import FOLDER, memory_at, open_memory
    from ...memory.verification.verify import VerifiedSkills
    from ...store import ExperienceStore

    console, builders = make_console(), make_builders(command.builders)
    llm_builders: Sequence[Builder] = ()
    if command.model is not None:
        from ...agents.lm.completion import complete_named

        tame_libraries()
        llm_builders = make_llm_builders(complete_named(command.model), command.model)
    tally = BuildTally((*builders, *llm_builders))
    path = command.store / FOLDER if command.memory is None else command.memory
    with (
        ExperienceStore.open(command.store, mode="read") as store,
        open_memory(path, embedder=command.embedder or "", builders=[tally], create=True) as memory,
    ):
        total = None if command.success is not None else len(store) if command.branches else store.info().episodes
        try:
            with progress_bar(console, "Building") as advance:
                report = fill_memory(
                    memory,
                    store,
                    tally,
                    success=command.success,
                    branches=command.branches,
                    flags=command.flags,
                    feedback=command.feedback,
                    watch=lambda done: advance(done, total),
                )
            done = memory.consolidate() if command.consolidate else None
        except KeyboardInterrupt:
            print_error(f"Interrupted: {path} keeps the episodes added so far. Run the same command again to resume.")
            return 130
        _print_report(console, str(memory_at(path)), report, memory.stats())
        _print_verification(console, [one.counts for one in builders if isinstance(one, VerifiedSkills)])
        if dropped := sum(one.dropped for one in llm_builders if isinstance(one, LlmReflections | LlmFacts)):
            console.print(f"Lines of {command.model} that could not be read and were dropped: {dropped:,}.")
        if done is not None:
            _print_consolidation(console, memory, done)
    return 0


def add(command: commands.MemoryAdd) -> None:
    """Add an item by hand."""
    from ...memory import Draft
    from ...memory.exchange.item_json import end_of, env_id_of

    draft = Draft(
        command.kind,
        command.text.strip(),
        env_id_of(command.env) or "",
        key=command.key,
        importance=command.importance,
        confidence=command.confidence,
        user=command.user,
        agent=command.agent,
        session=command.session,
        data=read_data(command.data),
        expires=None if command.expires is None else end_of(command.expires, "--expires"),
    )
    with open_memory(command.memory, embedder=command.embedder or "", create=True) as memory:
        item = memory.get(memory.add_drafts([draft])[0])
    how = "new" if item.seen == 1 else f"already present, reinforced: seen {item.seen} times"
    say(f"{item.id} ({how})")


def import_items(command: commands.MemoryImport) -> None:
    """Import a file of items, or skills."""
    from ...memory.exchange.skill_files import read_skills
    from ...memory.filling import import_skills
    from ...memory.verification.verify import UNVERIFIED

    console = make_console()
    drafts = read_skills(command.source) if command.source.is_dir() else None
    with open_memory(command.memory, embedder=command.embedder or "", create=True) as memory:
        if drafts is None:
            before: Any = memory.stats()["items"]
            count = memory.import_jsonl(command.source)
            after: Any = memory.stats()["items"]
            console.print(f"{count:,} new items, {after - before:,} of them active.")
            return
        new = import_skills(memory, drafts)
    advice = (
        f" They are unverified: their confidence is at most {UNVERIFIED}, and `pathei memory consolidate` retires"
        " those with bad feedback."
    )
    say(f"{len(new):,} new skills of {len(drafts):,}.{advice if new else ''}")


def update(command: commands.MemoryUpdate) -> None:
    """Change an item."""
    import orjson

    data: Any = None
    if command.data is not None:
        try:
            data = orjson.loads(command.data)
        except ValueError as error:
            raise ConfigError(f"--data is not JSON ({error}).") from error
        if not isinstance(data, dict):
            raise ConfigError('--data has to be a JSON object, as in \'{"place": "kitchen"}\'.')
    expires = read_time("expires", command.expires)
    given = (command.text, data, command.confidence, command.importance, expires)
    if all(one is None for one in given):
        raise ConfigError("Nothing to change: pass --text, --data, --confidence, --importance or --expires.")
    with open_memory(command.memory) as memory:
        memory.update(
            command.id,
            text=command.text,
            data=data,
            importance=command.importance,
            confidence=command.confidence,
            expires=expires,
        )
    say(f"{command.id} is changed.")


def forget(command: commands.MemoryForget) -> None:
    """Hide items from queries."""
    ids = _at_least_one(command.ids)
    with open_memory(command.memory) as memory:
        count = memory.forget(ids)
    rest = "" if count == len(set(ids)) else f" of {len(set(ids))}; the others were not active"
    make_console().print(f"{count} forgotten{rest}.")


def purge(command: commands.MemoryPurge) -> None:
    """Erase items for good."""
    from ...memory import Filter
    from ...memory.items import STATUSES

    console, where = make_console(), None
    if command.forgotten or command.user is not None or command.session is not None:
        statuses = ("forgotten",) if command.forgotten else STATUSES
        where = Filter(statuses=statuses, user=command.user, session=command.session)
    if where is None and not command.ids and not command.containing.strip():
        raise ConfigError("Nothing to erase: pass ids, --containing, --user, --session or --forgotten.")
    with open_memory(command.memory) as memory:
        done = memory.purge(command.ids, containing=command.containing.strip(), where=where)
    events = f", and {done.events:,} events of others" if done.events else ""
    say(f"{done.items:,} items erased, with those that they had replaced{events}.")
    if not done.is_clean:
        say(
            "Another process is reading the memory, so its log still holds what was erased: end that process, and run"
            f" `pathei memory compact {command.memory}`."
        )
    console.print("Exports, copies and episodes in a store are not reached.")


def feedback(command: commands.MemoryFeedback) -> None:
    """Record whether items helped."""
    ids = _at_least_one(command.ids)
    if command.helpful == command.harmful:
        raise ConfigError("Pass either --helpful or --harmful.")
    with open_memory(command.memory) as memory:
        memory.feedback(ids, helpful=command.helpful)
        items = [memory.get(id_) for id_ in dict.fromkeys(ids)]
    for item in items:
        make_console().print(f"{item.id}: helped {item.helpful} times, harmed {item.harmful} times.")


def consolidate(command: commands.MemoryConsolidate) -> None:
    """Merge and retire."""
    from ...memory.upkeep import UpkeepConfig

    policy = UpkeepConfig(command.uses, command.utility, {"skill": command.skills})
    with open_memory(command.memory) as memory:
        _print_consolidation(make_console(), memory, memory.consolidate(policy))


def compact(command: commands.MemoryCompact) -> None:
    """Rebuild the index."""
    from ...views.tables import megabytes

    with open_memory(command.memory) as memory:
        before: Any = memory.stats()
        memory.compact()
        after: Any = memory.stats()
    index = after["index"]
    make_console().print(
        f"{megabytes(before['bytes'])} before, {megabytes(after['bytes'])} now; index: {index['form']}, "
        f"{index['rows']:,} items."
    )


def reembed(command: commands.MemoryReembed) -> None:
    """Embed all texts with another embedder."""
    with open_memory(command.memory, embedder=command.embedder, reembed=True) as memory:
        found: Any = memory.stats()
    count = sum(sum(one.values()) for one in found["kinds"].values())
    say(f"All {count:,} texts are embedded with {found['embedder']}.")


def _at_least_one(ids: Sequence[str]) -> Sequence[str]:
    if not ids:
        raise ConfigError("Pass the id of at least one item.")
    return ids


def _print_report(console: Console, title: str, report: BuildReport, now: Any) -> None:

    say(f"Memory {title}:")
    table = Table("items")
    for name in ("new", "reinforced", "superseded", "active now"):
        table.add_column(name, justify="right")
    for kind, counts in now["kinds"].items():
        row = (report.new[kind], report.reinforced[kind], report.superseded[kind], counts.get("active", 0))
        table.add_row(f"{kind}s", *(f"{number:,}" for number in row))
    console.print(table)
    read = f"{report.fresh:,} episodes of the store were new"
    known = f", {report.episodes - report.fresh:,} known before" if report.fresh < report.episodes else ""
    console.print(f"{read}{known}; {report.seconds:.1f} s; embedder {now['embedder']}.")
    if report.judged:
        console.print(
            f"New feedback from {report.judged:,} episodes: items helped {report.helpful:,} times and did harm "
            f"{report.harmful:,} times."
        )
    if report.foreign:
        console.print(f"Feedback from {report.foreign:,} episodes was skipped: they used items of another memory.")


def _print_verification(console: Console, counts: Sequence[VerificationCounts]) -> None:
    verified = sum(one.verified for one in counts)
    failed = sum(one.failed for one in counts)
    unverified = sum(one.unverified for one in counts)
    if verified or failed:
        console.print(f"Skills tested by executing them: {verified + failed:,}; failed and not kept: {failed:,}.")
    if unverified:
        console.print(f"Skills that could not be tested, kept with half the confidence: {unverified:,}.")


def _print_consolidation(console: Console, memory: ExperienceMemory, done: ConsolidationReport) -> None:
    from rich.text import Text

    console.print(f"Merged: {len(done.merged):,}. Retired: {len(done.retired):,}.")
    ended = [*done.merged, *done.retired]
    if not ended:
        return
    table = Table("id", "status", "text")
    for id_ in ended[:_LISTED]:
        item = memory.get(id_)
        how = f"merged into {item.replaced_by}" if item.replaced_by else item.status
        counts = f"helped {item.helpful}, harmed {item.harmful}"
        table.add_row(id_, f"{how} ({counts})", Text(item.draft.text, overflow="ellipsis", no_wrap=True))
    console.print(table)
    if len(ended) > _LISTED:
        console.print(f"{len(ended) - _LISTED:,} more: see `pathei memory list --status retired` or `merged`.")
