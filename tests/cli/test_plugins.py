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
from pathei.errors import at_least
from pathei.registry import one_line, raised_in


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

class Unsaid(Lantern):
    def step(self, action):
        observation, _, *rest = super().step(action)
        return observation, None, *rest

class Word(Lantern):
    def reset(self, *, seed=None, options=None):
        observation, info = super().reset(seed=seed, options=options)
        return observation, {**info, "actions": "wait"}

class Maybe(Lantern):
    def reset(self, *, seed=None, options=None):
        observation, info = super().reset(seed=seed, options=options)
        return observation, {**info, "success": "maybe"}

class Needy(Lantern):
    def __init__(self, size):
        super().__init__()

for one in (Raises, Four, Nan, Bare, Unsaid, Word, Maybe, Needy):
    gymnasium.register(f"{one.__name__}-v0", entry_point=f"mistakes:{one.__name__}")

class Deaf:
    def act(self, observation):
        return "wait"

class Mute:
    def act(self, observation, goal):
        return 3

class Broken:
    def act(self, observation, goal):
        return goal.nonsense

class Leaves:
    def act(self, observation, goal):
        raise SystemExit(3)

LIMIT = 3

class Lazy:
    def build(self, trajectory):
        return None

class Chatty:
    def build(self, trajectory):
        return ["a text"]

class Faulty:
    def build(self, trajectory):
        return trajectory.nonsense

class Greedy:
    def __init__(self, more):
        self.build = more

class Flat:
    name, dimensions = "mistakes:Flat", 4
    def embed(self, texts):
        return [[0.5] * 3 for _ in texts]

class Loud(Flat):
    def embed(self, texts):
        return [[9.0] * 4 for _ in texts]

class Silent(Flat):
    def embed(self, texts):
        return "nothing"

class Fair(Flat):
    name = "mistakes:Fair"
    def embed(self, texts):
        return [[0.5] * 4 for _ in texts]

class Muser:
    def propose(self, situation, rng):
        return "open the fridge"
    def update(self, attempt):
        pass

class Stumbler(Muser):
    def propose(self, situation, rng):
        return self.nonsense

def nothing():
    return None
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the module `mistakes`, the same for all tests: it is imported once."""
    path = tmp_path_factory.mktemp("mistakes")
    (path / "mistakes.py").write_text(MISTAKES)
    return path


@pytest.fixture
def mistakes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, from which `mistakes` can be imported."""
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.chdir(folder)
    return folder


