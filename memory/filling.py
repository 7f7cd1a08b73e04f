"""Filling a memory: with what an experience store holds, or with skills from elsewhere.

A store is read a few episodes at a time, each lot in a transaction of its own; what the memory knows is passed over. So
filling may be stopped at any moment and begun again. Left out: opening either of them.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final, NamedTuple

from ..errors import MemoryStoreError
from ..experience import Trajectory
from ..store import ExperienceStore
from .experience_memory import ExperienceMemory
from .feedback import give_feedback, verdicts
from .items import KINDS, Draft, Filter, Kind
from .protocol import Builder
from .storage.columns import STATUSES
from .verification.verify import UNPROVED

_BATCH: Final = 16
_FOREIGN: Final = "file:"
"""Begins the keys of skills that may not take the place of others."""


class BuildTally:
    """The builder that makes what others make, and counts it; a memory asks it only for episodes that are new to it."""

    def __init__(self, builders: Sequence[Builder]) -> None:
        """Count what some builders make, in their order."""
        self._builders = tuple(builders)
        self.episodes = 0
        """Episodes that it was asked for."""
        self.drafts = Counter[Kind]()
        """What was made of them."""

    def build(self, trajectory: Trajectory) -> Iterator[Draft]:
        """See `Builder.build`."""
        self.episodes += 1
        for builder in self._builders:
            for draft in builder.build(trajectory):
                self.drafts[draft.kind] += 1
                yield draft


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What filling has brought."""

    episodes: int
    """Episodes that were read."""
    fresh: int
    """Of these, how many the memory did not know."""
    new: Mapping[Kind, int]
    """New items."""
    reinforced: Mapping[Kind, int]
    """How often an item was lived again."""
    superseded: Mapping[Kind, int]
    """Items that a later one took the place of."""
    told: int
    """Episodes that tell of items of this memory how they served."""
    elsewhere: int
    """Those that tell it of items of another memory, and are passed over."""
    helpful: int
    """How often an item was told that it helped, for the first time for that episode."""
    harmful: int
    """How often that it did harm."""
    seconds: float
    """How long it took, in seconds of wall time."""


def fill(
    memory: ExperienceMemory,
    store: ExperienceStore,
    tally: BuildTally,
    *,
    success: bool | None = None,
    branches: bool = False,
    feedback: bool = False,
    watch: Callable[[int], None] | None = None,
) -> BuildReport:
    """Remember what a store holds and the memory does not know.

    Args:
        memory: Open for writing, with `tally` as its one builder.
        store: Open.
        tally: Makes items of episodes; new, so that it counts from nothing.
        success: Only episodes that reached their goal (True) or failed to (False).
        branches: Whether branches are remembered too, each as a whole episode.
        feedback: Whether the memory is told how its items served in episodes whose agent used them; see
            `give_feedback`. That an episode was told already changes nothing.
        watch: Called with how many episodes have been read.

    Raises:
        StoreError: the store is damaged.
        MemoryStoreError: the memory cannot be written.
    """
    begun, before = time.monotonic(), _counts(memory)
    read, heard = 0, LlmTally(0, 0, 0, 0)
    trajectories = store.trajectories(success=success, roots=not branches)
    while some := list(islice(trajectories, _BATCH)):
        memory.add_all(map(store.expand, some))
        if feedback:
            for trajectory in some:
                if trajectory.parent is None:
                    heard = heard.plus(tell(memory, trajectory))
        read += len(some)
        if watch is not None:
            watch(read)
    after = _counts(memory)
    new = {kind: after[kind].total() - before[kind].total() for kind in KINDS}
    return BuildReport(
        read,
        tally.episodes,
        new,
        {kind: tally.drafts[kind] - new[kind] for kind in KINDS},
        {kind: after[kind]["superseded"] - before[kind]["superseded"] for kind in KINDS},
        *heard,
        time.monotonic() - begun,
    )


def adopt(memory: ExperienceMemory, skills: Iterable[Draft]) -> list[str]:
    """Take over skills that nothing has proved here, and return the ids of those that are new.

    Their confidence is at most `UNPROVED`. One that is here already, whatever has become of it, is passed over; one
    that says otherwise than a skill of its key stands beside that and does not supersede it.

    Raises:
        MemoryStoreError: one makes no sense, or the memory is open for reading. None is taken over then.
    """
    said, held = set[tuple[str, str]](), set[tuple[str, str]]()
    for item in memory.items(Filter(kinds=("skill",), statuses=STATUSES)):
        said.add((item.draft.world, item.draft.text))
        held.add((item.draft.world, item.draft.key))
    new = []
    for draft in skills:
        if (draft.world, draft.text) in said:
            continue
        said.add((draft.world, draft.text))
        beside = draft.key and not draft.key.startswith(_FOREIGN) and (draft.world, draft.key) in held
        key = f"{_FOREIGN}{draft.key}" if beside else draft.key
        new.append(replace(draft, key=key, confidence=min(draft.confidence, UNPROVED)))
    return memory.add_drafts(new)


class LlmTally(NamedTuple):
    """What a memory was told."""

    told: int
    """Episodes that tell of its items."""
    elsewhere: int
    """Episodes that tell of another memory's."""
    helpful: int
    """Items that helped, for the first time in an episode."""
    harmful: int
    """Items that did harm, likewise."""

    def plus(self, other: LlmTally) -> LlmTally:
        """Return both together."""
        return LlmTally(*(one + two for one, two in zip(self, other, strict=True)))


def tell(memory: ExperienceMemory, trajectory: Trajectory) -> LlmTally:
    """Tell a memory how its items served in an episode; one whose agent used another memory is passed over.

    Raises:
        MemoryStoreError: the memory cannot be written.
    """
    ids = verdicts(trajectory)
    if not ids:
        return LlmTally(0, 0, 0, 0)
    try:
        before = _served(memory, ids)
    except MemoryStoreError:
        return LlmTally(0, 1, 0, 0)  # an id is unknown here
    give_feedback(memory, trajectory)
    after = _served(memory, ids)
    return LlmTally(1, 0, after[0] - before[0], after[1] - before[1])


def _served(memory: ExperienceMemory, ids: Iterable[str]) -> tuple[int, int]:
    items = [memory.get(id_) for id_ in ids]
    return sum(item.helpful for item in items), sum(item.harmful for item in items)


def _counts(memory: ExperienceMemory) -> dict[Kind, Counter[str]]:
    """Return how many items there are of each kind, by status."""
    kinds: Any = memory.stats()["kinds"]
    return {kind: Counter(kinds[kind]) for kind in KINDS}


__all__ = ["BuildReport", "BuildTally", "LlmTally", "adopt", "fill", "tell"]
