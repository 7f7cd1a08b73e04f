"""The tour, `pathei demo`: agents act and their episodes are stored (`views.demo`); then a small loop learns."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import ConfigError, MissingDependencyError
from .commands import Demo
from .console import make_console, say, tame_libraries

if TYPE_CHECKING:
    from rich.console import Console

    from ..loop.config import LoopConfig


_ABOUT: Final = (
    "The planner acts by the memory. The tiny model has learned what plans are like and is too small to act on them: "
    "`pathei loop runs/smollm2 --model smollm2` lets a larger one act, with the memory in its prompt and without."
)


def demo(command: Demo) -> None:
    """Give the tour."""
    from ..views.demo import run_demo

    tame_libraries()
    console = make_console()
    run_demo(console, command.out, episodes=command.episodes, workers=command.workers, seed=command.seed)
    if command.learn:
        console.print("\nNow the loop is closed: agents learn from what was collected, and act again.")
        _close(command, console)
        say(_ABOUT)
    say(_next(command))


def _close(command: Demo, console: Console) -> None:
    """Run a small loop; with a memory alone where what tuning needs is not installed."""
    from .learning.loop import show_loop

    out = command.out / "loop"
    _clear(out)
    try:
        show_loop(out, small_loop(command.workers, command.seed), console)
    except MissingDependencyError as error:
        say(f"\n{error} The tour goes on without it: a memory alone learns.")
        _clear(out)
        show_loop(out, small_loop(command.workers, command.seed, weights=False), console)


def _next(command: Demo) -> str:
    best, learned = command.out / "search", command.out / "loop" / f"seed-{command.seed}" / "store"
    hints = {
        f"pathei store show {best}": "the episodes",
        'pathei plan "put a cup in the sink"': "watch a search",
        "pathei run --agent human --seed 3": "act yourself",
    }
    if command.learn:
        hints |= {
            f'pathei memory query {learned} "where do cups end up?"': "ask the memory",
            f"pathei run --agent skills:{learned} --seed 3": "watch an agent act by that memory",
            "pathei loop runs/loop --seeds 3": "all of it, larger",
        }
    width = max(map(len, hints))
    return "\n".join(["\nNext:", *(f"  {hint:{width}}  {what}" for hint, what in hints.items())])


def small_loop(workers: int, seed: int, *, weights: bool = True) -> LoopConfig:
    """Return a loop that is over in a few minutes on two cores.

    The agents that ask the tiny model do not play: tuned on some 50 plans they reach none of these goals, in two
    minutes. What the model learned shows in how well it predicts plans.
    """
    from ..loop.config import LoopConfig

    usual = LoopConfig()
    return dataclasses.replace(
        usual,
        learn="both" if weights else "memory",
        rounds=1,
        tasks=40,
        proposed=20,
        explored=12,
        held_out=8,
        plays=False,
        training=dataclasses.replace(usual.training, steps=80),
        notes=0.0,  # no agent plays that would be shown any
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
