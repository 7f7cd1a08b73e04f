"""Activities: every goal that is given can be reached, and was not reached already.

Conditions are judged here by an evaluator of its own, written from the form of goals and sharing no code with `goals`.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.envs.virtualhome.engine.rules_clean import clean
from pathei.envs.virtualhome.engine.scene import Scene
from pathei.envs.virtualhome.engine.vocabulary import RELATIONS
from pathei.envs.virtualhome.engine.world import World
from pathei.envs.virtualhome.env import VirtualHomeEnv
from pathei.envs.virtualhome.houses.generate import Size, generate_house
from pathei.envs.virtualhome.language.script import parse_line
from pathei.envs.virtualhome.tasks.demonstrator import Demonstrator, Impossible, ObjectRequest
from pathei.envs.virtualhome.tasks.generate import (
    ACTIVITIES,
    TEST_EVERY,
    Activity,
    Grounded,
    attempt,
    demonstration,
    generate_tasks,
)
from pathei.errors import ConfigError, UnknownNameError
from pathei.experience import Goal, Task
from pathei.stable_random import StableRandom

HOUSES = 50
LONGEST = 30
"""Steps of an episode; every demonstration fits."""

Deeds = list[tuple[str, tuple[int, ...]]]


def holds(condition: Any, world: World, deeds: Deeds) -> bool:
    """Judge one condition on the graph as it is now and what was done so far."""
    if "not" in condition:
        return not holds(condition["not"], world, deeds)
    ids = world.scene.ids

    def selected(selector: dict[str, Any]) -> set[int]:
        if "id" in selector:
            return {selector["id"]}
        return {i for i, name in zip(ids, world.scene.classes, strict=True) if name == selector["class"]}

    if "done" in condition:
        verb, what = condition["done"]["verb"], condition["done"].get("object")
        return any(v == verb and (what is None or set(objects) & selected(what)) for v, objects in deeds)
    if "node" in condition:
        return any(condition["state"] in world.states_of(world.scene.index[i]) for i in selected(condition["node"]))
    kinds = ("HOLDS_RH", "HOLDS_LH") if condition["relation"] == "HOLDS" else (condition["relation"],)
    found = [
        (source, target)
        for source in selected(condition["from"])
        for target in selected(condition["to"])
        if any(world.has(world.scene.index[source], RELATIONS.index(k), world.scene.index[target]) for k in kinds)
    ]
    return len(found) >= int(condition.get("count", 1))


def assert_reaches(world: World, goal: Goal, script: tuple[str, ...]) -> None:
    """Play a script from the beginning: every line succeeds, and the goal holds after the last line and not before."""
    world.restore(world.start)
    deeds: Deeds = []
    assert goal.text
    assert goal.conditions
    for line in script:
        assert not all(holds(condition, world, deeds) for condition in goal.conditions)
        action = parse_line(line, world.scene, world.rules)
        assert world.act(action) is None, (goal.text, line, world.refusal(action))
        deeds.append((action.verb, tuple(world.scene.ids[n] for n in action[1:] if n >= 0)))
    missing = [condition for condition in goal.conditions if not holds(condition, world, deeds)]
    assert not missing, (goal.text, script)
    world.restore(world.start)


def house(seed: int, size: Size = "medium", characters: int = 1) -> World:
    """Return a generated house under the default rules."""
    return World(Scene.from_graph(generate_house(seed, size=size, characters=characters)), clean())


def task_world(task: Task) -> World:
    """Return the house of a generated task."""
    seed = int(str(task.options["scene"]).removeprefix("house:"))
    return house(seed, task.options.get("size", "medium"), task.options.get("characters", 1))


@pytest.fixture(scope="module")
def medium_houses() -> list[World]:
    """Some houses, the first of which have also been seen by whoever wrote the activities; the others have not."""
    return [house(seed) for seed in (*range(HOUSES // 2), *range(10**6, 10**6 + HOUSES // 2))]


def test_there_are_activities_enough() -> None:
    assert len(ACTIVITIES) >= 60
    assert all(name == activity.name for name, activity in ACTIVITIES.items())


@pytest.mark.parametrize("name", ACTIVITIES)
def test_an_activity_is_possible_in_most_houses_and_its_demonstration_reaches_the_goal(
    name: str, medium_houses: list[World]
) -> None:
    possible = 0
    for seed, world in enumerate(medium_houses):
        found = attempt(ACTIVITIES[name], world, StableRandom.seeded(seed))
        if isinstance(found, Impossible):
            assert not found.refused, str(found)
            continue
        possible += 1
        assert_reaches(world, found.goal, found.script)
        assert 1 <= len(found.script) <= LONGEST
    assert possible >= 0.8 * len(medium_houses)


@pytest.mark.parametrize("size", ["small", "large"])
def test_demonstrations_reach_their_goals_in_houses_of_other_sizes(size: Size) -> None:
    tasks = generate_tasks(120, 1, size=size)
    for task in tasks:
        assert task.options["size"] == size
        assert_reaches(task_world(task), task.goal, demonstration(task))


@given(st.integers(0, 2**40), st.sampled_from(sorted(ACTIVITIES)), st.integers(0, 2**40))
def test_grounding_leaves_the_world_as_it_was(seed: int, name: str, choice: int) -> None:
    world = house(seed)
    generators = [np.random.default_rng(choice) for _ in range(2)]
    first = ACTIVITIES[name].ground(world, generators[0])
    assert world.version is world.start
    assert ACTIVITIES[name].ground(world, generators[1]) == first
    if first is not None:
        assert_reaches(world, first.goal, first.script)


def test_goals_are_said_in_several_ways_and_name_what_is_there() -> None:
    texts: dict[str, set[str]] = {}
    for seed in range(40):
        world = house(seed)
        found = ACTIVITIES["watch-television"].ground(world, np.random.default_rng(seed))
        assert found is not None
        texts.setdefault("watch-television", set()).add(found.goal.text)
        lamp = ACTIVITIES["turn-on-a-light"].ground(world, np.random.default_rng(seed))
        if lamp is not None:
            [number] = [c["node"]["id"] for c in lamp.goal.conditions]
            light = world.scene.index[number]
            room = world.rules.room_of(world, light)
            assert room is not None
            assert world.scene.classes[room].replace("_", " ") in lamp.goal.text
    assert len(texts["watch-television"]) >= 3


def test_tasks_are_the_same_every_time_and_a_longer_list_begins_with_the_shorter() -> None:
    tasks = generate_tasks(150, 3)
    assert tasks == generate_tasks(150, 3)
    assert tasks[:40] == generate_tasks(40, 3)
    assert generate_tasks(40, 4) != tasks[:40]
    assert len({task.id for task in tasks}) == 150
    assert generate_tasks(0, 3) == []


def test_tasks_are_spread_over_activities_and_houses() -> None:
    tasks = generate_tasks(4 * len(ACTIVITIES), 5)
    names = Counter(name for task in tasks for name in ACTIVITIES if f"-{name}-" in task.id)
    assert set(names) == set(ACTIVITIES)
    assert max(names.values()) <= 7
    houses = Counter(task.options["scene"] for task in tasks)
    assert max(houses.values()) <= 4
    assert len(houses) >= len(ACTIVITIES)


def test_train_and_test_share_no_house() -> None:
    def seeds(split: Any) -> Iterator[int]:
        for task in generate_tasks(100, 2, split=split):
            yield int(str(task.options["scene"]).removeprefix("house:"))

    assert all(seed % TEST_EVERY == 0 for seed in seeds("test"))
    assert all(seed % TEST_EVERY for seed in seeds("train"))


def test_a_task_is_played_in_the_environment_as_demonstrated() -> None:
    env = VirtualHomeEnv()
    for task in generate_tasks(30, 11):
        goal = {"text": task.goal.text, "conditions": list(task.goal.conditions)}
        _, info = env.reset(seed=task.seed, options={**task.options, "goal": goal})
        assert info["success"] is False
        for line in demonstration(task):
            assert not info["success"]
            _, _, terminated, _, info = env.step(line)
            assert "error" not in info
        assert info["success"]
        assert terminated


def test_with_several_characters_the_first_one_demonstrates() -> None:
    for task in generate_tasks(40, 8, characters=3):
        assert task.options["characters"] == 3
        world = task_world(task)
        assert len(world.characters) == 3
        assert_reaches(world, task.goal, demonstration(task))


def test_only_the_activities_asked_for_are_used() -> None:
    tasks = generate_tasks(20, 0, activities=["read-something", "make-coffee"])
    kinds = {"make-coffee" if "-make-coffee-" in task.id else "read-something" for task in tasks}
    assert kinds == {"read-something", "make-coffee"}
    assert all("-make-coffee-" in task.id or "-read-something-" in task.id for task in tasks)


def test_an_unknown_activity_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="make-coffee"):
        generate_tasks(1, 0, activities=["make-cofee"])


@pytest.mark.parametrize(
    "arguments", [{"n": -1}, {"seed": -1}, {"split": "dev"}, {"activities": []}, {"size": "vast"}, {"characters": 0}]
)
def test_arguments_without_a_possible_value_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        generate_tasks(**{"n": 1, "seed": 0, **arguments})


@pytest.mark.parametrize(
    ("task_id", "options"),
    [
        ("mine", {"scene": "house:4"}),
        ("house-4-make-coffee-0", {}),
        ("house-4-make-tea-0", {"scene": "house:4"}),
        ("house-4-make-coffee-0", {"scene": "house:4"}),
    ],
)
def test_a_task_of_another_origin_has_no_demonstration(task_id: str, options: dict[str, Any]) -> None:
    goal = Goal("fly", ({"node": {"class": "light"}, "state": "ON"},))
    task = Task(task_id, "pathei/VirtualHome-v0", 0, goal, options)
    with pytest.raises(ConfigError, match="generate"):
        demonstration(task)


def test_a_wish_that_is_not_fulfilled_or_always_was_gives_no_goal() -> None:
    def idle(a: Demonstrator) -> ObjectRequest:
        fridge = a.pick("fridge")
        return ObjectRequest(("have a fridge that runs",), (a.state(fridge, "ON"),))

    def vain(a: Demonstrator) -> ObjectRequest:
        a.switch_off(a.pick("fridge"))
        return ObjectRequest(("have an open fridge",), (a.state("fridge", "OPEN"),))

    def barred(a: Demonstrator) -> ObjectRequest:
        a.do("EAT", a.pick("fridge"))
        return ObjectRequest(("eat the fridge",), (a.deed("EAT", "fridge"),))

    def absent(a: Demonstrator) -> ObjectRequest:
        a.pick("dragon")
        return ObjectRequest((), ())

    world = house(1)
    refused = {}
    for function in (idle, vain, barred, absent):
        activity = Activity(function.__name__, function)
        assert activity.ground(world, np.random.default_rng(0)) is None
        why = attempt(activity, world, StableRandom.seeded(0))
        assert not isinstance(why, Grounded)
        refused[activity.name] = why.refused
    assert refused == {"idle": False, "vain": True, "barred": True, "absent": False}
