"""What corpora contain, and what a builder of one kind returns. Not here: how examples come about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ...errors import at_least, check, unknown
from ...experience import Json

KINDS: Final = (
    "plan",
    "plan-confusing",
    "plan-bare",
    "recognition",
    "inference",
    "counting",
    "tracking",
    "location",
    "relevance",
    "irrelevance",
)
"""The kinds of example that are made unless others are asked for."""
BRANCH_KINDS: Final = ("next-state", "next-states", "contrast", "counterfactual")
"""Kinds for which episodes are played again, and left at some steps: only environments with facts and snapshots, or
deterministic ones, have them, and they cost more. They are made when they are asked for."""
GOAL_CONDITIONS: Final = "goal-conditions"
"""What a goal in words asks for, as conditions; made when it is asked for."""
ALL_KINDS: Final = (*KINDS, GOAL_CONDITIONS, *BRANCH_KINDS)
"""Every kind of example."""


@dataclass(frozen=True, slots=True)
class CorpusConfig:
    """What to make of a store."""

    kinds: tuple[str, ...] = KINDS
    """The kinds of examples: of those of the default, `goal-conditions`, or `next-state`, `next-states`, `contrast`,
    `counterfactual`, for which episodes are played again and left at some of their steps."""
    per_kind: int = 1000
    """Maximum number of examples of each kind to train on."""
    held_out_per_kind: int = 200
    """Maximum number of each kind in `seen`, and in `unseen`."""
    per_episode: int = 2
    """Maximum number of each kind from one episode."""
    max_words: int = 90
    """No prompt has more words; a story that does not fit is cut shorter or left out."""
    held_out: float = 0.1
    """Which share of the seen tasks goes to `seen`."""
    seed: int = 0
    """Wording, windows and options follow from it."""
    branches: int = 4
    """How many other admissible actions are tried at a step, for the kinds that ask about them."""
    ahead: int = 3
    """How many actions `next-states` asks about."""
    flags: tuple[str, ...] = ()
    """Only episodes with all of these flags, which people set in the viewer; `not:bad` is without `bad`."""

    def __post_init__(self) -> None:
        """Raise `ConfigError` if a field is out of range, or `UnknownNameError` for an unknown kind."""
        for kind in self.kinds:
            if kind not in ALL_KINDS:
                raise unknown("kind of example", kind, ALL_KINDS)
        rules = {
            **at_least(self, per_kind=1, held_out_per_kind=0, per_episode=1, max_words=20, seed=0),
            **at_least(self, branches=1, ahead=2),
            "held_out must be in [0, 1)": 0 <= self.held_out < 1,
        }
        check(rules, "corpus configuration")


@dataclass(frozen=True, slots=True)
class CorpusDraft:
    """An example in the making: what a builder of one kind knows of it."""

    prompt: str
    completion: str
    """Without the space before it."""
    answer: str
    """The answer by which examples are balanced: "2" for "There are 2 items on the desk. ..."."""
    step: int
    """The moment of the episode that is asked about: the number of steps done before."""
    choices: tuple[str, ...] = ()
    """Completions, the right one among them."""
    about: Mapping[str, Json] = field(default_factory=dict)
    """The question in ids, for answering it from the simulator's state."""
