"""An episode of a text environment without facts, made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pathei.experience import Goal, Json, Observation, Step, Task, Trajectory


def plain_episode(
    goal: str, actions: Sequence[str], *, success: bool = True, notes: Mapping[str, Json] | None = None
) -> Trajectory:
    """Return an episode that ends with a success or a failure; the agent's notes are the same at each step."""
    task = Task(goal, "pathei/Elsewhere-v0", 0, Goal(goal))
    last = len(actions) - 1
    info = {"agent": notes} if notes else {}
    steps = tuple(
        Step(Observation(f"{n}"), action, 0.0, n == last, info={**info, **({"success": success} if n == last else {})})
        for n, action in enumerate(actions)
    )
    return Trajectory(f"t-{goal}", task, steps, Observation("end"), "agent")
