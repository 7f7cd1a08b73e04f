"""The curriculum: attempts, retries with back-off, crashes, and going on after `kill -9` as if never stopped."""

import dataclasses
import itertools
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pathei.agents import RandomAgent, ScriptedAgent
from pathei.collectors.curriculum.collector import Curriculum, CurriculumConfig, run_records
from pathei.collectors.curriculum.proposers import GoalProposal, NoveltyProposer, Situation, UniformProposer
from pathei.collectors.rollout.episode import Envs, Recorder
from pathei.collectors.rollout.policy import AgentPolicy, Policy, PolicyReport, Rng
from pathei.collectors.search.collector import MctsConfig, SearchPolicy
from pathei.collectors.search.config import SearchConfig
from pathei.collectors.search.skill_policy import SkillPolicy
from pathei.envs import contract
from pathei.envs.virtualhome.goals.space import HomeGoals
from pathei.errors import ConfigError, StoreError
from pathei.experience import Failure, Goal, Record, Task, Trajectory, decode, encode
from pathei.store import ExperienceStore
from pathei.tests.support.switchboard import LAMPS, LampGoals, boards, curriculum

HOUSES = [Task(f"house-{n}", "pathei/VirtualHome-v0", n, Goal(""), {"scene": f"house:{n % 3}"}) for n in range(40)]


def idle() -> Policy:
    """Somebody who never reaches anything."""
    return AgentPolicy(lambda _: ScriptedAgent(["look red lamp"]))


class _Crashing:
    """Somebody in whose hands every third episode breaks."""

    def __init__(self) -> None:
        self.count = 0

    def play(self, recorder: Recorder, rng: Rng) -> PolicyReport:
        self.count += 1
        recorder.reset()
        recorder.step("crash" if self.count % 3 == 0 else "press red lamp")
        return PolicyReport()

    def learn(self, trajectory: Trajectory) -> None:
        pass


def played(config: CurriculumConfig, policy: Policy, count: int, seed: int = 0) -> list[Record]:
    running = Curriculum(LampGoals(), UniformProposer(), policy, config, seed=seed)
    return list(running.collect(boards(count)))


def index(record: Record) -> int:
    return int(record.task.id.split("/")[1].split("-")[0])


def test_every_attempt_is_recorded_with_its_goal_and_success_is_what_the_world_says() -> None:
    goals = HomeGoals()
    running = Curriculum(goals, NoveltyProposer(), SkillPolicy(goals, effort=200), seed=1)
    records = list(running.collect(HOUSES[:12]))
    assert [index(record) for record in records] == list(range(12)) == list(range(running.attempts))
    reached = 0
    envs = Envs()
    for record, house in zip(records, HOUSES, strict=False):
        assert isinstance(record, Trajectory)
        assert record.collector == "curriculum"
        assert record.task.goal.conditions
        if "proposal" in record.provenance:
            assert (record.task.seed, record.task.options) == (house.seed, house.options)
        assert decode(encode(record)) == record
        env = envs.get(record.task)
        _, info = contract.reset(env, record.task)
        for step in record.steps:
            _, _, _, _, info = env.step(step.action)
        assert bool(info["success"]) is bool(record.success)
        reached += bool(record.success)
    assert reached
    assert running.env_steps == sum(r.provenance["env_steps"] for r in records if isinstance(r, Trajectory))


def test_ids_tell_run_number_and_goal_and_are_the_same_each_time() -> None:
    one, other = (played(CurriculumConfig(run="mine"), idle(), 6) for _ in range(2))
    assert [encode(record) for record in one] == [encode(record) for record in other]
    words = one[0].task.goal.text.replace(" ", "-")[:48].strip("-")
    assert one[0].task.id == f"mine/000000-{words}"


def test_missed_goals_are_tried_again_in_the_same_world_after_pauses_that_double() -> None:
    config = CurriculumConfig(pause=2, retries=2, retry_share=1.0)
    tries: dict[tuple[str, int], list[int]] = defaultdict(list)
    for record in played(config, idle(), 200):
        tries[record.task.goal.text, record.task.seed].append(index(record))
    assert all(len(places) <= 3 for places in map(tuple, tries.values()))
    assert any(len(places) == 3 for places in tries.values())
    for places in tries.values():
        for number, (before, after) in enumerate(itertools.pairwise(places)):
            assert after - before >= 2 * 2**number


def test_retries_cost_no_more_than_their_share() -> None:
    config = CurriculumConfig(pause=1, retries=5, retry_share=0.2)
    records = played(config, idle(), 300)
    again = [record for record in records if isinstance(record, Trajectory) and "retry" in record.provenance]
    assert 0.15 < len(again) / len(records) <= 0.21
    none = played(CurriculumConfig(retries=0), idle(), 50)
    assert not any("retry" in record.provenance for record in none if isinstance(record, Trajectory))


