"""The closed loop on generated houses: one language-model agent in four arms, and a planner without a model.

    python benchmarks/loop.py [--out runs/loop] [--seeds 3] [any option of `pathei loop`]

Runs `pathei loop` for three seeds, and says how long it took. Called again, it goes on where it stopped, and the time
is that of this call.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from pathei.cli.console import tame_libraries
from pathei.loop.config import LoopConfig
from pathei.loop.run import run_loop
from pathei.views.loop_page import write_page
from pathei.views.loop_table import comparisons, loop_table, rounds_table

Config = Annotated[LoopConfig, tyro.conf.arg(name="")]


def main(out: Path = Path("runs/loop"), config: Config = LoopConfig(seeds=3)) -> None:  # noqa: B008  # it is frozen
    """Run the loop, and show its tables.

    Args:
        out: The loop's directory.
        config: What to do.
    """
    console = Console(width=150)
    tame_libraries()
    begun, cpu = time.monotonic(), os.times()
    found = run_loop(out, config, console)
    minutes, now = (time.monotonic() - begun) / 60, os.times()
    spent = sum(now[:4]) - sum(cpu[:4])
    console.print(loop_table(found))
    console.print(rounds_table(found))
    for line in comparisons(found):
        console.print(line, soft_wrap=True)
    console.print(
        f"{minutes:.1f} minutes, {spent / 60:.1f} of processor time; load {os.getloadavg()[0]:.1f} on "
        f"{os.cpu_count()} cores."
    )
    console.print(f"Report: {write_page(out, config, found)}")


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
