"""Episode items: the goal (in words and conditions), actions, outcome and lessons of an episode, in one draft."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...envs.facts import FactGraph
from ...envs.facts.conditions import by_class
from ...experience import Json, Trajectory
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
        goal = trajectory.task.goal.text.strip().removesuffix(".")
        yield draft_about(
            trajectory,
            "episode",
            f"Goal: {goal}. {outcome[trajectory.success]}{far} after {steps} step{'s' if steps != 1 else ''}: {shown}."
            + (f" {lessons}" if lessons else ""),
            {
                "task": trajectory.task.id,
                "collector": trajectory.collector,
                "actions": done[:_ACTIONS_KEPT],
                "wanted": _wanted(trajectory),
                "reflection": as_json(reflection),
            },
            importance=0.7 if reflection.lessons or trajectory.success else 0.4,
        )


def _wanted(trajectory: Trajectory) -> list[Json]:
    """Return the conditions of an episode's goal by class; empty where one names an id that the facts do not know."""
    graph = FactGraph.of(trajectory.steps[0].observation.facts)
    lifted = [by_class(one, graph.kinds if graph else {}) for one in trajectory.task.goal.conditions]
    return [] if None in lifted else [dict(one) for one in lifted if one is not None]
