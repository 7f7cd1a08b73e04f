"""Builders by name: what turns a trajectory into what is worth remembering of it.

| name | what |
|---|---|
| `episodes` | what happened, with the outcome and the reflection on it |
| `skills` | what brings about what, from what actions changed |
| `lessons` | what mended a refusal |
| `plans` | whole plans with the words of the goal left open, in worlds without facts |
| `facts` | where things are kept, and where they end up |

None of them calls a model; `model_builders` gives those for where the user has one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from ...errors import unknown
from ..protocol import Builder
from ..verification.replay import ReplayEnvs
from ..verification.verify import SkillProposer, VerifiedSkills
from .episodes import EpisodeBuilder
from .facts import FactBuilder
from .llm_notes import LlmFacts, LlmReflections
from .llm_skills import Complete, LlmSkills
from .plans import PlanBuilder
from .reflection import ReflectionBuilder
from .skills import SkillBuilder

_PLAIN: Final[Mapping[str, type[Builder]]] = MappingProxyType({"episodes": EpisodeBuilder, "facts": FactBuilder})
_PROVED: Final[Mapping[str, type[SkillProposer]]] = MappingProxyType(
    {"skills": SkillBuilder, "lessons": ReflectionBuilder, "plans": PlanBuilder}
)
BUILDERS: Final = ("episodes", "skills", "lessons", "plans", "facts")
"""All that need no model, by name."""


def builders_named(names: Iterable[str]) -> tuple[Builder, ...]:
    """Return builders by their names, in order; those of skills prove them, in worlds that they share.

    Raises:
        UnknownNameError: there is none of a name.
    """
    worlds = ReplayEnvs()
    found: list[Builder] = []
    for name in names:
        if name not in BUILDERS:
            raise unknown("builder", name, BUILDERS)
        found.append(_PLAIN[name]() if name in _PLAIN else VerifiedSkills(_PROVED[name](), worlds))
    return tuple(found)


def default_builders() -> tuple[Builder, ...]:
    """Return one of each."""
    return builders_named(BUILDERS)


def model_builders(complete: Complete, model: str = "") -> tuple[Builder, ...]:
    """Return the builders that ask a model: for skills, which are proved, for lessons, and for facts.

    Args:
        complete: The model, a function from a prompt to a text; `pathei.agents.lm.completion.complete_named` gives one.
        model: What it is called; kept with every item.
    """
    return LlmSkills(complete, model=model), LlmReflections(complete, model), LlmFacts(complete, model)


__all__ = ["BUILDERS", "builders_named", "default_builders", "model_builders"]
