"""The search against an exact solver: backward induction, written here on its own."""

import functools
import itertools
import math
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.collectors.search.config import SearchConfig
from pathei.collectors.search.mcts import Search, SearchResult
from pathei.envs.model import EnvModel
from pathei.envs.replay import VerifiedReplay
from pathei.tests.support.search_worlds import (
    Move,
    Moves,
    State,
    Table,
    counter,
    key_and_door,
    return_of,
    ring,
    tables,
    tree_alone,
)

KINDS = tuple(
    {"selection": selection, "backup": backup, "transpositions": shared}
    for selection, backup, shared in itertools.product(("uct", "puct"), ("max", "mean"), (True, False))
)
MANY = 10**6
"""So many simulations that only a solved root ends the search."""


class Exact:
    """Backward induction over state and remaining depth."""

    def __init__(self, moves: Moves, discount: float, may_stop: bool) -> None:
        self.moves = moves
        self.discount = discount
        self.may_stop = may_stop
        self.best = functools.cache(self._best)

    def of(self, move: Move, left: int) -> float:
        """Return what a move is worth with so many steps left, itself included."""
        return move.reward + (0.0 if move.done else self.discount * self.best(move.to, left - 1))

    def _best(self, state: State, left: int) -> float:
        moves = self.moves.get(state, {}).values() if left else ()
        return max([0.0] * self.may_stop + [self.of(move, left) for move in moves], default=0.0)

    def first_moves(self, state: State, left: int) -> set[str]:
        """Return the optimal first moves."""
        top = self.best(state, left)
        return {a for a, move in self.moves[state].items() if math.isclose(self.of(move, left), top, abs_tol=1e-9)}


def searched(moves: Moves, start: State, *, seed: int = 0, **config: Any) -> SearchResult:
    """Search a table."""
    return Search(Table(moves, start), tree_alone(**config), np.random.default_rng(seed)).run()


def agrees(found: SearchResult, moves: Moves, start: State, config: SearchConfig) -> None:
    """Require that a solved search found what the exact solver finds, and that its plan earns that."""
    exact = Exact(moves, config.discount, config.may_stop)
    best = exact.best(start, config.depth)
    assert found.solved
    assert found.root.value == pytest.approx(best, abs=1e-9)
    assert found.value == pytest.approx(best, abs=1e-9)
    value, _, over = return_of(moves, start, found.plan, config.discount)
    assert value == pytest.approx(best, abs=1e-9)
    if not config.may_stop:
        assert over or len(found.plan) == config.depth
    if found.plan:
        assert found.plan[0] in exact.first_moves(start, config.depth)
    for edge in found.root.edges:
        certain = edge.reward + config.discount * edge.child.value
        assert certain == pytest.approx(exact.of(moves[start][edge.action], config.depth), abs=1e-9)


@given(
    tables(),
    st.sampled_from(KINDS),
    st.integers(1, 4),
    st.sampled_from([1.0, 0.9, 0.5]),
    st.booleans(),
    st.sampled_from(["random", "none"]),
    st.integers(0, 99),
)
@settings(max_examples=300)
def test_a_solved_search_agrees_with_backward_induction(
    moves: Moves, kind: Mapping[str, Any], depth: int, discount: float, may_stop: bool, rollout: str, seed: int
) -> None:
    config = tree_alone(MANY, depth=depth, discount=discount, may_stop=may_stop, rollout=rollout, **kind)
    agrees(Search(Table(moves), config, np.random.default_rng(seed)).run(), moves, 0, config)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(map(str, kind.values())))
@pytest.mark.parametrize("may_stop", [True, False])
@pytest.mark.parametrize(
    ("moves", "start", "depth"),
    [(counter(), 0, 6), (ring(), 0, 7), (key_and_door(), (1, 1, True, False), 6)],
    ids=["counting that only costs", "a cycle", "key and door"],
)
def test_games_are_solved(moves: Moves, start: State, depth: int, may_stop: bool, kind: Mapping[str, Any]) -> None:
    config = tree_alone(MANY, depth=depth, discount=0.9, may_stop=may_stop, **kind)
    agrees(Search(Table(moves, start), config, np.random.default_rng(1)).run(), moves, start, config)


def test_shared_nodes_solve_what_a_tree_cannot() -> None:
    """The key, the door and the way out are 10 steps; a tree of that depth has more than 100 000 nodes."""
    moves, start = key_and_door(), (0, 0, False, False)
    config = tree_alone(MANY, depth=12)
    found = Search(Table(moves, start), config, np.random.default_rng(0)).run()
    agrees(found, moves, start, config)
    assert found.simulations < 2000


def gym_moves(env: gymnasium.Env[Any, Any]) -> Moves:
    """Read gymnasium's own table of a toy game, in which each action has one outcome."""
    moves: dict[State, dict[Any, Move]] = {}
    for state, actions in env.unwrapped.P.items():  # type: ignore[attr-defined]
        moves[state] = {}
        for action, outcomes in actions.items():
            ((_, to, reward, done),) = outcomes
            moves[state][action] = Move(int(to), float(reward), bool(done))
    return moves


@pytest.mark.parametrize(
    ("name", "options", "seed", "depth", "shared"),
    [
        ("FrozenLake-v1", {"is_slippery": False}, 0, 7, True),
        ("FrozenLake-v1", {"is_slippery": False}, 0, 4, False),
        ("Taxi-v4", {}, 4, 9, True),
        ("Taxi-v4", {}, 4, 3, False),
        ("CliffWalking-v1", {}, 0, 5, True),
    ],
)
@pytest.mark.parametrize("may_stop", [True, False])
def test_gymnasium_s_games_are_solved_through_their_step(
    name: str, options: dict[str, Any], seed: int, depth: int, shared: bool, may_stop: bool
) -> None:
    env = VerifiedReplay(gymnasium.make(name, **options))
    observation, info = env.reset(seed=seed)
    moves, start = gym_moves(env), int(observation)
    every = {state: dict(actions) for state, actions in moves.items()}
    if "action_mask" in info:  # Taxi says which actions change nothing, and the search leaves them out
        for state, actions in every.items():
            mask = env.unwrapped.action_mask(state)  # type: ignore[attr-defined]
            every[state] = {a: move for a, move in actions.items() if mask[a]}
    config = tree_alone(MANY, depth=depth, may_stop=may_stop, selection="puct", exploration=0.5)
    model = EnvModel(env, info, observation=observation, observed_state=shared)
    agrees(Search(model, config, np.random.default_rng(0)).run(), every, start, config)


@pytest.mark.parametrize("selection", ["uct", "puct"])
@pytest.mark.parametrize("backup", ["max", "mean"])
@pytest.mark.parametrize("may_stop", [True, False])
def test_an_unfinished_search_converges(selection: str, backup: str, may_stop: bool) -> None:
    moves = {n: {a: move for a, move in moves.items() if a != "x"} for n, moves in ring(7).items()}
    exact = Exact(moves, 0.9, may_stop)
    found = searched(
        *(moves, 0),
        simulations=4000,
        depth=14,
        discount=0.9,
        transpositions=False,
        selection=selection,
        backup=backup,
        exploration=0.5,
        may_stop=may_stop,
    )
    assert not found.solved
    favourite = max(found.root.edges, key=lambda edge: edge.visits)
    assert favourite.action in exact.first_moves(0, 14)
    worth = favourite.best if backup == "max" else favourite.total / favourite.visits
    assert worth == pytest.approx(exact.best(0, 14), abs=0.01 if backup == "max" else 0.25)
