"""The commands of `pathei memory` as data, as `commands` has the others.

The first argument names the memory: its folder, or the store whose own it is. Each opens it with the embedder that it
was filled with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, Positional, subcommand


@dataclass(frozen=True)
class Which:
    """Which items."""

    kind: Literal["episode", "skill", "fact"] | None = None
    """Only of this kind."""
    world: str | None = None
    """Only of this world (its name in `pathei env list`, or a gymnasium id), and what holds anywhere."""
    task: str | None = None
    """Only from episodes with exactly this goal."""
    success: bool | None = None
    """Only from episodes that reached their goal (True) or failed to (False)."""
    after: str | None = None
    """Only lived last at this time or later: `2026-11-26`, or `2026-11-26T14:30`."""
    before: str | None = None
    """Only lived last before this time."""
    status: Literal["active", "superseded", "merged", "retired", "forgotten", "any"] = "active"
    """What has become of them; a query finds active ones unless it is asked otherwise."""


@dataclass(frozen=True)
class MemoryBuild:
    """Remember what a store holds. Run it again to go on where it stopped, or when the store has grown."""

    store: Positional[Path]
    """The experience store's directory."""
    memory: Positional[Path | None] = None
    """The memory's folder, made if it is not there; a folder `memory` in the store's directory if left out."""
    builders: tuple[str, ...] = ("episodes", "skills", "lessons", "plans", "facts")
    """What is made of an episode."""
    model: str | None = None
    """A language model that says more about every episode that is new: a shorter plan, which is kept if it is proved,
    lessons, and where things are. `local:PATH`, or a model at OPENAI_BASE_URL, with OPENAI_API_KEY."""
    embedder: str | None = None
    """For a new memory: `minilm`, `ngrams`, `endpoint:MODEL`, `st:PATH`, or `auto`, which is `minilm` where it was
    fetched and else `ngrams`. One that is there keeps its own."""
    success: bool | None = None
    """Only episodes that reached their goal (True) or failed to (False)."""
    branches: bool = False
    """Also the branches of search trees, each as a whole episode."""
    feedback: bool = False
    """Also tell the memory how its items served in episodes whose agent used them; each episode counts once."""
    consolidate: bool = False
    """At the end, merge near duplicates and retire what failed, as `pathei memory consolidate` does."""


@dataclass(frozen=True)
class MemoryQuery:
    """Ask a memory: the items that answer best, and why."""

    memory: Positional[Path]
    """The memory's folder, or a store with one."""
    question: Positional[str]
    """The question, in words."""
    k: int = 8
    """At most so many items."""
    which: OmitArgPrefixes[Which] = field(default_factory=Which)
    """Which items may answer."""
    budget: int | None = None
    """At most so many tokens of text together, as for a prompt."""
    dense: float | None = None
    """How much likeness in meaning counts; the weights are relative to each other."""
    lexical: float | None = None
    """How much likeness in words counts."""
    recency: float = 0.0
    """How much it counts that an item was lived lately."""
    importance: float = 0.0
    """How much it counts that an item matters."""
    utility: float = 0.0
    """How much it counts that an item helped when it was used."""
    json: bool = False
    """For programs: one item per line, as JSON."""


@dataclass(frozen=True)
class MemoryList:
    """List items, in the order in which they were added."""

    memory: Positional[Path]
    """The memory's folder, or a store with one."""
    which: OmitArgPrefixes[Which] = field(default_factory=Which)
    """Which items."""
    limit: int = 20
    """At most so many."""
    json: bool = False
    """For programs: one item per line, as JSON."""


@dataclass(frozen=True)
class MemoryShow:
    """Show one item: what it says, where it comes from, and what has happened to it."""

    memory: Positional[Path]
    """The memory's folder, or a store with one."""
    id: Positional[str]
    """The item's id, whatever its status."""
    json: bool = False
    """For programs: one line of JSON."""


@dataclass(frozen=True)
class MemoryStats:
    """Count what a memory holds."""

    memory: Positional[Path]
    """The memory's folder, or a store with one."""
    json: bool = False
    """For programs: one line of JSON."""


@dataclass(frozen=True)
class MemoryAdd:
    """Remember a fact, or what happened, by hand. What says the same as another item reinforces it."""

    memory: Positional[Path]
    """The memory's folder, or a store; made if it is not there."""
    text: Positional[str]
    """What is to be remembered, in a sentence."""
    kind: Literal["fact", "episode"] = "fact"
    """What it is. Skills are not told, they prove themselves."""
    world: str = ""
    """The world that it holds in (its name in `pathei env list`, or a gymnasium id); anywhere if left out."""
    key: str = ""
    """What it is about: a fact of the same key and world that says something else is superseded."""
    confidence: float = 0.5
    """How sure it is, from 0 to 1."""
    importance: float = 0.5
    """How much it matters, from 0 to 1."""
    embedder: str | None = None
    """For a new memory: see `pathei memory build`."""


