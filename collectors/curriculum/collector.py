"""The automatic curriculum: a proposer chooses goals, a policy tries them, and the environment checks them.

Each attempt resets the next environment, asks the proposer for a goal, and lets the policy play it. The environment
decides whether the goal was reached: it checks the conditions in the real episode. A goal that was missed is tried
again in the same environment, not at once but after a pause that doubles with every failure, and given up after a few.
No attempt is spent on a goal that holds where it would be begun, as it may in a world that goes on: a retry is then
forgotten, and the proposer is asked for another goal.

Nothing is saved but the records. The state of the proposer, the policy and the retry queue is a function of the records
in their order; `resume` replays the records of a store to them, and the run goes on as if it had never stopped,
whatever stopped it. Not here: choosing environments, and storing (`collect`).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np

from ...envs import contract
from ...envs.goal_space import GoalSpaceProvider
from ...envs.registry import get_env, get_goal_space
from ...errors import ConfigError, ContractError, PatheiError, at_least, check
from ...experience import Failure, Goal, Json, Record, Task, Trajectory
from ...registry import one_line
from ...store import ExperienceStore
from ..rollout.episode import PutImage
from ..rollout.policy import Policy
from ..rollout.rollout import Rollout
from .proposers import GoalAttempt, GoalProposal, GoalProposer, Situation

COLLECTOR = "curriculum"
ENVIRONMENTS = 20
"""How many different environments a run goes round, so that what is learned in one can be tried again in it."""
_ASKED = 16
"""How many goals of a proposer may hold already before one counts as an attempt, so that a run comes to an end."""
_SLUG = 48
"""The goal's words take up to this many characters of a task's id."""


@dataclass(frozen=True, slots=True)
class CurriculumConfig:
    """How a curriculum is run."""

    run: str = "curriculum"
    """The run's name: task ids begin with it. Runs in one store need names of their own."""
    env_steps: int | None = None
    """Stop after this many transitions of the environment, those of searches included; None for no limit."""
    max_steps: int = 30
    """The longest episode."""
    pause: int = 8
    """How many attempts pass after a goal's first failure before it is tried again; twice as many after each more."""
    retries: int = 3
    """How often a goal is tried again; 0 for never."""
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
    """As it was tried last: the environment and the goal."""
    failures: int
    """How often it was missed so far."""


