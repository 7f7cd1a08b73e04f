"""What is said and what is read: plans in words, stories that suffice, and E2WM's files."""

import re
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.agents.carrying import RandomCarryAgent
from pathei.agents.checks import check_agent
from pathei.collectors.rollout.episode import Envs
from pathei.collectors.rollout.policy import play
from pathei.envs.facts import read_action
from pathei.envs.verbalizer import NamedThing
from pathei.envs.virtualhome.language.lexicon import PAST
from pathei.envs.virtualhome.language.phrases import PHRASES
from pathei.envs.virtualhome.language.plans import read_plan, say_plan
from pathei.envs.virtualhome.verbalizer import HomeVerbalizer
from pathei.errors import RecordError
from pathei.experience import Goal, Task, Trajectory
from pathei.learners.corpora.config import KINDS
from pathei.learners.corpora.episodes import read_episode
from pathei.learners.corpora.happenings import tracking
from pathei.learners.e2wm import E2WM_FILES, E2WM_WEIGHTS, read_e2wm, write_e2wm
from pathei.learners.examples import Example
from pathei.stable_random import StableRandom

NAMES = st.sampled_from(["cup", "dining_table", "kitchen_knife", "toilet_paper", "keys", "tv_stand"])


@st.composite
def script_lines(draw: st.DrawFn) -> str:
    """Any script line of the household."""
    verb = draw(st.sampled_from(sorted(PHRASES)))
    arity = PHRASES[verb][0].count("{")
    things = [f"<{draw(NAMES)}> ({draw(st.integers(1, 999))})" for _ in range(arity)]
    return " ".join([f"[{verb}]", *things])


@given(st.lists(script_lines(), max_size=8))
def test_a_plan_in_words_is_read_back(lines: list[str]) -> None:
    numbered = [*(action for line in lines for action in [read_action(line)] if action is not None)]
    for told in (
        say_plan(lines),
        say_plan(lines, {name for action in numbered for name in action.names}),
        "\n".join(lines),
    ):
        sentences = read_plan(told)
        assert len(sentences) == len(lines)
        for one, action in zip(sentences, numbered, strict=True):
            meant = [tuple(name.replace("_", " ") for name in action.names) for _ in one.readings]
            assert any(
                reading.verb == action.verb and tuple(thing.name for thing in reading.things) == names
                for reading, names in zip(one.readings, meant, strict=True)
            ), (told, one)


@pytest.mark.parametrize(
    "text",
    [
        "Walk to the fridge. Open the fridge. Grab the milk (12).",
        "1. Walk to the fridge.\n2. Open the fridge.\n3. Grab the milk (12).",
        "Step 1: walk to fridge\nStep 2: open fridge\nStep 3: pick up the milk 12",
        "First walk to the fridge, then open the fridge; finally take the milk (12)!",
        "you go to the fridge, open the fridge, and get the milk (12).\n\nQ: How to sleep?\nA: Lie on the bed.",
        "[Walk] <fridge> (26)\n[Open] <fridge> (26)\n[Grab] <milk> (12)",
    ],
)
def test_any_telling_of_a_plan_is_read(text: str) -> None:
    readings = [one.readings[0] for one in read_plan(text)]
    assert [reading.verb for reading in readings] == ["WALK", "OPEN", "GRAB"]
    assert readings[0].things[0].name == "fridge"
    assert readings[2].things == (NamedThing("milk", 12),)


@given(st.text())
def test_any_text_can_be_read_as_a_plan(text: str) -> None:
    assert all(one.text for one in read_plan(text))


def test_nonsense_has_no_reading() -> None:
    (one,) = read_plan("the moon is made of cheese")
    assert one.readings == ()
    assert read_plan("  \n\n ") == ()


def test_every_verb_has_its_past() -> None:
    assert {verb.upper() for verb in PHRASES} - {"PUTOBJBACK"} == set(PAST) - {"WAIT"}


