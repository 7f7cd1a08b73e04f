"""Where the parts of one seed's loop lie, who acts in it, and its tasks. Left out: what is done with them.

OUT/seed-0/store/           everything that was lived, and the memory of it in store/memory
OUT/seed-0/held-out/        how held-out tasks were played, a store of its own, which nobody learns from
OUT/seed-0/round-1/ewc/     the run that tuned this round's model
OUT/base/                   how well the base predicts old text
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Final, Literal, NamedTuple

from ..experience import Goal, Task, Trajectory
from ..learners.models.names import is_tiny
from .config import HOUSEHOLD, LoopConfig

NOTHING: Final = "nothing"
BASE: Final = "base model"
MEMORY: Final = "memory"
WEIGHTS: Final = "weights"
BOTH: Final = "both"
PLAIN: Final = "weights, plainly tuned"
ROWS: Final = (NOTHING, BASE, MEMORY, WEIGHTS, BOTH, PLAIN)
"""Who acts, in the order of tables."""

Split = Literal["train", "test"]
_APART: Final = 10_000
"""Held-out tasks follow from the seed and this."""
_HOUSES: Final = 20
"""The curriculum goes round so many houses, less those that are kept for measuring."""
_ATTEMPT: Final = re.compile(r"curriculum/(\d+)-")
"""Begins the ids of the curriculum's tasks: the number of the attempt."""

SEEN: Final = "seen activities"
UNSEEN: Final = "unseen activities"
TASKS: Final = "unseen tasks"


class LoopAgent(NamedTuple):
    """Who acts in a round."""

    row: str
    """One of `ROWS`."""
    agent: str
    """The agent's name, as `agents.named` knows it."""
    collector: str
    """What its episodes name as their collector."""


