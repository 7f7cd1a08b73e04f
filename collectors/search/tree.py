"""The tree of a search: nodes, edges, and what is known for certain below a node.

Not here: how the tree grows and how an edge is chosen (`search`).
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any


class TreeEdge:
    """An action at a node, tried at least once.

    Attributes:
        action: The action.
        prior: Its prior probability at the node.
        reward: The reward of the transition.
        child: The node that it leads to.
        visits: How many simulations went through it.
        total: The sum of the returns that they backed up through it, this edge's reward included.
        best: The greatest of those returns.
    """

    __slots__ = ("action", "best", "child", "prior", "reward", "total", "visits")

    def __init__(self, action: Any, prior: float, reward: float, child: TreeNode) -> None:
        self.action = action
        self.prior = prior
        self.reward = reward
        self.child = child
        self.visits = 0
        self.total = 0.0
        self.best = -math.inf


class TreeNode:
    """A state at a depth.

    Attributes:
        state: The model's snapshot.
        depth: How many steps below the root.
        edges: The actions tried so far, in the order in which they were tried.
        untried: The actions not tried yet, the next to try last; None until the node is looked at.
        priors: The prior probability of each action in `untried`, in the same order.
        visits: How many simulations went on from here: the sum of the visits of its edges.
        best: The greatest return from here on that was backed up, by way of whichever edge that leads here.
        value: The return from here on that is certain: a lower bound, and exact once the node is solved.
        solved: Everything below has been seen, so there is nothing left to find out.
        earned: The sum of the rewards, not discounted, on the walk by which it was first reached.
        key: What distinguishes its state from others; None where nothing does.
        dead: Its state was reached before by a walk that was no longer, so the search goes on there.
    """

    __slots__ = (
        "best", "dead", "depth", "earned", "edges", "key", "priors", "solved", "state", "untried", "value", "visits",
    )  # fmt: skip

    def __init__(self, state: Any, depth: int, value: float, solved: bool, earned: float = 0.0) -> None:
        self.state = state
        self.depth = depth
        self.earned = earned
        self.key: Hashable | None = None
        self.dead = False
        self.edges: list[TreeEdge] = []
        self.untried: list[Any] | None = None
        self.priors: list[float] = []
        self.visits = 0
        self.best = -math.inf
        self.value = value
        self.solved = solved

    def settle(self, discount: float) -> None:
        """Mark the node as solved if everything below it is, and make its value exact.

        A node without any action is the end of an episode: nothing more is earned there.
        """
        if self.untried or self.untried is None or not all(edge.child.solved for edge in self.edges):
            return
        promised = max((edge.reward + discount * edge.child.value for edge in self.edges), default=0.0)
        self.value = max(self.value, promised)
        self.solved = True

    def line(self, discount: float, may_stop: bool) -> list[TreeEdge]:
        """Return the best walk from a solved node on; where it may stop, no further than something is to be earned."""
        walk: list[TreeEdge] = []
        node = self
        while node.edges and not (may_stop and node.value <= 0):
            edge = max(node.edges, key=lambda e: e.reward + discount * e.child.value)
            walk.append(edge)
            node = edge.child
        return walk
