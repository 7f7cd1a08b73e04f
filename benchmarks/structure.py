"""The shape of the code in figures: files per folder, lines, public names, protocols.

    python benchmarks/structure.py [CHECKOUT ...]
    python benchmarks/structure.py --clean-up

Counts the tracked Python files of one or more checkouts, one column each, so that a change of shape can be shown before
and after. "Package" leaves out tests, benchmarks, examples and docs. "Lines without new parts" also leaves out the
files of `NEW`: parts that 0.1.0 did not have, so that lines can be compared for the same behaviour. `--markdown` prints
the table for `_record.py`. `--clean-up` counts what the commits called "Clean-up: ..." took out of the package and put
into it, line by line as git does.
"""

from __future__ import annotations

import argparse
import ast
import statistics
import subprocess
from collections import Counter, defaultdict
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from rich.console import Console
from rich.table import Table

NOT_PACKAGE = ("tests", "benchmarks", "examples", "docs")

NEW = (
    "api.py",
    "registry.py",
    "extras.py",
    "logs.py",
    "setup.py",
    "cli/aliases.py",
    "cli/plugins/*",
    "agents/lm/checks.py",
    "learners/checks.py",
    "learners/config_migration.py",
    "learners/methods/mas.py",
    "collectors/search/breadth.py",
    "envs/adapters/taxi.py",
    "envs/adapters/*_graph.py",
    "envs/terminal/graph.py",
    "envs/terminal/verbalizer.py",
    "envs/graph_goals.py",
    "envs/facts/goals.py",
    # Asked for after the regrouping: other worlds, other ways to learn, hubs, the viewer.
    "envs/foreign/*",
    "envs/habitat/*",
    "envs/hubs/*",
    "envs/minecraft/*",
    "envs/minedojo/*",
    "envs/virtualhome/pddl/*",
    "envs/terminal/screen.py",
    "envs/terminal/emulator.py",
    "export/pddl.py",
    "export/preferences.py",
    "integrations/*",
    "interop/*",
    "learners/pretrain/*",
    "learners/preferences/*",
    "learners/retention/*",
    "mcp_serving.py",
    "memory/plans/*",
    "views/pretraining.py",
    "views/viewer/*",
)
"""Files of parts that 0.1.0 (6ae1c47) did not have at all; what grew in other files is counted."""


def tracked(checkout: Path) -> list[Path]:
    """Return the Python files that git tracks in a checkout, relative to it."""
    command = ["git", "-C", str(checkout), "ls-files", "*.py"]
    return [Path(name) for name in subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()]


def figures(checkout: Path) -> dict[str, str]:
    """Return the figures of one checkout, ready to print."""
    trees, lengths = {}, {}
    for path in tracked(checkout):
        if path.parts[0] not in NOT_PACKAGE:
            text = (checkout / path).read_text("utf-8")
            trees[path], lengths[path] = ast.parse(text), text.count("\n")
    folders = Counter(path.parent for path in trees if path.name != "__init__.py")
    classes: dict[str, set[Path]] = defaultdict(set)
    public, protocols = 0, 0
    functions: list[int] = []
    for path, tree in trees.items():
        functions += [
            (node.end_lineno or 0) - node.lineno + 1
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        for one in tree.body:
            if isinstance(one, ast.FunctionDef | ast.ClassDef) and not one.name.startswith("_"):
                public += 1
            if isinstance(one, ast.ClassDef) and not one.name.startswith("_"):
                classes[one.name].add(path)
                protocols += any("Protocol" in ast.unparse(base) for base in one.bases)
    household = sum("virtualhome" in ast.unparse(node) for node in _imports(trees))
    return {
        "package files": f"{len(trees):,}",
        "package lines": f"{sum(lengths.values()):,}",
        "lines without new parts": f"{sum(count for path, count in lengths.items() if not _is_new(path)):,}",
        "file lines, median / largest": f"{statistics.median(lengths.values()):.0f} / {max(lengths.values())}",
        "function lines, median / largest": f"{statistics.median(functions):.0f} / {max(functions)}",
        "folders with code": f"{len(folders)}",
        "files in the fullest folder": f"{max(folders.values())}",
        "folders of more than 12 files": f"{sum(count > 12 for count in folders.values())}",
        "public functions and classes": f"{public:,}",
        "protocols": f"{protocols}",
        "class names that stand for several things": f"{sum(len(where) > 1 for where in classes.values())}",
        "imports of the household outside envs": f"{household}",
    }


def _is_new(path: Path) -> bool:
    """Return whether a file belongs to a part that 0.1.0 did not have."""
    return any(fnmatch(str(path), pattern) for pattern in NEW)


def _imports(trees: dict[Path, ast.Module]) -> list[ast.stmt]:
    """Return every import statement outside `envs/`."""
    return [
        node
        for path, tree in trees.items()
        if path.parts[0] != "envs"
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]


def clean_up(checkout: Path) -> list[tuple[str, str, str, str]]:
    """Return each clean-up commit, oldest first, and all together: lines of the package removed, added, and the sum."""
    command = ["git", "-C", str(checkout), "log", "--reverse", "--grep=^Clean-up: ", "--numstat", "--format=%x00%s"]
    log = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows, total = [], Counter[str]()
    for commit in log.split("\0")[1:]:
        subject, *changed = commit.strip().splitlines()
        lines = Counter[str]()
        for change in filter(None, changed):
            added, removed, path = change.split("\t")
            if path.endswith(".py") and Path(path).parts[0] not in NOT_PACKAGE:
                lines.update(added=int(added), removed=int(removed))
        total.update(lines)
        rows.append((subject.removeprefix("Clean-up: "), lines))
    rows.append(("all", total))
    return [
        (what, f"{one['removed']:,}", f"{one['added']:,}", f"{one['added'] - one['removed']:+,}") for what, one in rows
    ]


def show(headings: Sequence[str], rows: Sequence[Sequence[str]], *, markdown: bool) -> None:
    """Print a table."""
    if markdown:
        print(f"| {' | '.join(headings)} |\n|---{'|---:' * (len(headings) - 1)}|")
        for row in rows:
            print(f"| {' | '.join(row)} |")
        return
    table = Table(*headings)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def main() -> None:
    """Print a table with one column for each checkout, or of the clean-up commits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", nargs="*", type=Path, default=[Path(__file__).parent.parent])
    parser.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    parser.add_argument("--clean-up", action="store_true", help="count the lines of the clean-up commits instead")
    options = parser.parse_args()
    checkouts = options.checkouts
    if options.clean_up:
        show(("commit", "removed", "added", "sum"), clean_up(checkouts[0]), markdown=options.markdown)
        return
    columns = [figures(checkout) for checkout in checkouts]
    headings = ["", *(checkout.resolve().name for checkout in checkouts)]
    rows = [(name, *(column[name] for column in columns)) for name in columns[0]]
    show(headings, rows, markdown=options.markdown)


if __name__ == "__main__":
    main()
