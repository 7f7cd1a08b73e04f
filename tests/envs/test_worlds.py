"""Every world by the command line: its doctor, its tasks, all ways of collecting into one store; nothing stays behind.

Written over `BUILTIN_ENVS`, so a new environment is tested by being listed. Not here: what an environment is like,
which its own tests cover. An environment whose packages or programs are missing is skipped by name.
"""

import importlib
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from pathei import data
from pathei.cli import main
from pathei.collectors.tasks import write_tasks
from pathei.envs.registry import BUILTIN_ENVS, EnvSpec, get_demonstration
from pathei.errors import ConfigError
from pathei.experience import Task
from pathei.store import ExperienceStore

IN_PROCESS = ("virtualhome", "shop", "touchdown", "minigrid", "habitat")
"""The worlds without a browser, a sandbox, Java, or a collection to read first: they are unit tests."""
MARKER = "PATHEI_TEST_WORLDS"
"""A variable that all processes which a test starts inherit, also those that lost their parent."""

EACH = [
    pytest.param(world, id=world.name, marks=() if world.name in IN_PROCESS else pytest.mark.integration)
    for world in BUILTIN_ENVS
]


@pytest.fixture(scope="module", autouse=True)
def games(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for generated games, in place of the user's."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("games")
        patch.setenv(data.ROOT_VARIABLE, str(folder))
        yield folder


@pytest.fixture
def nothing_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Demand that no process and no mount is left when the test is over."""
    psutil = pytest.importorskip("psutil")
    value = uuid.uuid4().hex
    monkeypatch.setenv(MARKER, value)
    mounts = Path("/proc/mounts")
    before = set(mounts.read_text().splitlines()) if mounts.exists() else set()
    yield
    running = [process for process in psutil.process_iter() if marked(process, value)]
    # A browser that was told to end may take a moment.
    _, left = psutil.wait_procs(running, timeout=10)
    assert [process.cmdline() for process in left] == []
    if mounts.exists():
        assert set(mounts.read_text().splitlines()) - before == set()


def marked(process: Any, value: str) -> bool:
    """Return whether a process was started by the test."""
    psutil: Any = importlib.import_module("psutil")
    try:
        return bool(process.environ().get(MARKER) == value and process.pid != psutil.Process().pid)
    except psutil.Error:
        return False


def there(world: EnvSpec) -> None:
    """Skip the test where something that the world needs is missing."""
    missing = [f"{check.what} ({check.note})" for check in world.check() if check.required and not check.ok]
    if missing:
        pytest.skip(f"{world.name} needs {', '.join(missing)}")


def demonstrated(world: EnvSpec) -> Task:
    """Return a task that has a demonstration."""
    for number in range(1, 17):
        task = world.generate_tasks(number, 0)[-1]
        try:
            get_demonstration(task)
        except ConfigError:
            continue
        return task
    pytest.fail(f"None of 16 tasks of {world.name} has a demonstration.")


@pytest.mark.parametrize("world", EACH)
def test_the_doctor_says_what_is_there_and_how_to_repair_the_rest(
    world: EnvSpec, capsys: pytest.CaptureFixture[str], nothing_left: None
) -> None:
    checks = world.check()
    assert checks
    assert all(check.ok or check.note for check in checks)
    assert main(["env", "doctor", world.name]) == int(any(check.required and not check.ok for check in checks))
    shown = capsys.readouterr().out
    assert all(check.what.split()[0] in shown for check in checks)


@pytest.mark.parametrize("world", EACH)
def test_tasks_follow_from_the_seed(world: EnvSpec, nothing_left: None) -> None:
    there(world)
    tasks = world.generate_tasks(2, 0)
    assert tasks == world.generate_tasks(2, 0)
    assert len({task.id for task in tasks}) == 2
    assert {task.env for task in tasks} == {world.id}
    assert all(task.goal.text for task in tasks)


@pytest.mark.parametrize("world", EACH)
def test_demonstration_exploration_and_search_share_a_store(
    world: EnvSpec, tmp_path: Path, capsys: pytest.CaptureFixture[str], nothing_left: None
) -> None:
    there(world)
    if not world.demonstration:
        pytest.skip(f"{world.name} has no demonstrations")
    task = demonstrated(world)
    write_tasks(tmp_path / "tasks", [task])
    common = [str(tmp_path / "store"), "--world", world.name, "--tasks", str(tmp_path / "tasks"), "--workers", "0"]
    assert main(["collect", *common, "--collector", "scripted", "--steps", "120"]) == 0
    assert main(["collect", *common, "--collector", "explore", "--strategy", "uniform", "--steps", "4"]) == 0
    # So small a search may find nothing, and then says so: 1, and a failure.
    assert main(["collect", *common, "--collector", "mcts", "--simulations", "4", "--steps", "4"]) in (0, 1)
    with ExperienceStore.open(tmp_path / "store", mode="read") as store:
        played = list(store.trajectories())
        failed = list(store.failures())
    by_collector = Counter(one.collector for one in played)
    assert (by_collector["scripted"], by_collector["explore"]) == (1, 1)
    assert by_collector["mcts"] + len(failed) == 1, [failure.error for failure in failed]
    assert all("No plan was found" in failure.error for failure in failed)
    assert all(one.success for one in played if one.collector == "scripted")
    assert [(one.id, one.success) for one in played if not one.steps] == []
    out = tmp_path / "exported"
    assert main(["store", "export", str(tmp_path / "store"), str(out), "--format", "parquet"]) == 0
    tables = [pq.read_table(file) for file in ([out] if out.is_file() else sorted(out.rglob("*.parquet")))]
    assert task.id in str([table.to_pydict() for table in tables])
