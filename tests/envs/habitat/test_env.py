"""The environment: the contract, Habitat's measures, actions in words, and tasks that can be solved."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import gymnasium
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.collectors.options import PlaySettings, ScriptedOptions
from pathei.envs import contract
from pathei.envs.checks import check_env, check_snapshot
from pathei.envs.facts import FactGraph, read_changes
from pathei.envs.habitat.backend import MOVES, Pose
from pathei.envs.habitat.env import HabitatEnv
from pathei.envs.habitat.graph import node_of
from pathei.envs.habitat.language.verbalizer import HabitatVerbalizer
from pathei.envs.habitat.metrics import NavMeasures
from pathei.envs.habitat.tasks import demonstration, generate_kind, generate_one, generate_tasks
from pathei.envs.registry import get_goal_space
from pathei.errors import ConfigError, GoalError
from pathei.experience import Task, Trajectory
from pathei.stable_random import StableRandom

HOME: dict[str, Any] = {"scene": "home:1:3"}


@lru_cache(maxsize=1)
def some_tasks() -> list[Task]:
    """One home's tasks: two of rearrangement, one of each kind of navigation."""
    return generate_tasks(4, 3)


def begun(**options: Any) -> tuple[HabitatEnv, str, dict[str, Any]]:
    """Return an environment in one home, with what its reset returned."""
    env = HabitatEnv(**HOME)
    return env, *env.reset(seed=0, options=options)


def nav(**condition: Any) -> dict[str, Any]:
    """Return a goal of navigation."""
    return {"text": "", "conditions": [condition]}


PICTURE = {"navigate": "image", "position": [1.0, 0.0, 1.0], "rotation": [0.0, 0.0, 0.0, 1.0]}


@pytest.mark.parametrize("options", [{"actions": "moves"}, {"actions": "skills"}, {"goal": nav(**PICTURE)}])
def test_the_contract_is_kept(options: dict[str, Any]) -> None:
    env = gymnasium.make("pathei/Habitat-v0", **options, **HOME)
    check_env(env, steps=8)
    check_snapshot(env, rng=np.random.default_rng(0), steps=8, rounds=2)


def test_a_snapshot_leads_back_to_another_home() -> None:
    env, text, _ = begun()
    saved = env.snapshot()
    env.reset(seed=0, options={"scene": "home:2:2"})
    assert env.text() != text
    env.restore(saved)
    assert env.text() == text


@pytest.mark.parametrize("number", range(4))
def test_demonstrations_solve_their_tasks(number: int) -> None:
    task = some_tasks()[number]
    env = contract.make(task)
    _, info = contract.reset(env, task)
    graph = FactGraph.of(info["facts"])
    assert graph is not None
    total, terminated, first = 0.0, False, info["progress"]
    for action in demonstration(task):
        assert not terminated
        _, reward, terminated, _, info = env.step(action)
        assert "error" not in info
        total += float(reward)
        for change in read_changes(info["facts"]):
            graph.apply(change)
    assert terminated
    assert info["success"]
    assert total == pytest.approx(1.0 - first)
    assert graph.to_json() == env.unwrapped.fact_graph().to_json()  # type: ignore[attr-defined]
    if "metrics" in info:
        assert info["metrics"]["success"] == 1.0
        assert info["metrics"]["spl"] > 0.85
        assert info["metrics"]["distance_to_goal"] < 0.2


def test_a_demonstration_is_played_to_its_end_unless_a_limit_is_given() -> None:
    task = next(task for task in generate_kind("point", 4, 0) if len(demonstration(task)) > 35)
    for steps, solved in ((None, True), (30, False)):
        (record,) = ScriptedOptions().make(PlaySettings("habitat", steps)).collect([task])
        assert isinstance(record, Trajectory)
        assert record.success is solved


@pytest.mark.parametrize("number", [45, 80])
def test_two_objects_are_not_meant_for_one_free_place(number: int) -> None:
    task = generate_one("rearrange", 0, number)
    assert demonstration(task)


