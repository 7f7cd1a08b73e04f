"""Several characters: who acts is part of an action, and everything works for one to four of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.collectors.rollout.explore import make_explorer
from pathei.collectors.rollout.policy import demonstrator, play
from pathei.collectors.search.collector import make_searcher
from pathei.collectors.tasks import tasks_named, write_tasks
from pathei.envs import contract
from pathei.envs.facts import EpisodeFacts, read_action, read_actor
from pathei.envs.registry import get_env
from pathei.envs.virtualhome.env import VirtualHomeEnv
from pathei.envs.virtualhome.houses.generate import generate_house
from pathei.envs.virtualhome.tasks.generate import generate_tasks
from pathei.errors import ConfigError
from pathei.experience import Trajectory
from pathei.stable_random import StableRandom

GOAL = {"text": "", "conditions": [{"node": {"class": "fridge"}, "state": "OPEN"}]}


def home(characters: int, **options: Any) -> tuple[VirtualHomeEnv, dict[str, Any]]:
    env = VirtualHomeEnv(scene="house:3", characters=characters, **options)
    return env, env.reset(seed=0)[1]


def kitchen(env: VirtualHomeEnv) -> int:
    scene = env.world.scene
    return scene.ids[scene.classes.index("kitchen")]


def room_of(env: VirtualHomeEnv, place: int) -> str:
    room = env.world.rules.room_of(env.world, env.world.characters[place])
    assert room is not None
    return env.world.scene.classes[room]


def test_actions_name_who_does_them() -> None:
    env, info = home(2)
    assert all(action.startswith("<char0> [") for action in info["actions"])
    assert info["actions"][-1] == "<char0> [Wait]"
    assert read_actor(f"<char1> [walk] <kitchen> ({kitchen(env)})") == (1, f"[walk] <kitchen> ({kitchen(env)})")
    action = read_action(f"<char0> [walk] <kitchen> ({kitchen(env)})")
    assert action is not None
    assert (action.verb, action.names) == ("WALK", ("kitchen",))


def test_whoever_is_named_acts_and_those_before_wait() -> None:
    env, info = home(3)
    people = info["facts"]["graph"]["characters"]
    info = env.step(f"<char2> [walk] <kitchen> ({kitchen(env)})")[4]
    assert "error" not in info
    assert (info["actor"], info["character"]) == (people[2], people[0])
    assert room_of(env, 2) == "kitchen"
    info = env.step("<char1> go to the kitchen")[4]
    assert (info["actor"], info["character"]) == (people[1], people[2])


@pytest.mark.parametrize("said", ["[Wait]", "<char0> [wait]", "Wait.", "do nothing"])
def test_waiting_passes_the_turn_and_changes_nothing(said: str) -> None:
    env, info = home(2)
    version = env.world.version
    after = env.step(said)[4]
    assert "error" not in after
    assert env.world.version is version
    assert (info["character"], after["character"]) == tuple(info["facts"]["graph"]["characters"])


def test_one_character_may_be_named_and_others_are_refused() -> None:
    env, info = home(1)
    assert not any(action.startswith("<char") for action in info["actions"])
    assert "error" not in env.step("<char0> go to the bedroom")[4]
    assert env.step("<char1> [Wait]")[4]["error"] == "there is no <char1>, the last character here is <char0>"


@settings(max_examples=20)
@given(st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_the_model_and_the_environment_do_the_same(characters: int, seed: int) -> None:
    env, _ = home(characters, goal=GOAL)
    model, draws = env.model(), StableRandom(np.random.default_rng(seed))
    actions, keys = [], []
    start: Any = model.snapshot()
    for _ in range(8):
        action: Any = model.sample(draws)
        if action is None or model.step(action).done:
            break
        actions.append(model.text(action))
        keys.append(env.world.key)
        assert model.read(actions[-1]) == action
    model.restore(start)
    for action, key in zip(actions, keys, strict=True):
        assert "error" not in env.step(action)[4], action
        assert env.world.key == key


@pytest.mark.parametrize("characters", [1, 2, 3, 4])
def test_tasks_demonstrations_search_and_exploration_are_for_the_number_asked(characters: int) -> None:
    tasks = tasks_named("2", get_env("virtualhome"), seed=5, characters=characters)
    assert tasks == generate_tasks(2, 5, characters=characters)
    for task in tasks:
        env = contract.make(task)
        played = play(env, task, demonstrator(task), max_steps=100)
        assert played.success, task.id
        facts = EpisodeFacts.of(played)
        assert facts is not None
        assert facts.complete
        assert {step.actor for step in facts.steps} == {facts.start.characters[0]}
    for record in make_searcher().collect(tasks):
        assert isinstance(record, Trajectory)
        assert record.success
    for record in make_explorer(max_steps=6).collect(tasks):
        assert isinstance(record, Trajectory)
        assert not any("error" in step.info for step in record.steps)


def test_goals_by_id_name_things_of_the_house_that_is_played() -> None:
    for task in generate_tasks(30, 5, characters=2):
        house = int(task.options["scene"].split(":")[1])
        known = {node["id"] for node in generate_house(house, characters=2)["nodes"]}
        assert {c["node"]["id"] for c in task.goal.conditions if "id" in c.get("node", {})} <= known
        contract.reset(contract.make(task), task)


def test_stored_tasks_keep_their_number(tmp_path: Any) -> None:
    write_tasks(tmp_path / "tasks.jsonl", generate_tasks(1, 0))
    with pytest.raises(ConfigError, match="how many characters act"):
        tasks_named(str(tmp_path / "tasks.jsonl"), get_env("virtualhome"), characters=2)
    with pytest.raises(ConfigError, match="for one who acts"):
        tasks_named("3", get_env("taxi"), characters=2)
