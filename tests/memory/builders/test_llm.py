"""What a model says is read tolerantly, kept beside what was lived, and never instead of it."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.agents.skills.knowledge import SkillKnowledge
from pathei.collectors.rollout.policy import AgentPolicy, demonstrator
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs.virtualhome.tasks.generate import generate_tasks
from pathei.experience import Trajectory
from pathei.memory.builders.llm.answers import ParsedLocation, read_lessons, read_locations
from pathei.memory.builders.llm.notes import STATED, LlmFacts, LlmReflections
from pathei.memory.builders.registry import make_builders, make_llm_builders
from pathei.memory.embedders.registry import make_embedder
from pathei.memory.experience_memory import ExperienceMemory
from pathei.memory.items import Filter
from pathei.tests.support.plain_episode import plain_episode

kinds = st.from_regex(r"[a-z]{3,9}(_[a-z]{3,9})?", fullmatch=True).filter(lambda name: name not in ("the", "some"))
spots = st.builds(ParsedLocation, kinds, st.sampled_from(["INSIDE", "ON"]), kinds).filter(
    lambda one: one.object != one.place
)
FORMS = (
    '{{"object": "{0}", "relation": "{1}", "place": "{2}"}}',
    "- {0} | {1} | {2}",
    "3. A {0} is usually kept {1} the {2}.",
    "{0}, {1}, a {2}",
)


@pytest.fixture(scope="module")
def lived() -> Trajectory:
    """An episode in a training house."""
    record = next(iter(Rollout(AgentPolicy(demonstrator)).collect(generate_tasks(1, 0, split="train"))))
    assert isinstance(record, Trajectory)
    return record


@given(st.lists(st.tuples(spots, st.sampled_from(FORMS)), max_size=5))
def test_facts_are_read_in_every_form(said: list[tuple[ParsedLocation, str]]) -> None:
    """As JSON, as a table, as a sentence; with talk around it, which is counted."""
    word = {"INSIDE": "in", "ON": "on"}
    lines = [
        form.format(one.object.replace("_", " "), word[one.relation], one.place.replace("_", " ")) for one, form in said
    ]
    read = read_locations("\n".join(["Here is what I found!", "```json", *lines, "```", ""]))
    assert read.found == list(dict.fromkeys(one for one, _ in said))
    assert read.dropped == 1
    whole = orjson.dumps([one._asdict() | {"relation": word[one.relation]} for one, _ in said]).decode()
    assert read_locations(f"```json\n{whole}\n```").found == read.found


@given(st.text())
def test_no_answer_breaks_the_reading(text: str) -> None:
    """Whatever a model writes, lines are read or counted."""
    for read in (read_lessons(text), read_locations(text)):
        assert len(read.found) + read.dropped <= len(text.splitlines()) + text.count(",") + 1


def test_lessons_are_read_from_lists_json_and_plain_lines() -> None:
    """Where some lines are a list, the others are talk."""
    assert read_lessons("Sure:\n- Open the fridge first.\n* Walk to it\n2) Look around you") == (
        ["Open the fridge first.", "Walk to it", "Look around you"],
        1,
    )
    assert read_lessons('{"lesson": "Open the fridge first."}\n{"lesson": 3}') == (["Open the fridge first."], 1)
    assert read_lessons("Open the fridge first.\nNo.") == (["Open the fridge first."], 1)
    assert read_lessons("") == ([], 0)


def test_a_lesson_is_kept_with_its_model_and_episode() -> None:
    """The model is told what was done and how it came out; the same lesson again is the same item."""
    prompts = list[str]()

    def model(prompt: str) -> str:
        prompts.append(prompt)
        return "- Take the key before the door.\n- take the key, before the door!\n- one\n- Do not go back and forth."

    builder = LlmReflections(model, "tiny", most=2)
    trajectory = plain_episode("open the door", ["go north", "open door"], success=False)
    drafts = list(builder.build(trajectory))
    assert "asked: open the door\nIt failed. It did:\ngo north\nopen door\n" in prompts[0]
    assert [draft.data["lesson"] for draft in drafts] == [
        "Take the key before the door.",
        "take the key, before the door!",
    ]
    assert drafts[0].key == drafts[1].key
    assert builder.dropped == 2
    draft = drafts[0]
    assert (draft.kind, draft.confidence, draft.data["by"], draft.success) == ("episode", STATED, "tiny", False)
    assert draft.source.trajectory == trajectory.id
    assert not list(builder.build(Trajectory("none", trajectory.task, (), trajectory.final, "agent")))
    long = plain_episode("walk", [f"step {number}" for number in range(99)])
    assert list(LlmReflections(model, room=60).build(long))
    assert "(9" in prompts[-1]
    assert "step 98\n" in prompts[-1]


def test_what_a_model_says_never_takes_the_place_of_what_was_lived(tmp_path: Path, lived: Trajectory) -> None:
    """Its facts stand beside lived ones of the same words, rank below them, and are looked up by agents."""
    builders = [*make_builders(["facts"]), LlmFacts(lambda prompt: "\n".join(answers), "tiny")]
    with ExperienceMemory.open(tmp_path, embedder=make_embedder("ngrams"), builders=builders) as memory:
        answers = ["{}"]
        memory.add(lived)
        before = {item.id: item for item in memory.items(Filter(kinds=("fact",)))}
        kept = [item.draft.data for item in before.values() if item.draft.data["when"] == "kept"]
        room = next(one for one in kept if one["relation"] == "ROOM")
        answers = [f"A {room['object']} is in the {room['place']}.", f"- {room['object']} | on | moon", "nonsense"]
        told_later = plain_episode("again", ["x"])
        memory.add(told_later)
        memory.add(Trajectory("t2", lived.task, lived.steps, lived.final, "agent"))
        after = {item.id: item for item in memory.items(Filter(kinds=("fact",)))}
        assert before.keys() < after.keys()
        said = [item for id_, item in after.items() if id_ not in before]
        assert {(item.draft.data["by"], item.draft.confidence) for item in said} == {("tiny", STATED)}
        assert [after[id_].draft for id_ in before] == [item.draft for item in before.values()]
        found = SkillKnowledge(memory).locations(room["object"])
        assert {("moon", "ON"), (room["place"], "ROOM")} <= {(spot.place, spot.relation) for spot in found}
        assert (found[0].place, found[-1].place) == (room["place"], "moon")


def test_a_real_model_goes_the_same_way(tmp_path: Path, lived: Trajectory) -> None:
    """An untrained one says nothing of use: its lines are counted, what can be read is named, and no plan is proved."""
    pytest.importorskip("torch")
    from pathei.agents.lm.completion import completion
    from pathei.agents.lm.local_model import LocalModel
    from pathei.tests.support.tiny_language import tiny_model, tiny_tokenizer

    tiny_model("gpt2", n_positions=4096).save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    builders = make_llm_builders(completion(LocalModel.load(tmp_path), max_tokens=24), "untrained")
    drafts = [draft for builder in builders for draft in builder.build(lived)]
    assert all(draft.data["by"] == "untrained" and draft.confidence == STATED for draft in drafts)
    assert not any(draft.kind == "skill" for draft in drafts)
    lessons, facts = (builder for builder in builders if isinstance(builder, LlmReflections | LlmFacts))
    assert lessons.dropped + facts.dropped + len(drafts) > 0
