"""The records of a memory: episodes, skills and facts, each with its source and how often it helped.

A `Draft` is a proposal to remember something; an `Item` is what a memory holds. Not here: storage (`storage`), search
(`retrieval`), and how drafts are made from episodes (`builders`).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, Final, Literal

from ..errors import ConfigError
from ..experience import Json, html_table, shorten

Kind = Literal["episode", "skill", "fact"]
"""An episode is what happened, its outcome and its lessons; a skill is a procedure, verified by executing it; a fact
states how the environment is."""
KINDS: Final[tuple[Kind, ...]] = ("episode", "skill", "fact")

Mode = Literal["write", "share", "read"]
"""How a memory is opened; see `ExperienceMemory.open`."""

Status = Literal["active", "superseded", "merged", "retired", "forgotten"]
"""Only active items are found. A superseded fact was contradicted by a later one, a merged item duplicated another, a
retired skill failed too often, a forgotten item was removed on request. All can still be read by id."""
STATUSES: Final[tuple[Status, ...]] = ("active", "superseded", "merged", "retired", "forgotten")

_TEXTS: Final = ("env", "task", "user", "agent", "session")
_TIMES: Final = ("after", "before", "as_of")
"""The fields of a filter that are texts and times."""


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
    user: str = ""
    """Whom it concerns or belongs to; empty for anyone. Scopes (user, agent, session) never mix: a text of one does not
    reinforce or supersede a text of another."""
    agent: str = ""
    """The agent that it belongs to; empty for any."""
    session: str = ""
    """The conversation or run that it belongs to; empty for any."""
    expires: float | None = None
    """When it stops being found, in seconds since 1970; None for never."""

    @property
    def peers(self) -> tuple[str, ...]:
        """What two drafts must have in common to be about the same: kind, environment and scopes."""
        return (self.kind, self.env, self.user, self.agent, self.session)


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
    """How often it was observed: texts that say the same reinforce it."""
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
    user: str | None = None
    """Items of this user, and those of anyone."""
    agent: str | None = None
    """Items of this agent, and those of any."""
    session: str | None = None
    """Items of this session, and those of any."""
    data: Mapping[str, str | float | bool] | tuple[tuple[str, str | float | bool], ...] = ()
    """Items whose data has these values, by the name of a field; `"source.page"` names a field of a field."""
    as_of: float | None = None
    """Items that were active at this time, in seconds since 1970, instead of those that have one of `statuses`; an item
    that was forgotten since is not found. Items have the text that they had then."""

    def __post_init__(self) -> None:
        """Check the fields, and store sequences as tuples, so that a filter can be hashed.

        Raises:
            ConfigError: at least one has no possible value; all are named.
        """
        problems = [f"{name} is a text, not {value!r}" for name, value in self._given(_TEXTS) if not _is_text(value)]
        for name, value in self._given(_TIMES):
            if not is_finite(value):
                problems.append(f"{name} is a finite number of seconds since 1970, not {value!r}")
        if not (problems or self.after is None or self.before is None or self.after <= self.before):
            problems.append(f"nothing was observed after {self.after} and before {self.before}")
        if self.success is not None and not isinstance(self.success, bool):
            problems.append(f"success is true, false or None, not {self.success!r}")
        for name, known in (("kinds", KINDS), ("statuses", STATUSES)):
            chosen = getattr(self, name)
            if isinstance(chosen, list | tuple | Set) and all(one in known for one in chosen):
                object.__setattr__(self, name, tuple(chosen))
            elif chosen is not None or name == "statuses":
                problems.append(f"{name} is a tuple of some of {', '.join(known)}, not {chosen!r}")
        pairs: tuple[tuple[Any, Any], ...] = ((self.data, None),)
        with contextlib.suppress(TypeError, ValueError):
            pairs = tuple(sorted(dict(self.data).items()))
        for name, value in pairs:
            if not _is_text(name) or not (_is_text(value) or isinstance(value, bool) or is_finite(value)):
                problems.append(f"data is compared by name with a text, a number, true or false, unlike {name!r}")
        if problems:
            raise ConfigError(f"Such a filter cannot be: {'; '.join(problems)}.")
        object.__setattr__(self, "data", pairs)

    def _given(self, names: Iterable[str]) -> list[tuple[str, Any]]:
        return [(name, value) for name in names if (value := getattr(self, name)) is not None]

    def is_exactly(self, draft: Draft) -> bool:
        """Return whether a draft has the environment and scopes of this filter, where it names any."""
        pairs = (
            (self.env, draft.env),
            (self.user, draft.user),
            (self.agent, draft.agent),
            (self.session, draft.session),
        )
        return all(asked in (None, own) for asked, own in pairs)


def is_finite(value: object) -> bool:
    """Return whether a value is a number that a database holds: finite, and of 64 bits if it is whole."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    return abs(int(value)) < 2**63 if isinstance(value, Integral) else math.isfinite(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


@dataclass(frozen=True, slots=True)
class Hit:
    """An item that was found, with its scores."""

    item: Item
    score: float
    """The score that orders hits; higher is better."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """The parts of the score, each in [0, 1]: `dense`, `lexical`, `names` where the question names numbers or codes,
    and on request `recency`, `importance`, `utility`; also the `cosine` with the question. `dense` and `lexical`
    compare the candidates of one question: the best has 1, however little it answers; `cosine` is not relative."""

    def __repr__(self) -> str:
        return f"Hit({self.score:.3g}, {self.item.draft.kind}, {shorten(self.item.draft.text)})"

    def _repr_html_(self) -> str:
        draft = self.item.draft
        return html_table(("score", "kind", "text"), [(f"{self.score:.3g}", draft.kind, draft.text)])
