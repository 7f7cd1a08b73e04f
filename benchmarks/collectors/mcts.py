"""Monte Carlo tree search in the household: simulations per second, and how many of RobotHow's goals it reaches.

    python benchmarks/collectors/mcts.py                 # both parts; about five minutes on one core
    python benchmarks/collectors/mcts.py --every 10      # the second part on every tenth program only

Part 1 has the shape of E2WM's search: its six tasks, its verbs, the classes that the human program names and the four
rooms, depth 25, 200 simulations, uniform random rollouts, no heuristic; the median of five runs. E2WM's own code did 15
to 63 simulations per CPU second on them on this kind of machine; it has no licence, so its figures are quoted from an
earlier machine, and no ratio is made of them: a ratio has to come from one run of both.

Part 2 searches every program's class-level graph change under the rules of v1 with at most `--seconds` of processor
time each, from the goal alone: the human program is used for comparison only. Every plan is executed step by step in a
fresh world. Seconds are processor time of this process.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from pathei.collectors.search.collector import MctsConfig, find_plan, household_search
from pathei.collectors.search.config import TREE_ALONE, SearchConfig
from pathei.collectors.search.mcts import Search
from pathei.data import fetch
from pathei.envs.facts import ConditionJson
from pathei.envs.virtualhome.engine.profiles import rules_named
from pathei.envs.virtualhome.engine.rules import EngineAction
from pathei.envs.virtualhome.engine.vocabulary import RELATIONS
from pathei.envs.virtualhome.engine.world import World
from pathei.envs.virtualhome.goals.check import GoalCheck
from pathei.envs.virtualhome.goals.formats import e2wm_difference, from_e2wm
from pathei.envs.virtualhome.goals.landmarks import Landmarks
from pathei.envs.virtualhome.goals.relevance import Relevance
from pathei.envs.virtualhome.model import HomeModel
from pathei.envs.virtualhome.tasks.robothow import RobotHow, RobotHowProgram

E2WM = {
    "file11_1": 61.2,
    "file10_2": 18.9,
    "file1004_2": 17.3,
    "file1043_2": 15.2,
    "file525_2": 63.1,
    "file1073_2": 16.8,
}
"""Its tasks, with the simulations per CPU second that were measured for its own code."""
E2WM_ALL = 22.4
"""The same over all six."""
LEFT_OUT_BY_E2WM = frozenset(
    "DRINK LOOKAT POINTAT GREET READ TOUCH TYPE WATCH PUSH PULL SLEEP WAKEUP SQUEEZE EAT SCRUB CUT WASH RUN "
    "FIND".split()
)


class Case(NamedTuple):
    """A program's household under some rules, with its goal."""

    program: RobotHowProgram
    conditions: Sequence[ConditionJson]
    world: World
    check: GoalCheck
    relevance: Relevance
    demonstration: tuple[EngineAction, ...]


class Outcome(NamedTuple):
    """What became of one goal."""

    activity: str
    name: str
    solved: bool
    plan: int
    demonstration: int
    simulations: int
    seconds: float
    progress: float


def case(robothow: RobotHow, name: str, rules: str) -> Case:
    """Prepare one program."""
    program = robothow.program(name)
    world = World(program.scene(), rules_named(rules))
    conditions = from_e2wm(e2wm_difference(*program.graphs()))
    demonstration = program.program.actions(world.scene, world.rules)
    check, relevance = GoalCheck(conditions, world), Relevance(conditions, world)
    return Case(program, conditions, world, check, relevance, demonstration)


