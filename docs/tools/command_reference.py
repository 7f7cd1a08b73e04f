"""The reference page of the command line, made from the commands themselves.

The parser is the one that `pathei` uses, so every option, default and help text is the real one.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import tyro

from pathei.cli import CONFIG
from pathei.cli.table import whole

DEFAULT = re.compile(r"\s*\((?:default: (?P<default>.*)|required|optional)\)\s*$", re.DOTALL)


def root_parser() -> Any:
    """Return the parser of `pathei`, in argparse's form."""
    form: Any = whole()
    with warnings.catch_warnings():
        # tyro announces that this function will go; constraints.txt names the version that has it.
        warnings.simplefilter("ignore", DeprecationWarning)
        return tyro.extras.get_parser(form, prog="pathei", config=CONFIG)


def commands(parser: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command with its parser, groups of commands before their members."""
    if path:
        yield path, parser
    for action in parser._actions:
        if isinstance(action.choices, dict):
            for name, inner in action.choices.items():
                yield from commands(inner, (*path, name))


def text(help_text: str) -> str:
    """Return a help text on one line, fit for a cell of a table."""
    return " ".join(help_text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def option_rows(parser: Any) -> Iterator[tuple[str, str, str]]:
    """Yield name, default and meaning of each argument of one command."""
    for action in parser._actions:
        if isinstance(action.choices, dict) or "--help" in action.option_strings:
            continue
        raw = action.help or ""
        found = DEFAULT.search(raw)
        default = (found["default"] or "") if found else ""
        names = ", ".join(f"`{name}`" for name in action.option_strings) or f"`{action.dest.split('.')[-1].upper()}`"
        shown = "required" if found and "required" in found[0] else f"`{default}`" if default.strip() else ""
        meaning = text(DEFAULT.sub("", raw))
        if action.choices:
            meaning += f" One of {', '.join(f'`{choice}`' for choice in action.choices)}."
        yield names, shown.replace("|", "\\|").replace("\n", " "), meaning


def section(path: tuple[str, ...], parser: Any) -> Iterator[str]:
    """Yield the lines of one command."""
    yield f"{'#' * (1 + len(path))} pathei {' '.join(path)}"
    yield ""
    yield " ".join((parser.description or "").split())
    yield ""
    rows = list(option_rows(parser))
    if rows:
        yield "| argument | default | meaning |"
        yield "|---|---|---|"
        for row in rows:
            yield f"| {' | '.join(row)} |"
        yield ""


def page() -> str:
    """Return the page in Markdown."""
    lines = [
        "# Command line",
        "",
        "This page is generated from the commands. `pathei COMMAND --help` prints the same.",
        "",
        "The exit status is 0 if all went well, 1 if a check failed or every task failed, 2 if pathei refused the",
        "input (one line on stderr says why), and 130 after Ctrl-C.",
        "",
    ]
    for path, parser in commands(root_parser()):
        lines.extend(section(path, parser))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
