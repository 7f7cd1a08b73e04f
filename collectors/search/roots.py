"""Root parallelisation: several independent trees over the same environment, merged at the root.

Each tree has its own random numbers, drawn from one seed (`SeedSequence.spawn`), so the merged result is the same
whether they are searched one after the other or in any number of processes. Cazenave & Jouandeau 2007; Chaslot et al.
2008. The processes are not those of `pool`, which plays tasks and answers with records. Not here: the trees themselves,
which stay in their process.
"""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ...envs.model import Model
from ...errors import ConfigError, WorkerError
from .guidance import SearchPrior
from .mcts import Prior, Search, SearchConfig, SearchResult
from .tree import TreeEdge, TreeNode


class RootEdge(NamedTuple):
    """An action at the root, with what all trees found below it."""

    action: Any
    prior: float
    reward: float
    visits: int
    """How many simulations of all trees went through it."""
    total: float
    """The sum of their returns."""
    best: float
    """The greatest of them."""


class RootsResult(NamedTuple):
    """What several trees found together."""

    plan: tuple[Any, ...]
    """The best of their plans, by the order that `SearchResult.plan` names; of equal ones that of the first tree."""
    value: float
    """Its discounted return."""
    success: bool | None
    """Whether the goal holds at its end; None where the model cannot tell."""
    edges: tuple[RootEdge, ...]
    """The actions that any tree tried at the root, the most visited first."""
    simulations: int
    """How many simulations all trees did."""
    env_steps: int
    """How many transitions they did."""
    seconds: float
    """How much processor time they took, added up."""
    solved: bool
    """Whether any tree was searched to the end."""


class _Tree(NamedTuple):
    """What one tree found, without the tree."""

    plan: tuple[Any, ...]
    value: float
    success: bool | None
    edges: tuple[RootEdge, ...]
    simulations: int
    env_steps: int
    seconds: float
    solved: bool


def search_roots(
    make_model: Callable[[], Model[Any, Any]],
    config: SearchConfig,
    seed: int,
    *,
    roots: int = 4,
    workers: int = 1,
    guide: Callable[[Model[Any, Any]], SearchPrior] | None = None,
) -> RootsResult:
    """Search several independent trees and merge them.

    Args:
        make_model: Makes the world at the root, once for each tree; if it has a method `close`, that is called
            afterwards. With workers it is pickled, and so are the actions of the result.
        config: How to search each tree: the budget is that of one tree.
        seed: Decides all random numbers. A limit in seconds makes the result depend on the machine as well.
        roots: How many trees, at least 1.
        workers: How many processes; 1 searches here, as happens in a worker process in any case.
        guide: Makes the prior and the value for a model; with workers it is pickled.

    Raises:
        ConfigError: `roots` or `workers` is less than 1, or something cannot be pickled.
        WorkerError: a worker process died.
    """
    if roots < 1 or workers < 1:
        raise ConfigError(f"A search needs at least 1 root and 1 worker, not {roots} and {workers}.")
    grow = partial(_grow, make_model, config, guide)
    seeds = np.random.SeedSequence(seed).spawn(roots)
    processes = min(workers, roots)
    if processes == 1 or multiprocessing.current_process().daemon:
        return _merge([grow(own) for own in seeds])
    try:
        pickle.dumps(grow)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ConfigError(
            f"What makes the model cannot be sent to a process ({error}): use functions at the top of a module, or "
            "workers=1."
        ) from error
    try:
        with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
            return _merge(list(pool.map(grow, seeds)))
    except BrokenProcessPool as error:
        raise WorkerError("A process that searched a root died: look at what it wrote, or use workers=1.") from error


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
        The merged result; its tree is the root alone, with the edges that any tree tried.
    """
    seeds = np.random.SeedSequence(int(rng.integers(2**63))).spawn(roots)
    found = _merge([_tree(model, config, SearchPrior(prior, None), seed) for seed in seeds])
    root = TreeNode(model.snapshot(), 0, found.value, found.solved)
    for one in found.edges:
        edge = TreeEdge(one.action, one.prior, one.reward, TreeNode(None, 1, 0.0, solved=False))
        edge.visits, edge.total, edge.best = one.visits, one.total, one.best
        root.edges.append(edge)
        root.visits += one.visits
    return SearchResult(
        found.plan,
        found.value,
        found.success,
        root,
        found.simulations,
        found.env_steps,
        found.seconds,
        found.solved,
    )


def _grow(
    make_model: Callable[[], Model[Any, Any]],
    config: SearchConfig,
    guide: Callable[[Model[Any, Any]], SearchPrior] | None,
    seed: np.random.SeedSequence,
) -> _Tree:
    model = make_model()
    try:
        return _tree(model, config, SearchPrior(None, None) if guide is None else guide(model), seed)
    finally:
        close = getattr(model, "close", None)
        if close is not None:
            close()


def _tree(model: Model[Any, Any], config: SearchConfig, guidance: SearchPrior, seed: np.random.SeedSequence) -> _Tree:
    found = Search(model, config, np.random.default_rng(seed), prior=guidance.prior, value=guidance.value).run()
    edges = tuple(RootEdge(e.action, e.prior, e.reward, e.visits, e.total, e.best) for e in found.root.edges)
    return _Tree(
        found.plan,
        found.value,
        found.success,
        edges,
        found.simulations,
        found.env_steps,
        found.seconds,
        found.solved,
    )


def _merge(trees: list[_Tree]) -> RootsResult:
    merged: dict[Any, RootEdge] = {}
    for edge in (edge for tree in trees for edge in tree.edges):
        known = merged.get(edge.action)
        merged[edge.action] = (
            edge
            if known is None
            else known._replace(
                visits=known.visits + edge.visits,
                total=known.total + edge.total,
                best=max(known.best, edge.best),
            )
        )
    best = max(trees, key=lambda tree: (bool(tree.success), round(tree.value, 10), -len(tree.plan)))
    return RootsResult(
        best.plan,
        best.value,
        best.success,
        tuple(sorted(merged.values(), key=lambda edge: -edge.visits)),
        sum(tree.simulations for tree in trees),
        sum(tree.env_steps for tree in trees),
        sum(tree.seconds for tree in trees),
        any(tree.solved for tree in trees),
    )


__all__ = ["RootEdge", "RootsResult", "merged_search", "search_roots"]
