"""The collector for an agent by name: its models and memories are loaded in the process that plays."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...agents.lm.agent import LmConfig
    from .rollout import Rollout


def make_agent_collector(
    agent: str,
    *,
    name: str | None = None,
    max_steps: int = 30,
    seed: int = 0,
    batch: int = 1,
    lm: LmConfig | None = None,
    one_thread: bool = False,
) -> Rollout:
    """Return the collector for a named agent, ready to act; call it in the process that plays.

    Args:
        agent: The agent, by any name that `agents.registry` takes except `human`.
        name: What trajectories name as their collector; the agent's own name if None.
        max_steps: The longest episode.
        seed: Mixed with each task's own seed.
        batch: How many episodes are in progress at once; a language model answers their requests together.
        lm: How a language model is asked.
        one_thread: Whether torch is limited to one thread, because this process is one of several.

    Raises:
        PatheiError: there is no such agent, or a model or a memory cannot be opened.
    """
    if one_thread:
        os.environ["OMP_NUM_THREADS"] = "1"  # read when torch is imported, which comes next
    from ...agents.registry import AgentMaker
    from .policy import AgentPolicy
    from .rollout import Rollout

    named = AgentMaker(agent, lm)
    named.prepare()
    return Rollout(
        AgentPolicy(named), name=named.collector if name is None else name, max_steps=max_steps, seed=seed, batch=batch
    )
