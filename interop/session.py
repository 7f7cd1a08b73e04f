"""One agent from outside, playing tasks one after another: what every protocol that serves an environment shares.

The agent looks, acts and finishes, and can do nothing else: no reset, no snapshot, no choice of the task. A program
that trains an agent may choose the task (`begin`), which is never among the agent's tools. What the agent sees is what
any agent of pathei sees. Episodes that are over are stored, if there is a store; one that is left unfinished is kept as
a `Failure` with its steps. Not here: protocols, and images, which a protocol reads with `image`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..collectors.protocol import trajectory_id
from ..collectors.rollout.episode import Envs, Recorder
from ..collectors.rollout.frames import png
from ..errors import ConfigError, ContractError, WorldError, unknown
from ..experience import Failure, Json, Observation, Record, Task
from ..registry import one_line
from ..store import ExperienceStore


@dataclass(frozen=True, slots=True)
class SessionView:
    """What an agent is shown."""

    task: str
    """The task's id."""
    goal: str
    """The goal in words."""
    observation: Observation
    """What is observed; without facts."""
    steps: int
    """The number of steps so far."""
    over: bool
    """Whether the episode is over: no action is taken any more, and looking begins the next task."""
    success: bool | None
    """Whether the goal was reached, once the episode is over; None before, and where nothing is checked."""
    left: int
    """The number of tasks after this one."""
    reward: float = 0.0
    """What the last action earned: for the program that trains the agent; the agent does not see it."""
    earned: float = 0.0
    """The sum of the rewards so far: likewise."""

    def json(self) -> dict[str, Json]:
        """Return what the agent sees as plain JSON, for protocols."""
        seen = self.observation
        return {
            "task": self.task,
            "goal": self.goal,
            "observation": seen.text,
            "actions": None if seen.actions is None else list(seen.actions),
            "steps": self.steps,
            "over": self.over,
            "success": self.success,
            "tasks_left": self.left,
        }


def require_steps(steps: int) -> None:
    """Refuse episodes without steps.

    Raises:
        ConfigError: `steps` is less than 1.
    """
    if steps < 1:
        raise ConfigError(f"An episode needs at least one step, not {steps}.")


