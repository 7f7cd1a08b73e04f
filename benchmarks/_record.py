r"""Keep the table of a benchmark as a result file, from which the documentation's tables are made.

    python benchmarks/envs/envs.py --markdown | python benchmarks/_record.py envs/speed \
        --title "Speed, memory and contract of each environment" --command "python benchmarks/envs/envs.py --markdown"

The first Markdown table on standard input is written to `benchmarks/results/envs/speed.json`, with the date, the
commit, the machine and the versions. `python docs/tools/tables.py` then writes it into every page that names it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("pathei", "numpy", "torch", "transformers", "trl", "peft", "gymnasium")


def cells(line: str) -> list[str]:
    r"""Split one line of a Markdown table; a `|` inside a cell is written as `\|`."""
    inner = line.strip().removeprefix("|").removesuffix("|").replace("\\|", "\0")
    return [cell.strip().replace("\0", "|") for cell in inner.split("|")]


def read_table(lines: list[str]) -> tuple[list[str], list[str], list[list[str]]]:
    """Return the columns, their alignments (`left`, `right`, `center` or empty) and the rows of the first table."""
    start = next((n for n, line in enumerate(lines) if line.lstrip().startswith("|")), None)
    if start is None or start + 1 >= len(lines):
        raise SystemExit("There is no Markdown table on standard input.")
    rows = []
    for line in lines[start + 2 :]:
        if not line.lstrip().startswith("|"):
            break
        rows.append(cells(line))
    ends = {(True, True): "center", (True, False): "left", (False, True): "right", (False, False): ""}
    align = [ends[mark.startswith(":"), mark.endswith(":")] for mark in cells(lines[start + 1])]
    return cells(lines[start]), align, rows


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that compute, as far as they are installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def machine() -> str:
    """Describe the machine in one phrase."""
    return f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}, {platform.machine()}"


def write_result(name: str, result: dict[str, Any]) -> Path:
    """Write a result file and return its path."""
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return path


def main() -> None:
    """Read the table from standard input and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="the file below benchmarks/results, without .json: envs/speed")
    parser.add_argument("--title", required=True, help="one line above the table")
    parser.add_argument("--command", required=True, help="the command that printed the table")
    parser.add_argument("--machine", default=machine(), help="where it ran (default: this machine)")
    args = parser.parse_args()
    columns, align, rows = read_table(sys.stdin.read().splitlines())
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    print(
        write_result(
            args.name,
            {
                "title": args.title,
                "command": args.command,
                "date": dt.date.today().isoformat(),
                "machine": args.machine,
                "commit": commit.stdout.strip(),
                "versions": versions(),
                "transcribed": False,
                "columns": columns,
                "align": align,
                "rows": rows,
            },
        )
    )


if __name__ == "__main__":
    main()
