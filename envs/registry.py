"""The environments by name, as data: what each is, where its tasks come from, and what it needs.

To add an environment to pathei, add one `EnvSpec(...)` here. Another package offers its `EnvSpec` as an entry point of
the group `pathei.envs`. `pathei.envs` registers the ids with gymnasium. An environment is imported when it is used.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import gymnasium

from ..errors import ConfigError, UnknownNameError, count_of, name_of, unknown
from ..experience import Goal, Task
from ..registry import Lazy, Registry, load_target
from .contract import Requirement, unknown_env

if TYPE_CHECKING:
    from .facts.drawing import Drawing
    from .foreign.install import Runtime
    from .goal_space import GoalSpaceProvider
    from .verbalizer import Verbalizer

NO_GOAL: Final = Goal("maximise the reward")
"""The goal of tasks that have none of their own."""


@dataclass(frozen=True, slots=True)
class EnvSpec:
    """One environment.

    Functions are named as `"module:function"`. The module of an environment inside `pathei.envs` is relative to that
    package; any other is a full name.
    """

    id: str
    """The gymnasium id. Another package's is `module:Id-v0`: gymnasium imports the module, which registers `Id-v0`."""
    entry_point: str
    """The environment's class, `"module:Class"`, as gymnasium's registry takes it; the module by its full name."""
    max_episode_steps: int | None
    """The number of steps after which `gymnasium.make` truncates an episode by default; None for no limit."""
    name: str
    """The name on the command line."""
    what: str
    """What it is, in one line."""
    needs: str = "nothing"
    """What has to be installed besides pathei, in words."""
    doctor: str = ""
    """The function `() -> Sequence[Requirement]` that looks for what is needed; empty if nothing is."""
    runtime: str = ""
    """Names the `Runtime` (`foreign.install`) that `pathei env install` makes; empty where it has none of its own."""
    tasks: str = ""
    """The function `(n, seed) -> Iterable[Task]` that makes tasks, one by one where that takes long, so that the first
    is played before the last is made; if empty, a task is a seed."""
    demonstration: str = ""
    """The function `(task) -> Sequence[str]`: actions that reach the goal of a task of `tasks`; empty for none."""
    search_steps: int | None = None
    """The most steps of a search on the command line for one task or attempt; None for the search's own limit."""
    verbalizer: str | None = None
    """Names the function or class `() -> Verbalizer`; None for `Verbalizer`."""
    goal_space: str | None = None
    """Names the function or class `() -> GoalSpaceProvider`; None where the environment offers no goals of its own."""
    drawing: str | None = None
    """Names the function `(task, seen) -> str` (`facts.drawing.Drawing`) that draws where an episode stands; None for
    the plan of rooms, which draws facts that are a graph with rooms."""
    split_tasks: str | None = None
    """Names the function `(n, seed, *, activities: "seen" | "unseen", scenes: "train" | "test") -> Sequence[Task]`, for
    environments whose tasks have activities (`Verbalizer.activity`) and scenes for testing; else None."""
    training_scenes: str | None = None
    """Names `(seed) -> Sequence[Task]`: training scenes as tasks without a goal; None for those of generated tasks."""
    task_sets: Mapping[str, str] = field(default_factory=dict)
    """Task sets that come with it, by name: each names the function `() -> Sequence[Task]`."""
    address: str | None = None
    """What follows the name after a colon, `openenv:URL`; `tasks` then takes it as well, as `address`."""

    def check(self) -> Sequence[Requirement]:
        """Look for what is needed."""
        if not self.doctor:
            return (Requirement("nothing beyond pathei", True, "part of the core install"),)
        return cast("Sequence[Requirement]", self.load(self.doctor)())

    def missing(self) -> list[str]:
        """Return what is required and not there, in words."""
        return [one.what for one in self.check() if one.required and not one.ok]

    def generate_tasks(self, n: int, seed: int, *, characters: int | None = None) -> list[Task]:
        """Return `n` tasks that follow from the seed; see `iter_tasks`."""
        return list(self.iter_tasks(n, seed, characters=characters))

    def iter_tasks(self, n: int, seed: int, *, characters: int | None = None) -> Iterable[Task]:
        """Return `n` tasks that follow from the seed, each made when it is asked for where making one takes long.

        Args:
            n: How many.
            seed: A whole number, 0 or above.
            characters: How many characters act in turn, for environments whose `tasks` takes this argument.

        Raises:
            ConfigError: `n` or `seed` is no such number; several characters were asked for where one acts.
        """
        n, seed = count_of(n, "number of tasks"), count_of(seed, "seed")
        made = self.load(self.tasks) if self.tasks else None
        more: dict[str, Any] = {} if self.address is None else {"address": self.address}
        if characters is not None:
            if made is None or "characters" not in inspect.signature(made).parameters:
                raise ConfigError(f"The tasks of {self.name} are for one who acts: leave the number of characters out.")
            more["characters"] = characters
        plain = (Task(f"{self.name}/{number}", self.id, number, NO_GOAL) for number in range(seed, seed + n))
        return list(plain) if made is None else cast("Iterable[Task]", made(n, seed, **more))

    def load(self, function: str) -> Callable[..., Any]:
        """Import a function that one of the fields names.

        Raises:
            ConfigError: there is no such module or function.
        """
        package = f"{__package__}."
        inside = self.entry_point.startswith(package) and not function.startswith(package)
        return cast("Callable[..., Any]", load_target(package + function if inside else function))

    def load_runtime(self) -> Runtime:
        """Return what `pathei env install` installs.

        Raises:
            ConfigError: the environment names none.
        """
        if not self.runtime:
            raise ConfigError(f"The environment {self.name!r} has no runtime of its own to install.")
        found: Runtime = self.load(self.runtime)  # type: ignore[assignment]  # a constant, not a function
        return found

    def generate_split(
        self, n: int, seed: int, *, activities: Literal["seen", "unseen"], scenes: Literal["train", "test"]
    ) -> list[Task]:
        """Return `n` tasks of activities that are trained on, or kept out, in scenes for training, or for testing.

        Raises:
            ConfigError: the environment's tasks have no activities.
        """
        if self.split_tasks is None:
            raise ConfigError(f"The tasks of {self.name!r} are not split by activity and scene.")
        return list(self.load(self.split_tasks)(n, seed, activities=activities, scenes=scenes))

    def generate_scenes(self, seed: int) -> list[Task]:
        """Return training scenes as tasks without a goal.

        Raises:
            ConfigError: the environment names none.
        """
        if self.training_scenes is None:
            raise ConfigError(f"The environment {self.name!r} has no function for its training scenes.")
        return list(self.load(self.training_scenes)(seed))

    def task_set(self, name: str) -> list[Task]:
        """Return the tasks of a set that comes with the environment.

        Raises:
            UnknownNameError: there is no such set.
            DataError: it has not been fetched.
        """
        if name not in self.task_sets:
            raise unknown("task set", name, self.task_sets)
        return list(self.load(self.task_sets[name])())