# --- a reader that knows nothing but the words

WENT = re.compile(
    r"(?:(?:went|walked|walked over|headed|moved|ran|hurried) (?:to|into)|entered|found)"
    r" the ([a-z ]+?)(?: in the ([a-z ]+))?$"
)
TOOK = re.compile(r"(?:picked up|took|grabbed|got) the ([a-z ]+)$")
LEFT = re.compile(
    r"(?:put|placed|left|set|dropped|put down|let go of) (?:the ([a-z ]+?)|it|them)(?: down)?(?: (?:on|in) .*)?$"
)
ROOMS = ("kitchen", "bathroom", "bedroom", "living room", "dining room", "home office", "hallway", "laundry room")


class Reader:
    """Follows a story by its words: who is where, and who carries what."""

    def __init__(self, story: str) -> None:
        self.where: dict[str, str] = {}
        self.load: dict[str, set[str]] = {}
        self.path: dict[str, list[str]] = {}
        who = ""
        for sentence in re.findall(r"[^.]+(?=\.)", story):
            who = self.read(sentence.strip(), who)

    def read(self, sentence: str, who: str) -> str:
        """Read a sentence and return its subject."""
        opening = re.match(r"(.+?) (?:was|were) in the (.+)$", sentence)
        if opening and opening[1][:4] != "The ":
            self.open(sentence)
            return ""
        name, rest = sentence.split(" ", 1)
        who = who if name in ("She", "He") else name
        last = ""
        for clause in re.split(
            r", then | and (?=\w+ed\b|\w+ (?:up|to|the|it|them|on|off|into|down|in)\b|lay|got|took)|, ", rest
        ):
            last = self.act(who, clause, last)
        return who

    def open(self, sentence: str) -> None:
        """Read where people are: "Ana was in the hall with the cup and Ben in the attic"."""
        text, _, load = sentence.partition(" with ")
        things = {thing.removeprefix("the ") for thing in re.split(r", | and ", load) if thing}
        found = re.findall(
            r"([A-Z][\w, ]*?(?: and [A-Z]\w*)?) (?:was |were )?in the ([a-z ]+?)(?= and [A-Z]|,|$)", text
        )
        for names, room in found:
            for name in re.findall(r"[A-Z]\w+", names):
                self.where[name], self.load[name] = room, set(things)
                for thing in things:
                    self.path.setdefault(thing, []).append(room)

    def act(self, who: str, clause: str, last: str) -> str:
        """Read a clause and return the thing that it speaks of."""
        went, took, left = WENT.match(clause), TOOK.match(clause), LEFT.match(clause)
        if went:
            room = went[2] or (went[1] if went[1] in ROOMS else self.where[who])
            self.where[who] = room
            for thing in self.load[who]:
                self.seen(thing, room)
            return went[1]
        moved = re.match(r"(?:picked|got|took|grabbed) (?:it|them)", clause)
        if took or moved:
            thing = took[1] if took else last
            self.load[who].add(thing)
            self.seen(thing, self.where[who])
            return thing
        if left:
            thing = left[1] or last
            self.load[who].discard(thing)
            return thing
        return last

    def seen(self, thing: str, room: str) -> None:
        """Note that a thing is in a room."""
        path = self.path.setdefault(thing, [])
        if path[-1:] != [room]:
            path.append(room)


def errands(count: int) -> list[Trajectory]:
    envs = Envs()
    tasks = [
        Task(f"e{n}", "pathei/VirtualHome-v0", n, Goal("x"), {"scene": f"house:{n}", "characters": 2 + n % 3})
        for n in range(count)
    ]
    found = [play(envs.get(task), task, RandomCarryAgent(HomeVerbalizer()), max_steps=40) for task in tasks]
    envs.close()
    return found


