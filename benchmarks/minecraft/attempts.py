"""160 attempts in one life: curriculum, search and memory in the Minecraft world, without a language model.

One bot lives in one world. Each attempt is a goal that the curriculum proposes (`novelty`), planned by skills that have
worked and by search in snapshots, then carried out; the next attempt begins where it ended, as Voyager's prompts do.
The agent knows the rules (what is admissible, and how far a goal is along the recipe graph) and not the land.

`play` writes a store and a file of figures for each world, and goes on where it was stopped: a world that was begun is
begun again, one that is finished is left. `transfer` asks for an iron pickaxe in new worlds, again and again until it
is made, with what was learned in the first worlds and without. `table` and `transfer-table` print what was measured.

    python benchmarks/minecraft/attempts.py play FOLDER [--worlds 10] [--attempts 160]
    python benchmarks/minecraft/attempts.py transfer FOLDER [--worlds 10]
    python benchmarks/minecraft/attempts.py table FOLDER
    python benchmarks/minecraft/attempts.py transfer-table FOLDER
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pathei.collectors.curriculum.collector import Curriculum, CurriculumConfig
from pathei.collectors.curriculum.proposers import GoalAttempt, GoalProposal, NoveltyProposer, Situation
from pathei.collectors.rollout.episode import Recorder
from pathei.collectors.rollout.policy import PolicyReport, Rng
from pathei.collectors.search.skill_policy import SkillPolicy
from pathei.envs.goal_space import GoalSpaceProvider
from pathei.envs.minecraft.tasks import ENV
from pathei.envs.registry import get_goal_space
from pathei.experience import Failure, Goal, Task, Trajectory
from pathei.store import ExperienceStore

TIERS = ("wooden", "stone", "iron", "diamond")
NEW = 1_000
"""New worlds have numbers from here."""
VOYAGER = ("Voyager (paper, 3 runs)", "6 ± 2 (3/3)", "11 ± 2 (3/3)", "21 ± 7 (3/3)", "102 (1/3)", "63")
VOYAGER_BARE = ("Voyager without its library", "7 ± 2 (3/3)", "9 ± 4 (3/3)", "29 ± 11 (3/3)", "- (0/3)", "")


class WatchedPolicy(SkillPolicy):
    """The policy, and what the bot has done in its life so far."""

    stats: dict[str, Any] = {}  # noqa: RUF012  # replaced, never changed

    def play(self, recorder: Recorder, rng: Rng) -> PolicyReport:
        """Play, and look at what was counted."""
        report = super().play(recorder, rng)
        world: Any = recorder.env.unwrapped
        self.stats = world.moment.seen["stats"]
        return report


class FixedProposer:
    """Asks for one thing, whatever was reached."""

    def __init__(self, name: str) -> None:
        """Ask for the goal of this name."""
        self._name = name

    def propose(self, situation: Situation, rng: Any) -> GoalProposal:
        """Return it."""
        aim = situation.space.named(self._name)
        assert aim is not None
        return GoalProposal(aim)

    def update(self, attempt: GoalAttempt) -> None:
        """Take no notice."""


def life(world: int, attempts: int) -> list[Task]:
    """Return the tasks of one life, without goals."""
    options = {"world": world, "stay": True, "keep_inventory": True}
    return [Task(f"life/{number}", ENV, world, Goal(""), options) for number in range(attempts)]


def things(stats: dict[str, Any]) -> set[str]:
    """Return the kinds of things that were ever held, crafted or smelted."""
    return {name for kind in ("collected", "crafted", "smelted") for name in stats.get(kind, {})}


def learned(stores: Iterable[Path], policy: SkillPolicy) -> None:
    """Let a policy learn from what is stored."""
    for path in stores:
        with ExperienceStore.open(path, mode="read") as store:
            for record in store.trajectories():
                policy.learn(record)


def played(folder: Path, curriculum: Curriculum, policy: WatchedPolicy, tasks: list[Task]) -> Iterable[dict[str, Any]]:
    """Play a life into a store, and yield what each attempt led to."""
    shutil.rmtree(folder, ignore_errors=True)
    with ExperienceStore.open(folder, mode="append") as store:
        for number, record in enumerate(curriculum.collect(tasks), 1):
            store.append(record)
            yield {
                "attempt": number,
                "goal": record.task.goal.text,
                "success": record.success if isinstance(record, Trajectory) else None,
                "error": record.error if isinstance(record, Failure) else None,
                "searched": record.provenance.get("env_steps") if isinstance(record, Trajectory) else None,
                "steps": [step.action for step in record.steps] if isinstance(record, Trajectory) else [],
                "things": len(things(policy.stats)),
                "tiers": [tier for tier in TIERS if f"{tier}_pickaxe" in things(policy.stats)],
                "died": policy.stats.get("died", {}).get("times", 0),
            }


def write(path: Path, value: Any) -> None:
    """Write a life's figures so far, wholly or not at all."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(value), "utf-8")
    os.replace(new, path)


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Return the attempts of a life that were written; none if it was not begun."""
    rows: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["rows"] if path.exists() else []
    return rows


def play(folder: Path, worlds: int, attempts: int, effort: int) -> None:
    """Play one life in each world."""
    goals = get_goal_space("minecraft")
    for world in range(worlds):
        done = folder / f"world{world}.json"
        if rows_of(done)[attempts - 1 :]:
            continue
        begin, policy = time.process_time(), WatchedPolicy(goals, most=effort)
        curriculum = Curriculum(goals, NoveltyProposer(), policy, CurriculumConfig(run="life", retries=1), seed=world)
        rows = []
        try:
            for row in played(folder / f"world{world}", curriculum, policy, life(world, attempts)):
                rows.append(row)
                print(world, row["attempt"], row["goal"], row["success"], row["searched"], len(row["steps"]),
                      row["things"], *row["tiers"], row["error"] or "", flush=True)  # fmt: skip
                held = sorted(things(policy.stats))
                write(done, {"world": world, "rows": rows, "things": held, "cpu_s": time.process_time() - begin})
        finally:
            curriculum.close()


def transfer(folder: Path, worlds: int, effort: int, most: int) -> None:
    """Ask for an iron pickaxe in new worlds, with what was learned and without."""
    goals: GoalSpaceProvider = get_goal_space("minecraft")
    stores = [folder / path.stem for path in sorted(folder.glob("world*.json"))]
    for world in range(NEW, NEW + worlds):
        for arm in ("with", "without"):
            done = folder / f"new{world}-{arm}.json"
            before = rows_of(done)
            if before and (before[-1]["success"] or len(before) >= most):
                continue
            policy = WatchedPolicy(goals, most=effort)
            if arm == "with":
                learned(stores, policy)
            proposer, config = FixedProposer("you HOLDS iron_pickaxe"), CurriculumConfig(run="new", retries=0)
            curriculum = Curriculum(goals, proposer, policy, config, seed=world)
            rows = []
            try:
                for row in played(folder / f"new{world}-{arm}", curriculum, policy, life(world, most)):
                    rows.append(row)
                    print(world, arm, row["attempt"], row["success"], row["searched"], row["steps"], flush=True)
                    write(done, {"world": world, "arm": arm, "rows": rows})
                    if row["success"]:
                        break
            finally:
                curriculum.close()


def spread(values: list[int], of: int) -> str:
    """Return a mean with its standard deviation, and how many runs there were."""
    if not values:
        return f"- (0/{of})"
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.0f} ± {deviation:.0f} ({len(values)}/{of})"


def table(folder: Path) -> None:
    """Print attempts to each pickaxe, and kinds of things, next to Voyager's table."""
    lives = [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("world*.json"))]
    print(
        "| who | wooden | stone | iron | diamond | kinds of things in 160 attempts |\n|:---|---:|---:|---:|---:|---:|"
    )
    cells = []
    for tier in TIERS:
        first = [next((row["attempt"] for row in one["rows"] if tier in row["tiers"]), None) for one in lives]
        cells.append(spread([one for one in first if one is not None], len(lives)))
    counts = [len(one["things"]) for one in lives]
    lengths = sorted({len(one["rows"]) for one in lives})
    attempts = f"{lengths[0]} attempts" if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]} attempts"
    ours = f"curriculum, search and memory ({len(lives)} worlds, {attempts})"
    print(f"| {' | '.join([ours, *cells, f'{statistics.mean(counts):.0f} ({min(counts)} to {max(counts)})'])} |")
    for row in (VOYAGER, VOYAGER_BARE):
        print(f"| {' | '.join(row)} |")


