"""Plans in words are carried out in the real household: what reaches its goal, what is refused and why."""

import pytest

from pathei.envs.facts import read_action
from pathei.envs.virtualhome.language.plans import say_plan
from pathei.envs.virtualhome.tasks.generate import ACTIVITIES, demonstration, generate_tasks
from pathei.errors import UnknownNameError
from pathei.experience import Goal, Task
from pathei.learners.evaluation.plan_execution import PlanExecutor, execute_plan

ENV = "pathei/VirtualHome-v0"
KITCHEN = Task("t", ENV, 5, Goal("", ({"node": {"class": "fridge"}, "state": "OPEN"},)), {"scene": "house:5"})


def test_demonstrations_of_all_activities_reach_their_goals_when_told_in_words() -> None:
    tasks = generate_tasks(2 * len(ACTIVITIES), 11)
    assert len({task.id.partition("-")[2].rpartition("-")[0].partition("-")[2] for task in tasks}) == len(ACTIVITIES)
    plain = numbered = 0
    with PlanExecutor() as executor:
        for task in tasks:
            script = demonstration(task)
            outcome = executor.execute(task, say_plan(script))
            plain += outcome.success
            assert outcome.refused is None, (task.goal.text, outcome)
            names = {name for line in script for action in [read_action(line)] if action for name in action.names}
            again = executor.execute(task, say_plan(script, names))
            numbered += again.success
            assert again.steps == script
            assert again.progress == 1.0
    assert numbered == len(tasks)
    assert plain >= 0.8 * len(tasks)  # "the light" is one of several, and only the goal could tell which


def test_a_plan_ends_where_the_world_refuses() -> None:
    outcome = execute_plan(KITCHEN, "Walk to the fridge. Grab the fridge. Open the fridge.")
    assert not outcome.success
    assert (outcome.refused, outcome.sentences, len(outcome.steps)) == ("Grab the fridge", 3, 1)
    assert outcome.reason
    assert "fridge" in outcome.reason
    assert outcome.progress == 0.0
    assert execute_plan(KITCHEN, "Walk to the fridge. Grab the fridge. Open the fridge.", skip_refused=True).success


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Walk to the dragon.", "there is no dragon here"),
        ("Contemplate the fridge.", "not understood as an action"),
        ("Open the fridge.", "not within reach"),
    ],
)
def test_a_reason_is_given(text: str, reason: str) -> None:
    outcome = execute_plan(KITCHEN, text)
    assert outcome.steps == ()
    assert outcome.reason is not None
    assert reason in outcome.reason


def test_an_empty_plan_does_nothing() -> None:
    outcome = execute_plan(KITCHEN, "")
    assert (outcome.success, outcome.steps, outcome.refused, outcome.sentences) == (False, (), None, 0)


def test_nothing_is_added_to_a_plan() -> None:
    task = Task("t", ENV, 5, Goal("", ({"node": {"class": "fridge"}, "state": "OPEN"},)), {"scene": "house:5"})
    seated = execute_plan(task, "Walk to the chair. Sit on the chair. Walk to the fridge. Open the fridge.")
    assert seated.refused == "Walk to the fridge"
    assert "stand up" in str(seated.reason)
    up = execute_plan(task, "Walk to the chair. Sit on the chair. Stand up. Walk to the refrigerator. Open it.")
    assert up.refused == "Open it"
    assert execute_plan(task, "Go to the fridge, then open the fridge.").success


def test_others_wait_while_the_first_character_acts() -> None:
    task = Task("t", ENV, 5, KITCHEN.goal, {"scene": "house:5", "characters": 3})
    outcome = execute_plan(task, "Walk to the kitchen. Walk to the fridge. Open the fridge.")
    assert outcome.success
    assert len(outcome.steps) == 3


def test_the_same_plan_has_the_same_outcome_whatever_came_before() -> None:
    text = "Walk to the fridge. Open the fridge. Grab the juice."
    alone = execute_plan(KITCHEN, text)
    with PlanExecutor() as executor:
        executor.execute(KITCHEN, "Walk to the bed. Lie on the bed.")
        assert executor.execute(KITCHEN, text) == alone


def test_an_unknown_environment_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean"):
        execute_plan(Task("t", "pathei/VirtualHom-v0", 0, Goal("cross")), "Go left.")
