"""Skills and facts of environments other than the household, whose actions their verbalizers read."""

from __future__ import annotations

from typing import Any

import pytest

from pathei.agents.scripted import ScriptedAgent
from pathei.agents.skills.agent import SkillAgent
from pathei.collectors.rollout.policy import AgentPolicy, demonstrator
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs.facts import Entity, FactGraph
from pathei.envs.minecraft.graph import node_of
from pathei.envs.registry import get_verbalizer
from pathei.experience import Goal, Observation, Step, Task, Trajectory
from pathei.memory import make_builder
from pathei.memory.builders.plans import propose_plan
from pathei.memory.builders.signatures import StepAction, step_reader, write_step
from pathei.memory.builders.skills import SkillBuilder
from pathei.tests.envs.minecraft.conftest import WORLD, needs_minecraft
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


MAKING = "How to bring about: you hold x, x is crafted"


def test_minecraft_has_skills_of_kinds_by_which_the_agent_acts_in_another_world() -> None:
    """What makes one kind makes no other; what an action makes was not hidden; what is got by the way has a skill."""
    needs_minecraft()
    from pathei.envs.minecraft.goals import MinecraftGoal
    from pathei.envs.minecraft.tasks.generate import task_of

    planks = ["mine birch_log", "craft birch_planks"]
    scripts = {
        "table": [*planks, "craft crafting_table", "place crafting_table"],
        "stick": [*planks, "craft stick"],
        "wool": ["kill sheep"],
    }
    aims = (
        MinecraftGoal("placed", "crafting_table", 1),
        MinecraftGoal("inventory", "stick", 1),
        MinecraftGoal("inventory", "white_wool", 1),
    )
    tasks = [task_of(name, WORLD, (aim,), {"creatures": ["sheep"]}) for name, aim in zip(scripts, aims, strict=True)]
    scripted = AgentPolicy(lambda task: ScriptedAgent(scripts[task.id.rpartition("/")[2]]))
    lived = [one for one in Rollout(scripted).collect(tasks) if isinstance(one, Trajectory) and one.success]
    assert len(lived) == len(aims)
    drafts = [draft for name in NAMES for one in lived for draft in make_builder(name).build(one)]
    texts = {draft.text for draft in drafts if draft.kind == "skill"}
    for thing, steps in (
        ("birch planks", "MINE birch_log; CRAFT x"),
        ("stick", "MINE birch_log; CRAFT birch_planks; CRAFT x"),
        ("crafting table", "MINE birch_log; CRAFT birch_planks; CRAFT x"),
    ):
        assert f"{MAKING} (x is {thing}). Steps: {steps}." in texts
    placing = "MINE birch_log; CRAFT birch_planks; CRAFT x; PLACE x"
    assert f"How to bring about: x is placed (x is crafting table). Steps: {placing}." in texts
    assert "How to bring about: you hold x (x is white wool). Steps: KILL sheep." in texts
    assert "How to bring about: x is killed. Steps: KILL x." in texts  # it names no other kind, so any may be meant
    assert not any("How to reveal" in text for text in texts)
    memory = SmallMemory(drafts)
    others = (MinecraftGoal("crafted", "crafting_table", 1), MinecraftGoal("crafted", "planks", 8))
    tasks = [task_of(f"new-{place}", 8810, (aim,)) for place, aim in enumerate(others)]
    played = list(Rollout(AgentPolicy(lambda task: SkillAgent(memory, env=task.env)), max_steps=12).collect(tasks))
    assert [isinstance(one, Trajectory) and one.success for one in played] == [True, True]


def test_going_somewhere_that_an_action_does_not_name_names_nothing() -> None:
    """A step `explore west` that brought a sheep near is no `explore west sheep`."""
    nodes: list[Any] = [[1, "character", []], [2, "plains", []]]
    start = FactGraph({"nodes": nodes, "edges": [[1, "INSIDE", 2]], "rooms": [2], "characters": [1]})
    sheep = node_of("sheep")
    seen = (
        Observation("", actions=("explore west",), facts={"graph": start.to_json()}),
        Observation("", actions=("explore west", "kill sheep"), facts={"changes": []}),
        Observation("", facts={"changes": [["+", sheep, "KILLED"]], "nodes": [[sheep, "sheep", []]]}),
    )
    steps = (Step(seen[0], "explore west", 0.0, False, False), Step(seen[1], "kill sheep", 1.0, True, False))
    played = Trajectory("one", Task("kill", "pathei/Minecraft-v0", 0, Goal("Kill a sheep.")), steps, seen[2], "hand")
    assert [list(draft.data["steps"]) for draft in SkillBuilder().build(played)] == [["EXPLORE_WEST", "KILL x"]]
