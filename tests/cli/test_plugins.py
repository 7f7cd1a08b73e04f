"""The commands for people who add parts: lists, the check of an environment, and the package that they write."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
