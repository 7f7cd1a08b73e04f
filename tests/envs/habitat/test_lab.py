"""`pathei/HabitatLab-v0` against a strict double of habitat-lab, which is not habitat-lab."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pathei.envs.checks import check_env
from pathei.envs.habitat.official.install import GPU_VARIABLE, PYTHON_VARIABLE
from pathei.envs.habitat.official.lab import HabitatLabEnv, check_lab
from pathei.errors import ConfigError, ForeignRuntimeError, InstallError

DOUBLE = Path(__file__).with_name("double")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Name this Python, with the double on its path."""
    program = tmp_path_factory.mktemp("python") / "python"
    place, here = shlex.quote(str(DOUBLE)), shlex.quote(sys.executable)
    program.write_text(f'#!/bin/sh\nPYTHONPATH={place} exec {here} "$@"\n')
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PYTHON_VARIABLE, str(program))
        # The configurations name CUDA device 0; without it the first try ends the process.
        patch.setattr("pathei.envs.habitat.official.lab.gpus_to_try", lambda: [0, -1])
        yield program


@pytest.fixture
def env(python: Path) -> Iterator[HabitatLabEnv]:
    """The environment."""
    made = HabitatLabEnv(config="pointnav.yaml")
    yield made
    made.close()


def test_an_official_episode_is_played_with_its_measures(env: HabitatLabEnv) -> None:
    seen, info = env.reset(seed=0, options={"episode": "11"})
    assert "The goal is 2.00 m away, ahead." in seen["text"]
    assert [image.shape for image in seen["image"]] == [(4, 6, 3)]
    assert info["episode"] == "11"
    assert info["actions"] == ("move_forward", "stop", "turn_left", "turn_right")
    assert info["metrics"] == {
        "distance_to_goal": 2.0, "success": 0.0, "spl": 0.0, "collisions": {"count": 0.0, "is_collision": False},
        "top_down_map": {},
    }  # fmt: skip
    seen, reward, *_ = env.step("turn_left")
    assert "30° to the right" in seen["text"]
    env.step("turn_right")
    total = reward
    for action in [*["move_forward"] * 8, "stop"]:
        seen, reward, terminated, truncated, info = env.step(action)
        total += reward
    assert (terminated, truncated, info["success"], total) == (True, False, True, 1.0)
    assert info["actions"] == ()
    assert "over" in env.step("stop")[4]["error"]


def test_an_episode_that_ran_out_of_steps_is_truncated(env: HabitatLabEnv) -> None:
    env.reset(seed=0, options={"episode": 0, "overrides": ["habitat.environment.max_episode_steps=2"]})
    env.step("turn_left")
    assert env.step("turn_left")[2:4] == (False, True)


def test_the_contract_is_kept(env: HabitatLabEnv) -> None:
    check_env(env, steps=6)


def test_rules_of_a_planning_domain_are_words(env: HabitatLabEnv) -> None:
    _, info = env.reset(seed=0, options={"config": "rearrange.yaml"})
    assert "actions" not in info
    for action, error in (
        ("pick unicorn robot", "no unicorn"), ("pick apple", "about 2 things"), ("fly", "no action"),
        ("navigate table", None), ('oracle_nav {"oracle_nav_action": [2]}', None), ("oracle_nav {", "no JSON"),
        ('oracle_nav {"speed": 1}', "takes oracle_nav_action"), ("rearrange_stop now", "no JSON"),
        ("<char1> pick apple robot", "agent_1_pddl_action"), ("pick apple robot", None),
    ):  # fmt: skip
        info = env.step(action)[4]
        assert error in info["error"] if error else "error" not in info, action
    seen, reward, terminated, _, info = env.step("place apple table robot")
    assert "is_holding: 1" in seen["text"]
    assert (reward, terminated, info["success"]) == (1.0, True, True)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"episode": 9}, ConfigError), ({"episode": "x"}, ConfigError), ({"overrides": "a=b"}, ConfigError),
        ({"config": "none.yaml"}, ForeignRuntimeError), ({"overrides": ["habitat.nothing=1"]}, ForeignRuntimeError),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(env: HabitatLabEnv, options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        env.reset(seed=0, options=options)


def test_the_doctor_says_what_is_missing(python: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = check_lab()[0]
    assert found.ok
    assert found.note.startswith("0.3.3")
    monkeypatch.setenv(PYTHON_VARIABLE, sys.executable)
    assert "--no-deps habitat-lab" in check_lab()[0].note
    monkeypatch.setenv(PYTHON_VARIABLE, "")
    monkeypatch.setenv("PATHEI_RUNTIMES", str(tmp_path))
    monkeypatch.setenv(GPU_VARIABLE, "-1")
    assert PYTHON_VARIABLE in check_lab()[0].note
    with pytest.raises(InstallError):
        HabitatLabEnv().reset(seed=0)
    assert np.bool_(not check_lab()[0].ok)
