"""The commands of the console script as data: one frozen dataclass each, whose docstrings are the help text.

What they do is in the other modules of this package. Not here: the commands of `collect_commands`,
`learning.commands`, `memory.commands` and `plugins.commands`; `COMMANDS` of the package names them all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import OmitArgPrefixes, Positional, arg, subcommand

from ..collectors.options import LmOptions


@dataclass(frozen=True)
class EnvList:
    """List the environments, whether each is ready, and what it needs."""


@dataclass(frozen=True)
class EnvInstall:
    """Install what an environment runs in, where that is an interpreter or packages of its own."""

    name: Positional[str]
    """The environment, as `pathei env list` calls it."""
    again: bool = False
    """Install it even if it is there; the old one is replaced when the new one is complete."""


@dataclass(frozen=True)
class EnvDoctor:
    """Check what an environment needs, and say how to install what is missing."""

    name: Positional[str]
    """The environment, as `pathei env list` calls it."""


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

    agent: str = "scripted"
    """Who acts: `scripted` (the task's demonstration), `random`, `human` (you), `lm:PATH` or `lm:MODEL@URL` (a language
    model, here or at an endpoint), `skills:MEMORY` (by a memory alone), or any of them followed by `+memory:MEMORY`,
    who is shown what that holds about the goal."""
    lm: LmOptions = field(default_factory=LmOptions)
    """How a language model is asked."""
    env: str = "virtualhome"
    """The environment: a name of `pathei env list`, or `module:Id-v0`."""
    tasks: str = "1"
    """Where tasks come from: a number (of generated tasks), `robothow`, `robothow-eai`, `minedojo`, or a file."""
    server: str | None = None
    """Play on this server, `HOST:PORT`, in real time, instead of in a world of pathei's own; for environments that can
    (`minecraft`)."""
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
    steps: int | None = None
    """The maximum number of actions in the episode. By default 30; a demonstration or a script is played to its end."""
    characters: int | None = None
    """How many characters act in turn, in generated houses."""
    full: bool = False
    """Show long observations whole."""
    show: Path | None = None
    """A folder for pictures: what the environment draws after the reset and after every step, for environments that can
    be drawn (`habitat`: what the camera sees in colour, depth and semantics, and a map with the way)."""


@dataclass(frozen=True)
class Plan:
    """Watch one search: find a plan for an instruction, show the tree, and do it."""

    instruction: Positional[str]
    """What is to be done, "turn on the lamp and put a cup in the sink", or to be true, "the lamp is on"."""
    env: str = "virtualhome"
    """The environment: a name of `pathei env list`, or `module:Id-v0`, that offers goals."""
    scene: str = "house:7"
    """In the household: `house:7`, `robothow:file10_2`, or a VirtualHome graph file."""
    rules: Literal["clean", "v1", "e2wm", "vh23"] = "clean"
    """The rules of the household.

    clean: consistent rules for new work
    v1: of VirtualHome 1.0
    e2wm: of the copy that E2WM used
    vh23: of VirtualHome 2.3.0
    """
    simulations: int = 2000
    """Maximum number of simulations."""
    env_steps: int | None = None
    """Maximum number of transitions of the search; by default none in the household, and elsewhere what suits how fast
    the environment is."""
    steps: int = 45
    """The maximum number of actions in a plan."""
    prior: Literal["heuristic", "none"] = "heuristic"
    """Which actions are tried first.

    heuristic: those that the goal is likely to need
    none: all alike
    """
    seed: int = 0
    """Seeds the search and, elsewhere than in the household, the task that says where."""
    width: int = 4
    """How many moves of each state are shown: the most visited."""
    levels: int = 4
    """How many levels of the tree are shown, with the plan."""
    pddl: Path | None = None
    """Search nothing: write the task as `domain.pddl` and `problem.pddl` into this folder, for a planner, and do the
    plan that is there, if there is one (`problem.pddl.soln` or `sas_plan`)."""


@dataclass(frozen=True)
class Verify:
    """Do every episode of a result file again, and say what the agent has reached and what it took.

    `pathei store export STORE FILE --format results` makes such a file. One that is not whole, is over its budget, is
    about other tasks or says what did not happen is refused.
    """

    file: Positional[Path]
    """The result file."""
    tasks: Path | None = None
    """A file with the tasks that it must be about; if left out, the file says which tasks are generated."""
    steps: int | None = None
    """The maximum number of actions that an episode may have; by default what the file says."""
    learned_from: tuple[Path, ...] = ()
    """Stores of what the agent has learned from. Their experience is counted, and the tasks must not be in them."""
    workers: int = 2
    """The number of processes that play; 0 for this one."""
    timeout: float = 300.0
    """The longest time for one episode, in seconds."""
    json: bool = False
    """Print one JSON object instead of a table."""


@dataclass(frozen=True)
class Serve:
    """Let a program of others play an environment, over a protocol or in files that it knows.

    The agent can look, act and finish. It gets the tasks one after another, each once, unless the program that trains
    it asks for others.
    """

    env: Positional[str]
    """The environment: a name of `pathei env list`, or `module:Id-v0`."""
    protocol: Annotated[Literal["mcp", "openenv", "verifiers", "harbor"], arg(name="as")] = "mcp"
    """The protocol.

    mcp: tools of the Model Context Protocol, over stdio or HTTP
    openenv: OpenEnv's protocol, over HTTP, a session for each connection
    verifiers: writes a package that `verifiers.load_environment` loads
    harbor: writes a task folder for each task, whose test does the agent's actions again
    """
    tasks: str = "10"
    """Where tasks come from: a number (of generated tasks), the name of a task set, or a file."""
    seed: int = 0
    """Seeds the generated tasks."""
    steps: int = 30
    """The maximum number of actions in an episode."""
    out: Path | None = None
    """For `mcp` and `openenv`: the store that gets the episodes. For `verifiers` and `harbor`: the folder to make."""
    record_as: str = "guest"
    """The name under which episodes are stored."""
    http: int | None = None
    """Serve over HTTP at this port, `http://127.0.0.1:PORT/mcp`; by default over stdio, and `openenv` at 8000."""


@dataclass(frozen=True)
class StoreOperation:
    """What a command on an existing store takes."""

    path: Positional[Path]
    """The store's directory."""


