"""What the household can use, and programs that reach the goals of its tasks."""

from __future__ import annotations

from ....experience import Task
from ...contract import Requirement


def check_virtualhome() -> list[Requirement]:
    """Look for what the household can use."""
    from .... import data

    robothow = data.named("robothow")
    note = str(robothow.path) if robothow.fetched else "pathei data get robothow"
    return [
        Requirement("engine and generated houses", True, "part of pathei"),
        Requirement("RobotHow's programs and houses", robothow.fetched, note, required=False),
    ]


def demonstration(task: Task) -> tuple[str, ...]:
    """Return a program for a task: RobotHow's own, or the one that belongs to a generated task.

    Raises:
        ConfigError: the task is neither RobotHow's nor generated.
    """
    from .generate import demonstration
    from .robothow import RobotHow

    kind, _, name = str(task.options.get("scene", "")).partition(":")
    return RobotHow().program(name).lines if kind == "robothow" else tuple(demonstration(task))
