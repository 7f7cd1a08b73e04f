"""TextWorld's graph facts, the words of its commands, and what is learned from them."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from pathei import data
from pathei.envs.adapters import textworld
from pathei.envs.adapters.textworld_graph import TextWorldVerbalizer, node_of
from pathei.envs.facts import Action
from pathei.experience import Trajectory
from pathei.tests.support.learning import assert_facts_follow, corpus, demonstrated, listed_goals, mined, plan_succeeds

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("textworld") is None, reason="textworld is not installed"),
    pytest.mark.integration,
]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Trajectory]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(data.ROOT_VARIABLE, str(tmp_path_factory.mktemp("games")))
        yield demonstrated(textworld.generate_tasks(4, 4))


def test_commands_are_read_without_a_graph_and_said_again() -> None:
    words = TextWorldVerbalizer()
    action = words.read_action("take old key from tall box")
    assert action == Action("TAKE_FROM", ("old key", "tall box"), (node_of("old key"), node_of("tall box")))
    assert words.say_action("insert old key into tall box") == "Insert the old key into the tall box."
    assert words.read_action("go north") == Action("GO_NORTH", (), ())


def test_quests_have_conditions_and_changes_lead_to_what_holds(played: list[Trajectory]) -> None:
    for trajectory in played:
        assert trajectory.success
        assert trajectory.task.goal.conditions
        assert_facts_follow(trajectory)


def test_an_objective_is_read_by_its_words(played: list[Trajectory]) -> None:
    words = TextWorldVerbalizer()
    for trajectory in played:
        goal = trajectory.task.goal
        assert all(condition in words.read_goal(goal.text) for condition in goal.conditions), goal.text
    assert words.read_goal("sing a song") == ()


def test_the_curriculum_corpora_skills_and_plans(played: list[Trajectory], tmp_path: Path) -> None:
    names = listed_goals(played[0].task)
    assert any(name.endswith(" LOCKED") for name in names)
    assert any(name.startswith("you HOLDS ") for name in names)
    assert corpus(played)
    assert any("is LOCKED" in text or "is locked" in text for text in mined(played, tmp_path))
    assert all(plan_succeeds(trajectory.task) for trajectory in played)
