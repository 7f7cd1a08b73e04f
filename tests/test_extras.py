"""Without the optional packages each command says, in one sentence, what is missing and how to install it."""

import importlib
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pathei.errors import MissingDependencyError
from pathei.extras import EXTRAS, install_command, needed_by

ROOT = Path(__file__).parents[1]
HIDDEN = """
import contextlib, io, json, sys
import importlib.machinery
from pathei.extras import EXTRAS

class Finder(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in EXTRAS else super().find_spec(name, path, target)

sys.meta_path[:] = [Finder if one is importlib.machinery.PathFinder else one for one in sys.meta_path]
from pathei.cli import main

if __name__ == "__main__":
    found = []
    for command in json.loads(sys.argv[1]):
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
            try:
                status = main(command)
            except BaseException as error:
                status = repr(error)
        found.append([status, said.getvalue()])
    print(json.dumps(found))
"""
COMMANDS = {
    "learn": (
        ["learn", "STORE", "--out", "run"],
        ["learn", "STORE", "--out", "run", "--training.trainer", "trl"],
        ["learn", "STORE", "--out", "run", "--method", "lora"],
        ["fisher", "f.safetensors"],
        ["loop", "loop", "--learn", "weights"],
        ["loop", "loop", "--learn", "both"],
        ["run", "--agent", "lm:tiny"],
        ["run", "--agent", "saycan:tiny"],
        ["collect", "x", "agent", "--agent", "lm:tiny", "--workers", "0"],
        ["collect", "x", "mcts", "--prior", "lm:tiny", "--workers", "0"],
    ),
    "lm": (["collect", "x", "curriculum", "--proposer", "lm:gpt", "--workers", "0"],),
    "memory": (["memory", "serve", "MEMORY"], ["memory", "export", "MEMORY", "skills", "--skills"]),
    "adapters": (["run", "--env", "minigrid"], ["run", "--env", "textworld"], ["run", "--env", "scienceworld"]),
    "minari": (["store", "export", "STORE", "out", "--format", "minari"],),
    "shop": (
        ["run", "--env", "shop"],
        ["run", "--env", "documents"],
        ["collect", "x", "explore", "--env", "shop", "--workers", "0"],
    ),
    "ray": (["collect", "x", "explore", "--tasks", "2", "--pool", "ray"],),
    "web": (["run", "--env", "miniwob"],),
}


def run_without_extras(folder: Path, commands: list[list[str]]) -> list[tuple[object, str]]:
    (folder / "hidden.py").write_text(HIDDEN)
    done = subprocess.run(
        [sys.executable, "hidden.py", json.dumps(commands)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [(status, said) for status, said in json.loads(done.stdout.splitlines()[-1])]


def test_every_command_names_the_extra_that_it_lacks(tmp_path: Path) -> None:
    made = run_without_extras(
        tmp_path,
        [
            ["collect", "STORE", "scripted", "--tasks", "2", "--workers", "0"],
            ["memory", "add", "MEMORY", "The cup is red."],
            ["corpora", "STORE", "corpora"],
            *(["env", "doctor", name] for name in ("shop", "documents", "minigrid", "textworld", "scienceworld")),
        ],
    )
    assert [status for status, _ in made] == [0, 0, 0, 1, 1, 1, 1, 1], made
    asked = [(extra, command) for extra, commands in COMMANDS.items() for command in commands]
    before = sorted(path.name for path in tmp_path.iterdir())
    for (extra, command), (status, said) in zip(
        asked, run_without_extras(tmp_path, [command for _, command in asked]), strict=True
    ):
        assert status in ((1, 2) if command[0] == "collect" else (2,)), (command, status, said)
        assert len(said.splitlines()) == 1, (command, said)
        assert f"{ROOT}[{extra}]'" in said or "miniwob" in command, (command, said)
        assert "Traceback" not in said
    left = set(map(str, (path.name for path in tmp_path.iterdir()))) - set(before)
    assert not left & {"run", "loop", "f.safetensors", "out"}, left


def test_the_table_names_the_modules_of_every_extra() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(EXTRAS.values()) == set(extras) - {"docs", "test"}
    assert install_command("learn") == f"pip install '{ROOT}[learn]'"


def test_what_no_extra_brings_is_named_too() -> None:
    with (
        pytest.raises(MissingDependencyError, match="The moon needs a_cow, which is not installed"),
        needed_by("The moon"),
    ):
        importlib.import_module("a_cow")