BUILTIN_ENVS: Final[tuple[EnvSpec, ...]] = (
    EnvSpec(
        id="pathei/VirtualHome-v0",
        entry_point="pathei.envs.virtualhome.env:VirtualHomeEnv",
        max_episode_steps=100,
        name="virtualhome",
        what="a household: generated houses, RobotHow's, or your own VirtualHome graph files",
        doctor="virtualhome.tasks.oracle:check_virtualhome",
        tasks="virtualhome.tasks.generate:iter_tasks",
        demonstration="virtualhome.tasks.oracle:demonstration",
        verbalizer="virtualhome.verbalizer:HomeVerbalizer",
        goal_space="virtualhome.goals.space:HomeGoals",
        split_tasks="virtualhome.tasks.generate:generate_split",
        training_scenes="virtualhome.tasks.scenes:training_scenes",
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
        needs="the extra 'web', and Chromium (apt-get install chromium-headless-shell)",
        doctor="web.miniwob.env:doctor",
        tasks="web.miniwob.env:generate_tasks",
        demonstration="web.miniwob.oracles:demonstration",
        drawing="web.drawing:draw_page",
        search_steps=400,
    ),
    EnvSpec(
        id="pathei/WebShop-v0",
        entry_point="pathei.envs.shop.env:WebShopEnv",
        max_episode_steps=50,
        name="shop",
        what="a shop with WebShop's pages, goals and reward: a generated catalogue, or WebShop's own products",
        needs="the extra 'shop'",
        doctor="shop.tasks:check_shop",
        tasks="shop.tasks:generate_tasks",
        demonstration="shop.tasks:demonstration",
        goal_space="shop.graph:goal_space",
        drawing="web.drawing:draw_page",
    ),
    EnvSpec(
        id="pathei/Docs-v0",
        entry_point="pathei.envs.documents.env:DocsEnv",
        max_episode_steps=50,
        name="documents",
        what="linked documents to browse and search for answers: Python's standard library, or any folder of HTML",
        needs="the extra 'shop'",
        doctor="documents.tasks:check_documents",
        tasks="documents.tasks:generate_tasks",
        demonstration="documents.tasks:demonstration",
        goal_space="documents.graph:goal_space",
        drawing="web.drawing:draw_page",
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
        id="pathei/TerminalScreen-v0",
        entry_point="pathei.envs.terminal.screen:TerminalScreenEnv",
        max_episode_steps=50,
        name="terminal-screen",
        what="the terminal with a screen and keys: editors, pagers, prompts, interpreters, menus",
        needs="the extra 'terminal', bubblewrap, and Linux 6.6 or newer with user namespaces",
        doctor="terminal.sandbox.support:screen_doctor",
        tasks="terminal.tasks.screens:generate_screen_tasks",
        demonstration="terminal.tasks.generate:demonstration",
        search_steps=60,
    ),
    EnvSpec(
        id="pathei/Touchdown-v0",
        entry_point="pathei.envs.touchdown.env:TouchdownEnv",
        max_episode_steps=120,
        name="touchdown",
        what="streets to follow instructions in: Touchdown's New York, or generated towns",
        doctor="touchdown.tasks:check_touchdown",
        tasks="touchdown.tasks:generate_tasks",
        demonstration="touchdown.tasks:demonstration",
        drawing="touchdown.drawing:draw_streets",
    ),
    EnvSpec(
        id="pathei/Minecraft-v0",
        entry_point="pathei.envs.minecraft.env:MinecraftEnv",
        max_episode_steps=200,
        name="minecraft",
        what="a survival world of Minecraft's protocol, played through mineflayer: gather, craft, fight, explore",
        needs="node and npm; `pathei env install minecraft` installs the rest",
        doctor="minecraft.process.game:check_minecraft",
        runtime="minecraft.process.game:RUNTIME",
        tasks="minecraft.tasks:generate_tasks",
        demonstration="minecraft.tasks:demonstration",
        verbalizer="minecraft.verbalizer:MinecraftVerbalizer",
        goal_space="minecraft.graph:goal_space",
        drawing="minecraft.drawing:draw_map",
        task_sets={"minecraft-life": "minecraft.tasks.generate:life_tasks"}
        | {
            f"minedojo{kind and f'-{kind}'}": f"minecraft.tasks.dojo_list:{kind or 'dojo'}_tasks"
            for kind in ("", "harvest", "combat", "techtree", "survival")
        },
        search_steps=40,
    ),
    EnvSpec(
        id="pathei/MinecraftTicks-v0",
        entry_point="pathei.envs.minecraft.ticks:MinecraftTicksEnv",
        max_episode_steps=12_000,
        name="minecraft-ticks",
        what="the Minecraft world tick by tick, with keys, camera and mouse as numbers",
        needs="node and npm; `pathei env install minecraft` installs the rest",
        doctor="minecraft.process.game:check_minecraft",
        tasks="minecraft.ticks:generate_tasks",
    ),
    EnvSpec(
        id="pathei/MineDojo-v0",
        entry_point="pathei.envs.minedojo.env:MineDojoEnv",
        max_episode_steps=1_000,
        name="minedojo",
        what="MineDojo's tasks by the real package, which drives Minecraft 1.11.2",
        needs="`pathei env install minedojo`, and Minecraft 1.11.2 with Malmo's mod under Java 8",
        doctor="minedojo.runtime:check_minedojo",
        runtime="minedojo.runtime:RUNTIME",
        tasks="minedojo.tasks:generate_tasks",
    ),
    EnvSpec(
        id="pathei/Habitat-v0",
        entry_point="pathei.envs.habitat.env:HabitatEnv",
        max_episode_steps=500,
        name="habitat",
        what="furnished homes in three dimensions: Habitat's navigation and rearrangement on an embedded simulator",
        needs="nothing; habitat-sim instead of the embedded simulator: `pathei env install habitat`",
        doctor="habitat.official.install:check_habitat",
        runtime="habitat.official.install:RUNTIME",
        tasks="habitat.tasks:generate_tasks",
        demonstration="habitat.tasks:demonstration",
        verbalizer="habitat.language.verbalizer:HabitatVerbalizer",
        goal_space="habitat.graph:goal_space",
        drawing="habitat.drawing:draw_home",
        task_sets={"habitat-images": "habitat.tasks:image_tasks"},
    ),
    EnvSpec(
        id="pathei/HabitatLab-v0",
        entry_point="pathei.envs.habitat.official.lab:HabitatLabEnv",
        max_episode_steps=None,
        name="habitat-lab",
        what="habitat-lab's own tasks, configurations, episodes and measures, by the real package",
        needs="an interpreter with habitat-sim and habitat-lab, named by PATHEI_HABITAT_PYTHON",
        doctor="habitat.official.lab:check_lab",
    ),
    EnvSpec(
        id="pathei/MiniGrid-v0",
        entry_point="pathei.envs.adapters.minigrid:MiniGridEnv",
        max_episode_steps=100,
        name="minigrid",
        what="MiniGrid's and BabyAI's levels, described in words",
        needs="the extra 'adapters'",
        doctor="adapters.minigrid:check_minigrid",
        tasks="adapters.minigrid:generate_tasks",
        demonstration="adapters.minigrid:demonstration",
        verbalizer="adapters.minigrid_graph:MiniGridVerbalizer",
        goal_space="adapters.minigrid_graph:goal_space",
        drawing="adapters.minigrid_drawing:draw_minigrid",
    ),
    EnvSpec(
        id="pathei/TextWorld-v0",
        entry_point="pathei.envs.adapters.textworld:TextWorldEnv",
        max_episode_steps=100,
        name="textworld",
        what="TextWorld's games: generated, or your own files",
        needs="the extra 'adapters'",
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
        needs="the extra 'adapters', and Java",
        doctor="adapters.scienceworld:check_scienceworld",
        tasks="adapters.scienceworld:generate_tasks",
        demonstration="adapters.scienceworld:demonstration",
        search_steps=100,
    ),
    EnvSpec(
        id="pathei/Taxi-v0",
        entry_point="pathei.envs.adapters.taxi:TaxiEnv",
        max_episode_steps=100,
        name="taxi",
        what="gymnasium's Taxi in words: fetch a passenger and drive to the destination",
        tasks="adapters.taxi:generate_tasks",
        demonstration="adapters.taxi:demonstration",
    ),
)
"""The environments that come with pathei."""

