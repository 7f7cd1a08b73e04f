"""An environment for TRL's trainers: `GRPOTrainer(environment_factory=environment("virtualhome"))`.

TRL makes one object per rollout, calls `reset` with the columns of its row, offers the other public methods to the
model as tools, and asks `get_reward` at the end. The tools are `act` and `actions`; `reset` is TRL's, never the
model's. Not here: stored episodes (TRL logs its own), and images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..collectors.tasks import tasks_given
from ..experience import Json, Task
from ..interop import SessionView, WorldSession
from ..interop.session import require_steps


def environment(
    world: str, *, tasks: str | int | Sequence[Task] = 100, seed: int = 0, steps: int = 30
) -> TrlEnvironmentFactory:
    """Return what TRL's `environment_factory` takes, and the rows of its `train_dataset`.

    Args:
        world: The environment: a name of `pathei env list`, or `module:Id-v0`.
        tasks: How many tasks to generate, the name of a task set or a file of tasks, or the tasks themselves.
        seed: Seeds generated tasks.
        steps: The longest episode.

    Raises:
        UnknownNameError: there is no such environment; the message suggests the nearest.
        ConfigError: the tasks are none, or `steps` is less than 1.
    """
    found = tasks_given(world, tasks, seed=seed)
    require_steps(steps)
    return TrlEnvironmentFactory(tuple(found), steps)


@dataclass(frozen=True, slots=True)
class TrlEnvironmentFactory:
    """Makes the environment of one rollout at each call; it can be pickled."""

    tasks: tuple[Task, ...]
    """What is played."""
    steps: int = 30
    """The longest episode."""

    def __call__(self) -> TrlEnvironment:
        """Return a new environment."""
        return TrlEnvironment(WorldSession(self.tasks, steps=self.steps))

    def rows(self) -> list[dict[str, Json]]:
        """Return one row per task, for `datasets.Dataset.from_list`: `prompt`, which states the goal, and `task`."""
        return [
            {"prompt": [{"role": "user", "content": f"Goal: {task.goal.text}\n\n"}], "task": task.id}
            for task in self.tasks
        ]


class TrlEnvironment:
    """One rollout after another: `reset` and `get_reward` are the trainer's, the other public methods the model's."""

    def __init__(self, session: WorldSession) -> None:
        """Take a session; `reset` begins an episode."""
        self._session = session
        self._view: SessionView | None = None

    def reset(self, task: str = "", **columns: Any) -> str:
        """Begin the task of a row and return the first observation, which TRL appends to the prompt.

        Args:
            task: The task's id: the column `task` of `TrlEnvironmentFactory.rows`.
            **columns: The row's other columns; not used.

        Raises:
            UnknownNameError: there is no such task.
        """
        self._view = self._session.begin(task)
        return self._view.observation.text

    def act(self, action: str) -> str:
        """Take one action in the environment and return what is observed then.

        Args:
            action: What to do: one of the admissible actions where they are listed, as it is written there.

        Returns:
            What is observed; an action that is not possible changes nothing, and the observation says why.
        """
        if self._view is None or self._view.over:
            return "The episode is over."
        self._view = self._session.act(action)
        return self._view.observation.text

    def actions(self) -> str:
        """List the actions that are admissible now, one per line.

        Returns:
            The actions; a note where any words may be an action, or where the episode is over.
        """
        if self._view is None or self._view.over:
            return "The episode is over."
        admissible = self._view.observation.actions
        return "Any words may be an action." if admissible is None else "\n".join(admissible)

    def get_reward(self) -> float:
        """Return the sum of the episode's rewards, and end it."""
        if self._view is None:
            return 0.0
        if not self._view.over:
            self._view = self._session.finish()
        return self._view.earned
