"""One line for each trajectory: what a list of episodes shows, read without reading any step."""

from __future__ import annotations

from typing import NamedTuple

from ..experience import Parent, Trajectory


class EpisodeRow(NamedTuple):
    """A trajectory without its steps."""

    id: str
    task_id: str
    env: str
    """The gymnasium id of the task's environment."""
    goal: str
    """The goal's text."""
    collector: str
    success: bool | None
    """Whether the goal held at the end; None if that is unknown."""
    total_reward: float
    """The undiscounted sum of the rewards of its own steps."""
    steps: int
    """The number of its own steps, without those that it shares with its parent."""
    parent: Parent | None
    """Where it leaves its parent, if it is a branch."""

    @classmethod
    def of(cls, trajectory: Trajectory) -> EpisodeRow:
        """Return the line of a trajectory."""
        task = trajectory.task
        return cls(
            trajectory.id, task.id, task.env, task.goal.text, trajectory.collector, trajectory.success,
            trajectory.total_reward, len(trajectory.steps), trajectory.parent,
        )  # fmt: skip


__all__ = ["EpisodeRow"]