class Curriculum:
    """The collector. It learns from one task to the next, so its records depend on those before them."""

    def __init__(
        self,
        goals: GoalSpaceProvider,
        proposer: GoalProposer,
        policy: Policy,
        config: CurriculumConfig | None = None,
        *,
        seed: int = 0,
        put_image: PutImage | None = None,
    ) -> None:
        """Prepare to collect.

        Args:
            goals: The goals of the environment that the tasks are in.
            proposer: Chooses goals; new, as `resume` replays the attempts to it.
            policy: Tries them; new, too.
            config: How to run.
            seed: Determines everything random, together with the number of the attempt.
            put_image: Stores an image and returns its SHA-256; needed where observations hold images.
        """
        self._goals = goals
        self._proposer = proposer
        self._config = CurriculumConfig() if config is None else config
        self._seed = seed
        self._put_image = put_image
        max_steps = self._config.max_steps
        self._rollout = Rollout(policy, name=COLLECTOR, max_steps=max_steps, seed=seed, put_image=put_image)
        self.attempts = 0
        """How many attempts there were, those of resumed records included."""
        self.env_steps = 0
        """How many transitions of the environment they cost, those of searches included."""
        self._retry_steps = 0
        self._recalled: set[Path] = set()
        self._waiting: list[RetryQueue] = []

    def record_frames(self, put_image: PutImage) -> None:
        """Record what the environment draws with every observation from now on; see `Rollout.record_frames`."""
        self._put_image = put_image
        self._rollout.record_frames(put_image)

    @property
    def waiting(self) -> tuple[RetryQueue, ...]:
        """The goals that are to be tried again, in the order in which they were missed."""
        return tuple(self._waiting)

    def resume(self, store: ExperienceStore) -> int:
        """Learn from the records of this run in a store, and return how many attempts there were.

        Call it on a new curriculum, configured as the one that was stopped.

        Raises:
            ConfigError: this curriculum has made attempts already or has recalled this run, or the run in the store
                lacks some attempts.
        """
        if self.attempts:
            raise ConfigError("A curriculum resumes before its first attempt: make a new one.")
        if store.path.resolve() in self._recalled and any(run_records(store, self._config.run)):
            raise ConfigError(
                f"The run {self._config.run!r} in {store.path} goes on by itself: recall other runs than this one."
            )
        for number, record in enumerate(run_records(store, self._config.run)):
            if _number(record.task, self._config.run) != number:
                raise ConfigError(
                    f"The run {self._config.run!r} in {store.path} lacks attempt {number}, so it cannot go on: "
                    "give it another name to begin again."
                )
            self._take_in(record)
        return self.attempts

    def recall(self, store: ExperienceStore, *, env: str | None = None, run: str | None = None) -> int:
        """Learn from what other runs did, as in other worlds: what was reached, and how; return how many attempts.

        Those attempts do not count as this run's, and their misses are not tried again.

        Args:
            store: Where the other runs are.
            env: The gymnasium id of the environment of this run, if only attempts in that are to be learned from.
            run: The name of the other run; None for all in the store.

        Raises:
            ConfigError: this curriculum has made attempts already.
        """
        if self.attempts:
            raise ConfigError("A curriculum recalls other runs before its first attempt: make a new one.")
        if run is None or run == self._config.run:
            self._recalled.add(store.path.resolve())
        learned = 0
        for record in store.trajectories(collector=COLLECTOR, roots=True):
            named = run is None or _number(record.task, run) is not None
            if named and env in (None, record.task.env):
                self._learn(record)
                learned += 1
        return learned

    def collect(self, tasks: Iterable[Task]) -> Iterator[Record]:
        """Make one attempt for each task, in its environment; the goal and the id are the curriculum's own.

        After `resume` the tasks of the attempts already made are skipped, so give the same tasks again.

        Args:
            tasks: Where to play: environment, seed and options. Their goals do not matter. May be endless.

        Raises:
            ConfigError, GoalError: the environment offers no goals, or none of the kind expected.
            ModelError: the proposer's language model cannot be reached.
            Exception: whatever the proposer raises; nothing is recorded of that attempt.
        """
        done, limit = self.attempts, self._config.env_steps
        for place, task in enumerate(tasks):
            if limit is not None and self.env_steps >= limit:
                return
            if place < done:
                continue
            record = self._attempt(task)
            self._take_in(record)
            yield record

    def close(self) -> None:
        """Close the environments."""
        self._rollout.close()

    # --- one attempt

    def _attempt(self, given: Task) -> Record:
        while (again := self._due()) is not None:
            record = self._play(self._named(again.task, again.task.goal), {"retry": again.failures}, self._draws())
            if not _held(record):
                return record
            self._waiting.remove(again)
        rng = self._draws()
        for _ in range(_ASKED):
            record = self._propose_and_play(given, rng)
            if not _held(record):
                break
        return record

    def _draws(self) -> np.random.Generator:
        """Return what everything random of this attempt follows from, the same however often it is asked for."""
        return np.random.default_rng([self._seed % 2**64, self.attempts])

    def _propose_and_play(self, given: Task, rng: np.random.Generator) -> Record:
        try:
            situation = self._situation(self._rollout.envs.get(given), given)
        except PatheiError:
            raise  # nothing is wrong with this environment alone
        except Exception as error:  # noqa: BLE001  # an env may raise anything, and it is kept as a Failure
            self._rollout.envs.drop(given)
            return Failure(self._named(given, given.goal), "reset", one_line(error))
        proposal = self._proposer.propose(situation, rng)  # what it raises is no failure of this environment
        if not isinstance(proposal, GoalProposal):
            kind = type(self._proposer).__name__
            raise ContractError(f"{kind}.propose returned {proposal!r:.80}: it returns a GoalProposal.")
        return self._play(self._named(given, proposal.aim.goal), {"proposal": dict(proposal.why)}, rng)

    def _situation(self, env: gymnasium.Env[Any, Any], given: Task) -> Situation:
        observation, info = env.reset(seed=given.seed, options=dict(given.options))
        seen = contract.observe(observation, info, self._put_image).seen()
        return Situation(self._goals.present(env), seen)

    def _play(self, task: Task, origin: dict[str, Json], rng: np.random.Generator) -> Record:
        [record, *_], env_steps = self._rollout.play(task, rng)
        if isinstance(record, Failure):
            return record
        return dataclasses.replace(record, provenance={**record.provenance, **origin, "env_steps": env_steps})

    def _named(self, given: Task, goal: Goal) -> Task:
        slug = re.sub(r"[^a-z0-9]+", "-", goal.text.lower())[:_SLUG].strip("-") or "goal"
        return dataclasses.replace(given, id=f"{self._config.run}/{self.attempts:06d}-{slug}", goal=goal)

    def _due(self) -> RetryQueue | None:
        """Return the goal that has been due longest, if the share of steps that retries may cost is not used up."""
        due = [one for one in self._waiting if one.due <= self.attempts]
        if not due or self._retry_steps > self._config.retry_share * self.env_steps:
            return None
        return min(due, key=lambda one: one.due)

    # --- learning, from new records and from those of a store alike

    def _take_in(self, record: Record) -> None:
        attempt = self._learn(record)
        if attempt is not None:
            self._wait(record.task, attempt.success)
        steps = _steps(record)
        self.attempts += 1
        self.env_steps += steps
        if isinstance(record, Trajectory) and "retry" in record.provenance:
            self._retry_steps += steps

    def _learn(self, record: Record) -> GoalAttempt | None:
        """Let the proposer and the policy learn, and return the attempt; None where there was no goal."""
        won, why, attempt = False, {}, None
        if isinstance(record, Trajectory):
            won, why = record.success is True, record.provenance.get("proposal", {})
        if record.task.goal.conditions:
            attempt = GoalAttempt(self._goals.aim(record.task.goal), won, _steps(record), why)
            self._proposer.update(attempt)
        if isinstance(record, Trajectory):
            self._rollout.policy.learn(record)
        return attempt

    def _wait(self, task: Task, success: bool) -> None:
        same = next((one for one in self._waiting if _same(one.task, task)), None)
        if same is not None:
            self._waiting.remove(same)
        failures = 1 if same is None else same.failures + 1
        if not success and failures <= self._config.retries:
            due = self.attempts + self._config.pause * 2 ** (failures - 1)
            self._waiting.append(RetryQueue(due, task, failures))