HUBS: Final = {name: Lazy(f"pathei.envs.hubs:{name.upper()}", "see `EnvSpec`") for name in ("openenv", "verifiers")}
"""Environments of others, with an address: `openenv:URL`, `verifiers:NAME`."""

ENVS: Final = Registry[EnvSpec]("env", {**{one.name: one for one in BUILTIN_ENVS}, **HUBS}, label="environment")
"""All environments by name."""


def get_env(name: str) -> EnvSpec:
    """Return an environment by its name (see `HUBS`), its gymnasium id, or `module:Id-v0`, which is imported.

    Raises:
        UnknownNameError: there is none; the nearest name is suggested.
        ConfigError: what the name stands for is no environment, or cannot be imported.
    """
    for spec in BUILTIN_ENVS:
        if name_of(name, "environment").lower() in (spec.name, spec.id.lower()):
            return spec
    hub, _, address = name.partition(":")
    if address and hub in HUBS:
        return replace(ENVS.get(hub), name=name, address=address)
    if ":" in name or "/" in name or name in gymnasium.registry:
        return _offered(name) or _registered(name)
    spec = ENVS.get(name)
    if not isinstance(spec, EnvSpec):
        raise ConfigError(f"The entry point {name!r} of {ENVS.group} must name an EnvSpec, not {spec!r}.")
    return spec


