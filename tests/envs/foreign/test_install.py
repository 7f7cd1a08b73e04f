"""What is installed is there whole or not at all, again and again, and commands say what is missing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pathei.cli import main
from pathei.envs.foreign.install import ROOT_VARIABLE, Runtime, RuntimeBuilder, install, root
from pathei.errors import InstallError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path / "runtimes"))
    return tmp_path / "runtimes"


def write_word(builder: RuntimeBuilder) -> None:
    builder.run("write a word", sys.executable, "-c", "open('word', 'w').write('well')")


def fail(builder: RuntimeBuilder) -> None:
    write_word(builder)
    builder.run("fail", sys.executable, "-c", "import sys; print('no such thing'); sys.exit(3)")


def runtime(build: object = write_word, version: str = "1") -> Runtime:
    return Runtime("words", "a word", version, build)


def test_it_is_installed_once_and_anew_when_asked(home: Path) -> None:
    said: list[str] = []
    with pytest.raises(InstallError, match="run 'pathei env install words'"):
        runtime().require()
    first = install(runtime(), said.append)
    assert (first / "word").read_text() == "well"
    assert install(runtime(), said.append) == first == runtime().require()
    assert said == ["write a word"]
    second = install(runtime(), again=True)
    assert second != first
    assert not first.exists()
    assert runtime().requirement() == ("a word", True, str(second), True)
    assert root() == home


def test_another_version_is_out_of_date_and_replaced() -> None:
    first = install(runtime())
    assert runtime(version="2").folder is None
    second = install(runtime(version="2"))
    assert runtime(version="2").folder == second
    assert runtime().folder is None
    assert first != second


def test_a_failed_installation_leaves_the_old_one_and_says_why(home: Path) -> None:
    first = install(runtime())
    with pytest.raises(InstallError, match=r"Cannot fail: .* ended with status 3; see .*install.log: .*no such thing"):
        install(runtime(fail), again=True)
    assert runtime().folder == first
    assert sorted(path.name for path in (home / "words").glob("build-*")) == [f"{first.name}"]
    with pytest.raises(InstallError, match="no-such-program cannot be run"):
        install(runtime(lambda builder: builder.run("try", "no-such-program")), again=True)


def test_a_killed_installation_is_not_there_and_the_next_one_clears_it_away(home: Path) -> None:
    script = (
        "import os\nfrom pathei.envs.foreign.install import Runtime, install\n"
        "def build(builder):\n    (builder.folder / 'half').write_text('')\n    os.kill(os.getpid(), 9)\n"
        "install(Runtime('words', 'a word', '1', build))\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    assert runtime().folder is None
    assert len(list((home / "words").glob("build-*"))) == 1
    folder = install(runtime())
    assert list((home / "words").glob("build-*")) == [folder]


@pytest.mark.parametrize("pointer", ["", "[]", '{"folder": "gone", "version": "1"}', json.dumps({"folder": 3})])
def test_a_damaged_pointer_is_no_installation(pointer: str, home: Path) -> None:
    (home / "words").mkdir(parents=True)
    (home / "words" / "installed.json").write_text(pointer)
    assert runtime().folder is None


def test_two_do_not_install_the_same_at_once() -> None:
    def build(_: RuntimeBuilder) -> None:
        install(runtime())

    with pytest.raises(InstallError, match="Another process is installing"):
        install(runtime(build))


OWN = """
from pathei.envs.contract import Requirement
from pathei.envs.foreign.install import Runtime
from pathei.envs.registry import EnvSpec

def check():
    return [Requirement("Java 8", False, "install Eclipse Temurin 8")]

RUNTIME = Runtime("words", "a word", "1", lambda builder: builder.run("write a word", "touch", "word"))
WHAT = {"entry_point": "own_words:Env", "max_episode_steps": 5, "name": "words", "what": "words"}
WITH = EnvSpec(id="own_words:With-v0", doctor="own_words:check", runtime="own_words:RUNTIME", **WHAT)
WITHOUT = EnvSpec(id="own_words:Without-v0", doctor="own_words:check", **WHAT)
"""


def test_what_is_installed_is_a_success_though_it_needs_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own_words.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main(["env", "install", "own_words:WITH"]) == 0
    assert "Java 8 is missing: install Eclipse Temurin 8" in capsys.readouterr().out
    assert main(["env", "doctor", "own_words:WITH"]) == 1
    assert main(["env", "install", "own_words:WITHOUT"]) == 1


def test_what_has_nothing_to_install_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env", "install", "taxi"]) == 0
    assert "taxi is ready" in capsys.readouterr().out
    assert main(["env", "install", "taxii"]) == 2
    assert "did you mean 'taxi'?" in capsys.readouterr().err
    assert main(["env", "list"]) == 0
    assert "state" in capsys.readouterr().out
