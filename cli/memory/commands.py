"""The commands of `pathei memory` as dataclasses.

The first argument names the memory: its folder, or the store that it belongs to. Each command opens it with the
embedder that it was filled with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, Positional, subcommand


@dataclass(frozen=True)
class ItemSelection:
    """Which items."""

    kind: Literal["episode", "skill", "fact"] | None = None
    """Only items of this kind.

    episode: what happened, with its outcome and lessons
    skill: a procedure, verified by executing it
    fact: how the environment is
    """
    env: str | None = None
    """Only items of this environment (a name of `pathei env list`, or a gymnasium id), and items of any."""
    task: str | None = None
    """Only items from episodes with exactly this goal."""
    success: bool | None = None
    """Only items from episodes that reached their goal (True) or failed (False)."""
    after: str | None = None
    """Only items last seen at this time or later: `2026-11-26`, or `2026-11-26T14:30`."""
    before: str | None = None
    """Only items last seen before this time."""
    status: Literal["active", "superseded", "merged", "retired", "forgotten", "any"] = "active"
    """Only items with this status.

    active: found by agents
    superseded: replaced by a later version
    merged: merged into one that says the same
    retired: failed too often, or too many
    forgotten: removed by `pathei memory forget`
    any: all of these
    """
    user: str | None = None
    """Only items of this user, and those of anyone."""
    agent: str | None = None
    """Only items of this agent, and those of any."""
    session: str | None = None
    """Only items of this session, and those of any."""
    data: tuple[str, ...] = ()
    """Only items whose data has these values: `NAME=VALUE`, as in `page=12`; `a.b` names the field `b` of `a`."""
    as_of: str | None = None
    """Items that were active at this time, with the texts that they had, instead of those of a status."""


@dataclass(frozen=True)
class MemoryBuild:
    """Build a memory from a store. Run it again to resume, or to add new episodes."""

    store: Positional[Path]
    """The directory of the experience store."""
    memory: Positional[Path | None] = None
    """The folder of the memory, created if needed; by default the folder `memory` in the store's directory."""
    builders: tuple[str, ...] = ("episodes", "skills", "lessons", "plans", "facts")
    """What is built from each episode.

    episodes: what happened, with the outcome and lessons
    skills: action sequences that bring about a condition, verified by executing them
    lessons: fixes for refused actions, verified
    plans: whole plans with the words of the goal as parameters, verified; where actions name no objects
    facts: where objects are kept, and where they end up

    Also any name of an installed entry point in the group `pathei.builders`, or `module:attribute`.
    """
    model: str | None = None
    """A language model that adds shorter plans (verified), lessons and facts for every new episode: `local:PATH`, or
    the name of a model at OPENAI_BASE_URL, with OPENAI_API_KEY."""
    embedder: str | None = None
    """The embedder of a new memory; an existing memory keeps its own.

    auto: minilm if it was fetched and what it needs is installed, else ngrams
    minilm: all-MiniLM-L6-v2 (`pathei data get minilm`)
    ngrams: hashed character n-grams, needs no weights
    endpoint:MODEL: an OpenAI-compatible endpoint (OPENAI_BASE_URL, OPENAI_API_KEY)
    st:PATH: a sentence-transformers model
    """
    success: bool | None = None
    """Only episodes that reached their goal (True) or failed (False)."""
    branches: bool = False
    """Also use the branches of search trees, each as a whole episode."""
    flags: tuple[str, ...] = ()
    """Only episodes with all of these flags, which are set in `pathei view`; `not:bad` is without `bad`."""
    feedback: bool = False
    """Also record how items of this memory served in episodes whose agent used them; each episode counts once."""
    consolidate: bool = False
    """At the end, merge items that say the same and retire failed skills, as `pathei memory consolidate` does."""


@dataclass(frozen=True)
class MemoryOperation:
    """What a command on an existing memory takes."""

    memory: Positional[Path]
    """The folder of the memory, or a store that has one."""


@dataclass(frozen=True)
class MemoryQuery(MemoryOperation):
    """Query a memory: print the best items with their scores."""

    question: Positional[str]
    """The question, in words."""
    k: int = 8
    """The maximum number of items."""
    which: OmitArgPrefixes[ItemSelection] = field(default_factory=ItemSelection)
    """Which items may be found."""
    budget: int | None = None
    """The maximum number of tokens of all texts together, as for a prompt."""
    dense: float | None = None
    """The weight of similarity in meaning; weights are relative to each other."""
    lexical: float | None = None
    """The weight of similarity in words."""
    recency: float = 0.0
    """The weight of how recently an item was seen."""
    importance: float = 0.0
    """The weight of an item's importance."""
    utility: float = 0.0
    """The weight of how often an item helped."""
    json: bool = False
    """Print one item per line, as JSON."""


