"""Agents by name, for the command line and for collecting in several processes.

A name is one or more agents joined by `+then:`; each acts until it has nothing more to do. An agent is a kind, with an
argument after a colon where it takes one, and `+memory:MEMORY` if it is shown what a memory holds about its goal:
`skills:runs/home+then:lm:Qwen/Qwen3-0.6B+memory:runs/home`. `AgentSpec.parse` reads this grammar; `pathei list agent`
lists the kinds.

A model that is loaded in this process is a run of `pathei learn`, an adapter, a model's folder, a GGUF file, an id on
the Hugging Face hub or `tiny`; `MODEL@URL` is one at an OpenAI-compatible endpoint, and `MODEL@` one at that of
OPENAI_BASE_URL. A memory is its folder or that of its store; it is opened for
reading. `module:Name`, or an entry point of the group `pathei.agents`, names a class or function that
makes an agent: it is called with the task if it takes an argument, else with none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np

from ..errors import ConfigError, name_of, unknown
from ..experience import Task
from ..memory.empty import EmptyMemory, MemoryWithout
from ..pretrained import find_model, learned_items
from ..registry import Registry, make_part, takes
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
    from ..memory.protocol import Memory

_WITH: Final = "+memory:"
_THEN: Final = "+then:"
_LAST: Final = SayCanConfig(sentences=24, ends=False)
"""For an agent that nobody follows: it goes on as long as it may."""
_BRIEF: Final = SayCanConfig(looks=8, misses=1)
"""For an agent that another one follows: it gives up early, so that the next has steps left."""


class AgentKind(NamedTuple):
    """One kind of agent that comes with pathei."""

    what: str
    """What it is, in one line."""
    argument: Literal["", "MODEL", "MEMORY"] = ""
    """What follows the colon; a memory may be left out, the colon may not."""


AGENTS: Final[Registry[Any]] = Registry(
    "agent",
    {
        "random": AgentKind("chooses uniformly among the admissible actions"),
        "scripted": AgentKind("plays the environment's demonstration of the task"),
        "human": AgentKind("asks the person at the terminal"),
        "lm": AgentKind("lm:MODEL, a language model that chooses or writes actions", "MODEL"),
        "saycan": AgentKind("saycan:MODEL, a language model that plans in sentences that can be done", "MODEL"),
        "skills": AgentKind("skills:MEMORY, acts by a memory alone; without a memory it explores", "MEMORY"),
    },
)
"""The kinds of agents by name."""


class AgentPart(NamedTuple):
    """One agent of a name."""

    kind: str
    """A name of `AGENTS`, or `module:Name`."""
    argument: str = ""
    """A model or a memory."""
    memory: str | None = None
    """The memory that it is shown."""

    @property
    def takes(self) -> str:
        """What argument its kind takes; empty for none."""
        kind = _builtin(self.kind)
        return "" if kind is None else kind.argument

    def __str__(self) -> str:
        colon = ":" if self.takes else ""
        return f"{self.kind}{colon}{self.argument}" + ("" if self.memory is None else f"{_WITH}{self.memory}")

    @property
    def recorded_as(self) -> str:
        """The name in trajectories: paths in their normal form, the address of an endpoint left out."""
        argument = self.argument
        if self.takes == "MODEL" and "@" in argument:
            argument = argument[: argument.rindex("@") + 1]
        elif argument:
            argument = str(Path(argument))
        memory = None if self.memory is None else str(Path(self.memory))
        return str(AgentPart(self.kind, argument, memory))


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """Who acts: one agent, or several that act one after another."""

    parts: tuple[AgentPart, ...]

    @classmethod
    def parse(cls, name: str) -> AgentSpec:
        """Read a name; see the head of this file.

        Raises:
            UnknownNameError: there is no such kind of agent; the nearest is suggested.
            ConfigError: it is no text, no model or memory is named where one is needed, or `module:Name` cannot be
                imported.
            ModelError: the name is that of a path, and there is no model.
        """
        parts = name_of(name, "agent (MODULE:CLASS where it is your own)").split(_THEN)
        return cls(tuple(map(_read, parts)))

    def __str__(self) -> str:
        return _THEN.join(str(part) for part in self.parts)

    @property
    def recorded_as(self) -> str:
        """The name of its trajectories' collector: the spec, without the address of an endpoint."""
        return _THEN.join(part.recorded_as for part in self.parts)


