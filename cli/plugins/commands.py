"""The commands for people who add parts, as data; see `cli.commands`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional


@dataclass(frozen=True)
class ListParts:
    """List the parts of one kind by name, those of other installed packages included."""

    kind: Positional[str] = ""
    """env, agent, builder, embedder, collector, proposer, method, objective or export; without one, the kinds are
    listed."""


@dataclass(frozen=True)
class CheckEnv:
    """Check an environment: gymnasium's contract, pathei's conventions, and snapshots. Works for any gymnasium id."""

    env: Positional[str]
    """A name of `pathei env list`, a gymnasium id, or `module:Id-v0`."""
    steps: int = 20
    """The number of actions in each random walk."""
    seed: int = 0
    """Seeds the environment and the choice of actions."""


@dataclass(frozen=True)
class NewPart:
    """Write the skeleton of a package that adds a part: `pathei new env NAME`. It passes the contracts as it is."""

    kind: Positional[Literal["env"]]
    """What it adds.

    env: an environment
    """
    name: Positional[str]
    """The part's name: lower-case letters, digits and `_`."""
    folder: Path | None = None
    """The folder to make; that of the name if left out."""
