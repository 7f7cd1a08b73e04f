"""Executable contracts: `check_collector`, `check_policy` and `check_proposer`.

Call them from the tests of a collector, a policy or a goal proposer, as one calls gymnasium's `check_env`. Not here:
whether what they find is good.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import orjson

from ..envs import contract
from ..envs.goal_space import GoalSpaceProvider
from ..errors import ContractError, RecordError
from ..experience import Failure, Goal, Record, Task, Trajectory, decode, encode
from .curriculum.proposers import GoalAttempt, GoalProposal, GoalProposer, Situation
from .protocol import Collector, close_collector, trajectory_id
from .rollout.episode import Envs, Recorder
from .rollout.policy import Policy, PolicyReport


def check_collector(make: Callable[[], Collector], tasks: Sequence[Task], *, repeatable: bool = True) -> None:
    """Check that a collector keeps the contract of `Collector`.

    Tested: every task yields exactly one root or one failure; ids are unique, and parents come first; records
    are plain JSON; an episode does not go on after its end; and, in a new collector with the tasks in reverse order,
    the same task gives the same records.

    Args:
        make: Makes a new collector.
        tasks: The tasks to play, at least two, with different ids.
        repeatable: Whether to test the last point; False for a collector that learns from one task to the next.

    Raises:
        ContractError: the first problem found.
    """
    name, first = _collected(make, tasks)
    by_task = _grouped(name, first, tasks)
    _check_ids(name, first)
    for record in first:
        _check_record(name, record)
    if not repeatable:
        return
    _, second = _collected(make, list(reversed(tasks)))
    again = _grouped(name, second, tasks)
    for task in tasks:
        if by_task[task.id] != again[task.id]:
            raise ContractError(
                f"{name} played the task {task.id!r} differently when the tasks came in reverse order: let everything "
                "random follow from `episode_seed(seed, task)`, and carry nothing over from one task to the next."
            )


def check_policy(make: Callable[[], Policy], tasks: Sequence[Task], *, max_steps: int = 20) -> None:
    """Check that a policy keeps the contract of `Policy`.

    Tested: it resets the episode, and does not go on after its end; its report is plain JSON; it learns from the
    episode, and from one whose goal has no conditions, without an error; and two new policies that have learned from
    the same trajectories play the same actions from the same seed.

    Args:
        make: Makes a new policy.
        tasks: The tasks to play, at least one.
        max_steps: The longest episode.

    Raises:
        ContractError: the first problem found.
    """
    if not tasks:
        raise ContractError("check_policy needs at least one task.")
    envs = Envs()
    try:
        one, other = make(), make()
        name = type(one).__name__
        for number, task in enumerate(tasks):
            first, second = (_one_episode(policy, envs, task, number, max_steps) for policy in (one, other))
            if [step.action for step in first.steps] != [step.action for step in second.steps]:
                raise ContractError(
                    f"{name} played the task {task.id!r} differently with the same seed: let everything random follow "
                    "from `rng`, and everything learned from `learn`."
                )
            aimless = dataclasses.replace(first, task=dataclasses.replace(task, goal=Goal("look around")))
            for policy in (one, other):
                policy.learn(first)
                policy.learn(aimless)
    finally:
        envs.close()


def _one_episode(policy: Policy, envs: Envs, task: Task, seed: int, max_steps: int) -> Trajectory:
    name = type(policy).__name__
    recorder = Recorder(envs.get(task), task, max_steps=max_steps)
    report = policy.play(recorder, seed)
    if recorder.stage == "make":
        raise ContractError(f"{name} did not reset the episode: call `recorder.reset()` before the first step.")
    if not isinstance(report, PolicyReport) or report.env_steps < 0:
        raise ContractError(f"{name} returned {report!r}: return a PolicyReport with env_steps of at least 0.")
    played = recorder.trajectory(trajectory_id(task, "check", seed), "check", report.provenance)
    records = [played, *(report.branches(played) if report.branches is not None else ())]
    _check_ids(name, records)
    for record in records:
        _check_record(name, record)
    return played


def check_proposer(
    make: Callable[[], GoalProposer], goals: GoalSpaceProvider, tasks: Sequence[Task], *, attempts: int = 12
) -> None:
    """Check that a goal proposer keeps the contract of `GoalProposer`.

    Tested: it proposes goals with conditions, which the goal space reads back as the same; its reasons are plain JSON;
    it takes attempts that succeeded, failed and crashed; and two new proposers that were given the same attempts
    propose the same from the same random numbers.

    Args:
        make: Makes a new proposer.
        goals: The goals of the environment.
        tasks: Where goals are proposed, in turn, at least one.
        attempts: How many.

    Raises:
        ContractError: the first problem found.
    """
    if not tasks:
        raise ContractError("check_proposer needs at least one task.")
    envs = Envs()
    try:
        one, other = make(), make()
        name = type(one).__name__
        for number in range(attempts):
            situation = _situation(envs, goals, tasks[number % len(tasks)])
            first, second = (proposer.propose(situation, np.random.default_rng(number)) for proposer in (one, other))
            _check_proposal(name, first, goals)
            if first != second:
                raise ContractError(
                    f"{name} proposed {first.aim.template!r} and then {second.aim.template!r} from the same attempts "
                    "and the same random numbers: let its state follow from `update` alone."
                )
            crashed = number % 3 == 2
            attempt = GoalAttempt(first.aim, number % 3 == 0, 0 if crashed else 5, {} if crashed else first.why)
            for proposer in (one, other):
                proposer.update(attempt)
    finally:
        envs.close()


def _situation(envs: Envs, goals: GoalSpaceProvider, task: Task) -> Situation:
    env = envs.get(task)
    observation, info = env.reset(seed=task.seed, options=dict(task.options))
    return Situation(goals.present(env), contract.observe(observation, info, None).seen())


def _check_proposal(name: str, proposal: GoalProposal, goals: GoalSpaceProvider) -> None:
    aim = proposal.aim
    if not aim.parts or len(aim.parts) != len(aim.goal.conditions):
        raise ContractError(f"{name} proposed {aim.goal.text!r}, whose parts are not one for each of its conditions.")
    if goals.aim(aim.goal).template != aim.template:
        raise ContractError(f"{name} proposed {aim.template!r}, which the goal space reads as another goal.")
    try:
        same = orjson.loads(orjson.dumps(dict(proposal.why))) == dict(proposal.why)
    except TypeError as error:
        raise ContractError(f"{name} gave reasons that cannot be stored: {error}.") from error
    if not same:
        raise ContractError(
            f"{name} gave reasons that change once they are stored: use plain JSON, lists and no tuples."
        )


def _collected(make: Callable[[], Collector], tasks: Sequence[Task]) -> tuple[str, list[Record]]:
    collector = make()
    try:
        return type(collector).__name__, list(collector.collect(iter(tasks)))
    finally:
        close_collector(collector)


def _grouped(name: str, records: Sequence[Record], tasks: Sequence[Task]) -> dict[str, list[Record]]:
    by_task: dict[str, list[Record]] = {task.id: [] for task in tasks}
    if len(by_task) < max(2, len(tasks)):
        raise ContractError("check_collector needs at least two tasks, each with an id of its own.")
    known = {task.id: task for task in tasks}
    for record in records:
        if not isinstance(record, Trajectory | Failure):
            raise ContractError(f"{name} yielded a {type(record).__name__}, not a Trajectory or a Failure.")
        if record.task != known.get(record.task.id):
            raise ContractError(f"{name} yielded a record of the task {record.task.id!r}, which it was not given.")
        by_task[record.task.id].append(record)
    for id_, found in by_task.items():
        roots = sum(isinstance(record, Trajectory) and record.parent is None for record in found)
        failures = sum(isinstance(record, Failure) for record in found)
        if roots + failures != 1 or (failures and len(found) > 1):
            raise ContractError(
                f"{name} yielded {roots} roots and {failures} failures for the task {id_!r}: a task gives one root "
                "trajectory and its branches, or one failure and nothing else."
            )
    return by_task


def _check_ids(name: str, records: Sequence[Record]) -> None:
    lengths: dict[str, int] = {}
    for record in records:
        if isinstance(record, Trajectory):
            if record.id in lengths:
                raise ContractError(f"{name} gave two trajectories the id {record.id!r}: make it of the task's id.")
            parent = record.parent
            if parent is not None and not 0 <= parent.step <= lengths.get(parent.trajectory, -1):
                raise ContractError(
                    f"{name} yielded the branch {record.id!r} of {parent.trajectory!r} at step {parent.step}, and no "
                    "trajectory of that id and length came before: yield parents first."
                )
            lengths[record.id] = len(record.steps) + (0 if parent is None else parent.step)


def _check_record(name: str, record: Record) -> None:
    try:
        same = decode(encode(record)) == record
    except RecordError as error:
        raise ContractError(f"{name} yielded a record that cannot be stored: {error}") from error
    if not same:
        raise ContractError(
            f"{name} yielded a record of {record.task.id!r} that changes once it is stored and read: hold plain "
            "JSON values and tuples, no NumPy numbers and no lists where the record says tuple."
        )
    if isinstance(record, Failure):
        if not record.stage or not record.error:
            raise ContractError(f"{name} yielded a failure of {record.task.id!r} without a stage or an error.")
        return
    for t, step in enumerate(record.steps[:-1]):
        if step.terminated or step.truncated:
            raise ContractError(f"{name} went on after step {t} had ended the episode {record.id!r}.")
    if not isinstance(record.collector, str) or not record.collector:
        raise ContractError(f"{name} left the field `collector` of {record.id!r} empty.")
