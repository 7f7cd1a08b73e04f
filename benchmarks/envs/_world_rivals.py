"""What `envs.py` compares the environments with: each rival and this package in the same process.

A rival with a benchmark of its own in this folder is used from there. Not here: documents, which have none.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import gymnasium
import numpy as np

from pathei.errors import ConfigError

psutil: Any = importlib.import_module("psutil")

REPEATS = 5

Clock = Callable[[], float]
Rivals = Iterator[tuple[str, float, float]]
"""What is compared with whom, and both rates per second: here and there."""


def clock_of_this_process() -> Clock:
    """Return processor time, or wall time where other processes do the work."""
    return time.perf_counter if psutil.Process().children() else time.process_time


def end(family: Sequence[Any]) -> None:
    """Kill those processes that still run, and wait for them."""
    for one in family:
        with contextlib.suppress(psutil.Error):
            one.kill()
    psutil.wait_procs(family, timeout=10)


def beside(ours: Callable[[], object], theirs: Callable[[], object], clock: Clock, spell: float) -> tuple[float, float]:
    """Return the median calls per second of both, which take turns of `spell` seconds."""
    rates: tuple[list[float], list[float]] = ([], [])
    for _, (call, kept) in itertools.product(range(REPEATS), zip((ours, theirs), rates, strict=True)):
        begun, until, done = clock(), time.perf_counter() + spell, 0
        while not done or time.perf_counter() < until:
            call()
            done += 1
        kept.append(done / (clock() - begun))
    return statistics.median(rates[0]), statistics.median(rates[1])


def rival_virtualhome(spell: float) -> Rivals:
    """The original simulator, on the graph alone."""
    home, rivals = importlib.import_module("virtualhome"), importlib.import_module("_virtualhome_rivals")
    with tempfile.TemporaryDirectory() as folder:
        parts = rivals.load_rival(Path(folder))
        if parts is None:
            raise ConfigError(f"{rivals.RIVAL} is not available here.")
        found = home.sources(4, 0)
        replay = home.replay_new_lines(home.homes(found, "vh23"))
        lines = sum(len(source.lines) for source in found)
        ours, theirs = beside(replay, rivals.rival_replay(parts, found), time.process_time, spell)
        yield f"{rivals.RIVAL}: graph steps", lines * ours, lines * theirs


def rival_miniwob(spell: float) -> Rivals:
    """MiniWoB++'s own package on selenium."""
    web = importlib.import_module("web")
    page = web.PAGES[0]
    with web.Browser() as browser:
        players = web.Ours(page, browser), web.Selenium(page)
        rounds = [[player.measure() for player in players] for _ in range(3)]
        family = psutil.Process().children(recursive=True)
        for player in players:
            # Selenium's trips over a process that has ended and is not yet reaped, and then leaves the others running.
            with contextlib.suppress(psutil.Error):
                player.close()
    end(family)
    for kind in ("click", "reset"):
        ours, theirs = (statistics.median(rates[kind] for rates in side) for side in zip(*rounds, strict=True))
        yield f"miniwob on selenium, {page}: {kind}s", ours, theirs


def rival_shop(spell: float) -> Rivals:
    """The same pages served as HTML and fetched, not even parsed."""
    from pathei.envs.shop.env import WebShopEnv
    from pathei.envs.shop.site import ShopSite, address

    env, site, rng = WebShopEnv(), ShopSite(), np.random.default_rng(0)
    origin = site.open(0, {}).origins[0]
    env.reset(seed=0)

    def step() -> None:
        actions = env.actions()
        if not actions or env.place.page == "done":
            env.reset()
            return
        env.step(actions[int(rng.integers(len(actions)))])

    def fetch() -> None:
        step()
        with urlopen(origin + address(env.place), timeout=10) as page:
            page.read()

    ours, theirs = beside(step, fetch, time.perf_counter, spell)
    site.close()
    yield "served as HTML and fetched: steps", ours, theirs


