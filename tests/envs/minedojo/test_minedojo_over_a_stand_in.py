"""The real minedojo package plays its tasks through pathei; the Java side below it is a stand-in (`java_stand_in`)."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pathei.envs.minedojo import MineDojoEnv
from pathei.envs.minedojo.runtime import RUNTIME, check_minedojo
from pathei.envs.minedojo.tasks import generate_tasks
from pathei.errors import ConfigError

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("minedojo")]

STAND_IN = Path(__file__).with_name("java_stand_in.py")


@pytest.fixture(scope="module")
def env() -> Iterator[MineDojoEnv]:
    """A task on the stand-in."""
    if RUNTIME.folder is None:
        pytest.skip("MineDojo is not installed: run 'pathei env install minedojo'")
    with subprocess.Popen([sys.executable, str(STAND_IN)], stdout=subprocess.PIPE, text=True) as java:
        try:
            assert java.stdout is not None
            made = MineDojoEnv(image_size=(8, 12), port=int(java.stdout.readline().split()[1]), render_mode="rgb_array")
            yield made
            made.close()
        finally:
            java.kill()


def test_a_harvest_task_is_played_in_words_over_a_stand_in(env: MineDojoEnv) -> None:
    seen, info = env.reset(seed=0, options={"task": "harvest_1_log"})
    assert env.task[:2] == ("harvest_1_log", "obtain log")
    assert seen["text"].startswith("You are at 0.5 64.0 0.5")
    assert {"forward", "attack", "turn left"} <= set(info["actions"])
    assert "craft planks" not in info["actions"]
    for _ in range(4):
        seen, reward, terminated, _, info = env.step("attack")
        if terminated:
            break
    assert (reward, terminated, info["success"]) == (1.0, True, True)
    assert "Inventory: 1 log." in seen["text"]
    assert "You got 1 log." in seen["text"]


def test_numbers_and_words_are_the_same_actions_over_a_stand_in(env: MineDojoEnv) -> None:
    env.reset(options={"task": "harvest_8_log"})
    numbers: Any = np.array([1, 0, 1, 12, 13, 0, 0, 0])
    seen, *_ = env.step(numbers)
    assert seen["location_stats"]["yaw"][0] == 15
    seen, *_ = env.step("forward and jump and turn right")
    assert seen["location_stats"]["yaw"][0] == 30
    assert seen["location_stats"]["pos"][2] > 0.5
    assert seen["rgb"].shape == (3, 8, 12)
    assert env.render().shape == (8, 12, 3)
    assert env.observation_space.contains(seen)


def test_what_the_masks_forbid_changes_nothing_over_a_stand_in(env: MineDojoEnv) -> None:
    before, _ = env.reset(options={"task": "harvest_8_log"})
    destroy: Any = np.array([0, 0, 0, 12, 12, 7, 0, 3])
    for action, why in (
        (destroy, "mask"),
        ("dance", "'dance' is no action"),
        ("equip iron_sword", "you have no iron_sword"),
        ("craft a castle", "'a castle' cannot be crafted"),
    ):
        seen, reward, terminated, _, info = env.step(action)
        assert why in info["error"]
        assert info["error"] in seen["text"]
        assert (reward, terminated) == (0, False)
        assert np.array_equal(seen["location_stats"]["pos"], before["location_stats"]["pos"])


def test_other_kinds_of_task_are_made_in_the_same_process_over_a_stand_in(env: MineDojoEnv) -> None:
    pid = env._inner.runtime.pid
    for task in ("techtree_from_barehand_to_wooden_sword", "creative:3"):
        _, info = env.reset(options={"task": task})
        assert env.task[0] == task
        assert info["success"] is False
    assert env._inner.runtime.pid == pid


def test_observations_are_of_their_space_whatever_is_done_over_a_stand_in(env: MineDojoEnv) -> None:
    env.action_space.seed(0)
    seen, _ = env.reset(seed=3, options={"task": "harvest_1_log"})
    assert env.observation_space.contains(seen)
    for _ in range(8):
        seen, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        assert env.observation_space.contains(seen)
        assert (type(reward), type(terminated), truncated) == (float, bool, False)
        if terminated:
            break


def test_tasks_are_the_packages_own(env: MineDojoEnv) -> None:
    tasks = generate_tasks(20, 3)
    assert tasks == generate_tasks(20, 3)
    assert all(task.goal.text and task.options["task"] in task.id for task in tasks)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"task": "harvest_1_logs"}, "did you mean 'harvest_1_log'"),
        ({"image_size": (9, 9)}, "constructor"),
        ({"image_size": 9}, "HEIGHT, WIDTH"),
        ({"port": 70_000}, "'port' .* whole number"),
        ({"prot": 1}, "no option 'prot'"),
    ],
)
def test_wrong_options_are_named(env: MineDojoEnv, options: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        env.reset(options=options)


def test_the_doctor_says_what_the_java_side_needs() -> None:
    notes = {one.what: one for one in check_minedojo()}
    assert {"MineDojo", "Java 8"} <= notes.keys()
    assert notes["Java 8"].ok or "apt-get install temurin-8-jdk" in notes["Java 8"].note
    mod = notes["Minecraft 1.11.2 with Malmo's mod, built"]
    assert mod.ok or "MalmoMod-0.37.0-fat.jar" in mod.note