@given(
    st.floats(0.1, 20),
    st.lists(st.tuples(st.floats(0, 0.25), st.floats(0, 20), st.booleans()), min_size=1, max_size=30),
)
def test_the_measures_are_those_of_their_definitions(start: float, steps: list[tuple[float, float, bool]]) -> None:
    measures = NavMeasures(start, start)
    for metres, left, hit in steps:
        measures = measures.moved(metres, left, hit)
    walked, left = sum(step[0] for step in steps), steps[-1][1]
    stopped = measures._replace(stopped=True)
    assert not measures.to_json()["success"]
    assert stopped.to_json()["success"] == float(left < 0.2)
    assert stopped.spl == pytest.approx((left < 0.2) * start / max(start, walked))
    assert stopped.soft_spl == pytest.approx(max(0, 1 - left / start) * start / max(start, walked))
    assert stopped.to_json()["collisions"] == {"count": sum(step[2] for step in steps), "is_collision": steps[-1][2]}


def test_stopping_elsewhere_ends_the_episode_without_success() -> None:
    env, _, info = begun(goal=nav(navigate="object", category="sofa"))
    assert info["actions"] == (*MOVES, "stop")
    away = info["metrics"]["distance_to_goal"]
    assert away > 0.1
    _, _, terminated, _, info = env.step("stop")
    assert terminated
    assert not info["success"]
    assert info["metrics"]["spl"] == 0.0
    text, _, terminated, _, info = env.step("move_forward")
    assert terminated
    assert "over" in info["error"]
    assert info["error"] in text


def test_things_are_picked_carried_and_placed_and_refusals_change_nothing() -> None:
    env, _, _ = begun()
    world = env.world
    inside = next(
        id_ for id_, place in world.state.placements.items() if place.inside and not world.sim.in_the_open(id_)
    )
    name = world.map.names[inside]
    box = world.map.names[world.state.placements[inside].holder or 0]
    for action, refusal in (
        (f"go to {name}", "do not see"), (f"go to {box}", None), (f"pick {name}", "not within reach"),
        (f"close {box}", "closed already"), (f"open {box}", None), (f"pick up the {name}", None),
        (f"pick {name}", "hold the"), (f"place {name} on bed", "not within reach"), ("go to bed", None),
        (f"place {name} in bed", "nothing can be put in"), ("fly to bed", "no action"), ("pick unicorn", "no unicorn"),
        (f"put {name} on the bed", None),
    ):  # fmt: skip
        before = world.state
        text, _, _, _, info = env.step(action)
        if refusal is None:
            assert "error" not in info, (action, info["error"])
        else:
            assert refusal in info["error"], action
            assert info["error"] in text
            assert world.state == before
    assert env.fact_graph().location(node_of(name)).relation == "ON"


def test_every_listed_skill_is_read_and_named_by_the_graph() -> None:
    _, _, info = begun()
    nodes = {node[0]: node[1] for node in info["facts"]["graph"]["nodes"]}
    words = HabitatVerbalizer()
    for action in info["actions"]:
        read = words.read_action(action)
        assert read is not None
        assert [nodes[id_] for id_ in read.ids] == list(read.names)
        assert words.say_action(action).endswith(".")


def test_the_camera_draws_what_the_text_names() -> None:
    env = gymnasium.make("pathei/Habitat-v0", render_mode="rgb_array", **HOME)
    env.reset(seed=0)
    env.step("go to couch")
    image: Any = env.render()
    assert image.shape == (256, 256, 3)
    assert np.unique(image.reshape(-1, 3), axis=0).shape[0] > 10
    inner: Any = env.unwrapped
    seen = {one.id for one in inner.world.around() if one.id > 0}
    drawn = set(np.unique(inner.sim.render(("semantic",))["semantic"]).tolist())
    assert inner.world.map.ids["couch"] in seen & drawn
    assert len(seen & drawn) >= 0.8 * len(seen)


