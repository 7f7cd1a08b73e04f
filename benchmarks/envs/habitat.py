"""Homes: how fast the embedded simulator is, and how well the demonstrations and random actions do on generated tasks.

    python benchmarks/envs/habitat.py [--part speed|tasks] [--tasks 100] [--kinds point image ...] [--rounds 5]

Rates are per second of processor time, the best of the rounds, in the four-room home `home:0`. Random actions have as
many steps as an episode has: 500 for navigation, 200 for following a person, 100 skills for rearrangement.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import time
from collections.abc import Callable

import numpy as np

from pathei.envs import contract
from pathei.envs.habitat.backend import AgentSettings, Pose
from pathei.envs.habitat.env import HabitatEnv
from pathei.envs.habitat.planning.follower import turned
from pathei.envs.habitat.simulator.embedded import EmbeddedBackend
from pathei.envs.habitat.tasks import demonstration, generate_kind
from pathei.envs.model import model_of
from pathei.envs.text_env import EnvSnapshot

SCENE = "home:0"
COUCH = {"navigate": "object", "category": "couch"}
KINDS = ("point", "image", "object", "rearrange", "person", "team")
LIMITS = {"rearrange": 100, "team": 100, "person": 200}
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
        for start, goal in itertools.pairwise(points):
            sim.path(start, [goal])
        return len(points) - 1

    known = [pose.position for pose in poses]
    measure(known)

    def measure_new() -> int:
        return measure([sim.random_point(rng) for _ in range(200)])

    env = HabitatEnv(scene=SCENE)
    env.reset(seed=0)

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
        ("`env.step` with text and facts", rate(walking(moves), rounds), ""),
        ("the same with ObjectNav's measures", rate(walking(moves, COUCH), rounds), ""),
        ("snapshot and restore", rate(saves, rounds), ""),
    ]  # fmt: skip
    print("| per second | pathei | habitat-sim 0.3.3 |\n|---|---|---|")
    for name, value, other in rows:
        print(f"| {name} | {value:,.0f} | {other} |")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| peak memory of the process, MB | {memory:,.0f} | 470-480 |")


def walking(moves: list[str], *conditions: dict[str, str]) -> Callable[[], int]:
    """Return what does 40 steps from each of 20 places, with a goal if there are conditions."""
    env, begun = HabitatEnv(scene=SCENE), list[EnvSnapshot]()
    for seed in range(20):
        env.reset(seed=seed, options={"goal": {"text": "", "conditions": conditions}})
        begun.append(env.snapshot())
    following = itertools.cycle(moves)

    def work() -> int:
        for start in begun:
            env.restore(start)
            for move in itertools.islice(following, 40):
                env.step(move)
        return 40 * len(begun)

    return work


def again(sim: EmbeddedBackend, points: list[tuple[float, float, float]]) -> int:
    """Ask for known distances again."""
    for start, goal in itertools.pairwise(points):
        sim.paths.distance((start[0], start[2]), (goal[0], goal[2]))
    return len(points) - 1


def tasks(count: int, kinds: tuple[str, ...]) -> None:
    """Print how demonstrations and random listed actions do."""
    print("| tasks | demonstration: success | SPL | steps | random: success | steps | processor time |")
    print("|---|---|---|---|---|---|---|")
    for kind in kinds:
        begun, solved, spl, length, lucky, spent = time.process_time(), 0, list[float](), 0, 0, 0
        for number, task in enumerate(generate_kind(kind, count, 0)):
            env, rng = contract.make(task).unwrapped, np.random.default_rng(number)
            contract.reset(env, task)
            model, plan = model_of(env), demonstration(task)
            start = model.snapshot()
            for action in plan:
                model.step(action)
            solved += bool(model.success())
            length += len(plan)
            spl += [env.measures.spl] if isinstance(env, HabitatEnv) and env.measures is not None else []
            model.restore(start)
            taken = 0
            while taken < LIMITS.get(kind, 500) and model.actions():
                model.step(str(rng.choice(model.actions())))
                taken += 1
            lucky, spent = lucky + bool(model.success()), spent + taken
        mean = f"{np.mean(spl):.3f}" if spl else ""
        took = f"{time.process_time() - begun:.0f} s"
        shown = (kind, f"{solved} of {count}", mean, f"{length / count:.0f}", f"{lucky} of {count}")
        print(f"| {' | '.join(shown)} | {spent / count:.0f} | {took} |", flush=True)


def main() -> None:
    """Print one table or both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("speed", "tasks"))
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--kinds", nargs="+", default=KINDS)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    if given.part != "tasks":
        speed(given.rounds)
    if given.part != "speed":
        tasks(given.tasks, tuple(given.kinds))


if __name__ == "__main__":
    main()
