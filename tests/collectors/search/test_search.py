"""The search: the faults of the published one, its budgets, what it leaves behind, and what a seed decides."""

import math
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.collectors.search.mcts import Prior, Search, SearchResult
from pathei.collectors.search.tree import TreeNode
from pathei.envs.model import EnvModel, StepResult
from pathei.envs.replay import VerifiedReplay
from pathei.errors import ConfigError, ContractError
from pathei.stable_random import StableRandom
from pathei.tests.support.search_worlds import (
    Move,
    Moves,
    Table,
    corridor,
    counter,
    key_and_door_model,
    nodes_of,
    return_of,
    ring,
    tree_alone,
)

Dump = tuple[Any, ...]


def search(model: Any, *, seed: int = 0, prior: Prior | None = None, **config: Any) -> SearchResult:
    """Search a world."""
    return Search(model, tree_alone(**config), np.random.default_rng(seed), prior=prior).run()


def dump(node: TreeNode) -> Dump:
    """Write a tree down, so that it can be compared."""
    return (
        *(node.state, node.visits, node.solved, node.value, tuple(node.untried or ())),
        *((edge.action, edge.prior, edge.reward, edge.visits, edge.total, dump(edge.child)) for edge in node.edges),
    )


# --- the faults of the published search


@pytest.mark.parametrize("simulations", [1, 2, 5])
@pytest.mark.parametrize("may_stop", [True, False])
def test_a_reward_is_discounted_once_for_each_step_wherever_it_is_earned(simulations: int, may_stop: bool) -> None:
    """The published rollout squared the discount at every step: 0.9 ** (2 ** n) instead of 0.9 ** n."""
    model = Table(corridor(6))
    found = search(model, simulations=simulations, depth=10, discount=0.9, may_stop=may_stop)
    assert found.value == pytest.approx(0.9**5)
    node = found.root
    for gone in range(6):
        (edge,) = node.edges
        assert edge.total / edge.visits == pytest.approx(0.9 ** (5 - gone))
        assert edge.best == pytest.approx(0.9 ** (5 - gone))
        node = edge.child
    assert node.solved


def test_a_rollout_counts_each_reward_by_its_distance() -> None:
    moves: Moves = {n: {"go": Move(n + 1, float(10**n))} for n in range(4)}
    found = search(Table(moves), simulations=1, depth=4, discount=0.5, transpositions=False)
    assert found.root.edges[0].total == pytest.approx(1 + 10 / 2 + 100 / 4 + 1000 / 8)


@pytest.mark.parametrize("selection", ["uct", "puct"])
@pytest.mark.parametrize("exploration", [0.0, 0.25, 4.0])
def test_the_exploration_constant_stands_outside_the_logarithm(selection: str, exploration: float) -> None:
    """The published search wrote sqrt(ln(c * N) / n), in which c hardly matters and a small one has no root."""
    model = Table(ring())
    tree = Search(
        model,
        tree_alone(8, depth=9, selection=selection, exploration=exploration, backup="mean"),  # type: ignore[arg-type]
        np.random.default_rng(0),
    )
    root = tree.run().root
    returns = [edge.total / edge.visits for edge in root.edges]
    worths = []
    for edge, mean in zip(root.edges, returns, strict=True):
        if selection == "uct":
            term = math.sqrt(math.log(root.visits) / edge.visits)
        else:
            term = edge.prior * math.sqrt(root.visits) / (1 + edge.visits)
        worths.append((mean, tree.score(root, edge) - exploration * term))
    assert all(-1e-9 <= scaled <= 1 + 1e-9 for _, scaled in worths)
    ordered = sorted(worths)
    assert [scaled for _, scaled in ordered] == sorted(scaled for _, scaled in worths)


def test_without_exploration_the_best_edge_is_followed() -> None:
    """With the constant outside, 0 means greed; inside it would mean the logarithm of 0."""
    moves: Moves = {0: {"a": Move(1, 0.0), "b": Move(2, 1.0)}, 1: {"c": Move(1)}, 2: {"c": Move(2)}}
    found = search(Table(moves, known=False), simulations=12, depth=20, exploration=0.0, selection="uct")
    visits = {edge.action: edge.visits for edge in found.root.edges}
    assert visits == {"a": 1, "b": 11}


