"""What a memory holds: episodes, skills and facts, each with where it comes from and how it has served.

A `Draft` is what somebody proposes to remember; an `Item` is what a memory holds. Left out: where items are kept
(`database`), how they are found (`retrieval`), how they come about (`builders`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from ..experience import Json

Kind = Literal["episode", "skill", "fact"]
"""An episode is what happened, with its outcome and what to learn from it; a skill is a procedure that was proved by
carrying it out; a fact is what the world is like."""
KINDS: Final[tuple[Kind, ...]] = ("episode", "skill", "fact")

Status = Literal["active", "superseded", "merged", "retired", "forgotten"]
"""Only active items are found. A superseded fact was contradicted by a later one, a merged item said the same as
another, a retired skill failed too often, a forgotten item was forgotten on demand. All can still be read by id."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where an item was lived."""

    trajectory: str
    """The id of the trajectory; empty for what was told and not lived."""
    step: int | None = None
    """The step at which it showed, from 0; None for the whole of it."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody proposes to remember."""

    kind: Kind
    text: str
    """What it says, distilled to a sentence or a short paragraph: this is embedded, indexed and put into prompts."""
    world: str
    """The gymnasium id of the world it holds in; empty for anywhere."""
    key: str = ""
    """What it is about: drafts of one kind, world and key speak of the same thing. A fact with the key and another text
    supersedes; a skill with the key is a new version; an equal text reinforces. Empty: compared by meaning only."""
    task: str = ""
    """The goal, in words, of the episode that it comes from."""
    success: bool | None = None
    """Whether that episode reached its goal."""
    data: Mapping[str, Json] = field(default_factory=dict)
    """Its content for programs, plain JSON: a skill's parameters, preconditions, effects and steps; a fact's object,
    relation and place; an episode's actions and reflection."""
    time: float = 0.0
    """When it was lived, in seconds since 1970; 0 for now."""
    importance: float = 0.5
    """How much it matters, in [0, 1] (Park et al. 2023)."""
    confidence: float = 1.0
    """How sure it is, in [0, 1]."""
    source: Source = Source("")


@dataclass(frozen=True, slots=True)
class Item:
    """What a memory holds."""

    id: str
    draft: Draft
    """What it says, and where it comes from."""
    status: Status = "active"
    version: int = 1
    """Of a skill or fact, counted per key."""
    seen: int = 1
    """How often it was lived: near duplicates reinforce it."""
    helpful: int = 0
    """How often it served in an episode in which it was used."""
    harmful: int = 0
    """How often it did harm."""
    last_seen: float = 0.0
    """When it was lived last, in seconds since 1970."""
    replaced_by: str | None = None
    """The id of the item that took its place, if it is superseded or merged."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which items a query is about. What is None does not matter."""

    kinds: tuple[Kind, ...] | None = None
    world: str | None = None
    """Items of this world, and those that hold anywhere."""
    task: str | None = None
    """Exactly this goal."""
    success: bool | None = None
    after: float | None = None
    """Last lived at this time or later, in seconds since 1970."""
    before: float | None = None
    """Last lived before this time."""
    statuses: tuple[Status, ...] = ("active",)


@dataclass(frozen=True, slots=True)
class Hit:
    """An item that was found, with the reasons."""

    item: Item
    score: float
    """What hits are ordered by; higher is better."""
    why: Mapping[str, float] = field(default_factory=dict)
    """The parts of the score, each in [0, 1]: `dense`, `lexical`, and where asked for `recency`, `importance`,
    `utility`."""


__all__ = ["KINDS", "Draft", "Filter", "Hit", "Item", "Kind", "Source", "Status"]
