"""Every command line of the documentation exists: `pathei ...` is parsed, scripts and their options are found.

Nothing is executed. Placeholders are words in capitals, such as STORE or PATH, where a text or a path is expected; the
few that stand for something else are in `PLACEHOLDERS`.
"""

import contextlib
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import tyro

from pathei.cli import CONFIG
from pathei.cli.table import whole
from pathei.tests.support.doc_pages import ROOT, commands, spans

PLACEHOLDERS = {"N": "2", "SEED": "3", "PORT": "8080"}
LINES = commands("pathei")


def parse(arguments: list[str]) -> Any:
    """Parse as `pathei` does, without performing anything."""
    form: Any = whole()
    return tyro.cli(form, args=arguments, prog="pathei", config=CONFIG)


@pytest.mark.parametrize(("place", "words"), LINES, ids=[f"{place} {' '.join(words)}"[:90] for place, words in LINES])
def test_the_command_line_parses(place: str, words: list[str]) -> None:
    arguments = [PLACEHOLDERS.get(word, word) for word in words[1:]]
    if arguments == ["--version"]:
        return
    with contextlib.ExitStack() as stack:
        if "--help" in arguments:
            stack.enter_context(pytest.raises(SystemExit, match="0"))
        parse(arguments)


def every_command() -> dict[tuple[str, ...], set[str]]:
    """Return the options of every command by its words; those of a group are those of its members as well."""
    form: Any = whole()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        root = tyro.extras.get_parser(form, prog="pathei", config=CONFIG)
    found: dict[tuple[str, ...], set[str]] = {}

    def walk(parser: Any, path: tuple[str, ...]) -> set[str]:
        options = {option for action in parser._actions for option in action.option_strings}
        for action in parser._actions:
            if isinstance(action.choices, dict):
                for name, inner in action.choices.items():
                    options |= walk(inner, (*path, name))
        found[path] = options
        return options

    walk(root, ())
    return found


def test_commands_in_running_text_exist() -> None:
    known = every_command()
    wrong = []
    for page, words in spans("pathei "):
        path: tuple[str, ...] = ()
        for word in words[1:]:
            if (*path, word) in known:
                path = (*path, word)
        options = [word.split("=")[0] for word in words if re.match(r"--\w", word)]
        if (not path and words[1] not in {"--version", "COMMAND", "--help"}) or set(options) - known[path] - {
            "--version",
            "--help",
        }:
            wrong.append(f"{page}: {' '.join(words)}")
    assert not wrong, "\n" + "\n".join(wrong)


def scripts() -> list[tuple[str, str, list[str]]]:
    """Return every script that the pages run: the place, the path and the options."""
    return [
        (place, words[1], [word.split("=")[0] for word in words[2:] if word.startswith("--")])
        for place, words in [*commands("python"), *spans("python ")]
        if len(words) > 1 and re.match(r"(benchmarks|examples|docs)/", words[1])
    ]


def test_scripts_and_their_options_exist() -> None:
    wrong = []
    for place, path, options in scripts():
        text = (ROOT / path).read_text("utf-8") if (ROOT / path).is_file() else None
        if text is None:
            wrong.append(f"{place}: {path} does not exist")
        else:
            wrong += [f"{place}: {path} has no {option}" for option in options if f'"{option}"' not in text]
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.integration
@pytest.mark.parametrize("path", sorted({path for _, path, _ in scripts() if not path.startswith("examples/")}))
def test_a_script_answers_help(path: str) -> None:
    done = subprocess.run([sys.executable, path, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith("usage: "), path
    for _, script, options in scripts():
        if script == path:
            text = (ROOT / path).read_text("utf-8")
            assert all(option in done.stdout or "add_subparsers" in text for option in options), (path, options)


def test_the_help_of_a_choice_has_one_line_for_each_value() -> None:
    form: Any = whole()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        root = tyro.extras.get_parser(form, prog="pathei", config=CONFIG)

    def missing(parser: Any, path: str) -> Iterator[str]:
        for action in parser._actions:
            if isinstance(action.choices, dict):
                for name, inner in action.choices.items():
                    yield from missing(inner, f"{path} {name}")
            elif action.choices:
                said = {line.partition(":")[0].strip() for line in (action.help or "").splitlines() if ":" in line}
                values = {str(value) for value in action.choices} - {"True", "False", "None"}
                yield from (f"{path} {action.option_strings}: {value}" for value in sorted(values - said))

    assert not list(missing(root, "pathei"))
