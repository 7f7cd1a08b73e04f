"""Walls, thin and thick, and parts of the floor to which no way leads: nobody walks through, or to, what is behind."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from pathei.envs.habitat.backend import AgentSettings, Pose
from pathei.envs.habitat.env import HabitatEnv
from pathei.envs.habitat.planning.follower import turned
from pathei.envs.habitat.simulator.embedded import EmbeddedBackend
from pathei.errors import DataError, GoalError

MOVES = ["move_forward", "move_forward", "turn_left", "turn_right"]


def _box(low: Any, high: Any) -> dict[str, Any]:
    return {"lo": low, "hi": high}


def _scene(folder: Path, thick: float, gap: float, **more: Any) -> str:
    """Write two rooms of 3 by 3 m with a wall between them, which has a gap at its end."""
    stage = {
        "floor": _box([0, -0.1, 0], [6, 0, 3]),
        "wall": _box([3 - thick / 2, 0, 0], [3 + thick / 2, 2.5, 3 - gap]),
        **more,
    }
    path = folder / "rooms.json"
    path.write_bytes(orjson.dumps({"stage": stage, "objects": []}))
    return str(path)


@pytest.mark.parametrize("thick", [0.02, 0.06, 0.1, 0.3])
@pytest.mark.parametrize("radius", [0.1, 0.18])
@pytest.mark.parametrize(("forward", "sliding"), [(0.25, True), (0.5, True), (0.25, False)])
def test_a_step_never_leads_through_a_wall(
    thick: float, radius: float, forward: float, sliding: bool, tmp_path: Path
) -> None:
    settings = AgentSettings(radius=radius, forward=forward, sliding=sliding)
    sim, rng = EmbeddedBackend(settings), np.random.default_rng(0)
    sim.reset(_scene(tmp_path, thick, 0.9))
    for angle in range(0, 360, 45):
        sim.set_agent(Pose((2.0, 0.1, 1.0 + angle / 360), turned((0.0, 0.0, 0.0, 1.0), angle)))
        for move in rng.choice(MOVES, 40).tolist():
            before = sim.agent().position
            sim.act(move)
            after = sim.agent().position
            assert sim.path(before, [after]).distance <= 1.6 * forward
            assert math.dist(sim.snap(after), after) < 1e-6


@pytest.mark.parametrize(("number", "sliding"), [(0, False), (8, False), (9, False), (3, True)])
def test_no_step_in_a_furnished_home_leads_through_anything(number: int, sliding: bool) -> None:
    sim, rng = EmbeddedBackend(AgentSettings(sliding=sliding)), np.random.default_rng(number)
    sim.reset(f"home:{number}")
    for _ in range(40):
        sim.set_agent(Pose(sim.random_point(rng), turned((0.0, 0.0, 0.0, 1.0), 30.0 * int(rng.integers(12)))))
        for move in rng.choice(MOVES, 25).tolist():
            before = sim.agent().position
            sim.act(move)
            assert sim.path(before, [sim.agent().position]).distance <= 0.4


def test_an_agent_slides_along_a_thin_wall_and_round_its_end(tmp_path: Path) -> None:
    sim = EmbeddedBackend(AgentSettings(radius=0.1))
    sim.reset(_scene(tmp_path, 0.02, 0.9))
    sim.set_agent(Pose((2.7, 0.1, 1.0), turned((0.0, 0.0, 0.0, 1.0), -135)))  # ahead and to the wall
    places, flags = [sim.agent().position], list[bool]()
    while sim.agent().position[2] < 2.8 and len(flags) < 40:
        flags.append(sim.act("move_forward"))
        places.append(sim.agent().position)
    assert flags[1]
    assert not all(flags)
    steps = [math.dist(one, other) for one, other in pairwise(places)]
    assert all(0.1 < step <= 0.36 for step in steps)
    assert places[-1][0] > 3.1  # through the gap, not the wall
    crossed = next(z for x, _, z in places if x > 3)
    assert crossed > 2.1


def test_an_agent_steps_onto_what_is_low(tmp_path: Path) -> None:
    sim = EmbeddedBackend()
    for high, climbed in ((0.1, True), (0.29, True), (0.35, False)):  # one layer of 20 cm above the floor's
        sim.reset(_scene(tmp_path, 0.1, 3.0, box=_box([2.5, 0, 1], [3.5, high, 2])))
        way = sim.path((1.0, 0.1, 1.5), [(5.0, 0.1, 1.5)]).distance
        assert way == pytest.approx(4.0, abs=1e-3) if climbed else way > 4.1


def test_a_closed_room_is_an_island(tmp_path: Path) -> None:
    sim, rng = EmbeddedBackend(AgentSettings()), np.random.default_rng(0)
    sim.reset(_scene(tmp_path, 0.1, 0.0, more=_box([4.5, 0, 0], [4.7, 2.5, 0.4])))
    here, there = (1.0, 0.1, 1.5), (5.0, 0.1, 1.5)
    assert math.isinf(sim.path(here, [there]).distance)
    assert math.isinf(sim.nearest_distance(here, (there,)))
    assert sim.path(here, [there, (1.0, 0.1, 2.0)]).goal == 1
    assert sim.path(there, [(5.0, 0.1, 1.0)]).distance == pytest.approx(0.5, abs=1e-3)
    assert sim.nearest_distance(there, (here, (5.0, 0.1, 1.0))) == pytest.approx(0.5, abs=1e-3)
    assert sim.snap(there) == pytest.approx(there, abs=0.15)
    # Agents are put on the largest part; who is put on another one stays there.
    assert all(sim.random_point(rng)[0] < 3 for _ in range(50))
    sim.set_agent(Pose(there))
    for move in rng.choice(MOVES, 300).tolist():
        sim.act(move)
        assert sim.agent().position[0] > 3.1
    free, _ = sim.topdown()
    assert free[:, :55].any()
    assert free[:, 65:].any()


def test_a_corner_of_less_than_a_square_metre_is_no_island(tmp_path: Path) -> None:
    sim = EmbeddedBackend(AgentSettings())
    sim.reset(_scene(tmp_path, 0.1, 0.9, pen=_box([4.7, 0, 0], [4.8, 1, 1.3]), other=_box([4.7, 0, 1.2], [6, 1, 1.3])))
    assert sim.snap((5.4, 0.1, 0.5))[0:3:2] != pytest.approx((5.4, 0.5), abs=0.2)


def test_a_scene_without_room_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no room to stand"):
        EmbeddedBackend().reset(_scene(tmp_path, 6.0, 0.0))


def test_a_goal_that_cannot_be_reached_is_refused(tmp_path: Path) -> None:
    env = HabitatEnv(scene=_scene(tmp_path, 0.1, 0.0))
    goal = {"text": "Go.", "conditions": [{"navigate": "point", "position": [5.0, 0.1, 1.5]}]}
    with pytest.raises(GoalError, match=r"No way leads from the start to the goal\."):
        env.reset(seed=0, options={"goal": goal, "start_position": [1.0, 0.1, 1.5]})