@dataclass(frozen=True)
class StoreSummary(StoreOperation):
    """Say what a store holds and who wrote it."""

    coverage: bool = False
    """Also read all episodes, and report what they have touched."""
    verify: bool = False
    """Also do as `pathei store verify`."""
    json: bool = False
    """Print one JSON object instead of tables."""


@dataclass(frozen=True)
class StoreVerify(StoreOperation):
    """Read a store whole, compare its files with their checksums, and name what is missing or damaged."""


@dataclass(frozen=True)
class StoreSalvage:
    """Save what can be read of a damaged store into a new one; the damaged one is not changed."""

    path: Positional[Path]
    """The damaged store's directory."""
    out: Positional[Path]
    """The directory of the new store."""


@dataclass(frozen=True)
class StoreMerge:
    """Join stores, such as the parts of `pathei collect --shard`, by the ids of their episodes, any number of times."""

    out: Positional[Path]
    """The store that is added to; it is made if it does not exist."""
    sources: Positional[tuple[Path, ...]]
    """Stores, or directories of parts."""


@dataclass(frozen=True)
class StoreShow(StoreOperation):
    """Show an episode step by step, or list the first ones."""

    id: Positional[str | None] = None
    """The id of the episode; without it, episodes are listed."""
    limit: int = 20
    """How many are listed."""
    full: bool = False
    """Show long observations whole."""


@dataclass(frozen=True)
class EpisodeChoice:
    """Which episodes of a store are written."""

    collector: str | None = None
    """Only episodes that this collector played."""
    success: bool | None = None
    """Only episodes that reached their goal (True) or failed to (False)."""
    roots: bool = False
    """Leave branches out."""
    flags: tuple[str, ...] = ()
    """Only episodes with all of these flags, which are set in `pathei view`; `not:bad` is without `bad`."""


@dataclass(frozen=True)
class StoreExport(StoreOperation):
    """Write the episodes of a store in another format."""

    out: Positional[Path]
    """The file or folder to make."""
    format: str | None = None
    """The format; if left out, `parquet` for a file `*.parquet`, `chat` for `*.jsonl`. Those of other packages are in
    `pathei list export`.

    parquet: one file, one row per step
    chat: JSON lines, one conversation per episode
    prompt-completion: JSON lines, one row per step
    preference: JSON lines, of a state where several actions were tried a better and a worse one; for DPO
    atif: a folder, one ATIF document per episode
    minari: a Minari dataset
    agent-traces: a folder, one JSONL session per episode, for the viewer of the Hugging Face Hub
    pddl: a folder, domain and problem of each task, for planners
    results: JSON lines, the actions of each episode, which `pathei verify` does again
    """
    which: OmitArgPrefixes[EpisodeChoice] = field(default_factory=EpisodeChoice)
    """Which episodes."""
    overwrite: bool = False
    """Replace what is there."""