@dataclass(frozen=True)
class MemoryIndexFrames:
    """Index a store's frames for `pathei memory find-frames`. Run it again to add new ones."""

    store: Positional[Path]
    """The directory of the experience store, collected with `--frames`."""
    encoder: Path
    """A run of `pathei pretrain` on frames, or a folder with an encoder of pictures that transformers reads."""
    memory: Positional[Path | None] = None
    """The folder of the memory; by default the folder `memory` in the store's directory."""


@dataclass(frozen=True)
class MemoryFindFrames(MemoryOperation):
    """Print the frames that are most like a picture, with the episode and step that show them."""

    picture: Positional[Path]
    """A picture file, such as PNG."""
    k: int = 8
    """The maximum number of frames."""
    encoder: Path | None = None
    """Where the encoder is now, if it was moved since the frames were indexed."""
    json: bool = False
    """Print one frame per line, as JSON."""


@dataclass(frozen=True)
class MemoryList(MemoryOperation):
    """List items in the order in which they were added."""

    which: OmitArgPrefixes[ItemSelection] = field(default_factory=ItemSelection)
    """Which items."""
    limit: int = 20
    """The maximum number of items."""
    json: bool = False
    """Print one item per line, as JSON."""


@dataclass(frozen=True)
class MemoryShow(MemoryOperation):
    """Show one item: its content, source and history."""

    id: Positional[str]
    """The id of the item, whatever its status."""
    json: bool = False
    """Print one line of JSON."""


@dataclass(frozen=True)
class MemoryStats(MemoryOperation):
    """Print counts of items and episodes, the size and the state of the index."""

    json: bool = False
    """Print one line of JSON."""


@dataclass(frozen=True)
class MemoryAdd:
    """Add a fact or an episode by hand. A duplicate reinforces the existing item."""

    memory: Positional[Path]
    """The folder of the memory, or a store; created if needed."""
    text: Positional[str]
    """The content, as a sentence."""
    kind: Literal["fact", "episode"] = "fact"
    """The kind of item. Skills cannot be added by hand, because they have to be verified.

    fact: how the environment is
    episode: what happened
    """
    env: str = ""
    """The environment where it holds (a name of `pathei env list`, or a gymnasium id); any by default."""
    key: str = ""
    """Its subject: a fact with the same key and environment and another text is superseded."""
    confidence: float = 0.5
    """How certain it is, from 0 to 1."""
    importance: float = 0.5
    """How important it is, from 0 to 1."""
    user: str = ""
    """Whom it concerns; anyone by default."""
    agent: str = ""
    """The agent that it belongs to; any by default."""
    session: str = ""
    """The conversation or run that it belongs to; any by default."""
    data: tuple[str, ...] = ()
    """Data for filters: `NAME=VALUE`, as in `page=12`."""
    expires: str | None = None
    """The date or the time from which it is not found: `2026-11-26`, or `2026-11-26T14:30`; never by default."""
    embedder: str | None = None
    """The embedder of a new memory: see `pathei memory build`."""


@dataclass(frozen=True)
class MemoryUpdate(MemoryOperation):
    """Change an item; its history keeps the old content."""

    id: Positional[str]
    """The id of the item."""
    text: str | None = None
    """The new text."""
    data: str | None = None
    """The new content for programs, a JSON object."""
    confidence: float | None = None
    """How certain it is, from 0 to 1."""
    importance: float | None = None
    """How important it is, from 0 to 1."""
    expires: str | None = None
    """The date or the time from which it is not found."""


@dataclass(frozen=True)
class MemoryForget(MemoryOperation):
    """Hide items from queries. They are kept, and can still be shown."""

    ids: Positional[tuple[str, ...]]
    """The ids of the items."""


@dataclass(frozen=True)
class MemoryPurge(MemoryOperation):
    """Erase items for good, with all that they replaced, their history, words and vectors. This cannot be undone.

    What was exported or copied, and the episodes in a store, are not reached.
    """

    ids: Positional[tuple[str, ...]] = ()
    """The ids of items to erase, whatever their status."""
    containing: str = ""
    """Erase every item, and every event in the history of others, that contains this text, whatever its case."""
    user: str | None = None
    """Erase every item of exactly this user."""
    session: str | None = None
    """Erase every item of exactly this session."""
    forgotten: bool = False
    """Erase every item that was forgotten."""


