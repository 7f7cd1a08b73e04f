"""MiniGrid's graph facts, and what is learned from them."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from pathei.agents import RandomAgent
from pathei.collectors import play
from pathei.envs import contract
from pathei.envs.adapters import minigrid
from pathei.envs.facts import FactGraph
from pathei.envs.facts.goals import satisfied
from pathei.experience import Trajectory
from pathei.tests.support.learning import assert_facts_follow, corpus, demonstrated, listed_goals, mined, plan_succeeds

pytestmark = pytest.mark.skipif(importlib.util.find_spec("minigrid") is None, reason="minigrid is not installed")


@pytest.fixture(scope="module")
def played() -> list[Trajectory]:
    return demonstrated(minigrid.generate_tasks(20, 4))


def test_the_mission_s_conditions_hold_exactly_when_the_level_is_done(played: list[Trajectory]) -> None:
    for trajectory in played:
        assert trajectory.success
        conditions = trajectory.task.goal.conditions
        assert conditions, trajectory.task.goal.text
        env = contract.make(trajectory.task)
        _, info = contract.reset(env, trajectory.task)
        start = FactGraph.of(info["facts"])
        assert start is not None
        assert not satisfied(start, conditions)
        for step in trajectory.steps:
            env.step(step.action)
        assert satisfied(env.unwrapped.fact_graph(), conditions)  # type: ignore[attr-defined]


def test_changes_lead_to_what_the_level_holds(played: list[Trajectory]) -> None:
    for trajectory in played[:10]:
        assert_facts_follow(trajectory)
    for task in minigrid.generate_tasks(10, 6):
        agent = RandomAgent(np.random.default_rng(task.seed))
        assert_facts_follow(play(contract.make(task), task, agent, max_steps=60))


def test_goals_of_the_curriculum_are_checked_on_the_graph() -> None:
    task = next(task for task in minigrid.generate_tasks(10, 4) if "OpenDoor" in task.id)
    names = listed_goals(task)
    assert any(name.startswith("you FACING ") for name in names)
    assert any(name.endswith(" door OPEN") for name in names)


def test_episodes_become_corpora_and_plans_are_carried_out(played: list[Trajectory], tmp_path: Path) -> None:
    assert corpus(played)
    # Its six actions name nothing, so no effect on things can be lifted from them: what is kept are whole plans.
    assert all(text.startswith("How to do: ") for text in mined(played, tmp_path))
    assert all(plan_succeeds(trajectory.task) for trajectory in played[:5])
