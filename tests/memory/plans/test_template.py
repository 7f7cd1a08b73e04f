"""Plans whose constants come from the goal or from what is seen on the way."""

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.memory.plans.template import (
    TemplateStep,
    as_read,
    fill,
    free_names,
    lift,
    match_goal,
    next_action,
    steps_from,
    varying,
)

PAGE = 'Goal: Click button ONE.\n[1] button "ONE"\n[2] button "TWO"'
OTHER = 'Goal: Click button YES.\n[1] link "NO"\n[2] button "NO"\n[3] button "YES" focused'


def names() -> Iterator[str]:
    """Return fresh names."""
    return map("w{}".format, count())


def test_what_differs_between_goals_becomes_a_parameter() -> None:
    goal = "Which number stands beside `Corby` in `stations.txt`?"
    parts = varying(goal, [goal.replace("Corby", "Arden"), goal.replace("Corby", "Brill")])
    assert parts == ["Corby"]
    lifted = lift(goal, {"Corby": "w0"})
    assert match_goal(lifted, goal.replace("Corby", "New Haven")) == {"w0": "New Haven"}
    assert match_goal(lifted, "What else?") is None
    assert varying(goal, []) == []


@pytest.mark.parametrize(
    ("action", "seen", "later", "expected"),
    [
        ("submit 9587", "the key is 9587\nagent@sim:~$", "the key is 3\nagent@sim:~$", "submit 3"),
        ("submit 9", "9\nagent@sim:~$", "44\nagent@sim:~$", "submit 44"),
        ("click[b0f]", "[button] Back [/]\n[button] B0F [/]", "[button] Home [/]\n[button] C [/]", "click[C]"),
        ("chmod 755 run.sh", "agent@sim:~$", "agent@sim:~$", "chmod 755 run.sh"),
        ("submit 9", "9\nagent@sim:~$", "", None),
    ],
)  # fmt: skip
def test_a_constant_is_read_where_it_was_shown(action: str, seen: str, later: str, expected: str | None) -> None:
    """An answer, a product; what is shown nowhere stays as it is, and a step whose value is not shown is not done."""
    (step,) = as_read([action], [seen], {}, names(), loose=False)
    assert next_action(step, {}, later) == expected
    assert str(next_action(step, {}, seen)).lower() == action


def test_the_number_of_an_element_is_read_by_its_label_which_is_read_too() -> None:
    """The page names the button, and the button its number; a line may end otherwise if only its head has to fit."""
    (exact,) = as_read(["click [1]"], [PAGE], {}, names(), loose=False)
    (loose,) = as_read(["click [1]"], [PAGE], {}, names(), loose=True)
    assert next_action(exact, {}, OTHER.removesuffix(" focused")) == "click [3]"
    assert next_action(exact, {}, OTHER) is None
    assert next_action(loose, {}, OTHER) == "click [3]"


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=60), st.booleans())
def test_a_plan_repeats_its_own_episode(goal: str, action: str, seen: str, loose: bool) -> None:
    """Whatever the texts say: in what it was read from, a step is the action again."""
    goal = " ".join(goal.split())
    steps = as_read([action], [seen], {}, free_names(goal, action, seen), loose=loose)
    again = next_action(steps[0], {}, seen)
    assert again is not None
    assert again.lower() == action.lower()
    assert match_goal(lift(goal, {}), goal) == {}


def test_plans_that_were_written_before_are_read() -> None:
    data = {"steps": ["go to {w0}", "find . -exec cat {} +"], "plan": True}
    steps = steps_from(data)
    assert steps == [TemplateStep("go to {w0}"), TemplateStep("find . -exec cat {} +")]
    assert [next_action(step, {"w0": "bed"}, "") for step in steps] == ["go to bed", "find . -exec cat {} +"]
    assert fill("{w1}", {}) == "{w1}"
    assert steps_from({"steps": ["a"], "reads": [[["w0", "the {w0}", 0], ["malformed"]]]}) == [
        TemplateStep("a", (("w0", "the {w0}", 0),))
    ]
