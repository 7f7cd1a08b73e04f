"""This checkout against another, in turn: the household's steps and resets, collecting, a store's appends and sealing.

    git worktree add /tmp/old 6ae1c47
    python benchmarks/against.py /tmp/old [--repeats 3] [--markdown]

Each round starts one process of either. The figures are per second of processor time, each part of the work (50 steps,
a reset, 50 appends, 8 episodes collected, a sealing) at the fastest of all rounds, which takes out most of what other
jobs on the machine cost. Both must do exactly the same steps and read back the same episodes: a difference is an error.
Waiting for the disk is not counted, what the system does for it is. Collecting is what workers and the process that
stores do, in one process: exploring by novelty, encoding, decoding, appending and sealing; other houses go the same way
before, so that nothing is first. The same actions are then done again in the bare environment: where choosing,
recording and storing cost nothing, collecting would be as fast as that, and not faster. Two rows are by the clock,
the median of the rounds: two workers that collect into one store, from their start to the last episode on the disk, and
episodes that are appended one by one, each synced, and sealed.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import hashlib
import inspect
import json
import os
import random
import runpy
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

HOUSES = 6
STEPS = 300
EPISODES = 400
COLLECTED = 80
TOGETHER = 1_500
PART = 50
COLLECTED_PART = 8
Times = dict[str, tuple[int, list[float]]]
"""By row: how often something was done, and the seconds of processor time that each part of it took."""
ROWS = {
    "steps": "`env.step`/s, actions drawn from those listed",
    "resets": "resets/s, each to a house that is new to the process",
    "collected": "episodes/s collected: 30 steps explored, four episodes a house, appended and sealed",
    "played": "of that, episodes/s played: environment, explorer, recorder",
    "encoded": "of that, episodes/s encoded",
    "decoded": "of that, episodes/s decoded",
    "stored": "of that, episodes/s appended",
    "packed": "of that, episodes/s sealed",
    "bare": "episodes/s of the same actions in the bare environment: the limit of collecting",
    "appends": "episodes/s appended to a store, 30 steps and 29 kB each",
    "sealed": "episodes/s sealed into Parquet, the first sealing of a process",
    "together": "episodes/s collected by two workers, their start included, by the clock",
    "synced": "episodes/s appended one by one, each synced, and sealed, by the clock",
}


def timed(call: Callable[[], object]) -> float:
    """Return the processor time of a call, in seconds."""
    begun = time.process_time()
    call()
    return time.process_time() - begun


def play(seen: Any) -> Times:
    """Enter houses and act in them; what is returned goes into a hash."""
    import gymnasium

    import pathei.envs.registry  # registers the environments

    env, draws = gymnasium.make("pathei/VirtualHome-v0").unwrapped, random.Random(0)
    resets: list[float] = []
    stepping: list[float] = []
    found: list[Any] = []

    def enter(house: int) -> None:
        found[:] = env.reset(seed=0, options={"scene": f"house:{house}"})

    def act() -> None:
        for _ in range(PART):
            actions = found[-1]["actions"]
            found[:] = env.step(actions[int(draws.random() * len(actions))])
            moments.append(found[:])

    assert pathei.envs.registry
    for house in range(HOUSES):
        moments: list[Any] = []
        resets.append(timed(lambda h=house: enter(h)))  # type: ignore[misc]
        moments.append(found[:])
        stepping += [timed(act) for _ in range(STEPS // PART)]
        seen.update(repr(moments).encode())
    return {"steps": (HOUSES * STEPS, stepping), "resets": (HOUSES, resets)}


def collect(seen: Any) -> Times:
    """Explore houses into a store; the actions and what was seen go into the hash."""
    from pathei import collectors
    from pathei.experience import decode, encode
    from pathei.store import ExperienceStore
    from pathei.store.durable import uncollected

    # Its name in commits up to 6ae1c47.
    explorer: Any = getattr(collectors, "make_explorer", None) or vars(collectors)["Explore"]
    # What a worker has encoded is appended as it is; commits up to 6ae1c47 encoded it again.
    as_it_is = "encoded" in inspect.signature(ExperienceStore.append).parameters

    def gather(numbers: range, folder: str) -> tuple[list[Any], dict[str, list[float]]]:
        """Collect into a new store, and return the episodes and the times of each part of the work."""
        tasks = exploring(numbers)
        played: list[Any] = []
        times: dict[str, list[float]] = {name: [] for name in ("played", "encoded", "decoded", "stored", "packed")}

        def time(name: str, call: Callable[[], list[Any]]) -> list[Any]:
            found: list[Any] = []
            times[name].append(timed(lambda: found.extend(call())))
            return found

        with ExperienceStore.open(Path(folder) / f"from-{numbers.start}") as store:
            playing = explorer(strategy="novelty", max_steps=30).collect(tasks)

            def keep(records: list[Any], lines: list[bytes]) -> list[Any]:
                for one, line in zip(records, lines, strict=True):
                    store.append(one, **({"encoded": [line]} if as_it_is else {}))
                return []

            for _ in range(0, len(tasks), COLLECTED_PART):
                records = time("played", lambda: list(islice(playing, COLLECTED_PART)))
                lines = time("encoded", lambda r=records: list(map(encode, r)))  # type: ignore[misc]
                with uncollected():  # as the process that stores does
                    read = time("decoded", lambda x=lines: list(map(decode, x)))  # type: ignore[misc]
                time("stored", lambda r=read, x=lines: keep(r, x))  # type: ignore[misc]
                played += records
            times["packed"].append(timed(store.seal))
        return played, times

    gc.freeze()  # as workers do
    gc.set_threshold(100_000)
    with tempfile.TemporaryDirectory() as folder:
        act_again(gather(range(1_000, 1_024), folder)[0])
        played, times = gather(range(2_000, 2_000 + COLLECTED), folder)
    for one in played:
        seen.update(repr([(step.action, step.observation.text, step.reward) for step in one.steps]).encode())
    rows = {"collected": [part for parts in times.values() for part in parts], **times, "bare": act_again(played)}
    return {name: (COLLECTED, parts) for name, parts in rows.items()}


def act_again(played: list[Any]) -> list[float]:
    """Do the actions of episodes again in an environment of one's own, and return the time of each episode."""
    import gymnasium

    env = gymnasium.make("pathei/VirtualHome-v0").unwrapped

    def enact(one: Any) -> None:
        env.reset(seed=one.task.seed, options={**one.task.options, "goal": {"text": "", "conditions": []}})
        for step in one.steps:
            env.step(step.action)

    return [timed(lambda e=one: enact(e)) for one in played]  # type: ignore[misc]


