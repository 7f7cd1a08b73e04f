"""What `pathei loop` does: rounds of collecting, learning and measuring, for each seed, and one table at the end.

A loop that was stopped, by Ctrl-C or `kill -9`, goes on when it is run again with the same configuration: every part
(episodes, items of the memory, optimizer steps, measurements) is read from disk, and only what is missing is done. Not
here: the parts themselves (`experience`, `learning`, `results`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..collectors.progress import heading, progress_bar
from ..extras import needed_by
from ..learners.run_directory import (
    CONFIG,
    note_versions,
    only_writer,
    refuse_another,
    settle,
    stored_rate,
    write_json,
)
from ..pretrained import is_tiny
from . import experience, learning, results
from .config import RENAMED, LoopConfig
from .workspace import MEMORY, NOTHING, PLAIN, WEIGHTS, LoopWorkspace

if TYPE_CHECKING:
    from rich.console import Console

    from ..learners.evaluation.intervals import Interval

RESULT: Final = "loop.json"
"""The loop's results, within its directory."""

Lost = dict[tuple[str, int, int], "Interval"]
Alone = dict[tuple[int, int], float]


def run_loop(out: Path, config: LoopConfig, console: Console) -> results.LoopResult:
    """Run a loop, or go on where it stopped.

    Args:
        out: The loop's directory; made if it is not there.
        config: What to do.
        console: Where progress is shown.

    Raises:
        ConfigError: another loop is in the directory, or something that a method needs is missing.
        LearningError: another process runs the loop.
        PatheiError: an environment, a model or a memory cannot be loaded.
    """
    with only_writer(out):
        config = config.with_rate(stored_rate(out))
        refuse_another(out, config, RENAMED)
        if config.tunes:
            with needed_by("Learning into weights", "learn"):
                import torch  # noqa: F401
            if is_tiny(config.model):
                _base(console)
        if not (out / CONFIG).exists():
            _check(LoopWorkspace(out, config, config.seed))
        settle(out, config, RENAMED)
        if note := note_versions(out):
            console.print(note, soft_wrap=True)
        lost: Lost = {}
        alone: Alone = {}
        foretold: dict[tuple[str, int], float] = {}
        scores: list[results.LoopScore] = []
        for seed in range(config.seed, config.seed + config.seeds):
            _rounds(LoopWorkspace(out, config, seed), console, lost, alone)
            place = LoopWorkspace(out, config, seed)
            scores += results.scores_of(place)
            here = learning.foretold(place) if config.tunes else {}
            foretold |= {(row, seed): nats for row, nats in here.items()}
        found = results.LoopResult(tuple(scores), lost, alone, foretold)
        write_json(out / RESULT, found.json())
    return found


def _check(place: LoopWorkspace) -> None:
    """Raise at once what a wrong name or a missing file would raise when the first part needs it."""
    config = place.config
    place.tasks(1)
    place.held_out_tasks()
    if config.remembers:
        from ..memory import make_embedder

        make_embedder(config.embedder)
    if config.tunes:
        from ..learners.finetuning import FineTuner
        from ..learners.training.batches import read_texts

        read_texts(config.held_out_texts)
        for method in filter(None, (config.against, config.method)):
            tuner = FineTuner(learning.run_config(place, 1, method))
        tuner.load()


def _rounds(place: LoopWorkspace, console: Console, lost: Lost, alone: Alone) -> None:
    config = place.config
    for number in range(config.rounds + 1):
        title = f"round {number}" if number else "before learning"
        heading(console, f"{title}, seed {place.seed}" if config.seeds > 1 else title)
        if number:
            experience.collect_round(place, number, console)
            if number > 1:
                alone[number, place.seed] = results.alone(place, number)
            _learn(place, number, console, lost)
        for actor in place.actors(number):
            if not config.plays and actor.row not in (NOTHING, MEMORY):
                continue
            experience.measure(place, actor, console)


def _learn(place: LoopWorkspace, number: int, console: Console, lost: Lost) -> None:
    config = place.config
    if config.remembers:
        with progress_bar(console, "remembering") as watch:
            learning.remember(place, number, watch)
    methods = {WEIGHTS: config.method} if config.tunes else {}
    if number == config.rounds and config.against and methods:
        methods[PLAIN] = config.against
    for row, method in methods.items():
        with progress_bar(console, f"tuning, {method}") as watch:
            run: Path = learning.tune(place, number, method, watch)
        forgotten = learning.forgotten(place, run)
        if forgotten is not None:
            lost[row, number, place.seed] = forgotten


def _base(console: Console) -> None:
    """Train the tiny model if it is not there, and show the progress."""
    from ..learners.models.base import tiny_base

    with progress_bar(console, "the base model, once") as watch:
        tiny_base(progress=watch)
