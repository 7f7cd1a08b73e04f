"""Language-model agents play many episodes at once: in every round their requests go to the model as one batch.

For a model in this process that is several times as fast as one after another. What an episode becomes does not depend
on the others, up to the rounding of a batched forward pass. Left out: worlds that block; a slow step delays all.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

import gymnasium

from ...agents.lm.agent import LmAgent, answers
from ...agents.lm.backends import Answer, Request
from ...agents.protocol import Finished, reset_agent
from ...envs import contract
from ...errors import ConfigError, ModelError
from ...experience import Failure, Record, Task
from ..protocol import episode_seed, trajectory_id
from .episode import PutImage, Recorder, one_line, provenance_of


class _Episode:
    """One episode in progress."""

    def __init__(self, recorder: Recorder, agent: LmAgent) -> None:
        self.recorder, self.agent = recorder, agent
        self.turn: Generator[Request, Answer, str] | None = None
        self.request: Request | None = None
        """What the model is to be asked next; None when the episode is over."""
        self.ended: Finished | None = None
        """By what the agent ended it."""
        self.failure: Failure | None = None

    def begin(self, seed: int) -> None:
        try:
            self.recorder.reset()
            reset_agent(self.agent, seed)
        except Exception as error:  # noqa: BLE001  # a world may raise anything, and it is kept as a Failure
            self.failure = self.recorder.failure(error)
            return
        self.go_on(None)

    def go_on(self, answer: Answer | ModelError | None) -> None:
        """Take the model's answer, and act until it has to be asked again."""
        self.request = None
        try:
            while not self.recorder.over:
                if self.turn is None:
                    self.turn = self.agent.turn(self.recorder.observation.seen(), self.recorder.task.goal)
                try:
                    if isinstance(answer, ModelError):
                        raise answer
                    self.request = next(self.turn) if answer is None else self.turn.send(answer)
                    return
                except StopIteration as done:
                    answer = self.turn = None
                    self.recorder.step(str(done.value), self.agent.told())
        except Finished as finished:
            self.ended = finished
        except Exception as error:  # noqa: BLE001  # the same
            self.failure = self.recorder.failure(error)


class BatchedAgentCollector:
    """The collector; its records are those of `Act` with the same agents."""

    def __init__(
        self,
        agent_for: Callable[[Task], LmAgent],
        *,
        width: int = 8,
        name: str = "agent",
        max_steps: int = 100,
        seed: int = 0,
        put_image: PutImage | None = None,
    ) -> None:
        """Create the collector.

        Args:
            agent_for: Returns a new agent for a task; all of them ask the same back end.
            width: So many episodes are played at once, each in an environment of its own.
            name: What trajectories name as their collector.
            max_steps: After so many steps an episode is cut off.
            seed: Mixed with each task's own seed.
            put_image: Stores an image and returns its SHA-256; needed where observations hold images.

        Raises:
            ConfigError: `width` or `max_steps` is less than 1.
        """
        if width < 1 or max_steps < 1:
            raise ConfigError(f"At least one episode of at least one step is played, not {width} of {max_steps}.")
        self._agent_for = agent_for
        self._width = width
        self._name = name
        self._max_steps = max_steps
        self._seed = seed
        self._put_image = put_image
        self._idle: dict[str, list[gymnasium.Env[Any, Any]]] = {}

    def collect(self, tasks: Iterable[Task]) -> Iterator[Record]:
        """Play one episode of each task, and yield each as soon as it is over."""
        waiting, playing, more = iter(tasks), list[_Episode](), True
        while more or playing:
            while more and len(playing) < self._width:
                task = next(waiting, None)
                if task is None:
                    more = False
                    break
                begun = self._begin(task)
                if isinstance(begun, Failure):
                    yield begun
                else:
                    playing.append(begun)
            over = [episode for episode in playing if episode.request is None]
            playing = [episode for episode in playing if episode.request is not None]
            yield from map(self._over, over)
            self._round(playing)

    def close(self) -> None:
        """Close the environments."""
        while self._idle:
            for env in self._idle.popitem()[1]:
                env.close()

    def _begin(self, task: Task) -> _Episode | Failure:
        try:
            idle = self._idle.get(task.env)
            env = idle.pop() if idle else contract.make(task)
            agent = self._agent_for(task)
        except Exception as error:  # noqa: BLE001  # a world or an agent may raise anything while it is made
            return Failure(task, "make", one_line(error))
        recorder = Recorder(env, task, max_steps=self._max_steps, put_image=self._put_image)
        episode = _Episode(recorder, agent)
        episode.begin(episode_seed(self._seed, task))
        return episode

    def _round(self, episodes: list[_Episode]) -> None:
        """Ask the model for all of them, and let each go on with its answer."""
        if not episodes:
            return
        backend = episodes[0].agent.backend
        requests = [one.request for one in episodes if one.request is not None]
        found: list[Answer | ModelError]
        try:
            found = [*answers(backend, requests)]
        except ModelError as error:
            # One that cannot be answered must not take the others with it.
            found = [error] if len(requests) == 1 else [_answer(episode) for episode in episodes]
        for episode, answer in zip(episodes, found, strict=True):
            episode.go_on(answer)

    def _over(self, episode: _Episode) -> Record:
        recorder = episode.recorder
        if episode.failure is not None:
            recorder.env.close()  # nobody knows in which state it is
            return episode.failure
        self._idle.setdefault(recorder.task.env, []).append(recorder.env)
        origin = provenance_of(episode.agent, self._seed, episode.ended)
        return recorder.trajectory(trajectory_id(recorder.task, self._name, self._seed), self._name, origin)


def _answer(episode: _Episode) -> Answer | ModelError:
    assert episode.request is not None, "it waits for an answer"
    try:
        return answers(episode.agent.backend, [episode.request])[0]
    except ModelError as error:
        return error


__all__ = ["BatchedAgentCollector"]
