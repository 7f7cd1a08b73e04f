"""The records of a memory: episodes, skills and facts, each with its source and how often it helped.

A `Draft` is a proposal to remember something; an `Item` is what a memory holds. Not here: storage (`storage`), search
(`retrieval`), and how drafts are made from episodes (`builders`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from ..experience import Json

Kind = Literal["episode", "skill", "fact"]
"""An episode is what happened, its outcome and its lessons; a skill is a procedure, verified by executing it; a fact
states how the environment is."""
KINDS: Final[tuple[Kind, ...]] = ("episode", "skill", "fact")

Status = Literal["active", "superseded", "merged", "retired", "forgotten"]
"""Only active items are found. A superseded fact was contradicted by a later one, a merged item duplicated another, a
retired skill failed too often, a forgotten item was removed on request. All can still be read by id."""


@dataclass(frozen=True, slots=True)
class Source:
    """The episode that an item comes from."""

    trajectory: str
    """The id of the trajectory; empty if the item was added by hand."""
    step: int | None = None
    """The step that shows it, counted from 0; None for the whole episode."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposal to remember something."""

    kind: Kind
    text: str
    """A sentence or a short paragraph: this is embedded, indexed and put into prompts."""
    env: str
    """The gymnasium id of the environment where it holds; empty for any."""
    key: str = ""
    """Its subject: drafts with the same kind, environment and key are about the same thing. An equal text reinforces
    the item; another text supersedes a fact, and makes a new version of a skill. Empty: compared by meaning only."""
    task: str = ""
    """The goal text of the episode that it comes from."""
    success: bool | None = None
    """Whether that episode reached its goal."""
    data: Mapping[str, Json] = field(default_factory=dict)
    """The content for programs, plain JSON: a skill's parameters, preconditions, effects and steps; a fact's object,
    relation and place; an episode's actions and reflection."""
    time: float = 0.0
    """When it was observed, in seconds since 1970; 0 for now."""
    importance: float = 0.5
    """How much it matters, in [0, 1] (Park et al. 2023)."""
    confidence: float = 1.0
    """How certain it is, in [0, 1]."""
    source: Source = Source("")


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a memory."""

    id: str
    draft: Draft
    """Its content and source."""
    status: Status = "active"
    version: int = 1
    """The version of a skill or fact, counted per key."""
    seen: int = 1
    """How often it was observed: near duplicates reinforce it."""
    helpful: int = 0
    """In how many episodes it helped."""
    harmful: int = 0
    """In how many episodes it did harm."""
    last_seen: float = 0.0
    """When it was last observed, in seconds since 1970."""
    replaced_by: str | None = None
    """The id of the item that replaced it, if it is superseded or merged."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which items a query may return. A field that is None does not restrict."""

    kinds: tuple[Kind, ...] | None = None
    env: str | None = None
    """Items of this environment, and those of any."""
    task: str | None = None
    """Exactly this goal text."""
    success: bool | None = None
    after: float | None = None
    """Last observed at this time or later, in seconds since 1970."""
    before: float | None = None
    """Last observed before this time."""
    statuses: tuple[Status, ...] = ("active",)


@dataclass(frozen=True, slots=True)
class Hit:
    """An item that was found, with its scores."""

    item: Item
    score: float
    """The score that orders hits; higher is better."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """The parts of the score, each in [0, 1]: `dense`, `lexical`, and on request `recency`, `importance`, `utility`;
    also the `cosine` with the question."""
