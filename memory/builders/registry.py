"""Builders by name.

| name | what |
|---|---|
| `episodes` | what happened, with the outcome and lessons |
| `skills` | action sequences that bring about a condition, verified by executing them |
| `lessons` | fixes for refused actions, verified |
| `plans` | whole plans with the words of the goal as parameters, verified; where actions name no objects |
| `facts` | where objects are kept, and where they end up |

None of them uses a language model; `make_llm_builders` returns those that do. Another package adds a builder with an
entry point in the group `pathei.builders`: a function without arguments that returns a `Builder`, or a `SkillProposer`
whose skills are verified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from ...registry import Registry
from ..protocol import Builder
from ..verification.replay import ReplayEnvs
from ..verification.verify import SkillProposer, VerifiedSkills
from .episodes import EpisodeBuilder
from .facts import FactBuilder
from .llm.notes import LlmFacts, LlmReflections
from .llm.skills import Complete, LlmSkills
from .plans import PlanBuilder
from .reflection import ReflectionBuilder
from .skills import SkillBuilder

BUILDERS: Final = Registry[Callable[[], Builder | SkillProposer]](
    "builder",
    {
        "episodes": EpisodeBuilder,
        "skills": SkillBuilder,
        "lessons": ReflectionBuilder,
        "plans": PlanBuilder,
        "facts": FactBuilder,
    },
)
"""Functions that make a builder, or a proposer of skills."""
DEFAULT: Final = ("episodes", "skills", "lessons", "plans", "facts")


def make_builder(name: str, envs: ReplayEnvs | None = None) -> Builder:
    """Make a builder by its name; one that proposes skills verifies them.

    Args:
        name: A name of the table above, of an installed entry point, or `module:attribute`.
        envs: The environments in which skills are verified.

    Raises:
        UnknownNameError: there is none of this name.
    """
    made = BUILDERS.get(name)()
    return VerifiedSkills(made, envs) if isinstance(made, SkillProposer) else made


def make_builders(names: Iterable[str] = DEFAULT) -> tuple[Builder, ...]:
    """Make builders by their names, in order; they share the environments in which skills are verified.

    Raises:
        UnknownNameError: there is none of a name.
    """
    envs = ReplayEnvs()
    return tuple(make_builder(name, envs) for name in names)


def make_llm_builders(complete: Complete, model: str = "") -> tuple[Builder, ...]:
    """Make the builders that use a language model: verified skills, lessons and facts.

    Args:
        complete: The model, a function from a prompt to a text; see `pathei.agents.lm.completion`.
        model: Its name, which is stored with every item.
    """
    return LlmSkills(complete, model=model), LlmReflections(complete, model), LlmFacts(complete, model)


__all__ = ["BUILDERS", "DEFAULT", "make_builder", "make_builders", "make_llm_builders"]
