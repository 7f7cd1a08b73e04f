"""The examples: each runs in an empty folder, prints something, and is short."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "examples"
SCRIPTS = sorted(FOLDER.glob("[0-9]*.py"))
SLOW = ("04", "05", "06", "07")
"""These take more than a few seconds; 06 trains the tiny model where this machine has none yet."""


def test_there_are_nine_of_at_most_sixty_lines() -> None:
    assert [path.name[:2] for path in SCRIPTS] == [f"{number:02}" for number in range(1, 10)]
    assert [path.name for path in SCRIPTS if len(path.read_text("utf-8").splitlines()) > 60] == []


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[pytest.mark.integration] if path.name[:2] in SLOW else [])
        for path in SCRIPTS
    ],
)
def test_an_example_runs(path: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-P", path]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(done.stdout.splitlines()) >= 3
    assert [found.name for found in tmp_path.iterdir()] in ([], ["runs"])
