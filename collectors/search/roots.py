"""Root parallelisation: several independent trees over the same environment, merged at the root.

Each tree has its own random numbers, drawn from one seed (`SeedSequence.spawn`). Cazenave & Jouandeau 2007; Chaslot et
al. 2008. Not here: processes, of which every task has its own (`rollout.pool`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...envs.model import Model
from .config import SearchConfig
from .mcts import Prior, Search, SearchResult
from .tree import TreeEdge, TreeNode


def merged_search(
    model: Model[Any, Any], config: SearchConfig, rng: np.random.Generator, *, roots: int, prior: Prior | None = None
) -> SearchResult:
    """Search several independent trees in one model, one after another, and merge them.

    Args:
        model: The model; left where it was.
        config: How to search each tree: the budget is that of one tree.
        rng: Consumed: one draw.
        roots: How many trees, at least 1.
        prior: Weighs actions.

    Returns:
        The best of their results, of equal ones the first tree's, with the simulations, transitions and seconds of all.
        Its tree is the root alone, with the edges that any tree tried, the most visited first; it is solved if any is.
    """
    seeds = np.random.SeedSequence(int(rng.integers(2**63))).spawn(roots)
    configs = [config, *[replace(config, greedy=0)] * (roots - 1)]  # the first stage would be the same in each
    trees = [
        Search(model, one, np.random.default_rng(seed), prior=prior).run()
        for one, seed in zip(configs, seeds, strict=True)
    ]
    best = max(trees, key=lambda tree: (bool(tree.success), round(tree.value, 10), -len(tree.plan)))
    merged: dict[Any, TreeEdge] = {}
    for edge in (edge for tree in trees for edge in tree.root.edges):
        leaf = TreeNode(None, 1, 0.0, solved=False)
        same = merged.setdefault(edge.action, TreeEdge(edge.action, edge.prior, edge.reward, leaf))
        same.visits += edge.visits
        same.total += edge.total
        same.best = max(same.best, edge.best)
    solved = any(tree.solved for tree in trees)
    root = TreeNode(model.snapshot(), 0, best.value, solved)
    root.edges = sorted(merged.values(), key=lambda edge: -edge.visits)
    root.visits = sum(edge.visits for edge in root.edges)
    return best._replace(
        root=root,
        simulations=sum(tree.simulations for tree in trees),
        env_steps=sum(tree.env_steps for tree in trees),
        seconds=sum(tree.seconds for tree in trees),
        solved=solved,
    )
