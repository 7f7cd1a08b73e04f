"""Agents that act by a memory: alone, and around another agent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from pathei.agents import RandomAgent, check_agent
from pathei.agents.memory import MemoryAgent
from pathei.agents.protocol import Finished
from pathei.agents.skills.agent import SkillAgent
from pathei.collectors.rollout.explore import make_explorer
from pathei.collectors.rollout.policy import AgentPolicy, demonstrator
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs.virtualhome.tasks.generate import generate_tasks
from pathei.errors import ConfigError
from pathei.experience import Goal, Observation, Task, Trajectory
from pathei.memory.builders.plans import propose_plan
from pathei.memory.builders.registry import make_builders
from pathei.memory.empty import EmptyMemory
from pathei.memory.items import Draft
from pathei.tests.support.plain_episode import plain_episode
from pathei.tests.support.small_memory import SmallMemory


@pytest.fixture(scope="module")
def memory() -> SmallMemory:
    """What was learned in training houses."""
    tasks = generate_tasks(100, 0, split="train")
    records = [*Rollout(AgentPolicy(demonstrator)).collect(tasks), *make_explorer().collect(tasks[:15])]
    lived = [record for record in records if isinstance(record, Trajectory)]
    return SmallMemory(draft for one in lived for builder in make_builders() for draft in builder.build(one))


def play(memory: SmallMemory, tasks: Sequence[Task]) -> list[Trajectory]:
    """Play with a memory."""
    records = list(Rollout(AgentPolicy(lambda task: SkillAgent(memory, env=task.env)), max_steps=60).collect(tasks))
    assert all(isinstance(record, Trajectory) for record in records)
    return [record for record in records if isinstance(record, Trajectory)]


def test_a_memory_at_least_doubles_success_in_unseen_houses(memory: SmallMemory) -> None:
    """The bar of the benchmark, on few tasks; what was used is noted, and only what was listed is done."""
    tasks = generate_tasks(24, 5, split="test")
    with_it, without = play(memory, tasks), play(SmallMemory(), tasks)
    wins, losses = (sum(bool(one.success) for one in played) for played in (with_it, without))
    assert wins >= max(2 * losses, 12)
    for trajectory in with_it:
        for step in trajectory.steps:
            assert step.observation.actions is not None
            assert step.action in step.observation.actions
    notes = [step.info["agent"] for one in with_it for step in one.steps if "agent" in step.info]
    noted = [note["memory"] for note in notes if "memory" in note]
    assert noted
    assert all(memory.get(id_).id == id_ for ids in noted for id_ in ids)
    assert not any("agent" in step.info for one in without for step in one.steps)


def test_agents_keep_the_contract(memory: SmallMemory) -> None:
    """With and without memories, alone and around another agent."""
    for recollection in (memory, SmallMemory()):
        check_agent(SkillAgent(recollection))
        check_agent(MemoryAgent(RandomAgent(np.random.default_rng(0)), recollection))
        check_agent(MemoryAgent(SkillAgent(recollection), recollection))


class Listener:
    """Keeps what it is shown."""

    def __init__(self) -> None:
        """Listen."""
        self.texts: list[str] = []

    def act(self, observation: Observation, goal: Goal) -> str:
        """Do nothing."""
        self.texts.append(observation.text)
        return "wait"


def test_what_is_remembered_stands_before_what_is_observed() -> None:
    """Within the budget, with the ids of what was shown."""
    drafts = [Draft("fact", f"A cup is kept in the kitchen cabinet number {n}.", "", key=str(n)) for n in range(9)]
    listener = Listener()
    agent = MemoryAgent(listener, SmallMemory([*drafts, Draft("skill", "Walk to the cup." * 99, "", key="s")]), 40, k=9)
    decided = agent.act(Observation("You see a cup."), Goal("find the cup"))
    shown, _, rest = listener.texts[0].rpartition("\n\n")
    assert rest == "You see a cup."
    assert shown.startswith("What is known:\n- A cup is kept")
    assert len(shown) <= 40 * 4
    assert len(decided.notes["memory"]) == shown.count("\n- ")
    with pytest.raises(ConfigError, match="at least 1"):
        MemoryAgent(listener, SmallMemory(), 0)


def test_facts_of_this_scene_come_before_those_of_another() -> None:
    """What is known of another house is shown last, whatever it says of the cup."""
    facts = [
        Draft("fact", f"In {scene}, cup 5 is at first in sink {n}.", "", data={"holds": "scene", "scene": scene})
        for n, scene in enumerate(("house:1", "house:2", "house:3"))
    ]
    memory = SmallMemory([*facts, Draft("fact", "The cup is kept somewhere.", "", data={"holds": "env"})])
    listener = Listener()
    agent = MemoryAgent(listener, memory, k=2, scene="house:2")
    agent.act(Observation("You see a cup."), Goal("Is cup 5 at first in sink 0 of house:1?"))
    shown = listener.texts[0].partition("\n\n")[0]
    assert "house:2" in shown
    assert "somewhere" in shown


def test_plans_are_used_where_goals_have_words_only() -> None:
    """In a world without conditions a plan for like words is done, with the words of this goal."""
    (plan,) = propose_plan(plain_episode("fetch the red ball", ["go to red ball", "pick up red ball"]))
    memory = SmallMemory([plan.candidates[0].draft])
    agent = SkillAgent(memory)
    goal = Goal("fetch the blue key")
    assert [agent.act(Observation("a room"), goal).action for _ in range(2)] == ["go to blue key", "pick up blue key"]


def test_who_does_not_explore_has_finished_where_a_skill_is_missing(memory: SmallMemory) -> None:
    task = generate_tasks(1, 5, split="test")[0]
    seen = Observation("You are in the kitchen (1).", (), ("[Walk] <cup> (2)",))
    with pytest.raises(Finished):
        SkillAgent(EmptyMemory(), explores=False).act(seen, task.goal)
    assert SkillAgent(EmptyMemory()).act(seen, task.goal).action == "[Walk] <cup> (2)"
    # Where every condition has its skills it acts as it would otherwise.
    known = generate_tasks(6, 5, split="test")
    one, other = (
        [[step.action for step in played.steps] for played in play_as(agent, known)]
        for agent in (SkillAgent(memory, env=task.env), SkillAgent(memory, env=task.env, explores=False))
    )
    assert sum(a == b for a, b in zip(one, other, strict=True)) >= 4


def play_as(agent: SkillAgent, tasks: Sequence[Task]) -> list[Trajectory]:
    """Play with one agent."""
    records = list(Rollout(AgentPolicy(lambda task: agent), max_steps=60).collect(tasks))
    return [record for record in records if isinstance(record, Trajectory)]
