"""What a memory is worth without a model: the same agent with it and without, on tasks that it has not seen.

    python benchmarks/memory/memory_agent.py [--seeds 3] [--demonstrations 120] [--searches 12] [--explorations 30]
                                      [--tasks 64] [--rounds 3] [--steps 60] [--json FILE]

For each seed, 16 of the 64 activities are held out. In training houses the other activities are demonstrated, searched
(MCTS) and explored; the memory is built from these episodes, its skills verified. Then `SkillAgent` plays tasks in test
houses, of held-out activities and of the others: with an empty memory, with this one, and with the same memory after
rounds of `--tasks` further training tasks, with feedback and a consolidation after each round: without a limit, so that
only failed skills are retired, and at the end with the default limit of 200 active skills.

Then upkeep where it is needed: a stand-in for a model writes skills, two wrong ones for most right ones (`_unvetted`).
The agent plays with all of them unverified; after the same rounds with feedback; after rounds in which failed skills
are retired; the same, with feedback by the outcome of episodes alone; and with verified skills only.

A random agent is the baseline. Success is judged by the environment within `--steps` steps; intervals are bootstrapped
over tasks, with equal weight for each seed. The bar is twice the success of the same agent with an empty memory.
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
from pathei.agents.skills.agent import SkillAgent
from pathei.benchmarks.memory._unvetted import Author, Once, by_outcome
from pathei.collectors.rollout.explore import make_explorer
from pathei.collectors.rollout.policy import AgentPolicy, demonstrator
from pathei.collectors.rollout.rollout import Rollout
from pathei.collectors.search.collector import MctsConfig, household_search, make_searcher
from pathei.envs.virtualhome.tasks.generate import ACTIVITIES, generate_tasks
from pathei.experience import Failure, Record, Task, Trajectory
from pathei.learners.evaluation.intervals import Interval, mean_of_means
from pathei.memory.builders.registry import make_builders
from pathei.memory.builders.skills import SkillBuilder
from pathei.memory.embedders.registry import make_embedder
from pathei.memory.experience_memory import ExperienceMemory
from pathei.memory.feedback import give_feedback
from pathei.memory.items import Filter
from pathei.memory.upkeep import UpkeepConfig
from pathei.memory.verification.verify import VerifiedSkills

HELD_OUT = 16
AGENTS = (
    "random",
    "empty memory",
    "memory",
    "memory, failures retired",
    "memory, 200 skills",
    "written, unverified",
    "written, with feedback",
    "written, failures retired",
    "written, retired by outcome",
    "written, verified",
)


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
    collectors: tuple[Rollout, ...] = (
        Rollout(AgentPolicy(demonstrator)),
        make_searcher(search, seed=seed),
        make_explorer(seed=seed),
    )
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
    collector = Rollout(AgentPolicy(agent_for), max_steps=steps)
    records = list(collector.collect(tasks))
    collector.close()
    for record in records:
        if isinstance(record, Failure):
            raise SystemExit(f"{record.task.id}: {record.stage}: {record.error}")
    return [record for record in records if isinstance(record, Trajectory)]


def by_skills(memory: ExperienceMemory) -> Callable[[Task], Agent]:
    """Return the agent that acts by a memory."""
    return lambda task: SkillAgent(memory, env=task.env)


def as_it_is(trajectory: Trajectory) -> Trajectory:
    """Return the episode unchanged."""
    return trajectory


class Run:
    """One seed: its experience, practice and test tasks, and the results so far."""

    def __init__(self, seed: int, arguments: argparse.Namespace, console: Console) -> None:
        """Collect experience and choose tasks."""
        rng = np.random.default_rng(seed)
        names = list(ACTIVITIES)
        unseen = [names[n] for n in sorted(rng.choice(len(names), HELD_OUT, replace=False))]
        self.seed, self.arguments, self.console = seed, arguments, console
        self.seen = [name for name in names if name not in unseen]
        self.tests = {
            new: generate_tasks(arguments.tasks // 2, 2_000 + seed, activities=chosen, split="test")
            for new, chosen in ((False, self.seen), (True, unseen))
        }
        self.episodes = experience(seed, self.seen, arguments)
        self.results: list[Played] = []

    def test(self, name: str, agent_for: Callable[[Task], Agent]) -> None:
        """Let an agent play the test tasks."""
        for new, tasks in self.tests.items():
            played = play(agent_for, tasks, self.arguments.steps)
            wins = [len(one.steps) for one in played if one.success]
            self.results.append(Played(name, self.seed, new, [bool(one.success) for one in played], wins))

    def practise(
        self,
        name: str,
        memory: ExperienceMemory,
        for_feedback: Callable[[Trajectory], Trajectory] = as_it_is,
        *,
        retires: bool = True,
    ) -> None:
        """Use a memory in rounds of training tasks, give it feedback, and retire skills that failed."""
        wins, retired = [], 0
        for number in range(self.arguments.rounds):
            tasks = generate_tasks(
                self.arguments.tasks, 3_000 + self.seed + 100 * number, activities=self.seen, split="train"
            )
            played = play(by_skills(memory), tasks, self.arguments.steps)
            for trajectory in played:
                give_feedback(memory, for_feedback(trajectory))
            retired += len(memory.consolidate(UpkeepConfig(caps={})).retired) if retires else 0
            wins.append(f"{np.mean([bool(one.success) for one in played]):.0%}")
        self.say(f"{name}: success in practice {', '.join(wins)}; {retired} items retired")
        self.test(name, by_skills(memory))

    def say(self, what: str) -> None:
        """Print a line."""
        self.console.print(f"seed {self.seed}: {what}")


def from_episodes(run: Run, folder: Path) -> None:
    """Play with an empty memory, with that of the episodes, and with the rest of it after upkeep."""
    embedder, builders = make_embedder("ngrams"), make_builders()
    with ExperienceMemory.open(folder / "empty", embedder=embedder, builders=builders) as empty:
        run.test(AGENTS[0], lambda task: RandomAgent(np.random.default_rng(task.seed)))
        run.test(AGENTS[1], by_skills(empty))
    with ExperienceMemory.open(folder / "full", embedder=embedder, builders=builders) as memory:
        begun = time.perf_counter()
        memory.add_all(run.episodes)
        took = time.perf_counter() - begun
        items = sum(1 for _ in memory.items())
        run.say(f"{len(run.episodes)} episodes, {items} items, built in {took:.1f} s")
        run.say(verification(run.episodes))
        run.test(AGENTS[2], by_skills(memory))
        run.practise(AGENTS[3], memory)
        retired = len(memory.consolidate(UpkeepConfig()).retired)
        run.say(f"{AGENTS[4]}: {retired} items retired")
        run.test(AGENTS[4], by_skills(memory))


def written(run: Run, folder: Path) -> None:
    """Play with skills that a stand-in for a model wrote: unverified, kept up in three ways, and verified."""
    unverified, judged, retired, by_success, verified = AGENTS[5:]
    for name in (judged, retired, by_success, verified):
        author = Author(SkillBuilder().propose)
        builder = Once(VerifiedSkills(author.propose) if name == verified else author)
        builders = [*make_builders(["episodes", "facts"]), builder]
        with ExperienceMemory.open(folder / name, embedder=make_embedder("ngrams"), builders=builders) as memory:
            memory.add_all(run.episodes)
            run.say(f"{name}: {sum(1 for _ in memory.items(Filter(kinds=('skill',))))} skills at first")
            if name == verified:
                run.test(name, by_skills(memory))
                continue
            if name == judged:
                run.test(unverified, by_skills(memory))
            way = by_outcome if name == by_success else as_it_is
            run.practise(name, memory, way, retires=name != judged)


def verification(episodes: Sequence[Trajectory]) -> str:
    """Describe the results and the cost of verifying the skills of episodes."""
    builder = VerifiedSkills(SkillBuilder().propose)
    found = {draft.key for trajectory in episodes for draft in builder.build(trajectory)}
    proposed = {draft.key for trajectory in episodes for draft in SkillBuilder().build(trajectory)}
    counts, number = builder.counts, len(episodes)
    failed = len(proposed - found)
    each = f"{counts.steps / number:.1f} steps and {1e3 * counts.seconds / number:.1f} ms an episode"
    results = f"{len(proposed)} skills proposed, {failed} ({failed / len(proposed):.1%}) never verified"
    return f"{results}, {len(found - proposed)} alternatives kept; {each}"


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
        ("rounds", 3),
        ("steps", 60),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    console = Console()
    results: list[Played] = []
    for seed in range(arguments.seeds):
        run = Run(seed, arguments, console)
        with tempfile.TemporaryDirectory() as folder:
            from_episodes(run, Path(folder))
            written(run, Path(folder))
        results += run.results
    show(results, console)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps([one._asdict() for one in results]))


if __name__ == "__main__":
    main()
