"""What is logged, and that nothing is shown unless it is asked for."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from pathei.cli import main
from pathei.cli.console import take_verbose
from pathei.collectors import ExplorePolicy, Rollout, collect_parallel
from pathei.logs import hide_logs, show_logs, shown_level
from pathei.store import ExperienceStore
from pathei.store.view import journal_path
from pathei.tests.support.lantern import lantern_task

POOL = "pathei.collectors.rollout.pool"
EXPLORE = partial(Rollout, ExplorePolicy(), max_steps=8, seed=2)


@pytest.fixture(autouse=True)
def hidden() -> Iterator[None]:
    """Leave logging as it was."""
    yield
    hide_logs()


def lines(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> str:
    """Return the messages of at least a level, one per line."""
    return "\n".join(one.getMessage() for one in caplog.records if one.levelno >= level)


def test_a_killed_worker_leaves_a_line_and_is_replaced(caplog: pytest.LogCaptureFixture) -> None:
    tasks = [lantern_task(0), lantern_task(1, trap="step kill"), *map(lantern_task, range(2, 9))]
    with caplog.at_level(logging.INFO, POOL):
        assert len(list(collect_parallel(EXPLORE, tasks, workers=1))) == len(tasks)
    assert "ended at task 'lantern-1' (the worker was killed by SIGKILL): recorded as a failure" in lines(caplog)
    assert lines(caplog).count(" started.") == 2
    assert "SIGKILL" in lines(caplog, logging.WARNING)


def test_a_worker_that_hangs_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, POOL):
        list(collect_parallel(EXPLORE, [lantern_task(0, trap="step hang")], workers=1, timeout=0.5))
    assert "did not answer within 0.5 s and is killed" in lines(caplog)


def test_a_torn_journal_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with ExperienceStore.open(tmp_path) as store:
        store.append(*EXPLORE().collect([lantern_task(0)]))
    with journal_path(tmp_path, 0).open("ab") as file:
        file.write(b"torn")
    (tmp_path / "tmp" / "left.tmp").touch()
    with caplog.at_level(logging.INFO, "pathei.store"), ExperienceStore.open(tmp_path) as store:
        assert len(store) == 1
    assert "Cut 4 bytes of an unfinished record off" in lines(caplog, logging.WARNING)
    assert "left.tmp" in lines(caplog)


def test_a_resumed_training_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    torch = pytest.importorskip("torch")
    from pathei.learners.training.checkpoints import Checkpoints

    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    with caplog.at_level(logging.DEBUG, "pathei.learners"):
        kept = Checkpoints(tmp_path)
        kept.restore(model, optimizer)
        kept.save(model, optimizer, 3)
        assert Checkpoints(tmp_path).restore(model, optimizer) == 3
    assert "Wrote the checkpoint" in lines(caplog, logging.DEBUG)
    assert "at step 3" in lines(caplog)


def test_a_library_shows_nothing_by_itself() -> None:
    script = "import logging, pathei; logging.getLogger('pathei.store').error('hidden')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_show_logs_writes_once_and_can_be_undone(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown_level() is None
    show_logs(logging.INFO)
    show_logs(logging.DEBUG)
    logging.getLogger("pathei.store").debug("here")
    assert capsys.readouterr().err == "DEBUG pathei.store: here\n"
    assert shown_level() == logging.DEBUG
    hide_logs()
    logging.getLogger("pathei.store").error("gone")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("args", "rest", "level"),
    [
        ("run", "run", None),
        ("--verbose run", "run", logging.INFO),
        ("run --verbose --steps 3 --verbose", "run --steps 3", logging.DEBUG),
        ("run -- --verbose", "run -- --verbose", None),
    ],
)
def test_verbose_may_stand_anywhere(args: str, rest: str, level: int | None) -> None:
    assert take_verbose(args.split()) == (rest.split(), level)


def test_verbose_shows_the_workers_of_a_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(f"store info {tmp_path} --verbose".split()) == 2
    assert shown_level() == logging.INFO
    tasks = [lantern_task(0)]
    list(collect_parallel(partial(_Noisy, os.getpid()), tasks, workers=1))
    assert "INFO pathei.tests.noisy: in a worker" in capfd.readouterr().err


class _Noisy(Rollout):
    """Logs in the worker."""

    def __init__(self, parent: int) -> None:
        super().__init__(ExplorePolicy(), max_steps=2, seed=0)
        if os.getpid() != parent:
            logging.getLogger("pathei.tests.noisy").info("in a worker")
