"""How fast the terminal is, what it solves, and how a fresh bubblewrap with git for each command compares.

The rival is the state of practice: every command starts a new sandbox on a directory of the disk, and the state
difference is what `git status` says (as InterCode does); a snapshot is a copy of the directory. Both run the same
commands on the same files. Times are medians of wall time on a machine that may be doing other things.

    python benchmarks/envs/terminal.py [--tasks 25] [--rounds 40]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import gymnasium
import numpy as np

from pathei.collectors import make_explorer
from pathei.collectors.search.collector import MctsConfig, make_searcher
from pathei.collectors.search.config import TREE_ALONE, SearchConfig
from pathei.envs.checks import check_env, check_snapshot
from pathei.envs.terminal.env import TerminalEnv
from pathei.envs.terminal.sandbox.sandbox import Sandbox
from pathei.envs.terminal.tasks.filesystems import HOME, generate
from pathei.envs.terminal.tasks.generate import ENV_ID, generate_tasks
from pathei.experience import Record, Trajectory

COMMANDS = ("cd invoices", "echo x > new.txt", "cat ../notes.txt", "ls | wc -l", "rm new.txt")
FILES = "office:7"
SEARCH = SearchConfig(
    simulations=200,
    depth=6,
    selection="puct",
    exploration=0.5,
    stop_on_success=True,
    rollout_steps=3,
    env_steps=400,
    **TREE_ALONE,
)


def median_ms(action: Callable[[], object], rounds: int) -> float:
    """Return the median time of an action, in milliseconds."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return 1000 * statistics.median(times)


class Rival:
    """A fresh bubblewrap for each command, with git for the difference."""

    def __init__(self) -> None:
        """Write the files."""
        self.root = Path(tempfile.mkdtemp())
        self.start = self.root / "start"
        for entry in generate(FILES).entries:
            if entry.path.startswith(f"{HOME}/"):
                path = self.start / entry.path[len(HOME) + 1 :]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.mkdir(exist_ok=True) if entry.kind == "dir" else path.write_bytes(entry.content)
        self.home = self.root / "home"
        self.git(self.start, "init", "-q")
        self.git(self.start, "add", "-A")
        self.git(self.start, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "start")
        self.reset()

    @staticmethod
    def git(folder: Path, *arguments: str) -> bytes:
        """Run git in a folder."""
        return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=True).stdout

    def reset(self) -> None:
        """Begin again."""
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self.start, self.home, symlinks=True)

    def step(self, command: str) -> tuple[bytes, bytes]:
        """Run a command; return its output and the difference."""
        arguments = [
            "bwrap",
            "--ro-bind",
            "/usr",
            "/usr",
            "--symlink",
            "usr/bin",
            "/bin",
            "--symlink",
            "usr/lib",
            "/lib",
        ]
        arguments += ["--symlink", "usr/lib64", "/lib64", "--bind", str(self.home), "/home/agent", "--dev", "/dev"]
        arguments += ["--proc", "/proc", "--tmpfs", "/tmp", "--unshare-all", "--die-with-parent", "--new-session"]
        arguments += ["--chdir", "/home/agent", "bash", "--norc", "--noprofile", "-c", command]
        output = subprocess.run(arguments, capture_output=True, check=False).stdout
        return output, self.git(self.home, "status", "--short")

    def snapshot(self) -> Path:
        """Copy the files."""
        return Path(shutil.copytree(self.home, Path(tempfile.mkdtemp(dir=self.root)) / "home", symlinks=True))

    def restore(self, state: Path) -> None:
        """Copy them back."""
        shutil.rmtree(self.home)
        shutil.copytree(state, self.home, symlinks=True)

    def close(self) -> None:
        """Delete everything."""
        shutil.rmtree(self.root)