class WorldSession:
    """Plays tasks in their order, each once, or those that are asked for. It belongs to one thread."""

    def __init__(
        self,
        tasks: Sequence[Task],
        *,
        steps: int = 30,
        seed: int = 0,
        collector: str = "guest",
        out: Path | ExperienceStore | None = None,
        config: Mapping[str, Json] | None = None,
        lock: AbstractContextManager[Any] | None = None,
    ) -> None:
        """Prepare; the first task begins with the first call.

        Args:
            tasks: The tasks, all with ids of their own.
            steps: The longest episode.
            seed: Part of the ids of the trajectories.
            collector: What trajectories name as their collector.
            out: The store that gets the episodes; tasks that the collector has played there are left out. None for no
                store. An open store may be shared by several sessions; it stays open.
            config: What the store records of this session, if it is opened here.
            lock: What sessions that share a store hold while they write to it.

        Raises:
            ConfigError: `steps` is less than 1.
            StoreError: the store cannot be opened.
        """
        require_steps(steps)
        self._steps, self._seed, self._collector = steps, seed, collector
        self._by_id = {task.id: task for task in tasks}
        self._store = out if isinstance(out, ExperienceStore) else None
        self._owns_store = isinstance(out, Path)
        self._lock = nullcontext() if lock is None else lock
        if isinstance(out, Path):
            said = {"command": "serve", "collector": collector, "steps": steps, **(config or {})}
            self._store = ExperienceStore.open(out, config=said, seeds=[seed])
        if self._store is not None:
            tasks = self._store.remaining(tasks, collector)
        self._tasks = list(reversed(tasks))
        self._envs = Envs()
        self._images: dict[str, bytes] = {}
        self._recorder: Recorder | None = None

    def look(self) -> SessionView:
        """Return what there is to see; begins the next task if none is in progress.

        Raises:
            WorldError: there is no task left, or the environment failed; then the next call begins the next task.
            PatheiError: the environment cannot be made.
        """
        recorder = self._begin(self._next()) if self._recorder is None else self._recorder
        return self._moment(recorder, over=recorder.held)

    def begin(self, task: str) -> SessionView:
        """Begin a task, one that was played before too, whatever is in progress: not for agents.

        An attempt at a task that was played before is stored under an id of its own, as with the next seed.

        Args:
            task: The id of one of the tasks.

        Raises:
            UnknownNameError: there is no such task; the message suggests the nearest.
            WorldError: the environment failed.
            PatheiError: the environment cannot be made.
        """
        if task not in self._by_id:
            raise unknown("task", task, self._by_id)
        self._leave("another task was begun")
        self._tasks = [one for one in self._tasks if one.id != task]
        recorder = self._begin(self._by_id[task])
        return self._moment(recorder, over=recorder.held)

    def act(self, action: str) -> SessionView:
        """Take an action and return what comes of it.

        Raises:
            WorldError: no episode is in progress, or the environment failed.
            ContractError: the action has not the form that the environment takes; nothing has happened.
        """
        recorder = self._playing()
        try:
            recorder.step(action)
        except Exception as error:
            if isinstance(error, ContractError) and recorder.stage == "act":
                raise
            raise self._broken(error) from error
        return self._moment(recorder, over=recorder.over)

    def finish(self) -> SessionView:
        """End the episode, because the agent has done what it could.

        Raises:
            WorldError: no episode is in progress.
        """
        return self._moment(self._playing(), over=True)

    def image(self, sha256: str) -> bytes:
        """Return the PNG file of an image of the last moment."""
        return self._images[sha256]

    def close(self) -> None:
        """End the session: an episode in progress is kept as a failure, if it has steps."""
        self._leave("the agent went away")
        self._envs.close()
        if self._store is not None and self._owns_store:
            self._store.close()

    def _leave(self, why: str) -> None:
        if self._recorder is not None and self._recorder.steps:
            self._broken(WorldError(why), usable=True)
        self._recorder = None

    def _next(self) -> Task:
        if not self._tasks:
            raise WorldError("There is no task left.")
        return self._tasks.pop()

    def _begin(self, task: Task) -> Recorder:
        self._images.clear()
        try:
            recorder = Recorder(self._envs.get(task), task, max_steps=self._steps, put_image=self._put)
        except Exception as error:
            with self._lock:
                self._keep(Failure(task, "make", one_line(error)))
            raise
        self._recorder = recorder
        try:
            recorder.reset()
        except Exception as error:
            raise self._broken(error) from error
        return recorder

    def _playing(self) -> Recorder:
        if self._recorder is None:
            raise WorldError("No episode is in progress: look first, which begins the next task.")
        self._images.clear()
        return self._recorder

    def _moment(self, recorder: Recorder, *, over: bool) -> SessionView:
        """Return what the agent is shown, and store the episode if it is over."""
        success = None
        if over:
            with self._lock:
                id_, seed = self._attempt(recorder.task)
                played = recorder.trajectory(id_, self._collector, {"seed": seed})
                self._keep(played)
            self._recorder, success = None, played.success
        task, seen = recorder.task, recorder.observation.seen()
        rewards = [step.reward for step in recorder.steps]
        return SessionView(
            task=task.id,
            goal=task.goal.text,
            observation=seen,
            steps=len(rewards),
            over=over,
            success=success,
            left=len(self._tasks),
            reward=rewards[-1] if rewards else 0.0,
            earned=sum(rewards),
        )

    def _attempt(self, task: Task) -> tuple[str, int]:
        """Return the id of this attempt at a task, and the seed in it: the first that the store does not have."""
        seed = self._seed
        while self._store is not None and trajectory_id(task, self._collector, seed) in self._store:
            seed += 1
        return trajectory_id(task, self._collector, seed), seed

    def _broken(self, error: Exception, *, usable: bool = False) -> WorldError:
        """Keep an episode that cannot go on as a failure, and return the error for the agent.

        Args:
            error: Why it ends.
            usable: Whether the environment can be used again.
        """
        recorder = self._recorder
        assert recorder is not None
        with self._lock:
            id_, seed = self._attempt(recorder.task)
            self._keep(recorder.failure(error, id_, self._collector, {"seed": seed}))
        self._recorder = None
        if not usable:
            self._envs.drop(recorder.task)
        return WorldError(f"The task {recorder.task.id!r} cannot go on ({one_line(error)}): look at the next one.")

    def _keep(self, record: Record) -> None:
        if self._store is not None:
            self._store.append(record)

    def _put(self, picture: np.ndarray[Any, Any]) -> str:
        data = png(picture)
        with self._lock:
            name = hashlib.sha256(data).hexdigest() if self._store is None else self._store.put_image(data)
        self._images[name] = data
        return name
