"""One node process for the tests of the Minecraft world, which are skipped where it is not installed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pathei.envs.minecraft import MinecraftEnv
from pathei.envs.minecraft.process.game import check_minecraft

Begin = Callable[..., MinecraftEnv]
WORLD = 3
"""A world that begins in a birch forest, with stone close by."""
STORES = {"oak_log": 8, "oak_planks": 9, "stick": 6, "cobblestone": 9, "crafting_table": 1, "coal": 4, "raw_iron": 2}
"""What is carried where a test takes random actions: most of these are then quick."""


def needs_minecraft() -> None:
    """Skip the test where the world is not installed, and say what is missing."""
    missing = [f"{one.what} ({one.note})" for one in check_minecraft() if one.required and not one.ok]
    if missing:
        pytest.skip(f"the Minecraft world needs {', '.join(missing)}")


@pytest.fixture(scope="session")
def shared() -> Iterator[MinecraftEnv]:
    """The environment that the tests share."""
    needs_minecraft()
    env = MinecraftEnv(inventory=STORES, world=WORLD)
    yield env
    env.close()


@pytest.fixture
def begin(shared: MinecraftEnv) -> Begin:
    """Begins an episode with empty hands, or with an inventory: `begin(conditions, inventory={...})`."""

    def started(conditions: Any = (), **options: Any) -> MinecraftEnv:
        goal = {"text": "", "conditions": list(conditions)}
        shared.reset(seed=0, options={"world": WORLD, "goal": goal, "inventory": {}, **options})
        return shared

    return started
