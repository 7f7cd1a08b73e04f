"""The results of a loop: goals reached after each round, steps, tokens, and forgetting.

They are read from the stores of held-out tasks and the runs' evaluations, so they can be computed at any time, for the
rounds that are there. Not here: tables and pages (`pathei.views`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import mean
from typing import Final, NamedTuple

from ..experience import Json, Trajectory
from ..learners.evaluation.intervals import Interval, wilson
from ..learners.evaluation.paired import PairedComparison, mcnemar
from ..store import ExperienceStore
from .experience import AGENT
from .workspace import BASE, BOTH, MEMORY, NOTHING, PLAIN, PROMPTED, ROWS, WEIGHTS, LoopWorkspace

ALL: Final = "all"


@dataclass(frozen=True, slots=True)
class LoopScore:
    """How one agent of one seed did on one group of held-out tasks after one round."""

    row: str
    round: int
    seed: int
    group: str
    success: tuple[bool, ...]
    """For each task; an episode that failed is no success."""
    steps: tuple[int, ...]
    """Of the episodes that succeeded."""
    tokens: int
    """Tokens that language models read and wrote, all episodes together."""
    failures: int
    """Episodes that failed or are missing."""


@dataclass(frozen=True, slots=True)
class LoopResult:
    """The results of a loop."""

    scores: tuple[LoopScore, ...]
    lost: Mapping[tuple[str, int, int], Interval] = field(default_factory=dict)
    """Forgetting: the increase in nats per token on retention text, by row, round and seed."""
    alone: Mapping[tuple[int, int], float] = field(default_factory=dict)
    """The share of a round's new tasks that the agent reached without search, by round and seed."""
    foretold: Mapping[tuple[str, int], float] = field(default_factory=dict)
    """Nats per token of plans that reach held-out goals, in the end, by row and seed."""

    @property
    def rounds(self) -> list[int]:
        """The rounds that are measured, in order."""
        return sorted({score.round for score in self.scores})

    @property
    def groups(self) -> list[str]:
        """The groups of held-out tasks."""
        return list(dict.fromkeys(score.group for score in self.scores))

    def rows(self, number: int | None = None) -> list[str]:
        """Return the agents that were measured after a round, or at all."""
        there = {score.row for score in self.scores if number in (None, score.round)}
        there |= {row for row, when, _ in self.lost if number in (None, when)}
        there |= {row for row, _ in self.foretold if number is None}
        return [row for row in ROWS if row in there]

    def last(self, row: str) -> int | None:
        """Return the last round after which an agent was measured; None if it never was."""
        played = [score.round for score in self.scores if score.row == row]
        return max([*played, *(when for name, when, _ in self.lost if name == row)], default=None)

    def success(self, row: str, number: int, group: str = ALL) -> Interval | None:
        """Return the share of goals reached with its 95 % interval (Wilson's), of all seeds together."""
        won = [one for score in self._of(row, number, group) for one in score.success]
        return wilson(sum(won), len(won)) if won else None

    def paired(self) -> list[tuple[str, str, PairedComparison]]:
        """Return what each of two agents reached in the end and the other did not, on the same tasks."""
        played = {score.row for score in self.scores}
        arms: list[str] = [row for row in (BASE, PROMPTED, WEIGHTS, BOTH) if row in played]
        pairs = [(first, second) for second, first in combinations(arms, 2)]
        pairs += [(MEMORY, row) for row in (NOTHING, BOTH) if {MEMORY, row} <= played]
        found = []
        for first, second in pairs:
            one, other = self._last(first), self._last(second)
            both = [key for key in one if key in other]
            won = [(a, b) for key in both for a, b in zip(one[key], other[key], strict=True)]
            found.append((first, second, mcnemar([a for a, _ in won], [b for _, b in won])))
        return found

    def steps(self, row: str, number: int) -> float | None:
        """Return the mean number of steps to a goal that was reached; None if none was."""
        steps = [count for score in self._of(row, number, ALL) for count in score.steps]
        return mean(steps) if steps else None

    def tokens(self, row: str, number: int) -> float:
        """Return how many tokens language models read and wrote for each episode, on average."""
        scores = self._of(row, number, ALL)
        return sum(score.tokens for score in scores) / max(1, sum(len(score.success) for score in scores))

    def language(self, row: str, number: int) -> tuple[float, float] | None:
        """Return the mean forgetting over seeds, and half the distance of the extremes; None if not measured."""
        values = [one.value for (name, when, _), one in self.lost.items() if (name, when) == (row, number)]
        return (mean(values), (max(values) - min(values)) / 2) if values else None

    def plan_nats(self, row: str) -> float | None:
        """Return how many nats per token a plan that reaches a held-out goal takes, on average over seeds."""
        values = [nats for (name, _), nats in self.foretold.items() if name == row]
        return mean(values) if values else None

    def forgetting(self) -> tuple[float, float] | None:
        """Return the forgetting of the method and of tuning without it, in nats per token; None if not measured."""
        lost = [one for row in (WEIGHTS, PLAIN) if (one := self.language(row, max(self.rounds, default=0)))]
        return (lost[0][0], lost[1][0]) if len(lost) > 1 else None

    def json(self) -> dict[str, Json]:
        """Return everything as plain JSON."""
        table: list[Json] = []
        for number in self.rounds:
            for row in self.rows(number):
                cells = {group: found for group in (*self.groups, ALL) if (found := self.success(row, number, group))}
                language = self.language(row, number)
                table.append(
                    {
                        "round": number,
                        "agent": row,
                        "success": {group: one._asdict() for group, one in cells.items()},
                        "steps": self.steps(row, number),
                        "tokens": self.tokens(row, number),
                        "failures": sum(score.failures for score in self._of(row, number, ALL)),
                        "forgetting": None if language is None else language[0],
                    }
                )
        pairs: list[Json] = [
            {"first": first, "second": second, **found._asdict()} for first, second, found in self.paired()
        ]
        alone = {f"round {number}, seed {seed}": share for (number, seed), share in self.alone.items()}
        foretold: dict[str, Json] = {row: nats for row in self.rows() if (nats := self.plan_nats(row)) is not None}
        return {"table": table, "paired": pairs, "new_tasks_reached_alone": alone, "foretold": foretold}

    def _last(self, row: str) -> dict[tuple[int, str], tuple[bool, ...]]:
        """Return what an agent reached after its last round, by seed and group."""
        scores = [one for one in self.scores if (one.row, one.round) == (row, self.last(row))]
        return {(one.seed, one.group): one.success for one in scores}

    def _of(self, row: str, number: int, group: str) -> list[LoopScore]:
        wanted = (row, number)
        return [one for one in self.scores if (one.row, one.round) == wanted and group in (ALL, one.group)]


