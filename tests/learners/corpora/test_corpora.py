"""Corpora: every answer follows from the simulator, by a route that shares nothing with how it was made.

The store is a real one, collected here. For each example the stored actions are played again in a fresh environment,
and the answer is read off the world's own tables.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.agents import ScriptedAgent
from pathei.agents.carrying import RandomCarryAgent
from pathei.collectors import make_explorer
from pathei.collectors.rollout.episode import Envs
from pathei.collectors.rollout.policy import play
from pathei.envs.registry import get_demonstration
from pathei.envs.verbalizer import is_unseen_activity
from pathei.envs.virtualhome.engine.places import room_of
from pathei.envs.virtualhome.engine.rules import EngineAction
from pathei.envs.virtualhome.engine.vocabulary import HANDS, INSIDE, ON
from pathei.envs.virtualhome.engine.world import World
from pathei.envs.virtualhome.goals.check import GoalCheck
from pathei.envs.virtualhome.goals.relevance import Relevance
from pathei.envs.virtualhome.language.script import parse_line
from pathei.envs.virtualhome.tasks.generate import ACTIVITIES, generate_tasks, unseen_activities
from pathei.envs.virtualhome.verbalizer import HomeVerbalizer, is_unseen_house
from pathei.errors import ConfigError, RecordError, UnknownNameError
from pathei.experience import Goal, Parent, Task, Trajectory
from pathei.learners.corpora.building import balanced, build_corpora
from pathei.learners.corpora.config import KINDS, CorpusConfig
from pathei.learners.corpora.episodes import read_episode
from pathei.learners.corpora.files import make_corpora
from pathei.learners.corpora.splits import activity_of, scene_of, split_of
from pathei.learners.examples import SPLITS, Example, read_examples
from pathei.store import ExperienceStore
from pathei.tests.support.plain_episode import plain_episode

HOMES = 36
CONFIG = CorpusConfig(per_kind=150, held_out_per_kind=60)
NUMBERS = {"no": 0, "one": 1}


def errand_tasks(count: int) -> list[Task]:
    """Households of one to four people without a goal; every fifth is a test house."""
    env = "pathei/VirtualHome-v0"
    return [
        Task(f"errands-{n}", env, n, Goal("run errands"), {"scene": f"house:{n}", "characters": 1 + n % 4})
        for n in range(count)
    ]


def collect(store: ExperienceStore) -> None:
    """Demonstrations of all activities, errands and exploration."""
    envs = Envs()
    tasks = generate_tasks(96, 0) + generate_tasks(40, 1, split="test", activities=unseen_activities())
    for task in tasks:
        agent = ScriptedAgent(get_demonstration(task))
        store.append(play(envs.get(task), task, agent, max_steps=100, collector="demonstration"))
    for task in errand_tasks(HOMES):
        store.append(
            play(envs.get(task), task, RandomCarryAgent(HomeVerbalizer()), max_steps=48, seed=5, collector="errands")
        )
    for record in make_explorer(max_steps=40).collect(errand_tasks(HOMES // 2)):
        store.append(record)
    envs.close()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExperienceStore]:
    """A store of lived episodes."""
    with ExperienceStore.open(tmp_path_factory.mktemp("corpora") / "store", config={}) as opened:
        collect(opened)
        yield opened


@pytest.fixture(scope="module")
def lived(store: ExperienceStore) -> dict[str, Trajectory]:
    """The trajectories of the store, by id."""
    return {trajectory.id: trajectory for trajectory in store.trajectories()}


@pytest.fixture(scope="module")
def examples(lived: dict[str, Trajectory]) -> list[Example]:
    """What is made of them."""
    return build_corpora(lived.values(), CONFIG)


class Replay:
    """Plays the stored actions again and looks at the world itself."""

    def __init__(self, trajectory: Trajectory) -> None:
        task = trajectory.task
        goal = {"text": task.goal.text, "conditions": list(task.goal.conditions)}
        self.env = gymnasium.make(task.env)
        self.env.reset(seed=task.seed, options={**task.options, "goal": goal})
        self.actions = [step.action for step in trajectory.steps]
        self.done = 0
        self.info: dict[str, Any] = {}

    @property
    def world(self) -> World:
        """The household as it is now."""
        world: World = self.env.unwrapped.world  # type: ignore[attr-defined]  # the household's own
        return world

    def to(self, moment: int) -> World:
        """Act until so many steps are done."""
        while self.done < moment:
            self.info = self.env.step(self.actions[self.done])[4]
            self.done += 1
        return self.world

    def name(self, node: int) -> str:
        """The class of a node, in words."""
        return self.world.scene.classes[node].replace("_", " ")

    def index(self, number: int) -> int:
        """The node of an id."""
        return self.world.scene.index[number]


def of_kind(examples: list[Example], *kinds: str) -> list[Example]:
    found = [example for example in examples if example.kind in kinds]
    assert found, kinds
    return found


def things_in(answer: str) -> tuple[int, frozenset[str]]:
    """Read "There are 2 items on the desk. They are the cup and the keys."."""
    count, rest = re.fullmatch(r" There (?:is|are) (no|one|\d+) items? .+?\.(.*)", answer).groups()  # type: ignore[union-attr]
    names = re.sub(r"^ (?:It is|They are) |\.$", "", rest)
    things = frozenset(name.strip().removeprefix("the ") for name in re.split(r", | and ", names) if name.strip())
    return NUMBERS.get(count, -1) if count in NUMBERS else int(count), things


def test_counts_are_those_of_the_world(examples: list[Example], lived: dict[str, Trajectory]) -> None:
    for example in of_kind(examples, "counting"):
        replay = Replay(lived[example.source["trajectory"]])
        world = replay.to(example.source["step"])
        place = replay.index(example.source["question"]["place"])
        relation = {"ON": ON, "INSIDE": INSIDE}[example.source["question"]["relation"]]
        held = {n for c in world.characters for n in range(world.size) if world.held(c) >> n & 1}
        there = {n for n in range(world.size) if world.has(n, relation, place)} - held
        names_there = frozenset(replay.name(n) for n in there)
        number, names = things_in(example.completion)
        assert (number, names) == (len(there), names_there), example
        told = [things_in(choice) for choice in example.choices]
        assert len(told) == len(set(told)) == 5
        assert all(count == len(things) for count, things in told)


def test_paths_are_those_of_the_world(examples: list[Example], lived: dict[str, Trajectory]) -> None:
    found = of_kind(examples, "tracking")
    for example in found:
        replay = Replay(lived[example.source["trajectory"]])
        thing = replay.index(example.source["question"]["thing"])
        path: list[str] = []
        for moment in range(example.source["question"]["begin"], example.source["step"] + 1):
            room = room_of(replay.to(moment), thing)
            assert room is not None
            if path[-1:] != [replay.name(room)]:
                path.append(replay.name(room))
        assert example.completion == f" {', '.join(path)}", example
        names = {word for word in re.findall(r"[A-Z][a-z]+", example.prompt) if len(word) > 2}
        assert len(replay.world.characters) in (2, 3, 4), names
    assert max(example.completion.count(",") for example in found) >= 2


def test_locations_are_those_of_the_world(examples: list[Example], lived: dict[str, Trajectory]) -> None:
    for example in of_kind(examples, "location"):
        replay = Replay(lived[example.source["trajectory"]])
        world = replay.to(example.source["step"])
        question = example.source["question"]
        thing = replay.index(question["thing"])
        holder = next((c for c in world.characters if world.held(c) >> thing & 1), None)
        answers = set()
        if "Q: In which room" in example.prompt:
            room = room_of(world, thing if holder is None else holder)
            assert room is not None
            answers.add(replay.name(room))
        elif holder is not None:
            assert question["holder"] == world.scene.ids[holder]
            assert example.completion.endswith("'s hand")
            continue
        else:
            for relation, word in ((ON, "on"), (INSIDE, "in")):
                ends = (n for n in range(world.size) if world.has(thing, relation, n))
                answers |= {f"{word} the {replay.name(n)}" for n in ends if not world.scene.rooms >> n & 1}
        assert [choice for choice in example.choices if choice[1:] in answers] == [example.completion], example


def test_activities_were_done(examples: list[Example], lived: dict[str, Trajectory]) -> None:
    for example in of_kind(examples, "recognition", "inference"):
        trajectory = lived[example.source["trajectory"]]
        replay = Replay(trajectory)
        replay.to(len(trajectory.steps))
        assert replay.info["success"] is True
        done = [choice for choice in example.choices if f"-{choice[1:].replace(' ', '-')}-" in f"{trajectory.task.id}-"]
        assert max(done, key=len) == example.completion
        assert {choice[1:].replace(" ", "-") for choice in example.choices} <= ACTIVITIES.keys()


def test_wrong_activities_were_not_done(examples: list[Example], lived: dict[str, Trajectory]) -> None:
    """Each option is grounded anew in the same house: were it right as well, its goal would have come to hold."""
    for example in of_kind(examples, "recognition")[::3]:
        trajectory = lived[example.source["trajectory"]]
        replay = Replay(trajectory)
        world = replay.world
        for choice in set(example.choices) - {example.completion}:
            grounded = ACTIVITIES[choice[1:].replace(" ", "-")].ground(world, np.random.default_rng(0))
            if grounded is not None:
                check = GoalCheck(grounded.goal.conditions, world)
                for action in example_actions(trajectory, world):
                    world.act(action)
                    check.note(action)
                assert not check.satisfied(), (example, grounded.goal)
                world.restore(world.start)


def example_actions(trajectory: Trajectory, world: World) -> list[EngineAction]:
    """The actions of a trajectory."""
    return [parse_line(step.action, world.scene, world.rules) for step in trajectory.steps]


def test_what_is_needed_is_what_the_rules_find_relevant(examples: list[Example], lived: dict[str, Trajectory]) -> None:
    for example in of_kind(examples, "relevance", "irrelevance"):
        trajectory = lived[example.source["trajectory"]]
        world = Replay(trajectory).world
        nodes = Relevance(trajectory.task.goal.conditions, world).nodes & ~world.scene.rooms
        classes = {world.scene.classes[n].replace("_", " ") for n in range(world.size) if nodes >> n & 1}
        fitting = [choice for choice in example.choices if (choice[1:] in classes) == (example.kind == "relevance")]
        assert fitting == [example.completion], example


def test_plans_reach_their_goals(examples: list[Example], lived: dict[str, Trajectory]) -> None:
    from pathei.experience import task_from_json
    from pathei.learners.evaluation.plan_execution import execute_plan

    for example in of_kind(examples, "plan", "plan-confusing"):
        task = task_from_json(example.source["task"])
        assert task == lived[example.source["trajectory"]].task
        outcome = execute_plan(task, example.completion)
        assert outcome.success
        assert outcome.refused is None
        # the script lines that it stands for reach the goal as they are
        env = gymnasium.make(task.env)
        env.reset(seed=task.seed, options={**task.options, "goal": {"conditions": list(task.goal.conditions)}})
        assert [env.step(line)[4] for line in outcome.steps][-1]["success"]


def test_items_of_plans_are_where_they_are_said_to_be(examples: list[Example], lived: dict[str, Trajectory]) -> None:
    told = 0
    for example in of_kind(examples, "plan", "plan-confusing"):
        replay = Replay(lived[example.source["trajectory"]])
        world = replay.world
        for name, word, place in re.findall(
            r"The ([a-z ]+?)(?: \(\d+\))? (?:is|are) (on|in) the ([a-z ]+)", example.prompt
        ):
            relation = {"on": ON, "in": INSIDE}[word]
            assert any(
                replay.name(source) == name and replay.name(target) == place and world.has(source, relation, target)
                for source in range(world.size)
                for target in range(world.size)
            ), (name, word, place, example.prompt)
            told += 1
    assert told > 100


def test_facts_folded_are_the_world(lived: dict[str, Trajectory]) -> None:
    for trajectory in list(lived.values())[::7]:
        episode, replay = read_episode(trajectory), Replay(trajectory)
        assert episode is not None
        for moment in (0, len(trajectory.steps) // 2, len(trajectory.steps)):
            world = replay.to(moment)
            for node in episode.moved:
                n = replay.index(node)
                spot = episode.location(node, moment)
                room = room_of(world, n)
                assert spot.room == (None if room is None else world.scene.ids[room])
                if spot.holder is not None:
                    relations = {"HELD": HANDS, "ON": (ON,), "INSIDE": (INSIDE,)}[spot.relation]
                    holder = replay.index(spot.holder)
                    assert any(world.has(n, r, holder) or world.has(holder, r, n) for r in relations)
        for n in range(world.size):
            assert episode.end.states[world.scene.ids[n]] == set(world.states_of(n))


def test_every_kind_is_there_and_keeps_its_form(examples: list[Example]) -> None:
    options = {"recognition": 4, "inference": 4, "counting": 5, "location": 6, "relevance": 4, "irrelevance": 4}
    assert {example.kind for example in examples} == set(KINDS)
    assert len({example.id for example in examples}) == len(examples)
    for example in examples:
        assert len(example.prompt.split()) <= CONFIG.max_words
        assert example.prompt == example.prompt.strip()
        assert example.completion[0] == " "
        assert example.completion == f" {example.completion.strip()}"
        assert len(example.choices) == len(set(example.choices)) == options.get(example.kind, 0)
        assert not example.choices or example.completion in example.choices
        assert "_" not in example.prompt + example.completion
        assert not re.search(r"picked up (?:it|them)\b|\bNone\b|  ", example.prompt)


def test_nothing_of_unseen_is_trained_on(examples: list[Example]) -> None:
    of = {split: [example for example in examples if example.split == split] for split in SPLITS}
    activities = {s: {e.source["activity"] for e in group} - {None} for s, group in of.items()}
    houses = {s: {e.source["house"] for e in group} for s, group in of.items()}
    assert all(of.values())
    assert not activities["unseen"] & (activities["train"] | activities["seen"])
    assert not houses["unseen"] & (houses["train"] | houses["seen"])
    for split, group in of.items():
        for other in of.keys() - {split}:
            assert not {e.source["trajectory"] for e in group} & {e.source["trajectory"] for e in of[other]}
            assert not {e.prompt for e in group} & {e.prompt for e in of[other]}
    named = {choice[1:] for e in of["train"] if e.kind in ("recognition", "inference") for choice in e.choices}
    assert not any(map(is_unseen_activity, named))


@pytest.mark.parametrize("seed", [1, 2])
def test_examples_do_not_depend_on_the_order_of_the_store(lived: dict[str, Trajectory], seed: int) -> None:
    some = list(lived.values())[::3]
    config = CorpusConfig(per_kind=30, held_out_per_kind=10, seed=seed)
    forwards, backwards = build_corpora(some, config), build_corpora(some[::-1], config)
    assert forwards == backwards
    assert forwards != build_corpora(some, CorpusConfig(per_kind=30, held_out_per_kind=10, seed=seed + 1))


def test_files_are_the_same_bytes_each_time(store: ExperienceStore, tmp_path: Path) -> None:
    config = CorpusConfig(kinds=("counting", "relevance"), per_kind=20, held_out_per_kind=5)
    report = make_corpora(store.info().path, tmp_path / "a", config)
    make_corpora(store.info().path, tmp_path / "b", config)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["corpora.json", "seen.jsonl", "train.jsonl", "unseen.jsonl"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    counts = Counter(example.kind for example in read_examples(tmp_path / "a" / "train.jsonl"))
    assert counts == {row.kind: row.examples for row in report.kinds if row.split == "train"}
    assert report.table().row_count == 2
    assert report.store["trajectories"] == len(store)


def test_a_store_of_other_worlds_is_refused(tmp_path: Path) -> None:
    with ExperienceStore.open(tmp_path / "empty", config={}):
        pass
    with pytest.raises(ConfigError, match="0 episodes"):
        make_corpora(tmp_path / "empty", tmp_path / "out")


def test_branches_are_made_whole(lived: dict[str, Trajectory]) -> None:
    root = next(t for t in lived.values() if t.collector == "demonstration" and len(t.steps) > 4 and split_of(t.task))
    branch = Trajectory(f"{root.id}+1", root.task, root.steps[2:], root.final, "mcts", Parent(root.id, 2))
    with pytest.raises(ConfigError, match=r"store\.expand"):
        build_corpora([branch])
    whole = Trajectory(branch.id, root.task, root.steps, root.final, "mcts")
    assert build_corpora([branch], expand=lambda _: whole) == build_corpora([whole])


def test_broken_facts_are_one_sentence(lived: dict[str, Trajectory]) -> None:
    import dataclasses

    root = next(iter(lived.values()))
    first = dataclasses.replace(
        root.steps[0].observation, facts={"graph": {"nodes": [[1]], "edges": [], "rooms": [], "characters": []}}
    )
    steps = (dataclasses.replace(root.steps[0], observation=first), *root.steps[1:])
    with pytest.raises(RecordError, match="no facts of a graph"):
        read_episode(dataclasses.replace(root, steps=steps))


def test_a_wrong_configuration_is_refused() -> None:
    with pytest.raises(ConfigError, match="per_kind must be at least 1; max_words"):
        CorpusConfig(per_kind=0, max_words=3)
    with pytest.raises(UnknownNameError, match="did you mean 'counting'"):
        CorpusConfig(kinds=("countin",))


def test_splits_go_by_activity_and_house() -> None:
    tasks = generate_tasks(300, 3)
    for task in tasks:
        split, activity = split_of(task), activity_of(task)
        assert activity is not None
        assert activity.replace(" ", "-") in ACTIVITIES
        unseen = is_unseen_activity(activity), is_unseen_house(scene_of(task))
        assert split == {(True, True): "unseen", (False, False): split}.get(unseen)
    counts = Counter(map(split_of, tasks))
    assert counts["train"] > 5 * counts["seen"] > 0 < counts["unseen"]
    assert 8 <= len(unseen_activities()) <= 18
    for activity in ("Wash clothes", "Drink something"):
        task = Task(
            "robothow/e2wm/file1_1", "pathei/VirtualHome-v0", 0, Goal(f"{activity}: x"), {"scene": "robothow:a"}
        )
        assert activity_of(task) == activity.lower()
        assert (split_of(task) == "unseen") == is_unseen_activity(activity)
    free = Task("t", "pathei/VirtualHome-v0", 4, Goal("explore"))
    env = gymnasium.make(free.env)
    env.reset(seed=4)
    assert activity_of(free) is None
    assert split_of(free) in SPLITS


@settings(max_examples=40)
@given(st.lists(st.sampled_from("aaaaaabbbc"), max_size=80), st.integers(0, 60))
def test_answers_are_balanced(answers: list[str], limit: int) -> None:
    made = [Example(str(n), "counting", str(n), f" {a}", source={"answer": a}) for n, a in enumerate(answers)]
    chosen = balanced(made, limit)
    assert len(chosen) <= limit
    assert len({example.id for example in chosen}) == len(chosen)
    counts = Counter(example.source["answer"] for example in chosen)
    for answer, count in counts.items():  # nobody is favoured while another still has some to give
        assert all(counts[other] >= min(count - 1, answers.count(other)) for other in set(answers) - {answer})


def test_an_environment_without_facts_gives_the_plans_that_were_done() -> None:
    goals = [f"light the lamps of floor {number}" for number in range(12)]
    done = [plain_episode(goal, ["go up", "light the lamp"]) for goal in goals]
    done += [plain_episode(goal, ["go up", "wait", "light the lamp"]) for goal in goals[:3]]
    missed = plain_episode("light the cellar", ["go down"], success=False)
    examples = build_corpora([*done, missed])
    assert {example.kind for example in examples} == {"plan"}
    assert {example.completion for example in examples} == {" Go up. Light the lamp."}
    assert len(examples) == 12
    assert all("Seen: 0" in example.prompt for example in examples)
    assert not any("cellar" in example.prompt for example in examples)
