"""The commands for people who add parts: lists, the check of an environment, and the package that they write."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from pathei import ExperienceStore
from pathei.cli import main


def test_parts_are_listed_by_kind_and_a_wrong_kind_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    assert "embedder" in capsys.readouterr().out
    assert main(["list", "agent"]) == 0
    assert "skills:MEMORY" in capsys.readouterr().out
    assert main(["list", "agnt"]) == 2
    assert "did you mean 'agent'?" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["pathei.tests.support.lantern:Lantern-v0", "FrozenLake-v1"])
def test_an_environment_without_snapshots_is_checked_by_replay(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-env", name]) == 0
    shown = capsys.readouterr().out
    assert "none: snapshots of its own" in shown
    assert "ok: snapshots by verified replay" in shown


MISTAKES = """
import gymnasium
from pathei.tests.support.lantern import Lantern

class Raises(Lantern):
    def step(self, action):
        raise KeyError("no such knob")

class Four(Lantern):
    def step(self, action):
        return super().step(action)[:4]

class Nan(Lantern):
    def step(self, action):
        observation, _, *rest = super().step(action)
        return observation, float("nan"), *rest

class Bare(Lantern):
    def reset(self, *, seed=None, options=None):
        return super().reset(seed=seed, options=options)[0]

for one in (Raises, Four, Nan, Bare):
    gymnasium.register(f"{one.__name__}-v0", entry_point=f"mistakes:{one.__name__}")

class Deaf:
    def act(self, observation):
        return "wait"

def nothing():
    return None
"""


def test_mistakes_of_own_parts_are_sentences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mistakes.py").write_text(MISTAKES)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("Raises", "Four", "Nan", "Bare"):
        assert main(["check-env", f"mistakes:{name}-v0"]) == 1
        assert "broken: " in (said := capsys.readouterr().err), name
        assert (name == "Raises") == ("KeyError: 'no such knob' (mistakes.py, line 7, in step)" in said)
    for name in ("Deaf", "nothing"):
        assert main(["run", "--agent", f"mistakes:{name}"]) == 2
        assert "act(observation, goal)" in capsys.readouterr().err
    store = str(tmp_path / "store")
    assert main(["collect", store, "explore", "--env", "mistakes:Nan-v0", "--tasks", "2", "--workers", "0"]) == 1
    assert "2 x step: ContractError: The environment returned the reward nan" in capsys.readouterr().err


def test_a_new_package_passes_its_tests_and_its_check(tmp_path: Path) -> None:
    folder = tmp_path / "package"
    assert main(["new", "env", "lamps", "--folder", str(folder)]) == 0
    assert main(["new", "env", "lamps", "--folder", str(folder)]) == 2
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    for command in (["pytest", "-q", "-p", "no:cacheprovider", "."], ["pathei.cli", "check-env", "lamps_env:SPEC"]):
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The Python of a fresh environment that sees what is installed here, with a new package installed in it."""
    assert main(["new", "env", "lamps", "--folder", str(tmp_path / "package")]) == 0
    venv.create(tmp_path / "venv")
    (site,) = tmp_path.glob("venv/lib/python*/site-packages")
    (site / "ours.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    python = tmp_path / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-qq"]
    offline = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    done = subprocess.run([*pip, *offline, str(tmp_path / "package")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return python


@pytest.mark.integration
def test_an_installed_package_is_found_by_its_name(installed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()

    def pathei(line: str) -> str:
        command = [installed, "-P", "-m", "pathei.cli", *line.split()]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
        return done.stdout

    assert "corridor of rooms" in pathei("list env")
    assert "lamps_env:Lamps-v0" in pathei("env list")
    assert "nothing beyond pathei" in pathei("env doctor lamps")
    assert "ok: snapshots of its own" in pathei("check-env lamps")
    for collector in ("explore", "breadth", "mcts"):
        pathei(f"collect runs {collector} --env lamps --tasks 4")
    with ExperienceStore.open(folder / "runs", mode="read") as store:
        counts = store.info().counts
        assert dict(counts.collectors) == {"explore": 4, "breadth": 4, "mcts": 4}
        assert counts.failures == 0
        assert counts.successes >= 8, "both searches find a plan for every task"
    pathei("memory build runs")
    assert "light the lamp" in pathei("memory query runs lamps")
