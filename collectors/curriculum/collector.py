"""The automatic curriculum: a proposer chooses goals, a player tries them, the world checks them, and on it goes.

Each attempt resets the next household, asks the proposer for a goal, and lets the player play it. Whether the goal was
reached is what the world says when its conditions are checked in the real episode. A goal that was missed is tried
again in the same household, not at once but after a pause that doubles with every failure, and given up after a few.

Nothing is saved but the records. Proposer, player and the goals that wait are functions of the records in their order;
`resume` tells them the records of a store again, and the run goes on as if it had never stopped, whatever killed it.
Left out: choosing households, and storing.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import gymnasium
import numpy as np

from ...envs import contract
from ...envs.goal_space import GoalCandidate, GoalSpaceProvider
from ...errors import ConfigError, PatheiError, at_least, check
from ...experience import Failure, Json, Record, Task, Trajectory
from ...store import ExperienceStore
from ..protocol import trajectory_id
from ..rollout.episode import Envs, PutImage, Recorder, one_line
from .players import Player
from .proposers import GoalAttempt, GoalProposal, GoalProposer, Situation

COLLECTOR = "curriculum"
_SLUG = 48
"""The goal's words take up to so many characters of a task's id."""


@dataclass(frozen=True, slots=True)
class CurriculumConfig:
    """How a curriculum is run."""

    run: str = "curriculum"
    """The run's name: task ids begin with it. Runs in one store need names of their own."""
    env_steps: int | None = None
    """Stop after so many transitions of the world, those of searches included; None for no limit."""
    max_steps: int = 30
    """An episode is cut off after so many steps."""
    pause: int = 8
    """After a goal's first failure so many attempts pass before it is tried again, after each more twice as many."""
    retries: int = 3
    """So often a goal is tried again; 0 for never."""
    retry_share: float = 0.1
    """At most this share of all transitions is spent on retries, in [0, 1]: what failed once is likely to fail again,
    and failures cost most."""

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: at least one is out of range; all are named.
        """
        rules = {
            "run must be a name without a slash": bool(self.run) and "/" not in self.run,
            **at_least(self, env_steps=1, max_steps=1, pause=1, retries=0),
            "retry_share must be in [0, 1]": 0 <= self.retry_share <= 1,
        }
        check(rules, "curriculum configuration")


class RetryQueue(NamedTuple):
    """A goal to be tried again."""

    due: int
    """From this attempt on."""
    task: Task
    """As it was tried last: the household and the goal."""
    failures: int
    """How often it was missed so far."""


class Curriculum:
    """The collector. It learns from one task to the next, so its records depend on those before them."""

    def __init__(
        self,
        spaces: GoalSpaceProvider,
        proposer: GoalProposer,
        player: Player,
        config: CurriculumConfig | None = None,
        *,
        seed: int = 0,
        put_image: PutImage | None = None,
    ) -> None:
        """Prepare to collect.

        Args:
            spaces: The goals of the kind of world that the tasks are in.
            proposer: Chooses goals; new, as `resume` tells it what happened.
            player: Tries them; new, too.
            config: How to run.
            seed: What everything random follows from, together with the number of the attempt.
            put_image: Stores an image and returns its SHA-256; needed where observations hold images.
        """
        self._spaces = spaces
        self._proposer = proposer
        self._player = player
        self._config = CurriculumConfig() if config is None else config
        self._seed = seed
        self._put_image = put_image
        self._envs = Envs()
        self._attempts = 0
        self._steps = 0
        self._retry_steps = 0
        self._waiting: list[RetryQueue] = []

    @property
    def attempts(self) -> int:
        """How many attempts there were, those of resumed records included."""
        return self._attempts

    @property
    def env_steps(self) -> int:
        """How many transitions of the world they cost, those of searches included."""
        return self._steps

    @property
    def waiting(self) -> tuple[RetryQueue, ...]:
        """The goals that are to be tried again, in the order in which they were missed."""
        return tuple(self._waiting)

    def resume(self, store: ExperienceStore) -> int:
        """Learn from what a store holds of this run, and return how many attempts there were.

        Call it on a new curriculum, configured as the one that was stopped.

        Raises:
            ConfigError: this curriculum has made attempts already, or the run in the store lacks some.
        """
        if self._attempts:
            raise ConfigError("A curriculum resumes before its first attempt: make a new one.")
        for number, record in enumerate(run_records(store, self._config.run)):
            if _number(record.task, self._config.run) != number:
                raise ConfigError(
                    f"The run {self._config.run!r} in {store.path} lacks attempt {number}, so it cannot go on: "
                    "give it another name, and it begins anew."
                )
            self._take_in(record)
        return self._attempts

    def collect(self, tasks: Iterable[Task]) -> Iterator[Record]:
        """Make one attempt for each task, in its household; the goal and the id are the curriculum's own.

        After `resume` the tasks of the attempts already made are passed over, so give the same tasks again.

        Args:
            tasks: Households: environment, seed and options. Their goals do not matter. May be endless.

        Raises:
            ConfigError, GoalError: the world offers no goals, or none of the kind expected.
            ModelError: the proposer's language model cannot be reached.
        """
        done, limit = self._attempts, self._config.env_steps
        for place, household in enumerate(tasks):
            if limit is not None and self._steps >= limit:
                return
            if place < done:
                continue
            record = self._attempt(household)
            self._take_in(record)
            yield record

    def close(self) -> None:
        """Close the environments."""
        self._envs.close()

    # --- one attempt

    def _attempt(self, household: Task) -> Record:
        rng = np.random.default_rng([self._seed % 2**64, self._attempts])
        again = self._due()
        if again is not None:
            return self._play(
                self._named(again.task, GoalCandidate(again.task.goal, ())), {"retry": again.failures}, rng
            )
        try:
            env = self._envs.get(household)
            proposal = self._propose(env, household, rng)
        except PatheiError:
            raise  # nothing is wrong with this household alone
        except Exception as error:  # noqa: BLE001  # a world may raise anything, and it is kept as a Failure
            self._envs.drop(household)
            return Failure(self._named(household, None), "reset", one_line(error))
        return self._play(self._named(household, proposal.aim), {"proposal": dict(proposal.why)}, rng)

    def _propose(self, env: gymnasium.Env[Any, Any], household: Task, rng: np.random.Generator) -> GoalProposal:
        observation, info = env.reset(seed=household.seed, options=dict(household.options))
        seen = contract.observe(observation, info, self._put_image).seen()
        return self._proposer.propose(Situation(self._spaces.present(env), seen), rng)

    def _play(self, task: Task, origin: dict[str, Json], rng: np.random.Generator) -> Record:
        try:
            env = self._envs.get(task)
        except Exception as error:  # noqa: BLE001  # a world may raise anything while it is made, and it is kept
            return Failure(task, "make", one_line(error))
        recorder = Recorder(env, task, max_steps=self._config.max_steps, put_image=self._put_image)
        try:
            recorder.reset()
            planned = self._player.attempt(recorder, rng)
        except Exception as error:  # noqa: BLE001  # a world or a player may raise anything, and it is kept as a Failure
            self._envs.drop(task)
            return recorder.failure(error)
        origin |= {"seed": self._seed, "env_steps": planned + len(recorder.steps)}
        return recorder.trajectory(trajectory_id(task, COLLECTOR, self._seed), COLLECTOR, origin)

    def _named(self, household: Task, aim: GoalCandidate | None) -> Task:
        goal = household.goal if aim is None else aim.goal
        slug = re.sub(r"[^a-z0-9]+", "-", goal.text.lower())[:_SLUG].strip("-") or "goal"
        return dataclasses.replace(household, id=f"{self._config.run}/{self._attempts:06d}-{slug}", goal=goal)

    def _due(self) -> RetryQueue | None:
        """Return the goal that has been due longest, if the share of steps that retries may cost is not used up."""
        due = [one for one in self._waiting if one.due <= self._attempts]
        if not due or self._retry_steps > self._config.retry_share * self._steps:
            return None
        return min(due, key=lambda one: one.due)

    # --- learning, from new records and from those of a store alike

    def _take_in(self, record: Record) -> None:
        task = record.task
        success = isinstance(record, Trajectory) and record.success is True
        steps = int(record.provenance.get("env_steps", 0)) if isinstance(record, Trajectory) else 0
        if task.goal.conditions:
            why = record.provenance.get("proposal", {}) if isinstance(record, Trajectory) else {}
            self._proposer.update(GoalAttempt(self._spaces.aim(task.goal), success, steps, why))
            self._wait(task, success)
        if isinstance(record, Trajectory):
            self._player.learn(record)
        self._attempts += 1
        self._steps += steps
        if isinstance(record, Trajectory) and "retry" in record.provenance:
            self._retry_steps += steps

    def _wait(self, task: Task, success: bool) -> None:
        same = next((one for one in self._waiting if _same(one.task, task)), None)
        if same is not None:
            self._waiting.remove(same)
        failures = 1 if same is None else same.failures + 1
        if not success and failures <= self._config.retries:
            due = self._attempts + self._config.pause * 2 ** (failures - 1)
            self._waiting.append(RetryQueue(due, task, failures))


def run_records(store: ExperienceStore, run: str) -> Iterator[Record]:
    """Yield a run's root trajectories and failures in the order in which they came about.

    Raises:
        StoreError: the store is damaged.
    """
    failures = sorted(
        ((number, record) for record in store.failures() if (number := _number(record.task, run)) is not None),
        key=lambda pair: pair[0],
    )
    waiting = iter(failures)
    following = next(waiting, None)
    for trajectory in store.trajectories(collector=COLLECTOR, roots=True):
        number = _number(trajectory.task, run)
        if number is None:
            continue
        while following is not None and following[0] < number:
            yield following[1]
            following = next(waiting, None)
        yield trajectory
    while following is not None:
        yield following[1]
        following = next(waiting, None)


def _number(task: Task, run: str) -> int | None:
    name, _, rest = task.id.partition("/")
    number = rest.partition("-")[0]
    return int(number) if name == run and number.isdecimal() else None


def _same(one: Task, other: Task) -> bool:
    """Whether two attempts were at the same goal in the same household."""
    return dataclasses.replace(one, id="") == dataclasses.replace(other, id="")


__all__ = ["COLLECTOR", "Curriculum", "CurriculumConfig", "RetryQueue", "run_records"]