@pytest.mark.parametrize("replayed", [True, False])
def test_after_backtracking_the_new_action_is_done_and_not_forgotten(replayed: bool) -> None:
    """The published search replayed the history to the parent and left out the action that made the child."""
    if replayed:
        env = VerifiedReplay(gymnasium.make("FrozenLake-v1", is_slippery=False))
        observation, info = env.reset(seed=0)
        model: Any = EnvModel(env, info, observation=observation)
    else:
        model = key_and_door_model()
    found = search(model, simulations=120, depth=9)
    walks: list[tuple[TreeNode, list[Any]]] = [(found.root, [])]
    for node, actions in walks:
        model.restore(found.root.state)
        for action in actions:
            model.step(action)
        expected = model.snapshot()
        model.restore(node.state)
        assert model.snapshot() == expected
        walks += [(edge.child, [*actions, edge.action]) for edge in node.edges]
    assert max(len(actions) for _, actions in walks) > 2
    assert len(walks) > 100


@given(st.integers(0, 50), st.sampled_from(["uct", "puct"]), st.booleans())
def test_a_goal_that_is_reached_and_undone_is_not_reached(seed: int, selection: str, may_stop: bool) -> None:
    """The lamp can be lit at once, but whoever goes on to the exit, where more is to be earned, leaves it behind."""
    moves: Moves = {
        "dark": {"light": Move("lit", 1.0), "wait": Move("dark")},
        "lit": {"quench": Move("dark", -1.0), "exit": Move("out", 5.0, True)},
    }
    model = Table(moves, "dark", goal=lambda state: state == "lit")
    found = search(model, seed=seed, simulations=200, depth=5, selection=selection, may_stop=may_stop)
    value, end, _ = return_of(moves, "dark", found.plan, 0.99)
    assert found.success == (end == "lit")
    assert found.value == pytest.approx(value)
    if may_stop:
        assert found.plan == ("light",)


def test_a_goal_that_cannot_be_kept_is_no_success() -> None:
    moves: Moves = {"dark": {"light": Move("lit", 1.0)}, "lit": {"wait": Move("out", -1.0, True)}}
    model = Table(moves, "dark", goal=lambda state: state == "lit")
    assert search(model, may_stop=False).success is False
    assert search(model, may_stop=True).success is True


# --- doing nothing, ends, and worlds that begin at their end


def test_doing_nothing_is_a_plan_only_where_one_may_stop() -> None:
    stopping = search(Table(counter()), simulations=3000, depth=8, discount=1.0)
    assert (stopping.plan, stopping.value, stopping.solved) == ((), 0.0, True)
    going = search(Table(counter()), simulations=3000, depth=8, discount=1.0, may_stop=False)
    assert going.value == -3.0
    assert sum(map(int, going.plan)) == 7


def test_what_earns_nothing_more_is_not_part_of_a_plan() -> None:
    moves: Moves = {0: {"a": Move(1, 1.0)}, 1: {"b": Move(1)}}
    assert search(Table(moves), depth=6).plan == ("a",)
    assert search(Table(moves), depth=6, may_stop=False).plan == ("a", *"bbbbb")


@pytest.mark.parametrize("may_stop", [True, False])
@pytest.mark.parametrize("goal", [True, False, None])
def test_a_world_that_has_ended_already_has_the_empty_plan(goal: bool | None, may_stop: bool) -> None:
    model = Table({}, goal=None if goal is None else lambda state: bool(goal))
    found = search(model, may_stop=may_stop)
    assert (found.plan, found.value, found.success, found.solved) == ((), 0.0, goal, True)
    assert found.env_steps == 0


def test_a_goal_that_holds_already_needs_no_simulation() -> None:
    found = search(Table(ring(), goal=lambda state: True), stop_on_success=True)
    assert (found.plan, found.success, found.simulations) == ((), True, 0)


def test_success_comes_before_return_and_both_before_brevity() -> None:
    moves: Moves = {
        0: {"rich": Move(1, 9.0, True), "good": Move(2, 1.0, True), "long": Move(3), "poor": Move(2, 0.5, True)},
        3: {"good": Move(2, 1.0, True)},
    }
    found = search(Table(moves, goal=lambda state: state == 2), discount=1.0)
    assert (found.plan, found.value, found.success) == (("good",), 1.0, True)
    assert found.root.value == 9.0


def test_a_success_that_costs_is_found_by_a_rollout_too() -> None:
    moves: Moves = {0: {"go": Move(1, 1.0)}, 1: {"go": Move(2)}, 2: {"end": Move(3, -0.5, True)}}
    found = search(Table(moves, goal=lambda state: state == 3), simulations=1)
    assert (found.plan, found.success) == (("go", "go", "end"), True)