class AgentMaker:
    """Makes the agents of one name: a function from a task to an agent.

    Models and memories are expensive, so they are loaded once: on the first task, or by `prepare`. Pickling keeps the
    name only, so each process loads its own.
    """

    def __init__(self, spec: AgentSpec | str, lm: LmConfig | None = None, *, console: Console | None = None) -> None:
        """Choose who acts.

        Args:
            spec: The agent, or its name.
            lm: How a language model is asked.
            console: Where a human sees the environment and answers; the terminal if None.

        Raises:
            UnknownNameError, ConfigError, ModelError: see `AgentSpec.parse`.
        """
        self.spec = spec if isinstance(spec, AgentSpec) else AgentSpec.parse(spec)
        self._lm, self._console = lm, console
        self._backends: dict[str, Backend] = {}
        self._human: HumanAgent | None = None
        self._memories: dict[str, ExperienceMemory] = {}
        self._without: dict[AgentPart, Memory] = {}

    @property
    def is_human(self) -> bool:
        """Whether a person acts."""
        return any(part.kind == "human" for part in self.spec.parts)

    @property
    def collector(self) -> str:
        """The name of its trajectories' collector."""
        return self.spec.recorded_as

    def prepare(self) -> None:
        """Load the models and open the memories, so that a wrong name is refused before an episode begins.

        Raises:
            MissingDependencyError: a package that a model needs is not installed.
            ModelError: a model cannot be loaded, or there is no key.
            MemoryStoreError: there is no memory, or it cannot be opened.
        """
        self.open_memories()
        for part in self.spec.parts:
            if part.takes == "MODEL":
                self._model(part)

    def open_memories(self) -> None:
        """Open the memories only, which is fast.

        Raises:
            MemoryStoreError: there is no memory, or it cannot be opened.
        """
        for part in self.spec.parts:
            if part.takes == "MEMORY" and part.argument:
                self._opened(part.argument)
            if part.memory is not None:
                self._opened(part.memory)

    def close(self) -> None:
        """Close the memories; agents that use one cannot act any more."""
        self._without.clear()
        while self._memories:
            self._memories.popitem()[1].close()

    def __call__(self, task: Task) -> Agent:
        """Return the agent for a task.

        Raises:
            UnknownNameError, ConfigError: the agent is `scripted`, and the environment has no demonstration.
            MissingDependencyError, ModelError, MemoryStoreError: see `prepare`.
        """
        last = len(self.spec.parts) - 1
        agents = [self._agent(part, task, is_last=place == last) for place, part in enumerate(self.spec.parts)]
        return SequentialAgent(agents) if last else agents[0]

    def __reduce__(self) -> tuple[type[AgentMaker], tuple[AgentSpec, LmConfig | None]]:
        return AgentMaker, (self.spec, self._lm)

    def _agent(self, part: AgentPart, task: Task, *, is_last: bool) -> Agent:
        agent = self._acting(part, task, is_last=is_last)
        if part.memory is None or part.kind == "saycan":
            return agent
        from ..envs.registry import get_verbalizer

        scene = get_verbalizer(task.env).scene(task)
        return MemoryAgent(agent, self._shown(part), env=task.env, scene=scene)

    def _acting(self, part: AgentPart, task: Task, *, is_last: bool) -> Agent:
        if part.kind == "lm":
            return LmAgent(self._model(part), self._lm)
        if part.kind == "saycan":
            from ..envs.registry import get_verbalizer

            verbalizer = get_verbalizer(task.env)
            return SayCan(
                self._model(part),
                _LAST if is_last else _BRIEF,
                verbalizer=verbalizer,
                recollection=None if part.memory is None else self._shown(part),
                env=task.env,
                scene=verbalizer.scene(task),
            )
        if part.kind == "skills":
            recollection = self._opened(part.argument) if part.argument else EmptyMemory()
            return SkillAgent(recollection, env=task.env, explores=is_last)
        if part.kind == "random":
            return RandomAgent(np.random.default_rng(task.seed))
        if part.kind == "human":
            self._human = self._human or HumanAgent(self._console)
            return self._human
        if part.kind == "scripted":
            from ..envs.registry import get_demonstration

            return ScriptedAgent(get_demonstration(task))
        return _made_by(part.kind, AGENTS.get(part.kind), task)

    def _model(self, part: AgentPart) -> Backend:
        # `SayCan` goes on with what was said, which an endpoint for chats cannot do; a model here can, and is prompted
        # as it was trained: through its chat template if it has one.
        key = f"{part.kind}:{part.argument}"
        if key not in self._backends:
            plain = part.kind == "saycan" and "@" in part.argument
            self._backends[key] = get_backend(part.argument, chat=False if plain else None)
        return self._backends[key]

    def _shown(self, part: AgentPart) -> Memory:
        """Return the memory of a part, without what its model has learned from it."""
        assert part.memory is not None, "only a part with a memory is shown one"
        if part not in self._without:
            whole = self._opened(part.memory)
            local = part.takes == "MODEL" and "@" not in part.argument
            learned = learned_items(part.argument) if local else frozenset()
            self._without[part] = MemoryWithout(whole, learned) if learned else whole
        return self._without[part]

    def _opened(self, path: str) -> ExperienceMemory:
        from ..memory.opening import open_memory

        if path not in self._memories:
            self._memories[path] = open_memory(path, mode="read")
        return self._memories[path]


