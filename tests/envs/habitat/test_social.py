"""Tasks of two: habitat-lab's measures of following a person, and two agents who act in turn."""

from __future__ import annotations

import math
from typing import Any

import gymnasium
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.envs import contract
from pathei.envs.checks import check_env, check_snapshot
from pathei.envs.habitat.backend import Pose
from pathei.envs.habitat.env import HabitatEnv
from pathei.envs.habitat.graph import agent_node, node_of
from pathei.envs.habitat.language.verbalizer import HabitatVerbalizer
from pathei.envs.habitat.planning.follower import ahead, turned
from pathei.envs.habitat.simulator.bodies import BODY
from pathei.envs.habitat.social.measures import Meeting, SocialMeasures
from pathei.envs.habitat.social.meeting import fewest_steps
from pathei.envs.habitat.tasks import demonstration, generate_kind, generate_one, generate_tasks
from pathei.errors import ConfigError, GoalError
from pathei.experience import Task

HOME: dict[str, Any] = {"scene": "home:1:3"}
FOLLOW: dict[str, Any] = {"text": "", "conditions": [{"navigate": "person", "steps": 3, "total_steps": 20, "walk": 1}]}


def played(task: Task) -> dict[str, Any]:
    """Play a task's demonstration and return the last info."""
    env = contract.make(task)
    contract.reset(env, task)
    info: dict[str, Any] = {}
    for action in demonstration(task):
        _, _, terminated, _, info = env.step(action)
        assert "error" not in info
    assert terminated
    return info


@pytest.mark.parametrize("options", [{"goal": FOLLOW}, {"characters": 2}])
def test_the_contract_is_kept(options: dict[str, Any]) -> None:
    env = gymnasium.make("pathei/Habitat-v0", **options, **HOME)
    check_env(env, steps=8)
    check_snapshot(env, rng=np.random.default_rng(0), steps=6, rounds=2)


def test_the_person_is_found_and_followed() -> None:
    task = generate_tasks(1, 0, characters=2)[0]
    info = played(task)
    stats = info["metrics"]["social_nav_stats"]
    assert info["success"] is stats["has_found_human"] is True
    assert stats["first_encounter_spl"] > 0.7
    assert stats["follow_human_steps_ratio_after_frist_encounter"] > 0.8
    assert info["metrics"]["num_agents_collide"] == 0


def test_two_agents_share_a_goal() -> None:
    task = generate_kind("team", 1, 0)[0]
    assert {action[:7] for action in demonstration(task)} == {"<char0>", "<char1>"}
    info = played(task)
    assert info["success"]
    assert info["metrics"] == {
        "pddl_success": True, "num_steps": len(demonstration(task)), "did_collide": False, "num_agents_collide": 0,
    }  # fmt: skip
    with pytest.raises(ConfigError):
        generate_tasks(1, 0, characters=3)


@pytest.mark.parametrize("seed", [118, 134])
def test_what_one_has_opened_the_other_does_not_open_again(seed: int) -> None:
    assert played(generate_one("team", seed, 16))["success"]


@given(
    st.integers(1, 5),
    st.lists(
        st.tuples(
            st.floats(0, 5), st.floats(0, 5), st.floats(-1, 1), st.booleans(), st.floats(-0.3, 0.3), st.booleans()
        ),
        min_size=2,
        max_size=20,
    ),
)
def test_the_measures_are_those_of_their_definitions(needed: int, seen: list[tuple[Any, ...]]) -> None:
    total, met = 30, [math.inf if late else step / 2 for step, (*_, late) in enumerate(seen, 1)]
    moments = [Meeting(way, away, facing, hit, ahead, abs(ahead)) for way, away, facing, hit, ahead, _ in seen]
    measures = SocialMeasures(total, needed)
    for moment, shortest in zip(moments, met, strict=True):
        measures = measures.after(moment, shortest)
    said = measures.to_json()
    stats = said["social_nav_stats"]
    found = [1 <= one.way <= 2 and one.facing > 0.5 for one in moments]
    first = found.index(True) + 1 if any(found) else total
    possible = next((step for step, one in enumerate(met, 1) if one <= step), math.inf)
    assert stats["has_found_human"] is any(found)
    assert stats["frist_ecnounter_steps"] == first
    assert stats["follow_human_steps_after_frist_encounter"] == sum(found)
    assert stats["found_human_rate_over_epi"] == pytest.approx(np.mean(found))
    assert stats["avg_robot_to_human_dis_over_epi"] == pytest.approx(np.mean([one.away for one in moments]))
    after = moments[first - 1 :] if any(found) else []
    assert stats["avg_robot_to_human_after_encounter_dis_over_epi"] == pytest.approx(
        np.mean([one.away for one in after] or [0.0])
    )
    spl = possible / max(possible, first) if any(found) and math.isfinite(possible) else 0.0
    assert stats["first_encounter_spl"] == pytest.approx(spl)
    share = sum(found) / (total - possible) if math.isfinite(possible) else 0.0
    assert stats["follow_human_steps_ratio_after_frist_encounter"] == pytest.approx(share)
    assert stats["backup_ratio"] == pytest.approx(np.mean([one.away <= 1.5 and one.forward < 0 for one in moments]))
    assert said["nav_seek_success"] is (sum(found) >= needed)
    assert said["num_agents_collide"] == sum(one.touching for one in moments)


