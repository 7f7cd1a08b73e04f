"""How fast one walks the streets, against the published navigator's way of doing it, on the same walks.

    python benchmarks/envs/touchdown.py [--data FOLDER] [--steps 300000] [--repeats 5]

`--data` names a folder with Touchdown's `nodes.txt` and `links.txt`, plain or gzipped; without it a generated town is
walked. The rival looks headings up in a dict per panorama and searches the nearest at every step, as the published
`base_navigator.py` does (rewritten here). Seconds are processor time; the median of the repeats is shown.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import gymnasium
import numpy as np
from rich.console import Console
from rich.table import Table

from pathei.envs.touchdown.graph import StreetGraph, load_graph
from pathei.envs.touchdown.routes import read_routes
from pathei.envs.touchdown.tasks import demonstration, generate_tasks, tasks_of
from pathei.envs.touchdown.town import town
from pathei.experience import Task


def walk_tables(graph: StreetGraph, link: int, actions: list[int]) -> int:
    """Walk as pathei does."""
    moves = graph.moves
    for action in actions:
        link = moves[action][link]
    return link


def walk_dicts(graph: StreetGraph, link: int, actions: list[int]) -> int:
    """Walk as the published navigator does: returns the link as well, so that both can be compared."""
    out: dict[int, dict[int, int]] = {}
    for origin, target, towards in zip(graph.origins, graph.targets, graph.headings, strict=True):
        out.setdefault(origin, {})[towards] = target
    begun = time.process_time()
    pano, heading = graph.origins[link], graph.headings[link]
    for action in actions:
        if action == 0:
            target = out[pano][heading]
            if len(out[target]) >= 2:
                best, diff = heading, float("inf")
                for one in out[target]:
                    found = 180 - abs(abs(one - heading) - 180)
                    if found < diff:
                        best, diff = one, found
                pano, heading = target, best
        else:
            best, diff = heading, float("inf")
            for one in out[pano]:
                if one == heading:
                    continue
                found = (heading - one) % 360 if action == 1 else (one - heading) % 360
                if found < diff:
                    best, diff = one, found
            heading = best
    walk_dicts.seconds = time.process_time() - begun  # type: ignore[attr-defined]
    return next(other for other in graph.links[pano] if graph.headings[other] == heading)


def rate(work: Callable[[], int], repeats: int) -> float:
    """Return units per second of processor time, the median."""
    found = []
    for _ in range(repeats):
        begun = time.process_time()
        units = work()
        found.append(units / (time.process_time() - begun))
    return median(found)


def environment(tasks: list[Task], repeats: int) -> dict[str, float]:
    """Return steps, resets, snapshots and restores per second, bare and as `gymnasium.make` wraps the environment."""
    env = gymnasium.make("pathei/Touchdown-v0", disable_env_checker=True)
    bare = env.unwrapped
    plans = [(task, list(demonstration(task))) for task in tasks]
    options = [{**task.options, "goal": {"text": task.goal.text}} for task in tasks]

    def steps(of: gymnasium.Env[object, str]) -> int:
        done = 0
        for (_, plan), given in zip(plans, options, strict=True):
            of.reset(seed=0, options=given)
            for action in plan:
                of.step(action)
            done += len(plan)
        return done

    def resets() -> int:
        for given in options:
            bare.reset(seed=0, options=given)
        return len(options)

    def saves() -> int:
        for _ in range(20_000):
            bare.snapshot()  # type: ignore[attr-defined]
        return 20_000

    steps(bare)
    moment = bare.snapshot()  # type: ignore[attr-defined]

    def loads() -> int:
        for _ in range(20_000):
            bare.restore(moment)  # type: ignore[attr-defined]
        return 20_000

    return {
        "env.step, bare, resets included": rate(lambda: steps(bare), repeats),
        "env.step, as gymnasium.make wraps it": rate(lambda: steps(env), repeats),
        "reset": rate(resets, repeats),
        "snapshot": rate(saves, repeats),
        "restore": rate(loads, repeats),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--steps", type=int, default=300_000)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    graph = town(0) if given.data is None else load_graph(given.data)
    routes = None if given.data is None else next(iter(sorted(given.data.glob("*dev.json*"))), None)
    tasks = generate_tasks(50, 0) if routes is None else tasks_of(read_routes(routes)[:50], str(given.data))
    rng = np.random.default_rng(0)
    actions = rng.choice(3, size=given.steps, p=[0.8, 0.1, 0.1]).tolist()
    tables, dicts = [], []
    for _ in range(given.repeats):
        begun = time.process_time()
        ours = walk_tables(graph, 0, actions)
        tables.append(given.steps / (time.process_time() - begun))
        theirs = walk_dicts(graph, 0, actions)
        dicts.append(given.steps / walk_dicts.seconds)  # type: ignore[attr-defined]
        if ours != theirs:
            raise SystemExit("Both walks must end at the same link.")
    table = Table("what", "per second", "ratio", title=f"Streets: {graph.where}, {len(graph.panos):,} panoramas")
    table.add_row("the published way: dicts and a search", f"{median(dicts):,.0f}", "1.0")
    table.add_row("graph.moves", f"{median(tables):,.0f}", f"{median(tables) / median(dicts):.1f}")
    for name, value in environment(tasks, given.repeats).items():
        table.add_row(name, f"{value:,.0f}", "")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