def scores_of(place: LoopWorkspace) -> list[LoopScore]:
    """Return the scores of one seed, of all agents that have played every held-out task."""
    played: dict[str, dict[str, _Episode]] = {}
    with ExperienceStore.open(place.held_out, mode="read") as store:
        for one in store.trajectories(roots=True):
            read = _Episode(bool(one.success), len(one.steps), sum(_tokens(one)))
            played.setdefault(one.collector, {})[one.task.id] = read
    groups, found = place.held_out_tasks(), []
    for number in range(place.config.rounds + 1):
        for actor in place.actors(number):
            for group, tasks in groups.items():
                mine = [played.get(actor.collector, {}).get(task.id) for task in tasks]
                found.append(_score(actor.row, number, place.seed, group, mine))
    return [score for score in found if score.failures < len(score.success)]


def alone(place: LoopWorkspace, number: int) -> float:
    """Return the share of a round's new tasks that the agent reached without search."""
    ids = {task.id for task in place.tasks(number)}
    with ExperienceStore.open(place.store, mode="read") as store:
        won = {
            one.task.id
            for one in store.trajectories(success=True, roots=True)
            if one.collector == AGENT and one.task.id in ids
        }
    return len(won) / len(ids)


class _Episode(NamedTuple):
    """What is counted of an episode."""

    success: bool
    steps: int
    tokens: int


def _score(row: str, number: int, seed: int, group: str, played: Sequence[_Episode | None]) -> LoopScore:
    there = [one for one in played if one is not None]
    return LoopScore(
        row,
        number,
        seed,
        group,
        tuple(one is not None and one.success for one in played),
        tuple(one.steps for one in there if one.success),
        sum(one.tokens for one in there),
        len(played) - len(there),
    )


def _tokens(trajectory: Trajectory) -> Iterable[int]:
    for notes in (*(step.info.get("agent") for step in trajectory.steps), trajectory.provenance.get("ending")):
        usage = notes.get("usage") if isinstance(notes, dict) else None
        if isinstance(usage, dict):
            yield int(usage.get("prompt_tokens", 0)) + int(usage.get("completion_tokens", 0))
