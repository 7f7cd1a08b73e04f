"""Skills are kept where the world proves them: carried out again, by themselves, with nothing made up."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import gymnasium
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pathei.agents import ScriptedAgent
from pathei.collectors.rollout.explore import make_explorer
from pathei.collectors.rollout.policy import AgentPolicy, demonstrator
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs import contract
from pathei.envs.facts.graph import Fact, plain_relation
from pathei.envs.virtualhome.engine.vocabulary import CLOSE, RELATIONS
from pathei.envs.virtualhome.tasks.generate import generate_tasks
from pathei.errors import ReplayDriftError
from pathei.experience import Observation, Task, Trajectory
from pathei.memory.builders.plans import propose_plan
from pathei.memory.builders.reflection import propose_fixes
from pathei.memory.builders.skills import SkillBuilder
from pathei.memory.embedders.registry import make_embedder
from pathei.memory.experience_memory import ExperienceMemory
from pathei.memory.items import Draft, Filter
from pathei.memory.redundancy import is_redundant
from pathei.memory.verification.fact_state import FactState
from pathei.memory.verification.replay import ReplayEnvs, TryAction
from pathei.memory.verification.shorten import needed_steps
from pathei.memory.verification.verify import (
    UNVERIFIED,
    Propose,
    SkillCandidate,
    SkillProposal,
    SkillTest,
    VerifiedSkills,
    run_test,
)
from pathei.tests.support.lantern import lantern_task

DARK = 11
"""A seed with which both of two lamps are out at first."""


@pytest.fixture(scope="module")
def lived() -> list[Trajectory]:
    """Demonstrations and explorations in training houses."""
    tasks = generate_tasks(30, 0, split="train")
    records = [*Rollout(AgentPolicy(demonstrator)).collect(tasks[:24]), *make_explorer().collect(tasks[24:])]
    return [record for record in records if isinstance(record, Trajectory)]


def played(task: Task, actions: Sequence[str]) -> Trajectory:
    """Carry actions out."""
    record = next(iter(Rollout(AgentPolicy(lambda _: ScriptedAgent(list(actions)))).collect([task])))
    assert isinstance(record, Trajectory)
    return record


def facts_now(env: gymnasium.Env[str, str]) -> frozenset[Fact]:
    """Return what holds in a household, read from its tables and not from what it told."""
    world = env.unwrapped.world
    ids = world.scene.ids
    states = {(ids[n], state, None) for n in range(world.size) for state in world.states_of(n)}
    told = tuple(relation for relation in range(len(RELATIONS)) if relation != CLOSE)
    edges = {(ids[a], RELATIONS[r], ids[b]) for a, r, b in world.edges(told)}
    return frozenset(states | {(a, plain_relation(r), b) for a, r, b in edges})


def known(facts: FactState) -> frozenset[Fact]:
    """Return what holds by the facts that the environment offered."""
    assert facts.graph is not None
    return frozenset((entity, plain_relation(what), target) for entity, what, target in facts.graph.facts())


def test_facts_are_folded_as_the_world_has_them(lived: list[Trajectory]) -> None:
    """What was told at the reset and after each step adds up to what the tables of the world say."""
    for trajectory in (*lived[:4], *lived[-3:]):
        env = contract.make(trajectory.task)
        _, info = contract.reset(env, trajectory.task)
        facts = FactState.of(info["facts"])
        for step in trajectory.steps:
            *_, info = env.step(step.action)
            facts.update({} if info.get("error") else info["facts"])
        assert known(facts) == facts_now(env)


def test_what_is_proved_does_what_it_says_in_a_world_of_its_own(lived: list[Trajectory]) -> None:
    """Every trial of a kept skill holds in a fresh environment, with no snapshot and no shared replay."""
    builder, tried = VerifiedSkills(SkillBuilder().propose), 0
    for trajectory in lived:
        kept = {draft.key for draft in builder.build(trajectory)}
        for proposal in SkillBuilder().propose(trajectory):
            draft, test, _ = proposal.candidates[0]
            if draft.key not in kept or not test.after or test.as_played or len(test.with_approach) or tried >= 60:
                continue
            env = contract.make(trajectory.task)
            contract.reset(env, trajectory.task)
            for step in trajectory.steps[: proposal.begin]:
                env.step(step.action)
            before = facts_now(env)
            errors = [env.step(action)[4].get("error") for action, _ in test.actions]
            after = facts_now(env)
            if not any(errors):
                tried += 1
                assert before.issuperset(test.before)
                assert all((change.fact in after) == change.begins for change in test.after)
    assert tried >= 20
    assert builder.counts.verified > builder.counts.failed
    assert builder.counts.unverified == 0


def test_a_proved_skill_has_no_superfluous_steps(lived: list[Trajectory], tmp_path: Path) -> None:
    """No skill contains a shorter one of the same effect from the same start, and what was longer is in the history."""
    builders = [VerifiedSkills(SkillBuilder().propose)]
    with ExperienceMemory.open(tmp_path, embedder=make_embedder("ngrams"), builders=builders) as memory:
        memory.add_all(lived)
        skills = [item.draft for item in memory.items()]
        assert len(skills) > 20
        assert not any(is_redundant(one, other) for one in skills for other in skills)
        assert not any(says_more(one, other) for one in skills for other in skills)
        of_open = [skill.data["steps"] for skill in skills if "x is OPEN" in skill.data["effects"]]
        assert of_open
        assert not any("Grab" in step for steps in of_open for step in steps)
        for item in memory.items(Filter(statuses=("superseded",))):
            while item.status == "superseded":  # one that took another's place may be replaced later
                item = memory.get(item.replaced_by or "")
            assert item.status == "active"


def says_more(longer: Draft, shorter: Draft) -> bool:
    """Return whether by their texts a skill does more than another for the same effect under the same conditions."""
    (effect, _, steps), (other, _, part) = (one.text.rstrip(".").partition(" Steps: ") for one in (longer, shorter))
    left = iter(steps.split("; "))
    fewer = len(part.split("; ")) < len(steps.split("; "))
    return effect == other and fewer and bool(part) and all(step in left for step in part.split("; "))


def test_a_shortened_skill_keeps_what_it_was_tested_for() -> None:
    """Switching it on before pulling its plug is left out, though then the plug does not switch it off."""
    (task,) = generate_tasks(1, 0, split="train")
    _, info = contract.reset(contract.make(task), task)
    graph = FactState.of(info["facts"]).graph
    assert graph is not None
    id_ = next(node for node, states in graph.states.items() if {"PLUGGED_IN", "OFF"} <= set(states))
    it = f"<{graph.kinds[id_]}> ({id_})"
    trajectory = played(task, [f"[Walk] {it}", f"[SwitchOn] {it}", f"[PlugOut] {it}"])
    (skill,) = (draft for draft in VerifiedSkills(SkillBuilder().propose).build(trajectory) if "PlugOut" in draft.text)
    assert skill.data["steps"] == ["Walk x", "PlugOut x"]
    assert skill.data["preconditions"] == ["x is PLUGGED_IN"]


def test_a_skill_says_where_it_begins() -> None:
    """A state that a step on the way ends is named in the text, so that two ways to one effect stand apart."""
    drafts = VerifiedSkills(SkillBuilder().propose).build(demonstrated("pack-a-bag", 1)[0])
    texts = [draft.text for draft in drafts if "Open y" in draft.data["steps"]]
    assert texts
    assert all(text.startswith("How to bring about: x is inside y, if y is closed. Steps: ") for text in texts)


def test_steps_that_undo_each_other_go_together() -> None:
    """Lighting again what was put out, on the way to the other lamp, is left out of the plan."""
    trajectory = lamps("light lamp (0)", "quench lamp (0)", "go right", "light lamp (1)", "go left", "light lamp (0)")
    actions = tuple(TryAction(step.action) for step in trajectory.steps)
    replay = ReplayEnvs().replay(trajectory)
    test = SkillTest(actions, success=True)
    kept = [trajectory.steps[place].action for place in needed_steps(test, actions, replay)]
    assert len(kept) == 3
    assert {"light lamp (0)", "light lamp (1)"} < set(kept)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_an_attempt_leaves_the_episode_where_it_was(lived: list[Trajectory], data: st.DataObject) -> None:
    """Whatever is tried, the episode goes on as it did, which `advance_to` checks."""
    trajectory = data.draw(st.sampled_from(lived))
    replay = ReplayEnvs().replay(trajectory)
    for number, step in enumerate(trajectory.steps):
        replay.advance_to(number)
        some = data.draw(st.lists(st.sampled_from([*(step.observation.actions or ()), "nonsense"]), max_size=3))
        before = known(replay.facts)
        replay.attempt([TryAction(action, needed=False) for action in some])
        assert known(replay.facts) == before
    replay.advance_to(len(trajectory.steps))


def proposing(*proposals: SkillProposal) -> Propose:
    """Return what proposes the same of every episode."""
    return lambda trajectory: proposals


def candidate(name: str, *actions: str, success: bool = True, lived: bool = False, refused: str = "") -> SkillCandidate:
    test = SkillTest(tuple(map(TryAction, actions)), success=success, as_played=lived, refused=refused)
    return SkillCandidate(Draft("skill", name, "w", key=name), test)


def lamps(*actions: str) -> Trajectory:
    """An episode of two dark lamps, which are lit one after the other unless it is told otherwise."""
    return played(lantern_task(DARK, rooms=2), actions or ("light lamp (0)", "go right", "light lamp (1)"))


def altered(trajectory: Trajectory) -> Trajectory:
    """An episode as a world would have shown it that goes another way."""
    first = replace(trajectory.steps[0], observation=Observation("You are in the dark."))
    return replace(trajectory, steps=(first, *trajectory.steps[1:]))


def test_the_first_candidate_that_the_world_proves_is_kept() -> None:
    """What fails is counted and not kept; what was proved is known."""
    trajectory = lamps()
    assert trajectory.success
    done = [step.action for step in trajectory.steps]
    wrong, right = candidate("wrong", done[-1]), candidate("right", *done)
    builder = VerifiedSkills(proposing(SkillProposal(0, (wrong, right)), SkillProposal(0, (wrong,))))
    assert [draft.key for draft in builder.build(trajectory)] == ["right"]
    assert (builder.counts.verified, builder.counts.failed, builder.counts.unverified) == (1, 1, 0)
    again = VerifiedSkills(proposing(SkillProposal(0, (candidate("lived", "nonsense", lived=True),))))
    assert [draft.key for draft in (*again.build(trajectory), *again.build(trajectory))] == ["lived"] * 2
    assert (again.counts.as_played, again.counts.known, again.counts.steps) == (1, 1, 0)


def test_what_cannot_be_carried_out_is_kept_with_half_the_confidence() -> None:
    """In a world that cannot be made, goes another way, or breaks; until another episode proves it."""
    trajectory = lamps()
    proposed = proposing(SkillProposal(0, (candidate("all", *(step.action for step in trajectory.steps)),)))
    elsewhere = replace(trajectory, task=replace(trajectory.task, env="pathei/Nowhere-v0"))
    drifted = altered(trajectory)
    broken = replace(trajectory, task=lantern_task(DARK, rooms=2, trap="reset raise"))
    builder = VerifiedSkills(proposed)
    for odd in (elsewhere, elsewhere, drifted, broken):
        assert [draft.confidence for draft in builder.build(odd)] == [UNVERIFIED]
    assert [draft.confidence for draft in builder.build(trajectory)] == [1.0]
    assert [draft.confidence for draft in builder.build(drifted)] == [1.0]
    assert (builder.counts.unverified, builder.counts.verified, builder.counts.known) == (4, 1, 1)
    with pytest.raises(ReplayDriftError, match="the reset gave another observation"):
        ReplayEnvs().replay(drifted)


def test_a_memory_takes_over_the_proof(tmp_path: Path) -> None:
    """What was unproved has its full confidence as soon as it is proved."""
    trajectory = lamps()
    drifted = replace(altered(trajectory), id="drifted")
    with ExperienceMemory.open(
        tmp_path, embedder=make_embedder("ngrams"), builders=[VerifiedSkills(propose_plan)]
    ) as memory:
        (one,) = memory.add(drifted)
        assert memory.get(one).draft.confidence == UNVERIFIED
        assert memory.add(trajectory) == [one]
        assert (memory.get(one).draft.confidence, memory.get(one).seen) == (1.0, 2)


def demonstrated(activity: str, count: int) -> list[Trajectory]:
    """Demonstrations of one activity."""
    tasks = generate_tasks(count, 0, activities=[activity], split="train")
    return [record for record in Rollout(AgentPolicy(demonstrator)).collect(tasks) if isinstance(record, Trajectory)]


@pytest.fixture(scope="module")
def wiping() -> tuple[list[Trajectory], list[object]]:
    """Six episodes in which things become clean, in several ways, and what a memory filled with all at once holds."""
    tasks = [task for task in generate_tasks(150, 0, split="train") if "wipe" in task.goal.text][:3]
    records = [*make_explorer(max_steps=25).collect(tasks), *Rollout(AgentPolicy(demonstrator)).collect(tasks)]
    episodes = [record for record in records if isinstance(record, Trajectory)]
    return episodes, _filled(episodes, ())


def _filled(episodes: Sequence[Trajectory], ends: Iterable[int]) -> list[object]:
    """Fill a memory in goes that end at some episodes, each by builders of its own, and return what it holds."""
    with tempfile.TemporaryDirectory() as folder:
        for start, end in pairwise([0, *sorted({*ends, len(episodes)} - {0})]):
            proved, fixes = VerifiedSkills(SkillBuilder().propose), VerifiedSkills(propose_fixes)
            embedder = make_embedder("ngrams")
            with ExperienceMemory.open(folder, embedder=embedder, builders=(proved, fixes)) as memory:
                memory.add_all(episodes[start:end])
                held = [replace(item, draft=replace(item.draft, time=0.0), last_seen=0.0) for item in memory.items()]
            proved.envs.close()
            fixes.envs.close()
    return [(item.draft, item.seen, item.status, item.version) for item in held]


@settings(max_examples=6, deadline=None)
@example(ends={1, 2, 3, 4, 5})
@given(ends=st.sets(st.integers(1, 5), min_size=1))
def test_in_how_many_goes_a_memory_is_filled_does_not_matter(
    wiping: tuple[list[Trajectory], list[object]], ends: set[int]
) -> None:
    episodes, at_once = wiping
    assert _filled(episodes, ends) == at_once


def test_where_the_lived_order_does_not_bear_it_another_is_kept() -> None:
    """Who closes the fridge before the milk is on the table has not closed the fridge first: it has to be opened."""
    trajectory = demonstrated("take-food-out-of-the-fridge", 5)[-1]
    proposed = next(one for one in SkillBuilder().propose(trajectory) if one.candidates[0].draft.data["calls"])
    assert proposed.candidates[0].draft.data["calls"] == ["x is CLOSED", "x ON y"]
    kept = [draft for draft in VerifiedSkills(SkillBuilder().propose).build(trajectory) if draft.data["calls"]]
    assert [draft.data["calls"] for draft in kept] == [["x ON y", "x is CLOSED"]]


def test_where_the_shortened_stretch_fails_the_whole_is_kept() -> None:
    """Nobody drinks from an empty cup: pouring was left out, and is needed."""
    trajectory, builder = demonstrated("drink-something", 5)[-1], VerifiedSkills(SkillBuilder().propose)
    goal = "DRINK x is done"
    (lean,) = (draft.data["steps"] for draft in SkillBuilder().build(trajectory) if goal in draft.data["effects"])
    (kept,) = (draft.data["steps"] for draft in builder.build(trajectory) if goal in draft.data["effects"])
    assert lean == ["Walk x", "Grab x", "Drink x"]
    assert kept == ["Walk x", "Pour juice x", "Grab x", "Drink x"]
    assert builder.counts.failed == 1


def test_worlds_without_snapshots_are_replayed() -> None:
    """Plans and lessons of a world that can only be reset; a single step is enough where it is."""
    trajectory = lamps("light lamp (1)", "quench lamp (0)", "go right", "light lamp (1)", "go left", "light lamp (0)")
    builder = VerifiedSkills(propose_fixes)
    (lesson,) = builder.build(trajectory)
    assert lesson.data["steps"] == ["go_right"]
    assert next(propose_fixes(trajectory)).candidates[-1].draft.data["steps"] == ["quench_lamp_(0)", "go_right"]
    plan = VerifiedSkills(propose_plan)
    assert [draft.confidence for draft in plan.build(trajectory)] == [1.0]
    assert plan.counts.steps == 5


def test_what_has_to_be_refused_and_to_hold_before_is_looked_at() -> None:
    """A lesson about what is not refused is none; a precondition that did not hold is wrong."""
    replay = ReplayEnvs().replay(lamps())
    works = candidate("a", "go right", success=False).test
    assert run_test(works, replay)
    assert not run_test(works._replace(refused="go right"), replay)
    assert run_test(works._replace(refused="go left"), replay)
    assert not run_test(works._replace(before=((0, "LIT", None),)), replay)
    assert not run_test(works._replace(actions=(TryAction("go left"),)), replay)
    approach = (TryAction("go right"), TryAction("go left"))
    assert run_test(works._replace(actions=approach[1:], with_approach=approach), replay)