@pytest.mark.parametrize("seed", range(20))
def test_no_attempt_is_spent_on_a_goal_that_holds_where_it_would_be_begun(seed: int) -> None:
    """In a life that goes on lamps come to be lit by the way; a resumed run is the same."""
    lives = [dataclasses.replace(board, options={"stay": True}) for board in boards(60)]
    policy = AgentPolicy(lambda _: RandomAgent(np.random.default_rng(seed)))
    config = CurriculumConfig(pause=1, retries=3, retry_share=1.0, max_steps=3)
    running = Curriculum(LampGoals(), UniformProposer(largest=2), policy, config, seed=seed)
    records = list(running.collect(lives))
    assert [index(record) for record in records] == list(range(60))
    assert any("retry" in record.provenance for record in records if isinstance(record, Trajectory))
    for record in records:
        assert isinstance(record, Trajectory)
        assert record.steps or all(lamp in record.final.text for lamp in LAMPS)  # then nothing else can be proposed


def test_a_run_comes_to_an_end_where_everything_holds() -> None:
    """When all lamps are lit, there is nothing else to propose."""
    policy = SkillPolicy(LampGoals(), effort=60)
    running = Curriculum(LampGoals(), UniformProposer(largest=1), policy, CurriculumConfig(max_steps=2), seed=0)
    stays = [dataclasses.replace(board, options={"stay": True}) for board in boards(12)]
    records = list(running.collect(stays))
    assert [isinstance(record, Trajectory) and len(record.steps) for record in records] == [1] * 4 + [0] * 8


def test_a_goal_that_is_reached_is_not_tried_again() -> None:
    running = Curriculum(LampGoals(), UniformProposer(largest=1), SkillPolicy(LampGoals(), effort=60), seed=0)
    records = list(running.collect(boards(30)))
    assert all(isinstance(record, Trajectory) and record.success for record in records)
    assert running.waiting == ()


def test_a_crash_is_a_failure_and_the_run_goes_on() -> None:
    records = played(CurriculumConfig(retries=0), _Crashing(), 9)
    failures = [record for record in records if isinstance(record, Failure)]
    assert [index(record) for record in failures] == [2, 5, 8]
    assert {record.error.partition(" (")[0] for record in failures} == {"RuntimeError: the fuse blew"}
    assert {record.stage for record in failures} == {"step"}
    assert all(record.task.goal.conditions for record in failures)


class _Broken(UniformProposer):
    """A proposer whose third goal breaks it."""

    count = 0

    def propose(self, situation: Situation, rng: np.random.Generator) -> GoalProposal:
        self.count += 1
        if self.count == 3:
            raise AttributeError("no such field")
        return super().propose(situation, rng)


def test_what_a_proposer_raises_ends_the_run_and_is_no_attempt() -> None:
    running = Curriculum(LampGoals(), _Broken(), idle(), CurriculumConfig(retries=0))
    records = list[Record]()
    with pytest.raises(AttributeError, match="no such field"):
        records.extend(running.collect(boards(9)))
    assert running.attempts == 2


def test_the_budget_ends_the_run() -> None:
    running = Curriculum(LampGoals(), UniformProposer(), idle(), CurriculumConfig(env_steps=7), seed=0)
    assert len(list(running.collect(boards(100)))) == 7


@pytest.mark.parametrize(
    "policy",
    [
        AgentPolicy(lambda _: RandomAgent(np.random.default_rng(0))),
        SearchPolicy(MctsConfig(SearchConfig(simulations=300, depth=6, stop_on_success=True)), must_succeed=False),
        SkillPolicy(LampGoals(), effort=100),
    ],
    ids=["agent", "search", "skills"],
)
def test_anybody_can_play_in_any_world_with_goals(policy: Policy) -> None:
    records = played(CurriculumConfig(max_steps=12), policy, 12)
    assert all(isinstance(record, Trajectory) for record in records)
    assert any(record.success for record in records if isinstance(record, Trajectory))


def stored(records: Iterator[Record]) -> list[bytes]:
    return [encode(record) for record in records]


@pytest.mark.parametrize("stop", [1, 7, 15])
def test_a_resumed_run_goes_on_exactly_as_one_that_was_never_stopped(tmp_path: Path, stop: int) -> None:
    config = CurriculumConfig(run="killed", pause=2)
    records = list(curriculum(config).collect(boards(20)))
    assert any(isinstance(record, Trajectory) and record.success for record in records)
    whole = [encode(record) for record in records]
    with ExperienceStore.open(tmp_path) as store:
        for record in itertools.islice(curriculum(config).collect(boards(20)), stop):
            store.append(record)
        running = curriculum(config)
        assert running.resume(store) == stop
        for record in running.collect(boards(20)):
            store.append(record)
        assert stored(run_records(store, "killed")) == whole


