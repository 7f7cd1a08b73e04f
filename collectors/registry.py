"""Collectors and goal proposers by name. The row of a collector names its options (`options`).

Other packages add rows through the Python entry point groups `pathei.collectors` and `pathei.proposers`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from ..errors import ConfigError, configured
from ..registry import Lazy, Registry

if TYPE_CHECKING:
    from .curriculum.proposers import GoalProposer
    from .options import PlaySettings
    from .protocol import Collector

_LM: Final = "lm:"
_HERE: Final = "pathei.collectors"
COLLECTORS: Final[Registry[Callable[..., Any]]] = Registry(
    "collector",
    {
        "explore": Lazy(f"{_HERE}.options:ExploreOptions", "explores without regard to the goal"),
        "mcts": Lazy(f"{_HERE}.options:MctsOptions", "searches a plan for each task, then does it"),
        "breadth": Lazy(f"{_HERE}.search.breadth:BreadthOptions", "searches a shortest plan, then does it"),
        "curriculum": Lazy(f"{_HERE}.options:CurriculumOptions", "proposes goals and tries them"),
        "scripted": Lazy(f"{_HERE}.options:ScriptedOptions", "does each task's demonstration"),
        "carry": Lazy(f"{_HERE}.options:CarryOptions", "carries things about at random"),
        "agent": Lazy(f"{_HERE}.options:AgentOptions", "lets an agent act"),
    },
)
"""The options of each collector; see `options`."""
_PROPOSERS: Final = f"{_HERE}.curriculum.proposers"
PROPOSERS: Final[Registry[Callable[[], GoalProposer]]] = Registry(
    "proposer",
    {
        "novelty": Lazy(f"{_PROPOSERS}:NoveltyProposer", "what was never achieved, the likeliest first"),
        "progress": Lazy(f"{_PROPOSERS}:LearningProgressProposer", "where the success rate changes most"),
        "uniform": Lazy(f"{_PROPOSERS}:UniformProposer", "any goal, all alike"),
    },
)
"""The goal proposers that need no model."""


def make_collector(name: str, play: PlaySettings, **options: Any) -> Collector:
    """Return a new collector by its name.

    Args:
        name: `"explore"`, `"mcts"`, `"curriculum"`, `"scripted"`, `"carry"`, `"agent"`, or another package's.
        play: What holds for every collector.
        options: The collector's own options; see `options`.

    Raises:
        UnknownNameError: there is none of that name.
        PatheiError: it cannot be made like this.
    """
    made: Collector = make_options(name, options).make(play)
    return made


def make_options(name: str, options: Mapping[str, Any]) -> Any:
    """Return the options of a collector (see `options`), by the collector's name and theirs.

    Raises:
        UnknownNameError: there is no collector, or no option, of that name; the nearest is suggested.
        ConfigError: an option is missing, of another type, or out of range; or what the name stands for is no options.
    """
    kind = COLLECTORS.get(name)
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind) and hasattr(kind, "make")):
        raise ConfigError(f"{name!r} names no options of a collector: they are a dataclass with make(play).")
    return configured(kind, f"collector {name!r}", **options)


def make_proposer(name: str) -> GoalProposer:
    """Return a new goal proposer: one of `PROPOSERS`, or `lm:MODEL` for a language model (see `agents.lm.completion`).

    Raises:
        UnknownNameError: there is none of that name; the nearest is suggested.
        ConfigError: no language model is named, or it makes no proposer.
        PatheiError: the language model cannot be used.
    """
    if name.startswith(_LM):
        if name == _LM:
            raise ConfigError("No language model is named: say lm:MODEL or lm:local:PATH.")
        from ..agents.lm.completion import complete_named
        from .curriculum.lm_proposer import LanguageModel

        return LanguageModel(complete_named(name.removeprefix(_LM)))
    made: GoalProposer = PROPOSERS.make(name, offers=["propose", "update"])
    return made
