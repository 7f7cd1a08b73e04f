"""Learning into an external memory: episodes, skills and facts, built from experience, with no weight changed.

    from pathei.memory import open_memory

    with open_memory("runs/home", builders="default", create=True) as memory:
        memory.add_all(trajectories)
        hits = memory.query("where do cups end up?", k=5)

| what | names |
|---|---|
| a memory | `open_memory`, `ExperienceMemory`, `EmptyMemory`, `fill_memory`, `give_feedback` |
| what it holds and finds | `Item`, `Draft`, `Source`, `Filter`, `Hit` |
| how it ranks and ages | `RankingConfig`, `within_budget`, `UpkeepConfig` |
| builders and embedders by name | `make_builder`, `make_builders`, `make_llm_builders`, `make_embedder` |
| contracts | `Memory`, `Embedder`, `Builder`, `check_memory`, `check_embedder`, `check_builder` |

Names are imported when they are first used, so `import pathei.memory` loads neither numpy nor faiss.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .builders.registry import make_builder, make_builders, make_llm_builders
    from .checks import check_builder, check_embedder, check_memory
    from .embedders.registry import make_embedder
    from .empty import EmptyMemory
    from .experience_memory import ExperienceMemory
    from .feedback import give_feedback
    from .filling import fill_memory
    from .items import Draft, Filter, Hit, Item, Source
    from .opening import open_memory
    from .protocol import Builder, Embedder, Memory
    from .retrieval.ranking import RankingConfig, within_budget
    from .upkeep import UpkeepConfig

_MODULES: Final = {
    "builders.registry": ("make_builder", "make_builders", "make_llm_builders"),
    "checks": ("check_builder", "check_embedder", "check_memory"),
    "embedders.registry": ("make_embedder",),
    "empty": ("EmptyMemory",),
    "experience_memory": ("ExperienceMemory",),
    "feedback": ("give_feedback",),
    "filling": ("fill_memory",),
    "items": ("Draft", "Filter", "Hit", "Item", "Source"),
    "opening": ("open_memory",),
    "protocol": ("Builder", "Embedder", "Memory"),
    "retrieval.ranking": ("RankingConfig", "within_budget"),
    "upkeep": ("UpkeepConfig",),
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    module = next((module for module, names in _MODULES.items() if name in names), None)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{module}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "Builder",
    "Draft",
    "Embedder",
    "EmptyMemory",
    "ExperienceMemory",
    "Filter",
    "Hit",
    "Item",
    "Memory",
    "RankingConfig",
    "Source",
    "UpkeepConfig",
    "check_builder",
    "check_embedder",
    "check_memory",
    "fill_memory",
    "give_feedback",
    "make_builder",
    "make_builders",
    "make_embedder",
    "make_llm_builders",
    "open_memory",
    "within_budget",
]
