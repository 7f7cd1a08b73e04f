"""How fast corpora are made, compared with the lower bound: decoding the store.

Collects demonstrations and carrying episodes into a store, decodes all of it once (the limit), then makes every kind of
example from it. Prints examples per second, the share of decoding, and the baselines of each kind. Run:

    python benchmarks/learners/corpora.py [episodes]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

from pathei.agents import ScriptedAgent
from pathei.agents.carrying import RandomCarryAgent
from pathei.collectors.rollout.episode import Envs
from pathei.collectors.rollout.policy import play
from pathei.envs.facts import read_action
from pathei.envs.registry import get_demonstration
from pathei.envs.virtualhome.language.plans import say_plan
from pathei.envs.virtualhome.tasks.generate import generate_tasks, unseen_activities
from pathei.envs.virtualhome.verbalizer import HomeVerbalizer
from pathei.experience import Goal, Task
from pathei.learners.corpora.building import build_corpora
from pathei.learners.corpora.config import KINDS, CorpusConfig
from pathei.learners.corpora.episodes import read_episode
from pathei.learners.corpora.files import report_on
from pathei.learners.evaluation.plan_execution import PlanExecutor
from pathei.learners.examples import Example
from pathei.store import ExperienceStore

SEED = 0


def tasks_of(episodes: int) -> tuple[list[Task], list[Task]]:
    """Chores, a fifth of them of unseen activities in unseen houses, and households to run errands in."""
    chores = generate_tasks(episodes * 4 // 10, SEED)
    chores += generate_tasks(episodes // 10, SEED + 1, split="test", activities=unseen_activities())
    env = "pathei/VirtualHome-v0"
    errands = [
        Task(f"errands-{n}", env, n, Goal("run errands"), {"scene": f"house:{n}", "characters": 1 + n % 4})
        for n in range(episodes - len(chores))
    ]
    return chores, errands


def collect(path: Path, chores: list[Task], errands: list[Task]) -> float:
    """Fill a store, and return how many seconds it took."""
    begun = time.perf_counter()
    envs = Envs()
    with ExperienceStore.open(path, config={"benchmark": "corpora"}) as store:
        for task in chores:
            store.append(play(envs.get(task), task, ScriptedAgent(get_demonstration(task)), max_steps=100))
        for task in errands:
            store.append(play(envs.get(task), task, RandomCarryAgent(HomeVerbalizer()), max_steps=48))
    envs.close()
    return time.perf_counter() - begun


def timed(path: Path, config: CorpusConfig) -> tuple[list[Example], float, float, float]:
    """Return the examples, and the seconds of decoding, of decoding and folding, and of all of it."""
    with ExperienceStore.open(path, mode="read") as store:
        begun = time.process_time()
        for _ in store.trajectories():
            pass
        decoded = time.process_time() - begun
        begun = time.process_time()
        for trajectory in store.trajectories():
            read_episode(trajectory)
        folded = time.process_time() - begun
        begun = time.process_time()
        examples = build_corpora(store.trajectories(), config, expand=store.expand)
        return examples, decoded, folded, time.process_time() - begun


def reached_from_words(tasks: list[Task]) -> tuple[float, float]:
    """Return which share of demonstrations reaches its goal when written in words, by class alone and with ids."""
    plain = numbered = 0
    with PlanExecutor() as executor:
        for task in tasks:
            script = get_demonstration(task)
            names = {name for line in script for action in [read_action(line)] if action for name in action.names}
            plain += executor.execute(task, say_plan(script)).success
            numbered += executor.execute(task, say_plan(script, names)).success
    return plain / len(tasks), numbered / len(tasks)


def main(episodes: int) -> None:
    """Measure and print."""
    chores, errands = tasks_of(episodes)
    config = CorpusConfig()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store"
        collected = collect(path, chores, errands)
        examples, decoded, folded, built = timed(path, config)
        without, _, _, bare = timed(path, CorpusConfig(kinds=tuple(k for k in KINDS if not k.startswith("plan"))))
    print(f"{episodes} episodes collected in {collected:.1f} s; {len(examples)} examples")
    print(f"decoding the store      {decoded:6.2f} s   {episodes / decoded:6.0f} episodes/s   the limit")
    print(f"decoding and folding    {folded:6.2f} s   decoding is {decoded / folded:.0%} of it")
    print(f"all kinds               {built:6.2f} s   {len(examples) / built:6.0f} examples/s   {decoded / built:.0%}")
    print(f"all but plans           {bare:6.2f} s   {len(without) / bare:6.0f} examples/s   {decoded / bare:.0%}")
    plain, numbered = reached_from_words(chores[:256])
    print(f"demonstrations written in words reach their goals: {plain:.1%} by class alone, {numbered:.1%} with ids")
    sizes = Counter((row.kind, row.split) for row in report_on(examples))
    assert max(sizes.values()) == 1
    for row in report_on(examples):
        chance = f"{row.chance:.2f}" if row.chance else "   -"
        print(
            f"{row.kind:15} {row.split:7} {row.examples:5}   majority {row.majority:.2f}   chance {chance}"
            f"   longest prompt {row.longest} words"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("episodes", type=int, nargs="?", default=600, help="how many are collected (default: 600)")
    main(parser.parse_args().episodes)
