"""Credit goes to what was used for something, by whether that came about."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.agents.skills.agent import SkillAgent
from pathei.agents.skills.notes import SkillNotes, concrete
from pathei.collectors.rollout.policy import AgentPolicy, demonstrator
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs.facts import Change, Entity
from pathei.envs.virtualhome.tasks.generate import generate_tasks
from pathei.experience import Json, Trajectory
from pathei.memory.builders.episode_log import read_episode
from pathei.memory.builders.registry import make_builders
from pathei.memory.feedback import GOAL, give_feedback, verdicts
from pathei.memory.items import Draft
from pathei.tests.support.plain_episode import plain_episode
from pathei.tests.support.small_memory import SmallMemory


@pytest.fixture(scope="module")
def demonstrated() -> list[Trajectory]:
    """Demonstrations in training houses."""
    records = list(Rollout(AgentPolicy(demonstrator)).collect(generate_tasks(30, 0, split="train")))
    return [record for record in records if isinstance(record, Trajectory)]


def noted(trajectory: Trajectory, number: int, **notes: Json) -> Trajectory:
    """The same episode by an agent that made notes at one step, and whose episode came to nothing."""
    steps = list(trajectory.steps)
    steps[number] = replace(steps[number], info={**steps[number].info, "agent": notes})
    steps[-1] = replace(steps[-1], info={**steps[-1].info, "success": False})
    return replace(trajectory, steps=tuple(steps))


def written(change: Change, you: frozenset[int]) -> str:
    """A change as the condition that it brings about."""
    first, last = ("you" if thing in you else str(thing) for thing in (change.entity, change.target or -1))
    atom = f"{first} is {change.what}" if change.target is None else f"{first} {change.what} {last}"
    return atom if change.begins else f"not {atom}"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_came_about_by_the_facts_helped_and_its_opposite_did_harm(
    demonstrated: list[Trajectory], data: st.DataObject
) -> None:
    """Also in an episode that failed, for every change of every step."""
    trajectory = data.draw(st.sampled_from(demonstrated))
    happened = read_episode(trajectory)
    assert happened is not None
    step = data.draw(st.sampled_from([one for one in happened.steps if one.changes]))
    condition = written(data.draw(st.sampled_from(step.changes)), happened.characters)
    opposite = condition[4:] if condition.startswith("not ") else f"not {condition}"
    aims = {"good": condition, "bad": opposite}
    assert verdicts(noted(trajectory, step.number, memory=["good", "bad", "other"], aims=aims)) == {
        "good": True,
        "bad": False,
    }
    # Given up: no blame for what held already. The opposite held before, for the step changed it.
    given_up = noted(trajectory, step.number, abandoned=["good", "bad"], aims=aims)
    assert verdicts(given_up) == {"good": False}


def test_what_cannot_be_told_is_not_plain_episode() -> None:
    """Elsewhere rewards, refusals and the goal say whether something came about; deeds are done when accepted."""
    notes: dict[str, Json] = {"memory": ["a", "b", "c"], "aims": {"a": "1 is ON", "b": "DRINK 1 is done", "c": GOAL}}
    failed = plain_episode("a", ["x"], success=False, notes=notes)
    assert verdicts(failed) == {"b": True, "c": False}
    rewarded = replace(failed, steps=(replace(failed.steps[0], reward=0.5),))
    assert verdicts(rewarded)["a"]
    refused = replace(failed, steps=(replace(failed.steps[0], info={**failed.steps[0].info, "error": "no"}),))
    assert verdicts(refused) == {"a": False, "b": False, "c": False}
    assert verdicts(plain_episode("a", ["x"], notes=notes)) == {"a": True, "b": True, "c": True}
    strange: dict[str, Json] = {"memory": [1, "a"], "served": "a", "abandoned": None, "aims": {"a": 7}}
    assert verdicts(plain_episode("a", ["x"], success=False, notes=strange)) == {}


def test_what_was_only_shown_is_judged_by_the_outcome_and_told_once() -> None:
    """Feedback may be given again: each item counts once for a trajectory."""
    memory = SmallMemory([Draft("skill", "one", "", key="1"), Draft("skill", "two", "", key="2")])
    one, two = memory.items
    notes: dict[str, Json] = {"memory": [one, two], "abandoned": [two]}
    won = plain_episode("a", ["b"], notes=notes)
    lost = replace(plain_episode("a", ["b"], success=False, notes=notes), id="lost")
    for _ in range(2):
        assert give_feedback(memory, won) == (1, 1)
        assert give_feedback(memory, lost) == (0, 2)
    assert (memory.get(one).helpful, memory.get(one).harmful, memory.get(two).harmful) == (1, 1, 2)
    assert give_feedback(memory, plain_episode("a", ["b"])) == (0, 0)


def test_notes_name_particular_things() -> None:
    """A condition without things is no aim; what is given up is noted with what it did not bring about."""
    cup, sink = Entity("cup", 12), Entity("sink", 7)
    assert concrete("not x INSIDE y", {"x": cup, "y": sink}) == "not 12 INSIDE 7"
    assert concrete("x INSIDE y", {"x": cup}) == ""
    assert concrete("you is SITTING", {}) == "you is SITTING"
    notes = SkillNotes()
    assert notes.json() == {}
    notes.aim("a", "12 INSIDE 7")
    notes.abandon(["b"], "12 is ON")
    notes.serve(["c"])
    assert notes.json() == {
        "memory": ["a"],
        "served": ["c"],
        "abandoned": ["b"],
        "aims": {"a": "12 INSIDE 7", "b": "12 is ON"},
    }
    notes.clear()
    assert notes.json() == {}


def test_a_player_is_told_more_good_than_harm_and_of_nothing_that_it_did_not_use(
    demonstrated: list[Trajectory],
) -> None:
    """Skills that brought their condition about helped, facts that led to things as well, in whatever episode."""
    drafts = [draft for one in demonstrated for builder in make_builders() for draft in builder.build(one)]
    memory = SmallMemory(drafts)
    tasks = generate_tasks(12, 5, split="test")
    played = list(Rollout(AgentPolicy(lambda task: SkillAgent(memory, env=task.env)), max_steps=60).collect(tasks))
    judged = [verdicts(one) for one in played if isinstance(one, Trajectory)]
    kinds = {memory.get(id_).draft.kind for one in judged for id_, served in one.items() if served}
    assert kinds == {"skill", "fact"}
    assert sum(sum(one.values()) for one in judged) > 3 * sum(not served for one in judged for served in one.values())
    for trajectory, found in zip(played, judged, strict=True):
        assert isinstance(trajectory, Trajectory)
        notes = [step.info.get("agent", {}) for step in trajectory.steps]
        named = {id_ for note in notes for name in ("memory", "abandoned") for id_ in note.get(name, ())}
        assert found.keys() <= named
