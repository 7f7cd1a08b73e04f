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

from ..errors import unknown
from .episodes import Episodes
from .facts import Facts
from .plans import Plans
from .protocol import Builder
from .proving import Proposer, Proved
from .reflection import Lessons
from .reliving import Worlds
from .said import Hearsay, Reflections
from .skills import Skills
from .written import Complete, Written

_PLAIN: Final[Mapping[str, type[Builder]]] = MappingProxyType({"episodes": Episodes, "facts": Facts})
_PROVED: Final[Mapping[str, type[Proposer]]] = MappingProxyType({"skills": Skills, "lessons": Lessons, "plans": Plans})
BUILDERS: Final = ("episodes", "skills", "lessons", "plans", "facts")
"""All that need no model, by name."""


def builders_named(names: Iterable[str]) -> tuple[Builder, ...]:
    """Return builders by their names, in order; those of skills prove them, in worlds that they share.

    Raises:
        UnknownNameError: there is none of a name.
    """
    worlds = Worlds()
    found: list[Builder] = []
    for name in names:
        if name not in BUILDERS:
            raise unknown("builder", name, BUILDERS)
        found.append(_PLAIN[name]() if name in _PLAIN else Proved(_PROVED[name](), worlds))
    return tuple(found)


def default_builders() -> tuple[Builder, ...]:
    """Return one of each."""
    return builders_named(BUILDERS)


def model_builders(complete: Complete, model: str = "") -> tuple[Builder, ...]:
    """Return the builders that ask a model: for skills, which are proved, for lessons, and for facts.

    Args:
        complete: The model, a function from a prompt to a text; `pathei.agents.completion.complete_named` gives one.
        model: What it is called; kept with every item.
    """
    return Written(complete, model=model), Reflections(complete, model), Hearsay(complete, model)


__all__ = ["BUILDERS", "builders_named", "default_builders", "model_builders"]