def get_demonstration(task: Task) -> tuple[str, ...]:
    """Return actions that reach the goal of a task.

    Raises:
        UnknownNameError: its environment is not known.
        ConfigError: its environment has no demonstration of it.
    """
    spec = get_env(task.env)
    if not spec.demonstration:
        why = f"The environment {spec.name!r} has no demonstrations: choose another agent or collector."
        lacks = ", ".join(spec.missing())
        raise ConfigError(f"{why} It also lacks {lacks}: see `pathei env doctor {spec.name}`." if lacks else why)
    return tuple(spec.load(spec.demonstration)(task))


@lru_cache(maxsize=64)
def get_verbalizer(env_id: str) -> Verbalizer:
    """Return the verbalizer of an environment, by its name or gymnasium id; the plain one where it has none."""
    from .verbalizer import plain

    spec = _find(env_id)
    return plain() if spec is None or spec.verbalizer is None else spec.load(spec.verbalizer)()


def get_goal_space(env_id: str) -> GoalSpaceProvider:
    """Return the goals that an environment offers, by its name or gymnasium id.

    Raises:
        ConfigError: it offers none.
    """
    spec = _find(env_id)
    if spec is None or spec.goal_space is None:
        offering = ", ".join(one.name for one in BUILTIN_ENVS if one.goal_space is not None) or "none"
        raise ConfigError(f"The environment {env_id!r} has no `EnvSpec.goal_space`; those that have: {offering}.")
    return cast("GoalSpaceProvider", spec.load(spec.goal_space)())


