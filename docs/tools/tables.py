"""Write the tables of `benchmarks/results` into the pages that name them.

A page holds a block that begins with `<!-- result: envs/speed -->` and ends with `<!-- end -->`. The text between the
two lines is made from `benchmarks/results/envs/speed.json` and never typed by hand.

    python docs/tools/tables.py            # rewrite every block
    python docs/tools/tables.py --check    # exit with status 1 if a page differs from its files
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
BLOCK = re.compile(r"<!-- result: (?P<name>[\w/-]+)(?P<bare> bare)? -->\n.*?<!-- end -->", re.DOTALL)
MARKS = {"left": ":---", "right": "---:", "center": ":---:", "": "---"}


def read_result(name: str) -> dict[str, Any]:
    """Read one result file by its name below `benchmarks/results`, without `.json`."""
    result: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
    return result


def table(result: dict[str, Any]) -> list[str]:
    """Return the lines of the Markdown table."""
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in [result["columns"], *result["rows"]]]
    head, *rows = [f"| {' | '.join(row)} |" for row in escaped]
    return [head, f"|{'|'.join(MARKS[align] for align in result['align'])}|", *rows]


def source(result: dict[str, Any]) -> str:
    """Say in one line where the figures come from."""
    where = f"{result['date']}, {result['machine']}, commit {result['commit']}"
    copied = "; copied from an earlier page" if result["transcribed"] else ""
    how = f"`{result['command']}`; " if result["command"] else ""
    return f"*{how}{where}{copied}.*"


def block(name: str, bare: bool) -> str:
    """Return the whole block of one result; a bare one has the table alone, for pages that say the rest themselves."""
    result = read_result(name)
    opening = f"<!-- result: {name}{' bare' if bare else ''} -->"
    around = [] if bare else [f"**{result['title']}**", ""]
    after = [] if bare else ["", source(result)]
    return "\n".join([opening, *around, *table(result), *after, "<!-- end -->"])


def filled(text: str) -> str:
    """Return a page with every block made from its file."""
    return BLOCK.sub(lambda found: block(found["name"], bool(found["bare"])), text)


def pages() -> Iterator[Path]:
    """Yield every page that may hold a block."""
    yield ROOT / "README.md"
    yield from sorted((ROOT / "docs").rglob("*.md"))


def main() -> int:
    """Rewrite or check the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; name the pages that differ")
    args = parser.parse_args()
    stale = [page for page in pages() if page.read_text("utf-8") != filled(page.read_text("utf-8"))]
    for page in stale:
        if not args.check:
            page.write_text(filled(page.read_text("utf-8")), "utf-8")
        sys.stdout.write(f"{'differs' if args.check else 'written'}: {page.relative_to(ROOT)}\n")
    return int(bool(stale) and args.check)


if __name__ == "__main__":
    sys.exit(main())
