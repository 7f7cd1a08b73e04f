"""160 attempts in one life: curriculum, search and memory in the Minecraft world, without a language model.

One bot lives in one world. Each attempt is a goal of one condition that the curriculum proposes (`novelty`), planned by
skills that have worked and by search in snapshots, then carried out; the next attempt begins where it ended, as
Voyager's prompts do. The agent knows the rules (what is admissible, and how far a goal is along the recipe graph) and
not the land. What is carried is kept with death, as in Voyager's worlds.

`play` writes a store and a file of figures for each world, and goes on where it was stopped: a world that was begun is
begun again, one that is finished is left. With `--most` a life goes on while it lacks a tool of a tier. `transfer`
begins lives in new worlds, each until a tool of iron is made, with the skills of the first lives and without. Their
goals are those of the same curriculum; or, with `--by ladder`, the steps of the way to an iron pickaxe, each asked for
until it is reached; or, with `--by pickaxe`, that alone. The search heeds the prior of the recipe graph or, with
`--prior none`, does not. The other commands print or draw what was measured.

    python benchmarks/minecraft/attempts.py play FOLDER [--worlds 10] [--attempts 160] [--most 320]
    python benchmarks/minecraft/attempts.py transfer FOLDER [--lives 3] [--by ladder|pickaxe] [--prior none]
    python benchmarks/minecraft/attempts.py table FOLDER
    python benchmarks/minecraft/attempts.py worlds FOLDER
    python benchmarks/minecraft/attempts.py transfer-table FOLDER [--by ladder] [--prior none]
    python benchmarks/minecraft/attempts.py figure FOLDER docs/figures/minecraft_attempts.png
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, product
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from pathei.collectors.curriculum.collector import Curriculum, CurriculumConfig
from pathei.collectors.curriculum.proposers import (
    GoalAttempt,
    GoalProposal,
    GoalProposer,
    NoveltyProposer,
    Situation,
    UniformProposer,
)
from pathei.collectors.rollout.episode import Recorder
from pathei.collectors.rollout.policy import PolicyReport, Rng
from pathei.collectors.search.skill_library import SkillLibrary
from pathei.collectors.search.skill_policy import SkillPolicy
from pathei.envs.goal_space import GoalSpaceProvider
from pathei.envs.minecraft.tasks.generate import life_tasks
from pathei.envs.registry import get_goal_space
from pathei.experience import Failure, Task, Trajectory
from pathei.store import ExperienceStore

psutil: Any = importlib.import_module("psutil")
TIERS = ("wooden", "stone", "iron", "diamond")
TOOLS = ("pickaxe", "axe", "sword", "shovel", "hoe")
COUNTED = 160
"""In how many attempts kinds of things are counted, as Voyager's are."""
NEW = 1_000
"""New worlds have numbers from here."""
ARMS: Mapping[bool, Sequence[str]] = {
    True: ("library", "skills", "goals", "uniform", "empty"),
    False: ("library", "empty"),
}
"""What is known in a new world, where the curriculum chooses goals and where it does not: the `skills` of the first
lives, the `goals` that were reached in them, both (`library`), or nothing (`empty`). In `uniform` nothing is known
either, and goals are drawn at random."""
LADDER = (
    "you HOLDS stick", "you HOLDS crafting_table", "crafting_table PLACED", "you HOLDS wooden_pickaxe",
    "you HOLDS cobblestone", "you HOLDS stone_pickaxe", "you HOLDS furnace", "furnace PLACED", "you HOLDS raw_iron",
    "you HOLDS iron_ingot", "you HOLDS iron_pickaxe",
)  # fmt: skip
"""What the ladder asks for, one after the other."""
ASKED = {"ladder": LADDER, "pickaxe": LADDER[-1:]}
"""What is asked for in a new world where no curriculum chooses."""
VOYAGER = ("Voyager (paper, 3 runs)", "6 ± 2 (3/3)", "11 ± 2 (3/3)", "21 ± 7 (3/3)", "102 (1/3)", "63")
VOYAGER_BARE = ("Voyager without its library", "7 ± 2 (3/3)", "9 ± 4 (3/3)", "29 ± 11 (3/3)", "- (0/3)", "")


class Setting(NamedTuple):
    """What a life in a new world is like."""

    by: str
    """Who chooses goals: the `curriculum`; or what is asked for, the `ladder` or the `pickaxe` (`ASKED`)."""
    prior: Literal["heuristic", "none"]
    """What guides the search."""


class WatchedPolicy(SkillPolicy):
    """The policy, what the bot has done in its life so far, and what that took."""

    stats: Mapping[str, Any] = MappingProxyType({})
    """What the world counts."""
    node_s: float = 0.0
    """Processor time of node, in seconds."""

    def play(self, recorder: Recorder, rng: Rng) -> PolicyReport:
        """Play, and look at what was counted."""
        report = super().play(recorder, rng)
        world: Any = recorder.env.unwrapped
        self.stats, times = world.moment.seen["stats"], psutil.Process(world.game.pid).cpu_times()
        self.node_s = times.user + times.system
        return report