def keep(seen: Any) -> Times:
    """Append episodes to a new store and seal it; what is read back goes into the hash."""
    from pathei.store import ExperienceStore

    episodes = made_up(EPISODES)
    with tempfile.TemporaryDirectory() as folder:
        with ExperienceStore.open(Path(folder) / "store") as store:
            parts = [episodes[n : n + PART] for n in range(0, EPISODES, PART)]
            appending = [timed(lambda p=part: deque(map(store.append, p), maxlen=0)) for part in parts]  # type: ignore[misc]
            sealing = timed(store.seal)
        with ExperienceStore.open(Path(folder) / "store", mode="read") as store:
            for one in store.trajectories():
                seen.update(repr(dataclasses.astuple(one)).encode())
    return {"appends": (EPISODES, appending), "sealed": (EPISODES, [sealing])}


def by_the_clock() -> Times:
    """Let two workers collect into a new store, and append made-up episodes to another one."""
    from pathei import collectors
    from pathei.store import ExperienceStore

    explorer: Any = getattr(collectors, "make_explorer", None) or vars(collectors)["Explore"]
    gather: Any = vars(collectors).get("gather")  # its name in commits up to 6ae1c47
    if gather is None:
        from pathei.collectors.rollout.collect import collect as gather
    with tempfile.TemporaryDirectory() as folder, ExperienceStore.open(Path(folder) / "collected") as store:
        make = partial(explorer, strategy="novelty", max_steps=30)
        done = gather(store, exploring(range(4_000, 4_000 + TOGETHER)), make, workers=2)
    episodes = made_up(EPISODES)
    with tempfile.TemporaryDirectory() as folder, ExperienceStore.open(Path(folder) / "made-up") as store:
        begun = time.perf_counter()
        deque(map(store.append, episodes), maxlen=0)
        store.seal()
        synced = time.perf_counter() - begun
    return {"together": (TOGETHER, [done.seconds]), "synced": (EPISODES, [synced])}


def made_up(count: int) -> list[Any]:
    """Return episodes as `store.py` makes them."""
    import numpy as np

    # `store` as a module's name would be the package's folder to a type checker.
    episode = runpy.run_path(str(Path(__file__).with_name("store.py")))["episode"]
    rng = np.random.default_rng(0)
    return [episode(number, rng) for number in range(count)]


def exploring(numbers: range) -> list[Any]:
    """Return tasks without a goal, four in each house."""
    from pathei.experience import Goal, Task

    houses = ({"scene": f"house:{number // 4}"} for number in numbers)
    return [
        Task(f"task-{n}", "pathei/VirtualHome-v0", n, Goal(""), house) for n, house in zip(numbers, houses, strict=True)
    ]


def run(checkout: Path) -> dict[str, Any]:
    """Measure in a new process that imports pathei from a checkout."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pathei").symlink_to(checkout.resolve(), target_is_directory=True)
        environment = {**os.environ, "PYTHONPATH": folder}
        command = [sys.executable, __file__, str(checkout), "--measure"]
        done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def rate(name: str, runs: list[tuple[int, list[float]]]) -> float:
    """Return how often per second something is done if each part takes the least time of all runs.

    What is measured by the clock has one part, and its time is the median.
    """
    typical = median if ROWS[name].endswith("by the clock") else min
    seconds: float = sum(map(typical, zip(*(parts for _, parts in runs), strict=True)))
    return runs[0][0] / seconds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="the other checkout")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--markdown", action="store_true", help="taken, and the table is Markdown anyway")
    parser.add_argument("--measure", action="store_true", help="measure in this process, and print JSON")
    args = parser.parse_args()
    if args.measure:
        seen = hashlib.sha256()
        print(json.dumps({**play(seen), **keep(seen), **collect(seen), **by_the_clock(), "seen": seen.hexdigest()}))
        return
    own = Path(__file__).parents[1]
    rounds = [(run(args.other), run(own)) for _ in range(args.repeats)]
    if len({one["seen"] for pair in rounds for one in pair}) > 1:
        raise SystemExit("The two do not do the same.")
    print("| per second of processor time, or by the clock | before | now | ratio |\n|---|---:|---:|---:|")
    for name, title in ROWS.items():
        before, now = (rate(name, [pair[kind][name] for pair in rounds]) for kind in (0, 1))
        print(f"| {title} | {before:,.0f} | {now:,.0f} | {now / before:.2f} |")


if __name__ == "__main__":
    main()
