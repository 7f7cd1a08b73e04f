"""Homes: tree search against random actions on rearrangement, and a curriculum against goals drawn evenly.

    python benchmarks/envs/habitat_learning.py [--tasks 40] [--steps 100000] [--seeds 2]

Tree search (`find_plan`, as `pathei collect mcts` uses it) has 3,000 transitions for a plan of at most 20 skills;
random actions have as many transitions as the search took, in episodes of 20 skills, any of which counts as a success.
The curriculum is `benchmarks/collectors/curriculum.py` in homes: a `SkillPolicy` that begins knowing nothing tries what
a proposer proposes, every transition counts, and two goals are the same if they differ in the home only.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable

import numpy as np

from pathei.collectors.curriculum.collector import Curriculum, CurriculumConfig
from pathei.collectors.curriculum.proposers import (
    GoalProposer,
    LearningProgressProposer,
    NoveltyProposer,
    UniformProposer,
)
from pathei.collectors.search.collector import MctsConfig, find_plan
from pathei.collectors.search.config import SearchConfig
from pathei.collectors.search.skill_policy import SkillPolicy
from pathei.envs import contract
from pathei.envs.habitat.tasks import generate_one
from pathei.envs.model import model_of
from pathei.envs.registry import get_goal_space
from pathei.experience import Goal, Task, Trajectory

DEPTH, TRANSITIONS = 20, 3_000
PROPOSERS: dict[str, Callable[[], GoalProposer]] = {
    "goals drawn evenly": UniformProposer,
    "drawn evenly by kind": lambda: UniformProposer(by_kind=True),
    "learning progress": LearningProgressProposer,
    "novelty": NoveltyProposer,
}


def search(count: int) -> tuple[int, int, int]:
    """Return how many tasks tree search and random actions reach, and the transitions of each of them."""
    config = MctsConfig(SearchConfig(env_steps=TRANSITIONS, depth=DEPTH, selection="puct", stop_on_success=True))
    found = lucky = spent = 0
    for number in range(count):
        task = generate_one("rearrange", 1, number)
        env = contract.make(task)
        contract.reset(env, task)
        model = model_of(env.unwrapped)
        start, rng = model.snapshot(), np.random.default_rng(number)
        plan = find_plan(model, config, np.random.default_rng(number))
        found += bool(plan.result.success)
        spent += plan.env_steps
        left, reached = plan.env_steps, False
        while left > 0 and not reached:
            model.restore(start)
            for _ in range(min(DEPTH, left)):
                model.step(str(rng.choice(model.actions())))
                left -= 1
                reached = bool(model.success())
                if reached:
                    break
        lucky += reached
    return found, lucky, spent


def goals_reached(proposer: str, seed: int, steps: int) -> tuple[int, int, int]:
    """Return the distinct goals that a curriculum achieved, its attempts, and those that succeeded."""
    spaces = get_goal_space("habitat")
    config = CurriculumConfig(env_steps=steps)
    curriculum = Curriculum(spaces, PROPOSERS[proposer](), SkillPolicy(spaces), config, seed=seed)
    homes = (
        Task(
            f"home-{n}", "pathei/Habitat-v0", 0, Goal(""), {"scene": f"home:{100 * seed + n % 5}", "actions": "skills"}
        )
        for n in itertools.count()
    )
    goals, won = set[str](), 0
    for record in curriculum.collect(homes):
        if isinstance(record, Trajectory) and record.success:
            won += 1
            goals.add(spaces.aim(record.task.goal).template)
    return len(goals), curriculum.attempts, won


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=40)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seeds", type=int, default=2)
    given = parser.parse_args()
    begun = time.process_time()
    found, lucky, spent = search(given.tasks)
    taken = time.process_time() - begun
    print("| what | budget | reached | processor time |\n|---|---|---|---|")
    each = f"{spent / given.tasks:,.0f} transitions a task"
    print(f"| rearrangement, tree search | {each} | {found} of {given.tasks} tasks | {taken:.0f} s with the next row |")
    print(f"| rearrangement, random actions | {each} | {lucky} of {given.tasks} tasks | |", flush=True)
    for name in PROPOSERS:
        begun = time.process_time()
        seeds = [goals_reached(name, seed, given.steps) for seed in range(given.seeds)]
        goals = " and ".join(str(one[0]) for one in seeds)
        tries = sum(one[1] for one in seeds)
        said = f"{goals} distinct goals; {sum(one[2] for one in seeds)} of {tries} attempts"
        budget = f"{given.steps:,} transitions, {given.seeds} seeds"
        print(f"| curriculum, {name} | {budget} | {said} | {time.process_time() - begun:.0f} s |", flush=True)


if __name__ == "__main__":
    main()
