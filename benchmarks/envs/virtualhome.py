"""How fast the household is, per core, on RobotHow's scenes (some 290 nodes, 5,700 edges): acting, listing, describing.

    python benchmarks/envs/virtualhome.py [--programs 40] [--repeats 7] [--profile] [--spec DIR] [--rival]

Every rate is per second of processor time, the best of several repeats and (in grey) their median; other processes on
the machine lower it. A state that was listed or described before is never asked again: each answer is computed.
`--spec DIR` measures the plain executable specification `spec_engine.py`, if that folder has it. `--rival` installs
`virtualhome==2.3.0` from PyPI into a temporary folder and measures its evolving graph, the original simulator, on the
same programs. `--profile` shows which functions the time goes into. Without the RobotHow data
(`pathei data get robothow`) generated houses are used, and random walks in place of programs.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import re
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import _virtualhome_rivals as rivals
import numpy as np
import orjson
from _virtualhome_rivals import Source
from gymnasium.wrappers import TimeLimit
from rich.console import Console
from rich.table import Table

from pathei.envs.snapshots import Snapshotter
from pathei.envs.virtualhome.engine.profiles import rules_named
from pathei.envs.virtualhome.engine.rules import EngineAction
from pathei.envs.virtualhome.engine.scene import Scene
from pathei.envs.virtualhome.engine.world import World, WorldSnapshot
from pathei.envs.virtualhome.env import VirtualHomeEnv
from pathei.envs.virtualhome.houses.generate import generate_house
from pathei.envs.virtualhome.language.observation import describe
from pathei.envs.virtualhome.language.script import LineReader, parse_line, write_line
from pathei.envs.virtualhome.tasks.robothow import RobotHow
from pathei.errors import DataError

PROFILES = ("v1", "e2wm", "vh23", "clean")
WALK = 200
"""Length of the random walks, in actions."""
APART = 10
"""How many actions lie between the two moments of a snapshot and restore."""
BARS = {"replay: known lines": 100_000, "list all admissible actions": 1_000, "tell what is perceived": 5_000}


class Home(NamedTuple):
    """A source under one set of rules, with a random walk through it."""

    world: World
    read: LineReader
    lines: tuple[str, ...]
    actions: tuple[EngineAction, ...]
    walk: tuple[EngineAction, ...]
    moments: tuple[WorldSnapshot, ...]
    """Where the walk passed, from the beginning on."""


class Rate(NamedTuple):
    """How many per second of processor time."""

    best: float
    median: float


def measure(run: Callable[[], int], repeats: int, least: float = 0.2) -> Rate:
    """Run something that returns how much it did, each repeat for at least `least` seconds of processor time."""
    run()
    rates = []
    for _ in range(repeats):
        gc.collect()
        done, begun = 0, time.process_time()
        while (spent := time.process_time() - begun) < least:
            done += run()
        rates.append(done / spent)
    return Rate(max(rates), statistics.median(rates))


Rates = dict[str, dict[str, Rate]]
"""Profile, then what was measured."""

# --- what is played


def sources(count: int, seed: int) -> list[Source]:
    """Return the first RobotHow programs with their graphs, or generated houses with random walks."""
    try:
        programs = list(RobotHow())[:count]
        return [Source(p.name, p.initial_graph(), tuple(map(plain_line, p.lines))) for p in programs]
    except DataError as error:
        print(f"{error}\nGenerated houses are measured instead.")
    found = []
    for number in range(count):
        graph = generate_house(seed + number, size="large")
        world = World(Scene.from_graph(graph), rules_named("v1"))
        walk, _ = wander(world, 20, np.random.default_rng(number))
        found.append(Source(f"house:{seed + number}", graph, tuple(write_line(a, world.scene) for a in walk)))
    return found


def plain_line(line: str) -> str:
    """Return a script line with `(1000)` for RobotHow's `(1.1000)`, which not every reader knows."""
    return re.sub(r"\(\d+\.(\d+)\)", r"(\1)", line)


def wander(
    world: World, steps: int, rng: np.random.Generator
) -> tuple[tuple[EngineAction, ...], tuple[WorldSnapshot, ...]]:
    """Take random admissible actions from the beginning; return them and the moments in which each was taken."""
    world.restore(world.start)
    walk, moments = [], []
    for _ in range(steps):
        actions = world.admissible()
        verbs = sorted({action.verb for action in actions})
        verb = verbs[int(rng.integers(len(verbs)))]  # verbs first: else nine in ten would be walks
        of_verb = [action for action in actions if action.verb == verb]
        walk.append(of_verb[int(rng.integers(len(of_verb)))])
        moments.append(world.version)
        world.act(walk[-1])
    return tuple(walk), tuple(moments)