def test_mistakes_of_own_parts_are_sentences(mistakes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("Raises", "Four", "Nan", "Bare"):
        assert main(["check-env", f"mistakes:{name}-v0"]) == 1
        assert "broken: " in (said := capsys.readouterr().err), name
        assert (name == "Raises") == ("KeyError: 'no such knob' (mistakes.py, line 7, in step)" in said)
    for name in ("Deaf", "nothing"):
        assert main(["run", "--agent", f"mistakes:{name}"]) == 2
        assert "act(observation, goal)" in capsys.readouterr().err
    store = str(mistakes / "store")
    assert main(["collect", store, "explore", "--env", "mistakes:Nan-v0", "--tasks", "2", "--workers", "0"]) == 1
    assert "2 x step: ContractError: The environment returned the reward nan" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("Raises", 1, "KeyError: 'no such knob' (mistakes.py, line 7, in step)"),
        ("Four", 1, "must be a python dictionary"),
        ("Bare", 2, "`reset` returned str: it returns (observation, info)"),
        ("Unsaid", 2, "the reward None: a reward is a finite number"),
        ("Word", 2, "the actions 'wait': they are a tuple of strings"),
        ("Maybe", 2, "the success 'maybe': it is true or false"),
        ("Needy", 1, "missing 1 required positional argument: 'size'"),
    ],
)
def test_an_own_environment_that_breaks_is_a_sentence(
    name: str, status: int, says: str, mistakes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--env", f"mistakes:{name}-v0"]
    assert main(["run", *asked, "--agent", "random", "--steps", "2"]) == status
    assert says in (said := capsys.readouterr().err)
    assert "Traceback" not in said
    assert main(["collect", str(mistakes / name), "explore", *asked, "--tasks", "1", "--workers", "0"]) == 1
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("Broken", 1, "no attribute 'nonsense' (mistakes.py, line 54, in act); --verbose prints the traceback."),
        ("Leaves", 1, "SystemExit: 3 (mistakes.py, line 58, in act)"),
        ("Mute", 2, "Mute.act returned 3: an action is a string"),
        ("LIMIT", 2, "it is 3, which cannot be called"),
        ("", 2, "names no part: write MODULE:NAME"),
    ],
)
def test_an_own_agent_that_breaks_is_a_sentence(
    name: str, status: int, says: str, mistakes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--agent", f"mistakes:{name}"]) == status
    assert says in (said := capsys.readouterr().err)
    assert "Traceback" not in said
    if status == 1:
        assert main(["--verbose", "run", "--agent", f"mistakes:{name}"]) == status
        assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("Lazy", 2, "Lazy.build returned None: it returns drafts."),
        ("Chatty", 2, "Chatty.build made 'a text', which is no Draft."),
        ("Faulty", 1, "no attribute 'nonsense' (mistakes.py, line 72, in build)"),
        ("Greedy", 2, "has to take no argument, not (more)"),
        ("Mute", 2, "of type Mute, has no build"),
        ("LIMIT", 2, "'mistakes:LIMIT' makes no builder: it is 3"),
    ],
)
def test_an_own_builder_that_breaks_is_a_sentence(
    name: str, status: int, says: str, mistakes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = mistakes / "episodes"
    if not store.exists():
        assert main(["collect", str(store), "explore", "--tasks", "1", "--steps", "2", "--workers", "0"]) == 0
    memory = ["memory", "build", str(store), str(mistakes / name), "--embedder", "ngrams-3-5-64"]
    assert main([*memory, "--builders", f"mistakes:{name}"]) == status
    assert says in (said := capsys.readouterr().err)
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Flat", "vectors of shape (1, 3) for 1 texts"),
        ("Loud", "returned a vector of length 18, not 1"),
        ("Silent", "returned 'nothing', and no vectors"),
        ("Lazy", "has no name, dimensions, embed"),
        ("Fair", ""),
    ],
)
def test_an_own_embedder_that_breaks_is_a_sentence(
    name: str, says: str, mistakes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(mistakes / f"embedded-{name}")
    assert main(["memory", "add", path, "Cups are here.", "--embedder", f"mistakes:{name}"]) == (2 if says else 0)
    assert says in capsys.readouterr().err
    if not says:
        assert main(["memory", "query", path, "cups"]) == 0  # found again by the name that it reports
        assert "Cups are here." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("Muser", 2, "Muser.propose returned 'open the fridge': it returns a GoalProposal."),
        ("Lazy", 2, "makes no proposer: what it returned, of type Lazy, has no propose, update"),
        ("Stumbler", 1, "'Stumbler' object has no attribute 'nonsense' (mistakes.py, line"),
    ],
)
def test_an_own_proposer_that_breaks_is_a_sentence_and_its_attempt_counts_for_nothing(
    name: str, status: int, says: str, mistakes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = mistakes / f"proposed-{name}"
    assert main(["collect", str(folder), "curriculum", "--tasks", "1", "--proposer", f"mistakes:{name}"]) == status
    assert says in (said := capsys.readouterr().err)
    assert "Traceback" not in said
    with ExperienceStore.open(folder, mode="read") as store:
        assert store.info().counts.failures == 0


def test_what_is_no_method_or_export_is_refused(mistakes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["learn", str(mistakes), "--out", str(mistakes / "run"), "--method", "mistakes:LIMIT"]) == 2
    assert "'mistakes:LIMIT' is no learning method" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def act(: pass", "SyntaxError: invalid syntax (own.py, line 1)"),
        ("LIMIT = undefined", "NameError: name 'undefined' is not defined (own.py, line 1, in <module>)"),
        ("import nothing_there", "No module named 'nothing_there' (own.py, line 1, in <module>)"),
    ],
)
def test_an_own_module_that_cannot_be_imported_is_a_sentence(
    text: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main(["run", "--agent", "own:Agent"]) == 2
    assert says in capsys.readouterr().err


def test_a_fault_of_pathei_has_no_place_in_code_of_others_and_keeps_its_traceback() -> None:
    with pytest.raises(AttributeError) as caught:
        at_least(None, nothing=1)
    assert raised_in(caught.value) == ""
    assert one_line(caught.value) == "AttributeError: 'NoneType' object has no attribute 'nothing'"


@pytest.mark.parametrize(
    ("name", "owner"), [("virtualhome", "pathei"), ("openenv", "pathei"), ("json", "Python"), ("class", "Python")]
)
def test_a_new_package_takes_no_name_of_pathei_or_python(
    name: str, owner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "env", name]) == 2
    assert owner in (said := capsys.readouterr().err)
    assert f"'my_{name}'" in said
    assert not list(tmp_path.iterdir())


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
