"""What is made of experience by rules: skills that worked, where things are, what was refused and why."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.agents import ScriptedAgent
from pathei.agents.skills.agent import SkillAgent
from pathei.collectors.rollout.explore import make_explorer
from pathei.collectors.rollout.policy import AgentPolicy, demonstrator
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs.facts import EVERY, FactGraph, NodeSelector, read_condition
from pathei.envs.registry import get_demonstration
from pathei.envs.verbalizer import plain
from pathei.envs.virtualhome.language.lexicon import LEXICON
from pathei.envs.virtualhome.tasks.generate import generate_tasks
from pathei.errors import ContractError, UnknownNameError
from pathei.experience import Goal, Observation, Step, Task, Trajectory
from pathei.memory import check_builder
from pathei.memory.builders.composing import LOOK
from pathei.memory.builders.episodes import EpisodeBuilder
from pathei.memory.builders.facts import FactBuilder
from pathei.memory.builders.llm.skills import LlmSkills, read_plan
from pathei.memory.builders.plans import propose_plan
from pathei.memory.builders.reflection import propose_fixes, reflect
from pathei.memory.builders.registry import BUILDERS, DEFAULT, make_builder, make_builders
from pathei.memory.builders.signatures import in_order, say_signature, step_reader
from pathei.memory.builders.skills import SkillBuilder
from pathei.memory.items import Draft, Source
from pathei.memory.plans.template import match_goal
from pathei.tests.support.plain_episode import plain_episode
from pathei.tests.support.small_memory import SmallMemory


@pytest.fixture(scope="module")
def demonstrated() -> list[Trajectory]:
    """Demonstrations in training houses."""
    records = list(Rollout(AgentPolicy(demonstrator)).collect(generate_tasks(60, 0, split="train")))
    return [record for record in records if isinstance(record, Trajectory)]


@pytest.fixture(scope="module")
def explored() -> list[Trajectory]:
    """Explorations in training houses."""
    records = list(make_explorer().collect(generate_tasks(6, 1, split="train")))
    return [record for record in records if isinstance(record, Trajectory)]


def test_conditions_become_signatures() -> None:
    """Things become roles in the order in which they are named."""
    inside = {"from": {"class": "cup"}, "relation": "INSIDE", "to": {"id": 7}}
    wanted = read_condition(inside)
    assert wanted is not None
    assert wanted.signature == "x INSIDE y"
    assert wanted.roles == (NodeSelector(classes=("cup",)), NodeSelector(ids=(7,)))
    off = read_condition({"not": {"node": {"class": "light"}, "state": "ON"}})
    assert off is not None
    assert (off.signature, off.number) == ("not x is ON", EVERY)
    drunk = read_condition({"done": {"verb": "DRINK", "object": {"class": "glass"}}})
    assert drunk is not None
    assert drunk.signature == "DRINK x is done"
    assert read_condition({"url": "https://example.org"}) is None


@given(st.permutations(["x", "y", "z"]), st.sampled_from(["{} ON {}", "{} is ON", "not {} INSIDE {}"]))
def test_roles_are_renamed_in_order(roles: list[str], form: str) -> None:
    """Whatever the roles are called, a signature has one form."""
    signature = form.format(*roles)
    renamed, was = in_order(signature)
    assert renamed == form.format("x", "y")
    assert list(was) == roles[: form.count("{}")]


def test_every_demonstration_proves_skills_for_its_conditions(demonstrated: list[Trajectory]) -> None:
    """A goal's condition that came about by an action has a skill whose last step is that action's."""
    for trajectory in demonstrated:
        effects = {effect for draft in SkillBuilder().build(trajectory) for effect in draft.data["effects"]}
        wanted = [found for found in map(read_condition, trajectory.task.goal.conditions) if found]
        assert effects & {one.signature for one in wanted if " CLOSE " not in one.signature}


def test_skills_are_what_one_would_write_down(demonstrated: list[Trajectory]) -> None:
    """Searching, doors and other errands are left out; tools are kept."""
    steps = {draft.text.partition("Steps: ")[2] for one in demonstrated for draft in SkillBuilder().build(one)}
    assert "Walk x; Grab x; Walk y; Open y; PutIn x y." in steps
    assert "Walk x; Grab x; Walk y; PutBack x y." in steps
    assert "Walk x; SwitchOn x." in steps
    looks = [d.data for one in demonstrated for d in SkillBuilder().build(one) if d.data["effects"] == [LOOK]]
    assert {"Open door", "Open fridge"} <= {look["steps"][0] for look in looks}
    calls = [tuple(d.data["calls"]) for one in demonstrated for d in SkillBuilder().build(one) if d.data["calls"]]
    assert ("x INSIDE y", "x is CLOSED") in calls


def test_skills_replay_in_the_world(demonstrated: list[Trajectory]) -> None:
    """The source of a skill names the step that brought its effect about."""
    read = step_reader(plain())
    for trajectory in demonstrated[:20]:
        for draft in SkillBuilder().build(trajectory):
            if draft.source.step is not None and not draft.data["calls"]:
                verb = draft.data["steps"][-1].split(" ")[0]
                assert read(trajectory.steps[draft.source.step].action).verb == verb


def test_facts_say_where_things_are(demonstrated: list[Trajectory]) -> None:
    """A question in words finds the place; facts of one house have the thing as their key."""
    drafts = [draft for one in demonstrated for draft in FactBuilder().build(one)]
    memory = SmallMemory(drafts)
    best = memory.query("Where is the fridge found?", 1)[0].item.draft
    assert (best.data["object"], best.data["place"]) == ("fridge", "kitchen")
    here = [draft for draft in drafts if draft.data["when"] == "here"]
    assert here
    assert all(draft.key.startswith("house:") for draft in here)


def test_the_same_episode_gives_the_same_plain_drafts(
    demonstrated: list[Trajectory], explored: list[Trajectory]
) -> None:
    """Drafts repeat, are plain JSON, and say something."""
    for trajectory in (*demonstrated[:10], *explored):
        first = [draft for builder in make_builders() for draft in builder.build(trajectory)]
        again = [draft for builder in make_builders() for draft in builder.build(trajectory)]
        assert first == again
        for draft in first:
            assert orjson.loads(orjson.dumps(dict(draft.data))) == draft.data
            assert draft.text
            assert draft.source.trajectory == trajectory.id


def test_a_refusal_and_what_came_after_it_is_a_lesson() -> None:
    """An action that was refused, and accepted after another, teaches that other."""
    played = refused_once()
    reflection = reflect(played)
    assert reflection.lessons
    lines = [step.action for step in played.steps]
    assert reflection.lessons[0].helped == (next(line for line in lines if line.startswith("[Open] <trash")),)
    lesson = next(propose_fixes(played)).candidates[-1].draft
    assert lesson.data["effects"] == ["can PutIn x y"]
    assert lesson.data["steps"] == ["Open y"]
    episode = next(iter(EpisodeBuilder().build(played)))
    assert "was refused because" in episode.text


def refused_once() -> Trajectory:
    """An episode of throwing food away, with the lid forgotten at first."""
    task = next(t for t in generate_tasks(200, 0, split="train") if "-throw-food-away-" in t.id)
    played = next(iter(Rollout(AgentPolicy(lambda _: ScriptedAgent(_closed(task)))).collect([task])))
    assert isinstance(played, Trajectory)
    return played


def _closed(task: Task) -> list[str]:
    """The demonstration of throwing food away, with the lid forgotten at first."""
    lines = list(get_demonstration(task))
    place = next(n for n, line in enumerate(lines) if line.startswith("[PutIn]"))
    assert lines[place - 1].startswith("[Open]")
    return [*lines[: place - 1], lines[place], lines[place - 1], lines[place]]


def test_elsewhere_whole_plans_are_kept_with_the_goals_words_open() -> None:
    """A plan for one colour is a plan for another."""
    (plan,) = propose_plan(plain_episode("fetch the red ball", ["go to red ball", "pick up red ball"]))
    draft = plan.candidates[0].draft
    assert draft.data["name"] == "fetch the {w0} {w1}"
    assert match_goal("fetch the {w0} {w1}", "Fetch the blue key") == {"w0": "blue", "w1": "key"}
    assert match_goal("fetch the {w0} {w1}", "open the door") is None
    assert not propose_plan(plain_episode("fetch the red ball", ["wait"], success=False))


def test_what_a_model_writes_enters_only_when_proved(demonstrated: list[Trajectory]) -> None:
    """The plan is read tolerantly, and carried out before it is kept."""
    trajectory = demonstrated[0]
    lines = [step.action for step in trajectory.steps]
    good = "Sure! Here is the plan:\n" + "\n".join(f"{n}. {line}" for n, line in enumerate(lines, 1))
    kept = list(LlmSkills(lambda prompt: good).build(trajectory))
    assert [draft.data["steps"] for draft in kept] == [lines]
    assert not list(LlmSkills(lambda prompt: "\n".join(lines[:-1])).build(trajectory))
    assert not list(LlmSkills(lambda prompt: "I cannot help with that.").build(trajectory))
    assert read_plan("- go east\n\n* go west", ["go north"]) == ["go east", "go west"]


def test_builders_have_names() -> None:
    """A wrong name suggests the right one."""
    assert [type(builder).__name__ for builder in make_builders()] == [
        "EpisodeBuilder",
        *["VerifiedSkills"] * 3,
        "FactBuilder",
    ]
    assert BUILDERS.names() == list(DEFAULT)
    with pytest.raises(UnknownNameError, match="did you mean 'skills'"):
        make_builders(["skill"])


@pytest.mark.parametrize("name", DEFAULT)
def test_builders_keep_the_contract(name: str, demonstrated: list[Trajectory], explored: list[Trajectory]) -> None:
    elsewhere = plain_episode("fetch the red ball", ["go to red ball", "pick up red ball"])
    check_builder(lambda: make_builder(name), [*demonstrated[:6], refused_once(), *explored[:1], elsewhere])


def test_a_builder_that_breaks_the_contract_is_named() -> None:
    class Careless:
        """Makes another draft each time."""

        def __init__(self) -> None:
            self.count = next(numbers)

        def build(self, trajectory: Trajectory) -> list[Draft]:
            """Return a numbered draft."""
            return [Draft("fact", f"draft {self.count}", trajectory.task.env, source=Source(trajectory.id))]

    numbers = iter(range(9))
    episode = plain_episode("do it", ["a"])
    with pytest.raises(ContractError, match="different drafts"):
        check_builder(Careless, [episode])
    with pytest.raises(ContractError, match="made no draft"):
        check_builder(lambda: make_builder("plans"), [plain_episode("do it", ["a"], success=False)])


def test_a_world_without_facts_breaks_nothing() -> None:
    """Drafts come of any trajectory, also of one that has no steps or strange facts."""
    rng = np.random.default_rng(0)
    bare = plain_episode("do it", ["a", "b"])
    strange = Observation("", facts={"graph": {"nodes": [[1]], "edges": int(rng.integers(3))}})
    odd = Trajectory("odd", bare.task, (Step(strange, "x", 0.0),), strange, "agent")
    empty = Trajectory("empty", bare.task, (), Observation(""), "agent")
    for trajectory in (bare, odd, empty):
        for builder in make_builders():
            list(builder.build(trajectory))


@given(st.text("{}w01! ", max_size=12), st.text("{}w01$ ", max_size=12))
def test_braces_of_goals_and_plans_are_text(before: str, after: str) -> None:
    """`find -exec cat {} +`, `awk '{print $2}'`, and even what looks like a parameter: nothing is ever formatted."""
    goal, action = f"{before} show red", f"find red {after} -exec cat {{}} + {{w0}} {{print $2}}"
    (plan,) = propose_plan(plain_episode(goal, [action]))
    memory = SmallMemory([plan.candidates[0].draft])
    agent = SkillAgent(memory)
    other = Goal(" ".join(goal.split()).replace("red", "blue"))
    made = agent.act(Observation("a room"), other)
    assert (made if isinstance(made, str) else made.action) == action.replace("red", "blue")


def test_facts_about_a_scene_hold_after_its_next_reset() -> None:
    """What an episode changed is undone by the reset, so no fact about the scene says it."""
    tasks = generate_tasks(8, 0, split="train")
    records = [one for one in Rollout(AgentPolicy(demonstrator)).collect(tasks) if isinstance(one, Trajectory)]
    checked = 0
    for one, other in pairwise(records):
        if one.task.options != other.task.options:
            continue
        graph = FactGraph.of(other.steps[0].observation.facts)
        assert graph is not None
        for draft in FactBuilder().build(one):
            if draft.data["holds"] == "scene":
                checked += 1
                assert graph.has(draft.data["id"], draft.data["relation"], draft.data["at"])
    assert checked > 10


def test_facts_speak_of_what_cannot_be_counted_without_an_article() -> None:
    """Water is kept in a fridge, and keys are; to be in a room that has no name says nothing."""
    tasks = generate_tasks(12, 0, split="train")
    records = [one for one in Rollout(AgentPolicy(demonstrator)).collect(tasks) if isinstance(one, Trajectory)]
    texts = {draft.text for one in records for draft in FactBuilder().build(one)}
    masses, plurals = LEXICON.masses, LEXICON.plurals
    named = {kind.replace("_", " ") for kind in masses | plurals}
    assert not [text for text in texts for kind in named if f" a {kind} " in f" {text.lower()} "]
    assert any(text.startswith("Water is ") for text in texts)
    assert not any(text.endswith(" in the room.") for text in texts)


def test_a_goal_that_is_a_sentence_ends_with_one_full_stop() -> None:
    for goal in ("buy the product", "Buy the product."):
        (draft,) = EpisodeBuilder().build(plain_episode(goal, ["search", "buy"]))
        assert draft.text.startswith(f"Goal: {goal.removesuffix('.')}. It succeeded after 2 steps: search; buy.")


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        ("you ON x", "you are on x"),
        ("x INSIDE y", "x is inside y"),
        ("not x ON y", "x is not on y"),
        ("x is OPEN", "x is open"),
        ("not x is PLUGGED_IN", "x is not plugged in"),
        ("you HOLDS x", "you hold x"),
        ("not you HOLDS_RH x", "you do not hold x"),
        ("you FACING x", "you face x"),
        ("you CLOSE x", "you are close to x"),
        ("x NEXT_TO y", "x is next to y"),
        ("DRINK x is done", "DRINK x is done"),
    ],
)
def test_the_text_of_a_skill_says_its_effects_in_plain_words(signature: str, words: str) -> None:
    assert say_signature(signature) == words
