"""What several test files share: where the checkout is, which files belong to it, and how hypothesis runs."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Several workers run at once, and torch's threads spin while they wait: one each, before anything imports torch.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The library readline writes COLUMNS and LINES into the environment that programs under test inherit, past os.environ.
with contextlib.suppress(ImportError):
    import readline  # noqa: F401
os.unsetenv("COLUMNS")
os.unsetenv("LINES")

# A shell starts background jobs with Ctrl-C ignored, and children inherit that: no program under test could be stopped.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A machine that is busy with another test is no reason to fail, so hypothesis sets no deadline here.
settings.register_profile("pathei", deadline=None, print_blob=True)
settings.load_profile("pathei")

LEFT_OUT = pytest.StashKey[int]()
"""How many tests the expression of `-m` has left out."""


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Count what is left out."""
    for item in items[:1]:
        item.config.stash[LEFT_OUT] = item.config.stash.get(LEFT_OUT, 0) + len(items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a worker of pytest-xdist say how many it has left out; it collects all tests, as every other does."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(LEFT_OUT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear what a worker has left out."""
    left_out = getattr(node, "workeroutput", {}).get("left_out", 0)
    node.config.stash[LEFT_OUT] = max(left_out, node.config.stash.get(LEFT_OUT, 0))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out where pytest does not: of what its workers leave out it knows nothing."""
    left_out = config.stash.get(LEFT_OUT, 0)
    if left_out and getattr(config.option, "numprocesses", None):
        terminalreporter.write_line(
            f"{left_out} tests left out by -m {config.option.markexpr!r}; `-m 'not gpu'` runs integration tests too"
        )


BUILT = ("build", "dist", "runs", "__pycache__")


def git_files(root: Path, *options: str) -> list[Path]:
    """Return what `git ls-files` lists, relative to `root` and sorted; empty where there is no git."""
    command = ["git", "ls-files", "-z", *options]
    try:
        listing = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        return []
    return sorted(Path(name) for name in listing.split("\0") if name and (root / name).is_file())


def walked_files(root: Path) -> list[Path]:
    """Return every file under `root` that is neither hidden nor built, relative to it and sorted."""
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(
        path
        for path in found
        if not any(part in BUILT or part.startswith(".") or part.endswith(".egg-info") for part in path.parts)
    )


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of the checkout, which is also the package."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def tracked_files(checkout: Path) -> list[Path]:
    """The files that git tracks, relative to the checkout; where there is no git, the files that stand there."""
    return git_files(checkout) or walked_files(checkout)


@pytest.fixture(scope="session")
def source_files(checkout: Path) -> list[Path]:
    """The tracked files and the new ones that git does not ignore: what a commit of everything would hold."""
    return git_files(checkout, "--cached", "--others", "--exclude-standard") or walked_files(checkout)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser; tests that use it are skipped where there is none."""
    from pathei.envs.web.browser.browser import find_browser
    from pathei.errors import MissingDependencyError

    try:
        return find_browser()
    except MissingDependencyError as error:
        pytest.skip(str(error))
