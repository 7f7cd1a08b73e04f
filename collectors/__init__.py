"""Collectors play tasks and yield experience: exploration, agents, search and the curriculum; `collect` stores it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .checks import check_collector, check_policy, check_proposer
    from .coverage import Coverage
    from .curriculum.collector import Curriculum, CurriculumConfig
    from .protocol import Collector, episode_seed
    from .rollout.collect import CollectReport, collect
    from .rollout.episode import Recorder
    from .rollout.explore import ExplorePolicy, make_explorer
    from .rollout.policy import AgentPolicy, Policy, PolicyReport, play
    from .rollout.pool import collect_parallel
    from .rollout.rollout import Rollout
    from .search.collector import MctsConfig, SearchPolicy, make_searcher
    from .search.skill_policy import SkillPolicy

_MODULES: Final = {
    "checks": ("check_collector", "check_policy", "check_proposer"),
    "coverage": ("Coverage",),
    "curriculum.collector": ("Curriculum", "CurriculumConfig"),
    "protocol": ("Collector", "episode_seed"),
    "rollout.collect": ("CollectReport", "collect"),
    "rollout.episode": ("Recorder",),
    "rollout.explore": ("ExplorePolicy", "make_explorer"),
    "rollout.policy": ("AgentPolicy", "Policy", "PolicyReport", "play"),
    "rollout.pool": ("collect_parallel",),
    "rollout.rollout": ("Rollout",),
    "search.collector": ("MctsConfig", "SearchPolicy", "make_searcher"),
    "search.skill_policy": ("SkillPolicy",),
}
"""Where each public name is; imported when it is asked for, so that the command line's help stays fast."""


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(importlib.import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "AgentPolicy",
    "CollectReport",
    "Collector",
    "Coverage",
    "Curriculum",
    "CurriculumConfig",
    "ExplorePolicy",
    "MctsConfig",
    "Policy",
    "PolicyReport",
    "Recorder",
    "Rollout",
    "SearchPolicy",
    "SkillPolicy",
    "check_collector",
    "check_policy",
    "check_proposer",
    "collect",
    "collect_parallel",
    "episode_seed",
    "make_explorer",
    "make_searcher",
    "play",
]