def homes(found: list[Source], profile: str) -> list[Home]:
    """Set every source up under a set of rules."""
    made = []
    for number, source in enumerate(found):
        rules = rules_named(profile)
        world = World(Scene.from_graph(source.graph), rules)
        read = LineReader(world.scene, rules, strict_names=False)
        walk, moments = wander(world, WALK, np.random.default_rng(number))
        made.append(Home(world, read, source.lines, tuple(map(read, source.lines)), walk, moments))
    return made


# --- what is measured


def replay_new_lines(found: list[Home]) -> Callable[[], int]:
    """Parse every line as if it had never been seen, and act; all programs from the beginning."""
    fresh = iter(range(sys.maxsize))

    def run() -> int:
        done, mark = 0, next(fresh)
        for home in found:
            world, scene, rules = home.world, home.world.scene, home.world.rules
            world.restore(world.start)
            for line in home.lines:
                world.act(parse_line(f"{line} #{mark}", scene, rules, strict_names=False))
            done += len(home.lines)
        return done

    return run


def replay_known_lines(found: list[Home]) -> Callable[[], int]:
    """Read lines that were read before, and act; all programs from the beginning."""

    def run() -> int:
        done = 0
        for world, read, lines, *_ in found:
            world.restore(world.start)
            for line in lines:
                world.act(read(line))
            done += len(lines)
        return done

    return run


def replay_actions(played: Iterable[tuple[World, tuple[EngineAction, ...]]]) -> Callable[[], int]:
    """Act without reading lines, from the beginning."""
    pairs = list(played)

    def run() -> int:
        done = 0
        for world, actions in pairs:
            world.restore(world.start)
            for action in actions:
                world.act(action)
            done += len(actions)
        return done

    return run


def random_play(found: list[Home]) -> Callable[[], int]:
    """List all admissible actions, take one at random; 20 times in each home."""
    rng = np.random.default_rng(0)

    def run() -> int:
        for home in found:
            home.world.restore(home.world.start)
            for draw in rng.random(20):
                actions = home.world.admissible()
                home.world.act(actions[int(draw * len(actions))])
        return 20 * len(found)

    return run


def each_moment(found: list[Home], do: Callable[[World], object]) -> Callable[[], int]:
    """Go from moment to moment of the random walks, a step each time, and do something in each."""

    def run() -> int:
        for home in found:
            for moment in home.moments[:50]:
                home.world.restore(moment)
                do(home.world)
        return 50 * len(found)

    return run


def snapshot_and_restore(found: list[Home], apart: int) -> Callable[[], int]:
    """Take a snapshot, which is to keep the version, and restore one that lies `apart` actions away."""

    def run() -> int:
        for home in found:
            world, moments = home.world, home.moments
            world.restore(moments[0])
            for _ in range(25):
                here = world.version
                world.restore(moments[apart])
                world.restore(here)
        return 50 * len(found)

    return run


def env_steps(found: list[Env]) -> Callable[[], int]:
    """Step with a random admissible action: text, listing and facts included."""
    rng = np.random.default_rng(0)

    def run() -> int:
        for env, saver, start, actions in found:
            saver.restore(start)
            for draw in rng.random(20):
                actions = env.step(actions[int(draw * len(actions))])[4]["actions"]
        return 20 * len(found)

    return run


def env_snapshots(found: list[Env]) -> Callable[[], int]:
    """Snapshot and restore of the environment in its wrapper, to and fro over one step."""

    def run() -> int:
        for env, saver, start, actions in found:
            saver.restore(start)
            env.step(actions[0])
            for _ in range(50):
                here = saver.snapshot()
                saver.restore(start)
                saver.restore(here)
        return 100 * len(found)

    return run


class Env(NamedTuple):
    """An environment at its first moment."""

    env: Any
    saver: Snapshotter
    start: Any
    actions: tuple[str, ...]


def environments(found: list[Source], profile: str, folder: Path) -> Iterator[Env]:
    """Make the environment, wrapped as gymnasium does it, for some of the sources."""
    for source in found[:4]:
        path = folder / f"{source.name.replace(':', '-')}.json"
        path.write_bytes(orjson.dumps(source.graph))
        env = TimeLimit(VirtualHomeEnv(scene=str(path), rules=profile), 1_000_000_000)
        _, info = env.reset(seed=0)
        saver = Snapshotter(env)
        yield Env(env, saver, saver.snapshot(), info["actions"])


def measurements(found: list[Source], profile: str, folder: Path) -> Iterator[tuple[str, Callable[[], int]]]:
    """Yield everything that is measured under one set of rules, by name."""
    made = homes(found, profile)
    yield "replay: new lines", replay_new_lines(made)
    yield "replay: known lines", replay_known_lines(made)
    yield "replay: actions alone", replay_actions((home.world, home.actions) for home in made)
    yield "random walk: actions alone", replay_actions((home.world, home.walk) for home in made)
    yield "random play: list, choose, act", random_play(made)
    yield "list all admissible actions", each_moment(made, lambda world: world.admissible())
    yield "tell what is perceived", each_moment(made, lambda world: describe(world, world.characters[0]))
    yield f"snapshot + restore, {APART} actions apart", snapshot_and_restore(made, APART)
    yield "snapshot + restore, 1 action apart", snapshot_and_restore(made, 1)
    envs = list(environments(found, profile, folder))
    yield "env.step(): text, listing, facts", env_steps(envs)
    yield "env snapshot + restore, 1 step apart", env_snapshots(envs)


