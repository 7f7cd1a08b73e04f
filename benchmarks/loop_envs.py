"""The closed loop with memory and weights in environments other than the household: what each is worth.

    python benchmarks/loop_envs.py [--envs minigrid textworld terminal] [--out runs/loop_envs] [--save FILE]

Runs `pathei loop --learn both` with small settings, some minutes per environment on one shared core, and prints one
table. The model is a quarter of the built-in one, with a shorter training, so that it is there in seconds (`RECIPE`).
`--save` writes the table to a result file, `benchmarks/results/loop/envs.json`. Called again, it resumes.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import orjson
import tyro
from rich.console import Console

from pathei.cli.console import tame_libraries
from pathei.learners.models.base import BaseRecipe, tiny_base
from pathei.learners.models.stdlib_text import stdlib_text
from pathei.learners.training.config import TrainingConfig
from pathei.loop.config import LoopConfig
from pathei.loop.results import LoopResult
from pathei.loop.run import run_loop
from pathei.views.loop_table import cells, loop_table

COLUMNS: Final = (
    "environment", "agent", "held-out goals reached", "held-out tasks", "steps to a goal", "forgetting, nats per token",
)  # fmt: skip
SETTINGS: Final[Mapping[str, dict[str, int]]] = MappingProxyType(
    {"textworld": {"simulations": 100, "tasks": 6, "explored": 2, "proposed": 0}, "terminal": {"simulations": 60}}
)
"""What differs where steps are slow."""
RECIPE: Final = BaseRecipe(layers=2, width=128, heads=4, vocabulary=2048, steps=400, batch=2, text=4000)
TEXTS: Final = 60
"""How many reference texts the method reads, and on how many others forgetting is measured."""


@dataclass(frozen=True)
class Settings:
    """Which environments, how much in each, and where it goes."""

    envs: tuple[str, ...] = ("minigrid", "textworld", "terminal")
    """The environments."""
    out: Path = Path("runs/loop_envs")
    """One loop's directory each is made in here."""
    save: Path | None = None
    """The result file to write."""
    tasks: int = 24
    """New tasks in the one round."""
    held_out: int = 8
    """Held-out tasks of each group."""
    training_steps: int = 60
    """Optimizer steps."""


def prepare(out: Path) -> dict[str, Any]:
    """Train the small base, write its texts, and return the fields of `LoopConfig` that name them."""
    texts, files = stdlib_text(), []
    out.mkdir(parents=True, exist_ok=True)
    for name, some in (("train", texts.train), ("held_out", texts.held_out)):
        files.append(out / f"{name}.jsonl")
        files[-1].write_bytes(b"\n".join(map(orjson.dumps, some[:: len(some) // TEXTS][:TEXTS])))
    model = str(tiny_base(out / "models", recipe=RECIPE))
    return {"model": model, "texts": (files[0],), "held_out_texts": (files[1],)}


def loop_config(env: str, settings: Settings, **model: Any) -> LoopConfig:
    """Return the loop of one environment."""
    return LoopConfig(
        env=env,
        rounds=1,
        held_out=settings.held_out,
        steps=40,
        against="",
        training=TrainingConfig(
            steps=settings.training_steps, learning_rate=3e-3, warmup=20, batch_size=8, group_by_length=True
        ),
        workers=0,
        **{
            "tasks": settings.tasks,
            "explored": 6,
            "proposed": 10,
            "simulations": 300,
            **SETTINGS.get(env, {}),
            **model,
        },
    )


def rows_of(env: str, found: LoopResult) -> list[list[str]]:
    """Return the table's rows of one environment."""
    rows = []
    for row in found.rows():
        number = found.last(row) or 0
        count = sum(len(score.success) for score in found.scores if (score.row, score.round) == (row, number))
        name, *_, reached, steps, _tokens, lost = cells(found, row)
        rows.append([env, name, reached, str(count), steps, lost])
    return rows


def save(path: Path, rows: list[list[str]], minutes: float) -> None:
    """Write the result file."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    result: dict[str, Any] = {
        "title": "The closed loop with memory and weights elsewhere: one seed, one round, a base of 0.7 M weights",
        "command": "python benchmarks/loop_envs.py",
        "date": dt.date.today().isoformat(),
        "machine": f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {minutes:.0f} minutes",
        "commit": commit.stdout.strip(),
        "versions": None,
        "transcribed": False,
        "columns": list(COLUMNS),
        "align": ["left", "left", "right", "right", "right", "right"],
        "rows": rows,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2) + b"\n")


def main(settings: Settings) -> None:
    """Run the loops, print the table, and save it if asked."""
    console = Console(width=150)
    tame_libraries()
    begun, rows = time.monotonic(), []
    model = prepare(settings.out)
    for env in settings.envs:
        since = time.monotonic()
        found = run_loop(settings.out / env, loop_config(env, settings, **model), console)
        console.print(loop_table(found))
        console.print(f"{env}: {time.monotonic() - since:.0f} s")
        rows += rows_of(env, found)
    console.print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", markup=False)
    for row in rows:
        console.print(f"| {' | '.join(row)} |", markup=False)
    minutes = (time.monotonic() - begun) / 60
    console.print(f"{minutes:.1f} minutes; load {os.getloadavg()[0]:.1f}.")
    if settings.save is not None:
        save(settings.save, rows, minutes)


if __name__ == "__main__":
    main(tyro.cli(Settings, description=__doc__))