class LadderProposer:
    """Asks for the first step of a way that was not reached so far, until it is."""

    def __init__(self, steps: Sequence[str]) -> None:
        """Begin with the first."""
        self._left = list(steps)

    def propose(self, situation: Situation, rng: Any) -> GoalProposal:
        """Return it; a step that holds already is passed by."""
        aim = next(aim for name in self._left if (aim := situation.space.named(name)) is not None)
        return GoalProposal(aim)

    def update(self, attempt: GoalAttempt) -> None:
        """Go on after a success."""
        name = attempt.aim.parts[0].name
        if attempt.success:
            del self._left[: self._left.index(name) + 1]


def things(stats: Mapping[str, Any]) -> set[str]:
    """Return the kinds of things that were ever held, crafted or smelted."""
    return {name for kind in ("collected", "crafted", "smelted") for name in stats.get(kind, {})}


def first_tool(rows: Sequence[Mapping[str, Any]], tier: str) -> int | None:
    """Return the attempt that led to the first tool of a tier; None if none did."""
    tools = {f"{tier}_{tool}" for tool in TOOLS}
    return next((row["attempt"] for row in rows if tools & set(row["new"])), None)


def lived(rows: Sequence[Mapping[str, Any]], attempts: int, most: int) -> bool:
    """Return whether a life is over: it had its attempts, and a tool of every tier was made or there were enough."""
    return len(rows) >= most or (len(rows) >= attempts and all(first_tool(rows, tier) for tier in TIERS))


def ended(rows: Sequence[Mapping[str, Any]], most: int) -> bool:
    """Return whether a life in a new world is over: a tool of iron was made, or there were enough attempts."""
    return len(rows) >= most or first_tool(rows, "iron") is not None


def remember(arm: str, stores: Iterable[Path], curriculum: Curriculum, policy: SkillPolicy, by: str) -> None:
    """Let a curriculum and its policy learn from the first lives what an arm knows of them.

    The steps of a ladder are asked for in every world: there the library is skills.
    """
    for path in () if arm in ("uniform", "empty") else stores:
        with ExperienceStore.open(path, mode="read") as store:
            if by not in ASKED and arm in ("library", "goals"):
                curriculum.recall(store)
            else:
                for record in store.trajectories():
                    policy.learn(record)
    if arm == "goals":
        policy.library = SkillLibrary()