# --- the report


def figure(rate: Rate) -> str:
    """Write a rate with its median."""
    return f"{rate.best:,.0f} [bright_black]{rate.median:,.0f}[/]"


def show(rates: dict[str, dict[str, Rate]], profiles: list[str]) -> Table:
    """Lay out the rates of all profiles against the bars."""
    table = Table(title="per second and core: best of the repeats, and their median", title_justify="left")
    table.add_column("what")
    for name in (*profiles, "bar", "met"):
        table.add_column(name, justify="right", no_wrap=True)
    for what in rates[profiles[0]]:
        found = [rates[name][what] for name in profiles]
        bar = BARS.get(what)
        met = "" if bar is None else "[green]yes[/]" if min(rate.best for rate in found) >= bar else "[red]no[/]"
        table.add_row(what, *map(figure, found), f"{bar:,}" if bar else "", met)
    return table


def compare(console: Console, what: str, ours: Rate, theirs: Rate, whose: str) -> None:
    """Print one ratio."""
    ratio = ours.best / theirs.best
    console.print(f"{what}: {ours.best:,.0f}/s; {whose} {theirs.best:,.4g}/s; {ratio:,.1f} times", highlight=False)


def compare_with_spec(console: Console, args: argparse.Namespace, found: list[Source], rates: Rates) -> None:
    """Measure the specification on the same programs and the same random walks, and print the ratios."""
    spec = rivals.load_spec(args.spec)
    for name in [name for name in args.profiles if name != "clean"] if spec else []:
        made = homes(found, name)
        programs = [(source.graph, rivals.spec_steps(spec, source.lines)) for source in found]
        walks = [(source.graph, steps(home)) for source, home in zip(found, made, strict=True)]
        for what, run in (
            ("replay: actions alone", rivals.spec_replay(spec, name, programs)),
            ("random walk: actions alone", rivals.spec_replay(spec, name, walks)),
            ("list all admissible actions", rivals.spec_listing(spec, name, found[0].graph)),
        ):
            theirs = measure(run, args.repeats)
            compare(console, f"{name}, {what}", rates[name][what], theirs, "specification")


def steps(home: Home) -> rivals.Steps:
    """Return a random walk as verbs and ids."""
    ids = home.world.scene.ids
    return [(action.verb, [ids[n] for n in action[1:] if n >= 0]) for action in home.walk]


def compare_with_rival(console: Console, found: list[Source], rates: Rates) -> None:
    """Measure the original on the same programs, and print the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        if parts := rivals.load_rival(Path(folder)):
            for what, run in (
                ("replay: new lines", rivals.rival_replay(parts, found[:10])),
                ("list all admissible actions", rivals.rival_listing(parts, found)),
            ):
                compare(console, f"vh23, {what}", rates["vh23"][what], measure(run, 3), rivals.RIVAL)


def profiled(run: Callable[[], int], rounds: int = 20) -> str:
    """Return the functions that take most of the time of a run, by their own share."""
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(rounds):
        run()
    profile.disable()
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]  # the stubs lack it
    total = sum(entry[2] for entry in stats.values())
    top = sorted(stats.items(), key=lambda item: -item[1][2])[:8]
    return ", ".join(f"{Path(where[0]).stem}.{where[2]} {entry[2] / total:.0%}" for where, entry in top)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--profiles", nargs="+", default=list(PROFILES), choices=PROFILES)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--spec", type=Path)
    parser.add_argument("--rival", action="store_true")
    args = parser.parse_args()
    found = sources(args.programs, seed=0)
    begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rates: Rates = {}
    console = Console(width=140)
    with tempfile.TemporaryDirectory() as folder:
        for name in args.profiles:
            rates[name] = {}
            for what, run in measurements(found, name, Path(folder)):
                rates[name][what] = measure(run, args.repeats)
                if args.profile:
                    console.print(f"{name}, {what}: {profiled(run)}", highlight=False)
    nodes, edges, lines = (sum(len(part) for part in parts) for parts in zip(
        *((s.graph["nodes"], s.graph["edges"], s.lines) for s in found), strict=True))  # fmt: skip
    count = len(found)
    console.print(f"{count} scenes, on average {nodes / count:.0f} nodes, {edges / count:,.0f} edges; {lines} lines")
    console.print(show(rates, args.profiles))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    console.print(f"peak memory {peak / 1024:,.0f} MiB, {begun / 1024:,.0f} MiB of it once the graphs were read")
    if args.spec:
        compare_with_spec(console, args, found, rates)
    if args.rival and "vh23" in rates:
        compare_with_rival(console, found, rates)


if __name__ == "__main__":
    main()
