"""Agents as the command line names them, for `pathei run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .console import tame_libraries

if TYPE_CHECKING:
    from rich.console import Console

    from ..agents.registry import AgentMaker
    from ..collectors.options import LmOptions


def agents_named(name: str, lm: LmOptions, console: Console | None = None) -> AgentMaker:
    """Return who acts.

    Raises:
        UnknownNameError: there is no such agent.
        ConfigError: an option is out of range, or the name lacks a model or a memory.
    """
    tame_libraries()
    from ..agents.lm.agent import LmConfig
    from ..agents.registry import AgentMaker

    return AgentMaker(name, LmConfig(**vars(lm)), console=console)


__all__ = ["agents_named"]
