"""The embedded simulator repeats what habitat-sim 0.3.3 did on the same scene (recorded through its public API)."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from pathei.envs.habitat.backend import AgentSettings, Pose
from pathei.envs.habitat.planning.follower import next_move
from pathei.envs.habitat.simulator.embedded import EmbeddedBackend

FOLDER = Path(__file__).parents[2] / "data" / "habitat"
TRACE = orjson.loads((FOLDER / "habitat_sim_trace.json").read_bytes())


@pytest.fixture(scope="module")
def sim() -> EmbeddedBackend:
    agent = TRACE["agent"]
    settings = AgentSettings(
        agent["radius"], agent["height"], agent["camera"][1], agent["hfov"], agent["forward"], agent["turn"],
        width=agent["res"][1], rows=agent["res"][0],
    )  # fmt: skip
    made = EmbeddedBackend(settings)
    made.reset(str(FOLDER / "apt0_scene.json"))
    return made


def _pose(state: Any) -> Pose:
    return Pose(tuple(state[0]), tuple(state[1]))


def _steps() -> list[tuple[Any, Any]]:
    return [pair for walk in TRACE["random_walks"] for pair in pairwise(walk)]


def test_each_recorded_step_is_repeated(sim: EmbeddedBackend) -> None:
    flags = []
    for before, after in _steps():
        sim.set_agent(_pose(before["state"]))
        flags.append(sim.act(after["action"]) == after["collided"])
        pose = sim.agent()
        off = np.linalg.norm(np.array(pose.position) - after["state"][0])
        assert off < (0.05 if after["collided"] else 1e-3)
        assert np.allclose(pose.rotation, after["state"][1], atol=1e-4)
    assert np.mean(flags) >= 0.95


def test_the_depth_at_the_centre_is_the_recorded_one(sim: EmbeddedBackend) -> None:
    for _, after in _steps():
        sim.set_agent(_pose(after["state"]))
        assert sim.render(["depth"])["depth"][32, 32] == pytest.approx(after["depth_center"], abs=0.02)


def test_the_semantic_image_shows_about_as_much_of_each_thing(sim: EmbeddedBackend) -> None:
    for _, after in _steps():
        sim.set_agent(_pose(after["state"]))
        ids, counts = np.unique(sim.render(["semantic"])["semantic"], return_counts=True)
        seen = dict(zip(ids.tolist(), counts.tolist(), strict=True))
        for id_, count in after["sem"].items():
            assert seen.get(int(id_), 0) == pytest.approx(count, abs=64)


@pytest.mark.parametrize("episode", TRACE["greedy"])
def test_the_greedy_follower_arrives_in_as_many_actions(sim: EmbeddedBackend, episode: Any) -> None:
    start, goal = tuple(episode["start"]), tuple(episode["goal"])
    assert sim.path(start, [goal]).distance == pytest.approx(episode["geodesic"], rel=0.02)
    corners = sim.path(start, [goal]).points
    assert np.allclose(np.array(corners), episode["path_points"], atol=2e-3)
    counts = []
    for turn in range(0, 360, 15):
        half = np.radians(turn) / 2
        sim.set_agent(Pose(start, (0.0, float(np.sin(half)), 0.0, float(np.cos(half)))))
        count, move = 0, next_move(sim, sim.agent(), goal, 0.75 * sim.settings.forward)
        while move and count < 100:
            sim.act(move)
            count, move = count + 1, next_move(sim, sim.agent(), goal, 0.75 * sim.settings.forward)
        assert move is None
        counts.append(count)
    # The recorded heading at the start is not known: 12 steps for 3 m, and the turns that it needed.
    assert min(counts) - 2 <= episode["n_actions"] <= max(counts) + 2


def test_a_snapshot_holds_all_that_changes(sim: EmbeddedBackend) -> None:
    state = sim.snapshot()
    before = sim.render()
    sim.act("turn_left")
    sim.hold(6)
    assert any(not np.array_equal(image, before[name]) for name, image in sim.render().items())
    sim.restore(state)
    assert all(np.array_equal(image, before[name]) for name, image in sim.render().items())
