"""What a memory is worth without any model: the same agent with it and without, on tasks that it has not seen.

    python benchmarks/memory_agent.py [--seeds 3] [--demonstrations 120] [--searches 12] [--explorations 30]
                                      [--tasks 64] [--steps 60] [--json FILE]

For each seed, 16 of the 64 activities are held out. In training houses the other activities are demonstrated, searched
(MCTS) and explored; the memory is built from these episodes. Then `SkillAgent` plays tasks in test houses, of held-out
activities and of the others: with an empty memory, with this one, and with what is left of it after it was used in
further training tasks, told how it served, and consolidated: first without a cap, so that only skills that failed are
retired, then with the default cap of 200 active skills. A random agent stands beside. Success is
the world's judgement within `--steps` steps; intervals are bootstrapped over tasks, seeds counting alike. The bar is
two times the success of the same agent with an empty memory.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from pathei.agents import Agent, RandomAgent
from pathei.agents.planner import SkillAgent
from pathei.collectors.acting import Act, demonstrator
from pathei.collectors.explore import Explore
from pathei.collectors.mcts import Mcts, MctsConfig, household_search
from pathei.envs.virtualhome.activities import ACTIVITIES, generate_tasks
from pathei.experience import Failure, Record, Task, Trajectory
from pathei.learners.intervals import Interval, mean_of_means
from pathei.memory.builders import default_builders
from pathei.memory.embedders import embedder_named
from pathei.memory.experience_memory import ExperienceMemory
from pathei.memory.feedback import give_feedback
from pathei.memory.upkeep import Policy

HELD_OUT = 16
AGENTS = ("random", "empty memory", "memory", "memory, failures retired", "memory, 200 skills")


class Played(NamedTuple):
    """How one agent did with one seed."""

    agent: str
    seed: int
    unseen: bool
    """Whether the tasks are of activities that were held out."""
    success: list[bool]
    steps: list[int]
    """The steps of those that succeeded."""


def experience(seed: int, names: Sequence[str], arguments: argparse.Namespace) -> list[Trajectory]:
    """Collect demonstrations, searches and explorations in training houses."""
    counts = (arguments.demonstrations, arguments.searches, arguments.explorations)
    tasks = generate_tasks(sum(counts), 1_000 + seed, activities=names, split="train")
    search = MctsConfig(search=household_search(simulations=2_000, seconds=None))
    records: list[Record] = []
    start = 0
    collectors: tuple[Act | Mcts | Explore, ...] = (Act(demonstrator), Mcts(search, seed=seed), Explore(seed=seed))
    for count, collector in zip(counts, collectors, strict=True):
        records += list(collector.collect(tasks[start : start + count]))
        collector.close()
        start += count
    return [record for record in records if isinstance(record, Trajectory) and record.parent is None]


def play(agent_for: Callable[[Task], Agent], tasks: Sequence[Task], steps: int) -> list[Trajectory]:
    """Let an agent play.

    Raises:
        SystemExit: an episode broke.
    """
    collector = Act(agent_for, max_steps=steps)
    records = list(collector.collect(tasks))
    collector.close()
    for record in records:
        if isinstance(record, Failure):
            raise SystemExit(f"{record.task.id}: {record.stage}: {record.error}")
    return [record for record in records if isinstance(record, Trajectory)]


def compare(seed: int, arguments: argparse.Namespace, console: Console) -> list[Played]:
    """Run one seed."""
    rng = np.random.default_rng(seed)
    names = list(ACTIVITIES)
    unseen = [names[n] for n in sorted(rng.choice(len(names), HELD_OUT, replace=False))]
    seen = [name for name in names if name not in unseen]
    tests = {
        new: generate_tasks(arguments.tasks // 2, 2_000 + seed, activities=chosen, split="test")
        for new, chosen in ((False, seen), (True, unseen))
    }
    lived = experience(seed, seen, arguments)
    results: list[Played] = []

    def test(name: str, agent_for: Callable[[Task], Agent]) -> None:
        for new, tasks in tests.items():
            played = play(agent_for, tasks, arguments.steps)
            wins = [len(one.steps) for one in played if one.success]
            results.append(Played(name, seed, new, [bool(one.success) for one in played], wins))

    with tempfile.TemporaryDirectory() as folder:
        embedder, builders = embedder_named("ngrams"), default_builders()
        with ExperienceMemory.open(Path(folder, "empty"), embedder=embedder, builders=builders) as empty:
            test("random", lambda task: RandomAgent(np.random.default_rng(task.seed)))
            test("empty memory", lambda task: SkillAgent(empty))
        with ExperienceMemory.open(Path(folder, "full"), embedder=embedder, builders=builders) as memory:
            begun = time.perf_counter()
            memory.add_all(lived)
            took = time.perf_counter() - begun
            items = sum(1 for _ in memory.items())
            console.print(f"seed {seed}: {len(lived)} episodes, {items} items, remembered in {took:.1f} s")
            test("memory", lambda task: SkillAgent(memory))
            practice = generate_tasks(arguments.tasks, 3_000 + seed, activities=seen, split="train")
            for trajectory in play(lambda task: SkillAgent(memory), practice, arguments.steps):
                give_feedback(memory, trajectory)
            for name, policy in ((AGENTS[3], Policy(caps={})), (AGENTS[4], Policy())):
                retired = len(memory.consolidate(policy).retired)
                console.print(f"seed {seed}: {name}: {retired} items retired")
                test(name, lambda task: SkillAgent(memory))
    return results


def interval(results: Sequence[Played], name: str, unseen: bool | None) -> Interval:
    """Return the success of an agent over the seeds."""
    groups: dict[int, list[bool]] = {}
    for one in results:
        if one.agent == name and unseen in (None, one.unseen):
            groups.setdefault(one.seed, []).extend(one.success)
    return mean_of_means([np.array(group, np.float64) for group in groups.values()], np.random.default_rng(0))


def show(results: Sequence[Played], console: Console) -> None:
    """Print the table and the ratio."""
    table = Table("agent", "seen activities", "unseen activities", "all", "steps to success")
    for name in AGENTS:
        cells = [interval(results, name, unseen) for unseen in (False, True, None)]
        steps = [count for one in results if one.agent == name for count in one.steps]
        mean = f"{np.mean(steps):.1f}" if steps else "-"
        table.add_row(name, *(f"{c.value:.1%} ({c.low:.1%} to {c.high:.1%})" for c in cells), mean)
    console.print(table)
    with_memory, without = (interval(results, name, None).value for name in ("memory", "empty memory"))
    ratio = with_memory / without if without else float("inf")
    console.print(f"memory / empty memory: {ratio:.1f} (bar: 2.0)")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (
        ("seeds", 3),
        ("demonstrations", 120),
        ("searches", 12),
        ("explorations", 30),
        ("tasks", 64),
        ("steps", 60),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    console = Console()
    results = [one for seed in range(arguments.seeds) for one in compare(seed, arguments, console)]
    show(results, console)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps([one._asdict() for one in results]))


if __name__ == "__main__":
    main()
