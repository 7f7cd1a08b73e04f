"""The one loop that plays tasks: a `Rollout` plays each task with a policy and yields what was recorded.

With `batch` above 1 several episodes are in progress at once, and where an agent asks a language model
(`AgentPolicy`) the requests of all of them go to the model together: for a model in this process that is several
times as fast as one after another. An episode does not depend on the others, up to the rounding of a batched forward
pass. Not here: choosing actions (`policy`), worker processes (`pool`), and the store (`collect`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ...agents.lm.agent import answers
from ...agents.lm.backends import Answer
from ...errors import ConfigError, ModelError
from ...experience import Failure, Record, Task
from ...registry import one_line
from ..protocol import episode_seed, trajectory_id
from .episode import Envs, PutImage, Recorder
from .policy import AgentPolicy, ModelCall, Policy, PolicyReport, Rng, Turns


class Played(NamedTuple):
    """One task that was played."""

    records: list[Record]
    """The trajectory and its branches, or one failure."""
    env_steps: int
    """Transitions of the environment in all, those of searches included; 0 for a failure, where it is not known."""


class _Episode:
    """An episode in progress."""

    def __init__(self, recorder: Recorder, slot: int, turns: Turns) -> None:
        self.recorder, self.slot, self.turns = recorder, slot, turns
        self.call: ModelCall | None = None
        """What a model is to be asked next; None when the episode is over."""


class Rollout:
    """The collector that plays each task with a policy. An episode depends on the task, the seed and the policy."""

    def __init__(
        self,
        policy: Policy,
        *,
        name: str = "agent",
        max_steps: int = 100,
        seed: int = 0,
        batch: int = 1,
        put_image: PutImage | None = None,
    ) -> None:
        """Create the collector; environments are made when they are needed.

        Args:
            policy: Chooses the actions.
            name: What trajectories name as their collector.
            max_steps: The longest episode.
            seed: Mixed with each task's own seed.
            batch: How many episodes are in progress at once, each in an environment of its own.
            put_image: Stores an image and returns its SHA-256; needed where observations hold images.

        Raises:
            ConfigError: `max_steps` or `batch` is less than 1.
        """
        if max_steps < 1 or batch < 1:
            raise ConfigError(
                f"An episode needs at least one step, and batch is at least 1; they are {max_steps} and {batch}."
            )
        self.envs = Envs()
        """The environments of this process."""
        self.policy = policy
        """What chooses the actions."""
        self.batch = batch
        """How many episodes are in progress at once."""
        self._name = name
        self._max_steps = max_steps
        self._seed = seed
        self._put_image = put_image

    def record_frames(self, put_image: PutImage) -> None:
        """Record what the environment draws with every observation from now on.

        Args:
            put_image: Stores an image and returns its SHA-256.
        """
        self.envs.close()
        self.envs, self._put_image = Envs(frames=True), put_image

    def collect(self, tasks: Iterable[Task]) -> Iterator[Record]:
        """Play each task, and yield its records as soon as its episode is over."""
        if self.batch == 1:
            for task in tasks:
                yield from self.play(task).records
        else:
            yield from self._collect_batched(tasks)

    def close(self) -> None:
        """Close the environments."""
        self.envs.close()

    def play(self, task: Task, rng: Rng | None = None) -> Played:
        """Play one task.

        Args:
            task: The task.
            rng: Determines everything random; `episode_seed` of the task if None.
        """
        recorder = self._recorder(task, 0)
        if isinstance(recorder, Failure):
            return Played([recorder], 0)
        try:
            report = self.policy.play(recorder, episode_seed(self._seed, task) if rng is None else rng)
            return Played(self._records(recorder, report), len(recorder.steps) + report.env_steps)
        except Exception as error:  # noqa: BLE001  # an env or a policy may raise anything; it is kept as a Failure
            return Played([self._failed(recorder, 0, error)], 0)

    def _recorder(self, task: Task, slot: int) -> Recorder | Failure:
        try:
            env = self.envs.get(task, slot)
        except Exception as error:  # noqa: BLE001  # an env may raise anything while it is made; it is kept
            return Failure(task, "make", one_line(error))
        return Recorder(env, task, max_steps=self._max_steps, put_image=self._put_image)

    def _records(self, recorder: Recorder, report: PolicyReport) -> list[Record]:
        origin = {**report.provenance, "seed": self._seed}
        root = recorder.trajectory(trajectory_id(recorder.task, self._name, self._seed), self._name, origin)
        return [root, *(() if report.branches is None else report.branches(root))]

    def _failed(self, recorder: Recorder, slot: int, error: Exception) -> Failure:
        self.envs.drop(recorder.task, slot)
        id_ = trajectory_id(recorder.task, self._name, self._seed)
        return recorder.failure(error, id_, self._name, {"seed": self._seed})

    # --- several episodes at once

    def _collect_batched(self, tasks: Iterable[Task]) -> Iterator[Record]:
        waiting, playing, free = iter(tasks), list[_Episode](), list(range(self.batch))
        while True:
            while free and (task := next(waiting, None)) is not None:
                recorder = self._recorder(task, free[-1])
                if isinstance(recorder, Failure):
                    yield recorder
                    continue
                episode = _Episode(recorder, free.pop(), self._turns(recorder))
                yield from self._go_on(episode, None)
                if episode.call is None:
                    free.append(episode.slot)
                else:
                    playing.append(episode)
            if not playing:
                return
            for episode, answer in zip(playing, _answered([one.call for one in playing if one.call]), strict=True):
                yield from self._go_on(episode, answer)
                if episode.call is None:
                    free.append(episode.slot)
            playing = [episode for episode in playing if episode.call is not None]

    def _turns(self, recorder: Recorder) -> Turns:
        rng = episode_seed(self._seed, recorder.task)
        if isinstance(self.policy, AgentPolicy):
            return (yield from self.policy.turns(recorder, rng))
        return self.policy.play(recorder, rng)

    def _go_on(self, episode: _Episode, answer: Answer | ModelError | None) -> list[Record]:
        """Play until a model has to be asked again; return the records if the episode is over."""
        recorder, turns = episode.recorder, episode.turns
        episode.call = None
        try:
            if isinstance(answer, ModelError):
                episode.call = turns.throw(answer)
            else:
                episode.call = next(turns) if answer is None else turns.send(answer)
        except StopIteration as done:
            report: PolicyReport = done.value
        except Exception as error:  # noqa: BLE001  # an env or a policy may raise anything; it is kept as a Failure
            return [self._failed(recorder, episode.slot, error)]
        else:
            return []
        try:
            return self._records(recorder, report)
        except Exception as error:  # noqa: BLE001  # the same, while branches are recorded
            return [self._failed(recorder, episode.slot, error)]


def _answered(calls: list[ModelCall]) -> list[Answer | ModelError]:
    """Ask each model for all that wait for it; where that fails, one by one: one request must not fail the others."""
    found: dict[int, Answer | ModelError] = {}
    for backend in {id(call.backend): call.backend for call in calls}.values():
        places = [place for place, call in enumerate(calls) if call.backend is backend]
        try:
            replies: list[Answer | ModelError] = [*answers(backend, [calls[place].request for place in places])]
        except ModelError as error:
            replies = [error] if len(places) == 1 else [_answered([calls[place]])[0] for place in places]
        found.update(zip(places, replies, strict=True))
    return [found[place] for place in range(len(calls))]
