"""Goals that cannot hold, that hold already, and that ask for nothing: told before any search."""

from typing import Any

import numpy as np
import pytest

from pathei.agents import ScriptedAgent
from pathei.collectors.rollout.policy import play
from pathei.collectors.search.collector import make_searcher
from pathei.envs.contract import make, reset
from pathei.envs.registry import get_env
from pathei.errors import GoalError
from pathei.experience import Failure, Goal, Task, Trajectory

ENV = get_env("virtualhome").id
CUP, FRIDGE, LAMP = {"class": "cup"}, {"class": "fridge"}, {"class": "floor_lamp"}
YOU = {"class": "character"}


def task(*conditions: Any) -> Task:
    return Task("t", ENV, 0, Goal("a goal", conditions), {"scene": "house:2"})


def edge(source: Any, relation: str, target: Any, **more: Any) -> dict[str, Any]:
    return {"from": source, "relation": relation, "to": target, **more}


def room(name: str) -> dict[str, str]:
    return {"class": name}


@pytest.mark.parametrize(
    "conditions",
    [
        [{"node": LAMP, "state": "ON"}, {"node": LAMP, "state": "OFF"}],
        [{"not": {"node": LAMP, "state": "ON"}}, {"node": LAMP, "state": "ON"}],
        [{"not": {"node": LAMP, "state": "ON"}}, {"not": {"node": LAMP, "state": "OFF"}}],
        [{"node": YOU, "state": "SITTING"}, {"node": YOU, "state": "LYING"}],
        [edge(YOU, "INSIDE", room("kitchen")), edge(YOU, "INSIDE", room("bathroom"))],
        [edge(CUP, "INSIDE", room("kitchen"), count="all"), edge(CUP, "INSIDE", room("bathroom"))],
        [edge(FRIDGE, "INSIDE", FRIDGE)],
        [edge(CUP, "INSIDE", FRIDGE, count="all"), edge(YOU, "HOLDS", CUP)],
        [edge(CUP, "INSIDE", {"class": "sink"}, count="all"), edge(CUP, "ON", {"class": "dining_table"})],
        [edge(YOU, "HOLDS", {"class": name}) for name in ("cup", "plate", "apple")],
        [edge(YOU, "HOLDS", CUP), {"not": edge(YOU, "HOLDS", CUP)}],
    ],
)
def test_a_contradiction_is_refused_before_any_search(conditions: list[Any]) -> None:
    with pytest.raises(GoalError, match="contradicts itself"):
        reset(make(task()), task(*conditions))
    [record] = make_searcher().collect([task(*conditions)])
    assert isinstance(record, Failure)
    assert record.stage == "reset"


@pytest.mark.parametrize(
    "conditions",
    [
        [edge(CUP, "INSIDE", room("kitchen")), edge(CUP, "INSIDE", {"class": "sink"})],
        [edge(YOU, "HOLDS", CUP), edge(YOU, "HOLDS", {"class": "plate"})],
        [{"node": LAMP, "state": "ON"}, {"not": {"node": LAMP, "state": "OFF"}}],
        [edge(YOU, "ON", {"class": "couch"}), {"node": YOU, "state": "SITTING"}],
        [{"node": {"class": "light"}, "state": "ON"}, {"node": {"class": "light"}, "state": "OFF"}],
    ],
)
def test_what_can_hold_together_is_accepted(conditions: list[Any]) -> None:
    reset(make(task()), task(*conditions))


def test_a_goal_that_holds_is_reached_without_a_step() -> None:
    held = task({"node": FRIDGE, "state": "CLOSED"})
    [found] = make_searcher().collect([held])
    played = play(make(held), held, ScriptedAgent(["walk to the fridge"]), max_steps=3)
    for record in (found, played):
        assert isinstance(record, Trajectory)
        assert (record.steps, record.success) == ((), True)
        assert record.provenance["ended"] == "the goal holds already"


def test_an_agent_that_does_nothing_has_not_reached_its_goal() -> None:
    wanted = task({"node": FRIDGE, "state": "OPEN"})
    assert play(make(wanted), wanted, ScriptedAgent([]), max_steps=3).success is False


@pytest.mark.parametrize(
    ("conditions", "why"),
    [
        ([], "has no conditions that can be checked"),
        (
            [{"node": FRIDGE, "state": "OPEN", "optional": True}],
            "The goal is empty: all of its conditions are optional",
        ),
    ],
)
def test_an_empty_goal_is_not_searched_for(conditions: list[Any], why: str) -> None:
    [record] = make_searcher().collect([task(*conditions)])
    assert isinstance(record, Failure)
    assert why in record.error


def test_no_generated_task_contradicts_itself() -> None:
    rng = np.random.default_rng(0)
    for one in get_env("virtualhome").generate_tasks(40, int(rng.integers(1000))):
        reset(make(one), one)
