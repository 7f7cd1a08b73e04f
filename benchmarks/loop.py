"""The closed loop on the embedded base and generated houses: what memory, weights and both are worth on held-out tasks.

    python benchmarks/loop.py [--out runs/loop] [--seeds 3] [any option of `pathei loop`]

Runs `pathei loop` for three seeds (their intervals are over tasks, all seeds counting alike), and compares the results
with the bars: success with a memory at least 2 times that of the same agent without; with tuned weights at least 3
times that of the base model; with both at least that of the better of the two; forgetting under EWC at most half of
what plain fine-tuning loses; all of it within 15 minutes on two cores. Called again, it goes on where it stopped, and
the time is that of this call.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.table import Table

from pathei.cli.console import tame_libraries
from pathei.loop.config import LoopConfig
from pathei.loop.run import run_loop
from pathei.views.loop_page import write_page
from pathei.views.loop_table import loop_table, rounds_table

MINUTES = 15.0
BARS = (("at least", 2.0), ("at least", 3.0), ("at least", 1.0), ("at most", 0.5))
"""For each comparison of `LoopResult.worth`, in order: what the ratio is to be."""


Config = Annotated[LoopConfig, tyro.conf.arg(name="")]


def main(out: Path = Path("runs/loop"), config: Config = LoopConfig(seeds=3)) -> None:  # noqa: B008  # it is frozen
    """Run the loop, and compare with the bars.

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
    table = Table("what", "value", "against", "ratio", "bar", "met")
    for (what, value, other), (sense, bar) in zip(found.worth(), BARS, strict=True):
        if value is None or other is None:
            continue
        met = value >= bar * other if sense == "at least" else value <= bar * other
        ratio = f"{value / other:.2f}" if other else "infinite"
        table.add_row(what, f"{value:.3f}", f"{other:.3f}", ratio, f"{sense} {bar}", "yes" if met else "no")
    took = "yes" if minutes <= MINUTES else "no"
    table.add_row("minutes of wall time", f"{minutes:.1f}", "", "", f"at most {MINUTES:.0f}", took)
    console.print(table)
    console.print(f"{spent / 60:.1f} minutes of processor time; load {os.getloadavg()[0]:.1f}; {os.cpu_count()} cores.")
    console.print(f"Report: {write_page(out, config, found)}")


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
