"""The plain verbalizer, and what an environment offers through its `EnvSpec`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.envs import contract
from pathei.envs.facts import Action, FactGraph
from pathei.envs.registry import get_env, get_goal_space, get_verbalizer, task_set_named
from pathei.envs.verbalizer import (
    Verbalizer,
    answer_place,
    ask_for_place,
    ask_for_plan,
    is_kept_out,
    is_unseen_activity,
    plain,
)
from pathei.errors import ConfigError, UnknownNameError
from pathei.experience import Goal, Task
from pathei.tests.support.attic import ID, attic_tasks, solve

GRAPH = FactGraph(
    {
        "nodes": [[n + 1, kind, []] for n, kind in enumerate("room player old_lamp lamp key key".split())],
        "edges": [],
        "rooms": [1],
        "characters": [2],
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("take old lamp", Action("TAKE", ("old_lamp",), (3,))),
        ("take the lamp", Action("TAKE", ("lamp",), (4,))),
        ("put lamp next to old lamp", Action("PUT", ("lamp", "old_lamp"), (4, 3))),
        ("look", Action("LOOK", (), ())),
        ("take key", None),
        ("", None),
    ],
)
def test_commands_name_things_of_the_graph(text: str, action: Action | None) -> None:
    """The longest name counts; a name that two things bear cannot be read."""
    assert plain().read_action(text, GRAPH) == action


@given(st.text(max_size=60))
def test_any_text_is_a_plan(text: str) -> None:
    """Sentences are parts of the text, and none is empty."""
    assert all(one.text and one.text in text for one in plain().read_plan(text))


def test_a_plan_is_said_and_read_back() -> None:
    """Commands become sentences, and sentences commands."""
    commands = ["go to attic", "take book"]
    said = plain().say_plan(commands)
    assert said == "Go to attic. Take book."
    assert [one.text.lower() for one in plain().read_plan(f"{said}\n\nQ: What next?")] == commands
    assert ask_for_plan("tidy up") == "Goal: Tidy up.\nPlan:"
    assert ask_for_place("cup", plain()) == "Where is the cup?"
    assert ask_for_place("cup", plain(), ["A.", "B."]) == "What is known:\n- A.\n- B.\n\nWhere is the cup?"
    assert answer_place("cup", plain()) == "The cup is in the"
    home = get_verbalizer("pathei/VirtualHome-v0")
    assert ask_for_place("building_blocks", home) == "Where are the building blocks?"
    assert answer_place("keys", home) == "The keys are in the"


def test_a_plan_is_carried_out_by_its_words() -> None:
    """A refused sentence ends the plan, unless it is skipped."""
    task = attic_tasks(1)[0]
    env = contract.make(task)
    text = plain().say_plan(solve(task))
    assert plain().run_plan(env, contract.reset(env, task)[1], text).success
    broken = f"Sing a song. {text}"
    stopped = plain().run_plan(env, contract.reset(env, task)[1], broken)
    assert (stopped.success, stopped.steps, stopped.refused) == (False, (), "Sing a song")
    assert plain().run_plan(env, contract.reset(env, task)[1], broken, skip_refused=True).success


def test_a_plan_is_trimmed_by_trying() -> None:
    """What remains reaches the goal and is no longer; a plan that does not reach it is none."""
    for task in attic_tasks(8):
        env = contract.make(task)
        plan = solve(task)
        kept = plain().trim_plan(env, task, plan)
        assert kept is not None
        assert len(kept) < len(plan)
        assert plain().run_plan(env, contract.reset(env, task)[1], plain().say_plan(kept)).success
        assert plain().trim_plan(env, task, ["go to attic"]) is None


def test_scenes_and_splits_follow_from_the_task() -> None:
    """The same environment, seed and options are the same scene; about one name in five is kept out."""
    task = attic_tasks(1)[0]
    assert plain().scene(task) == plain().scene(Task("other", ID, task.seed, Goal("x"), task.options))
    assert plain().activity(task) == "bring the book up"
    assert plain().activity(Task("t", ID, 0, Goal("x"))) is None
    share = sum(is_kept_out(str(n)) for n in range(2000)) / 2000
    assert 0.15 < share < 0.25
    assert is_unseen_activity("Wash Dishes") == is_unseen_activity("wash-dishes") == is_kept_out("wash-dishes")


def test_an_environment_offers_what_its_row_names() -> None:
    """Others get the plain verbalizer, and an error that says who offers goals."""
    assert type(get_verbalizer(ID)) is Verbalizer
    assert type(get_verbalizer("pathei/VirtualHome-v0")).__name__ == "HomeVerbalizer"
    assert get_verbalizer("virtualhome") is not None
    with pytest.raises(ConfigError, match="virtualhome"):
        get_goal_space(ID)
    assert task_set_named("nobody's tasks") is None
    with pytest.raises(UnknownNameError, match="did you mean 'robothow'"):
        get_env("virtualhome").task_set("robothw")
    with pytest.raises(ConfigError, match="not split"):
        get_env("touchdown").generate_split(1, 0, activities="seen", scenes="train")
