"""What the command line prints: tables in a pipe, help at any width, and refusals that are plain lines."""

import itertools
import re
from pathlib import Path

import orjson
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
        assert not re.search(r"\(default: (None|'')?\)", shown)  # and has no default to be named
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
    assert said[-1] == "For full helptext, run pathei collect mcts --help"
    with pytest.raises(SystemExit):
        main(["memory", "build", "store", "--memory", "there"])
    said = capsys.readouterr().err.splitlines()
    assert said == ["Unrecognized options: --memory, there", "For full helptext, run pathei memory build --help"]
    with pytest.raises(SystemExit):
        main(["memory"])
    assert capsys.readouterr().err.splitlines()[-1] == "For full helptext, run pathei memory --help"
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


@pytest.mark.parametrize("width", [60, 100])
def test_columns_says_how_wide_a_pipe_is_and_nothing_is_cut(
    width: int, capsys: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(["env", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) == width
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if line.startswith("│")]
    assert "pathei/VirtualHome-v0" in "".join(row[1] for row in rows)
    assert "…" not in "".join(lines)


def test_store_info_says_what_wrote_each_session_in_few_words(tmp_path: Path, capsys: Shown) -> None:
    for name in ("explore", "scripted"):
        assert main(["collect", str(tmp_path / name), name, "--tasks", "2", "--workers", "0", "--seed", "0"]) == 0
    assert main(["store", "merge", str(tmp_path / "both"), str(tmp_path / "explore"), str(tmp_path / "scripted")]) == 0
    capsys.readouterr()
    assert main(["store", "info", str(tmp_path / "explore")]) == 0
    [row] = [line for line in capsys.readouterr().out.splitlines() if "collect explore" in line]
    assert "tasks=2, env=virtualhome, workers=0, pool=process, seed=0," in row
    assert not re.search("None|False|command=", row)
    assert main(["store", "info", str(tmp_path / "both")]) == 0
    lines = capsys.readouterr().out.splitlines()
    [row] = [line for line in lines if "store merge, sessions: 2" in line]
    assert max(map(len, lines)) < 160  # the configurations of what was merged are in --json
    assert main(["store", "info", str(tmp_path / "both"), "--json"]) == 0
    merged = orjson.loads(capsys.readouterr().out)["sessions"][0]["config"]["from"]
    assert [one["config"]["collector"] for one in merged] == ["explore", "scripted"]