def test_a_rollout_earns_what_it_could_have_stopped_with() -> None:
    """It goes on and loses all again; where it may not stop, that is what it earned."""
    moves: Moves = {0: {"go": Move(1)}, 1: {"go": Move(2, 1.0)}, 2: {"go": Move(3, -1.0, True)}}
    for cut in (9, None):
        stopping = search(Table(moves), simulations=1, discount=0.5, rollout_steps=cut)
        assert stopping.root.edges[0].total == pytest.approx(0.5)
        going = search(Table(moves), simulations=1, discount=0.5, rollout_steps=cut, may_stop=False)
        assert going.root.edges[0].total == pytest.approx(0.5 - 0.25)


@pytest.mark.parametrize("may_stop", [True, False])
def test_a_dead_end_is_worth_nothing(may_stop: bool) -> None:
    moves: Moves = {0: {"go": Move(1)}, 1: {"go": Move(2, 1.0)}}
    found = search(Table(moves), simulations=1, discount=0.5, may_stop=may_stop)
    assert found.root.edges[0].total == pytest.approx(0.5)
    assert found.value == pytest.approx(0.5)


def test_a_truncated_episode_is_over() -> None:
    """Two steps do not cross the lake, whatever the horizon."""
    env = VerifiedReplay(gymnasium.make("FrozenLake-v1", is_slippery=False, max_episode_steps=2))
    observation, info = env.reset(seed=0)
    found = search(EnvModel(env, info, observation=observation), simulations=10_000, depth=20, may_stop=False)
    assert found.solved
    assert found.value == 0
    assert len(found.plan) <= 2
    assert max(node.depth for node in nodes_of(found.root)) == 2


# --- budgets


@given(st.integers(1, 60), st.sampled_from(["random", "none"]), st.sampled_from(["uct", "puct"]), st.integers(0, 9))
def test_no_more_steps_are_taken_than_allowed(steps: int, rollout: str, selection: str, seed: int) -> None:
    model = Table(ring(), known=False)
    found = search(model, seed=seed, env_steps=steps, depth=7, rollout=rollout, selection=selection)
    assert found.env_steps == model.steps == steps


def test_no_more_simulations_are_done_than_allowed() -> None:
    found = search(Table(ring(), known=False), simulations=17, depth=9)
    assert (found.simulations, found.root.visits) == (17, 17)


def test_a_search_can_be_stopped_at_any_time() -> None:
    """Whatever it has found by then is its answer, and running it again goes on."""
    tree = Search(Table(ring(), known=False), tree_alone(1, depth=9, discount=0.9), np.random.default_rng(0))
    results = [tree.run() for _ in range(200)]
    values = [result.value for result in results]
    assert values == sorted(values)
    assert [result.simulations for result in results] == [1] * 200
    assert results[-1].root.visits == 200
    assert values[-1] > values[0]


def test_a_limit_in_seconds_ends_a_search_that_would_not_end() -> None:
    found = search(Table(ring(), known=False), simulations=10**9, depth=60, seconds=0.05)
    assert not found.solved
    assert 1 <= found.simulations < 10**6
    assert found.seconds >= 0.05


def test_a_search_stops_at_the_first_success_if_that_is_enough() -> None:
    model = key_and_door_model()
    model.goal = lambda state: str(state).startswith("(3, 0,")
    first = search(model, simulations=5000, depth=40, stop_on_success=True)
    assert first.success
    assert first.simulations < 5000
    assert search(model, simulations=5000, depth=40).value >= first.value


# --- what a search leaves behind, and what it may be given


def test_the_world_is_left_at_the_root_even_when_a_step_raises() -> None:
    class Breaks(Table):
        """From some step on, each raises after it has moved."""

        def __init__(self, last: int) -> None:
            super().__init__(ring())
            self.last = last

        def step(self, action: str, /) -> StepResult:
            """Move, and say that it went wrong."""
            outcome = super().step(action)
            if self.steps >= self.last:
                raise RuntimeError("the bridge is down")
            return outcome

    model = Table(ring())
    search(model, simulations=20, depth=5)
    assert model.state == 0
    for last in (1, 2, 7):
        broken = Breaks(last)
        with pytest.raises(RuntimeError, match="bridge"):
            search(broken, depth=5)
        assert broken.state == 0


def test_a_search_goes_on_after_an_exception() -> None:
    class Trips(Table):
        """A single step raises."""

        def step(self, action: str, /) -> StepResult:
            """Do it, but for once."""
            self.steps += 1
            if self.steps == 9:
                raise KeyboardInterrupt
            self.steps -= 1
            return super().step(action)

    tree = Search(Trips(counter()), tree_alone(10**6, depth=5, may_stop=False), np.random.default_rng(0))
    with pytest.raises(KeyboardInterrupt):
        tree.run()
    found = tree.run()
    assert found.solved
    assert found.value == pytest.approx(search(Table(counter()), depth=5, may_stop=False, simulations=10**6).value)


