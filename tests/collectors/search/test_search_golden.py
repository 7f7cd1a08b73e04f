"""The search step by step: against an independent implementation, and against two trees worked out by hand.

Nothing is left to chance here: the prior orders the actions, and a table of values takes the place of rollouts.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.collectors.search.config import SearchConfig
from pathei.collectors.search.mcts import Search
from pathei.collectors.search.tree import TreeNode
from pathei.tests.support.search_worlds import Move, Moves, State, Table, tables, tree_alone

Path = tuple[str, ...]


class Reference:
    """The same algorithm without transpositions and rollouts, as slowly and plainly as it can be written."""

    def __init__(
        self, moves: Moves, value: Mapping[State, float], prior: Mapping[str, float], config: SearchConfig
    ) -> None:
        self.moves, self.worth, self.prior, self.config = moves, value, prior, config
        self.returns: dict[Path, list[float]] = {}
        """For each edge, named by the path that ends with it, the returns backed up through it."""
        self.arrivals: dict[Path, list[float]] = {}
        """For each node, named by its path, what was returned from it on."""

    def at(self, path: Path) -> tuple[State, float, bool]:
        """Return where a path ends, the reward of its last step, and whether the episode is over there."""
        state: State = 0
        reward, over = 0.0, False
        for action in path:
            state, reward, over = self.moves[state][action]
        return state, reward, over or len(path) == self.config.depth

    def options(self, path: Path) -> list[Path]:
        """Return the edges of a node, the likeliest first."""
        actions = self.moves[self.at(path)[0]]
        return [(*path, a) for a in sorted(actions, key=lambda a: -self.prior[a])]

    def probability(self, edge: Path) -> float:
        """Return the prior probability of an edge."""
        return self.prior[edge[-1]] / sum(self.prior[other[-1]] for other in self.options(edge[:-1]))

    def certain(self, path: Path) -> float:
        """Return the return from a node on that is certain."""
        if self.at(path)[2]:
            return 0.0
        tried = [edge for edge in self.options(path) if edge in self.returns]
        promises = [self.at(edge)[1] + self.config.discount * self.certain(edge) for edge in tried]
        return max([0.0 if self.config.may_stop else -math.inf, *promises])

    def solved(self, path: Path) -> bool:
        """Return whether everything below a node was seen."""
        if self.at(path)[2]:
            return True
        return path in self.arrivals and all(e in self.returns and self.solved(e) for e in self.options(path))

    def score(self, edge: Path) -> float:
        """Return the score of an edge that was tried, or of one that was not."""
        c, siblings = self.config.exploration, [e for e in self.options(edge[:-1]) if e in self.returns]
        passed = sum(len(self.returns[e]) for e in siblings)
        own = self.returns.get(edge)
        if not own:
            if self.config.selection == "uct" or not siblings:
                return math.inf
            mean = sum(sum(self.returns[e]) for e in siblings) / passed
            return self.scaled(mean) + c * self.probability(edge) * math.sqrt(passed)
        if self.config.backup == "max":
            q = self.scaled(self.at(edge)[1] + self.config.discount * max(self.arrivals[edge]))
        else:
            q = self.scaled(sum(own) / len(own))
        if self.config.selection == "uct":
            return q + c * math.sqrt(math.log(passed) / len(own))
        return q + c * self.probability(edge) * math.sqrt(passed) / (1 + len(own))

    def scaled(self, q: float) -> float:
        """Scale a return to [0, 1]."""
        seen = [g for returns in self.returns.values() for g in returns]
        return (q - min(seen)) / (max(seen) - min(seen)) if max(seen) > min(seen) else 0.5

    def simulate(self, path: Path = ()) -> float:
        """Do one simulation from a node on and return what it earned from there."""
        if self.at(path)[2]:
            return 0.0
        open_ = [e for e in self.options(path) if e not in self.returns or not self.solved(e)]
        tried = [e for e in self.returns if e in open_]  # in the order in which they were tried
        untried = [e for e in open_ if e not in self.returns][:1]
        edge = max(tried + untried, key=self.score)
        new = edge not in self.returns
        state, reward, over = self.at(edge)
        gained = self.simulate(edge) if not new else 0.0 if over else self.worth[state]
        self.arrivals.setdefault(edge, []).append(gained)
        self.returns.setdefault(edge, []).append(reward + self.config.discount * gained)
        self.arrivals.setdefault(path, [])
        certain = self.certain(path)
        return certain if self.solved(path) else max(self.returns[edge][-1], certain)


def edges_of(node: TreeNode, path: Path = ()) -> dict[Path, tuple[int, float]]:
    """Return the visits and the total of every edge of a tree, by the path that ends with it."""
    found: dict[Path, tuple[int, float]] = {}
    for edge in node.edges:
        here = (*path, edge.action)
        found[here] = (edge.visits, edge.total)
        found |= edges_of(edge.child, here)
    return found


def scores_of(search: Search, node: TreeNode, path: Path = ()) -> dict[Path, float]:
    """Return the score of every edge of a tree, and of the next untried action of every node that has any edge."""
    found: dict[Path, float] = {}
    for edge in node.edges:
        found[*path, edge.action] = search.score(node, edge)
        found |= scores_of(search, edge.child, (*path, edge.action))
    if node.edges and node.untried:
        found[*path, node.untried[-1]] = search.first_play_score(node)
    return found


def step_by_step(
    moves: Moves, value: Mapping[State, float], prior: Mapping[str, float], config: SearchConfig
) -> Search:
    """Prepare a search that does one simulation each time it is run."""
    model = Table(moves)
    weigh: Callable[[Sequence[str]], list[float]] = lambda actions: [prior[a] for a in actions]  # noqa: E731
    return Search(model, config, np.random.default_rng(0), prior=weigh, value=lambda: value[model.state])


def one_at_a_time(**config: Any) -> SearchConfig:
    """Return a configuration under which nothing is left to chance."""
    return tree_alone(1, rollout="none", transpositions=False, **config)


@given(
    tables(ends=False),
    st.lists(st.sampled_from([-1.0, 0.0, 0.25, 2.0]), min_size=5, max_size=5),
    st.permutations([0.5, 0.375, 0.125]),
    st.sampled_from(["uct", "puct"]),
    st.sampled_from(["max", "mean"]),
    st.booleans(),
    st.sampled_from([0.0, 0.5, 1.5]),
)
@settings(max_examples=150)
def test_every_simulation_agrees_with_an_independent_implementation(
    moves: Moves,
    values: list[float],
    weights: list[float],
    selection: str,
    backup: str,
    may_stop: bool,
    exploration: float,
) -> None:
    config = one_at_a_time(
        depth=3, discount=0.5, selection=selection, backup=backup, may_stop=may_stop, exploration=exploration
    )
    prior = dict(zip("abc", weights, strict=True))
    search = step_by_step(moves, dict(enumerate(values)), prior, config)
    reference = Reference(moves, dict(enumerate(values)), prior, config)
    for _ in range(12):
        if search.root.solved:
            assert reference.solved(())
            break
        search.run()
        reference.simulate()
        expected = {edge: (len(returns), sum(returns)) for edge, returns in reference.returns.items()}
        assert edges_of(search.root) == expected
        scores = scores_of(search, search.root)
        assert scores == pytest.approx({edge: reference.score(edge) for edge in scores})


# --- two trees worked out by hand
#
# From 0, L leads to A and R to B (reward 1); from each, L and R lead on; the third step ends the episode.
#
#   0 -L-> A (0)     A -L-> C (0)    C -L-> +3        values    A  2
#                    A -R-> D (2)    D -L-> -1                  B -1
#   0 -R-> B (1)     B -L-> E (0)    E -L-> +6                  C  1, D 4, E 2, F 0
#                    B -R-> F (-4)                    and 0 for every step that is not named
#
# The discount is 1/2, the weight of exploration 1, the prior 0.6 for L and 0.4 for R. Returns are scaled by the least
# and the greatest seen so far, `[low, high]`; with a single one, every worth is 0.5.

BY_HAND: Moves = {
    0: {"L": Move("A"), "R": Move("B", 1.0)},
    "A": {"L": Move("C"), "R": Move("D", 2.0)},
    "B": {"L": Move("E"), "R": Move("F", -4.0)},
    "C": {"L": Move("end", 3.0), "R": Move("end")},
    "D": {"L": Move("end", -1.0), "R": Move("end")},
    "E": {"L": Move("end", 6.0), "R": Move("end")},
    "F": {"L": Move("end"), "R": Move("end")},
}
WORTH: dict[State, float] = {"A": 2.0, "B": -1.0, "C": 1.0, "D": 4.0, "E": 2.0, "F": 0.0}


def follows(
    config: SearchConfig, steps: Sequence[tuple[str, Mapping[str, tuple[int, float]], Mapping[str, float]]]
) -> None:
    """Require, after each simulation, the edges that it went through (visits, total) and some scores."""
    search = step_by_step(BY_HAND, WORTH, {"L": 0.6, "R": 0.4}, config)
    before: dict[Path, tuple[int, float]] = {}
    for number, (way, edges, scores) in enumerate(steps, 1):
        search.run()
        now = edges_of(search.root)
        changed = [edge for edge, figures in now.items() if before.get(edge) != figures]
        assert changed == [tuple(way[:length]) for length in range(1, len(way) + 1)], (
            f"simulation {number} went elsewhere"
        )
        assert {"".join(edge): now[edge] for edge in changed} == edges, f"simulation {number}"
        found = {"".join(edge): score for edge, score in scores_of(search, search.root).items()}
        assert {edge: found[edge] for edge in scores} == pytest.approx(scores, abs=1e-6), f"simulation {number}"
        before = now


def test_puct_with_means_follows_the_tree_worked_out_by_hand() -> None:
    follows(
        one_at_a_time(depth=3, discount=0.5, selection="puct", backup="mean", may_stop=False),
        [
            # L is likelier. 0 + 2/2 = 1. [1, 1]
            # L: 0.5 + 0.6 * sqrt(1)/2; R, untried, is worth the mean of what was tried: 0.5 + 0.4 * sqrt(1)
            ("L", {"L": (1, 1.0)}, {"L": 0.8, "R": 0.9}),
            # 1 - 1/2 = 0.5. [0.5, 1]; L: 1 + 0.6 * sqrt(2)/2, R: 0 + 0.4 * sqrt(2)/2
            ("R", {"R": (1, 0.5)}, {"L": 1.4242641, "R": 0.2828427}),
            # LL: 0 + 1/2; L: 0.25. [0.25, 1]
            # L: mean 0.625, scaled 0.5, + 0.6 * sqrt(3)/3; R: 0.3333333 + 0.4 * sqrt(3)/2
            # LL: 0.3333333 + 0.6 * 1/2; LR, untried: 0.3333333 + 0.4
            (
                "LL",
                {"L": (2, 1.25), "LL": (1, 0.5)},
                {"L": 0.8464102, "R": 0.6797434, "LL": 0.6333333, "LR": 0.7333333},
            ),
            # LR: 2 + 4/2 = 4; L: 2. [0.25, 4]
            # L: mean 3.25/3, scaled 0.2222222, + 0.6 * 2/4; R: 0.0666667 + 0.4 * 2/2
            # LL: 0.0666667 + 0.6 * sqrt(2)/2; LR: 1 + 0.4 * sqrt(2)/2
            (
                "LR",
                {"L": (3, 3.25), "LR": (1, 4.0)},
                {"L": 0.5222222, "R": 0.4666667, "LL": 0.4909307, "LR": 1.2828427},
            ),
            # LRL ends: -1; LR: 2 - 1/2 = 1.5; L: 0.75. [-1, 4]
            # L: mean 1, scaled 0.4, + 0.6 * sqrt(5)/5; R: 0.3 + 0.4 * sqrt(5)/2
            # LL: 0.3 + 0.6 * sqrt(3)/2; LR: mean 2.75, scaled 0.75, + 0.4 * sqrt(3)/3
            (
                "LRL",
                {"L": (4, 4.0), "LR": (2, 5.5), "LRL": (1, -1.0)},
                {"L": 0.6683282, "R": 0.7472136, "LL": 0.8196152, "LR": 0.9809401},
            ),
            # RL: 0 + 2/2 = 1; R: 1.5. [-1, 4]
            # L: 0.4 + 0.6 * sqrt(6)/5; R: mean 1, scaled 0.4, + 0.4 * sqrt(6)/3
            # RL: 0.4 + 0.6 * 1/2; RR, untried: 0.4 + 0.4
            (
                "RL",
                {"R": (2, 2.0), "RL": (1, 1.0)},
                {"L": 0.6939388, "R": 0.7265986, "RL": 0.7, "RR": 0.8},
            ),
            # RR: -4 + 0; R: 1 - 2 = -1. [-4, 4]
            # L: mean 1, scaled 0.625, + 0.6 * sqrt(7)/5; R: mean 1/3, scaled 0.5416667, + 0.4 * sqrt(7)/4
            ("RR", {"R": (3, 1.0), "RR": (1, -4.0)}, {"L": 0.9424902, "R": 0.8062418}),
            # At A: LL 0.5625 + 0.6 * sqrt(3)/2 = 1.0821152 beats LR 0.84375 + 0.4 * sqrt(3)/3 = 1.0746901.
            # LLL ends: 3; LL: 1.5; L: 0.75. [-4, 4]
            # L: mean 4.75/5, scaled 0.61875, + 0.6 * sqrt(8)/6; R: 0.5416667 + 0.4 * sqrt(8)/4
            (
                "LLL",
                {"L": (5, 4.75), "LL": (2, 2.0), "LLL": (1, 3.0)},
                {"L": 0.9015927, "R": 0.8245094},
            ),
        ],
    )


def test_uct_with_maxima_follows_the_tree_worked_out_by_hand() -> None:
    follows(
        one_at_a_time(depth=3, discount=0.5, selection="uct", backup="max", may_stop=False),
        [
            ("L", {"L": (1, 1.0)}, {"R": math.inf}),
            # [0.5, 1]; both have sqrt(ln 2 / 1) = 0.8325546
            ("R", {"R": (1, 0.5)}, {"L": 1.8325546, "R": 0.8325546}),
            # LL: 0.5; L: 0.25, and its best stays 1. [0.25, 1]
            # L: 1 + sqrt(ln 3 / 2), R: 0.3333333 + sqrt(ln 3 / 1)
            ("LL", {"L": (2, 1.25), "LL": (1, 0.5)}, {"L": 1.7411518, "R": 1.3814804, "LR": math.inf}),
            # LR: 4; L: 2. [0.25, 4]; L: 1.75/3.75 + sqrt(ln 4 / 3), R: 0.25/3.75 + sqrt(ln 4 / 1)
            # LL: 0.25/3.75 + sqrt(ln 2 / 1), LR: 1 + sqrt(ln 2 / 1)
            (
                "LR",
                {"L": (3, 3.25), "LR": (1, 4.0)},
                {"L": 1.1464451, "R": 1.2440767, "LL": 0.8992213, "LR": 1.8325546},
            ),
            # RL: 1; R: 1.5. L: 1.75/3.75 + sqrt(ln 5 / 3), R: 1.25/3.75 + sqrt(ln 5 / 2)
            ("RL", {"R": (2, 2.0), "RL": (1, 1.0)}, {"L": 1.1991142, "R": 1.2303946}),
            # RR: -4; R: -1, and its best stays 1.5. [-4, 4]; L: 6/8 + sqrt(ln 6 / 3), R: 5.5/8 + sqrt(ln 6 / 3)
            ("RR", {"R": (3, 1.0), "RR": (1, -4.0)}, {"L": 1.5228215, "R": 1.4603215}),
            # LRL ends: -1; LR: 1.5; L: 0.75, and their bests stay 4 and 2.
            # L: 6/8 + sqrt(ln 7 / 4), R: 5.5/8 + sqrt(ln 7 / 3)
            ("LRL", {"L": (4, 4.0), "LR": (2, 5.5), "LRL": (1, -1.0)}, {"L": 1.4474794, "R": 1.4928799}),
            # At B: RL 5/8 + sqrt(ln 2) beats RR 0 + sqrt(ln 2). RLL ends: 6; RL: 3; R: 1 + 3/2 = 2.5. [-4, 6]
            # L: 6/10 + sqrt(ln 8 / 4), R: 6.5/10 + sqrt(ln 8 / 4)
            ("RLL", {"R": (4, 3.5), "RL": (2, 4.0), "RLL": (1, 6.0)}, {"L": 1.3210134, "R": 1.3710134}),
        ],
    )
