"""Homes: how fast the embedded simulator is, and how well the demonstrations and random actions do on generated tasks.

    python benchmarks/envs/habitat.py [--part speed|tasks] [--tasks 100] [--rounds 5]

Rates are per second of processor time, the best of the rounds, in the four-room home `home:0`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from pathei.envs import contract
from pathei.envs.habitat.backend import AgentSettings, Pose
from pathei.envs.habitat.env import HabitatEnv
from pathei.envs.habitat.planning.follower import turned
from pathei.envs.habitat.simulator.embedded import EmbeddedBackend
from pathei.envs.habitat.tasks import demonstration, generate_kind
from pathei.envs.model import model_of

SCENE = "home:0"
HABITAT_SIM = {"images": "729", "three": "406-418", "new": "7,700-12,500", "again": "333,000"}
"""habitat-sim 0.3.3 on a CPU, in a two-room scene of 20 boxes; measured apart."""


def rate(work: Callable[[], int], rounds: int) -> float:
    """Return units per second of processor time, the best of the rounds."""
    best = 0.0
    for _ in range(rounds):
        begun = time.process_time()
        units = work()
        best = max(best, units / (time.process_time() - begun))
    return best


def speed(rounds: int) -> None:
    """Print the rates."""
    sim, rng = EmbeddedBackend(AgentSettings()), np.random.default_rng(0)
    sim.reset(SCENE)
    moves = rng.choice(["move_forward", "move_forward", "turn_left", "turn_right"], 2_000).tolist()
    poses = [
        Pose(sim.random_point(rng), turned((0.0, 0.0, 0.0, 1.0), 30.0 * int(rng.integers(12)))) for _ in range(100)
    ]

    def walk() -> int:
        for move in moves:
            sim.act(move)
        return len(moves)

    def look(*sensors: str) -> int:
        for pose in poses:
            sim.set_agent(pose)
            sim.render(sensors)
        return len(poses)

    def measure(points: list[tuple[float, float, float]]) -> int:
        for start, goal in pairwise(points):
            sim.path(start, [goal])
        return len(points) - 1

    known = [pose.position for pose in poses]
    measure(known)

    def measure_new() -> int:
        return measure([sim.random_point(rng) for _ in range(200)])

    env = HabitatEnv(scene=SCENE)
    env.reset(seed=0)

    def steps() -> int:
        for move in moves[:300]:
            env.step(move)
        return 300

    def saves() -> int:
        for _ in range(1_000):
            env.restore(env.snapshot())
        return 1_000

    rows = [
        ("moves of the simulator", rate(walk, rounds), ""),
        ("image 128 x 128, colour", rate(lambda: look("rgb"), rounds), HABITAT_SIM["images"]),
        ("colour, depth and semantics", rate(lambda: look("rgb", "depth", "semantic"), rounds), HABITAT_SIM["three"]),
        ("shortest path, new", rate(measure_new, rounds), HABITAT_SIM["new"]),
        ("geodesic distance, asked before", rate(lambda: again(sim, known), rounds), HABITAT_SIM["again"]),
        ("`env.step` with text and facts", rate(steps, rounds), ""),
        ("snapshot and restore", rate(saves, rounds), ""),
    ]  # fmt: skip
    print("| per second | pathei | habitat-sim 0.3.3 |\n|---|---|---|")
    for name, value, other in rows:
        print(f"| {name} | {value:,.0f} | {other} |")


def again(sim: EmbeddedBackend, points: list[tuple[float, float, float]]) -> int:
    """Ask for known distances again."""
    for start, goal in pairwise(points):
        sim.paths.distance((start[0], start[2]), (goal[0], goal[2]))
    return len(points) - 1


def tasks(count: int) -> None:
    """Print how demonstrations and random listed actions do."""
    print("| tasks | demonstration: success | SPL | steps | random: success | steps |\n|---|---|---|---|---|---|")
    for kind, limit in (("point", 500), ("object", 500), ("rearrange", 100)):
        solved, spl, length, lucky, spent = 0, [], 0, 0, 0
        for number, task in enumerate(generate_kind(kind, count, 0)):
            env, rng = contract.make(task), np.random.default_rng(number)
            contract.reset(env, task)
            info: dict[str, Any] = {}
            plan = demonstration(task)
            for action in plan:
                info = env.step(action)[4]
            solved += bool(info["success"])
            length += len(plan)
            if "metrics" in info:
                spl.append(info["metrics"]["spl"])
            contract.reset(env, task)
            model, taken = model_of(env.unwrapped), 0
            while taken < limit and model.actions():
                model.step(str(rng.choice(model.actions())))
                taken += 1
            lucky, spent = lucky + bool(model.success()), spent + taken
        mean = f"{np.mean(spl):.3f}" if spl else ""
        shown = (
            kind,
            f"{solved} of {count}",
            mean,
            f"{length / count:.0f}",
            f"{lucky} of {count}",
            f"{spent / count:.0f}",
        )
        print(f"| {' | '.join(shown)} |", flush=True)


def main() -> None:
    """Print one table or both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("speed", "tasks"))
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    if given.part != "tasks":
        speed(given.rounds)
    if given.part != "speed":
        tasks(given.tasks)


if __name__ == "__main__":
    main()
