"""Agents by name, for the command line and for whoever plays in several processes.

| name | who acts |
|---|---|
| `random` | anybody: draws among the admissible actions |
| `scripted` | whoever does what the world knows to reach the goal |
| `human` | whoever sits at the terminal |
| `lm:PATH` | a language model in this process, from a folder or by its id on the Hugging Face hub |
| `lm:MODEL@URL` | one at an OpenAI-compatible endpoint; `lm:MODEL@` at that of OPENAI_BASE_URL, or OpenAI's own |
| `saycan:MODEL` | `SayCan`: a language model, named as after `lm:`, that plans in sentences and says what can be done |
| `skills:MEMORY` | `SkillAgent`, which acts by a memory alone; `skills:` without a memory tries things out |
| `...+memory:MEMORY` | any of these, shown what a memory holds about its goal (`MemoryAgent`) |
| `...+then:NAME` | several, one after another (`SequentialAgent`): each acts until it knows no more |

A memory is named by its folder or by that of the store whose own it is, and opened for reading.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ..envs.registry import get_verbalizer
from ..errors import ConfigError, ModelError, unknown
from ..experience import Task
from ..memory.empty import EmptyMemory
from .human import HumanAgent
from .lm.agent import LmAgent, LmConfig
from .lm.backends import Backend
from .lm.endpoint import ChatEndpoint
from .lm.local_model import LocalModel
from .lm.saycan import SayCan, SayCanConfig
from .memory import MemoryAgent
from .protocol import Agent
from .random import RandomAgent
from .scripted import ScriptedAgent
from .sequential import SequentialAgent
from .skills.agent import SkillAgent

if TYPE_CHECKING:
    from rich.console import Console

    from ..memory.experience_memory import ExperienceMemory

NAMES: Final = ("human", "lm:MODEL", "random", "saycan:MODEL", "scripted", "skills:MEMORY")
"""What can be named, followed by `+memory:MEMORY`, and several joined by `+then:`."""
_WITH: Final = "+memory:"
_THEN: Final = "+then:"
_MODELS: Final = ("lm", "saycan")
_BRIEF: Final = SayCanConfig(looks=8, misses=1)
"""Where another agent follows, who is to have some time left."""


class AgentPart(NamedTuple):
    """One agent of a name, taken apart."""

    kind: str
    rest: str
    """What follows the colon: a model or a memory."""
    memory: str | None
    """The memory that it is shown."""

    @property
    def collector(self) -> str:
        """What trajectories name it: its name, without the address of an endpoint."""
        rest = self.rest
        if self.kind in _MODELS and "@" in rest:
            rest = rest[: rest.rindex("@") + 1]
        elif rest:
            rest = str(Path(rest))
        told = f"{self.kind}:{rest}" if rest or self.kind == "skills" else self.kind
        return told if self.memory is None else f"{told}{_WITH}{Path(self.memory)}"


class NamedAgent:
    """Makes the agents of one name, as `collectors.acting.Act` takes it: a function from a task to an agent.

    What is dear, a model or a memory, is had once, for the first task or by `prepare`. It is pickled by its name, so
    that each process has its own.
    """

    def __init__(self, name: str, lm: LmConfig | None = None, console: Console | None = None) -> None:
        """Name agents; see `agent_named`."""
        self._name, self._lm, self._console = name, lm, console
        self._turns = tuple(_read(part, name) for part in name.split(_THEN))
        self._backends: dict[str, Backend] = {}
        self._human: HumanAgent | None = None
        self._memories: dict[str, ExperienceMemory] = {}

    @property
    def is_human(self) -> bool:
        """Whether a person acts."""
        return any(one.kind == "human" for one in self._turns)

    @property
    def collector(self) -> str:
        """What trajectories name as their collector: the name, without the address of an endpoint."""
        return _THEN.join(one.collector for one in self._turns)

    def prepare(self) -> None:
        """Load the models and open the memories, so that a name that leads nowhere is refused before anybody plays.

        Raises:
            MissingDependencyError: what it needs is not installed.
            ModelError: a model cannot be loaded, or there is no key.
            MemoryStoreError: there is no memory, or it cannot be opened.
        """
        self.open_memories()
        for one in self._turns:
            if one.kind in _MODELS:
                self._model(one)

    def open_memories(self) -> None:
        """Open the memories alone, which takes no time.

        Raises:
            MemoryStoreError: there is no memory, or it cannot be opened.
        """
        for one in self._turns:
            if one.kind == "skills" and one.rest:
                self._opened(one.rest)
            if one.memory is not None:
                self._opened(one.memory)

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
        last = len(self._turns) - 1
        agents = [self._agent(one, task, is_last=place == last) for place, one in enumerate(self._turns)]
        return SequentialAgent(agents) if last else agents[0]

    def __reduce__(self) -> tuple[type[NamedAgent], tuple[str, LmConfig | None]]:
        return NamedAgent, (self._name, self._lm)

    def _agent(self, one: AgentPart, task: Task, *, is_last: bool) -> Agent:
        agent = self._acting(one, task, is_last=is_last)
        return agent if one.memory is None else MemoryAgent(agent, self._opened(one.memory), env=task.env)

    def _acting(self, one: AgentPart, task: Task, *, is_last: bool) -> Agent:
        if one.kind == "lm":
            return LmAgent(self._model(one), self._lm)
        if one.kind == "saycan":
            verbalizer = get_verbalizer(task.env)
            return SayCan(self._model(one), None if is_last else _BRIEF, verbalizer=verbalizer)
        if one.kind == "skills":
            recollection = self._opened(one.rest) if one.rest else EmptyMemory()
            return SkillAgent(recollection, env=task.env, explores=is_last)
        if one.kind == "random":
            return RandomAgent(np.random.default_rng(task.seed))
        if one.kind == "human":
            self._human = self._human or HumanAgent(self._console)
            return self._human
        from ..envs.registry import demonstration_of

        return ScriptedAgent(demonstration_of(task))

    def _model(self, one: AgentPart) -> Backend:
        # `SayCan` reads plain text, whatever template a model has for chats.
        key = f"{one.kind}:{one.rest}"
        if key not in self._backends:
            self._backends[key] = backend_named(one.rest, chat=None if one.kind == "lm" else False)
        return self._backends[key]

    def _opened(self, path: str) -> ExperienceMemory:
        from ..memory.opening import open_memory

        if path not in self._memories:
            self._memories[path] = open_memory(path, mode="read")
        return self._memories[path]


def _read(text: str, name: str) -> AgentPart:
    """Take one agent's name apart.

    Raises:
        UnknownNameError: there is no such agent.
        ConfigError: no model or memory is named where one is needed.
        ModelError: a folder is named that is not there.
    """
    acts, shown, memory = text.rpartition(_WITH)
    kind, colon, rest = (acts if shown else text).partition(":")
    if kind in _MODELS and not rest:
        raise ConfigError(f"No language model is named: say {kind}:PATH, {kind}:MODEL@URL or {kind}:MODEL@.")
    if kind in _MODELS and _is_missing(rest):
        raise ModelError(f"There is no model at {rest}: name a folder that holds one, or an id on the hub.")
    if (kind == "skills" and not colon) or (shown and not memory):
        raise ConfigError("No memory is named: say skills:MEMORY, or NAME+memory:MEMORY.")
    if kind not in (*_MODELS, "skills") and (rest or kind not in NAMES):
        raise unknown("agent", name, NAMES)
    return AgentPart(kind, rest, memory if shown else None)


def agent_named(name: str, lm: LmConfig | None = None, *, console: Console | None = None) -> NamedAgent:
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
    return NamedAgent(name, lm, console)


def backend_named(name: str, *, chat: bool | None = None) -> Backend:
    """Return the language model of a name: what follows `lm:` (see the head of this file).

    Args:
        name: The model.
        chat: False for plain text, at an endpoint by its completions; None for a chat wherever that is possible.

    Raises:
        MissingDependencyError: what it needs is not installed.
        ModelError: it cannot be loaded, or there is no key.
    """
    model, at, url = name.rpartition("@")
    if at:
        return ChatEndpoint(model, base_url=url or None, api="completions" if chat is False else "chat")
    return LocalModel.load(name, chat=chat)


def _is_missing(name: str) -> bool:
    """Whether this can only be a folder, and is not there; an id on the hub is `NAME` or `OWNER/NAME`."""
    is_folder = name.startswith((".", "/")) or name.count("/") > 1
    return "@" not in name and is_folder and not Path(name).is_dir()


__all__ = ["NAMES", "NamedAgent", "agent_named", "backend_named"]
