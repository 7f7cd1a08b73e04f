"""Agents by name, for the command line.

A name gives a function from a task to an agent, as `collectors.acting.Act` takes it. What is dear to make (a language
model) is made once, on the first task. Left out: agents with a memory, which need to be told where it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from ..errors import ConfigError, unknown
from ..experience import Task
from .backends import Backend
from .endpoint import Endpoint
from .human import HumanAgent
from .lm import LmAgent, LmConfig
from .local_model import LocalModel
from .protocol import Agent
from .random_agent import RandomAgent
from .scripted import ScriptedAgent

NAMES: Final = ("human", "lm:MODEL", "random", "scripted")
"""What can be named."""


def agent_named(name: str, lm: LmConfig | None = None) -> Callable[[Task], Agent]:
    """Return how to make the agent of a name.

    Args:
        name: `"random"`, `"scripted"` (plays what the world knows to reach the goal), `"human"`, or a language model:
            `"lm:PATH"` (or an id on the Hugging Face hub) in this process, `"lm:MODEL@URL"` at an endpoint, and
            `"lm:MODEL@"` at the one that OPENAI_BASE_URL names, or OpenAI's own.
        lm: How a language model is asked.

    Raises:
        UnknownNameError: there is no such agent.
        ConfigError: no model is named after `lm:`.
    """
    kind, _, rest = name.partition(":")
    if kind == "lm":
        if not rest:
            raise ConfigError("No language model is named: say lm:PATH, lm:MODEL@URL or lm:MODEL@.")
        return _Lm(rest, lm)
    if name == "random":
        return lambda task: RandomAgent(np.random.default_rng(task.seed))
    if name == "human":
        human = HumanAgent()
        return lambda task: human
    if name == "scripted":
        return _scripted
    raise unknown("agent", name, NAMES)


def backend_named(name: str) -> Backend:
    """Return the language model of a name: what follows `lm:` (see `agent_named`).

    Raises:
        MissingDependencyError: what it needs is not installed.
        ModelError: it cannot be loaded, or there is no key.
    """
    model, at, url = name.rpartition("@")
    return Endpoint(model, base_url=url or None) if at else LocalModel.load(name)


class _Lm:
    """Makes language-model agents that share one model, which is loaded for the first of them."""

    def __init__(self, name: str, config: LmConfig | None) -> None:
        self._name, self._config = name, config
        self._backend: Backend | None = None

    def __call__(self, task: Task) -> Agent:
        if self._backend is None:
            self._backend = backend_named(self._name)
        return LmAgent(self._backend, self._config)


def _scripted(task: Task) -> Agent:
    from ..envs.registry import demonstration_of

    return ScriptedAgent(demonstration_of(task))


__all__ = ["NAMES", "agent_named", "backend_named"]
