"""Nodes of a search tree that wait to be expanded, in an order that is not that of visits: best first, or by depth.

Not here: the tree, and when it grows in which order (`mcts`).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from typing import Final

from .tree import TreeEdge, TreeNode

Walk = tuple[TreeEdge, ...]
"""The edges from the root to a node."""

_STEP: Final = 0.01
"""What a step costs, in units of reward: of two states that promise the same the nearer goes first."""
_UNLIKELY: Final = 0.025
"""What an action costs whose prior is half of the likeliest one's, halved; the cost grows with the square."""
_GAIN: Final = 0.04
"""The reward for which these costs were measured; where a smaller one was seen, they shrink with it."""
_LEAST: Final = 0.1
"""The factor below which the costs do not shrink."""


class Frontier:
    """A queue of nodes; the first has the lowest rank, of equal ones the one that came first."""

    __slots__ = ("_heap", "_known", "_rank", "_ticks")

    def __init__(self, rank: Callable[[TreeNode], float]) -> None:
        """Begin empty.

        Args:
            rank: Of a node, when it is put into the queue.
        """
        self._rank = rank
        self._heap: list[tuple[float, int, TreeNode, Walk]] = []
        self._known: set[int] = set()
        self._ticks = 0

    def __bool__(self) -> bool:
        """Return whether any node waits."""
        return bool(self._heap)

    def add(self, node: TreeNode, walk: Walk) -> None:
        """Put a node into the queue that was never in it; any other, and one that is solved, is left out."""
        if not node.solved and id(node) not in self._known:
            self._known.add(id(node))
            self.again(node, walk)

    def again(self, node: TreeNode, walk: Walk) -> None:
        """Put a node back that was taken out."""
        self._ticks += 1
        heapq.heappush(self._heap, (self._rank(node), self._ticks, node, walk))

    def pop(self) -> tuple[TreeNode, Walk]:
        """Take the first node out, with the walk that leads to it."""
        _, _, node, walk = heapq.heappop(self._heap)
        return node, walk

    def clear(self) -> None:
        """Forget the nodes that wait."""
        self._heap.clear()


def by_depth(node: TreeNode) -> float:
    """Rank nodes breadth first."""
    return node.depth


class BestFirst(Frontier):
    """A queue of nodes by what was earned on the way, less for long walks and where only unlikely actions are left.

    The likeliest action of a node is tried first, so the prior of its first edge is the greatest. A goal of many parts
    pays little for each of them, so the costs follow the smallest reward: otherwise the way to the next part would cost
    more than the part is worth, and the queue would go breadth first.
    """

    __slots__ = ("_most", "_scale")

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__(self.rank)
        self._scale = 1.0
        self._most = 0.0

    def rank(self, node: TreeNode) -> float:
        """Return the rank of a node, in units of reward."""
        rank = self._scale * _STEP * node.depth - node.earned
        if not (node.edges and node.priors):
            return rank
        top, next_best = node.edges[0].prior, node.priors[-1]
        if next_best >= top:
            return rank
        if next_best <= 0:
            return math.inf
        halvings = math.log2(top / next_best)
        return rank + self._scale * _UNLIKELY * halvings * (halvings + 1)

    def leads(self, edge: TreeEdge) -> bool:
        """Return whether a new edge leads to a node that promises more than all before; learn from its reward."""
        if 0 < edge.reward < self._scale * _GAIN and self._scale > _LEAST:
            self._scale = max(edge.reward / _GAIN, _LEAST)
            self._heap = [(self._rank(node), tick, node, walk) for _, tick, node, walk in self._heap]
            heapq.heapify(self._heap)
        promise = edge.child.earned - self._scale * _STEP * edge.child.depth
        if promise <= self._most:
            return False
        self._most = promise
        return True
