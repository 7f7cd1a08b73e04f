r"""Proposers of goals compared: what an agent that learns on the way achieves with each, at equal transitions.

    python benchmarks/collectors/curriculum.py [--steps 100000] [--seeds 3] [--houses 10] [--processes 2]
        [--picture FILE] [--lm]
    python benchmarks/collectors/curriculum.py --proposers novelty "uniform by kind" --steps 720000 --seeds 2 \
        --progress runs/horizon
    python benchmarks/collectors/curriculum.py --horizons runs/horizon

In generated houses a `SkillPolicy`, which begins knowing nothing but the words of a goal, tries what a proposer
proposes. Every transition of the world counts, those of its search too. A goal is achieved when its conditions held at
the end of a recorded episode; two goals are the same if they differ in house or ids only. Held out are goals drawn in
other houses, in which nothing is learned, and whose transitions do not count.

"uniform" draws among all conditions of a house, of which nine in ten are about where a thing is, and one to three of
them; "uniform by kind" draws the kind of condition first. With `--lm` a language model proposes as well: set
PATHEI_LM_MODEL and OPENAI_BASE_URL, see `pathei.agents.lm.completion`. The bar is two times the distinct goals of
"uniform".

With `--progress` every run writes, at each 10,000 transitions, how many goals and conditions there were, so that long
runs can be looked at before their end; `--horizons` prints a table of what such a folder holds: novelty's lead over
"uniform by kind", as far as both have come.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from pathei.agents.lm.completion import complete_named
from pathei.collectors.coverage import Coverage
from pathei.collectors.curriculum.collector import Curriculum, CurriculumConfig
from pathei.collectors.curriculum.lm_proposer import LanguageModel
from pathei.collectors.curriculum.proposers import (
    GoalProposer,
    LearningProgressProposer,
    NoveltyProposer,
    UniformProposer,
    draw,
)
from pathei.collectors.rollout.episode import Envs, Recorder
from pathei.collectors.search.skill_policy import SkillPolicy
from pathei.envs.virtualhome.env import VirtualHomeEnv
from pathei.envs.virtualhome.goals.space import HomeGoals
from pathei.envs.virtualhome.model import HomeModel
from pathei.experience import Goal, Record, Task, Trajectory

PROPOSERS: dict[str, Callable[[], GoalProposer]] = {
    "uniform": UniformProposer,
    "uniform by kind": lambda: UniformProposer(by_kind=True),
    "learning progress": LearningProgressProposer,
    "novelty": NoveltyProposer,
    "language model": lambda: LanguageModel(complete_named(os.environ["PATHEI_LM_MODEL"])),
}
HELD_OUT = 48
HELD_OUT_HOUSES = 6
HORIZONS = (40_000, 80_000, 160_000, 240_000, 360_000, 440_000, 480_000, 600_000, 720_000)
"""The transitions at which `--horizons` compares."""
_NOTED = 10_000
CHECKS = 4
"""So often the held-out goals are tried in one run."""


class Point(NamedTuple):
    """How things stood after some transitions."""

    steps: int
    goals: int
    conditions: int


class Result(NamedTuple):
    """What one run came to."""

    proposer: str
    seed: int
    points: list[Point]
    """After every attempt."""
    held_out: list[tuple[int, float]]
    """After how many transitions, which share of the held-out goals was reached."""
    attempts: int
    successes: int
    objects: int
    actions: int
    longest: int
    seconds: float


def plain_model(recorder: Recorder) -> HomeModel:
    """Return a household's model without the heuristic that knows what goals need: every verb, every node, alike."""
    home = recorder.env.unwrapped
    assert isinstance(home, VirtualHomeEnv)
    return HomeModel(home.world, home.check)


def household(number: int, house: int) -> Task:
    """Return a task that is only a house."""
    return Task(f"house-{number}", "pathei/VirtualHome-v0", 0, Goal(""), {"scene": f"house:{house}"})


