"""Episodes: what was asked, what was done, how it came out, and what there is to learn from it; one draft each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...experience import Trajectory
from ..items import Draft, Source
from .reflection import as_json, reflect

_ACTIONS_TOLD: Final = 12
_SENTENCES_TOLD: Final = 3
_ACTIONS_KEPT: Final = 200


class EpisodeBuilder:
    """The builder of episodes."""

    def build(self, trajectory: Trajectory) -> Iterator[Draft]:
        """Return the episode; nothing for one in which nothing was done."""
        if not trajectory.steps:
            return
        reflection = reflect(trajectory)
        done = [step.action for step in trajectory.steps if not step.info.get("error")]
        outcome = {True: "It succeeded", False: "It failed", None: "Nobody could tell whether it succeeded"}
        progress = trajectory.steps[-1].info.get("progress")
        far = f" ({progress:.0%} of the goal)" if trajectory.success is False and isinstance(progress, float) else ""
        told = "; ".join(done[:_ACTIONS_TOLD]) + ("; ..." if len(done) > _ACTIONS_TOLD else "")
        steps = len(trajectory.steps)
        said = " ".join(reflection.sentences()[-_SENTENCES_TOLD:])
        goal = trajectory.task.goal.text
        yield Draft(
            "episode",
            f"Goal: {goal}. {outcome[trajectory.success]}{far} after {steps} step{'s' if steps != 1 else ''}: {told}."
            + (f" {said}" if said else ""),
            trajectory.task.env,
            task=goal,
            success=trajectory.success,
            data={
                "task": trajectory.task.id,
                "collector": trajectory.collector,
                "actions": done[:_ACTIONS_KEPT],
                "reflection": as_json(reflection),
            },
            importance=0.7 if reflection.lessons or trajectory.success else 0.4,
            source=Source(trajectory.id),
        )


__all__ = ["EpisodeBuilder"]
