"""A search tree as a human reads it: the most visited moves, a few levels deep, with the plan picked out.

Not here: the whole tree; `Mcts(keep_tree=True)` records that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich.text import Text
from rich.tree import Tree

from ..collectors.search.tree import TreeEdge, TreeNode


def tree_view(
    root: TreeNode, plan: Sequence[Any], text: Callable[[Any], str], *, width: int = 4, depth: int = 4
) -> Tree:
    """Return the upper part of a search tree, ready to print with rich.

    Args:
        root: The root.
        plan: The best walk's actions; its line is highlighted, and shown in one line where it leaves the levels shown.
        text: Writes an action (`Model.text`).
        width: How many edges of a node are shown: the most visited, and always the plan's.
        depth: How many levels are shown; fewer away from the plan.
    """
    view = Tree(Text(f"{root.visits:,} visits", style="bold"))
    _grow(view, root, tuple(plan), text, width, depth)
    return view


def _grow(
    view: Tree, node: TreeNode, plan: tuple[Any, ...], text: Callable[[Any], str], width: int, depth: int
) -> None:
    edges = sorted(node.edges, key=lambda edge: -edge.visits)
    on_plan = next((edge for edge in edges if plan and edge.action == plan[0]), None)
    if depth <= 0:
        if plan:
            view.add(Text("then " + ", ".join(text(action) for action in plan), style="green"))
        return
    shown = edges[:width]
    if on_plan is not None and on_plan not in shown:
        shown = [*shown[: max(0, width - 1)], on_plan]
    for edge in shown:
        mine = edge is on_plan
        branch = view.add(_line(edge, text, mine))
        _grow(
            branch, edge.child, plan[1:] if mine else (), text, width if mine else 2, depth - 1 if mine else depth - 2
        )
    hidden = len(edges) - len(shown)
    if hidden:
        view.add(Text(f"{hidden} more", style="dim"))


def _line(edge: TreeEdge, text: Callable[[Any], str], on_plan: bool) -> Text:
    line = Text(text(edge.action), style="bold green" if on_plan else "")
    line.append(f"  {edge.visits:,} visits", style="dim")
    line.append(f"  best {edge.best:.2f}" if edge.visits else "", style="dim")
    if edge.reward:
        line.append(f"  reward {edge.reward:+.2f}", style="green" if edge.reward > 0 else "red")
    if edge.child.solved:
        line.append("  solved", style="dim")
    return line
