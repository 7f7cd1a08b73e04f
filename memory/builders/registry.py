"""Builders by name.

| name | what |
|---|---|
| `episodes` | what happened, with the outcome and lessons |
| `skills` | action sequences that bring about a condition, verified by executing them |
| `lessons` | fixes for refused actions, verified |
| `plans` | whole plans with the words of the goal as parameters, verified; where actions name no objects |
| `facts` | where objects are kept, and where they end up |

None of them uses a language model; `make_llm_builders` returns those that do. Another package adds a builder with an
entry point in the group `pathei.builders`: a function without arguments that returns a `Builder`, such as a
`VerifiedSkills`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from ...registry import Registry
from ..protocol import Builder
from ..verification.verify import VerifiedSkills
from .episodes import EpisodeBuilder
from .facts import FactBuilder
from .llm.notes import LlmFacts, LlmReflections
from .llm.skills import Complete, LlmSkills
from .plans import propose_plan
from .reflection import propose_fixes
from .skills import SkillBuilder


def _skills() -> Builder:
    """Builds skills from episodes with graph facts, verified by executing them."""
    return VerifiedSkills(SkillBuilder().propose)


def _lessons() -> Builder:
    """Builds skills that fix refusals, verified by executing them."""
    return VerifiedSkills(propose_fixes)


def _plans() -> Builder:
    """Builds whole plans from successful episodes without object-level skills, verified by executing them."""
    return VerifiedSkills(propose_plan)


BUILDERS: Final = Registry[Callable[[], Builder]](
    "builder",
    {
        "episodes": EpisodeBuilder,
        "skills": _skills,
        "lessons": _lessons,
        "plans": _plans,
        "facts": FactBuilder,
    },
)
"""Functions that make a builder."""
DEFAULT: Final = ("episodes", "skills", "lessons", "plans", "facts")


def make_builder(name: str) -> Builder:
    """Make a builder by its name: one of the table above, of an installed entry point, or `module:attribute`.

    Raises:
        UnknownNameError: there is none of this name.
        ConfigError: it makes no builder.
    """
    made: Builder = BUILDERS.make(name, offers=["build"])
    return made


def make_builders(names: Iterable[str] = DEFAULT) -> tuple[Builder, ...]:
    """Make builders by their names, in order; they share the environments in which skills are verified.

    Raises:
        UnknownNameError, ConfigError: see `make_builder`.
    """
    made = tuple(map(make_builder, names))
    verifying = [one for one in made if isinstance(one, VerifiedSkills)]
    for one in verifying[1:]:
        one.envs = verifying[0].envs
    return made


def make_llm_builders(complete: Complete, model: str = "") -> tuple[Builder, ...]:
    """Make the builders that use a language model: verified skills, lessons and facts.

    Args:
        complete: The model, a function from a prompt to a text; see `pathei.agents.lm.completion`.
        model: Its name, which is stored with every item.
    """
    return LlmSkills(complete, model=model), LlmReflections(complete, model), LlmFacts(complete, model)