@dataclass(frozen=True)
class MemoryFeedback(MemoryOperation):
    """Record whether items helped: `pathei memory consolidate` retires those that do harm."""

    ids: Positional[tuple[str, ...]]
    """The ids of the items."""
    helpful: FlagCreatePairsOff[bool] = False
    """They helped."""
    harmful: FlagCreatePairsOff[bool] = False
    """They did harm."""


@dataclass(frozen=True)
class MemoryConsolidate(MemoryOperation):
    """Merge items that say the same, and retire skills that failed or exceed the limit. Nothing is destroyed."""

    uses: int = 3
    """Uses with feedback after which a skill is judged."""
    utility: float = 0.4
    """A judged skill is retired if (helpful + 1) / (helpful + harmful + 2) is below this."""
    skills: int = 200
    """The maximum number of active skills per environment."""


@dataclass(frozen=True)
class MemoryCompact(MemoryOperation):
    """Rebuild the index and free unused space. With more than 200,000 items this takes minutes."""


@dataclass(frozen=True)
class MemoryCheck(MemoryOperation):
    """Check the table, the index, and whether they agree."""


@dataclass(frozen=True)
class MemoryReembed(MemoryOperation):
    """Embed all texts with another embedder, which is used from then on."""

    embedder: str
    """The new embedder: see `pathei memory build`."""


@dataclass(frozen=True)
class MemoryExport(MemoryOperation):
    """Export everything as JSON lines, active skills as folders with a `SKILL.md`, or what is proved as examples."""

    out: Positional[Path]
    """The file to write or, with `--skills`, the folder."""
    skills: bool = False
    """Export skills as folders in the Agent Skills format, which other agents read."""
    examples: bool = False
    """Export proved skills, plans and facts as questions with answers: a run of `pathei learn` that was trained on them
    is no longer shown them by `saycan:RUN+memory:MEMORY`."""


@dataclass(frozen=True)
class MemoryImport:
    """Import a file that `pathei memory export` wrote, or all skills below a folder."""

    memory: Positional[Path]
    """The folder of the memory, or a store; created if needed."""
    source: Positional[Path]
    """The file, or a folder with `SKILL.md` files in it. Such skills are unverified: their confidence is at most 0.5,
    their counts start at 0, and none supersedes an existing skill."""
    embedder: str | None = None
    """The embedder of a new memory: see `pathei memory build`."""


@dataclass(frozen=True)
class MemoryServe:
    """Serve a memory to other programs through the Model Context Protocol (MCP), over stdio or HTTP.

    Several servers, and other commands, may use one memory: one process at a time writes.
    """

    memory: Positional[Path]
    """The folder of the memory, or a store; created if needed, except with `--read-only`."""
    http: int | None = None
    """Serve over HTTP at this port, `http://127.0.0.1:PORT/mcp`; by default over stdio."""
    read_only: bool = False
    """Omit the tools that change the memory."""
    user: str | None = None
    """Serve the items of this user and of anyone only, and add items for this user."""
    agent: str | None = None
    """Serve the items of this agent and of any only."""
    session: str | None = None
    """Serve the items of this session and of any only."""
    embedder: str | None = None
    """The embedder of a new memory: see `pathei memory build`."""


@dataclass(frozen=True)
class MemoryGroup:
    """Build, query and maintain an external memory: episodes, skills and facts."""

    command: (
        Annotated[MemoryBuild, subcommand("build")]
        | Annotated[MemoryQuery, subcommand("query")]
        | Annotated[MemoryIndexFrames, subcommand("index-frames")]
        | Annotated[MemoryFindFrames, subcommand("find-frames")]
        | Annotated[MemoryList, subcommand("list")]
        | Annotated[MemoryShow, subcommand("show")]
        | Annotated[MemoryStats, subcommand("stats")]
        | Annotated[MemoryAdd, subcommand("add")]
        | Annotated[MemoryUpdate, subcommand("update")]
        | Annotated[MemoryForget, subcommand("forget")]
        | Annotated[MemoryPurge, subcommand("purge")]
        | Annotated[MemoryFeedback, subcommand("feedback")]
        | Annotated[MemoryConsolidate, subcommand("consolidate")]
        | Annotated[MemoryCompact, subcommand("compact")]
        | Annotated[MemoryCheck, subcommand("check")]
        | Annotated[MemoryReembed, subcommand("reembed")]
        | Annotated[MemoryExport, subcommand("export")]
        | Annotated[MemoryImport, subcommand("import")]
        | Annotated[MemoryServe, subcommand("serve")]
    )
