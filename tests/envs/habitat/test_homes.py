"""Generated homes: the same on every machine, everything in its own place and within reach."""

from __future__ import annotations

import hashlib
from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pathei.envs.habitat.backend import AgentSettings, Pose
from pathei.envs.habitat.planning.follower import turned
from pathei.envs.habitat.scenes.catalogue import DOOR, FURNITURE, MOVABLE
from pathei.envs.habitat.scenes.generate import FEWEST, MOST, NEAR, generate_home, home_name
from pathei.envs.habitat.scenes.scene import Thing
from pathei.envs.habitat.simulator.embedded import EmbeddedBackend
from pathei.envs.habitat.simulator.raster import camera_at, render
from pathei.errors import ConfigError


def _overlap(one: Thing, other: Thing) -> bool:
    (low, high), (start, end) = one.box, other.box
    return all(low[axis] < end[axis] - 1e-6 and start[axis] < high[axis] - 1e-6 for axis in range(3))


def _away(sim: EmbeddedBackend, thing: Thing) -> float:
    """Return how far the nearest place to stand is from a thing."""
    (x0, _, z0), (x1, _, z1) = thing.box
    free, (x, z) = sim.topdown()
    cells = np.argwhere(free)[:, ::-1] * 0.05 + np.array((x, z)) + 0.025
    off = np.maximum(np.maximum(np.array((x0, z0)) - cells, cells - np.array((x1, z1))), 0)
    return float(np.hypot(off[:, 0], off[:, 1]).min())


# Homes in which an open door, or a gap as wide as the agent, once cut off a room or a piece of furniture.
@example(1, 6)
@example(8, 3)
@example(11, 5)
@example(23, 8)
@example(29, 5)
@example(51, 4)
@settings(max_examples=10)
@given(st.integers(0, 500), st.integers(FEWEST, MOST))
def test_everything_has_a_place_of_its_own_and_is_within_reach(seed: int, rooms: int) -> None:
    home = generate_home(seed, rooms)
    assert len(home.rooms) == rooms
    furniture = [one for one in home.things if not one.movable]
    floor = [one for one in furniture if one.box[0][1] < 0.01]
    tucked = {"chair", "office_chair"}
    for one, other in combinations(floor, 2):
        assert not _overlap(one, other) or tucked & {one.category, other.category}, (one.category, other.category)
    sim = EmbeddedBackend(AgentSettings())
    sim.reset(home_name(seed, rooms))
    assert [one.category for one in floor if _away(sim, one) >= NEAR] == []
    loose = [one for one in home.things if one.movable]
    assert [one.id for one in home.things] == list(range(1, len(home.things) + 1))
    assert len({(one.holder, one.in_holder, one.spot) for one in loose}) == len(loose)
    for one in loose:
        assert one.holder is not None
        holder = home.things[one.holder - 1]
        place = (holder.inside if one.in_holder else holder.on)[one.spot]
        low, high = one.box
        assert np.allclose(((low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2), place)


def test_homes_are_of_many_kinds() -> None:
    homes = [generate_home(seed, MOST) for seed in range(8)]
    fixed = {one.category for home in homes for one in home.things if not one.movable}
    movable = {one.category for home in homes for one in home.things if one.movable}
    assert fixed <= {*FURNITURE, DOOR}
    assert movable <= set(MOVABLE)
    assert len(fixed) >= 30
    assert len(movable) >= 40


def test_a_home_follows_from_its_seed() -> None:
    found = [hashlib.sha256(repr(generate_home(seed, 3)).encode()).hexdigest()[:12] for seed in (0, 1)]
    assert found == ["669d6297ff0f", "15ede99fedc0"]


@pytest.mark.parametrize("scene", ["home:3:1", "home:3:9", "home", "nowhere"])
def test_a_home_that_cannot_be_is_refused(scene: str) -> None:
    with pytest.raises(ConfigError):
        EmbeddedBackend().reset(scene)


@pytest.mark.parametrize("scene", ["home:0", "home:3"])
def test_rooms_that_are_not_drawn_are_not_seen(scene: str) -> None:
    sim, rng = EmbeddedBackend(AgentSettings(width=48, rows=48)), np.random.default_rng(0)
    sim.reset(scene)
    for _ in range(15):
        angle, pitch = float(rng.integers(360)), float(rng.choice([0, 30, -30, -60]))
        sim.set_agent(Pose(sim.random_point(rng), turned((0.0, 0.0, 0.0, 1.0), angle), pitch))
        (x, y, z), settings = sim.agent().position, sim.settings
        camera = camera_at(np.array((x, y + settings.camera_height, z)), angle, pitch, settings.hfov)
        everything = render(sim.faces(), camera, settings.rows, settings.width, ("depth", "semantic"))
        for name, image in sim.render(("depth", "semantic")).items():
            assert np.allclose(image, everything[name], atol=1e-4), name
