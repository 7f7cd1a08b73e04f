"""What is learned outside the household: corpora, skills, goals of its own and memory in three other environments.

    python benchmarks/envs/beyond_household.py [--envs textworld terminal minigrid] [--seeds 2] [--json FILE]

For each environment and seed, demonstrations of training tasks are recorded. From them come corpus examples, by kind,
and a memory whose skills are verified by replay. Then goals that the environment offers itself are proposed by learning
progress and, for comparison, uniformly; the same random agent attempts them, and the different goals reached are
counted. Last, `SkillAgent` plays tasks of other seeds with an empty memory and with this one; then goals of one
condition that those scenes offer themselves, one of each kind in turn. The terminal's tasks have conditions in a form
of their own, which the agent does not read, so only the second figure can differ there.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from pathei.agents import Agent, RandomAgent, ScriptedAgent
from pathei.agents.skills.agent import SkillAgent
from pathei.collectors import play
from pathei.collectors.curriculum.proposers import (
    GoalAttempt,
    GoalProposer,
    LearningProgressProposer,
    Situation,
    UniformProposer,
)
from pathei.envs import contract
from pathei.envs.registry import get_demonstration, get_env, get_goal_space
from pathei.experience import Task, Trajectory
from pathei.learners.corpora.building import build_corpora
from pathei.learners.corpora.config import CorpusConfig
from pathei.memory.builders.registry import make_builders
from pathei.memory.embedders.registry import make_embedder
from pathei.memory.experience_memory import ExperienceMemory


class Size(NamedTuple):
    """How much of each."""

    train: int
    attempts: int
    attempt_steps: int
    test: int
    test_steps: int


SIZES = {
    "minigrid": Size(60, 60, 40, 20, 60),
    "textworld": Size(16, 40, 15, 8, 40),
    "terminal": Size(50, 40, 8, 30, 10),
}


def episodes(tasks: Sequence[Task]) -> list[Trajectory]:
    """Return demonstrations of tasks."""
    return [run(task, ScriptedAgent(get_demonstration(task)), 60) for task in tasks]


def run(task: Task, agent: Agent, steps: int, seed: int = 0) -> Trajectory:
    """Play one episode."""
    env = contract.make(task)
    try:
        return play(env, task, agent, max_steps=steps, seed=seed)
    finally:
        env.close()


def attempts(proposer: GoalProposer, tasks: Sequence[Task], size: Size, seed: int) -> dict[str, Any]:
    """Let a random agent attempt goals that a proposer chooses, and count the different ones that it reached."""
    provider = get_goal_space(tasks[0].env)
    rng = np.random.default_rng(seed)
    reached: set[str] = set()
    tries = 0
    for number in range(size.attempts):
        task = tasks[number % len(tasks)]
        env = contract.make(task)
        try:
            observation, info = env.reset(seed=task.seed, options=dict(task.options))
            seen = contract.observe(observation, info).seen()
            aim = proposer.propose(Situation(provider.present(env), seen), rng).aim
            goal = dataclasses.replace(task, goal=aim.goal)
            agent = RandomAgent(np.random.default_rng([seed, number]))
            record = play(env, goal, agent, max_steps=size.attempt_steps, seed=number)
        finally:
            env.close()
        tries += bool(record.success)
        reached |= {part.name for part in aim.parts} if record.success else set()
        proposer.update(GoalAttempt(aim, bool(record.success), len(record.steps), {}))
    return {"reached": tries, "different": len(reached)}


def own_goals(tasks: Sequence[Task], seed: int) -> list[Task]:
    """Return one goal that each scene offers itself, kinds taking turns; suggestions are not restricted to a chore."""
    rng = np.random.default_rng(seed)
    found = []
    for number, task in enumerate(tasks):
        task = dataclasses.replace(task, options={key: task.options[key] for key in task.options if key != "verbs"})
        env = contract.make(task)
        try:
            env.reset(seed=task.seed, options=dict(task.options))
            kinds = list(get_goal_space(task.env).present(env).kinds().values())
            among = kinds[number % len(kinds)]
            found.append(dataclasses.replace(task, goal=among[int(rng.integers(len(among)))].goal))
        finally:
            env.close()
    return found


def measure(name: str, seed: int) -> dict[str, Any]:
    """Return one environment's figures for one seed."""
    size, spec = SIZES[name], get_env(name)
    train = spec.generate_tasks(size.train, seed)
    test = spec.generate_tasks(size.test, seed + 500)
    records = episodes(train)
    examples = build_corpora(records, CorpusConfig(per_kind=100, held_out_per_kind=50))
    found: dict[str, Any] = {
        "episodes": len(records),
        "examples": dict(sorted(Counter(one.kind for one in examples).items())),
        "curriculum": {
            "learning progress": attempts(LearningProgressProposer(largest=1), train, size, seed),
            "uniform": attempts(UniformProposer(largest=1), train, size, seed),
        },
    }
    goals = own_goals(test, seed)
    found["test tasks"] = len(test)
    embedder = make_embedder("ngrams")
    with tempfile.TemporaryDirectory() as folder:
        for part, own in (("without memory", []), ("with memory", records)):
            path = Path(folder) / part.replace(" ", "-")
            with ExperienceMemory.open(path, embedder=embedder, builders=make_builders()) as memory:
                memory.add_all(own)
                skills = [item for item in memory.items() if item.draft.kind == "skill"]
                found[part] = {
                    what: sum(
                        bool(run(task, SkillAgent(memory, env=task.env), size.test_steps, seed).success)
                        for task in tasks
                    )
                    for what, tasks in (("tasks", test), ("own goals", goals))
                }
                if own:
                    verified = sum(item.draft.confidence > 0.5 for item in skills)
                    found["skills"] = {"kept": len(skills), "verified": verified}
    return found


COLUMNS = (
    "environment, seed",
    "corpus examples",
    "skills (verified)",
    "different goals reached: learning progress / uniform",
    "held-out tasks: empty memory / memory",
    "held-out goals of its own: empty memory / memory",
)


def row(name: str, seed: int, found: dict[str, Any]) -> list[str]:
    """Return one row of the table."""
    tasks, goals = (
        f"{found['without memory'][what]} / {found['with memory'][what]} of {found['test tasks']}"
        for what in ("tasks", "own goals")
    )
    return [
        f"{name}, {seed}",
        ", ".join(f"{kind} {count}" for kind, count in found["examples"].items()),
        f"{found['skills']['kept']} ({found['skills']['verified']})",
        " / ".join(str(one["different"]) for one in found["curriculum"].values()),
        tasks,
        goals,
    ]


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--envs", nargs="+", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    table = Table(*COLUMNS)
    results: dict[str, dict[str, Any]] = {}
    rows = []
    for name in arguments.envs:
        for seed in range(arguments.seeds):
            found = measure(name, seed)
            results.setdefault(name, {})[str(seed)] = found
            rows.append(row(name, seed, found))
            table.add_row(*rows[-1])
            if arguments.json is not None:
                arguments.json.write_text(json.dumps(results, indent=1) + "\n")
    if arguments.markdown:
        lines = [list(COLUMNS), ["---"] * len(COLUMNS), *rows]
        sys.stdout.write("".join(f"| {' | '.join(line)} |\n" for line in lines))
    else:
        Console(width=160).print(table)


if __name__ == "__main__":
    main()