def compare(rounds: int) -> None:
    """Print the table of speeds."""
    env, rival = TerminalEnv(files=FILES), Rival()
    env.reset(seed=0)

    def steps() -> None:
        for command in COMMANDS:
            env.step(command)

    def rival_steps() -> None:
        for command in COMMANDS:
            rival.step(command)

    def rival_restore() -> None:
        rival.restore(kept)
        rival.step("true")

    def restore_changed() -> None:
        env.restore(state)
        env.step("true")

    ours = {"builtin step (`true`), ms": median_ms(lambda: env.step("true"), rounds)}
    theirs = {"builtin step (`true`), ms": median_ms(lambda: rival.step("true"), rounds)}
    ours["mixed step, ms"] = median_ms(steps, rounds) / len(COMMANDS)
    theirs["mixed step, ms"] = median_ms(rival_steps, max(rounds // 4, 3)) / len(COMMANDS)
    ours["reset, ms"], theirs["reset, ms"] = (
        median_ms(lambda: env.reset(seed=0), rounds),
        median_ms(rival.reset, rounds),
    )
    ours["snapshot, nothing changed, ms"] = median_ms(env.snapshot, rounds)
    times = []
    for number in range(rounds):
        env.step(f"echo {number} > changed")
        begin = time.perf_counter()
        state = env.snapshot()
        times.append(1000 * (time.perf_counter() - begin))
    ours["snapshot, files changed, ms"] = statistics.median(times)
    times = []
    for number in range(rounds):
        env.step(f"echo {number} >> changed")
        begin = time.perf_counter()
        restore_changed()
        times.append(1000 * (time.perf_counter() - begin))
    ours["restore and step, ms"] = statistics.median(times)
    kept = rival.snapshot()
    theirs["snapshot, files changed, ms"] = median_ms(rival.snapshot, rounds)
    theirs["restore and step, ms"] = median_ms(rival_restore, rounds)
    print(f"{'':34}{'pathei':>10}{'rival':>10}{'ratio':>8}")
    for name, value in ours.items():
        other = theirs.get(name)
        print(f"{name:34}{value:10.2f}" + (f"{other:10.2f}{other / value:7.1f}x" if other else ""))
    print(f"memory of the keeper and the sandbox: {memory_of(env.sandbox) / 2**20:.0f} MiB")
    env.close()
    rival.close()
    print(f"start of the keeper: {median_ms(lambda: Sandbox().close(), 5):.0f} ms, with its end")


def memory_of(sandbox: Sandbox) -> int:
    """Return the proportional memory of a sandbox's processes, in bytes."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    family, more = [sandbox.pid], [sandbox.pid]
    while more:
        more = [pid for pid, parent in parents.items() if parent in more]
        family += more
    total = 0
    for pid in family:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        total += sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
    return total


def solve(count: int) -> None:
    """Print what chance and search solve."""
    tasks = generate_tasks(count, 1)
    for name, collector in (
        ("random", make_explorer(strategy="uniform", max_steps=10)),
        ("novelty", make_explorer(strategy="novelty", max_steps=10)),
        ("mcts", make_searcher(MctsConfig(search=SEARCH))),
    ):
        begin = time.perf_counter()
        solved = won(collector.collect(tasks))
        collector.close()
        print(f"{name:8} solves {solved} of {count} tasks in {time.perf_counter() - begin:.0f} s")


def won(records: Iterable[Record]) -> int:
    """Return how many episodes were successful."""
    return sum(isinstance(record, Trajectory) and record.success is True for record in records)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=40)
    chosen = parser.parse_args()
    if ENV_ID not in gymnasium.registry:
        gymnasium.register(ENV_ID, "pathei.envs.terminal.env:TerminalEnv", max_episode_steps=50)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    compare(chosen.rounds)
    env = gymnasium.make(ENV_ID)
    check_env(env)
    check_snapshot(env, rng=np.random.default_rng(0), steps=6, rounds=2)
    env.close()
    print("check_env and check_snapshot pass")
    solve(chosen.tasks)


if __name__ == "__main__":
    main()
