"""The collectors by name as data: one frozen dataclass each, whose fields are its options on the command line.

A new collector is a class like these, in a module of its own, and one row in `registry`. Its docstring and those of its
fields are the help text. `name` is that under which its episodes are recorded; `in_process` says that it plays in one
process, because episodes are played together or each depends on those before. `make(play)` builds the collector; it is
called in the process that plays, and raises a `PatheiError` if it cannot. A collector that chooses its own goals has
`practice(play, attempts)` as well, which returns the tasks where they are tried. Nothing heavy is imported here: the
command line reads these for its help.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import ConfigError, at_least, check, of_type
from ..pretrained import find_model

if TYPE_CHECKING:
    from ..agents import Agent
    from ..experience import Task
    from .protocol import Collector
    from .rollout.policy import Policy


_LONGEST, _WHOLE = 30, 10_000
"""The longest episode where nothing else is said: of who may wander, and of a demonstration."""


@dataclass(frozen=True)
class PlaySettings:
    """What holds for every collector."""

    env: str = "virtualhome"
    """The environment, by name."""
    steps: int | None = None
    """The maximum number of actions in an episode, and in a plan that is searched for. None: 30, and a demonstration is
    played to its end."""
    seed: int = 0
    """Determines everything random, together with each task's own seed."""
    workers: int = 0
    """How many processes play; 0 for one process alone."""
    frames: Path | None = None
    """The store that gets a picture of what the environment draws with every observation; None for no pictures."""

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: at least one is of another type, or out of range; all are named.
        """
        check(of_type(self), "settings of a collection")
        check(at_least(self, steps=1, workers=0), "settings of a collection")

    @property
    def longest(self) -> int:
        """The longest episode of who plays no demonstration."""
        return _LONGEST if self.steps is None else self.steps

    @property
    def longest_demonstration(self) -> int:
        """The longest episode of a demonstration; the environment's own limit may come first."""
        return _WHOLE if self.steps is None else self.steps

    def longest_of(self, collector: str) -> int:
        """Return the longest episode of a collector, by its name."""
        return self.longest_demonstration if collector == "scripted" else self.longest

    def tasks(self, options: Any, count: int) -> list[Task]:
        """Return generated tasks, or, for a collector that chooses its own goals, where each attempt is made."""
        if hasattr(options, "practice"):
            practice: list[Task] = options.practice(self, count)
            return practice
        from ..envs.registry import get_env

        return get_env(self.env).generate_tasks(count, self.seed)


@dataclass(frozen=True)
class ExploreOptions:
    """Explore without regard to the goal."""

    strategy: Literal["novelty", "uniform"] = "novelty"
    """How actions are chosen.

    novelty: those that promise new effects
    uniform: any, all alike
    """

    name = "explore"
    in_process = False

    def make(self, play: PlaySettings) -> Collector:
        """Return the collector."""
        from .rollout.explore import make_explorer

        return make_explorer(strategy=self.strategy, max_steps=play.longest, seed=play.seed)


@dataclass(frozen=True)
class MctsOptions:
    """Search a plan for each task (Monte Carlo tree search), then do it."""

    simulations: int = 5000
    """The most simulations for each task."""
    seconds: float | None = None
    """The most processor time for each task, in seconds; episodes then depend on the machine."""
    prior: str = "heuristic"
    """Which actions are tried first. `heuristic`: those that the environment's model expects the goal to need. `none`:
    all alike. `lm:MODEL`: those that a language model finds likely (a path, MODEL@URL or MODEL@)."""
    roots: int = 1
    """How many independent trees are searched for each task and merged, each with all simulations."""
    keep_tree: bool = False
    """Also record the whole search tree, as branches of the plan's episode."""

    name = "mcts"
    in_process = False

    def __post_init__(self) -> None:
        """Check the prior.

        Raises:
            ModelError: it is the path of a language model, and there is none.
        """
        if self.prior.startswith("lm:") and "@" not in self.prior:
            find_model(self.prior.removeprefix("lm:"))

    def make(self, play: PlaySettings) -> Collector:
        """Return the collector."""
        import dataclasses

        from ..envs.registry import get_env
        from .search.collector import MctsConfig, household_search, make_searcher

        search = household_search(simulations=self.simulations, seconds=self.seconds, depth=play.longest)
        search = dataclasses.replace(search, env_steps=get_env(play.env).search_steps)
        config = MctsConfig(search, prior=self.prior, keep_tree=self.keep_tree, roots=self.roots)
        return make_searcher(config, seed=play.seed)


