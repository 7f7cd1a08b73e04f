"""Installing what an environment runs in: an interpreter of its own, or packages for node.

An environment's package describes it as a `Runtime`, and its row in the registry names that; `pathei env install` does
the rest. Everything lies in the user's data folder, or under `PATHEI_RUNTIMES` where that variable is set. A runtime is
built in a folder of its own, and one small file that names the folder is written last: what was interrupted is not
there, and an older installation works until then. Not here: what the environments need (their own packages).
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

from ...errors import InstallError
from ..contract import Requirement

ROOT_VARIABLE: Final = "PATHEI_RUNTIMES"
"""The environment variable that names the folder for runtimes."""
_POINTER: Final = "installed.json"
_QUOTED_CHARACTERS: Final = 400


@dataclass(frozen=True, slots=True)
class Runtime:
    """What an environment runs in, and how it is made."""

    name: str
    """The environment's name on the command line."""
    what: str
    """What is installed, in one line."""
    version: str
    """Changes when `build` makes something else: an installation of another version is out of date."""
    build: Callable[[RuntimeBuilder], None]
    """Puts everything into the builder's folder, which stays where it is."""

    @property
    def folder(self) -> Path | None:
        """Where it is installed; None if it is not, or is out of date."""
        try:
            said = json.loads((_place(self.name) / _POINTER).read_text("utf-8"))
            folder = _place(self.name) / said["folder"]
            return folder if said["version"] == self.version and folder.is_dir() else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def require(self) -> Path:
        """Return where it is installed.

        Raises:
            InstallError: it is not; the message holds the command.
        """
        folder = self.folder
        if folder is None:
            raise InstallError(f"{self.what} is not installed: run 'pathei env install {self.name}'.")
        return folder

    def requirement(self, *, required: bool = True) -> Requirement:
        """Look for it, for a doctor."""
        folder = self.folder
        note = f"pathei env install {self.name}" if folder is None else str(folder)
        return Requirement(self.what, folder is not None, note, required)


@dataclass(frozen=True, slots=True)
class RuntimeBuilder:
    """What building has: a folder, a way to run commands, and somebody to report to."""

    folder: Path
    """Empty, and where everything stays."""
    report: Callable[[str], None]
    """Takes one line on what is being done."""
    log: Path
    """Gets what the commands write."""

    def run(self, what: str, *command: str | Path, env: Mapping[str, str] | None = None) -> None:
        """Run a command in the folder.

        Args:
            what: What it does, for the report: `"install node's packages"`.
            command: The program and its arguments.
            env: Variables over those of this process.

        Raises:
            InstallError: there is no such program, or it failed; the message quotes what it wrote last.
        """
        self.report(what)
        line = list(map(str, command))
        with self.log.open("ab") as log:
            log.write(f"$ {' '.join(line)}\n".encode())
            log.flush()
            try:
                done = subprocess.run(
                    line,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self.folder,
                    env={**os.environ, **(env or {})},
                    check=False,
                )
            except OSError as error:
                raise InstallError(f"Cannot {what}: {line[0]} cannot be run ({error.strerror}).") from error
        if done.returncode:
            lines = [one.strip() for one in self.log.read_text("utf-8", "replace").splitlines() if one.strip()]
            last = " | ".join(lines[-4:])[-_QUOTED_CHARACTERS:]
            raise InstallError(f"Cannot {what}: {line[0]} ended with status {done.returncode}; see {self.log}: {last}")


def root() -> Path:
    """Return the folder in which runtimes are installed; it need not exist yet."""
    given = os.environ.get(ROOT_VARIABLE)
    return Path(given).expanduser() if given else Path(platformdirs.user_data_dir("pathei")) / "runtimes"


def install(runtime: Runtime, report: Callable[[str], None] = lambda _: None, *, again: bool = False) -> Path:
    """Return where a runtime is installed, installing it if it is not there, or out of date.

    Args:
        runtime: What to install.
        report: Takes one line before each step.
        again: Whether to install it even if it is there; the old one is replaced when the new one is complete.

    Raises:
        InstallError: a step failed, the folder cannot be written, or another process is installing it.
    """
    place = _place(runtime.name)
    try:
        place.mkdir(parents=True, exist_ok=True)
        with _locked(place):
            there = runtime.folder
            return _build(runtime, place, report) if there is None or again else there
    except OSError as error:
        raise InstallError(
            f"{runtime.what} cannot be installed in {place} ({error.strerror}): "
            f"name another folder in the environment variable {ROOT_VARIABLE}."
        ) from error


def _build(runtime: Runtime, place: Path, report: Callable[[str], None]) -> Path:
    for left in place.glob("build-*"):
        if left != runtime.folder:
            shutil.rmtree(left, ignore_errors=True)
    folder, log = Path(tempfile.mkdtemp(prefix="build-", dir=place)), place / "install.log"
    log.unlink(missing_ok=True)
    old = runtime.folder
    try:
        runtime.build(RuntimeBuilder(folder, report, log))
        staged = place / f"{folder.name}.json"
        staged.write_text(json.dumps({"folder": folder.name, "version": runtime.version}), "utf-8")
        staged.replace(place / _POINTER)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def _place(name: str) -> Path:
    """Return the folder of a runtime: its builds, the pointer to the one that counts, a lock and a log."""
    return root() / name


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    """Keep other processes from installing the same; the lock ends with this process."""
    with (place / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InstallError(f"Another process is installing into {place}: wait for it.") from None
        yield