def played(folder: Path, curriculum: Curriculum, policy: WatchedPolicy, tasks: list[Task]) -> Iterable[dict[str, Any]]:
    """Play a life into a store, and yield what each attempt led to."""
    shutil.rmtree(folder, ignore_errors=True)
    known: set[str] = set()
    with ExperienceStore.open(folder, mode="append") as store:
        for number, record in enumerate(curriculum.collect(tasks), 1):
            store.append(record)
            new = things(policy.stats) - known
            known |= new
            yield {
                "attempt": number,
                "goal": record.task.goal.text,
                "success": record.success if isinstance(record, Trajectory) else None,
                "error": record.error if isinstance(record, Failure) else None,
                "searched": record.provenance.get("env_steps") if isinstance(record, Trajectory) else None,
                "steps": [step.action for step in record.steps] if isinstance(record, Trajectory) else [],
                "new": sorted(new),
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


def play(folder: Path, worlds: Sequence[int], attempts: int, most: int, effort: int) -> None:
    """Play one life in each world."""
    goals = get_goal_space("minecraft")
    for world in worlds:
        done = folder / f"world{world}.json"
        if lived(rows_of(done), attempts, most):
            continue
        begin, policy = time.process_time(), WatchedPolicy(goals, most=effort)
        config = CurriculumConfig(run="life", retries=1)
        curriculum = Curriculum(goals, NoveltyProposer(largest=1), policy, config, seed=world)
        rows, held = [], 0
        try:
            for row in played(folder / f"world{world}", curriculum, policy, life_tasks(world, most)):
                rows.append(row)
                held += len(row["new"])
                spent = time.process_time() - begin + policy.node_s
                print(world, row["attempt"], row["goal"], row["success"], row["searched"], len(row["steps"]), held,
                      f"{spent:.0f}s", *row["new"], row["error"] or "", flush=True)  # fmt: skip
                write(done, {"world": world, "rows": rows, "cpu_s": spent})
                if lived(rows, attempts, most):
                    break
        finally:
            curriculum.close()


def transfer(
    folder: Path,
    worlds: Sequence[int],
    stores: Sequence[Path],
    effort: int,
    most: int,
    setting: Setting,
    arms: Sequence[str],
) -> None:
    """Live in new worlds until a tool of iron is made, with the skills of stored lives and without."""
    goals: GoalSpaceProvider = get_goal_space("minecraft")
    by, prior = setting
    for world, arm in product(worlds, arms):
        done = folder / f"new{world}-{by}-{prior}-{arm}.json"
        if ended(rows_of(done), most):
            continue
        begin, policy = time.process_time(), WatchedPolicy(goals, most=effort, prior=prior)
        asked = ASKED.get(by)
        proposer: GoalProposer = (
            LadderProposer(asked) if asked is not None
            else UniformProposer(largest=1) if arm == "uniform"
            else NoveltyProposer(largest=1)
        )  # fmt: skip
        config = CurriculumConfig(run="new", retries=1 if asked is None else 0)
        curriculum = Curriculum(goals, proposer, policy, config, seed=world)
        remember(arm, stores, curriculum, policy, by)
        rows = []
        try:
            for row in played(folder / done.stem, curriculum, policy, life_tasks(world, most)):
                rows.append(row)
                spent = time.process_time() - begin + policy.node_s
                print(world, by, prior, arm, row["attempt"], row["goal"], row["success"], row["searched"], row["steps"],
                      f"{spent:.0f}s", flush=True)  # fmt: skip
                write(done, {"world": world, "arm": arm, "by": by, "prior": prior, "rows": rows, "cpu_s": spent})
                if ended(rows, most):
                    break
        finally:
            curriculum.close()


def spread(values: list[int], of: int) -> str:
    """Return a mean with its standard deviation, and in how many of the runs there was a value."""
    if not values:
        return f"- (0/{of})"
    deviation = f" ± {statistics.stdev(values):.0f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.0f}{deviation} ({len(values)}/{of})"


def lives(folder: Path) -> list[dict[str, Any]]:
    """Return what was written of the lives, by world."""
    found: list[dict[str, Any]] = [json.loads(path.read_text("utf-8")) for path in folder.glob("world*.json")]
    return sorted(found, key=lambda one: one["world"])


def kinds(rows: Sequence[Mapping[str, Any]]) -> int:
    """Return how many kinds of things a life has come to hold."""
    return sum(len(row["new"]) for row in rows)


def table(folder: Path) -> None:
    """Print attempts to the first tool of each tier, and kinds of things, next to Voyager's table."""
    played = [one["rows"] for one in lives(folder)]
    print(
        "| who | wooden | stone | iron | diamond | kinds of things in 160 attempts |\n|:---|---:|---:|---:|---:|---:|"
    )
    cells = []
    for tier in TIERS:
        found = [first_tool(rows, tier) for rows in played]
        cells.append(spread([one for one in found if one is not None], len(played)))
    counts, lengths = [kinds(rows[:COUNTED]) for rows in played], sorted({len(rows) for rows in played})
    attempts = f"{lengths[0]} attempts" if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]} attempts"
    worlds = "one world" if len(played) == 1 else f"{len(played)} worlds"
    spans = f" ({min(counts)} to {max(counts)})" if len(played) > 1 else ""
    ours = f"curriculum, search and memory ({worlds}, {attempts})"
    print(f"| {' | '.join([ours, *cells, f'{statistics.mean(counts):.0f}{spans}'])} |")
    for row in (VOYAGER, VOYAGER_BARE):
        print(f"| {' | '.join(row)} |")


