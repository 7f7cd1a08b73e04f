"""Worker processes: the same records whatever their number, and a crash, a hang or a kill costs one task only."""

import multiprocessing
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import pytest

from pathei.collectors import check_collector, collect_parallel, make_explorer
from pathei.collectors.rollout.collect import collect
from pathei.collectors.rollout.pool import play_batches, records_of
from pathei.errors import ConfigError, WorkerError
from pathei.experience import Failure, Goal, Record, Task, decode
from pathei.store import ExperienceStore
from pathei.tests.support.lantern import Trees, Unready, lantern_task, lantern_tasks

EXPLORE = partial(make_explorer, max_steps=8, seed=2)


class Parallel:
    """A pool as a collector, so that it can be checked as one."""

    def collect(self, tasks: Iterable[Task]) -> Iterator[Record]:
        """Play in two processes."""
        yield from collect_parallel(EXPLORE, tasks, workers=2)


def by_task(records: Iterable[Record]) -> dict[str, Record]:
    found = {}
    for record in records:
        assert record.task.id not in found
        found[record.task.id] = record
    return found


def test_a_pool_keeps_the_contract_of_collectors() -> None:
    check_collector(Parallel, lantern_tasks(5))


def test_the_records_are_the_same_whatever_the_number_of_workers() -> None:
    tasks = lantern_tasks(12)
    alone = by_task(EXPLORE().collect(tasks))
    for workers in (1, 3):
        assert by_task(collect_parallel(EXPLORE, tasks, workers=workers)) == alone


def test_a_worker_that_crashes_dies_or_hangs_costs_one_task() -> None:
    traps = {2: "step exit", 3: "step kill", 6: "step hang", 8: "reset kill", 9: "step raise", 11: "reset exit"}
    tasks = [lantern_task(n, trap=traps[n]) if n in traps else lantern_task(n) for n in range(14)]
    found = by_task(collect_parallel(EXPLORE, tasks, workers=2, timeout=1.5))
    assert sorted(found) == sorted(task.id for task in tasks)
    failures = {id_: (r.stage, r.error) for id_, r in found.items() if isinstance(r, Failure)}
    assert failures == {
        "lantern-2": ("worker", "the worker died with exit code 7"),
        "lantern-3": ("worker", "the worker was killed by SIGKILL"),
        "lantern-6": ("worker", "no answer within 1.5 s"),
        "lantern-8": ("worker", "the worker was killed by SIGKILL"),
        "lantern-9": ("step", "RuntimeError: the lamp oil is empty"),
        "lantern-11": ("worker", "the worker died with exit code 7"),
    }
    whole = [task for task in tasks if task.id not in failures]
    assert {id_: r for id_, r in found.items() if id_ not in failures} == by_task(EXPLORE().collect(whole))


def test_a_failure_of_the_collector_itself_is_kept_as_well() -> None:
    tasks = [Task(id_, "any", 0, Goal("any")) for id_ in ("one", "sick", "silent", "odd", "two")]
    batches = [[decode(line) for line in lines] for lines in play_batches(Trees, tasks, workers=1)]
    found = {task.id: [r for batch in batches for r in batch if r.task == task] for task in tasks}
    assert [len(records) for records in found.values()] == [3, 1, 1, 1, 3]
    # What belongs to one task comes together.
    assert all(sum(task in [r.task for r in batch] for batch in batches) == 1 for task in tasks)
    assert found["sick"] == [Failure(tasks[1], "collect", "ValueError: the collector is sick")]
    assert found["silent"] == [Failure(tasks[2], "collect", "Trees yielded no record")]
    (odd,) = found["odd"]
    assert isinstance(odd, Failure)
    assert "not plain JSON" in odd.error
    assert found["two"] == records_of(Trees(), tasks[4])


