"""Collecting in actors of Ray against worker processes: episodes per second, the start, and the overhead of each call.

    python benchmarks/collectors/ray_pool.py [--tasks 300] [--workers 1 2 4] [--repeats 3] [--nodes 2]

Household tasks are explored for 30 steps. "start" is the time until the first record, the cluster being there already;
"episodes/s" leaves it out. The cluster is local, of several raylets ("machines") with enough processors for the largest
number of workers. The overhead of a call is measured with a collector that plays nothing. Times are the best of the
repeats: on a shared machine the others say more about its other users.
"""

from __future__ import annotations

import argparse
import logging
import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

import pathei
from pathei.collectors import make_explorer
from pathei.collectors.rollout.pool import play_batches
from pathei.collectors.rollout.ray_pool import LOCAL, play_on_ray
from pathei.experience import Failure, Record, Task

POOLS: dict[str, Callable[..., Generator[list[bytes], None, None]]] = {"process": play_batches, "ray": play_on_ray}


class Nothing:
    """A collector that plays nothing: what is left is the pool."""

    def collect(self, tasks: Iterable[Task]) -> Iterator[Record]:
        """Yield a failure for each task."""
        for task in tasks:
            yield Failure(task, "collect", "nothing is played")


class Timing(NamedTuple):
    """What one run took."""

    start: float
    """Seconds until the first records."""
    rate: float
    """Records per second after that."""
    records: list[bytes]


def timed(pool: str, make: Callable[[], Any], tasks: list[Task], workers: int) -> Timing:
    """Play the tasks in a pool."""
    begun, records, first, counted = time.perf_counter(), list[bytes](), 0.0, 0
    for lines in POOLS[pool](make, tasks, workers=workers):
        if not records:
            first, counted = time.perf_counter(), len(lines)
        records += lines
    ended = time.perf_counter()
    return Timing(first - begun, (len(records) - counted) / (ended - first), sorted(records))


def main() -> None:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=300)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--nodes", type=int, default=2)
    args = parser.parse_args()
    os.environ.update(LOCAL)
    import ray
    from ray.cluster_utils import Cluster

    each = -(-max(args.workers) // args.nodes)
    cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": each, "include_dashboard": False})
    for _ in range(args.nodes - 1):
        cluster.add_node(num_cpus=each)
    ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
    tasks, explore = pathei.generate_tasks("virtualhome", args.tasks), partial(make_explorer, max_steps=30)
    expected = list[bytes]()
    print("| pool | workers | start | episodes/s | a call that plays nothing |\n|---|---:|---:|---:|---:|")
    for workers in args.workers:
        for pool in POOLS:
            found = [timed(pool, explore, tasks, workers) for _ in range(args.repeats)]
            expected = expected or found[0].records
            assert all(one.records == expected for one in found), "a pool returned other records"
            idle = max(timed(pool, Nothing, tasks, workers).rate for _ in range(args.repeats))
            start, rate = min(one.start for one in found), max(one.rate for one in found)
            print(f"| {pool} | {workers} | {start:.1f} s | {rate:,.0f} | {1e3 / idle:.2f} ms |", flush=True)
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main()