def test_walking_into_the_person_ends_the_episode_and_they_are_seen() -> None:
    env = HabitatEnv(**HOME, render_mode="rgb_array")
    env.reset(seed=0, options={"goal": FOLLOW})
    place = env.sim.agent(0)
    way = next(
        (turn, end)
        for turn in range(0, 360, 30)
        if (end := env.sim.path(place.position, [_ahead(place, turn)])).distance == pytest.approx(1.5, abs=1e-3)
    )
    env.sim.set_agent(place._replace(rotation=turned(place.rotation, way[0])), 0)
    env.sim.set_agent(Pose(way[1].points[-1]), 1)
    assert "person 1.5 m ahead" in env.text()
    assert BODY + 1 in np.unique(env.sim.render(("semantic",))["semantic"])
    env.sim.set_agent(Pose(env.sim.path(place.position, [_ahead(place, way[0], 0.42)]).points[-1]), 1)
    _, _, over, _, info = env.step("move_forward")
    assert info["metrics"]["did_collide"] is over is True


def _ahead(place: Pose, turn: int, metres: float = 1.5) -> tuple[float, float, float]:
    return ahead(place.position, turned(place.rotation, turn), metres)


def test_a_standing_person_is_met_in_as_many_steps_as_the_walk_takes() -> None:
    env = HabitatEnv(**HOME)
    env.reset(seed=0, options={"goal": FOLLOW})
    start, person = env.sim.agent(0), env.sim.agent(1).position
    way = env.sim.path(start.position, [person]).distance
    steps = fewest_steps(env.sim, start, person, 200)
    assert (way - 2) / env.sim.settings.forward <= steps <= 12 + 2 * way / env.sim.settings.forward
    assert fewest_steps(env.sim, start, person, int(steps) - 1) == math.inf
    assert env.sim.agent(0) == start


def test_turns_go_round_and_an_action_may_name_who_acts() -> None:
    env = HabitatEnv(**HOME)
    _, info = env.reset(seed=0, options={"characters": 2})
    assert info["character"] == agent_node(0)
    text, _, _, _, info = env.step("<char1> go to fridge")
    assert (info["actor"], info["character"]) == (agent_node(1), agent_node(0))
    assert "You are char0." in text
    assert all(action.startswith("<char0> ") for action in info["actions"])
    env.step("go to fridge")
    poses = env.sim.state.poses
    assert math.dist(poses[0].position, poses[1].position) > 2 * env.sim.settings.radius
    action = next(one for one in env.listed() if "pick" in one)
    env.step(action)
    name = action.rpartition(" ")[2]
    edges = env.fact_graph().to_json()["edges"]
    assert [agent_node(1), "HOLDS", node_of(name)] in edges
    read = HabitatVerbalizer().read_action(action)
    assert read is not None
    assert read.ids == (node_of(name),)
    assert f"the other one holds the {name}" in env.step(f"pick {name}")[4]["error"]


def test_goals_of_one_are_not_for_two() -> None:
    env = HabitatEnv(**HOME)
    with pytest.raises(GoalError):
        env.reset(seed=0, options={"characters": 2, "goal": FOLLOW})
    with pytest.raises(ConfigError):
        env.reset(seed=0, options={"characters": 3})
    with pytest.raises(GoalError):
        env.reset(seed=0, options={"goal": {"conditions": [{"navigate": "person", "steps": 0}]}})
