"""Verifying a result file: every episode is done again, and what comes out must be what the file says.

The tasks are not taken from the file: they are generated again from their seed, or given to the verifier. Only
environments and task sets that this pathei knows by name are used, as a file comes from a stranger. Not here: the
form of the file (`pathei.export.results`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from ..agents.protocol import Finished
from ..envs.registry import ENVS, get_env
from ..errors import VerificationError
from ..experience import Failure, Goal, Observation, Record, Task
from ..export.results import (
    EpisodeResult,
    ResultFile,
    end_hash,
    list_hash,
    read_results,
    search_steps,
    task_hash,
    tokens_of,
)
from ..store import ExperienceStore
from .rollout.policy import AgentPolicy
from .rollout.pool import collect_parallel, records_of
from .rollout.rollout import Rollout
from .tasks import read_tasks, tasks_named

_MOST_TASKS: Final = 100_000
"""How many tasks a file may ask to be generated."""


@dataclass(frozen=True, slots=True)
class SpentExperience:
    """How much experience something took."""

    episodes: int = 0
    """Episodes, branches not counted."""
    steps: int = 0
    """Steps that were recorded, those of branches included."""
    search: int = 0
    """Transitions that a search made besides, as it counted them."""
    tokens: int = 0
    """Tokens that language models read and wrote, as the agent counted them."""


@dataclass(frozen=True, slots=True)
class VerifiedResults:
    """What a result file proves."""

    file: ResultFile
    """The file."""
    tasks: int
    """How many tasks the list has."""
    list_sha256: str
    """The list's `list_hash`."""
    solved: int
    """In how many of them the goal held at the end."""
    spent: SpentExperience
    """What playing them took; its steps were done again."""
    learned: SpentExperience
    """What the agent had learned from, counted in the stores that were given."""

    @property
    def success(self) -> float:
        """The share of the tasks that were solved; a task without an episode was not."""
        return self.solved / self.tasks if self.tasks else 0.0


def verify_results(
    path: str | Path,
    *,
    tasks: str | Path | None = None,
    steps: int | None = None,
    learned_from: Iterable[str | Path] = (),
    workers: int = 2,
    timeout: float = 300.0,
    watch: Callable[[Sequence[Record]], None] | None = None,
) -> VerifiedResults:
    """Do the episodes of a result file again.

    Args:
        path: The file.
        tasks: A file with the tasks that it must be about; what the file says is generated if None.
        steps: The longest episode that is allowed; what the file says if None.
        learned_from: Stores of what the agent has learned from: none of the tasks may be in them.
        workers: How many processes play; 0 for this one alone.
        timeout: How long one episode may take with workers, in seconds.
        watch: Called with the records of each episode.

    Raises:
        VerificationError: the file is not whole, is over its budget, is about other tasks, or says what did not happen.
        PatheiError: its environment is not installed, or a store cannot be read.
        WorkerError: workers cannot be started.
    """
    file = read_results(path)
    listed = _listed(path, file, tasks)
    by_hash = {task_hash(task): task for task in listed}
    limit = file.steps if steps is None else min(steps, file.steps)
    _within_budget(path, file, by_hash, limit)
    learned = _learned(learned_from, listed)
    claimed = {by_hash[one.task].id: one for one in file.episodes}
    played = [task for task in listed if task.id in claimed]  # in the list's order: neighbours often share a scene
    make = partial(_performer, {id_: one.actions for id_, one in claimed.items()}, file.steps)
    records = collect_parallel(make, played, workers=workers, timeout=timeout) if workers else _here(make(), played)
    solved = done = 0
    for record in records:
        done += 1
        solved += _confirmed(path, record, claimed[record.task.id])
        if watch is not None:
            watch([record])
    if done != len(played):
        raise VerificationError(f"Of the {len(played)} episodes of {path}, {done} could be done again.")
    spent = SpentExperience(
        len(played),
        sum(len(one.actions) for one in file.episodes),
        sum(one.search for one in file.episodes),
        sum(one.tokens for one in file.episodes),
    )
    return VerifiedResults(file, len(listed), list_hash(listed), solved, spent, learned)


def _here(collector: Rollout, tasks: Sequence[Task]) -> Iterable[Record]:
    try:
        for task in tasks:
            yield from records_of(collector, task)
    finally:
        collector.close()


