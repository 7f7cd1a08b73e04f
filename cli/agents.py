"""Agents as the command line names them, for `pathei run` and `pathei collect`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ConfigError
from .console import tame_libraries

if TYPE_CHECKING:
    from rich.console import Console

    from ..agents.registry import AgentMaker
    from ..collectors.rollout.acting import AgentCollector
    from .commands import Collect, Lm


def agents_named(name: str, lm: Lm, console: Console | None = None) -> AgentMaker:
    """Return who acts.

    Raises:
        UnknownNameError: there is no such agent.
        ConfigError: an option is out of range, or the name lacks a model or a memory.
    """
    tame_libraries()
    from ..agents.lm.agent import LmConfig
    from ..agents.registry import AgentMaker

    return AgentMaker(name, LmConfig(**vars(lm)), console=console)


def playing(command: Collect) -> AgentMaker:
    """Return who plays tasks into a store.

    Raises:
        UnknownNameError: there is no such agent.
        ConfigError: nobody is named, or a person.
        MemoryStoreError: there is no memory of that path.
    """
    if not command.agent:
        raise ConfigError("Say who acts with --agent, as in --collector agent --agent skills:runs/home.")
    agents = agents_named(command.agent, command.lm)
    if agents.is_human:
        raise ConfigError("A person plays one episode at a time: pathei run --agent human.")
    # Before a store is made, and for each process again.
    agents.open_memories()
    agents.close()
    return agents


def acting(agent: AgentMaker, name: str, steps: int, seed: int) -> AgentCollector:
    """Return the collector for an agent, which is ready to act; called in whichever process plays.

    Raises:
        PatheiError: a model or a memory cannot be had.
    """
    from ..collectors.rollout.acting import AgentCollector

    agent.prepare()
    return AgentCollector(agent, name=name, max_steps=steps, seed=seed)


__all__ = ["acting", "agents_named", "playing"]
