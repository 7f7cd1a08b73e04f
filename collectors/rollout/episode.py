"""One episode: a task's world is reset, somebody acts, and everything is recorded.

`play` is for an agent; a collector that chooses actions itself drives a `Recorder`. Left out: choosing, and storing.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import gymnasium
import numpy as np
import orjson

from ...agents.protocol import ActionRecord, Agent, Finished, RecordingAgent, reset_agent
from ...envs import contract
from ...errors import ContractError
from ...experience import Failure, Json, Observation, Step, Task, Trajectory
from ..protocol import episode_seed, trajectory_id

Stage = Literal["make", "reset", "act", "step"]
PutImage = Callable[[np.ndarray[Any, Any]], str]


class RecorderSnapshot(NamedTuple):
    """Where an episode stands: what was observed last, and whose turn it is."""

    observation: Observation
    character: Json


class Recorder:
    """An episode in progress: steps the environment and keeps what it returned."""

    def __init__(
        self, env: gymnasium.Env[Any, Any], task: Task, *, max_steps: int, put_image: PutImage | None = None
    ) -> None:
        """Prepare an episode; `reset` begins it.

        Args:
            env: The environment that the task names.
            task: What to play.
            max_steps: After so many steps the episode is cut off: the last step is `truncated`.
            put_image: Stores an image and returns its SHA-256; needed where observations hold images.
        """
        self.env = env
        self.task = task
        self.stage: Stage = "reset"
        """What is being done; where a failure happened."""
        self.steps: list[Step] = []
        """The steps so far."""
        self.observation = Observation("")
        """What was observed last, facts included; valid after `reset`."""
        self.character: Json = None
        """Whose turn it is, where the environment says so."""
        self._max_steps = max_steps
        self._put_image = put_image

    @property
    def over(self) -> bool:
        """Whether the last step ended the episode."""
        return bool(self.steps) and (self.steps[-1].terminated or self.steps[-1].truncated)

    def reset(self) -> Observation:
        """Begin the episode and return what is observed first."""
        self.stage, self.steps = "reset", []
        observation, info = contract.reset(self.env, self.task)
        self.character = info.get("character")
        self.observation = contract.observe(observation, info, self._put_image)
        self.stage = "act"
        return self.observation

    def step(self, action: str, told: ActionRecord | None = None) -> Step:
        """Act, and return the step that was recorded.

        `info["character"]` of a step is the one that acted, where the environment says whose turn is next;
        `info["agent"]` holds the notes of an agent that makes some.

        Args:
            action: The action in words; for a space of numbers, as JSON (see `read_action`).
            told: How the agent came to it.
        """
        self.stage = "act"
        given = read_action(self.env.action_space, action)
        self.stage = "step"
        observation, reward, terminated, truncated, info = self.env.step(given)
        said = contract.plain(info)
        if self.character is not None:
            said["character"] = self.character
            self.character = info.get("character")
        if told is not None and told.notes:
            said["agent"] = dict(told.notes)
        cut = bool(truncated) or (len(self.steps) + 1 >= self._max_steps and not terminated)
        tokens = None if told is None else told.tokens
        step = Step(self.observation, action, float(reward), bool(terminated), cut, said, tokens)
        self.observation = contract.observe(observation, info, self._put_image)
        self.steps.append(step)
        self.stage = "act"
        return step

    def mark(self) -> RecorderSnapshot:
        """Return what a branch that begins here has to know; the environment's own state is the caller's to save."""
        return RecorderSnapshot(self.observation, self.character)

    def resume(self, mark: RecorderSnapshot) -> None:
        """Begin a branch: after the environment was restored to where the mark was made, there are no steps yet."""
        self.stage, self.steps = "act", []
        self.observation, self.character = mark

    def trajectory(self, id_: str, collector: str, provenance: Mapping[str, Json]) -> Trajectory:
        """Return the episode as it stands."""
        return Trajectory(id_, self.task, tuple(self.steps), self.observation, collector, provenance=dict(provenance))

    def failure(self, error: BaseException) -> Failure:
        """Return that the episode broke where it stands."""
        return Failure(self.task, self.stage, one_line(error))


def play(
    env: gymnasium.Env[Any, Any],
    task: Task,
    agent: Agent,
    *,
    max_steps: int,
    seed: int = 0,
    collector: str = "agent",
    put_image: PutImage | None = None,
    watch: Callable[[Recorder], None] | None = None,
) -> Trajectory:
    """Let an agent play a task to its end: terminated, truncated, or finished by the agent.

    The provenance of the result holds the agent's class, the seed, whether the agent ended the episode (`finished`),
    and, if it said so, why (`ended`) and how it came to that (`ending`).

    Args:
        env: The environment that the task names; it stays open.
        task: What to play.
        agent: Who plays; it is reset with its seed for this episode, and shown no facts.
        max_steps: After so many steps the episode is cut off.
        seed: The collector's seed; see `episode_seed`.
        collector: What to record as the collector.
        put_image: Stores an image and returns its SHA-256.
        watch: Called after the reset and after every step.

    Raises:
        Exception: whatever the environment or the agent raises; `play_or_fail` makes a `Failure` of it.
    """
    recorder = Recorder(env, task, max_steps=max_steps, put_image=put_image)
    return _played(recorder, agent, seed, collector, watch)


def play_or_fail(
    env: gymnasium.Env[Any, Any],
    task: Task,
    agent: Agent,
    *,
    max_steps: int,
    seed: int = 0,
    collector: str = "agent",
    put_image: PutImage | None = None,
    watch: Callable[[Recorder], None] | None = None,
) -> Trajectory | Failure:
    """Do as `play`, but return a `Failure` with its stage if the environment or the agent raises."""
    recorder = Recorder(env, task, max_steps=max_steps, put_image=put_image)
    try:
        return _played(recorder, agent, seed, collector, watch)
    except Exception as error:  # noqa: BLE001  # a world or an agent may raise anything, and it is kept as a Failure
        return recorder.failure(error)


def _played(
    recorder: Recorder, agent: Agent, seed: int, collector: str, watch: Callable[[Recorder], None] | None
) -> Trajectory:
    own_seed = episode_seed(seed, recorder.task)
    recorder.reset()
    reset_agent(agent, own_seed)
    ended: Finished | None = None
    if watch is not None:
        watch(recorder)
    while not recorder.over:
        try:
            action = agent.act(recorder.observation.seen(), recorder.task.goal)
        except Finished as signal:
            ended = signal
            break
        recorder.step(action, agent.told() if isinstance(agent, RecordingAgent) else None)
        if watch is not None:
            watch(recorder)
    origin = provenance_of(agent, seed, ended)
    return recorder.trajectory(trajectory_id(recorder.task, collector, seed), collector, origin)


def provenance_of(agent: Agent, seed: int, ended: Finished | None) -> dict[str, Json]:
    """Return how an episode came about, for its record.

    Args:
        agent: Who played.
        seed: The collector's seed.
        ended: By what the agent ended the episode, if it did.
    """
    origin: dict[str, Json] = {"agent": type(agent).__name__, "seed": seed, "finished": ended is not None}
    if ended is not None and str(ended):
        origin["ended"] = str(ended)
    if ended is not None and ended.notes:
        origin["ending"] = ended.notes
    return origin


class Envs:
    """The environments of one process, each made once and used for many episodes."""

    def __init__(self) -> None:
        self._made: dict[str, gymnasium.Env[Any, Any]] = {}

    def get(self, task: Task) -> gymnasium.Env[Any, Any]:
        """Return the environment that a task names, made on the first call.

        Raises:
            UnknownNameError, MissingDependencyError: see `contract.make`.
        """
        env = self._made.get(task.env)
        if env is None:
            env = self._made[task.env] = contract.make(task)
        return env

    def drop(self, task: Task) -> None:
        """Forget the environment of a task that crashed: nobody knows in which state it is."""
        env = self._made.pop(task.env, None)
        if env is not None:
            _close(env)

    def close(self) -> None:
        """Close all of them."""
        while self._made:
            _close(self._made.popitem()[1])


def _close(env: gymnasium.Env[Any, Any]) -> None:
    try:
        env.close()
    except Exception as error:  # noqa: BLE001  # after a crash it may not close either, and the next one is not affected
        warnings.warn(f"{env} could not be closed: {one_line(error)}", stacklevel=2)


def read_action(space: gymnasium.Space[Any], action: str) -> Any:
    """Return an action in the form that an action space asks for.

    Args:
        space: The action space. One of text takes the action as it stands; any other takes it as JSON: `"2"`,
            `"[0.5, -1]"`.
        action: The action in words.

    Raises:
        ContractError: the action is not a string, or not in a space of numbers.
    """
    if not isinstance(action, str):
        raise ContractError(f"An action is a string, not {type(action).__name__}: {action!r}.")
    if space.dtype is not None and space.dtype.kind == "U":
        return action
    try:
        given = _from_json(space, orjson.loads(action))
    except (TypeError, ValueError, KeyError, IndexError) as error:
        raise ContractError(f"The action {action!r} is not JSON for the action space {space}: {error}.") from error
    if given not in space:
        raise ContractError(f"The action {action!r} is not in the action space {space}.")
    return given


def write_action(action: Any) -> str:
    """Return an action of any space as a string; `read_action` reads it back."""
    return action if isinstance(action, str) else orjson.dumps(contract.plain({"action": action})["action"]).decode()


def _from_json(space: gymnasium.Space[Any], value: Any) -> Any:
    if isinstance(space, gymnasium.spaces.Dict):
        return {key: _from_json(inner, value[key]) for key, inner in space.items()}
    if isinstance(space, gymnasium.spaces.Tuple):
        return tuple(_from_json(inner, item) for inner, item in zip(space.spaces, value, strict=True))
    if isinstance(space, gymnasium.spaces.Discrete) and type(value) is not int:
        raise TypeError("it must be a whole number")
    return space.from_jsonable([value])[0]


def one_line(error: BaseException) -> str:
    """Return an exception's type and message in one line of at most 500 characters."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= 500 else f"{text[:497]}..."


__all__ = [
    "Envs",
    "Recorder",
    "RecorderSnapshot",
    "Stage",
    "one_line",
    "play",
    "play_or_fail",
    "read_action",
    "write_action",
]