@dataclass(frozen=True, slots=True)
class LoopWorkspace:
    """One seed's loop."""

    out: Path
    """The loop's directory."""
    config: LoopConfig
    seed: int

    @property
    def folder(self) -> Path:
        """Where everything of it lies."""
        return self.out / f"seed-{self.seed}"

    @property
    def store(self) -> Path:
        """The store of what was lived."""
        return self.folder / "store"

    @property
    def memory(self) -> Path:
        """The memory, which is the store's own."""
        return self.store / "memory"

    @property
    def held_out(self) -> Path:
        """The store of how held-out tasks were played."""
        return self.folder / "held-out"

    def run(self, number: int, method: str) -> Path:
        """The directory of the run that tuned a round's model by a method."""
        return self.folder / f"round-{number}" / method.replace("+", "-")

    def fisher(self) -> Path:
        """Fisher information of the base, which the first round of the first seed estimates for all of them."""
        first = dataclasses.replace(self, seed=self.config.seed)
        return first.run(1, self.config.method) / "fisher.safetensors"

    def base(self) -> str:
        """The base model, as `from_pretrained` reads it."""
        if not is_tiny(self.config.model):
            return self.config.model
        from ..learners.models.base import tiny_base

        return str(tiny_base())

    def actors(self, number: int) -> list[LoopAgent]:
        """Return who acts after a round; after round 0, who has learned nothing.

        A model acts by itself alone; of both, the memory acts first, the model where that knows no more, and where
        neither does things are tried out.
        """
        config = self.config
        if number == 0:
            rows = {NOTHING: "skills:"}
            if config.tunes:
                rows[BASE] = f"saycan:{self.base()}"
        else:
            knows, says = f"skills:{self.memory}", f"saycan:{self.run(number, config.method) / 'model'}"
            rows = {MEMORY: knows} if config.remembers else {}
            rows |= {WEIGHTS: says} if config.tunes else {}
            rows |= {BOTH: f"{knows}+then:{says}+then:{knows}"} if config.learn == "both" else {}
            if number == config.rounds and config.tunes and config.against:
                rows[PLAIN] = f"saycan:{self.run(number, config.against) / 'model'}"
        return [LoopAgent(row, agent, f"round-{number} {row}") for row, agent in rows.items()]

    def best(self, number: int) -> LoopAgent:
        """Return who goes on living after a round: the agent that has learned in every way that there is."""
        rows = {actor.row: actor for actor in self.actors(number)}
        return next(rows[row] for row in (BOTH, MEMORY, WEIGHTS) if row in rows)

    def tasks(self, number: int) -> Sequence[Task]:
        """Return the new tasks of a round."""
        begin = self.config.explored + (number - 1) * self.config.tasks
        return self._training()[begin : begin + self.config.tasks]

    def explored(self) -> Sequence[Task]:
        """Return the tasks that are only explored."""
        return self._training()[: self.config.explored]

    def houses(self) -> Iterator[Task]:
        """Yield training houses without goals, for ever, for goals that the curriculum proposes."""
        from ..envs.verbalizer import TEST_EVERY
        from ..envs.virtualhome.tasks.generate import ENV

        houses = [house for house in range(_HOUSES) if house % TEST_EVERY]
        for number in count():
            house = self.seed * _HOUSES + houses[number % len(houses)]
            yield Task(f"house-{house}", ENV, 0, Goal(""), {"scene": f"house:{house}"})

    def lived(self, trajectories: Iterable[Trajectory], number: int) -> list[str]:
        """Return the ids of what was lived up to a round, in the order of the tasks, whatever that of playing.

        Args:
            trajectories: What was lived in all rounds so far.
            number: The round.
        """
        tasks = [*self.explored(), *(task for one in range(1, number + 1) for task in self.tasks(one))]
        places = {task.id: place for place, task in enumerate(tasks)}
        own = number * self.config.proposed
        found = []
        for one in trajectories:
            attempt = _ATTEMPT.match(one.task.id)
            place = places.get(one.task.id) if attempt is None else len(places) + int(attempt[1])
            if place is not None and place < len(places) + own and one.parent is None:
                found.append((place, one.id))
        return [id_ for _, id_ in sorted(found)]

    def held_out_tasks(self) -> Mapping[str, Sequence[Task]]:
        """Return the tasks that are measured on, by group; nobody learns from them."""
        config, seed = self.config, _APART + self.seed
        if config.world != HOUSEHOLD:
            known = {task.id for task in self._training()}
            some = _generated(config.world, 2 * config.held_out, seed)
            return {TASKS: [task for task in some if task.id not in known][: config.held_out]}
        seen, unseen = _activities()
        return {
            SEEN: _household(config.held_out, seed, seen, "test"),
            UNSEEN: _household(config.held_out, seed, unseen, "test"),
        }

    def _training(self) -> Sequence[Task]:
        config = self.config
        count = config.explored + config.rounds * config.tasks
        if config.world != HOUSEHOLD:
            return _generated(config.world, count, self.seed)
        return _household(count, self.seed, _activities()[0], "train")


@lru_cache(maxsize=16)
def _household(count: int, seed: int, activities: tuple[str, ...], split: Split) -> tuple[Task, ...]:
    from ..envs.virtualhome.tasks.generate import generate_tasks

    return tuple(generate_tasks(count, seed, activities=activities, split=split))


@lru_cache(maxsize=16)
def _generated(world: str, count: int, seed: int) -> tuple[Task, ...]:
    from ..envs.registry import get_env

    return tuple(get_env(world).generate_tasks(count, seed))


def _activities() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the activities that are lived, and those that are kept for measuring."""
    from ..envs.virtualhome.tasks.generate import ACTIVITIES
    from ..learners.corpora.splits import is_unseen_activity

    unseen = tuple(name for name in ACTIVITIES if is_unseen_activity(name))
    return tuple(name for name in ACTIVITIES if name not in unseen), unseen


__all__ = [
    "BASE", "BOTH", "MEMORY", "NOTHING", "PLAIN", "ROWS", "SEEN", "TASKS", "UNSEEN", "WEIGHTS", "LoopAgent",
    "LoopWorkspace",
]  # fmt: skip
