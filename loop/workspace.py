"""The directory of one seed's loop, the agents that act in it, and its tasks. Not here: what is done with them.

OUT/seed-0/store/           everything that was collected, with its memory in store/memory
OUT/seed-0/held-out/        how held-out tasks were played: a store of its own, from which nothing is learned
OUT/seed-0/round-1/ewc/     the run that tuned this round's model
OUT/base/                   how well the base predicts retention text
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from ..experience import Task, Trajectory
from ..pretrained import is_tiny
from . import tasks
from .config import LoopConfig

BASE: Final = "base"
PROMPTED: Final = "base + memory"
WEIGHTS: Final = "tuned"
BOTH: Final = "tuned + memory"
PLAIN: Final = "tuned without a regularizer"
NOTHING: Final = "planner without a model, empty memory"
MEMORY: Final = "planner without a model, with memory"
ROWS: Final = (BASE, PROMPTED, WEIGHTS, BOTH, PLAIN, NOTHING, MEMORY)
"""The agents, in the order of tables: one agent that asks a language model, with what it has learned; and a planner."""

_ATTEMPT: Final = re.compile(r"curriculum/(\d+)-")
"""Begins the ids of the curriculum's tasks: the number of the attempt."""


class LoopAgent(NamedTuple):
    """An agent of a round."""

    row: str
    """One of `ROWS`."""
    agent: str
    """The agent's name, as `agents.registry` knows it."""
    collector: str
    """The collector that its episodes name."""


@dataclass(frozen=True, slots=True)
class LoopWorkspace:
    """One seed's loop."""

    out: Path
    """The loop's directory."""
    config: LoopConfig
    seed: int

    @property
    def folder(self) -> Path:
        """The directory of this seed."""
        return self.out / f"seed-{self.seed}"

    @property
    def store(self) -> Path:
        """The store of what was collected."""
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
        """Return the agents after a round; after round 0, those that have learned nothing.

        The agent that asks a language model is always the same: with the base or a tuned model, and with a memory in
        its prompt or without. What only compares is measured after the last round.
        """
        config, rows = self.config, dict[str, str]()
        shown = f"+memory:{self.memory}" if config.remembers else ""
        last = number == config.rounds
        if config.tunes and number == 0:
            rows[BASE] = f"saycan:{self.base()}"
        elif config.tunes:
            tuned = f"saycan:{self.run(number, config.method) / 'model'}"
            rows[WEIGHTS] = tuned
            rows |= {BOTH: f"{tuned}{shown}"} if shown else {}
            rows |= {PROMPTED: f"saycan:{self.base()}{shown}"} if shown and last else {}
            rows |= {PLAIN: f"saycan:{self.run(number, config.against) / 'model'}"} if last and config.against else {}
        if number == 0:
            rows[NOTHING] = "skills:"
        elif config.remembers:
            rows[MEMORY] = f"skills:{self.memory}"
        return [LoopAgent(row, agent, f"round-{number} {row}") for row, agent in rows.items()]

    def models(self) -> dict[str, str]:
        """Return the base, and the models that the last round tuned, by their rows."""
        config = self.config
        methods = {WEIGHTS: config.method} | ({PLAIN: config.against} if config.against else {})
        return {BASE: self.base(), **{row: str(self.run(config.rounds, one) / "model") for row, one in methods.items()}}

    def best(self, number: int) -> LoopAgent:
        """Return the agent that collects in the next round: the planner with the memory, or else the tuned model."""
        rows = {actor.row: actor for actor in self.actors(number)}
        return next(rows[row] for row in (MEMORY, WEIGHTS) if row in rows)

    def tasks(self, number: int) -> Sequence[Task]:
        """Return the new tasks of a round."""
        begin = self.config.explored + (number - 1) * self.config.tasks
        return self._training()[begin : begin + self.config.tasks]

    def explored(self) -> Sequence[Task]:
        """Return the tasks that are explored without regard to their goal."""
        return self._training()[: self.config.explored]

    def scenes(self) -> Iterator[Task]:
        """Yield tasks without a goal, without end, for goals that the curriculum proposes."""
        return tasks.scenes(self.config.env, self.seed)

    def collected(self, trajectories: Iterable[Trajectory], number: int) -> list[str]:
        """Return the ids of what was collected up to a round, in the order of the tasks, not that of playing.

        Args:
            trajectories: What was collected in all rounds so far.
            number: The round.
        """
        played = [*self.explored(), *(task for one in range(1, number + 1) for task in self.tasks(one))]
        places = {task.id: place for place, task in enumerate(played)}
        own = number * self.config.proposed
        found = []
        for one in trajectories:
            attempt = _ATTEMPT.match(one.task.id)
            place = places.get(one.task.id) if attempt is None else len(places) + int(attempt[1])
            if place is not None and place < len(places) + own and one.parent is None:
                found.append((place, one.id))
        return [id_ for _, id_ in sorted(found)]

    def held_out_tasks(self) -> Mapping[str, Sequence[Task]]:
        """Return the tasks that are measured on, by group; nothing is learned from them."""
        config = self.config
        known = frozenset(task.id for task in self._training())
        return tasks.held_out_tasks(config.env, config.held_out, self.seed, split=config.tunes, known=known)

    def _training(self) -> Sequence[Task]:
        config = self.config
        count = config.explored + config.rounds * config.tasks
        return tasks.training_tasks(config.env, count, self.seed, split=config.tunes)
