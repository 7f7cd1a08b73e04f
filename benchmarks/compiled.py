"""The household's steps and a search, interpreted and compiled by mypyc, in turn on one machine.

    make test-compiled                      # builds build/compiled, and tests it
    python benchmarks/compiled.py [--compiled build/compiled] [--repeats 5]

Each round starts one process of either kind. The figures are per second of processor time, the best of the rounds; both
kinds do exactly the same steps, and a difference in what they reach is an error.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

TASKS = 20


def measure() -> dict[str, float]:
    """Return the rates of this process, and what the searches came to."""
    import pathei
    from pathei.collectors.search.config import SearchConfig
    from pathei.collectors.search.mcts import Search
    from pathei.envs.model import model_of

    env, rng, steps = pathei.make_env("virtualhome"), np.random.default_rng(0), 0
    begun = time.process_time()
    for house in range(4):
        _, info = env.reset(seed=0, options={"scene": f"house:{house}"})
        for _ in range(300):
            *_, info = env.step(info["actions"][int(rng.integers(len(info["actions"])))])
            steps += 1
    stepping = steps / (time.process_time() - begun)
    transitions = solved = 0
    begun = time.process_time()
    for task in pathei.generate_tasks("virtualhome", TASKS):
        goal = {"text": task.goal.text, "conditions": list(task.goal.conditions)}
        env.reset(seed=task.seed, options={**task.options, "goal": goal})
        found = Search(model_of(env.unwrapped), SearchConfig(simulations=300), np.random.default_rng(0)).run()
        transitions, solved = transitions + found.env_steps, solved + bool(found.success)
    seconds = time.process_time() - begun
    return {"steps": stepping, "transitions": transitions / seconds, "done": transitions, "solved": solved}


def run(path: str) -> dict[str, float]:
    """Measure in a new process that imports pathei from a folder, or as it is installed."""
    environment = {**os.environ, **({"PYTHONPATH": path} if path else {})}
    command = [sys.executable, __file__, "--measure"]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiled", type=Path, default=Path("build/compiled"), help="where the compiled wheel is")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--measure", action="store_true", help="measure in this process, and print JSON")
    args = parser.parse_args()
    if args.measure:
        print(json.dumps(measure()))
        return
    if not list(args.compiled.glob("pathei__mypyc*")):
        print(f"{args.compiled} holds no compiled build; `make test-compiled` makes it. Nothing is measured.")
        return
    rounds = [(run(""), run(str(args.compiled.resolve()))) for _ in range(args.repeats)]
    done = {(one["done"], one["solved"]) for pair in rounds for one in pair}
    if len(done) > 1:
        raise SystemExit(f"The two do not come to the same: {done}")
    print("| | interpreted | compiled | ratio |\n|---|---:|---:|---:|")
    for name, title in (("steps", "`env.step`/s"), ("transitions", f"transitions/s of searches for {TASKS} goals")):
        plain, fast = (max(pair[kind][name] for pair in rounds) for kind in (0, 1))
        print(f"| {title} | {plain:,.0f} | {fast:,.0f} | {fast / plain:.2f} |")


if __name__ == "__main__":
    main()