def test_goals_are_offered_and_reached_by_the_curriculum() -> None:
    env, _, _ = begun()
    space = get_goal_space("habitat").present(env)
    assert len(space.aims()) > 300
    aim = space.named("fridge OPEN")
    assert aim is not None
    goal = {"text": aim.goal.text, "conditions": aim.goal.conditions}
    env.reset(seed=0, options={"goal": goal})
    env.step("go to fridge")
    _, reward, terminated, _, info = env.step("open refrigerator")
    assert (reward, terminated, info["success"]) == (1.0, True, True)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"scene": "castle"}, ConfigError), ({"actions": "none"}, ConfigError), ({"start_position": [1]}, ConfigError),
        ({"goal": nav(navigate="object", category="horse")}, GoalError), ({"goal": nav(navigate="up")}, GoalError),
        ({"goal": nav(navigate="point")}, GoalError), ({"goal": nav(navigate="image", position=[1, 0, 1])}, GoalError),
        ({"goal": nav(done={"verb": "PICK"})}, GoalError),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_one_sentence(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        begun(**options)


def test_an_image_goal_shows_what_is_seen_at_the_goal() -> None:
    task = generate_kind("image", 1, 3)[0]
    env = contract.make(task, render_mode="rgb_array")
    observation, info = contract.reset(env, task)
    assert observation in env.observation_space
    view, picture = observation["image"]
    assert np.array_equal(view, env.render())
    assert "goal is" not in observation["text"]
    assert len(contract.observe(observation, info, lambda image: f"{image.sum():064}").images) == 2
    for action in demonstration(task):
        observation, _, _, _, info = env.step(action)
        assert np.array_equal(observation["image"][1], picture)
    assert info["metrics"]["success"] == 1.0
    inner: Any = env.unwrapped
    x, _, z = task.goal.conditions[0]["position"]
    inner.sim.set_agent(Pose((x, inner.world.map.free.floor, z), tuple(task.goal.conditions[0]["rotation"])))
    assert np.array_equal(env.render(), picture)


def test_tasks_of_one_kind_are_of_that_kind() -> None:
    assert [task.goal.conditions[0].get("navigate") for task in generate_kind("point", 2, 3)] == ["point"] * 2
    with pytest.raises(ConfigError):
        generate_kind("swim", 1, 0)


@pytest.mark.parametrize("actions", ["skills", "moves"])
def test_the_model_goes_where_the_environment_goes(actions: str) -> None:
    goal = {"conditions": [{"node": {"class": "fridge"}, "state": "OPEN"}]}
    env, _, _ = begun(goal=goal, actions=actions)
    other, _, info = begun(goal=goal, actions=actions)
    model, draws = env.model(), StableRandom.seeded(0, 0)
    start, first = model.snapshot(), model.key()
    for _ in range(40):
        assert tuple(model.actions()) == info["actions"]
        action = model.sample(draws)
        if action is None:
            break
        result = model.step(action)
        _, reward, over, _, info = other.step(model.text(action))
        assert result.reward == pytest.approx(reward)
        assert result.done == over
        assert model.success() == info["success"]
    assert model.key() != first
    model.restore(start)
    assert model.key() == first
    plan = ("go to fridge", "open fridge")
    assert [model.step(action).done for action in plan] == [False, True]
    assert model.success()
    assert not model.actions()


def test_goals_in_words_are_read_by_agents_and_as_instructions() -> None:
    words = HabitatVerbalizer()
    tasks = [task for seed in range(4) for task in generate_kind("rearrange", 2, seed)]
    for task in tasks:
        assert words.read_goal(task.goal.text, whole=True) == task.goal.conditions
    env = contract.make(tasks[0])
    contract.reset(env, tasks[0])
    space = get_goal_space(tasks[0].env).present(env)
    for aim in space.aims():
        assert words.read_goal(aim.goal.text, whole=True) == aim.goal.conditions
    assert words.read_goal("put the mug in the refrigerator and close it") == words.read_goal(
        "put the cup into the fridge, then close the fridge"
    )
    with pytest.raises(GoalError, match="'sing' is not understood"):
        space.read("sing")


def test_a_search_is_led_by_what_the_goal_names() -> None:
    env, _, _ = begun(goal={"conditions": [{"from": {"class": "cup"}, "relation": "ON", "to": {"class": "bed"}}]})
    holder = env.world.map.names[env.world.state.placements[env.world.map.kinds["cup"][0]].holder or 0]
    named, other, elsewhere = env.model().prior([f"go to {holder}", "go to bed", "go to stove"])
    assert named == other > elsewhere
