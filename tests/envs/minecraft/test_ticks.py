"""The world tick by tick: keys, camera and mouse do what they do for a player, and the observation is numbers."""

from typing import Any

import numpy as np
import pytest

from pathei.envs.minecraft import MinecraftEnv
from pathei.envs.minecraft.ticks import KEYS, MinecraftTicksEnv

from .conftest import WORLD

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("minecraft")]


@pytest.fixture
def env(shared: MinecraftEnv) -> MinecraftTicksEnv:
    """Plays in the node process that all tests share."""
    made = MinecraftTicksEnv(world=WORLD)
    made.game = shared.game
    return made


def held(*keys: str, camera: tuple[float, float] = (0, 0), attack: int = 0, use: int = 0, slot: int = 0) -> Any:
    """Return an action."""
    down = np.array([key in keys for key in KEYS], np.int8)
    return {"keys": down, "camera": np.array(camera, np.float32), "attack": attack, "use": use, "slot": slot}


def test_keys_walk_and_the_camera_turns(env: MinecraftTicksEnv) -> None:
    seen, _ = env.reset(seed=0)
    assert env.observation_space.contains(seen)
    turned, *_ = env.step(held(camera=(10, 90)))
    assert turned["pose"][3:] - seen["pose"][3:] == pytest.approx([90, 10], abs=0.5)
    for _ in range(10):
        walked, *_ = env.step(held("forward"))
    assert np.hypot(*(walked["pose"][[0, 2]] - turned["pose"][[0, 2]])) > 0.5
    assert env.observation_space.contains(walked)
    assert "grass_block" in {env.block_names[kind] for kind in np.unique(walked["voxels"])}


def test_the_mouse_digs_and_what_falls_is_picked_up(env: MinecraftTicksEnv) -> None:
    env.reset(seed=0, options={"goal": {"text": "", "conditions": [{"inventory": "dirt"}]}, "ticks": 5})
    env.step(held(camera=(90, 0)))
    total = 0.0
    for _ in range(30):
        seen, reward, terminated, _, info = env.step(held(attack=1))
        total += reward
        if terminated:
            break
    assert (total, info["success"]) == (1.0, True)
    assert "dirt" in {env.item_names[kind] for kind, count in seen["inventory"] if count}


def test_the_same_actions_lead_to_the_same_numbers(env: MinecraftTicksEnv) -> None:
    env.action_space.seed(1)
    actions = [env.action_space.sample() for _ in range(12)]

    def played() -> list[bytes]:
        env.reset(seed=0)
        return [b"".join(np.asarray(part).tobytes() for part in env.step(one)[0].values()) for one in actions]

    assert played() == played()