def run_records(store: ExperienceStore, run: str) -> Iterator[Record]:
    """Yield a run's root trajectories and failures in the order of its attempts.

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


def _steps(record: Record) -> int:
    """Return how many transitions an attempt cost; 0 for a crash, of which nobody knows."""
    return int(record.provenance.get("env_steps", 0)) if isinstance(record, Trajectory) else 0


def _held(record: Record) -> bool:
    """Whether there was nothing to do, as the goal held at the beginning."""
    return isinstance(record, Trajectory) and not record.steps and record.success is True


def _same(one: Task, other: Task) -> bool:
    """Whether two attempts were at the same goal in the same environment."""
    return dataclasses.replace(one, id="") == dataclasses.replace(other, id="")


def practice_tasks(env: str, attempts: int, seed: int) -> list[Task]:
    """Return where to practise: a few of an environment's tasks, over and over, without their goals.

    The goal space chooses them where it offers `practice_tasks(count, seed)`; else the environment generates them.

    Args:
        env: The environment, by name.
        attempts: How many attempts there are to be.
        seed: Determines the tasks.

    Raises:
        ConfigError: the environment offers no goals.
        UnknownNameError: there is no such environment.
    """
    goals = get_goal_space(env)
    own = getattr(goals, "practice_tasks", None)
    tasks: Sequence[Task] = get_env(env).generate_tasks(ENVIRONMENTS, seed) if own is None else own(ENVIRONMENTS, seed)
    bare = [dataclasses.replace(task, goal=Goal("")) for task in tasks]
    return [bare[number % len(bare)] for number in range(attempts)]