@dataclass(frozen=True)
class CurriculumOptions:
    """Propose goals, each a little beyond what was achieved, and try them. Plays in one process."""

    proposer: str = "novelty"
    """How goals are chosen. `novelty`: what was never achieved, the likeliest first. `progress`: where the success rate
    changes most. `uniform`: any, all alike. `lm:MODEL`: by a language model, at the OpenAI-compatible endpoint of
    OPENAI_BASE_URL (key in OPENAI_API_KEY), or `lm:local:PATH`."""
    policy: Literal["skills", "search"] = "skills"
    """How goals are tried.

    skills: with what has worked before, and search for the rest
    search: search alone
    """
    prior: Literal["heuristic", "none"] = "heuristic"
    """Which actions a search tries first where steps are slow.

    heuristic: those that the environment's model expects the goal to need
    none: those that the goal names or that skills have had, and the others alike
    """
    recall: tuple[Path, ...] = ()
    """Stores of other curricula in this environment: the run begins with the goals that they reached and the skills
    that they learned. They are only read."""

    name = "curriculum"
    in_process = True

    def make(self, play: PlaySettings) -> Collector:
        """Return the collector.

        Raises:
            ConfigError: the environment offers no goals, or a store that is to be recalled has no attempts in it.
            StoreError: such a store cannot be read.
            UnknownNameError: there is no such proposer.
        """
        from ..envs.registry import get_env, get_goal_space
        from ..store import ExperienceStore
        from .curriculum.collector import Curriculum, CurriculumConfig
        from .registry import make_proposer

        goals = get_goal_space(play.env)
        policy: Policy
        if self.policy == "skills":
            from .search.skill_policy import SkillPolicy

            policy = SkillPolicy(goals, most=get_env(play.env).search_steps, prior=self.prior)
        else:
            import dataclasses

            from .search.collector import MctsConfig, SearchPolicy

            search = dataclasses.replace(MctsConfig().search, env_steps=get_env(play.env).search_steps)
            policy = SearchPolicy(MctsConfig(search, prior=self.prior), must_succeed=False)
        config = CurriculumConfig(max_steps=play.longest)
        curriculum = Curriculum(goals, make_proposer(self.proposer), policy, config, seed=play.seed)
        for path in self.recall:
            with ExperienceStore.open(path, mode="read") as store:
                if not curriculum.recall(store, env=get_env(play.env).id):
                    raise ConfigError(f"{path} holds no attempts of a curriculum in {play.env}: nothing is recalled.")
        return curriculum

    def practice(self, play: PlaySettings, attempts: int) -> list[Task]:
        """Return where each attempt is made: a few environments, over and over."""
        from .curriculum.collector import practice_tasks

        return practice_tasks(play.env, attempts, play.seed)


@dataclass(frozen=True)
class ScriptedOptions:
    """Do each task's demonstration, as the environment knows it."""

    name = "scripted"
    in_process = False

    def make(self, play: PlaySettings) -> Collector:
        """Return the collector."""
        from .rollout.policy import demonstrator

        return _agents(demonstrator, self.name, play, play.longest_demonstration)


@dataclass(frozen=True)
class CarryOptions:
    """Carry things about at random: good episodes for questions about where things are."""

    name = "errands"
    in_process = False

    def make(self, play: PlaySettings) -> Collector:
        """Return the collector."""
        from ..agents.carrying import RandomCarryAgent
        from ..envs.registry import get_verbalizer

        return _agents(lambda task: RandomCarryAgent(get_verbalizer(task.env)), self.name, play)


@dataclass(frozen=True)
class LmOptions:
    """How a language model is asked."""

    way: Literal["auto", "choose", "generate", "call"] = "auto"
    """How a model chooses its action.

    auto: generate at a chat endpoint, else choose
    choose: the likeliest of the admissible actions
    generate: the model writes the action
    call: it calls a tool with the action, at a chat endpoint that knows tools
    """
    style: str = ""
    """The prompt: `experience`, `act`, `react`, `call`, or a TOML file; if empty, `experience` to choose, `react` to
    write, `call` to call."""
    temperature: float = 0.0
    """0 for the likeliest."""
    max_tokens: int = 256
    """The longest answer, in tokens."""
    history: int | None = None
    """The most earlier steps in the prompt; None for as many as fit."""
    cut: bool = False
    """Let an observation that is too long by itself lose its end; otherwise the episode fails."""
    listed_only: bool = True
    """Refuse what is not listed as possible; turn off where the list is of suggestions, as in `shop` and `terminal`."""


@dataclass(frozen=True)
class AgentOptions:
    """Let an agent act."""

    agent: str
    """The agent. `scripted`: the task's demonstration. `random`: random actions. `lm:MODEL` or `lm:MODEL@URL`: a
    language model, here (a run of `pathei learn`, an adapter, a folder, a GGUF file, an id on the hub) or at an
    endpoint. `saycan:MODEL`: a language model with affordances. `skills:MEMORY`: by a
    memory alone. `NAME+memory:MEMORY`: any of them, shown what a memory holds about the goal."""
    record_as: str | None = None
    """The name under which episodes are recorded; the agent's own if None. Use a new one to replay the same tasks with
    the same agent after changing its settings or memory."""
    batch: int = 1
    """How many episodes are played at once; a language model answers their requests together. Above 1 one process
    plays."""
    lm: LmOptions = field(default_factory=LmOptions)
    """How a language model is asked."""

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: `batch` is less than 1.
        """
        check(at_least(self, batch=1), "agent collector")

    @property
    def name(self) -> str:
        """The name under which episodes are recorded.

        Raises:
            UnknownNameError: there is no such agent.
            ConfigError: it is a person, or an option of the language model is out of range.
            MemoryStoreError: a memory cannot be opened.
        """
        from ..agents.lm.agent import LmConfig
        from ..agents.registry import AgentMaker

        named = AgentMaker(self.agent, LmConfig(**vars(self.lm)))
        if named.is_human:
            raise ConfigError("A person plays one episode at a time: pathei run --agent human.")
        named.open_memories()  # refused here, before a store is made, and opened again in each process
        named.close()
        return self.record_as or named.collector

    @property
    def in_process(self) -> bool:
        """Whether episodes are played together."""
        return self.batch > 1

    def make(self, play: PlaySettings) -> Collector:
        """Return the collector, its model loaded and its memories open."""
        from ..agents.lm.agent import LmConfig
        from .rollout.agents import make_agent_collector

        return make_agent_collector(
            self.agent,
            name=self.record_as,
            max_steps=play.longest_of(self.agent),
            seed=play.seed,
            batch=self.batch,
            lm=LmConfig(**vars(self.lm)),
            one_thread=play.workers > 1,
        )


def _agents(agent_for: Callable[[Task], Agent], name: str, play: PlaySettings, longest: int | None = None) -> Collector:
    from .rollout.policy import AgentPolicy
    from .rollout.rollout import Rollout

    return Rollout(AgentPolicy(agent_for), name=name, max_steps=longest or play.longest, seed=play.seed)