def test_errands_carry_things_from_room_to_room_and_are_repeatable() -> None:
    carried = 0
    for trajectory, again in zip(errands(4), errands(4), strict=True):
        assert trajectory == again
        episode = read_episode(trajectory)
        assert episode is not None
        for node in set(episode.moved) - set(episode.start.characters):
            carried += len({spot.room for _, spot in episode.history(node)}) > 1
    assert carried >= 4
    check_agent(RandomCarryAgent(HomeVerbalizer()))


def test_the_words_of_a_tracking_story_suffice() -> None:
    """Where a thing lies in something that is carried, more than this reader's wits are needed; that is rare."""
    right = total = 0
    for number, trajectory in enumerate(errands(24)):
        episode = read_episode(trajectory)
        assert episode is not None
        for draft in tracking(episode, StableRandom.seeded(number), 90, 2):
            story, question = draft.prompt.split("\nQ: ")
            thing = re.search(r"the ([a-z ]+?)(?:,| appeared)", question.replace("the order of the rooms where ", ""))
            assert thing is not None
            total += 1
            right += ", ".join(Reader(story).path.get(thing[1], [])) == draft.completion
    assert total >= 20
    assert right >= 0.95 * total, (right, total)


# --- E2WM's files


def test_e2wm_files_are_read_and_written(tmp_path: Path) -> None:
    plan, choice = tmp_path / "train_plan_gen.json", tmp_path / "count.json"
    plan.write_bytes(b'{"input": "Q: How to rest?\\nA:", "ref": "Walk to bed. "}\n\n')
    choice.write_bytes(orjson.dumps({"input": "Q: How many?\nA:", "answer": "1", "answer_list": ["0", "1", "2"]}))
    (one,) = read_e2wm(plan)
    assert (one.kind, one.split, one.completion, one.choices) == ("plan", "train", " Walk to bed.", ())
    (other,) = read_e2wm(choice)
    assert (other.kind, other.split, other.choices) == ("counting", "seen", (" 0", " 1", " 2"))
    for examples, name in (([one], "plan_gen.json"), ([other, other], "obj_move.json")):
        write_e2wm(examples, tmp_path / "out" / name)
        again = read_e2wm(tmp_path / "out" / name, kind=examples[0].kind, split=examples[0].split)
        assert [(e.prompt, e.completion, e.choices) for e in again] == [
            (e.prompt, e.completion, e.choices) for e in examples
        ]
    listed = tmp_path / "my.json"
    listed.write_bytes(b'[{"input": "a", "ref": "b"}]')
    assert read_e2wm(listed, kind="tracking")[0].completion == " b"
    assert {file.kind for file in E2WM_FILES.values()} == {*KINDS} - {"plan-bare"} >= set(E2WM_WEIGHTS)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"input": "a", "ref": "b"', "Line 1 of .* is not JSON"),
        (b'{"prompt": "a", "ref": "b"}', "no text under 'input'"),
        (b'{"input": "a", "ref": ["b"]}', "no text under 'ref' or 'answer'"),
        (b'{"input": "a", "answer": "b", "answer_list": "b"}', "list of texts under 'answer_list'"),
        (b'{"input": "a", "answer": "b", "answer_list": ["c"]}', "not in its 'answer_list'"),
        (b"[1", "is not JSON"),
        (b"7", "no text under 'input'"),
    ],
)
def test_a_file_that_does_not_fit_is_explained(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "count.json"
    path.write_bytes(content)
    with pytest.raises(RecordError, match=says):
        read_e2wm(path)


def test_what_is_no_file_of_e2wm_is_explained(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="say which kind"):
        read_e2wm(tmp_path / "mine.json")
    with pytest.raises(RecordError, match="no file of E2WM"):
        read_e2wm(tmp_path / "count.json")
    mixed = [Example("1", "plan", "a", " b"), Example("2", "counting", "a", " b")]
    with pytest.raises(RecordError, match="one kind of examples, not plan, counting"):
        write_e2wm(mixed, tmp_path / "x.json")