def world_table(folder: Path) -> None:
    """Print the same by world."""
    things = f"kinds of things in {COUNTED}"
    print(f"| world | wooden | stone | iron | diamond | {things} | goals reached | deaths | processor time, s |")
    print("|:---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for one in lives(folder):
        rows = one["rows"]
        cells = [one["world"], *(first_tool(rows, tier) or "-" for tier in TIERS), kinds(rows[:COUNTED])]
        reached = sum(row["success"] is True for row in rows)
        cells += [f"{reached} of {len(rows)}", rows[-1]["died"], round(one["cpu_s"])]
        print(f"| {' | '.join(map(str, cells))} |")


def transfer_table(folder: Path, most: int, setting: Setting, arms: Sequence[str]) -> None:
    """Print the attempts to the first tool of each tier in new worlds, by what is known of the first lives."""
    tiers = [tier for tier in TIERS if tier != "diamond"]
    heads = ["new world", "known", *tiers, "goals reached", "processor time, s"]
    print(f"| {' | '.join(heads)} |\n|:---|:---|" + "---:|" * (len(heads) - 2))
    needed: dict[str, list[list[int]]] = {arm: [] for arm in arms}
    for world in range(NEW, 2 * NEW):
        paths = {arm: folder / f"new{world}-{'-'.join(setting)}-{arm}.json" for arm in arms}
        if not all(ended(rows_of(path), most) for path in paths.values()):
            continue  # not finished
        for arm, path in paths.items():
            written = json.loads(path.read_text("utf-8"))
            rows = written["rows"]
            firsts = [first_tool(rows, tier) for tier in tiers]
            needed[arm].append([first or len(rows) for first in firsts])
            cells = [first or f"not in {len(rows)}" for first in firsts]
            reached = f"{sum(row['success'] is True for row in rows)} of {len(rows)}"
            print(f"| {' | '.join(map(str, [world, arm, *cells, reached, round(written['cpu_s'])]))} |")
    count = len(needed["empty"])
    if count < 2:
        return
    by_tier = {arm: list(zip(*counts, strict=True)) for arm, counts in needed.items()}
    for arm, counts in by_tier.items():
        print(f"| mean of {count} | {arm} | {' | '.join(f'{statistics.mean(one):.1f}' for one in counts)} | | |")
    for arm in arms[:-1]:
        pairs = [list(zip(*both, strict=True)) for both in zip(by_tier[arm], by_tier["empty"], strict=True)]
        differences = [[one - other for one, other in tier] for tier in pairs]
        means = [f"{statistics.mean(one):+.1f} ± {statistics.stdev(one) / count**0.5:.1f}" for one in differences]
        print(f"| mean difference to empty ± standard error | {arm} | {' | '.join(means)} | | |")


def draw(folder: Path, file: Path) -> None:
    """Draw the kinds of things over attempts, a line for each life, and where the first tools were made."""
    mpl: Any = importlib.import_module("matplotlib")
    mpl.use("Agg")
    plt: Any = importlib.import_module("matplotlib.pyplot")
    picture, axes = plt.subplots(figsize=(7, 4.2))
    marks = dict(zip(TIERS, (("o", "#9c6b30"), ("s", "#777777"), ("^", "#d9822b"), ("D", "#1aa6b7")), strict=True))
    for one in lives(folder):
        rows = one["rows"]
        counts = list(accumulate(len(row["new"]) for row in rows))
        axes.plot(range(1, len(rows) + 1), counts, color="#5b7fa6", alpha=0.6, linewidth=1.2)
        for tier, (mark, colour) in marks.items():
            if (at := first_tool(rows, tier)) is not None:
                axes.plot(at, counts[at - 1], mark, color=colour, markersize=5)
    for tier, (mark, colour) in marks.items():
        axes.plot([], [], mark, color=colour, label=f"first {tier} tool")
    axes.axhline(63, color="black", linewidth=0.8, linestyle="--", label="Voyager's 63 after 160 prompts")
    axes.set(xlabel="attempts", ylabel="kinds of things held so far", xlim=(0, None), ylim=(0, None))
    axes.legend(frameon=False, loc="lower right")
    picture.tight_layout()
    picture.savefig(file, dpi=110)


def main() -> None:
    """Play, print one of the tables, or draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("play", "transfer", "table", "worlds", "transfer-table", "figure"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("file", type=Path, nargs="?", help="the picture that `figure` writes")
    parser.add_argument("--worlds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="the number of the first world")
    parser.add_argument("--attempts", type=int, default=160, help="the least attempts of a life of `play`")
    parser.add_argument("--effort", type=int, default=16, help="transitions of the model that one attempt may search")
    parser.add_argument(
        "--most",
        type=int,
        default=160,
        help="the most attempts of a life: one of `play` goes on to here while it lacks a tool of a tier",
    )
    parser.add_argument("--lives", type=int, default=3, help="how many of the first lives the skills are of")
    parser.add_argument("--by", choices=("curriculum", *ASKED), default="curriculum", help="who chooses goals there")
    parser.add_argument("--prior", choices=("heuristic", "none"), default="heuristic", help="what guides a transfer")
    parser.add_argument("--arms", nargs="+", choices=ARMS[True], help="which arms of a transfer, `empty` last")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    setting = Setting(args.by, args.prior)
    arms = args.arms or ARMS[args.by == "curriculum"]
    if args.what == "play":
        play(args.folder, range(args.first, args.first + args.worlds), args.attempts, args.most, args.effort)
    elif args.what == "transfer":
        begun = [args.folder / f"world{one['world']}" for one in lives(args.folder)[: args.lives]]
        new = range(NEW + args.first, NEW + args.first + args.worlds)
        transfer(args.folder, new, begun, args.effort, args.most, setting, arms)
    elif args.what == "table":
        table(args.folder)
    elif args.what == "worlds":
        world_table(args.folder)
    elif args.what == "transfer-table":
        transfer_table(args.folder, args.most, setting, arms)
    elif args.file is None:
        parser.error("figure needs the file to write")
    else:
        draw(args.folder, args.file)


if __name__ == "__main__":
    main()
