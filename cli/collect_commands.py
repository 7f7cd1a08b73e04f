"""The command `pathei collect` as data. Each collector is a sub-command with its own options (`collectors.registry`).

Not here: what it does (`collecting`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

from tyro.conf import Positional, subcommand

from ..collectors.options import ExploreOptions
from ..collectors.registry import COLLECTORS

if TYPE_CHECKING:
    CollectorChoice = Any
else:
    # Built from the registry, so that the collectors of other packages are sub-commands, too.
    CollectorChoice = Union[  # noqa: UP007  # made at run time
        tuple(Annotated[COLLECTORS.get(name), subcommand(name)] for name in COLLECTORS.names())
    ]


@dataclass(frozen=True)
class Collect:
    """Play many tasks into a store. Run it again to resume. Several collectors may play the same tasks into a store."""

    out: Positional[Path]
    """The store's directory; it is made if it does not exist."""
    collector: CollectorChoice = field(default_factory=ExploreOptions)
    """How tasks are played."""
    tasks: str = "100"
    """A number (of generated tasks; for `curriculum`, of attempts), `robothow` (what people's programs changed),
    `robothow-eai` (the goals of the Embodied Agent Interface), `minedojo` (MineDojo's in the Minecraft world; also
    `minedojo-harvest`, `-combat`, `-techtree`, `-survival`), `minecraft-life` (160 attempts of one life there), or a
    file with one task per line. `curriculum` begins each attempt as a task says, and chooses the goal."""
    env: str = "virtualhome"
    """The environment that generates tasks; see `pathei env list`."""
    server: str | None = None
    """Play on this server, `HOST:PORT`, in real time, instead of in a world of pathei's own; for environments that can
    (`minecraft`)."""
    workers: int | None = None
    """The number of processes that play; 0 for this one. By default 2; 0 if the collector plays in one process."""
    pool: Literal["process", "ray"] = "process"
    """What they are.

    process: worker processes of this machine
    ray: actors of Ray, on the cluster that RAY_ADDRESS names; without it Ray is started here
    """
    steps: int | None = None
    """The maximum number of actions in an episode, and in a plan that is searched for; the environment may end an
    episode earlier. By default 30; demonstrations (`scripted`) are played to their end."""
    seed: int = 0
    """Determines the generated tasks and everything random."""
    characters: int | None = None
    """The number of characters that act in turn, in generated houses and in the Minecraft world."""
    frames: bool = False
    """Also store a picture of what the environment draws with every observation, for environments that can be drawn
    (`minigrid`, `miniwob`, ...)."""
    shard: str | None = None
    """Play one of several parts of the tasks, on one machine of many: `0/4` to `3/4`. Each part has a store of its own
    in the directory, and `pathei store merge` joins them. `auto/4` takes the number from a Kubernetes Job of
    completionMode Indexed or a Slurm array; `auto` from a whole Slurm array."""
    timeout: float = 300.0
    """The longest time for one task, in seconds; then its worker is replaced."""
