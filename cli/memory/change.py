"""The commands that change a memory: `build`, `add`, `import`, `update`, `forget`, `feedback`, and its upkeep.

One process at a time changes a memory. Whatever is told was committed before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from ...errors import ConfigError
from ..console import complain, make_console, tame_libraries
from .ask import world_id
from .commands import (
    MemoryAdd,
    MemoryBuild,
    MemoryCompact,
    MemoryConsolidate,
    MemoryFeedback,
    MemoryForget,
    MemoryImport,
    MemoryReembed,
    MemoryUpdate,
)

if TYPE_CHECKING:
    from rich.console import Console

    from ...memory.experience_memory import ExperienceMemory
    from ...memory.filling import BuildReport
    from ...memory.protocol import Builder
    from ...memory.upkeep import ConsolidationReport
    from ...memory.verification.verify import SkillVerifier

_LISTED: Final = 20
"""So many of the items that a consolidation ended are listed."""


def build(command: MemoryBuild) -> int:
    """Remember what a store holds."""
    from ...memory.builders.llm_notes import LlmFacts, LlmReflections
    from ...memory.builders.registry import builders_named, model_builders
    from ...memory.filling import BuildTally, fill
    from ...memory.opening import FOLDER, memory_at, open_memory
    from ...memory.verification.verify import VerifiedSkills
    from ...store import ExperienceStore

    console, builders = make_console(), builders_named(command.builders)
    asking: Sequence[Builder] = ()
    if command.model is not None:
        from ...agents.lm.completion import complete_named

        tame_libraries()
        asking = model_builders(complete_named(command.model), command.model)
    tally = BuildTally((*builders, *asking))
    path = command.store / FOLDER if command.memory is None else command.memory
    with (
        ExperienceStore.open(command.store, mode="read") as store,
        open_memory(path, embedder=command.embedder or "", builders=[tally], make=True) as memory,
    ):
        total = None if command.success is not None else len(store) if command.branches else store.info().episodes
        try:
            with _progress(console, total) as watch:
                filled = fill(
                    memory,
                    store,
                    tally,
                    success=command.success,
                    branches=command.branches,
                    feedback=command.feedback,
                    watch=watch,
                )
            done = memory.consolidate() if command.consolidate else None
        except KeyboardInterrupt:
            complain(f"Stopped: what was remembered is kept in {path}. Run the same command again to go on.")
            return 130
        _tell_filled(console, str(memory_at(path)), filled, memory.stats())
        _tell_proofs(console, [one.proofs for one in builders if isinstance(one, VerifiedSkills)])
        if dropped := sum(one.dropped for one in asking if isinstance(one, LlmReflections | LlmFacts)):
            console.print(f"What {command.model} said and could not be read, and was left out: {dropped:,}.")
        if done is not None:
            _tell_consolidation(console, memory, done)
    return 0


def add(command: MemoryAdd) -> None:
    """Remember what somebody says."""
    from ...memory.items import Draft
    from ...memory.opening import open_memory

    draft = Draft(
        command.kind,
        command.text.strip(),
        world_id(command.world) or "",
        key=command.key,
        importance=command.importance,
        confidence=command.confidence,
    )
    with open_memory(command.memory, embedder=command.embedder or "", make=True) as memory:
        item = memory.get(memory.add_drafts([draft])[0])
    how = "new" if item.seen == 1 else f"known already, and reinforced: seen {item.seen} times"
    make_console().print(f"{item.id} ({how})", soft_wrap=True)


def take_over(command: MemoryImport) -> None:
    """Take over a file of items, or skills."""
    from ...memory.filling import adopt
    from ...memory.opening import open_memory
    from ...memory.skill_files import read_skills
    from ...memory.verification.verify import UNPROVED

    console = make_console()
    drafts = read_skills(command.source) if command.source.is_dir() else None
    with open_memory(command.memory, embedder=command.embedder or "", make=True) as memory:
        if drafts is None:
            console.print(f"{memory.import_jsonl(command.source):,} new items.")
            return
        new = adopt(memory, drafts)
    unproved = (
        f" Nothing has proved them here: they have a confidence of at most {UNPROVED}, and `pathei memory consolidate`"
        " retires those that feedback speaks against."
    )
    console.print(f"{len(new):,} new skills of {len(drafts):,}.{unproved if new else ''}", soft_wrap=True)


def update(command: MemoryUpdate) -> None:
    """Change an item."""
    import orjson

    from ...memory.opening import open_memory

    data: Any = None
    if command.data is not None:
        try:
            data = orjson.loads(command.data)
        except ValueError as error:
            raise ConfigError(f"--data is no JSON ({error}).") from error
        if not isinstance(data, dict):
            raise ConfigError('--data has to be a JSON object, as in \'{"place": "kitchen"}\'.')
    given = (command.text, data, command.confidence, command.importance)
    if all(one is None for one in given):
        raise ConfigError("Say what is to change: --text, --data, --confidence or --importance.")
    with open_memory(command.memory) as memory:
        memory.update(
            command.id, text=command.text, data=data, importance=command.importance, confidence=command.confidence
        )
    make_console().print(f"{command.id} is changed.", soft_wrap=True)


def forget(command: MemoryForget) -> None:
    """Let items be found no more."""
    from ...memory.opening import open_memory

    ids = _some(command.ids)
    with open_memory(command.memory) as memory:
        count = memory.forget(ids)
    rest = "" if count == len(set(ids)) else f" of {len(set(ids))}; the others were not active"
    make_console().print(f"{count} forgotten{rest}.")


def feedback(command: MemoryFeedback) -> None:
    """Note how items served."""
    from ...memory.opening import open_memory

    ids = _some(command.ids)
    if command.helpful == command.harmful:
        raise ConfigError("Say how they served: either --helpful or --harmful.")
    with open_memory(command.memory) as memory:
        memory.feedback(ids, helpful=command.helpful)
        items = [memory.get(id_) for id_ in dict.fromkeys(ids)]
    for item in items:
        make_console().print(f"{item.id} has helped {item.helpful} times and done harm {item.harmful} times.")


def consolidate(command: MemoryConsolidate) -> None:
    """Merge and retire."""
    from ...memory.opening import open_memory
    from ...memory.upkeep import UpkeepConfig

    policy = UpkeepConfig(command.uses, command.utility, {"skill": command.skills})
    with open_memory(command.memory) as memory:
        _tell_consolidation(make_console(), memory, memory.consolidate(policy))


def compact(command: MemoryCompact) -> None:
    """Make the index anew."""
    from ...memory.opening import open_memory
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


def reembed(command: MemoryReembed) -> None:
    """Embed all texts anew."""
    from ...memory.opening import open_memory

    with open_memory(command.memory, embedder=command.embedder, reembed=True) as memory:
        found: Any = memory.stats()
    count = sum(sum(one.values()) for one in found["kinds"].values())
    make_console().print(f"All {count:,} texts are embedded with {found['embedder']}.", soft_wrap=True)


def _some(ids: Sequence[str]) -> Sequence[str]:
    if not ids:
        raise ConfigError("Name at least one item by its id.")
    return ids


def _tell_filled(console: Console, title: str, filled: BuildReport, now: Any) -> None:
    from rich.table import Table

    console.print(f"Remembered in {title}:", markup=False, soft_wrap=True)
    table = Table("")
    for name in ("new", "reinforced", "superseded", "active now"):
        table.add_column(name, justify="right")
    for kind, counts in now["kinds"].items():
        row = (filled.new[kind], filled.reinforced[kind], filled.superseded[kind], counts.get("active", 0))
        table.add_row(f"{kind}s", *(f"{number:,}" for number in row))
    console.print(table)
    known = f", {filled.episodes - filled.fresh:,} known before" if filled.fresh < filled.episodes else ""
    console.print(f"{filled.fresh:,} new episodes{known}; {filled.seconds:.1f} s; embedder {now['embedder']}.")
    if filled.told:
        console.print(
            f"Feedback of {filled.told:,} episodes: items helped {filled.helpful:,} times and did harm "
            f"{filled.harmful:,} times, what was told before not counted."
        )
    if filled.elsewhere:
        console.print(f"{filled.elsewhere:,} episodes used items that are not of this memory: nothing is told of them.")


def _tell_proofs(console: Console, proofs: Sequence[SkillVerifier]) -> None:
    tried = sum(one.tried for one in proofs)
    failed = sum(one.failed for one in proofs)
    unproved = sum(one.unproved for one in proofs)
    if tried or failed:
        console.print(
            f"Skills that were carried out before they were kept: {tried + failed:,}; of these did not do what they "
            f"claim, and were left out: {failed:,}."
        )
    if unproved:
        console.print(f"Skills that could not be carried out, and were kept with half the confidence: {unproved:,}.")


def _tell_consolidation(console: Console, memory: ExperienceMemory, done: ConsolidationReport) -> None:
    from rich.table import Table
    from rich.text import Text

    console.print(f"Merged: {len(done.merged):,}. Retired: {len(done.retired):,}.")
    ended = [*done.merged, *done.retired]
    if not ended:
        return
    table = Table("id", "what became of it", "what it says")
    for id_ in ended[:_LISTED]:
        item = memory.get(id_)
        how = f"merged into {item.replaced_by}" if item.replaced_by else item.status
        served = f"helped {item.helpful}, harmed {item.harmful}"
        table.add_row(id_, f"{how} ({served})", Text(item.draft.text, overflow="ellipsis", no_wrap=True))
    console.print(table)
    if len(ended) > _LISTED:
        console.print(f"{len(ended) - _LISTED:,} more; `pathei memory list --status retired` or `merged` lists them.")


@contextmanager
def _progress(console: Console, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show how many episodes have been read, where there is a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("Remembering"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    with bar:
        job = bar.add_task("", total=total)
        yield lambda done: bar.update(job, completed=done)


__all__ = ["add", "build", "compact", "consolidate", "feedback", "forget", "reembed", "take_over", "update"]
