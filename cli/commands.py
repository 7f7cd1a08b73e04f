"""The commands of the console script as data: one frozen dataclass each, whose docstrings are the help text.

What they do is in the modules beside this one. Left out: everything that takes time to import, because `pathei --help`
has to answer at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, subcommand


@dataclass(frozen=True)
class EnvList:
    """List the worlds, and what each needs."""


@dataclass(frozen=True)
class EnvDoctor:
    """Look at what a world needs, and say how to mend what is missing."""

    name: Positional[str]
    """The world, as `pathei env list` calls it."""


@dataclass(frozen=True)
class DataList:
    """List the data sets that can be fetched."""


@dataclass(frozen=True)
class DataGet:
    """Fetch a data set into the cache folder, once."""

    name: Positional[str]
    """The data set, as `pathei data list` calls it."""


@dataclass(frozen=True)
class Run:
    """Watch an agent act."""

    agent: Literal["scripted", "random", "human"] = "scripted"
    """Who acts: the task's demonstration, somebody random, or you."""
    world: str = "virtualhome"
    """The world."""
    tasks: str = "1"
    """Where tasks come from: a number (so many are generated), `robothow`, `robothow-eai`, or a file."""
    task: str | None = None
    """The id of one of them; the last of them if left out."""
    scene: str | None = None
    """Another scene: `house:7`, `robothow:file10_2`, or a VirtualHome graph file."""
    goal: str | None = None
    """Another goal, in words; it is shown and not checked."""
    script: Path | None = None
    """A file with one action per line, for the scripted agent."""
    seed: int = 0
    """Seeds the generated tasks and the agent."""
    steps: int = 30
    """After so many steps the episode is cut off."""
    characters: int | None = None
    """How many characters act in turn, in generated houses."""
    full: bool = False
    """Show long observations whole."""


@dataclass(frozen=True)
class Collect:
    """Play many tasks into a store. Run it again to go on where it stopped."""

    out: Positional[Path]
    """The store's directory; made if it is not there."""
    collector: Literal["explore", "mcts", "curriculum", "scripted"] = "explore"
    """How tasks are played: exploration without regard to the goal, a plan searched for it, goals of its own, each a
    little beyond what was achieved, or the task's own demonstration. A store takes all of them on the same tasks. A
    curriculum plays in one process, and `--tasks` is how many attempts it makes."""
    strategy: Literal["novelty", "uniform"] = "novelty"
    """How exploration chooses: what promises new effects, or anything."""
    tasks: str = "100"
    """A number (so many are generated), `robothow` (what people's programs changed), `robothow-eai` (the goals of the
    Embodied Agent Interface), or a file with one task per line."""
    world: str = "virtualhome"
    """The world that generates tasks."""
    workers: int = 2
    """How many processes play; 0 plays in this one."""
    steps: int = 30
    """After so many steps an episode is cut off; the world's own limit may come first. For `mcts`, the horizon."""
    simulations: int = 5000
    """For `mcts`: at most so many simulations for each task."""
    proposer: Literal["novelty", "progress", "uniform", "model"] = "novelty"
    """For `curriculum`: who proposes goals; `model` is the language model that `--model` names."""
    model: str | None = None
    """For `--proposer model`: a model at the OpenAI-compatible endpoint of OPENAI_BASE_URL (key in OPENAI_API_KEY), or
    `local:PATH` for one that transformers loads here."""
    player: Literal["skills", "search"] = "skills"
    """For `curriculum`: who tries them, a player that keeps what worked or a plain tree search."""
    seconds: float | None = None
    """For `mcts`: at most so many seconds of processor time for each task; episodes then depend on the machine."""
    keep_tree: bool = False
    """For `mcts`: also keep the whole search tree, as branches of the plan's episode."""
    seed: int = 0
    """Seeds the generated tasks and the collector."""
    characters: int | None = None
    """How many characters act in turn, in generated houses."""
    timeout: float = 300.0
    """How long one task may take, in seconds, before its worker is replaced."""


@dataclass(frozen=True)
class Plan:
    """Watch one search: find a plan for a wish, show the tree, and do it."""

    wish: Positional[str]
    """What is to be done, "turn on the lamp and put a cup in the sink", or to be true, "the lamp is on"."""
    scene: str = "house:7"
    """Where: `house:7`, `robothow:file10_2`, or a VirtualHome graph file."""
    rules: Literal["clean", "v1", "e2wm", "vh23"] = "clean"
    """The rules of the household."""
    simulations: int = 2000
    """At most so many simulations."""
    steps: int = 30
    """The horizon: no plan is longer."""
    prior: Literal["heuristic", "none"] = "heuristic"
    """Whether the search is told which actions the goal is likely to need."""
    seed: int = 0
    """Seeds the search."""
    width: int = 4
    """So many moves of each state are shown: the most visited."""
    levels: int = 4
    """So many levels of the tree are shown, beside the plan."""


@dataclass(frozen=True)
class StoreInfo:
    """Say what a store holds and who wrote it."""

    path: Positional[Path]
    """The store's directory."""
    coverage: bool = False
    """Also read all episodes, and report what they have touched."""
    verify: bool = False
    """Also compare every file with its checksum."""


@dataclass(frozen=True)
class StoreShow:
    """Show an episode as it was lived, or list the first ones."""

    path: Positional[Path]
    """The store's directory."""
    id: Positional[str | None] = None
    """The id of the episode; without it, episodes are listed."""
    limit: int = 20
    """How many are listed."""
    full: bool = False
    """Show long observations whole."""


@dataclass(frozen=True)
class StoreExport:
    """Write the episodes of a store in another format."""

    path: Positional[Path]
    """The store's directory."""
    out: Positional[Path]
    """The file or folder to make."""
    format: Literal["parquet", "chat", "prompt-completion", "atif", "minari"] = "parquet"
    """The format."""
    success: bool | None = None
    """Only episodes that reached their goal (True) or failed to (False)."""
    roots: bool = False
    """Leave branches out."""
    overwrite: bool = False
    """Replace what is there."""


@dataclass(frozen=True)
class Demo:
    """The tour: agents live in generated houses, and their experience is collected, counted and kept."""

    out: Path = Path("runs/demo")
    """Where the stores are made; an earlier demo there is replaced."""
    episodes: int = 300
    """How many episodes each way of exploring collects."""
    workers: int = 2
    """How many processes play."""
    seed: int = 0
    """Seeds houses, tasks and exploration."""


@dataclass(frozen=True)
class Env:
    """The worlds."""

    command: Annotated[EnvList, subcommand("list")] | Annotated[EnvDoctor, subcommand("doctor")]


@dataclass(frozen=True)
class Data:
    """Public data sets."""

    command: Annotated[DataList, subcommand("list")] | Annotated[DataGet, subcommand("get")]


@dataclass(frozen=True)
class Store:
    """What was collected."""

    command: (
        Annotated[StoreInfo, subcommand("info")]
        | Annotated[StoreShow, subcommand("show")]
        | Annotated[StoreExport, subcommand("export")]
    )


Command = (
    Annotated[Demo, subcommand("demo")]
    | Annotated[Run, subcommand("run")]
    | Annotated[Collect, subcommand("collect")]
    | Annotated[Plan, subcommand("plan")]
    | Annotated[Store, subcommand("store")]
    | Annotated[Env, subcommand("env")]
    | Annotated[Data, subcommand("data")]
)