def test_failures_are_resumed_in_their_place_and_other_runs_are_left_alone(tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path) as store:
        for run in ("other", "mine"):
            store.append(*played(CurriculumConfig(run=run), _Crashing(), 8))
        assert [index(record) for record in run_records(store, "mine")] == list(range(8))
        kinds = [isinstance(record, Failure) for record in run_records(store, "mine")]
        assert kinds == [n % 3 == 2 for n in range(8)]


def test_a_run_with_a_gap_and_a_curriculum_that_has_begun_are_refused(tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path) as store:
        store.append(*played(CurriculumConfig(run="gap"), idle(), 4)[1:])
        running = Curriculum(LampGoals(), UniformProposer(), idle(), CurriculumConfig(run="gap"))
        with pytest.raises(ConfigError, match="lacks attempt 0"):
            running.resume(store)
        begun = Curriculum(LampGoals(), UniformProposer(), idle())
        list(begun.collect(boards(1)))
        with pytest.raises(ConfigError, match="before its first attempt"):
            begun.resume(store)


def test_what_other_runs_reached_is_recalled_and_not_proposed_again(tmp_path: Path) -> None:
    def running(run: str) -> Curriculum:
        policy = SkillPolicy(LampGoals(), effort=60)
        return Curriculum(LampGoals(), NoveltyProposer(largest=1), policy, CurriculumConfig(run=run), seed=3)

    with ExperienceStore.open(tmp_path / "store") as store:
        store.append(*running("first").collect(boards(2)))
        reached = {record.task.goal.text for record in store.trajectories() if record.success}
        later = running("later")
        assert later.recall(store, env="another/World-v0") == later.recall(store, run="nobody") == 0
        assert later.recall(store) == 2
        assert (later.attempts, later.env_steps, later.waiting) == (0, 0, ())
        [record] = later.collect(boards(1))
        [again] = running("later").collect(boards(1))
    assert record.task.goal.text not in reached
    assert again.task.goal.text in reached
    assert isinstance(record, Trajectory)
    assert isinstance(again, Trajectory)
    assert record.provenance["env_steps"] < again.provenance["env_steps"]  # by a skill
    with (
        ExperienceStore.open(tmp_path / "store") as store,
        pytest.raises(ConfigError, match="before its first attempt"),
    ):
        later.recall(store)


def test_a_run_does_not_learn_twice_from_its_own_attempts(tmp_path: Path) -> None:
    """What it recalls of a store, it does not resume from it; other runs in the same store are recalled by name."""
    with ExperienceStore.open(tmp_path / "store") as store:
        for run in ("first", "later"):
            store.append(*played(CurriculumConfig(run=run), idle(), 2))
        running = Curriculum(LampGoals(), UniformProposer(), idle(), CurriculumConfig(run="later"))
        running.recall(store)
        with pytest.raises(ConfigError, match="goes on by itself"):
            running.resume(store)
        running = Curriculum(LampGoals(), UniformProposer(), idle(), CurriculumConfig(run="later"))
        assert running.recall(store, run="first") == 2
        assert running.resume(store) == 2


def test_every_fault_of_a_configuration_is_told() -> None:
    with pytest.raises(ConfigError, match=r"slash.*max_steps.*retry_share"):
        CurriculumConfig(run="a/b", max_steps=0, retry_share=2)


def kept(path: Path) -> int:
    try:
        with ExperienceStore.open(path, mode="read") as store:
            return len(store)
    except StoreError:
        return 0


@pytest.mark.integration
def test_kill_9_at_random_moments_leaves_a_run_that_goes_on_as_if_never_stopped(tmp_path: Path) -> None:
    rng, count = random.Random(0), 60
    command = [sys.executable, "-m", "pathei.tests.support.switchboard", str(tmp_path / "store"), str(count)]
    store_path, left = tmp_path / "store", [0]
    for _ in range(6):
        process = subprocess.Popen([*command, "0.05"])
        deadline = time.monotonic() + 60
        while kept(store_path) <= left[-1] and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(rng.random() * 0.2)
        assert process.poll() is None, "it ended before it was killed"
        process.send_signal(signal.SIGKILL)
        process.wait()
        left.append(kept(store_path))
    assert 0 < left[1] <= left[-1] < count
    subprocess.run([*command, "0"], check=True)
    with ExperienceStore.open(store_path, mode="read") as store:
        found = stored(run_records(store, "killed"))
    config = CurriculumConfig(run="killed", pause=2)
    assert found == [encode(record) for record in curriculum(config).collect(boards(count))]
