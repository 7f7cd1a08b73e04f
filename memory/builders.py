"""Builders by name: what turns a trajectory into what is worth remembering of it.

| name | what |
|---|---|
| `episodes` | what happened, with the outcome and the reflection on it |
| `skills` | what brings about what, from what actions changed |
| `lessons` | what mended a refusal |
| `plans` | whole plans with the words of the goal left open, in worlds without facts |
| `facts` | where things are kept, and where they end up |

None of them calls a model; `written.Written` is the builder for where the user has one.
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
from .skills import Skills

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


__all__ = ["BUILDERS", "builders_named", "default_builders"]