def test_a_collector_that_cannot_be_sent_is_one_sentence() -> None:
    with pytest.raises(WorkerError, match="cannot be sent to a worker"):
        list(collect_parallel(lambda: make_explorer(), lantern_tasks(2)))
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(("how", "says"), [("raise", "has no map: draw one"), ("die", "3 workers in a row died")])
def test_a_collector_that_cannot_be_made_is_one_error_and_not_a_failure_of_every_task(how: str, says: str) -> None:
    with pytest.raises(WorkerError, match=says):
        list(collect_parallel(partial(Unready, how), lantern_tasks(50)))
    assert not multiprocessing.active_children()


def test_no_tasks_start_no_worker_and_many_workers_take_few_tasks() -> None:
    assert list(collect_parallel(partial(Unready, "raise"), [])) == []
    assert len(list(collect_parallel(EXPLORE, lantern_tasks(2), workers=4))) == 2


def test_tasks_are_taken_as_they_are_needed_and_closing_ends_the_workers() -> None:
    taken: list[int] = []

    def endless() -> Iterator[Task]:
        number = 0
        while True:
            taken.append(number)
            yield lantern_task(number)
            number += 1

    records = collect_parallel(EXPLORE, endless(), workers=2)
    assert len(list(islice(records, 5))) == 5
    assert len(taken) < 30
    assert len(multiprocessing.active_children()) == 2
    records.close()  # type: ignore[attr-defined]  # it is a generator
    assert not multiprocessing.active_children()


def test_tasks_and_records_larger_than_a_pipe_pass() -> None:
    tasks = [lantern_task(n, essay="long " * 200_000) for n in range(4)]
    assert len(by_task(collect_parallel(EXPLORE, tasks, workers=2))) == 4


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import multiprocessing\n"
        "from pathei.collectors import collect_parallel, make_explorer\n"
        "from pathei.tests.support.lantern import lantern_tasks\n"
        "if __name__ == '__main__':\n"
        "    records = collect_parallel(make_explorer, lantern_tasks(1000, delay=0.01), workers=2)\n"
        "    next(records)\n"
        "    print(*[child.pid for child in multiprocessing.active_children()], flush=True)\n"
        "    for _ in records: pass\n"
    )
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    children = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(children) == 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert all(ended(child) for child in children)


def ended(pid: int) -> bool:
    """Wait until a process is gone, or a zombie that nobody has buried yet; False if it lives on."""
    for _ in range(500):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def test_gathering_is_resumed_with_what_is_not_done_and_tries_failures_again(tmp_path: Path) -> None:
    tasks = [*lantern_tasks(6), lantern_task(6, trap="step raise")]
    seen: list[str] = []
    with ExperienceStore.open(tmp_path / "s") as store:
        first = collect(store, tasks[:4], EXPLORE)
        second = collect(
            store, tasks, EXPLORE, workers=2, watch=lambda records: seen.extend(r.task.id for r in records)
        )
        third = collect(store, tasks, EXPLORE)
        assert (first.before, first.coverage.episodes, first.coverage.failures) == (0, 4, 0)
        assert (second.before, second.coverage.episodes, second.coverage.failures) == (4, 2, 1)
        assert (third.before, third.coverage.episodes, third.coverage.failures) == (6, 0, 1)
        assert third.errors == {"step: RuntimeError: the lamp oil is empty": 1}
        assert sorted(seen) == ["lantern-4", "lantern-5", "lantern-6"]
        kept = {one.task.id: one for one in store.trajectories()}
    assert kept == by_task(EXPLORE().collect(tasks[:6]))


def test_a_tree_is_stored_whole(tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path / "s") as store:
        collect(store, [Task("t", "any", 0, Goal("any"))], Trees, workers=1)
        assert [one.id for one in store.trajectories()] == ["t", "t/0", "t/1"]


def test_two_tasks_of_one_name_are_refused(tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path / "s") as store, pytest.raises(ConfigError, match="'lantern-1' occurs more"):
        collect(store, [*lantern_tasks(3), lantern_task(1)], EXPLORE)
