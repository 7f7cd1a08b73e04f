"""Agents as a collector: demonstrations, an agent that tells how it came to its actions, and many ways in one store."""

import re
from pathlib import Path

from pathei.agents import Decision
from pathei.agents.protocol import Finished
from pathei.cli import main
from pathei.collectors.checks import check_collector
from pathei.collectors.rollout.policy import AgentPolicy, demonstrator
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs.registry import get_env
from pathei.experience import Failure, Goal, Observation, Tokens, Trajectory
from pathei.store import ExperienceStore

TASKS = get_env("touchdown").generate_tasks(6, 3)


class Walker:
    """Walks on for three steps, and tells what it thought."""

    def __init__(self) -> None:
        self.steps = 0

    def reset(self, seed: int) -> None:
        """Begin again."""
        self.steps = 0

    def act(self, observation: Observation, goal: Goal) -> Decision:
        """Walk."""
        self.steps += 1
        if self.steps > 3:
            raise Finished
        return Decision("forward", Tokens((1, 2), (3,), (-0.5,)), {"thought": f"step {self.steps}"})


def test_acting_is_a_collector() -> None:
    check_collector(lambda: Rollout(AgentPolicy(demonstrator), name="scripted", max_steps=80), TASKS)


def test_what_an_agent_tells_is_kept_with_its_step() -> None:
    [record] = Rollout(AgentPolicy(lambda _: Walker()), seed=2).collect(TASKS[:1])
    assert isinstance(record, Trajectory)
    assert record.collector == "agent"
    assert [step.info["agent"] for step in record.steps] == [{"thought": f"step {number}"} for number in (1, 2, 3)]
    assert record.steps[0].tokens == Tokens((1, 2), (3,), (-0.5,))
    assert record.provenance["finished"]


def test_an_agent_that_cannot_be_made_is_a_failure() -> None:
    def nobody(_: object) -> Walker:
        raise OSError("no model")

    [record] = Rollout(AgentPolicy(nobody)).collect(TASKS[:1])
    assert isinstance(record, Failure)
    assert record.stage == "make"
    assert re.fullmatch(r"OSError: no model \(\S*test_acting.py, line \d+, in nobody\)", record.error)


def test_one_store_takes_every_way_of_playing_the_same_tasks(tmp_path: Path) -> None:
    common = ["--env", "touchdown", "--tasks", "4", "--workers", "0", "--steps", "60"]
    for collector in ("explore", "mcts --simulations 200", "scripted", "scripted"):
        assert main(["collect", str(tmp_path / "s"), *collector.split(), *common]) == 0
    with ExperienceStore.open(tmp_path / "s", mode="read") as store:
        info = store.info()
        assert info.tasks_done == 4
        assert info.counts.collectors["explore"] == info.counts.collectors["scripted"] == 4
        assert all(one.success for one in store.trajectories(collector="scripted"))
