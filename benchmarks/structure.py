"""The shape of the code in figures: files per folder, lines, public names, protocols.

    python benchmarks/structure.py [CHECKOUT ...]

Counts the tracked Python files of one or more checkouts, one column each, so that a change of shape can be shown before
and after. "Package" leaves out tests, benchmarks, examples and docs. "Lines without new parts" also leaves out the
files of `NEW`: parts that 0.1.0 did not have, so that lines can be compared for the same behaviour. `--markdown` prints
the table for `_record.py`.
"""

from __future__ import annotations

import argparse
import ast
import statistics
import subprocess
from collections import Counter, defaultdict
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


def main() -> None:
    """Print a table with one column for each checkout."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", nargs="*", type=Path, default=[Path(__file__).parent.parent])
    parser.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    options = parser.parse_args()
    checkouts = options.checkouts
    columns = [figures(checkout) for checkout in checkouts]
    if options.markdown:
        print("| | " + " | ".join(checkout.resolve().name for checkout in checkouts) + " |")
        print("|---|" + "---:|" * len(checkouts))
        for name in columns[0]:
            print(f"| {name} | " + " | ".join(column[name] for column in columns) + " |")
        return
    table = Table("", *(checkout.resolve().name for checkout in checkouts))
    for name in columns[0]:
        table.add_row(name, *(column[name] for column in columns))
    Console().print(table)


if __name__ == "__main__":
    main()
