"""How many of MineDojo's programmatic tasks the Minecraft world holds, why not the others, and what the oracle reaches.

The list is the real package's, which `pathei env install minedojo` installs. For each kind some tasks are drawn and
played by the oracle, which may take 100 actions.

    python benchmarks/minecraft/minedojo.py --sample 12 [--why]
"""

from __future__ import annotations

import argparse
from collections import Counter

from pathei.envs.minecraft.plans import Planner
from pathei.envs.minecraft.process.game import MinecraftGame
from pathei.envs.minecraft.tasks import demonstration
from pathei.envs.minecraft.tasks.dojo import KINDS, DojoTask, read_task, to_task, why_not
from pathei.envs.minedojo.runtime import task_names
from pathei.errors import ConfigError
from pathei.stable_random import StableRandom

OPEN = ("creative:", "playthrough")
"""Tasks without a rule of success."""


def reached(task: DojoTask) -> bool:
    """Return whether the oracle reaches a task's goal."""
    try:
        demonstration(to_task(task))
    except ConfigError:
        return False
    return True


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=12, help="how many tasks of each kind the oracle plays")
    parser.add_argument("--why", action="store_true", help="also list why tasks are left out")
    args = parser.parse_args()
    tasks = [read_task(name) for name in sorted(task_names()) if not name.startswith(OPEN)]
    game = MinecraftGame()
    planner = Planner(game.rules)
    why = {task.id: why_not(task, planner) for task in tasks}
    game.close()
    draws = StableRandom.seeded(0, 29)
    print(
        "| kind | MineDojo's | held here | left out | drawn | reached by the oracle |\n|:---|---:|---:|---:|---:|---:|"
    )
    for kind in KINDS:
        all_ = [task for task in tasks if task.kind == kind]
        held = [task for task in all_ if why[task.id] is None]
        drawn = [] if kind == "survival" else [draws.pick(held) for _ in range(args.sample)]
        played = f"{len(drawn)} | {sum(map(reached, drawn))}" if drawn else "- | not played: 100 days"
        print(f"| {kind} | {len(all_)} | {len(held)} | {len(all_) - len(held)} | {played} |", flush=True)
    if args.why:
        for reason, count in Counter(one for one in why.values() if one is not None).most_common():
            print(f"{count} {reason}")


if __name__ == "__main__":
    main()