def rival_terminal(spell: float) -> Rivals:
    """A new bubblewrap for each command, and git for the difference."""
    terminal = importlib.import_module("terminal")
    rival, env = terminal.Rival(), terminal.TerminalEnv(files=terminal.FILES)
    env.reset(seed=0)
    mine, other = itertools.cycle(terminal.COMMANDS), itertools.cycle(terminal.COMMANDS)
    yield (
        "new bwrap and git a command: steps",
        *beside(lambda: env.step(next(mine)), lambda: rival.step(next(other)), time.perf_counter, spell),
    )
    yield "resets", *beside(lambda: env.reset(seed=0), rival.reset, time.perf_counter, spell)
    env.close()
    rival.close()


def rival_touchdown(spell: float) -> Rivals:
    """The published navigator's way, on the graph alone."""
    streets = importlib.import_module("touchdown")
    graph, count = streets.town(0), 100_000
    actions = np.random.default_rng(0).choice(3, size=count, p=[0.8, 0.1, 0.1]).tolist()
    here: list[float] = []
    there: list[float] = []
    for _ in range(REPEATS):
        begun = time.process_time()
        streets.walk_tables(graph, 0, actions)
        here.append(count / (time.process_time() - begun))
        streets.walk_dicts(graph, 0, actions)
        there.append(count / streets.walk_dicts.seconds)
    yield "published navigator: graph moves", statistics.median(here), statistics.median(there)


def rival_minigrid(spell: float) -> Rivals:
    """The level itself: no text, no facts."""
    from pathei.envs.adapters.minigrid import ACTIONS, MiniGridEnv
    from pathei.envs.adapters.minigrid_graph import LEVELS

    env = MiniGridEnv()
    bare = gymnasium.make(LEVELS[0], disable_env_checker=True).unwrapped
    turns = itertools.cycle((0, 1, 2))

    def step(of: Any, act: Callable[[int], Any]) -> None:
        if any(of.step(act(next(turns)))[2:4]):
            of.reset()

    env.reset(seed=0)
    bare.reset(seed=0)
    ours, theirs = beside(
        lambda: step(env, ACTIONS.__getitem__), lambda: step(bare, lambda n: n), time.process_time, spell
    )
    yield "minigrid bare, no text: steps", ours, theirs


def rival_textworld(spell: float) -> Rivals:
    """The game itself: no list of commands, no facts."""
    from pathei.envs.adapters.textworld import TextWorldEnv, game_file

    env, bare = (
        TextWorldEnv(game="generated:0"),
        importlib.import_module("textworld").start(str(game_file("generated:0"))),
    )
    env.reset(seed=0)
    bare.reset()
    clock = clock_of_this_process()
    yield "textworld bare, no lists: steps", *beside(lambda: env.step("look"), lambda: bare.step("look"), clock, spell)
    yield "resets", *beside(env.reset, bare.reset, clock, spell)
    env.close()
    bare.close()


def rival_scienceworld(spell: float) -> Rivals:
    """The simulator itself: no list of actions, no facts."""
    from pathei.envs.adapters.scienceworld import EXPERIMENTS, ScienceWorldEnv, load, start, stop

    env, bare = ScienceWorldEnv(experiment=EXPERIMENTS[0], variation=0), start()
    env.reset(seed=0)
    load(bare, EXPERIMENTS[0], 0, "easy")
    bare.server.reset()
    look = "look around"
    ours, theirs = beside(lambda: env.step(look), lambda: bare.server.step(look), time.perf_counter, spell)
    yield "scienceworld bare, no lists: steps", ours, theirs
    env.close()
    stop(bare)


RIVALS: dict[str, Callable[[float], Rivals]] = {
    "virtualhome": rival_virtualhome,
    "miniwob": rival_miniwob,
    "shop": rival_shop,
    "terminal": rival_terminal,
    "touchdown": rival_touchdown,
    "minigrid": rival_minigrid,
    "textworld": rival_textworld,
    "scienceworld": rival_scienceworld,
}
