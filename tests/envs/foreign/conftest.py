"""What the tests of foreign runtimes share: the child, interpreters, and a look at what is left running."""

import importlib
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pathei.envs.foreign import python_command

COUNTING = f"{Path(__file__).with_name('counting.py')}:make"
MARKER = "PATHEI_TEST_FOREIGN"
"""A variable that all processes which a test starts inherit."""


@pytest.fixture
def counting() -> list[str]:
    """The command of the counting environment, in this Python."""
    return python_command(sys.executable, COUNTING)


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[str]]]:
    """Returns what a test has started and is still running; nothing may be when it is over."""
    psutil: Any = pytest.importorskip("psutil")
    value = uuid.uuid4().hex
    monkeypatch.setenv(MARKER, value)

    def running() -> list[Any]:
        return [one for one in psutil.process_iter() if _marked(one, value)]

    yield lambda: [" ".join(one.cmdline()) for one in running()]
    _, alive = psutil.wait_procs(running(), timeout=5)
    assert [one.cmdline() for one in alive] == []


def _marked(process: Any, value: str) -> bool:
    psutil: Any = importlib.import_module("psutil")
    try:
        return bool(process.environ().get(MARKER) == value and process.pid != psutil.Process().pid)
    except psutil.Error:
        return False


@pytest.fixture(scope="session")
def old_python() -> str:
    """A Python 3.8, the oldest that the worker runs in; the test is skipped where there is none."""
    for name in ("python3.8", *map(str, Path.home().glob(".pyenv/versions/3.8.*/bin/python"))):
        found = shutil.which(name)
        if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
            return found
    pytest.skip("there is no Python 3.8 here")