@dataclass(frozen=True)
class View:
    """Look at a store in a browser, step by step, or write its episodes into one HTML file."""

    path: Positional[Path]
    """The store's directory; or a trajectory of another program, an ATIF document or a folder of them."""
    port: int = 8765
    """The port on 127.0.0.1; 0 for any that is free."""
    export: Path | None = None
    """Serve nothing, and write the chosen episodes into this HTML file, which opens without a server."""
    episode: tuple[str, ...] = ()
    """For `--export`: only the episodes of these ids."""
    env: str | None = None
    """For `--export`: only episodes in this environment, by its gymnasium id."""
    collector: str | None = None
    """For `--export`: only what this collector played."""
    success: bool | None = None
    """For `--export`: only episodes that reached their goal (True) or failed to (False)."""
    text: str = ""
    """For `--export`: only episodes whose goal, task or id has all these words in it."""
    limit: int = 200
    """For `--export`: the largest number of episodes; more are refused."""
    overwrite: bool = False
    """For `--export`: replace what is there."""


@dataclass(frozen=True)
class StoreImport:
    """Add trajectories of ATIF documents, those of other programs too, to a store."""

    path: Positional[Path]
    """The store's directory; it is made if it does not exist."""
    source: Positional[Path]
    """An ATIF document, or a folder of them. Those that are in the store already are left out."""


@dataclass(frozen=True)
class StoreCard(StoreOperation):
    """Print what a store holds as the card of a data set: what, how many, licence, seeds and versions."""

    licence: str = ""
    """The licence, as the Hugging Face Hub abbreviates it: `cc-by-4.0`."""
    name: str = ""
    """What the data set is called; the name of the directory if left out."""


@dataclass(frozen=True)
class StorePush(StoreOperation):
    """Upload the episodes of a store, with a card, as a data set of the Hugging Face Hub."""

    repo: Positional[str]
    """The data set: `USER/NAME`. It is made if it does not exist."""
    format: Literal["parquet", "chat", "prompt-completion", "agent-traces", "atif"] = "parquet"
    """The format.

    parquet: one file, one row per step
    chat: JSON lines, one conversation per episode
    prompt-completion: JSON lines, one row per step
    agent-traces: one JSONL session per episode, for the Hub's trace viewer
    atif: one ATIF document per episode
    """
    licence: str = ""
    """The licence, as the Hub abbreviates it: `cc-by-4.0`."""
    private: bool = False
    """Make the data set private, if it is made."""
    which: OmitArgPrefixes[EpisodeChoice] = field(default_factory=EpisodeChoice)
    """Which episodes."""


@dataclass(frozen=True)
class Demo:
    """The tour: agents act in generated houses, their experience is stored, and a small loop learns from it."""

    out: Path = Path("runs/demo")
    """Where the stores are made; an earlier demo there is replaced."""
    episodes: int = 300
    """The number of episodes that each collector plays."""
    learn: bool = True
    """Whether the loop is closed at the end: a memory grows, a model is tuned, and both are measured; a few minutes."""
    workers: int = 2
    """How many processes play."""
    seed: int = 0
    """Seeds houses, tasks and exploration."""


@dataclass(frozen=True)
class Env:
    """Environments."""

    command: (
        Annotated[EnvList, subcommand("list")]
        | Annotated[EnvDoctor, subcommand("doctor")]
        | Annotated[EnvInstall, subcommand("install")]
    )


@dataclass(frozen=True)
class Data:
    """Public data sets."""

    command: Annotated[DataList, subcommand("list")] | Annotated[DataGet, subcommand("get")]


@dataclass(frozen=True)
class Store:
    """What was collected."""

    command: (
        Annotated[StoreSummary, subcommand("info")]
        | Annotated[StoreShow, subcommand("show")]
        | Annotated[StoreVerify, subcommand("verify")]
        | Annotated[StoreSalvage, subcommand("salvage")]
        | Annotated[StoreMerge, subcommand("merge")]
        | Annotated[StoreExport, subcommand("export")]
        | Annotated[StoreImport, subcommand("import")]
        | Annotated[StoreCard, subcommand("card")]
        | Annotated[StorePush, subcommand("push")]
    )
