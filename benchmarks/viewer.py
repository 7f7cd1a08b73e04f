"""How long the viewer takes to answer: 10,000 household episodes listed, one opened, a step entered, a branch stored.

    python benchmarks/viewer.py [--episodes 10000] [--repeats 5]

The episodes are copies of 60 demonstrations, with one explored episode of 30 steps that is opened and entered.
Times are processor time of the answer, without the browser, the shortest of the repeats. Opening reads every shard's
index, as any reader of a store does.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pathei
from pathei.store import ExperienceStore
from pathei.views.viewer.answers import ViewerAnswers, path_of
from pathei.views.viewer.entering import EnteringDesk

BATCH = 50
LONG = "long"


def fill(path: Path, episodes: int) -> None:
    """Make the store."""
    played, tasks = path.with_name("played"), pathei.generate_tasks("virtualhome", 60)
    pathei.collect(played, tasks, "scripted", workers=0)
    pathei.collect(played, tasks[:1], "explore", workers=0)
    with ExperienceStore.open(played, mode="read") as source:
        *found, long = source.trajectories()
    with ExperienceStore.open(path) as store:
        store.append(dataclasses.replace(long, id=LONG))
        for first in range(0, episodes, BATCH):
            numbers = range(first, min(first + BATCH, episodes))
            store.append(*(dataclasses.replace(found[n % len(found)], id=f"episode-{n}") for n in numbers))


def shortest(repeats: int, work: Callable[[], Any]) -> str:
    """Return the shortest processor time of some repeats, in milliseconds."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return f"{1000 * min(times):,.0f} ms"


def measure(path: Path, repeats: int) -> dict[str, str]:
    """Return the time of each part by its name."""
    rows = {"open the store": shortest(repeats, lambda: ExperienceStore.open(path, mode="read").close())}
    with ExperienceStore.open(path, mode="read") as store:
        rows["first list of episodes"] = shortest(repeats, lambda: ViewerAnswers(store).answer("rows/0"))

        def episode() -> None:
            answers = ViewerAnswers(store)
            answers.answer(path_of("episode", LONG))
            answers.answer(path_of("steps", LONG, 0))

        rows["an episode of 30 steps"] = shortest(repeats, episode)
        desk = EnteringDesk(store)
        desk.enter(LONG, 0)  # makes the environment
        rows["enter after 29 steps"] = shortest(repeats, lambda: desk.enter(LONG, 29, again=True))

        def branch() -> None:
            state: Any = desk.enter(LONG, 29, again=True)
            desk.act(LONG, 29, state["actions"][0])
            desk.keep(LONG, 29)

        rows["enter, act once, store the branch"] = shortest(repeats, branch)
        desk.close()
    return rows


def main() -> None:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store"
        fill(path, args.episodes)
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1e6
        print(f"| {args.episodes:,} household episodes, {size:.0f} MB | processor time |")
        print("|---|---:|")
        for name, spent in measure(path, args.repeats).items():
            print(f"| {name} | {spent} |")


if __name__ == "__main__":
    main()
