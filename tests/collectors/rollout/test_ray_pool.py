"""Actors of Ray: the same records as worker processes; a crash, a hang or a lost machine costs one task for each."""

from __future__ import annotations

import contextlib
import math
import os
import random
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from pathei.collectors import make_explorer
from pathei.collectors.rollout.pool import play_batches
from pathei.collectors.rollout.ray_pool import LOCAL, play_on_ray
from pathei.errors import WorkerError
from pathei.experience import Failure, Record, Trajectory, decode, encode
from pathei.tests.support.lantern import Unready, lantern_task, lantern_tasks

EXPLORE = partial(make_explorer, max_steps=8, seed=2)
pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two machines with a processor each, which are processes here."""
    pytest.importorskip("ray")
    os.environ.update(LOCAL)
    import ray
    from ray.cluster_utils import Cluster

    # A lost machine is noticed within a second.
    noticing = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 200, "health_check_failure_threshold": 5}
    head = {"num_cpus": 1, "include_dashboard": False, "_system_config": noticing}
    made = Cluster(initialize_head=True, head_node_args=head)
    try:
        made.add_node(num_cpus=1)
    except Exception as error:  # noqa: BLE001  # Ray raises nothing more particular
        made.shutdown()
        pytest.skip(f"Ray's second machine did not start here: {error}")
    ray.init(address=made.address, log_to_driver=False, logging_level="ERROR")
    yield made
    ray.shutdown()
    made.shutdown()


def by_task(lines: list[bytes]) -> dict[str, Record]:
    """Return records by their task, each of which has one."""
    found: dict[str, Record] = {}
    for record in map(decode, lines):
        assert record.task.id not in found
        found[record.task.id] = record
    return found


def test_the_records_are_those_of_the_process_pool_byte_for_byte(cluster: Any) -> None:
    tasks = lantern_tasks(12)
    played = [line for lines in play_on_ray(EXPLORE, tasks, workers=2) for line in lines]
    assert sorted(played) == sorted(line for lines in play_batches(EXPLORE, tasks, workers=1) for line in lines)
    assert list(play_on_ray(partial(Unready, "raise"), [])) == []


def test_an_actor_that_crashes_dies_or_hangs_costs_one_task(cluster: Any) -> None:
    traps = {1: "step kill", 2: "step raise"}
    tasks = [lantern_task(n, trap=traps[n]) if n in traps else lantern_task(n) for n in range(6)]
    found = by_task([line for lines in play_on_ray(EXPLORE, tasks, workers=2) for line in lines])
    hung = [lantern_task(6, trap="step hang"), lantern_task(7)]
    # The task after it has as long, in an actor that has just begun: on a busy machine that takes many seconds.
    begun = time.monotonic()
    assert list(play_on_ray(EXPLORE, [lantern_task(8)], workers=1))
    patience = max(4, math.ceil(4 * (time.monotonic() - begun)))
    found |= by_task([line for some in play_on_ray(EXPLORE, hung, workers=1, timeout=patience) for line in some])
    assert sorted(found) == [f"lantern-{n}" for n in range(8)]
    failures = {id_: (one.stage, one.error) for id_, one in found.items() if isinstance(one, Failure)}
    stage, error = failures.pop("lantern-1")
    assert (stage, error.startswith("the actor died (")) == ("worker", True)
    assert failures == {
        "lantern-2": ("step", "RuntimeError: the lamp oil is empty"),
        "lantern-6": ("worker", f"no answer within {patience} s"),
    }
    whole = [task for n, task in enumerate([*tasks, *hung]) if n not in traps and n != 6]
    assert {encode(found[task.id]) for task in whole} == set(map(encode, EXPLORE().collect(whole)))


def test_workers_and_a_machine_that_are_killed_at_random_lose_and_double_nothing(cluster: Any) -> None:
    tasks, rng = lantern_tasks(40, delay=0.01), random.Random(0)
    lines, kills = list[bytes](), 0
    for number, batch in enumerate(play_on_ray(EXPLORE, tasks, workers=2)):
        lines += batch
        if number == 12:
            cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
            cluster.add_node(num_cpus=1)
            kills += 1
        elif number in (5, 25):
            time.sleep(rng.random() * 0.05)
            rng.choice(playing()).kill()
            kills += 1
    found = by_task(lines)
    assert sorted(found) == sorted(task.id for task in tasks)
    lost = [one for one in found.values() if isinstance(one, Failure)]
    assert kills == 3
    assert len(lost) <= kills
    assert all(one.stage == "worker" for one in lost)
    # What is lost is played again when `collect` is called again, as with processes.
    again = by_task([line for some in play_on_ray(EXPLORE, [one.task for one in lost], workers=1) for line in some])
    played = {one.task.id: encode(one) for one in [*found.values(), *again.values()] if isinstance(one, Trajectory)}
    assert played == {one.task.id: encode(one) for one in EXPLORE().collect(tasks)}


def playing() -> list[Any]:
    """Return the processes of this cluster's actors, as soon as there is one."""
    psutil: Any = pytest.importorskip("psutil")
    found: list[Any] = []
    until = time.monotonic() + 60
    while not found and time.monotonic() < until:
        for one in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                found += [one] if "ray::_Player" in " ".join(one.cmdline()) else []
    return found


def test_a_collector_that_cannot_be_made_is_one_error(cluster: Any) -> None:
    with pytest.raises(WorkerError, match="has no map: draw one"):
        list(play_on_ray(partial(Unready, "raise"), lantern_tasks(5)))
