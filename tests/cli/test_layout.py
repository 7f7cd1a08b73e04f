"""What the command line prints: tables in a pipe, help at any width, and refusals that are plain lines."""

import itertools
import re

import pytest

from pathei.cli import main
from pathei.cli.parsing import paragraphs, parse
from pathei.cli.table import COMMANDS, load
from pathei.envs.registry import ENVS

Shown = pytest.CaptureFixture[str]
COMMAND = re.compile(r"\{([^}]+)\}\]?$")
ITEM = re.compile(r"[\w:.+-]+: ")


def help_of(words: list[str], capsys: Shown) -> str:
    """Return the help of a command."""
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def every_command(words: list[str], capsys: Shown) -> dict[tuple[str, ...], str]:
    """Return the help of a command and of its sub-commands."""
    shown = help_of(words, capsys)
    usage = " ".join(shown.partition("\n\n")[0].split())
    found = COMMAND.search(usage)
    inner = re.sub(r"\s", "", found[1]).split(",") if found else []
    pages = {tuple(words): shown}
    for name in inner:
        pages |= every_command([*words, name], capsys)
    return pages


@pytest.mark.parametrize(
    ("command", "width"), [*((command, 80) for command in COMMANDS), ("list", 120), ("learn", 120)]
)
def test_help_breaks_a_line_only_where_it_is_full(
    command: str, width: int, capsys: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    checked = 0
    for words, shown in every_command([command], capsys).items():
        lines = [line.removesuffix("│").rstrip() for line in shown.splitlines()]
        assert max(map(len, lines)) <= width
        assert not re.search(r"\{None[,}]|\|None", shown)  # an option that may be left out takes a `STR`
        for line, after in itertools.pairwise(lines):
            text, more = line.lstrip("│ "), after.lstrip("│ ")
            indent = len(line) - len(text)
            if indent < 6 or not more or len(after) - len(more) != indent or ITEM.match(more):
                continue  # no second line of one text
            if line.endswith(".") or ITEM.match(text):
                continue  # the end of a paragraph or of a value
            checked += 1
            if not more.startswith("("):
                assert len(line) + 1 + len(more.split(" ")[0]) > width - 2, (words, line, after)
    assert checked or command != "learn"


def test_a_paragraph_of_a_docstring_is_one_line_and_so_is_each_value() -> None:
    text = "What is\n    done, `a` or\n    (`b`).\n\n    fast: at once,\n    by guessing\n    slow: by search\n    "
    assert paragraphs(text) == "What is done, `a` or (`b`).\nfast: at once, by guessing\nslow: by search\n"
    assert paragraphs("One: line.") == "One: line."


def test_a_refusal_is_plain_lines_that_name_whole_commands(capsys: Shown) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["collect", "store", "mcts", "--simulation", "3"])
    assert ended.value.code == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "Unrecognized options: --simulation, 3"
    assert "        an option of `pathei collect mcts`" in said
    assert said[-1] == "For full helptext, run pathei collect --help"
    with pytest.raises(SystemExit):
        parse(load(COMMANDS["list"][0]), ["--kin"], "pathei list")
    assert not re.search("[│╭╰]", capsys.readouterr().err)


def test_in_a_pipe_every_row_of_a_table_is_one_whole_line(capsys: Shown) -> None:
    assert main(["env", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in ENVS.names():
        [row] = [line for line in lines if re.match(rf"│ {re.escape(name)} +│", line)]
        assert " ".join(ENVS.get(name).what.split()) in row
    assert len(lines) == len(ENVS.names()) + 4