def speed(robothow: RobotHow, repeats: int, console: Console) -> None:
    """Part 1: simulations per CPU second on the six tasks, the median of several runs."""
    table = Table(title="E2WM's six tasks: 200 simulations of depth 25, uniform rollouts", title_justify="left")
    for column in ("task", "activity", "simulations/s", "transitions/s", "E2WM simulations/s, quoted"):
        table.add_column(column, justify="left" if column in ("task", "activity") else "right")
    simulations = seconds = 0.0
    for name, published in E2WM.items():
        one = case(robothow, name, "e2wm")
        world = one.world
        nodes = world.scene.rooms
        for action in one.demonstration:
            for node in action[1:]:
                nodes |= world.scene.of_class[world.scene.classes[node]] if node >= 0 else 0
        verbs = set(world.rules.table) - LEFT_OUT_BY_E2WM
        config = SearchConfig(simulations=200, depth=25, **TREE_ALONE)
        runs = []
        for seed in range(repeats):
            model = HomeModel(world, one.check, nodes=nodes, verbs=verbs)
            runs.append(Search(model, config, np.random.default_rng(seed)).run())
        middle = sorted(runs, key=lambda run: run.simulations / run.seconds)[len(runs) // 2]
        simulations, seconds = simulations + middle.simulations, seconds + middle.seconds
        rate = middle.simulations / middle.seconds
        table.add_row(
            name,
            one.program.activity,
            f"{rate:,.0f}",
            f"{middle.env_steps / middle.seconds:,.0f}",
            f"{published}",
        )
    rate = simulations / seconds
    table.add_row("all", "", f"{rate:,.0f}", "", f"{E2WM_ALL}", style="bold")
    console.print(table)


def solve(robothow: RobotHow, name: str, seconds: float) -> Outcome:
    """Part 2 for one program."""
    one = case(robothow, name, "v1")
    human = effective_steps(one.world, one.demonstration)
    begin = time.process_time()
    landmarks = Landmarks(one.conditions, one.check, one.world)
    model = HomeModel(one.world, one.check, relevance=one.relevance, landmarks=landmarks)
    search = household_search(simulations=1_000_000, seconds=seconds)
    found = find_plan(model, MctsConfig(search=search), np.random.default_rng(0))
    spent = time.process_time() - begin
    held, progress = verify(one, found.plan)
    if bool(found.result.success) != held:
        raise RuntimeError(f"{name}: the search says {found.result.success} and the execution {held}")
    return Outcome(one.program.activity, name, held, len(found.plan), human, found.result.simulations, spent, progress)


def verify(one: Case, plan: Sequence[EngineAction]) -> tuple[bool, float]:
    """Do a plan in a fresh world; return whether every step was accepted and the goal held at the end."""
    world = World(one.program.scene(), rules_named("v1"))
    check = GoalCheck(one.conditions, world)
    accepted = True
    for action in plan:
        accepted &= world.act(action) is None
        check.note(action)
    return accepted and check.satisfied(), check.progress()


def effective_steps(world: World, actions: Sequence[EngineAction]) -> int:
    """Count the steps of a program that change the graph; the world is left at its beginning."""
    count = 0
    for action in actions:
        before = world.version
        if world.act(action) is not None:
            raise RuntimeError(f"the human program's {action} was refused")
        graph_tables = 2 * len(RELATIONS) + 1
        count += world.version is not before and any(change[0] < graph_tables for change in world.version.delta)
    world.restore(world.start)
    return count


def report(outcomes: Sequence[Outcome], console: Console) -> None:
    """Print the table by activity, the goals that resist, and the totals."""
    table = Table(title="RobotHow: class-level graph change, rules of v1", title_justify="left")
    for column in ("activity", "solved", "plan", "human, without idle steps", "simulations", "seconds", "slowest"):
        table.add_column(column, justify="left" if column == "activity" else "right")
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[outcome.activity].append(outcome)
    for activity, group in [*sorted(groups.items()), ("all", list(outcomes))]:
        solved = [o for o in group if o.solved]
        middle = [statistics.median(values) if values else 0 for values in (
            [o.plan for o in solved],
            [o.demonstration for o in solved],
            [o.simulations for o in group],
            [o.seconds for o in group],
        )]  # fmt: skip
        table.add_row(
            activity,
            f"{len(solved)}/{len(group)}",
            f"{middle[0]:g}",
            f"{middle[1]:g}",
            f"{middle[2]:,.0f}",
            f"{middle[3]:.3f}",
            f"{max(o.seconds for o in group):.2f}",
            style="bold" if activity == "all" else None,
        )
    console.print(table)
    share = sum(o.solved for o in outcomes) / len(outcomes)
    longer = sum(o.plan > o.demonstration for o in outcomes if o.solved)
    console.print(f"Solved {share:.1%}; longer than the human program: {longer}. Columns are medians.")
    for o in outcomes:
        if not o.solved:
            console.print(
                f"  not solved: {o.name} ({o.activity}), progress {o.progress:.2f}, {o.simulations} simulations"
            )


def main() -> None:
    """Run both parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="use every n-th program")
    parser.add_argument("--seconds", type=float, default=1.8, help="processor time for each search")
    parser.add_argument("--repeats", type=int, default=5, help="runs of the first part")
    options = parser.parse_args()
    console = Console()
    robothow = RobotHow(fetch("robothow"))
    speed(robothow, options.repeats, console)
    names = robothow.names[:: options.every]
    outcomes = [solve(robothow, name, options.seconds) for name in track(names, "searching", console=console)]
    report(outcomes, console)


if __name__ == "__main__":
    main()