def transfer_table(folder: Path) -> None:
    """Print the attempts to an iron pickaxe in new worlds, with and without the library."""
    print("| new world | with the library | without |\n|:---|---:|---:|")
    means: dict[str, list[int]] = {"with": [], "without": []}
    for first in sorted(folder.glob("new*-with.json")):
        both = {arm: first.with_name(first.name.replace("-with", f"-{arm}")) for arm in means}
        if not all(path.exists() for path in both.values()):
            continue
        row = [first.name.removeprefix("new").partition("-")[0]]
        for arm, path in both.items():
            rows = json.loads(path.read_text("utf-8"))["rows"]
            means[arm].append(len(rows))
            row.append(str(len(rows)) if rows[-1]["success"] else f"not in {len(rows)}")
        print(f"| {' | '.join(row)} |")
    if means["with"]:
        print(f"| mean | {statistics.mean(means['with']):.1f} | {statistics.mean(means['without']):.1f} |")


def main() -> None:
    """Play, or print one of the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("play", "transfer", "table", "transfer-table"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--worlds", type=int, default=10)
    parser.add_argument("--attempts", type=int, default=160)
    parser.add_argument("--effort", type=int, default=16, help="transitions of the model that one attempt may search")
    parser.add_argument("--most", type=int, default=50, help="the most attempts of a transfer")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    if args.what == "play":
        play(args.folder, args.worlds, args.attempts, args.effort)
    elif args.what == "transfer":
        transfer(args.folder, args.worlds, args.effort, args.most)
    elif args.what == "table":
        table(args.folder)
    else:
        transfer_table(args.folder)


if __name__ == "__main__":
    main()
