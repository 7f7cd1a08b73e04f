"""A real `pathei collect`, killed with SIGKILL at random moments and resumed each time, loses and doubles nothing."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pathei.collectors.tasks import write_tasks
from pathei.errors import StoreError
from pathei.experience import Trajectory
from pathei.store import ExperienceStore
from pathei.tests.support.lantern import lantern_tasks

KILLS = 20
TASKS = 100


def start(store: Path, tasks: Path, workers: int) -> "subprocess.Popen[bytes]":
    """Begin or resume collecting, in a process group of its own, so that all of it can be killed at once."""
    command = [sys.executable, "-m", "pathei.cli", "collect", str(store), "--tasks", str(tasks), "--steps", "12"]
    command += ["--workers", str(workers)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def kept(path: Path) -> list[Trajectory]:
    """Return what is in the store, read as a whole; nothing if it does not exist yet."""
    try:
        with ExperienceStore.open(path, mode="read") as store:
            return list(store.trajectories())
    except StoreError:
        return []


def kill(process: "subprocess.Popen[bytes]", whole_group: bool) -> None:
    """Kill the group, or the parent alone, whose workers then have to end by themselves."""
    if whole_group:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate()
    for _ in range(1000):
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    raise AssertionError("workers outlived their parent by ten seconds")


@pytest.mark.integration
def test_kill_9_at_random_moments_loses_and_doubles_no_task(tmp_path: Path) -> None:
    store, tasks_file, rng = tmp_path / "store", tmp_path / "tasks.jsonl", random.Random(0)
    # Slow enough that no run comes to its end before it is killed.
    tasks = lantern_tasks(TASKS, rooms=12, delay=0.006)
    write_tasks(tasks_file, tasks)
    counts = [0]
    for number in range(KILLS):
        process = start(store, tasks_file, workers=number % 3)
        # Most kills come while episodes are written, some while it starts.
        deadline = time.monotonic() + (rng.random() if number % 5 == 0 else 60)
        while len(kept(store)) <= counts[-1] and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(rng.random() * 0.15)
        assert process.poll() is None, "it ended before it was killed"
        kill(process, whole_group=number % 2 == 0)
        found = kept(store)
        assert len({one.task.id for one in found}) == len(found)
        counts.append(len(found))
    assert counts == sorted(counts)
    assert counts[-1] < TASKS
    finish = start(store, tasks_file, workers=2)
    output, errors = finish.communicate(timeout=120)
    assert finish.returncode == 0, errors.decode()
    assert f"{counts[-1]} of {TASKS} tasks are done already" in output.decode()
    found = kept(store)
    assert sorted(one.task.id for one in found) == sorted(task.id for task in tasks)
    assert {one.task.id: one.task for one in found} == {task.id: task for task in tasks}
    with ExperienceStore.open(store, mode="read") as opened:
        assert not list(opened.failures())
        opened.verify()