def test_every_fault_of_a_configuration_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        tree_alone(
            *(0, 0, 0.0, 0, 1.5, "uct1", -1.0, "sum", "greedy", 0),  # type: ignore[arg-type]
            widening=0.0,
        )
    named = ["simulations", "env_steps", "seconds", "depth", "discount", "selection", "exploration", "backup"]
    for name in [*named, "rollout must", "rollout_steps", "widening"]:
        assert name in str(caught.value)
    with pytest.raises(ConfigError, match="discount"):
        tree_alone(discount=math.nan)


@pytest.mark.parametrize("weights", [[1.0], [1.0, -0.5], [math.nan, 1.0], [math.inf, 1.0]])
@pytest.mark.parametrize("rollout", ["random", "prior"])
def test_a_prior_that_is_none_is_refused(weights: list[float], rollout: str) -> None:
    moves: Moves = {n: {"a": Move(n + 1), "b": Move(n + 1)} for n in range(4)}
    with pytest.raises(ContractError, match=r"for 2 actions: it must give each a finite weight"):
        search(Table(moves), prior=lambda actions: weights, rollout=rollout)


def test_a_prior_of_nothing_but_zeros_is_uniform() -> None:
    moves: Moves = {n: {"a": Move(n + 1), "b": Move(n + 1, 1.0)} for n in range(4)}
    found = search(Table(moves), depth=4, prior=lambda actions: [0.0] * len(actions), rollout="prior", selection="puct")
    assert found.plan == ("b",) * 4
    assert [edge.prior for edge in found.root.edges] == [0.5, 0.5]


@pytest.mark.parametrize("rollout", ["random", "prior"])
def test_rollouts_follow_the_prior_if_asked(rollout: str) -> None:
    """In a row of 12 forks only one way leads on: by the prior it is taken almost always, by chance never."""
    moves: Moves = {n: {"on": Move(n + 1, float(n == 11)), "off": Move(99)} for n in range(12)}

    def prior(actions: Sequence[str]) -> list[float]:
        return [0.99 if action == "on" else 0.01 for action in actions]

    found = search(Table(moves), prior=prior, simulations=3, depth=12, rollout=rollout, selection="puct")
    assert (len(found.plan) == 12) == (rollout == "prior")


def test_rollouts_draw_in_proportion_to_the_prior() -> None:
    moves: Moves = {0: {"no": Move(0), "yes": Move(0, 1.0), "never": Move(0, 100.0)}}
    weights = {"no": 1.0, "yes": 3.0, "never": 0.0}
    found = search(
        Table(moves, known=False),
        prior=lambda actions: [weights[action] for action in actions],
        simulations=1,
        depth=4001,
        discount=1.0,
        rollout="prior",
        rollout_steps=4000,
    )
    assert found.root.edges[0].total == pytest.approx(3000, abs=100)


@pytest.mark.parametrize("may_stop", [True, False])
def test_a_rollout_is_cut_off_and_the_value_added(may_stop: bool) -> None:
    """One step in the tree and three beyond earn 1 each; what comes after the fourth is estimated to be 100."""
    model = Table({n: {"go": Move(n + 1, 1.0)} for n in range(50)})
    config = tree_alone(1, depth=20, discount=0.5, rollout_steps=3, may_stop=may_stop)
    found = Search(model, config, np.random.default_rng(0), value=lambda: 100.0 * (model.state == 4)).run()
    assert model.steps == 4
    assert found.root.edges[0].total == pytest.approx(1 + 1 / 2 + 1 / 4 + 1 / 8 + 100 / 16)
    assert found.plan == (("go",) * 4 if may_stop else ())
    assert found.value == (1.875 if may_stop else -math.inf)


def test_a_model_that_finds_no_action_cheaply_is_asked_for_all() -> None:
    class Shy(Table):
        """Never finds an action by trying."""

        def sample(self, draws: StableRandom) -> str | None:
            """Find nothing."""
            return None

    assert search(Shy(corridor(5)), simulations=1, depth=5).plan == ("go",) * 5


# --- widening and transpositions


