"""What a memory is worth outside the household: the same agent with it and without, on tasks that it has not seen.

    python benchmarks/memory/other_worlds.py [--worlds terminal miniwob minigrid shop] [--seeds 2] [--tasks 20]

For each world and seed, demonstrations of training tasks fill a memory, whose plans are proved in further tasks of the
same sort. Then three agents play `--tasks` tasks of another seed: one that acts at random, `SkillAgent` with an empty
memory, and `SkillAgent` with this one. Success is judged by the environment. The bar is 1.5 times the success of the
empty memory in two of the worlds, and nowhere less than the random agent. Pages of MiniWoB++ without a demonstration
are among its test tasks, not among its training tasks. Not here: environments with skills on objects (TextWorld, the
household), which `memory_agent.py` and `benchmarks/envs/beyond_household.py` measure.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from pathei.agents import Agent, RandomAgent
from pathei.agents.skills.agent import SkillAgent
from pathei.collectors.rollout.policy import AgentPolicy, demonstrator
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs.registry import get_env
from pathei.experience import Task, Trajectory
from pathei.memory.builders.registry import make_builders
from pathei.memory.embedders.registry import make_embedder
from pathei.memory.experience_memory import ExperienceMemory
from pathei.memory.items import Filter

WORLDS: Final = {"terminal": (100, 12), "miniwob": (120, 8), "minigrid": (60, 60), "shop": (60, 15)}
"""For each world the number of training tasks, and the most steps of an episode."""
AGENTS: Final = ("random", "empty memory", "memory")


def play(agent_for: Callable[[Task], Agent], tasks: Sequence[Task], steps: int) -> list[Trajectory]:
    """Return the episodes that did not break."""
    collector = Rollout(AgentPolicy(agent_for), max_steps=steps)
    try:
        return [one for one in collector.collect(tasks) if isinstance(one, Trajectory)]
    finally:
        collector.close()


def measure(world: str, seed: int, tests: int) -> dict[str, Any]:
    """Return the figures of one world and seed."""
    spec, (trained, steps) = get_env(world), WORLDS[world]
    lived = [one for one in play(demonstrator, spec.generate_tasks(trained, seed), 40) if one.success]
    tasks = spec.generate_tasks(tests, seed + 500)
    embedder, found = make_embedder("ngrams"), dict[str, Any](episodes=len(lived), tasks=len(tasks))
    with (
        tempfile.TemporaryDirectory() as folder,
        ExperienceMemory.open(Path(folder, "empty"), embedder=embedder) as empty,
        ExperienceMemory.open(Path(folder, "full"), embedder=embedder, builders=make_builders()) as memory,
    ):
        memory.add_all(lived)
        found["skills"] = sum(1 for _ in memory.items(Filter(kinds=("skill",))))
        agents: tuple[Callable[[Task], Agent], ...] = (
            lambda task: RandomAgent(np.random.default_rng(task.seed)),
            lambda task: SkillAgent(empty, env=task.env),
            lambda task: SkillAgent(memory, env=task.env),
        )
        for name, agent_for in zip(AGENTS, agents, strict=True):
            found[name] = sum(bool(one.success) for one in play(agent_for, tasks, steps))
    return found


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", nargs="+", default=list(WORLDS), choices=list(WORLDS))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    options = parser.parse_args()
    columns, rows = ("world, seed", "episodes", "skills", *AGENTS, "of"), list[list[str]]()
    for world in options.worlds:
        for seed in range(options.seeds):
            found = measure(world, seed, options.tasks)
            counts = (found["episodes"], found["skills"], *(found[name] for name in AGENTS), found["tasks"])
            rows.append([f"{world}, {seed}", *map(str, counts)])
    if options.markdown:
        lines = [list(columns), ["---", *["---:"] * (len(columns) - 1)], *rows]
        sys.stdout.write("".join(f"| {' | '.join(line)} |\n" for line in lines))
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*row)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
