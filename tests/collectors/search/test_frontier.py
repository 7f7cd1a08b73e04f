"""The queue of nodes, and the stage of a search that grows best first by it."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pathei.collectors.search.config import TREE_ALONE, SearchConfig
from pathei.collectors.search.frontier import BestFirst, Frontier, by_depth
from pathei.collectors.search.mcts import Search, SearchResult
from pathei.collectors.search.tree import TreeEdge, TreeNode
from pathei.tests.collectors.search.test_search_exact import Exact
from pathei.tests.support.search_worlds import Move, Moves, Table, nodes_of, return_of, tables


def node(depth: int = 0, earned: float = 0.0, *, solved: bool = False, priors: tuple[float, ...] = ()) -> TreeNode:
    """Return a node; of the priors the first was tried, the others, the greatest first, were not."""
    made = TreeNode(None, depth, 0.0, solved, earned)
    if priors:
        made.edges = [TreeEdge("a", priors[0], 0.0, TreeNode(None, depth + 1, 0.0, False))]
        made.priors = sorted(priors[1:])
    return made


@given(st.lists(st.integers(0, 4), max_size=30))
def test_the_lowest_rank_comes_first_and_of_equals_the_first(depths: list[int]) -> None:
    nodes = [node(depth) for depth in depths]
    frontier = Frontier(by_depth)
    for one in [*nodes, *nodes]:
        frontier.add(one, ())
    popped = []
    while frontier:
        popped.append(frontier.pop()[0])
    assert popped == sorted(nodes, key=by_depth)


def test_what_is_solved_does_not_wait_and_what_is_put_back_does() -> None:
    frontier, one = Frontier(by_depth), node()
    frontier.add(node(solved=True), ())
    assert not frontier
    frontier.add(one, ())
    frontier.again(*frontier.pop())
    assert frontier.pop()[0] is one


def test_promise_is_what_was_earned_less_for_steps_and_for_unlikely_actions() -> None:
    """With the household's weights 8, 4 and 1 the costs are those that were measured to do well: 0, 0.05 and 0.3."""
    by_promise = BestFirst().rank
    assert by_promise(node(3, 0.5)) == pytest.approx(0.03 - 0.5)
    for left, cost in [((8.0,), 0.0), ((4.0,), 0.05), ((1.0,), 0.3), ((1.0, 4.0), 0.05)]:
        assert by_promise(node(3, 0.5, priors=(8.0, *left))) == pytest.approx(0.03 - 0.5 + cost)
    assert by_promise(node(priors=(1.0, 0.0))) == math.inf


def test_costs_follow_the_smallest_reward_and_what_waits_is_ordered_again() -> None:
    frontier, near, far = BestFirst(), node(1, 0.02), node(5, 0.031)
    for one in (far, near):
        frontier.add(one, ())
    small = TreeEdge("a", 1.0, 0.01, node(1, 0.01))
    assert frontier.leads(small)
    assert not frontier.leads(small)
    assert frontier.rank(far) == pytest.approx(0.25 * 0.05 - 0.031)
    assert frontier.pop()[0] is far


LONG = 40
PROGRESS: Moves = {
    n: {"on": Move(n + 1, 1 / LONG, n + 1 == LONG), "back": Move(max(n - 1, 0), -1 / LONG if n else 0.0)}
    for n in range(LONG)
}
"""A corridor in which each step on earns, and each step back costs the same."""


def search(moves: Moves, **config: Any) -> SearchResult:
    """Search the corridor, or another table, for its end."""
    goal = (lambda state: state == LONG) if moves is PROGRESS else None
    config = {"depth": LONG + 5, "stop_on_success": True, **config}
    return Search(Table(moves, goal=goal), SearchConfig(**config), np.random.default_rng(0)).run()


def test_progress_leads_to_the_goal_without_one_simulation() -> None:
    found = search(PROGRESS)
    assert found.plan == ("on",) * LONG
    assert found.simulations == 0
    assert found.env_steps <= 2 * LONG
    assert not search(PROGRESS, **TREE_ALONE, simulations=2).success


def test_the_stage_ends_after_as_many_transitions_without_progress_as_configured() -> None:
    assert search(PROGRESS, greedy=2).simulations == 0
    gap = 20
    later: Moves = {n: {"on": Move(n + 1, float(n + 1 == gap), n + 1 == gap)} for n in range(gap)}
    for greedy, found in ((gap, True), (gap - 2, False)):
        config = SearchConfig(1, depth=gap, greedy=greedy, breadth=0.0, rollout="none")
        model = Table(later, goal=lambda state: state == gap)
        assert bool(Search(model, config, np.random.default_rng(0)).run().success) is found


def test_a_limit_in_transitions_ends_the_stage_and_its_nodes_stay_in_the_tree() -> None:
    limited = search(PROGRESS, env_steps=10)
    assert (limited.env_steps, limited.simulations, limited.success) == (10, 0, False)
    assert limited.root.visits == 10
    assert len(nodes_of(limited.root)) == 11


def test_there_is_no_such_stage_where_it_does_not_apply() -> None:
    few: dict[str, Any] = {"simulations": 3, "rollout": "none"}
    assert search(PROGRESS, **few).success
    assert search(PROGRESS, **few, may_stop=False).success
    assert not search(PROGRESS, **few, prune=False).success
    hidden = Table(PROGRESS, known=False, goal=lambda state: state == LONG)
    assert not Search(hidden, SearchConfig(**few, depth=LONG), np.random.default_rng(0)).run().success


def test_a_limit_in_seconds_ends_the_stage() -> None:
    line = {n: {"on": Move(n + 1)} for n in range(10_000)}
    config = SearchConfig(seconds=0.02, depth=10_000, greedy=10_000)
    found = Search(Table(line), config, np.random.default_rng(0)).run()
    assert 0 < found.env_steps < 10_000
    assert found.simulations == 0


@example({0: {"a": Move(1, -2.0)}, 1: {"a": Move(0, -2.0), "b": Move(1, 1.0)}}, 4, 0, 0.5, 0)
@example({0: {"a": Move(2, 0.5), "c": Move(2, -2.0)}, 1: {}, 2: {"a": Move(0)}}, 3, 0, 0.0, 1)
@given(tables(), st.integers(1, 4), st.sampled_from([0, 3, 300]), st.sampled_from([0.0, 0.5]), st.integers(0, 9))
@settings(max_examples=100)
def test_what_is_found_in_the_end_is_the_best_all_the_same(
    moves: Moves, depth: int, greedy: int, breadth: float, seed: int
) -> None:
    """Without a discount; backward induction is the independent source."""
    config = SearchConfig(20_000, depth=depth, discount=1.0, greedy=greedy, breadth=breadth)
    found = Search(Table(moves), config, np.random.default_rng(seed)).run()
    best = Exact(moves, 1.0, True).best(0, depth)
    assert found.solved
    assert found.value == pytest.approx(best, abs=1e-9)
    assert return_of(moves, 0, found.plan, 1.0)[0] == pytest.approx(best, abs=1e-9)
