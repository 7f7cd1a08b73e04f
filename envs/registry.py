"""The worlds that come with pathei, as data: what each is, where its tasks come from, and what it needs.

A world more is one `EnvSpec(...)` more in `WORLDS`; `pathei.envs` registers them all with gymnasium. Nothing of a world
is imported before it is asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from ..errors import ConfigError, unknown
from ..experience import Task

if TYPE_CHECKING:
    from .goal_space import GoalSpaceProvider
    from .verbalizer import Verbalizer


class Requirement(NamedTuple):
    """One thing that a world needs, or can make use of."""

    what: str
    """What was looked at: `"RobotHow data"`."""
    ok: bool
    """Whether it is there."""
    note: str
    """What was found; where it is missing, the command that mends it."""
    required: bool = True
    """Whether the world does not work without it."""


@dataclass(frozen=True, slots=True)
class EnvSpec:
    """One world. Functions are named as `"module:function"`, the module relative to `pathei.envs`."""

    id: str
    """The gymnasium id."""
    entry_point: str
    """Names the environment's class, as gymnasium's registry wants it."""
    max_episode_steps: int
    """After so many steps `gymnasium.make` cuts an episode off, unless it is told otherwise."""
    name: str
    """As the command line calls it."""
    what: str
    """What it is, in one line."""
    needs: str
    """What has to be installed beside pathei, in words."""
    doctor: str
    """Names the function `() -> Sequence[Check]` that looks at what is there."""
    tasks: str
    """Names the function `(n, seed) -> Sequence[Task]` that makes tasks."""
    demonstration: str
    """Names the function `(task) -> Sequence[str]` that returns actions which reach the goal of a task that it made."""
    search_steps: int | None = None
    """At most so many of its steps a search on the command line makes for a task, where they are slow; None for no
    limit but that of the simulations."""
    verbalizer: str | None = None
    """Names the function or class `() -> Verbalizer`; None for `PlainVerbalizer`."""
    goal_space: str | None = None
    """Names the function or class `() -> GoalSpaceProvider`; None where the environment offers no goals of its own."""
    split_tasks: str | None = None
    """Names the function `(n, seed, *, activities: "seen" | "unseen", scenes: "train" | "test") -> Sequence[Task]`, for
    environments whose tasks have activities (`Verbalizer.activity`) and scenes for testing; else None."""
    task_sets: Mapping[str, str] = field(default_factory=dict)
    """Task sets that come with it, by name: each names the function `() -> Sequence[Task]`."""

    def check(self) -> Sequence[Requirement]:
        """Look at what is there."""
        checks: Sequence[Requirement] = _function(self.doctor)()
        return checks

    def generate_tasks(self, n: int, seed: int) -> list[Task]:
        """Return `n` tasks that follow from the seed."""
        return list(_function(self.tasks)(n, seed))

    def generate_split(
        self, n: int, seed: int, *, activities: Literal["seen", "unseen"], scenes: Literal["train", "test"]
    ) -> list[Task]:
        """Return `n` tasks of activities that are trained on, or kept out, in scenes for training, or for testing.

        Raises:
            ConfigError: the environment's tasks have no activities.
        """
        if self.split_tasks is None:
            raise ConfigError(f"The tasks of {self.name!r} are not split by activity and scene.")
        return list(_function(self.split_tasks)(n, seed, activities=activities, scenes=scenes))

    def task_set(self, name: str) -> list[Task]:
        """Return the tasks of a set that comes with the environment.

        Raises:
            UnknownNameError: there is no such set.
            DataError: it has not been fetched.
        """
        if name not in self.task_sets:
            raise unknown("task set", name, self.task_sets)
        return list(_function(self.task_sets[name])())


WORLDS: Final[tuple[EnvSpec, ...]] = (
    EnvSpec(
        id="pathei/VirtualHome-v0",
        entry_point="pathei.envs.virtualhome.env:VirtualHomeEnv",
        max_episode_steps=100,
        name="virtualhome",
        what="a household: generated houses, RobotHow's, or your own VirtualHome graph files",
        needs="nothing",
        doctor="registry:check_virtualhome",
        tasks="virtualhome.tasks.generate:generate_tasks",
        demonstration="registry:demonstrate_household",
        verbalizer="virtualhome.verbalizer:HomeVerbalizer",
        goal_space="virtualhome.goals.space:HomeGoals",
        split_tasks="virtualhome.tasks.generate:generate_split",
        task_sets={
            "robothow": "virtualhome.tasks.robothow:effect_tasks",
            "robothow-eai": "virtualhome.tasks.robothow:embodied_agent_tasks",
        },
    ),
    EnvSpec(
        id="pathei/MiniWoB-v0",
        entry_point="pathei.envs.web.miniwob.env:make",
        max_episode_steps=50,
        name="miniwob",
        what="MiniWoB++: 128 small web tasks in a real browser",
        needs="pip install 'pathei[web]', and Chromium (apt-get install chromium-headless-shell)",
        doctor="web.miniwob.env:doctor",
        tasks="web.miniwob.env:generate_tasks",
        demonstration="web.miniwob.oracles:demonstration",
        search_steps=400,
    ),
    EnvSpec(
        id="pathei/WebShop-v0",
        entry_point="pathei.envs.shop.env:WebShopEnv",
        max_episode_steps=50,
        name="shop",
        what="a shop with WebShop's pages, goals and reward: a generated catalogue, or WebShop's own products",
        needs="pip install 'pathei[shop]'",
        doctor="shop.tasks:check_shop",
        tasks="shop.tasks:generate_tasks",
        demonstration="shop.tasks:demonstration",
    ),
    EnvSpec(
        id="pathei/Docs-v0",
        entry_point="pathei.envs.documents.env:DocsEnv",
        max_episode_steps=50,
        name="documents",
        what="linked documents to browse and search for answers: Python's standard library, or any folder of HTML",
        needs="pip install 'pathei[shop]'",
        doctor="documents.tasks:check_documents",
        tasks="documents.tasks:generate_tasks",
        demonstration="documents.tasks:demonstration",
    ),
    EnvSpec(
        id="pathei/Terminal-v0",
        entry_point="pathei.envs.terminal.env:TerminalEnv",
        max_episode_steps=50,
        name="terminal",
        what="a Linux shell in a sandbox: generated file systems, or InterCode-Bash's and AgentBench-OS' task files",
        needs="bubblewrap, and Linux 6.6 or newer with user namespaces",
        doctor="terminal.sandbox.support:doctor",
        tasks="terminal.tasks.generate:generate_tasks",
        demonstration="terminal.tasks.generate:demonstration",
        verbalizer="terminal.verbalizer:TerminalVerbalizer",
        goal_space="terminal.graph:goal_space",
        search_steps=400,
    ),
    EnvSpec(
        id="pathei/Touchdown-v0",
        entry_point="pathei.envs.touchdown.env:TouchdownEnv",
        max_episode_steps=120,
        name="touchdown",
        what="streets to follow instructions in: Touchdown's New York, or generated towns",
        needs="nothing",
        doctor="touchdown.tasks:check_touchdown",
        tasks="touchdown.tasks:generate_tasks",
        demonstration="touchdown.tasks:demonstration",
    ),
    EnvSpec(
        id="pathei/MiniGrid-v0",
        entry_point="pathei.envs.adapters.minigrid:MiniGridEnv",
        max_episode_steps=100,
        name="minigrid",
        what="MiniGrid's and BabyAI's levels, told in words",
        needs="pip install 'pathei[adapters]'",
        doctor="adapters.minigrid:check_minigrid",
        tasks="adapters.minigrid:generate_tasks",
        demonstration="adapters.minigrid:demonstration",
        verbalizer="adapters.minigrid_graph:MiniGridVerbalizer",
        goal_space="adapters.minigrid_graph:goal_space",
    ),
    EnvSpec(
        id="pathei/TextWorld-v0",
        entry_point="pathei.envs.adapters.textworld:TextWorldEnv",
        max_episode_steps=100,
        name="textworld",
        what="TextWorld's games: generated, or your own files",
        needs="pip install 'pathei[adapters]'",
        doctor="adapters.textworld:check_textworld",
        tasks="adapters.textworld:generate_tasks",
        demonstration="adapters.textworld:demonstration",
        verbalizer="adapters.textworld_graph:TextWorldVerbalizer",
        goal_space="adapters.textworld_graph:goal_space",
        search_steps=400,
    ),
    EnvSpec(
        id="pathei/ScienceWorld-v0",
        entry_point="pathei.envs.adapters.scienceworld:ScienceWorldEnv",
        max_episode_steps=100,
        name="scienceworld",
        what="ScienceWorld's experiments",
        needs="pip install 'pathei[adapters]', Java",
        doctor="adapters.scienceworld:check_scienceworld",
        tasks="adapters.scienceworld:generate_tasks",
        demonstration="adapters.scienceworld:demonstration",
        search_steps=100,
    ),
)


def world_named(name: str) -> EnvSpec:
    """Return a world by its name or its gymnasium id.

    Raises:
        UnknownNameError: there is none; the nearest is suggested.
    """
    for world in WORLDS:
        if name.lower() in (world.name, world.id.lower()):
            return world
    raise unknown("world", name, (world.name for world in WORLDS))


def demonstration_of(task: Task) -> tuple[str, ...]:
    """Return actions that reach the goal of a task.

    Raises:
        UnknownNameError: its environment is none of these worlds.
        ConfigError: its world knows no demonstration of it.
    """
    return tuple(_function(world_named(task.env).demonstration)(task))


def check_virtualhome() -> list[Requirement]:
    """Look at what the household world can make use of."""
    from .. import data

    robothow = data.named("robothow")
    note = str(robothow.path) if robothow.fetched else "pathei data get robothow"
    return [
        Requirement("engine and generated houses", True, "part of pathei"),
        Requirement("RobotHow's programs and houses", robothow.fetched, note, required=False),
    ]


def demonstrate_household(task: Task) -> tuple[str, ...]:
    """Return a program for a task of the household: RobotHow's own, or the one that belongs to a generated task.

    Raises:
        ConfigError: the task is neither RobotHow's nor generated.
    """
    from .virtualhome.tasks.generate import demonstration
    from .virtualhome.tasks.robothow import RobotHow

    kind, _, name = str(task.options.get("scene", "")).partition(":")
    return RobotHow().program(name).lines if kind == "robothow" else tuple(demonstration(task))


@lru_cache(maxsize=64)
def get_verbalizer(env_id: str) -> Verbalizer:
    """Return the verbalizer of an environment, by its name or gymnasium id; the plain one where it has none."""
    from .verbalizer import plain

    spec = _spec(env_id)
    if spec is None or spec.verbalizer is None:
        return plain()
    verbalizer: Verbalizer = _function(spec.verbalizer)()
    return verbalizer


def get_goal_space(env_id: str) -> GoalSpaceProvider:
    """Return the goals that an environment offers, by its name or gymnasium id.

    Raises:
        ConfigError: it offers none.
    """
    spec = _spec(env_id)
    if spec is None or spec.goal_space is None:
        offering = ", ".join(one.name for one in WORLDS if one.goal_space is not None) or "none"
        raise ConfigError(f"The environment {env_id!r} offers no goals of its own; those that do: {offering}.")
    provider: GoalSpaceProvider = _function(spec.goal_space)()
    return provider


def task_set_named(name: str) -> list[Task] | None:
    """Return the task set of this name, of whichever environment has one; None where there is none.

    Raises:
        DataError: it has not been fetched.
    """
    spec = next((one for one in WORLDS if name in one.task_sets), None)
    return None if spec is None else spec.task_set(name)


def _spec(env_id: str) -> EnvSpec | None:
    return next((spec for spec in WORLDS if env_id.lower() in (spec.name, spec.id.lower())), None)


def _function(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(f".{module}", __package__), function)
    return found


__all__ = [
    "WORLDS", "EnvSpec", "Requirement", "demonstration_of", "get_goal_space", "get_verbalizer", "task_set_named",
    "world_named",
]  # fmt: skip