def held_out_tasks(spaces: HomeGoals, envs: Envs) -> list[Task]:
    """Draw the goals that nobody learns from: the same for every run."""
    rng = np.random.default_rng(2026)
    tasks = []
    for number in range(HELD_OUT):
        task = household(number, 10_000 + number % HELD_OUT_HOUSES)
        env = envs.get(task)
        env.reset(seed=task.seed, options=dict(task.options))
        aim = draw(spaces.present(env), 1 + number // HELD_OUT_HOUSES % 3, rng, by_kind=True)
        tasks.append(Task(f"held-out-{number}", task.env, task.seed, aim.goal, task.options))
    return tasks


def share_reached(policy: SkillPolicy, tasks: Sequence[Task], envs: Envs) -> float:
    """Return which share of some tasks a policy reaches, as the world checks; it learns nothing from them."""
    reached = 0
    for number, task in enumerate(tasks):
        recorder = Recorder(envs.get(task), task, max_steps=30)
        policy.play(recorder, number)
        reached += bool(recorder.steps and recorder.steps[-1].info.get("success"))
    return reached / len(tasks)


def run(proposer: str, seed: int, steps: int, houses: int, progress: Path | None = None) -> Result:
    """Run one curriculum; `progress` is the folder where it writes how far it has come."""
    began = time.perf_counter()
    spaces, envs = HomeGoals(), Envs()
    player = SkillPolicy(spaces, model_of=plain_model)
    curriculum = Curriculum(spaces, PROPOSERS[proposer](), player, CurriculumConfig(env_steps=steps), seed=seed)
    tasks = (household(number, 100 * seed + number % houses) for number in itertools.count())
    held_out = held_out_tasks(spaces, envs)
    checks = [(0, share_reached(player, held_out, envs))]
    points, records = [Point(0, 0, 0)], list[Record]()
    goals, conditions = set[str](), set[str]()
    longest = noted = 0
    for record in curriculum.collect(tasks):
        records.append(record)
        if isinstance(record, Trajectory) and record.success:
            aim = spaces.aim(record.task.goal)
            goals.add(aim.template)
            conditions.update(part.name for part in aim.parts)
            longest = max(longest, len(record.steps))
        points.append(Point(curriculum.env_steps, len(goals), len(conditions)))
        if progress is not None and (curriculum.env_steps - noted >= _NOTED or curriculum.env_steps >= steps):
            noted = curriculum.env_steps
            note(progress, proposer, seed, points[-1])
        if curriculum.env_steps >= steps * len(checks) / CHECKS:
            checks.append((curriculum.env_steps, share_reached(player, held_out, envs)))
    coverage = Coverage.of(records)
    return Result(
        proposer, seed, points, checks, curriculum.attempts, coverage.successes, len(coverage.objects),
        len(coverage.actions), longest, time.perf_counter() - began,
    )  # fmt: skip


def note(folder: Path, proposer: str, seed: int, point: Point) -> None:
    """Add one line to the file of a run."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{proposer.replace(' ', '_')}-{seed}.jsonl").open("a") as file:
        file.write(json.dumps(point) + "\n")


def noted_in(folder: Path) -> dict[str, dict[int, list[Point]]]:
    """Return what runs have noted, by proposer and seed."""
    found: dict[str, dict[int, list[Point]]] = {}
    for path in sorted(folder.glob("*-*.jsonl")):
        proposer, _, seed = path.stem.rpartition("-")
        points = [Point(*json.loads(line)[:3]) for line in path.read_text().splitlines()]
        found.setdefault(proposer.replace("_", " "), {})[int(seed)] = points
    return found


def horizons(folder: Path) -> None:
    """Print the goals of both proposers at each horizon that their runs with one seed have passed, and the lead."""
    found = noted_in(folder)
    first, second = found["novelty"], found["uniform by kind"]
    seeds = sorted(first.keys() & second.keys())
    print(f"| transitions | {' | '.join(f'seed {one}: novelty | by kind | lead' for one in seeds)} |")
    print(f"|---:{'|---:' * 3 * len(seeds)}|")
    for horizon in HORIZONS:
        cells: list[str] = []
        for seed in seeds:
            runs = (first[seed], second[seed])
            if min(run[-1].steps for run in runs) < horizon:
                cells += ["", "", ""]
                continue
            one, other = (next(point.goals for point in run if point.steps >= horizon) for run in runs)
            cells += [f"{one:,}", f"{other:,}", f"{one / max(1, other):.2f}"]
        if any(cells):
            print(f"| {horizon:,} | {' | '.join(cells)} |")


def spread(values: Sequence[float], form: str = ",.0f") -> str:
    """Return mean and range."""
    low, high = format(min(values), form), format(max(values), form)
    return f"{format(float(np.mean(values)), form)} ({low} to {high})"


def report(results: Sequence[Result], names: Sequence[str], steps: int, seeds: int) -> Table:
    """Return the table: one column for each proposer, mean and range over the seeds."""
    table = Table(title=f"{steps:,} transitions each; mean (range) of {seeds} seeds", title_justify="left")
    table.add_column("")
    for name in names:
        table.add_column(name, justify="right")
    rows: list[tuple[str, Callable[[Result], float], str]] = [
        ("distinct goals achieved", lambda one: one.points[-1].goals, ",.0f"),
        ("distinct conditions in them", lambda one: one.points[-1].conditions, ",.0f"),
        ("attempts", lambda one: one.attempts, ",.0f"),
        ("of them successful", lambda one: one.successes / one.attempts, ".0%"),
        ("objects acted on", lambda one: one.objects, ",.0f"),
        ("distinct actions (verb and kinds)", lambda one: one.actions, ",.0f"),
        ("longest verified plan (steps)", lambda one: one.longest, ",.0f"),
        ("held-out goals reached at first", lambda one: one.held_out[0][1], ".0%"),
        ("held-out goals reached at the end", lambda one: one.held_out[-1][1], ".0%"),
    ]
    for title, value, form in rows:
        table.add_row(title, *(spread([value(one) for one in results if one.proposer == name], form) for name in names))
    return table


def compare(results: Sequence[Result], name: str, baseline: str) -> str:
    """Say how many times the baseline's distinct goals a proposer achieved: all seeds together, and the worst seed."""
    goals = {(one.proposer, one.seed): one.points[-1].goals for one in results}
    seeds = sorted({one.seed for one in results})
    whole = sum(goals[name, seed] for seed in seeds) / max(1, sum(goals[baseline, seed] for seed in seeds))
    worst = min(goals[name, seed] / max(1, goals[baseline, seed]) for seed in seeds)
    return f"{name}: {whole:.1f} times the distinct goals of {baseline}, {worst:.1f} times with the worst seed"


def draw_curves(results: Sequence[Result], names: Sequence[str], steps: int, path: Path) -> None:
    """Draw the curves as a PNG: the mean of the seeds as a line, their range as a band."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    titles = ("distinct goals achieved", "distinct conditions achieved", "held-out goals reached")
    figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    grid = np.linspace(0, steps, 101)
    for name in names:
        runs = [one for one in results if one.proposer == name]
        curves = [
            [np.interp(grid, [p.steps for p in one.points], [p.goals for p in one.points]) for one in runs],
            [np.interp(grid, [p.steps for p in one.points], [p.conditions for p in one.points]) for one in runs],
            [np.interp(grid, [at for at, _ in one.held_out], [share for _, share in one.held_out]) for one in runs],
        ]
        for axis, several in zip(axes, curves, strict=True):
            [line] = axis.plot(grid, np.mean(several, axis=0), label=name)
            low, high = np.min(several, axis=0), np.max(several, axis=0)
            axis.fill_between(grid, low, high, color=line.get_color(), alpha=0.15)
    for axis, title in zip(axes, titles, strict=True):
        axis.set(title=title, xlabel="transitions of the world", xlim=(0, steps))
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    axes[2].yaxis.set_major_formatter(mpl.ticker.PercentFormatter(1.0))
    axes[0].legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Run all proposers with all seeds, print the table, draw the curves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=100_000, help="transitions of the world in each run")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each proposer; each has houses of its own")
    parser.add_argument("--first-seed", type=int, default=10, help="the first of them; 0 and 1 were used to tune")
    parser.add_argument("--houses", type=int, default=10, help="houses in each run")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--picture", type=Path, default=Path(__file__).parents[2] / "docs/figures/curriculum.png")
    parser.add_argument("--proposers", nargs="+", choices=list(PROPOSERS), help="some of them")
    parser.add_argument("--progress", type=Path, help="a folder in which runs note how far they have come")
    parser.add_argument(
        "--horizons", type=Path, help="print the lead over transitions from such a folder, and run nothing"
    )
    parser.add_argument("--lm", action="store_true", help="let a language model propose as well")
    options = parser.parse_args()
    if options.horizons is not None:
        return horizons(options.horizons)
    names = options.proposers or [name for name in PROPOSERS if options.lm or name != "language model"]
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    jobs = [(name, seed, options.steps, options.houses, options.progress) for seed in seeds for name in names]
    began = time.perf_counter()
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
        results = list(pool.map(run, *zip(*jobs, strict=True)))
    console = Console()
    console.print(report(results, names, options.steps, options.seeds))
    for name in [name for name in names if not name.startswith("uniform")]:
        for baseline in [name for name in names if name.startswith("uniform")]:
            console.print(compare(results, name, baseline))
    seconds = time.perf_counter() - began
    work = sum(one.points[-1].steps for one in results) / sum(one.seconds for one in results)
    console.print(f"{seconds:.0f} s with {options.processes} processes, {work:,.0f} transitions/s in each")
    draw_curves(results, names, options.steps, options.picture)
    console.print(f"curves: {options.picture.name}")


if __name__ == "__main__":
    main()
