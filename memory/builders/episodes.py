"""Episode items: the goal, the actions, the outcome and the lessons of an episode, in one draft."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...experience import Trajectory
from ..items import Draft
from .drafts import draft_about
from .reflection import as_json, reflect

_ACTIONS_SHOWN: Final = 12
_SENTENCES_SHOWN: Final = 3
_ACTIONS_KEPT: Final = 200


class EpisodeBuilder:
    """Builds episode items."""

    def build(self, trajectory: Trajectory) -> Iterator[Draft]:
        """Yield the draft of an episode; nothing for an episode without steps."""
        if not trajectory.steps:
            return
        reflection = reflect(trajectory)
        done = [step.action for step in trajectory.steps if not step.info.get("error")]
        outcome = {True: "It succeeded", False: "It failed", None: "Nobody could tell whether it succeeded"}
        progress = trajectory.steps[-1].info.get("progress")
        far = f" ({progress:.0%} of the goal)" if trajectory.success is False and isinstance(progress, float) else ""
        shown = "; ".join(done[:_ACTIONS_SHOWN]) + ("; ..." if len(done) > _ACTIONS_SHOWN else "")
        steps = len(trajectory.steps)
        lessons = " ".join(reflection.sentences()[-_SENTENCES_SHOWN:])
        goal = trajectory.task.goal.text
        yield draft_about(
            trajectory,
            "episode",
            f"Goal: {goal}. {outcome[trajectory.success]}{far} after {steps} step{'s' if steps != 1 else ''}: {shown}."
            + (f" {lessons}" if lessons else ""),
            {
                "task": trajectory.task.id,
                "collector": trajectory.collector,
                "actions": done[:_ACTIONS_KEPT],
                "reflection": as_json(reflection),
            },
            importance=0.7 if reflection.lessons or trajectory.success else 0.4,
        )