@lru_cache(maxsize=64)
def get_drawing(env_id: str) -> Drawing:
    """Return what draws an environment's episodes, by its name or gymnasium id; the plan of rooms where it has none."""
    from .facts.drawing import draw_rooms

    spec = _find(env_id)
    return draw_rooms if spec is None or spec.drawing is None else spec.load(spec.drawing)


def task_set_named(name: str) -> list[Task] | None:
    """Return the task set of this name; None where no environment has one.

    Raises:
        DataError: it has not been fetched.
    """
    return next((one.task_set(name) for one in BUILTIN_ENVS if name in one.task_sets), None)


def register_id(spec: EnvSpec) -> None:
    """Register an environment's id with gymnasium."""
    gymnasium.register(spec.id, entry_point=spec.entry_point, max_episode_steps=spec.max_episode_steps)


def _offered(id_: str) -> EnvSpec | None:
    """Return the environment with this id of an installed package."""
    builtin = {spec.name for spec in BUILTIN_ENVS}
    offered = (ENVS.get(name) for name in ENVS.names() if name not in builtin)
    return next((spec for spec in offered if isinstance(spec, EnvSpec) and spec.id == id_), None)


def _registered(name: str) -> EnvSpec:
    """Return what `module:attribute` names, or else the environment that gymnasium knows by this id."""
    module, colon, id_ = name.rpartition(":")
    if colon:
        try:
            found = getattr(importlib.import_module(module), id_, None)
        except ImportError as error:
            raise ConfigError(f"The environment {name!r} cannot be imported: {error}.") from error
        if isinstance(found, EnvSpec):
            return found
    if id_ not in gymnasium.registry:
        raise unknown_env(name)
    entry, steps = gymnasium.registry[id_].entry_point, gymnasium.registry[id_].max_episode_steps
    return EnvSpec(name, str(entry), steps, name, f"{entry}, registered with gymnasium")


def _find(name: str) -> EnvSpec | None:
    try:
        return get_env(name)
    except (ConfigError, UnknownNameError):
        return None