@dataclass(frozen=True)
class MemoryUpdate:
    """Change an item; what it said before is kept in its history."""

    memory: Positional[Path]
    """The memory's folder, or a store with one."""
    id: Positional[str]
    """The item's id."""
    text: str | None = None
    """What it says now."""
    data: str | None = None
    """Its content for programs, a JSON object in place of the one that it has."""
    confidence: float | None = None
    """How sure it is, from 0 to 1."""
    importance: float | None = None
    """How much it matters, from 0 to 1."""


@dataclass(frozen=True)
class MemoryForget:
    """Let items be found no more. They are kept, and can still be shown."""

    memory: Positional[Path]
    """The memory's folder, or a store with one."""
    ids: Positional[tuple[str, ...]]
    """The ids of the items."""


@dataclass(frozen=True)
class MemoryFeedback:
    """Tell how items served: those that do harm are retired by `pathei memory consolidate`."""

    memory: Positional[Path]
    """The memory's folder, or a store with one."""
    ids: Positional[tuple[str, ...]]
    """The ids of the items."""
    helpful: FlagCreatePairsOff[bool] = False
    """They helped."""
    harmful: FlagCreatePairsOff[bool] = False
    """They did harm."""


@dataclass(frozen=True)
class MemoryConsolidate:
    """Merge near duplicates, and retire what failed or is too much. Nothing is destroyed."""

    memory: Positional[Path]
    """The memory's folder, or a store with one."""
    uses: int = 3
    """A skill is judged after so many uses whose outcome was told."""
    utility: float = 0.4
    """It is retired if (helpful + 1) / (helpful + harmful + 2) is below this."""
    skills: int = 200
    """So many skills stay active in each world."""


@dataclass(frozen=True)
class MemoryCompact:
    """Make the index anew, and give unused space back. With more than 200,000 items this takes minutes."""

    memory: Positional[Path]
    """The memory's folder, or a store with one."""


@dataclass(frozen=True)
class MemoryCheck:
    """Look for damage: in the table, in the index, and whether they agree."""

    memory: Positional[Path]
    """The memory's folder, or a store with one."""


@dataclass(frozen=True)
class MemoryReembed:
    """Embed all texts anew, with another embedder, which is used from then on."""

    memory: Positional[Path]
    """The memory's folder, or a store with one."""
    embedder: str
    """`minilm`, `ngrams`, `endpoint:MODEL`, `st:PATH` or `auto`."""


@dataclass(frozen=True)
class MemoryExport:
    """Write everything into a file of JSON lines, or the active skills into folders with a `SKILL.md`."""

    memory: Positional[Path]
    """The memory's folder, or a store with one."""
    out: Positional[Path]
    """The file to make or, with `--skills`, the folder."""
    skills: bool = False
    """Write skills as folders that other agents read, too."""


@dataclass(frozen=True)
class MemoryImport:
    """Take over a file that `pathei memory export` wrote, or all skills below a folder."""

    memory: Positional[Path]
    """The memory's folder, or a store; made if it is not there."""
    source: Positional[Path]
    """The file, or a folder with `SKILL.md` files in it. Nothing has proved such skills here: their confidence is at
    most 0.5, how they served elsewhere does not count, and none takes the place of one that is here."""
    embedder: str | None = None
    """For a new memory: see `pathei memory build`."""


@dataclass(frozen=True)
class MemoryServe:
    """Serve a memory to other programs by the Model Context Protocol, over stdio or HTTP."""

    memory: Positional[Path]
    """The memory's folder, or a store; made if it is not there, unless it is only read."""
    http: int | None = None
    """A port of this machine, `http://127.0.0.1:PORT/mcp`; without it, over stdio."""
    read_only: bool = False
    """Leave out the tools that change something. Several processes may then serve it."""
    embedder: str | None = None
    """For a new memory: see `pathei memory build`."""


@dataclass(frozen=True)
class Memory:
    """What was learned into an external memory: episodes, skills and facts."""

    command: (
        Annotated[MemoryBuild, subcommand("build")]
        | Annotated[MemoryQuery, subcommand("query")]
        | Annotated[MemoryList, subcommand("list")]
        | Annotated[MemoryShow, subcommand("show")]
        | Annotated[MemoryStats, subcommand("stats")]
        | Annotated[MemoryAdd, subcommand("add")]
        | Annotated[MemoryUpdate, subcommand("update")]
        | Annotated[MemoryForget, subcommand("forget")]
        | Annotated[MemoryFeedback, subcommand("feedback")]
        | Annotated[MemoryConsolidate, subcommand("consolidate")]
        | Annotated[MemoryCompact, subcommand("compact")]
        | Annotated[MemoryCheck, subcommand("check")]
        | Annotated[MemoryReembed, subcommand("reembed")]
        | Annotated[MemoryExport, subcommand("export")]
        | Annotated[MemoryImport, subcommand("import")]
        | Annotated[MemoryServe, subcommand("serve")]
    )
