"""The tour: `pathei demo`. Agents live and their experience is kept (`collectors.demo`); then the loop is closed."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError, MissingDependencyError
from .commands import Demo
from .console import make_console, tame_libraries

if TYPE_CHECKING:
    from ..loop.config import LoopConfig


def demo(command: Demo) -> None:
    """Give the tour."""
    from ..collectors.demo import run_demo

    tame_libraries()
    console = make_console()
    run_demo(console, command.out, episodes=command.episodes, workers=command.workers, seed=command.seed)
    if not command.learn:
        return
    from .looping import show_loop

    out = command.out / "loop"
    _clear(out)
    try:
        show_loop(out, small_loop(command.workers, command.seed), console)
    except MissingDependencyError as error:
        console.print(f"\n{error} The tour goes on without it: a memory alone learns.", markup=False, soft_wrap=True)
        _clear(out)
        show_loop(out, small_loop(command.workers, command.seed, weights=False), console)


def small_loop(workers: int, seed: int, *, weights: bool = True) -> LoopConfig:
    """Return a loop that is over in a few minutes on two cores."""
    from ..loop.config import LoopConfig

    usual = LoopConfig()
    return dataclasses.replace(
        usual,
        learn="both" if weights else "memory",
        tasks=60,
        proposed=30,
        explored=20,
        held_out=16,
        training=dataclasses.replace(usual.training, steps=120),
        workers=workers,
        seed=seed,
    )


def _clear(out: Path) -> None:
    """Remove the loop of an earlier tour, and nothing else."""
    if not out.exists():
        return
    if any(out.iterdir()) and not ((out / "config.json").exists() and (out / "lock").exists()):
        raise ConfigError(f"{out} was not made by a tour: choose another directory with --out.")
    shutil.rmtree(out)


__all__ = ["demo", "small_loop"]
