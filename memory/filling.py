"""Filling a memory from an experience store, or with skills from other programs.

A store is read in batches of a few episodes, each in a transaction of its own, and episodes that the memory has are
skipped. Filling may therefore be interrupted and resumed at any time. Not here: opening the store and the memory.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

from ..errors import MemoryStoreError
from ..experience import Trajectory
from ..store import ExperienceStore, flagged
from .admission import built_by, remind
from .experience_memory import ExperienceMemory
from .feedback import give_feedback, verdicts
from .items import KINDS, STATUSES, Draft, Filter, Kind
from .protocol import Builder
from .verification.verify import UNVERIFIED

_BATCH: Final = 16
_FOREIGN: Final = "file:"
"""The prefix of the keys of imported skills that must not supersede others."""


class BuildTally:
    """A builder that delegates to others and counts their drafts; a memory calls it for new episodes only."""

    def __init__(self, builders: Sequence[Builder]) -> None:
        """Count the drafts of some builders, in their order."""
        self._builders = tuple(builders)
        self.episodes = 0
        """The number of episodes."""
        self.drafts = Counter[Kind]()
        """The number of drafts by kind."""

    def recall(self, drafts: Iterable[Draft]) -> None:
        """See `Builder`."""
        remind(self._builders, drafts)

    def build(self, trajectory: Trajectory) -> Iterator[Draft]:
        """See `Builder.build`."""
        self.episodes += 1
        for builder in self._builders:
            for draft in built_by(builder, trajectory):
                self.drafts[draft.kind] += 1
                yield draft


@dataclass(frozen=True, slots=True)
class BuildReport:
    """The result of filling a memory."""

    episodes: int
    """Episodes that were read."""
    fresh: int
    """Episodes that were new to the memory."""
    new: Mapping[Kind, int]
    """New items."""
    reinforced: Mapping[Kind, int]
    """How often an item was reinforced."""
    superseded: Mapping[Kind, int]
    """Items that were superseded."""
    judged: int
    """Episodes with feedback on items of this memory."""
    foreign: int
    """Episodes with feedback on items of another memory, which are skipped."""
    helpful: int
    """New reports that an item helped."""
    harmful: int
    """New reports that an item did harm."""
    seconds: float
    """The wall time in seconds."""


def fill_memory(
    memory: ExperienceMemory,
    store: ExperienceStore,
    tally: BuildTally,
    *,
    success: bool | None = None,
    branches: bool = False,
    flags: Sequence[str] = (),
    feedback: bool = False,
    watch: Callable[[int], None] | None = None,
) -> BuildReport:
    """Remember the episodes of a store that are new to a memory.

    Args:
        memory: The memory, open for writing, with `tally` as its only builder.
        store: The store, open.
        tally: Builds the items; new, so that its counts start at 0.
        success: Only episodes that reached their goal (True) or failed (False).
        branches: Whether to remember branches too, each as a whole episode.
        flags: Only episodes with all of these flags; `not:bad` is without `bad`.
        feedback: Whether to give the memory feedback from episodes whose agent used its items; see `give_feedback`.
            Each episode counts once.
        watch: Called with the number of episodes read.

    Raises:
        StoreError: the store is damaged.
        MemoryStoreError: the memory cannot be written.
    """
    begun, before = time.monotonic(), _counts(memory)
    read, judged = 0, Counter(judged=0, foreign=0, helpful=0, harmful=0)
    trajectories = flagged(store.path, store.trajectories(success=success, roots=not branches), flags)
    while batch := list(islice(trajectories, _BATCH)):
        memory.add_all(map(store.expand, batch))
        if feedback:
            for trajectory in batch:
                if trajectory.parent is None:
                    judged.update(count_feedback(memory, trajectory))
        read += len(batch)
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
        **judged,
        seconds=time.monotonic() - begun,
    )


def import_skills(memory: ExperienceMemory, skills: Iterable[Draft]) -> list[str]:
    """Import skills that nothing has verified here, and return the ids of those that are new.

    Their confidence is at most `UNVERIFIED`. A skill that the memory has, whatever its status, is skipped. A skill
    whose key is taken by another text gets a key of its own, so that it does not supersede that one.

    Raises:
        MemoryStoreError: a draft is invalid, or the memory is open for reading. None is imported then.
    """
    texts, keys = set[tuple[str, str]](), set[tuple[str, str]]()
    for item in memory.items(Filter(kinds=("skill",), statuses=STATUSES)):
        texts.add((item.draft.env, item.draft.text))
        keys.add((item.draft.env, item.draft.key))
    new = []
    for draft in skills:
        if (draft.env, draft.text) in texts:
            continue
        texts.add((draft.env, draft.text))
        is_taken = draft.key and not draft.key.startswith(_FOREIGN) and (draft.env, draft.key) in keys
        key = f"{_FOREIGN}{draft.key}" if is_taken else draft.key
        new.append(replace(draft, key=key, confidence=min(draft.confidence, UNVERIFIED)))
    return memory.add_drafts(new)


def count_feedback(memory: ExperienceMemory, trajectory: Trajectory) -> Counter[str]:
    """Give feedback from an episode, and count what is new, in the fields of `BuildReport`.

    An episode that used another memory is skipped, and counted as `foreign`.

    Raises:
        MemoryStoreError: the memory cannot be written.
    """
    ids = verdicts(trajectory)
    try:
        before = [memory.get(id_) for id_ in ids]
    except MemoryStoreError:
        return Counter(foreign=1)  # an id is unknown here
    give_feedback(memory, trajectory)
    found = Counter(judged=int(bool(ids)))
    for old, new in zip(before, map(memory.get, ids), strict=True):
        found.update(helpful=new.helpful - old.helpful, harmful=new.harmful - old.harmful)
    return found


def _counts(memory: ExperienceMemory) -> dict[Kind, Counter[str]]:
    """Return the numbers of items by kind and status."""
    kinds: Any = memory.stats()["kinds"]
    return {kind: Counter(kinds[kind]) for kind in KINDS}
