"""The leaderboard: agents that need no training, on a list of tasks per environment that nothing here was tuned on.

    python benchmarks/leaderboard.py household            # collect, export, verify; prints the table
    python benchmarks/leaderboard.py household --check    # only verify the committed files again

Each agent's result file is kept in `benchmarks/results/leaderboard`, and a row says what `pathei verify` finds in it.
The list of an environment is its first 100 tasks of one seed, which nothing else here uses; `LISTS` has its SHA-256.
"""

import argparse
import contextlib
import io
import tempfile
from pathlib import Path
from typing import NamedTuple

from pathei.cli import main as pathei
from pathei.collectors.verify import VerifiedResults, verify_results
from pathei.errors import VerificationError

RESULTS = Path(__file__).parent / "results" / "leaderboard"
SEED = 73_400_217
COUNT = 100


class TaskList(NamedTuple):
    """One environment's list."""

    env: str
    """The environment, by name."""
    steps: int
    """The longest episode."""
    sha256: str
    """The list's hash (see `pathei.export.results.list_hash`)."""


LISTS = {
    "household": TaskList("virtualhome", 30, "35ccb9ee8f9c42b9a1baae37d1ecd9097955b5349bcad4ca9214a0dd9dbbc5ec"),
    "shop": TaskList("shop", 20, "8c1d8ecfb36253f22052f6ad9a2adb7edd62f9d05c67d349b51227cde5a0a618"),
    "documents": TaskList("documents", 20, "b5f5a981e43ed529dd04b1ee27e8ecac7c37189ac17392b28fdf4e71f36f018b"),
}
AGENTS = {
    "random": ["agent", "--agent", "random"],
    "exploration (novelty)": ["explore"],
    "search, 1,000 simulations": ["mcts", "--simulations", "1000"],
    "demonstrations": ["scripted"],
}


def file_of(name: str, agent: str) -> Path:
    """Return where an agent's result file lies."""
    return RESULTS / f"{name}-{agent.split(maxsplit=1)[0].strip(',')}.jsonl"


def play(name: str, agent: str, workers: int) -> None:
    """Play a list, and write the result file."""
    listed, target = LISTS[name], file_of(name, agent)
    common = ["--env", listed.env, "--tasks", str(COUNT), "--seed", str(SEED), "--steps", str(listed.steps)]
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        pathei(["collect", folder + "/store", *AGENTS[agent], *common, "--workers", str(workers)])
        pathei(["store", "export", folder + "/store", str(target), "--format", "results", "--overwrite"])


def verified(name: str, agent: str, workers: int) -> VerifiedResults:
    """Verify an agent's file against the list."""
    found = verify_results(file_of(name, agent), steps=LISTS[name].steps, workers=workers)
    if found.list_sha256 != LISTS[name].sha256:
        raise VerificationError(f"The file is about the list {found.list_sha256}, and not about that of {name}.")
    return found


def main() -> None:
    """Play and verify, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", choices=LISTS, default="household")
    parser.add_argument("--check", action="store_true", help="verify the files that are there")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    rows = []
    for agent in AGENTS:
        if not given.check:
            play(given.name, agent, given.workers)
        rows.append((agent, verified(given.name, agent, given.workers)))
    print("| agent | solved | steps | search transitions | file |\n|:---|---:|---:|---:|:---|")
    for agent, found in sorted(rows, key=lambda row: -row[1].solved):
        counts = f"{found.solved} of {found.tasks} | {found.spent.steps:,} | {found.spent.search:,}"
        print(f"| {agent} | {counts} | `{file_of(given.name, agent).name}` |")


if __name__ == "__main__":
    main()
