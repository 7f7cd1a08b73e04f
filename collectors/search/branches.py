"""A search tree recorded as branches: each edge is played once in the real environment.

A step of a branch notes how often the search went that way (`visits`) and the mean return that it found there
(`value`). Not here: the search itself (`mcts`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium

from ...agents.protocol import Decision
from ...envs.model import Model
from ...envs.snapshots import Snapshot, Snapshotter
from ...experience import Json, Parent, Step, Trajectory
from ..rollout.episode import Recorder, RecorderSnapshot
from .tree import TreeEdge, TreeNode


class _Start(NamedTuple):
    """Where a branch begins."""

    node: TreeNode
    parent: Parent
    """The trajectory that it leaves, and after how many steps."""
    at: Snapshot
    mark: RecorderSnapshot


class TreeRecorder:
    """Plays a search tree in the real environment, branch by branch, each step once.

    A branch follows the most visited edges down to a leaf; the edges that it passes by begin branches of their own.
    """

    def __init__(
        self, env: gymnasium.Env[Any, Any], model: Model[Any, Any], root: Trajectory, plan: tuple[Any, ...]
    ) -> None:
        """Prepare to record.

        Args:
            env: The environment; it is reset to the task of the root.
            model: Writes the tree's actions as text.
            root: The trajectory of the plan.
            plan: Its actions; where they run along the tree, branches leave from there.
        """
        self._recorder = Recorder(env, root.task, max_steps=1_000_000)
        self._snapshots = Snapshotter(env)
        self._model = model
        self._root = root
        self._plan = plan
        self._found: list[Trajectory] = []

    def record(self, tree: TreeNode) -> list[Trajectory]:
        """Return every edge of the tree as a step of exactly one branch, but those that the plan took."""
        self._recorder.reset()
        begin = _Start(tree, Parent(self._root.id, 0), self._snapshots.snapshot(), self._recorder.mark())
        waiting = self._along_plan(begin)
        seen: set[int] = set()
        while waiting:
            waiting += self._branch(*waiting.pop(), seen)
        return self._found

    def _along_plan(self, begin: _Start) -> list[tuple[_Start, TreeEdge]]:
        """Follow the plan as far as the tree does, and return the edges that it passes by."""
        waiting, here = [], begin
        for place, action in enumerate((*self._plan, None)):
            taken = next((edge for edge in here.node.edges if edge.action == action), None)
            waiting += [(here, edge) for edge in here.node.edges if edge is not taken]
            if taken is None:
                break
            self._recorder.step(self._model.text(action))
            parent = Parent(self._root.id, place + 1)
            here = _Start(taken.child, parent, self._snapshots.snapshot(), self._recorder.mark())
        return waiting

    def _branch(self, start: _Start, edge: TreeEdge | None, seen: set[int]) -> list[tuple[_Start, TreeEdge]]:
        """Play one branch, and return where others leave it. A node that several edges lead to is followed once."""
        recorder = self._recorder
        self._snapshots.restore(start.at)
        recorder.resume(start.mark)
        id_ = f"{self._root.id}/branch-{len(self._found)}"
        waiting: list[tuple[_Start, TreeEdge]] = []
        steps: list[Step] = []
        visits = edge.visits if edge is not None else 0
        while edge is not None:
            steps.append(recorder.step(text := self._model.text(edge.action), Decision(text, notes=found_on(edge))))
            node = edge.child
            if recorder.over or id(node) in seen:
                break
            seen.add(id(node))
            ranked = sorted(node.edges, key=lambda e: -e.visits)
            if len(ranked) > 1:
                parent = Parent(id_, start.parent.step + len(steps))
                here = _Start(node, parent, self._snapshots.snapshot(), recorder.mark())
                waiting += [(here, other) for other in ranked[1:]]
            edge = ranked[0] if ranked else None
        branch = Trajectory(
            id_,
            self._root.task,
            tuple(steps),
            recorder.observation,
            self._root.collector,
            start.parent,
            {"visits": visits},
        )
        self._found.append(branch)
        return waiting


def found_on(edge: TreeEdge | None) -> dict[str, Json]:
    """Return what a search found on an edge, as notes of a step: `visits` and `value`, the mean return; or nothing."""
    return {"visits": edge.visits, "value": edge.total / edge.visits} if edge is not None and edge.visits else {}