def _listed(path: str | Path, file: ResultFile, given: str | Path | None) -> list[Task]:
    """Return the tasks that a file is about."""
    env, name = file.tasks["env"], file.tasks["tasks"]
    if env not in ENVS.names():
        raise VerificationError(
            f"The environment {env!r} of {path} has no name here: `pathei env list` shows those that have."
        )
    spec = get_env(env)
    if given is not None:
        return read_tasks(given, spec.id)
    if not name.isdecimal() and name not in spec.task_sets:
        raise VerificationError(f"The tasks of {path} are those of a file, {name!r}: give it with --tasks.")
    if name.isdecimal() and int(name) > _MOST_TASKS:
        raise VerificationError(
            f"The list of {path} has {name} tasks, and {_MOST_TASKS} is the most that is generated."
        )
    return tasks_named(name, spec, seed=file.tasks["seed"], characters=file.tasks["characters"])


def _within_budget(path: str | Path, file: ResultFile, by_hash: dict[str, Task], steps: int) -> None:
    """Refuse episodes that are too long, too many, or of other tasks.

    Raises:
        VerificationError: there is one.
    """
    seen = set[str]()
    for number, one in enumerate(file.episodes, 2):
        if one.task not in by_hash:
            raise VerificationError(
                f"Line {number} of {path} is about a task that is not in the list of {len(by_hash)}."
            )
        name = by_hash[one.task].id
        if one.task in seen:
            raise VerificationError(f"The task {name!r} has two episodes in {path}, and only one attempt counts.")
        seen.add(one.task)
        if len(one.actions) > steps:
            raise VerificationError(
                f"The episode of task {name!r} in {path} has {len(one.actions)} actions, and its budget is {steps}."
            )


def _learned(stores: Iterable[str | Path], tasks: Sequence[Task]) -> SpentExperience:
    """Count what an agent has learned from, and refuse it where the tasks are among it.

    Raises:
        VerificationError: one of them is.
    """
    held_out = {task_hash(replace(task, id="")) for task in tasks}
    total = SpentExperience()
    for path in stores:
        with ExperienceStore.open(path, mode="read") as store:
            for one in store.trajectories():
                if task_hash(replace(one.task, id="")) in held_out:
                    raise VerificationError(
                        f"The task {one.task.id!r} was not held out: {path}, which the agent has learned from, has it."
                    )
                total = SpentExperience(
                    total.episodes + (one.parent is None),
                    total.steps + len(one.steps),
                    total.search + search_steps(one),
                    total.tokens + tokens_of(one),
                )
    return total


def _confirmed(path: str | Path, record: Record, claimed: EpisodeResult) -> bool:
    """Compare an episode that was done again with what the file says; return whether its goal was reached.

    Raises:
        VerificationError: they differ.
    """
    name = record.task.id
    if isinstance(record, Failure):
        raise VerificationError(f"The episode of task {name!r} in {path} cannot be done again: {record.error}.")
    if len(record.steps) != len(claimed.actions):
        raise VerificationError(
            f"The episode of task {name!r} in {path} is over after {len(record.steps)} actions, and the file has "
            f"{len(claimed.actions)}."
        )
    if record.success is not claimed.success:
        raise VerificationError(
            f"The file {path} says that task {name!r} ends with success {claimed.success}, and done again it ends with "
            f"{record.success}."
        )
    if end_hash(record) != claimed.end:
        raise VerificationError(
            f"The episode of task {name!r} in {path}, done again, ends with another observation: the environment is "
            "not the same, or not deterministic."
        )
    return record.success is True


class _Performed:
    """Does what was done before, whatever it perceives."""

    def __init__(self, actions: Sequence[str]) -> None:
        self._left = iter(actions)

    def act(self, observation: Observation, goal: Goal) -> str:
        """Return the next action; raises `Finished` when there is none."""
        for action in self._left:
            return action
        raise Finished("The recorded actions are at their end.")


def _performer(actions: dict[str, tuple[str, ...]], steps: int) -> Rollout:
    """Make the collector that does recorded actions again, in the process that plays."""
    policy = AgentPolicy(lambda task: _Performed(actions[task.id]))
    return Rollout(policy, name="verify", max_steps=max(1, steps))
