"""Agents by name, for the command line and for whoever plays in several processes.

| name | who acts |
|---|---|
| `random` | anybody: draws among the admissible actions |
| `scripted` | whoever does what the world knows to reach the goal |
| `human` | whoever sits at the terminal |
| `lm:PATH` | a language model in this process, from a folder or by its id on the Hugging Face hub |
| `lm:MODEL@URL` | one at an OpenAI-compatible endpoint; `lm:MODEL@` at that of OPENAI_BASE_URL, or OpenAI's own |
| `skills:MEMORY` | `SkillAgent`, which acts by a memory alone |
| `...+memory:MEMORY` | any of these, shown what a memory holds about its goal (`WithMemory`) |

A memory is named by its folder or by that of the store whose own it is, and opened for reading.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ..errors import ConfigError, ModelError, unknown
from ..experience import Task
from .backends import Backend
from .endpoint import Endpoint
from .human import HumanAgent
from .lm import LmAgent, LmConfig
from .local_model import LocalModel
from .memory_agent import WithMemory
from .planner import SkillAgent
from .protocol import Agent
from .random_agent import RandomAgent
from .scripted import ScriptedAgent

if TYPE_CHECKING:
    from rich.console import Console

    from ..memory.experience_memory import ExperienceMemory

NAMES: Final = ("human", "lm:MODEL", "random", "scripted", "skills:MEMORY")
"""What can be named, and followed by `+memory:MEMORY`."""
_WITH: Final = "+memory:"


class Named:
    """Makes the agents of one name, as `collectors.acting.Act` takes it: a function from a task to an agent.

    What is dear, a model or a memory, is had once, for the first task or by `prepare`. It is pickled by its name, so
    that each process has its own.
    """

    def __init__(self, name: str, lm: LmConfig | None = None, console: Console | None = None) -> None:
        """Name agents; see `agent_named`."""
        self._name, self._lm, self._console = name, lm, console
        acts, shown, memory = name.rpartition(_WITH)
        self._kind, _, self._rest = (acts if shown else name).partition(":")
        self._memory = memory if shown else None
        self._check()
        self._backend: Backend | None = None
        self._human: HumanAgent | None = None
        self._memories: dict[str, ExperienceMemory] = {}

    @property
    def is_human(self) -> bool:
        """Whether a person acts."""
        return self._kind == "human"

    @property
    def collector(self) -> str:
        """What trajectories name as their collector: the name, without the address of an endpoint."""
        rest = self._rest
        if self._kind == "lm" and "@" in rest:
            rest = rest[: rest.rindex("@") + 1]
        elif rest:
            rest = str(Path(rest))
        told = f"{self._kind}:{rest}" if rest else self._kind
        return told if self._memory is None else f"{told}{_WITH}{Path(self._memory)}"

    def prepare(self) -> None:
        """Load the model and open the memories, so that a name that leads nowhere is refused before anybody plays.

        Raises:
            MissingDependencyError: what it needs is not installed.
            ModelError: a model cannot be loaded, or there is no key.
            MemoryStoreError: there is no memory, or it cannot be opened.
        """
        self.open_memories()
        if self._kind == "lm":
            self._model()

    def open_memories(self) -> None:
        """Open the memories alone, which takes no time.

        Raises:
            MemoryStoreError: there is no memory, or it cannot be opened.
        """
        if self._kind == "skills":
            self._opened(self._rest)
        if self._memory is not None:
            self._opened(self._memory)

    def close(self) -> None:
        """Close the memories; agents that use one cannot act any more."""
        while self._memories:
            self._memories.popitem()[1].close()

    def __call__(self, task: Task) -> Agent:
        """Return the agent for a task.

        Raises:
            UnknownNameError, ConfigError: the agent is `scripted`, and the world knows no demonstration.
            MissingDependencyError, ModelError, MemoryStoreError: see `prepare`.
        """
        agent = self._acting(task)
        return agent if self._memory is None else WithMemory(agent, self._opened(self._memory), world=task.env)

    def __reduce__(self) -> tuple[type[Named], tuple[str, LmConfig | None]]:
        return Named, (self._name, self._lm)

    def _check(self) -> None:
        if self._kind == "lm" and not self._rest:
            raise ConfigError("No language model is named: say lm:PATH, lm:MODEL@URL or lm:MODEL@.")
        if self._kind == "lm" and _is_missing(self._rest):
            raise ModelError(f"There is no model at {self._rest}: name a folder that holds one, or an id on the hub.")
        if (self._kind == "skills" and not self._rest) or self._memory == "":
            raise ConfigError("No memory is named: say skills:MEMORY, or NAME+memory:MEMORY.")
        if self._kind not in ("lm", "skills") and (self._rest or self._kind not in NAMES):
            raise unknown("agent", self._name, NAMES)

    def _acting(self, task: Task) -> Agent:
        if self._kind == "lm":
            return LmAgent(self._model(), self._lm)
        if self._kind == "skills":
            return SkillAgent(self._opened(self._rest), world=task.env)
        if self._kind == "random":
            return RandomAgent(np.random.default_rng(task.seed))
        if self._kind == "human":
            self._human = self._human or HumanAgent(self._console)
            return self._human
        from ..envs.registry import demonstration_of

        return ScriptedAgent(demonstration_of(task))

    def _model(self) -> Backend:
        if self._backend is None:
            self._backend = backend_named(self._rest)
        return self._backend

    def _opened(self, path: str) -> ExperienceMemory:
        from ..memory.opening import open_memory

        if path not in self._memories:
            self._memories[path] = open_memory(path, mode="read")
        return self._memories[path]


def agent_named(name: str, lm: LmConfig | None = None, *, console: Console | None = None) -> Named:
    """Return how to make the agents of a name; see the head of this file.

    Args:
        name: Who acts.
        lm: How a language model is asked.
        console: Where a human is shown the world and asked; the terminal if None.

    Raises:
        UnknownNameError: there is no such agent.
        ConfigError: no model or memory is named where one is needed.
        ModelError: a folder is named that is not there.
    """
    return Named(name, lm, console)


def backend_named(name: str) -> Backend:
    """Return the language model of a name: what follows `lm:` (see the head of this file).

    Raises:
        MissingDependencyError: what it needs is not installed.
        ModelError: it cannot be loaded, or there is no key.
    """
    model, at, url = name.rpartition("@")
    return Endpoint(model, base_url=url or None) if at else LocalModel.load(name)


def _is_missing(name: str) -> bool:
    """Whether this can only be a folder, and is not there; an id on the hub is `NAME` or `OWNER/NAME`."""
    is_folder = name.startswith((".", "/")) or name.count("/") > 1
    return "@" not in name and is_folder and not Path(name).is_dir()


__all__ = ["NAMES", "Named", "agent_named", "backend_named"]
