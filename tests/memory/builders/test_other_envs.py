"""Skills and facts of environments other than the household, whose actions their verbalizers read."""

from __future__ import annotations

import pytest

from pathei.agents.skills.agent import SkillAgent
from pathei.collectors.rollout.policy import AgentPolicy, demonstrator
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs.facts import Entity
from pathei.envs.registry import get_verbalizer
from pathei.experience import Task, Trajectory
from pathei.memory import make_builder
from pathei.memory.builders.plans import propose_plan
from pathei.memory.builders.signatures import StepAction, step_reader, write_step
from pathei.memory.builders.skills import SkillBuilder
from pathei.tests.support.small_memory import SmallMemory


def demonstrations(tasks: list[Task]) -> list[Trajectory]:
    records = list(Rollout(AgentPolicy(demonstrator)).collect(tasks))
    return [record for record in records if isinstance(record, Trajectory)]


def test_kinds_of_several_words_are_one_word_of_a_step() -> None:
    step = StepAction("UNLOCK", (Entity("type M safe", 3), Entity("type M latchkey", 4)))
    assert write_step(step, {3: "x"}) == "UNLOCK x type_M_latchkey"


def test_actions_that_no_verbalizer_reads_are_one_word() -> None:
    read = step_reader(get_verbalizer("pathei/Elsewhere-v0"))
    assert read("go to red ball") == StepAction("go_to_red_ball", ())
    assert read("[PutIn] <cup> (12) <sink> (3)") == StepAction("PutIn", (Entity("cup", 12), Entity("sink", 3)))


NAMES = ("episodes", "skills", "facts")
"""Without episodes an agent would not know what the words of a goal mean: TextWorld reads none."""


def test_textworld_has_verified_skills_and_facts_by_which_the_agent_acts() -> None:
    pytest.importorskip("textworld")
    from pathei.envs.adapters.textworld import generate_tasks

    tasks = generate_tasks(10, 0)
    collected = demonstrations(tasks)
    drafts = [draft for name in NAMES for one in collected for draft in make_builder(name).build(one)]
    skills = [draft for draft in drafts if draft.kind == "skill"]
    assert any(draft.text.endswith("OPEN x.") for draft in skills)
    assert {draft.confidence for draft in skills} == {1.0}
    assert any(draft.kind == "fact" for draft in drafts)
    assert not any(propose_plan(one) for one in collected)
    memory = SmallMemory(drafts)
    played = list(Rollout(AgentPolicy(lambda task: SkillAgent(memory, env=task.env)), max_steps=20).collect(tasks[:3]))
    notes = [step.info.get("agent", {}) for one in played if isinstance(one, Trajectory) for step in one.steps]
    assert any(note.get("aims") for note in notes)


def test_minigrid_keeps_whole_plans_since_its_actions_name_nothing() -> None:
    pytest.importorskip("minigrid")
    from pathei.envs.adapters.minigrid import generate_tasks

    collected = demonstrations(generate_tasks(2, 0))
    assert not any(list(SkillBuilder().build(one)) for one in collected)
    assert all(propose_plan(one) for one in collected)
