"""A curriculum into a store: attempts are appended as they are made, and a run that was stopped goes on.

Unlike `gather` this is one process: what is proposed next depends on everything before.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import count

from ...experience import Failure, Goal, Record, Task
from ...store import ExperienceStore
from ..coverage import Coverage
from ..rollout.collect import CollectReport
from .collector import Curriculum

HOUSES = 20
"""A run goes round so many houses, so that what is learned in one can be tried again in it."""


def study(
    store: ExperienceStore,
    curriculum: Curriculum,
    households: Iterable[Task],
    attempts: int,
    *,
    watch: Callable[[Sequence[Record]], None] | None = None,
) -> CollectReport:
    """Run a curriculum until there are so many attempts in the store, those before included.

    Args:
        store: Open for appending; what it holds of this run is resumed.
        curriculum: New, and configured as the run that it goes on with.
        households: Where to play, the same ones in every call; may be endless.
        attempts: How many attempts there are to be.
        watch: Called with each record once it is stored.

    Raises:
        ConfigError: the store's run does not fit.
        GoalError: the world offers no goals.
        StoreError: the store takes no more.
    """
    before = curriculum.resume(store)
    coverage, errors = Coverage(), Counter[str]()
    begun = time.monotonic()
    try:
        if before < attempts:
            for record in curriculum.collect(households):
                store.append(record)
                coverage.add(record)
                if isinstance(record, Failure):
                    errors[f"{record.stage}: {record.error}"] += 1
                if watch is not None:
                    watch([record])
                if curriculum.attempts >= attempts:
                    break
    finally:
        curriculum.close()
    return CollectReport(attempts, min(before, attempts), time.monotonic() - begun, coverage, errors)


def generated_houses(env: str, seed: int) -> Iterable[Task]:
    """Yield houses without goals, for ever: the first `HOUSES` after a seed, round and round."""
    for number in count():
        house = seed * HOUSES + number % HOUSES
        yield Task(f"house-{house}", env, 0, Goal(""), {"scene": f"house:{house}"})


__all__ = ["HOUSES", "generated_houses", "study"]
