"""Contradictions of goals on a graph: what cannot hold is refused, and what some moment shows never is."""

import copy
from collections.abc import Sequence
from typing import Any

import gymnasium
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.collectors.rollout.episode import Envs
from pathei.envs.facts import FactGraph
from pathei.envs.facts.contradictions import require_possible
from pathei.envs.registry import get_env
from pathei.errors import GoalError
from pathei.experience import Goal, Task

NODES = [
    [1, "hall", []], [2, "character", []], [3, "key", []], [4, "chest", ["OPEN"]], [5, "box", []],
    [6, "ball", []], [7, "ball", []],
]  # fmt: skip
PLACES: list[list[Any]] = [[2, "INSIDE", 1], [3, "INSIDE", 4], [4, "INSIDE", 1], [5, "INSIDE", 1], [6, "INSIDE", 5]]
GRAPH = FactGraph({"nodes": NODES, "edges": PLACES, "rooms": [1], "characters": [2]})


def inside(thing: str, place: str, **more: Any) -> dict[str, Any]:
    return {"from": {"class": thing}, "relation": "INSIDE", "to": {"class": place}, **more}


def state(thing: str, what: str, **more: Any) -> dict[str, Any]:
    return {"node": {"class": thing}, "state": what, **more}


@pytest.mark.parametrize(
    "conditions",
    [
        [state("chest", "OPEN"), state("chest", "CLOSED")],
        [state("chest", "OPEN"), {"not": state("chest", "OPEN")}],
        [{"not": {"not": inside("key", "box")}}, {"not": inside("key", "box")}],
        [inside("key", "chest"), inside("key", "box")],
        [inside("box", "chest"), inside("chest", "box")],
        [inside("key", "key")],
        [inside("ball", "chest", count=2), inside("ball", "box")],
        [state("ball", "ON", count="all"), state("ball", "OFF")],
        [state("chest", "OPEN", optional=True)],
    ],
)
def test_what_cannot_hold_is_refused(conditions: Sequence[dict[str, Any]]) -> None:
    with pytest.raises(GoalError, match=r"The goal (contradicts itself|is empty): "):
        require_possible(GRAPH, conditions)


@pytest.mark.parametrize(
    "conditions",
    [
        [],
        [state("chest", "OPEN"), state("box", "CLOSED")],
        [inside("ball", "chest"), inside("ball", "box")],
        [state("ball", "ON"), state("ball", "OFF")],
        [inside("key", "chest"), {"not": inside("key", "box")}],
        [inside("coin", "chest"), inside("coin", "box")],  # there is none yet
        [state("chest", "OPEN"), state("chest", "CLOSED", optional=True)],
    ],
)
def test_what_can_hold_is_let_through(conditions: Sequence[dict[str, Any]]) -> None:
    require_possible(GRAPH, conditions)


def test_where_things_can_be_copied_only_one_thing_in_two_places_is_refused() -> None:
    require_possible(GRAPH, [inside("key", "chest"), inside("key", "box")], grows=True)
    both = [{**inside("key", place), "from": {"id": 3}} for place in ("chest", "box")]
    with pytest.raises(GoalError, match="'3 INSIDE chest' and '3 INSIDE box' cannot hold together"):
        require_possible(GRAPH, both, grows=True)


@given(st.lists(st.tuples(st.sampled_from([3, 4, 5, 6, 7]), st.sampled_from([1, 4, 5])), max_size=6), st.booleans())
def test_a_goal_that_holds_at_some_moment_is_never_refused(moves: list[tuple[int, int]], by_id: bool) -> None:
    later = {source: target for source, _, target in PLACES}
    for thing, place in moves:
        if thing != place and later.get(place) != thing:
            later[thing] = place
    kinds = GRAPH.kinds
    goal: list[dict[str, Any]] = [
        {"from": {"id": a} if by_id else {"class": kinds[a]}, "relation": "INSIDE", "to": {"class": kinds[b]}}
        for a, b in later.items()
    ]
    require_possible(GRAPH, [one for one in goal if one["from"] != one["to"]])
    before = copy.deepcopy(GRAPH.out)
    assert GRAPH.out == before


@pytest.mark.parametrize(
    ("env", "goal"),
    [
        ("minigrid", [state("red door", "OPEN"), {"not": state("red door", "OPEN")}]),
        ("textworld", [state("door", "OPEN"), {"not": state("door", "OPEN")}]),
        ("documents", [{"from": {"class": "character"}, "relation": "INSIDE", "to": {"class": "character"}}]),
        ("shop", [{"from": {"class": "character"}, "relation": "INSIDE", "to": {"class": "character"}}]),
    ],
)
def test_an_environment_says_so_at_the_reset(env: str, goal: list[dict[str, Any]]) -> None:
    spec = get_env(env)
    [task] = spec.generate_tasks(1, 0)
    playing: gymnasium.Env[Any, Any] = Envs().get(Task(task.id, task.env, task.seed, Goal("do both"), task.options))
    with pytest.raises(GoalError, match="The goal contradicts itself"):
        playing.reset(seed=0, options={**task.options, "goal": {"text": "do both", "conditions": goal}})
    playing.close()