def _builtin(kind: str) -> AgentKind | None:
    found = AGENTS.builtin.get(kind)
    return found if isinstance(found, AgentKind) else None


def _read(text: str) -> AgentPart:
    """Read the name of one agent; see `AgentSpec.parse`."""
    acts, shown, memory = text.rpartition(_WITH)
    acts = acts if shown else text
    name, colon, argument = acts.partition(":")
    if shown and not memory:
        raise ConfigError("No memory is named: write NAME+memory:MEMORY.")
    kind = _builtin(name)
    if kind is not None and colon and not kind.argument:
        raise unknown("agent", acts, AGENTS.names())
    if kind is None:
        AGENTS.get(acts)  # refuses what does not exist
        return AgentPart(acts, "", memory if shown else None)
    if kind.argument == "MODEL" and argument.partition("@")[0] == "":
        raise ConfigError(f"No language model is named: write {name}:PATH, {name}:MODEL@URL or {name}:MODEL@.")
    if kind.argument == "MODEL" and "@" not in argument:
        find_model(argument)  # refuses a path without a model
    if kind.argument == "MEMORY" and not colon:
        raise ConfigError(f"No memory is named: write {name}:MEMORY, or NAME+memory:MEMORY.")
    return AgentPart(name, argument, memory if shown else None)


def _made_by(name: str, make: Callable[..., Agent], task: Task) -> Agent:
    """Make another package's agent.

    Raises:
        ConfigError: it makes no agent.
    """
    agent: Agent = make_part("agent", name, make, task, offers=[])
    if not takes(getattr(agent, "act", None), None, None):
        kind = type(agent).__name__
        raise ConfigError(f"{name!r} makes no agent: what it returned, of type {kind}, has no act(observation, goal).")
    return agent


def get_backend(name: str, *, chat: bool | None = None) -> Backend:
    """Return the language model that `lm:` is followed by (see the head of this file).

    Args:
        name: The model.
        chat: False for plain text, at an endpoint by its completions; None for a chat wherever that is possible.

    Raises:
        MissingDependencyError: a package that it needs is not installed.
        ModelError: it cannot be loaded, or there is no key.
    """
    model, at, url = name.rpartition("@")
    if at:
        return ChatEndpoint(model, base_url=url or None, api="completions" if chat is False else "chat")
    return LocalModel.load(name, chat=chat)
