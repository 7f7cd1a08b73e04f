"""Graph facts: one reader of actions, one replay of an episode, and goals checked on the graph alone.

The household's own engine is the independent implementation: its goal check works on bitsets, its tables are read
directly.
"""

import gymnasium
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.agents import RandomAgent
from pathei.collectors.rollout.episode import Envs
from pathei.collectors.rollout.policy import play
from pathei.envs.facts import (
    Action,
    EpisodeFacts,
    FactGraph,
    holds,
    measure,
    progress,
    read_action,
    read_condition,
    satisfied,
)
from pathei.envs.virtualhome.goals.check import GoalCheck
from pathei.envs.virtualhome.tasks.generate import generate_tasks
from pathei.errors import GoalError, RecordError
from pathei.experience import Goal, Observation, Step, Task, Trajectory

GRAPH = {
    "nodes": [[1, "kitchen", []], [2, "character", []], [3, "cup", ["DIRTY"]], [4, "table", []], [5, "box", ["OPEN"]]],
    "edges": [[2, "INSIDE", 1], [4, "INSIDE", 1], [3, "ON", 4], [5, "INSIDE", 1]],
    "rooms": [1],
    "characters": [2],
}


def test_script_lines_have_one_reader() -> None:
    """RobotHow's numbers are read; an object without an id is none; plain words are no script line."""
    assert read_action("[Grab] <cup> (12)") == Action("GRAB", ("cup",), (12,))
    assert read_action(" [putBack] <coffe maker> (1.12) <table> (7) and more") == Action(
        "PUTBACK", ("coffe maker", "table"), (12, 7)
    )
    assert read_action("[Grab] <cup> (x)") == Action("GRAB", (), ())
    assert read_action("grab the cup (12)") is None


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Any text is an action or it is none."""
    assert read_action(text) is None or "[" in text


def episode(*changes: list[list[object]], nodes: list[list[object]] | None = None) -> Trajectory:
    """An episode of the small graph with these changes."""
    seen = [Observation("", facts={"graph": GRAPH})]
    seen += [Observation("", facts={"changes": one, **({"nodes": nodes} if nodes else {})}) for one in changes]
    steps = tuple(Step(one, "[Grab] <cup> (3)", 0.0) for one in seen[:-1])
    return Trajectory("t", Task("t", "e", 0, Goal("g")), steps, seen[-1], "test")


def test_what_is_carried_goes_along() -> None:
    """A cup in the hand moves with its character; histories say from when on it was where."""
    taken = [["-", 3, "ON", 4], ["+", 2, "HOLDS", 3]]
    put = [["-", 2, "HOLDS", 3], ["+", 3, "INSIDE", 5]]
    facts = EpisodeFacts.of(episode(taken, put))
    assert facts is not None
    assert facts.complete
    assert facts.location(3, 0) == (1, "ON", 4)
    assert facts.location(3, 1) == (1, "HELD", 2)
    assert facts.location(3, 2) == (1, "INSIDE", 5)
    assert [moment for moment, _ in facts.history(3)] == [0, 1, 2]
    assert facts.moved == [3]
    assert facts.moved_by(facts.steps[0]) == {3}
    assert facts.contents(5, "INSIDE", 2) == [3]
    assert facts.contents(4, "ON", 2) == []
    assert facts.at(1).held(2) == [3]
    assert facts.start.held(2) == []
    assert facts.end.changes_to(facts.start) == [
        ["-", 3, "INSIDE", 5], ["+", 3, "ON", 4]
    ]  # fmt: skip


def test_new_nodes_belong_to_the_moments_after() -> None:
    """A node that a step makes is unknown at the beginning and known at the end."""
    facts = EpisodeFacts.of(episode([["+", 9, "INSIDE", 5]], nodes=[[9, "note", ["NEW"]]]))
    assert facts is not None
    assert 9 not in facts.start.kinds
    assert facts.end.kinds[9] == "note"
    assert facts.kinds[9] == "note"
    assert facts.end.states[9] == {"NEW"}
    assert facts.location(9, 1) == (1, "INSIDE", 5)
    assert facts.start.nodes_new_in(facts.end) == [[9, "note", ["NEW"]]]


def test_malformed_facts_are_named() -> None:
    """Graphs, changes and nodes of another form are refused with the reason."""
    with pytest.raises(RecordError, match="no facts of a graph"):
        FactGraph({"nodes": []})
    with pytest.raises(RecordError, match="changes of a graph"):
        EpisodeFacts.of(episode([["+"]]))


def test_conditions_are_checked_on_the_graph() -> None:
    """States, edges, counts, either hand, negation, and what was done."""
    graph = FactGraph(GRAPH)
    assert holds(graph, {"node": {"class": "cup"}, "state": "DIRTY"})
    assert holds(graph, {"from": {"class": "cup"}, "relation": "ON|INSIDE", "to": {"id": 4}})
    assert not holds(graph, {"from": {"class": "character"}, "relation": "HOLDS", "to": {"class": "cup"}})
    assert holds(graph, {"not": {"node": {"class": "box"}, "state": "CLOSED"}})
    assert measure(graph, {"from": {"any": [{"class": "table"}, {"class": "box"}, {"class": "cup"}]},
                           "relation": "INSIDE", "to": {"class": "kitchen"}, "count": 4}) == 0.5  # fmt: skip
    drink = {"done": {"verb": "DRINK", "object": {"class": "cup"}}}
    assert not holds(graph, drink)
    assert holds(graph, drink, actions=[Action("DRINK", ("cup",), (3,))])
    assert not holds(graph, {"node": {"class": "cup"}, "state": "DIRTY", "new": True}, start=graph)
    assert not satisfied(graph, ())
    assert progress(graph, ()) == 0.0
    with pytest.raises(GoalError):
        holds(graph, {"nod": 1})


@pytest.mark.parametrize("seed", range(3))
def test_the_graph_agrees_with_the_household(seed: int) -> None:
    """After every step of demonstrations and random walks, goals hold on the graph as the engine's check says."""
    envs = Envs()
    for task in generate_tasks(12, seed):
        record = play(envs.get(task), task, RandomAgent(np.random.default_rng(seed)), max_steps=25, seed=seed)
        assert isinstance(record, Trajectory)
        facts = EpisodeFacts.of(record)
        assert facts is not None
        conditions = [c for c in task.goal.conditions if "property" not in str(c)]
        env = gymnasium.make(task.env)
        env.reset(seed=task.seed, options={**task.options})
        world = env.unwrapped.world  # type: ignore[attr-defined]
        check = GoalCheck(conditions, world)
        done = [step.action for step in facts.events if step.action is not None]
        for step in record.steps:
            env.step(step.action)
        for condition, now in zip(conditions, check.achieved(), strict=True):
            if "done" not in condition and "actions" not in condition:
                assert holds(facts.end, condition, start=facts.start, actions=done) == now, condition
        place = int(np.random.default_rng(seed).integers(len(facts.steps) + 1))
        again = FactGraph({**record.steps[0].observation.facts["graph"]})  # type: ignore[index]
        for step in facts.steps[:place]:
            for change in step.changes:
                again.apply(change)
        assert again.facts() == facts.at(place).facts()
    envs.close()


def test_signatures_have_roles_in_order() -> None:
    """The forms that skills are kept under."""
    holding = read_condition({"from": {"class": "character"}, "relation": "HOLDS", "to": {"class": "cup"}})
    assert holding is not None
    assert holding.signature == "you HOLDS x"
    assert holding.roles[0].takes("cup", 0)
    done = read_condition({"done": {"verb": "POUR|DRINK", "object": {"id": 3}, "destination": {"class": "cup"}}})
    assert done is not None
    assert done.signature == "POUR x y is done"
    assert read_condition({"nothing": 1}) is None
