"""One episode: a `Recorder` resets the task's environment, takes actions, and keeps everything that was returned.

Not here: choosing the actions (`policy`), and the loop over tasks (`rollout`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import gymnasium
import numpy as np
import orjson

from ...agents.protocol import Decision
from ...envs import contract
from ...errors import AnswerError, ContractError
from ...experience import Failure, Json, Observation, Step, Task, Trajectory
from ...registry import one_line
from .frames import make_with_frames

Stage = Literal["make", "reset", "act", "step"]
PutImage = Callable[[np.ndarray[Any, Any]], str]


class RecorderSnapshot(NamedTuple):
    """The state of a recorder: the last observation, and whose turn it is."""

    observation: Observation
    character: Json


class Recorder:
    """An episode in progress: steps the environment and keeps what it returned."""

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        task: Task,
        *,
        max_steps: int,
        put_image: PutImage | None = None,
        watch: Callable[[Recorder], None] | None = None,
    ) -> None:
        """Prepare an episode; `reset` begins it.

        Args:
            env: The environment that the task names.
            task: What to play.
            max_steps: The longest episode: the last step is then `truncated`.
            put_image: Stores an image and returns its SHA-256; needed where observations hold images.
            watch: Called after each reset and after every step.
        """
        self.env = env
        """The environment; a policy that needs snapshots may wrap it before the reset."""
        self.task = task
        self.stage: Stage = "make"
        """What is being done: names the stage of a failure."""
        self.steps: list[Step] = []
        """The steps so far."""
        self.observation = Observation("")
        """The last observation, facts included; valid after `reset`."""
        self.raw: Any = None
        """The last observation as the environment returned it."""
        self.character: Json = None
        """Whose turn it is, where the environment says so."""
        self._at_start: bool | None = None
        self._max_steps = max_steps
        self._put_image = put_image
        self._watch = watch

    @property
    def over(self) -> bool:
        """Whether the last step ended the episode."""
        return bool(self.steps) and (self.steps[-1].terminated or self.steps[-1].truncated)

    @property
    def success(self) -> bool:
        """Whether the environment reported with the last step, or before the first, that the goal holds."""
        return self.steps[-1].info.get("success") is True if self.steps else self.held

    @property
    def held(self) -> bool:
        """Whether the goal held at the beginning, so that nothing is to be done."""
        return self._at_start is True

    def reset(self) -> Observation:
        """Begin the episode, or begin it again, and return the first observation."""
        self.stage, self.steps = "reset", []
        self.raw, info = contract.reset(self.env, self.task)
        self.character = info.get("character")
        self._at_start = contract.succeeded(info)
        self.observation = contract.observe(self.raw, info, self._put_image)
        self.stage = "act"
        if self._watch is not None:
            self._watch(self)
        return self.observation

    def step(self, action: str, chosen: Decision | None = None) -> Step:
        """Act, and return the step that was recorded.

        `info["character"]` of a step is the one that acted, where the environment says whose turn is next (the one in
        its `info["actor"]`, where an action may name another);
        `info["agent"]` holds the notes of an agent that makes some.

        Args:
            action: The action in words; for a space of numbers, as JSON (see `read_action`).
            chosen: How the agent chose it.

        Raises:
            ContractError: what the environment returned is not what `contract.step` and `contract.observe` ask for.
        """
        self.stage = "act"
        given = read_action(self.env.action_space, action)
        self.stage = "step"
        observation, reward, terminated, truncated, info = contract.step(self.env, given)
        said = contract.plain(info)
        if (success := contract.succeeded(info)) is not None:
            said["success"] = success
        if self.character is not None:
            said["character"] = said.pop("actor", self.character)
            self.character = info.get("character")
        if chosen is not None and chosen.notes:
            said["agent"] = dict(chosen.notes)
        cut = truncated or (len(self.steps) + 1 >= self._max_steps and not terminated)
        tokens = None if chosen is None else chosen.tokens
        step = Step(self.observation, action, reward, terminated, cut, said, tokens)
        self.raw = observation
        self.observation = contract.observe(observation, info, self._put_image)
        self.steps.append(step)
        self.stage = "act"
        if self._watch is not None:
            self._watch(self)
        return step

    def mark(self) -> RecorderSnapshot:
        """Return what a branch that begins here needs; the caller saves the environment's own state."""
        return RecorderSnapshot(self.observation, self.character)

    def resume(self, mark: RecorderSnapshot) -> None:
        """Begin a branch: after the environment was restored to where the mark was made, there are no steps yet."""
        self.stage, self.steps, self._at_start = "act", [], None
        self.observation, self.character = mark

    def trajectory(self, id_: str, collector: str, provenance: Mapping[str, Json]) -> Trajectory:
        """Return the episode as it stands; one without steps says in its provenance whether the goal held."""
        if not self.steps and self._at_start is not None:
            provenance = {**provenance, "success": self._at_start}
        return Trajectory(id_, self.task, tuple(self.steps), self.observation, collector, provenance=dict(provenance))

    def failure(self, error: BaseException, id_: str, collector: str, provenance: Mapping[str, Json]) -> Failure:
        """Return that the episode broke where it stands, with its steps and the notes of the error (`AnswerError`)."""
        notes = error.notes if isinstance(error, AnswerError) else {}
        played = self.trajectory(id_, collector, provenance) if self.steps else None
        return Failure(self.task, self.stage, one_line(error), notes, played)


class Envs:
    """The environments of one process, each made once and used for many episodes."""

    def __init__(self, *, frames: bool = False) -> None:
        """Prepare; nothing is made yet.

        Args:
            frames: Whether observations are to hold what the environment draws.
        """
        self._frames = frames
        self._made: dict[tuple[str, int], gymnasium.Env[Any, Any]] = {}

    def get(self, task: Task, slot: int = 0) -> gymnasium.Env[Any, Any]:
        """Return the environment that a task names, made on the first call.

        Args:
            task: The task.
            slot: Episodes that are played at the same time have environments of their own, one for each slot.

        Raises:
            UnknownNameError, MissingDependencyError: see `contract.make`.
            ConfigError: frames are wanted, and it draws none.
        """
        env = self._made.get((task.env, slot))
        if env is None:
            env = self._made[task.env, slot] = make_with_frames(task) if self._frames else contract.make(task)
        return env

    def drop(self, task: Task, slot: int = 0) -> None:
        """Close and forget the environment of a task that crashed: its state is unknown."""
        env = self._made.pop((task.env, slot), None)
        if env is not None:
            _close(env)

    def close(self) -> None:
        """Close all of them."""
        while self._made:
            _close(self._made.popitem()[1])


def _close(env: gymnasium.Env[Any, Any]) -> None:
    try:
        env.close()
    except Exception as error:  # noqa: BLE001  # after a crash it may not close either; the next one is not affected
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