@pytest.mark.parametrize("selection", ["uct", "puct"])
@pytest.mark.parametrize("widening", [0.3, 0.5, 1.0])
def test_a_node_widens_with_its_visits(selection: str, widening: float) -> None:
    """300 actions, of which a node shows ceil(N ** widening), the likeliest first."""
    names = [f"{n:03}" for n in range(300)]
    moves: Moves = {0: {name: Move(0, -0.5 if name < "100" else -1.0) for name in names}}
    found = search(
        Table(moves, known=False),
        prior=lambda actions: [1.0 + float(a) for a in actions],
        simulations=100,
        depth=50,
        selection=selection,
        exploration=100.0,
        widening=widening,
        may_stop=False,
        rollout="none",
    )
    for node in nodes_of(found.root):
        shown = [edge for edge in node.edges if not edge.child.solved]
        assert len(shown) <= math.ceil(max(node.visits, 1) ** widening)
    tried = [edge.action for edge in found.root.edges]
    assert tried == names[::-1][: len(tried)]
    assert len(tried) > 2


def test_equal_states_at_equal_depth_share_a_node() -> None:
    """Two switches in any order: 4 states instead of 2 ** depth walks."""
    moves: Moves = {s: {"a": Move(s ^ 1), "b": Move(s ^ 2)} for s in range(4)}
    shared = search(Table(moves), depth=10, simulations=10**5, rollout="none")
    assert shared.solved
    assert len(nodes_of(shared.root)) <= 1 + 10 * 4
    apart = search(Table(moves, known=False), depth=6, simulations=10**5, rollout="none")
    assert apart.solved
    assert len(nodes_of(apart.root)) == 2**7 - 1


def test_the_end_of_one_walk_is_not_the_end_of_another() -> None:
    """Both actions lead to state 1, but one of them ends the episode there."""
    moves: Moves = {0: {"end": Move(1, 0.0, True), "go": Move(1)}, 1: {"earn": Move(2, 1.0, True)}}
    for seed in range(4):
        assert search(Table(moves), seed=seed).plan == ("go", "earn")


def test_a_plan_may_join_what_was_seen_on_different_walks() -> None:
    """The dear way there and the rich way on were never walked together when the shared node is solved."""
    moves: Moves = {
        0: {"a": Move(1, 1.0), "b": Move(2, 0.0)},
        1: {"c": Move(3)},
        2: {"c": Move(3)},
        3: {"x": Move(4, 1.0, True), "y": Move(5, 0.0, True)},
    }
    for seed in range(10):
        found = search(Table(moves), seed=seed, discount=1.0, rollout="none", simulations=10**4)
        assert found.solved
        assert (found.plan, found.value) == (("a", "c", "x"), 2.0)


def test_a_plan_may_join_what_was_never_walked_and_goes_no_further_than_it_earns() -> None:
    """The prior leads by "b" nearly always, so the shared node is solved that way, and the root with it."""
    below = {"x": Move(4, 1.0), **{f"y{n}": Move(5, 0.0, True) for n in range(5)}}
    moves: Moves = {0: {"a": Move(3, 1.0), "b": Move(3)}, 3: below, 4: {"z": Move(5, 0.0, True)}}
    weights = {"a": 0.15, "b": 0.8, "x": 0.1, "z": 1.0}
    found = search(
        Table(moves),
        prior=lambda actions: [weights.get(action, 1.0) for action in actions],
        **{"selection": "puct", "exploration": 1000.0, "discount": 1.0, "rollout": "none"},
    )
    assert found.solved
    assert {edge.action: edge.visits for edge in found.root.edges} == {"a": 1, "b": 8}
    assert (found.plan, found.value) == (("a", "x"), 2.0)


def test_what_is_found_below_a_shared_node_counts_for_every_way_there() -> None:
    moves: Moves = {0: {"a": Move(1), "b": Move(1)}, 1: {c: Move(2, float(c)) for c in "0123456789"}}
    tree = Search(Table(moves), tree_alone(6, depth=9, exploration=0.0, rollout="none"), np.random.default_rng(0))
    root = tree.run().root
    first, second = root.edges
    assert first.child is second.child
    assert tree.score(root, first) == tree.score(root, second)


def test_the_best_rollout_becomes_part_of_the_tree() -> None:
    found = search(Table(corridor(9)), simulations=1, depth=20)
    assert max(node.depth for node in nodes_of(found.root)) == 9


# --- a seed decides everything


@pytest.mark.parametrize("selection", ["uct", "puct"])
@pytest.mark.parametrize("known", [True, False])
def test_the_same_seed_grows_the_same_tree(selection: str, known: bool) -> None:
    runs = [
        search(Table(ring(7), known=known), seed=s, simulations=60, depth=6, selection=selection) for s in (1, 1, 2)
    ]
    trees = [dump(run.root) for run in runs]
    assert trees[0] == trees[1]
    assert trees[0] != trees[2]
    assert runs[0].plan == runs[1].plan
    assert runs[0].env_steps == runs[1].env_steps
