"""Monte Carlo tree search in the household: simulations per second, and how many of RobotHow's goals it reaches.

    python benchmarks/collectors/mcts.py                 # all parts; about fifteen minutes on one core
    python benchmarks/collectors/mcts.py --every 10      # every tenth program and generated task only
    python benchmarks/collectors/mcts.py --parts 4       # one part

Part 1 has the shape of E2WM's search: its six tasks, its verbs, the classes that the human program names and the four
rooms, depth 25, 200 simulations, uniform random rollouts, no heuristic; the median of five runs. E2WM's own code did 15
to 63 simulations per CPU second on them on this kind of machine; it has no licence, so its figures are quoted from an
earlier machine, and no ratio is made of them: a ratio has to come from one run of both.

Part 2 searches every program's class-level graph change under the rules of v1 with at most `--seconds` of processor
time each, from the goal alone: the human program is used for comparison only. Every plan is executed step by step in a
fresh world. Part 3 does the same twice, with the stage that grows best first and without it, alternately, and also for
200 generated tasks. Part 4 is a planner of others next to ours. Part 5 searches for goals of many things, given in
words, in five houses, with up to 60 steps; goals that a house has too few things for are left out. Seconds are
processor time of this process, from the goal to the plan without idle steps.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from pathei.collectors.search.collector import MctsConfig, find_plan, household_search
from pathei.collectors.search.config import TREE_ALONE, SearchConfig
from pathei.collectors.search.mcts import Search
from pathei.data import fetch
from pathei.envs import contract
from pathei.envs.facts import ConditionJson
from pathei.envs.goal_space import goal_in_words
from pathei.envs.plans import DOMAIN, PROBLEM, pddl_of
from pathei.envs.virtualhome.engine.profiles import rules_named
from pathei.envs.virtualhome.engine.rules import EngineAction
from pathei.envs.virtualhome.engine.vocabulary import RELATIONS
from pathei.envs.virtualhome.engine.world import World
from pathei.envs.virtualhome.goals.check import GoalCheck
from pathei.envs.virtualhome.goals.formats import e2wm_difference, from_e2wm
from pathei.envs.virtualhome.goals.landmarks import Landmarks
from pathei.envs.virtualhome.goals.relevance import Relevance
from pathei.envs.virtualhome.model import HomeModel
from pathei.envs.virtualhome.tasks.generate import generate_tasks
from pathei.envs.virtualhome.tasks.robothow import RobotHow, RobotHowProgram
from pathei.errors import GoalError
from pathei.experience import Goal, Task

if TYPE_CHECKING:
    from pathei.envs.virtualhome.env import VirtualHomeEnv

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


MANY_THINGS = (
    "do the laundry",
    "wash the dishes in the dishwasher",
    "put all plates in the dishwasher, close it and turn it on",
    "put all the cups and the glasses in the sink",
    "put all clothes in the closet and close it",
    "put all books on the coffee table",
    "put two plates and two cups on the dining table",
    "put all the food in the fridge and close it",
    "put every towel in the washing machine and switch it on",
)
"""Goals of part 5, as people say them."""


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


def solve(robothow: RobotHow, name: str, seconds: float, **config: Any) -> Outcome:
    """Part 2 for one program; `config` changes the search."""
    one = case(robothow, name, "v1")
    human = effective_steps(one.world, one.demonstration)
    begin = time.process_time()
    landmarks = Landmarks(one.check, one.world)
    model = HomeModel(one.world, one.check, relevance=one.relevance, landmarks=landmarks)
    search = replace(household_search(simulations=1_000_000, seconds=seconds), **config)
    found = find_plan(model, MctsConfig(search=search), np.random.default_rng(0))
    spent = time.process_time() - begin
    held, progress = verify(one, found.plan)
    if bool(found.result.success) != held:
        raise RuntimeError(f"{name}: the search says {found.result.success} and the execution {held}")
    return Outcome(one.program.activity, name, held, len(found.plan), human, found.result.simulations, spent, progress)


def solve_task(task: Task, seconds: float, **config: Any) -> Outcome:
    """Part 3 for one generated task."""
    env = contract.make(task)
    contract.reset(env, task)
    household = cast("VirtualHomeEnv", env.unwrapped)
    begin = time.process_time()
    model = household.model()
    search = replace(household_search(simulations=1_000_000, seconds=seconds), **config)
    found = find_plan(model, MctsConfig(search=search), np.random.default_rng(0))
    spent = time.process_time() - begin
    lines = [model.text(action) for action in found.plan]
    env, info = contract.make(task), {"success": False, "progress": 0.0}
    contract.reset(env, task)
    for line in lines:
        info = env.step(line)[-1]
    held = bool(info["success"])
    return Outcome("", task.id, held, len(lines), 0, found.result.simulations, spent, info["progress"])


def stages(goals: dict[str, list[Callable[..., Outcome]]], markdown: bool, console: Console) -> None:
    """Part 3: the search with the stage that grows best first, and without it."""
    columns = (
        "goals",
        "search",
        "solved",
        "within 2 s",
        "median ms",
        "mean ms",
        "plan steps",
        "no simulation",
    )
    rows: list[tuple[str, ...]] = []
    for title, each in goals.items():
        found: dict[str, list[Outcome]] = {"best first, then MCTS": [], "MCTS": []}
        for solve_one in track(each, title, console=Console(stderr=True)):
            for outcomes, config in zip(found.values(), ({}, {"greedy": 0}), strict=True):
                outcomes.append(solve_one(**config))
        both = [all(pair) for pair in zip(*([o.solved for o in outcomes] for outcomes in found.values()), strict=True)]
        for name, outcomes in found.items():
            times = [1e3 * o.seconds for o in outcomes]
            rows.append((
                title,
                name,
                f"{sum(o.solved for o in outcomes)}/{len(outcomes)}",
                f"{sum(o.solved and o.seconds <= 2 for o in outcomes)}",
                f"{statistics.median(times):.1f}",
                f"{statistics.mean(times):.0f}",
                f"{sum(o.plan for o, solved in zip(outcomes, both, strict=True) if solved):,}",
                f"{sum(o.solved and not o.simulations for o in outcomes)}",
            ))  # fmt: skip
    show(columns, rows, markdown, console, "Plan steps: of the goals that both reach")


def solve_by_planner(task: Task, seconds: float = 10.0) -> Outcome:
    """Part 4 for one generated task."""
    env = contract.make(task)
    contract.reset(env, task)
    lines: tuple[str, ...] = ()
    with tempfile.TemporaryDirectory() as folder:
        begun, written = os.times(), time.process_time()
        try:
            in_pddl = pddl_of(env)
        except GoalError:
            return Outcome("", task.id, False, 0, 0, 0, time.process_time() - written, 0.0)
        in_pddl.save(Path(folder))
        files = [f"{folder}/{name}" for name in (DOMAIN, PROBLEM)]
        command = [sys.executable, "-m", "pyperplan", "-s", "gbf", "-H", "hff", *files]
        try:
            subprocess.run(command, capture_output=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            pass
        else:
            plan = Path(folder) / f"{PROBLEM}.soln"
            lines = in_pddl.read(plan.read_text("utf-8")) if plan.exists() else ()
        ended = os.times()
    spent = sum(ended[:4]) - sum(begun[:4])
    info: dict[str, Any] = {"success": False, "progress": 0.0}
    for line in lines:
        info = env.step(line)[-1]
        if "error" in info:
            raise RuntimeError(f"{task.id}: the planner's step {line} was refused: {info['error']}")
    return Outcome("", task.id, bool(info["success"]), len(lines), 0, 0, spent, info["progress"])


def anchor(tasks: Sequence[Task], seconds: float, markdown: bool, console: Console) -> None:
    """Part 4: our search next to a planner of others."""
    columns = ("planner", "solved", "median ms", "mean ms", "plan steps", "solved by this one alone")
    found: dict[str, list[Outcome]] = {"pathei": [], "pyperplan (gbf, hff)": []}
    for task in track(tasks, "planner", console=Console(stderr=True)):
        ours, theirs = found.values()
        ours.append(solve_task(task, seconds))
        theirs.append(solve_by_planner(task))
    both = [all(pair) for pair in zip(*([o.solved for o in outcomes] for outcomes in found.values()), strict=True)]
    rows = []
    for name, outcomes in found.items():
        times = [1e3 * o.seconds for o in outcomes]
        rows.append((
            name,
            f"{sum(o.solved for o in outcomes)}/{len(outcomes)}",
            f"{statistics.median(times):.1f}",
            f"{statistics.mean(times):.0f}",
            f"{sum(o.plan for o, solved in zip(outcomes, both, strict=True) if solved):,}",
            f"{sum(o.solved and not solved for o, solved in zip(outcomes, both, strict=True))}",
        ))  # fmt: skip
    show(columns, rows, markdown, console, "Plan steps: of the tasks that both reach")


def many_things(seconds: float, markdown: bool, console: Console) -> None:
    """Part 5: goals of many things, in words."""
    rows, every = list[tuple[str, ...]](), list[Outcome]()
    for goal in track(MANY_THINGS, "many things", console=Console(stderr=True)):
        found = list[Outcome]()
        for house in range(11, 16):
            task = Task(f"{house}", "pathei/VirtualHome-v0", 0, Goal(""), {"scene": f"house:{house}", "rules": "clean"})
            env = contract.make(task)
            contract.reset(env, task)
            try:
                task = replace(task, goal=goal_in_words(env, task.env, goal))
                found.append(solve_task(task, seconds, depth=60))
            except GoalError:
                continue
        every += found
        rows.append(_summary(goal, found))
    show(
        ("goal", "reached", "median ms", "slowest ms", "steps"), [*rows, _summary("all", every)], markdown, console, ""
    )


def _summary(name: str, found: Sequence[Outcome]) -> tuple[str, ...]:
    times = [1e3 * one.seconds for one in found]
    steps = [one.plan for one in found if one.solved]
    each = f"{min(steps)} to {max(steps)}" if steps else ""
    return (
        name,
        f"{len(steps)} of {len(found)}",
        f"{statistics.median(times):.0f}" if times else "",
        f"{max(times):.0f}" if times else "",
        each,
    )


def show(columns: Sequence[str], rows: Sequence[Sequence[str]], markdown: bool, console: Console, title: str) -> None:
    """Print a table, as Markdown or for a terminal."""
    if markdown:
        marks = ["---:" if rows[0][n][:1].isdigit() else "---" for n in range(len(columns))]
        for row in (columns, marks, *rows):
            print(f"| {' | '.join(row)} |")
        return
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    console.print(table)


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


def report(outcomes: Sequence[Outcome], markdown: bool, console: Console) -> None:
    """Print the table by activity, the goals that resist, and the totals."""
    table = Table(title="RobotHow: class-level graph change, rules of v1", title_justify="left")
    columns = ("activity", "solved", "plan", "human, without idle steps", "simulations", "seconds", "slowest")
    for column in columns:
        table.add_column(column, justify="left" if column == "activity" else "right")
    if markdown:
        for row in (columns, ("---", *["---:"] * 6)):
            print(f"| {' | '.join(row)} |")
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
        row = (
            activity,
            f"{len(solved)}/{len(group)}",
            f"{middle[0]:g}",
            f"{middle[1]:g}",
            f"{middle[2]:,.0f}",
            f"{middle[3]:.4f}",
            f"{max(o.seconds for o in group):.2f}",
        )
        table.add_row(*row, style="bold" if activity == "all" else None)
        if markdown:
            bold = "**" if activity == "all" else ""
            print(f"| {' | '.join(f'{bold}{cell}{bold}' for cell in row)} |")
    if not markdown:
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
    """Run the parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="use every n-th program and task")
    parser.add_argument("--seconds", type=float, default=1.8, help="processor time for each search")
    parser.add_argument("--repeats", type=int, default=5, help="runs of the first part")
    parser.add_argument("--parts", type=int, nargs="+", choices=(1, 2, 3, 4, 5), default=(1, 2, 3, 4, 5))
    parser.add_argument("--markdown", action="store_true", help="print the tables of parts 2 to 5 as Markdown")
    options = parser.parse_args()
    console = Console()
    robothow = RobotHow(fetch("robothow"))
    names = robothow.names[:: options.every]
    solve(robothow, names[0], options.seconds)  # warm-up: what is read and prepared once
    if 1 in options.parts:
        speed(robothow, options.repeats, console)
    if 2 in options.parts:
        outcomes = [solve(robothow, name, options.seconds) for name in track(names, console=Console(stderr=True))]
        report(outcomes, options.markdown, console)
    tasks = generate_tasks(200, seed=0)[:: options.every]
    if 3 in options.parts:
        goals: dict[str, list[Callable[..., Outcome]]] = {
            "RobotHow": [partial(solve, robothow, name, options.seconds) for name in names],
            "generated tasks": [partial(solve_task, task, options.seconds) for task in tasks],
        }
        stages(goals, options.markdown, console)
    if 4 in options.parts:
        anchor(tasks, options.seconds, options.markdown, console)
    if 5 in options.parts:
        many_things(options.seconds, options.markdown, console)


if __name__ == "__main__":
    main()
