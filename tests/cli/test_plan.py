"""`pathei plan` in every environment that offers goals: an instruction in words is read, searched for and done."""

import re
import shlex

import pytest

from pathei.cli import main
from pathei.cli.commands import Demo
from pathei.cli.tour import _next
from pathei.envs.registry import BUILTIN_ENVS, EnvSpec, get_env


@pytest.mark.parametrize(
    ("env", "goal"),
    [
        ("minigrid", "pick up the red box"),
        ("shop", 'look at a product of the kind "wall art"'),
        ("documents", 'please open the page "module argparse"'),
        ("habitat", "put the magazine on the dresser"),
        # Its task was made for other commands than these.
        ("terminal", "make notes.txt executable"),
        ("terminal", "move notes.txt to letters"),
        ("terminal", "copy 001.txt to the home directory"),
        ("habitat", "go to the fridge"),
    ],
)
def test_a_plan_for_words_is_found_and_done(env: str, goal: str, capsys: pytest.CaptureFixture[str]) -> None:
    if missing := get_env(env).missing():
        pytest.skip(f"{env} is not installed: {', '.join(missing)}")
    assert main(["plan", goal, "--env", env]) == 0, capsys.readouterr().out
    said = capsys.readouterr().out
    assert said.startswith("Goal: ")
    assert "The goal is reached." in said


@pytest.mark.parametrize(
    ("env", "goal", "said"),
    [
        ("virtualhome", "a fridge is closed", "The goal holds already: the fridge is closed."),
        ("habitat", "the fridge is closed", "The goal holds already: the fridge is closed."),
    ],
)
def test_what_holds_already_is_no_error(env: str, goal: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    if missing := get_env(env).missing():
        pytest.skip(f"{env} is not installed: {', '.join(missing)}")
    assert main(["plan", goal, "--env", env]) == 0
    assert f"{said} Nothing is to be done." in capsys.readouterr().out


def test_what_would_help_is_said_where_no_plan_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["plan", "put two plates on the dining table and turn on the television"]
    assert main([*command, "--env-steps", "10"]) == 1
    assert "The goal was not reached: try more --env-steps." in capsys.readouterr().out
    assert main([*command, "--steps", "2"]) == 1
    assert "The goal was not reached: try more --simulations or --steps." in capsys.readouterr().out


@pytest.mark.parametrize("spec", [one for one in BUILTIN_ENVS if one.goal_space], ids=lambda one: one.name)
def test_what_cannot_be_read_is_refused_in_one_sentence(spec: EnvSpec, capsys: pytest.CaptureFixture[str]) -> None:
    if missing := spec.missing():
        pytest.skip(f"{spec.name} is not installed: {', '.join(missing)}")
    assert main(["plan", "fly to the moon", "--env", spec.name]) == 2
    said = capsys.readouterr().err
    assert "fly" in said or "moon" in said
    assert "Traceback" not in said


def test_an_environment_without_goals_says_which_have_some(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "drive home", "--env", "taxi"]) == 2
    assert "has no `EnvSpec.goal_space`; those that have: virtualhome, shop" in capsys.readouterr().err


def test_the_plan_that_the_demo_ends_with_is_worth_watching(capsys: pytest.CaptureFixture[str]) -> None:
    found = re.search(r"pathei (plan .*\S)   *watch", _next(Demo()))
    assert found is not None
    assert main(shlex.split(found[1])) == 0
    assert "The goal is reached." in capsys.readouterr().out
