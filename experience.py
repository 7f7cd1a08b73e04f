"""The records that pass between the folders: tasks, observations, steps, trajectories and failures.

All of them are frozen, hold plain JSON values only, and carry a schema version on disk. They know nothing of stores,
environments or learners. Not here: images (a record holds their SHA-256 only; the store keeps the bytes) and whole
environments (`Observation.facts` holds what an environment chooses to reveal).
"""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

import orjson

from .errors import RecordError

SCHEMA_VERSION = 1
"""The version of the form below; a store written with a newer one is refused, an older one is migrated on reading."""

_SHORT = 60
"""Characters of a text that a `repr` shows."""
_MOST_ROWS = 50
"""Steps that a table in a notebook shows."""

Json = Any
"""A JSON value: None, bool, int, float, str, a list of them, or a dict from str to them."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to be achieved: in words and, where the environment can check it, in conditions."""

    text: str
    """The goal as an agent reads it: `"turn on the floor lamp"`."""
    conditions: tuple[Mapping[str, Json], ...] = ()
    """Conditions in the environment's own form; all must hold together at the end. Empty means that nothing is checked:
    success is then unknown, not true."""

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            RecordError: the text is none, or the conditions are not several.
        """
        _require(self, text=(str, "a text"), conditions=(tuple | list, "a tuple of conditions"))

    def seen(self) -> Goal:
        """Return the goal as an agent may see it: in words, without the conditions, which are the judge's."""
        return Goal(self.text) if self.conditions else self

    def __repr__(self) -> str:
        return f"Goal({shorten(self.text)}, {len(self.conditions)} conditions)"

    def _repr_html_(self) -> str:
        return html_table(("goal", "conditions"), [(self.text, "; ".join(map(str, self.conditions)))])


@dataclass(frozen=True, slots=True)
class Task:
    """A goal in an environment that is the same on every machine, whichever worker plays it and in whatever order."""

    id: str
    """Unique within a task set, and stable between runs: resuming compares these."""
    env: str
    """The gymnasium id: `"pathei/VirtualHome-v0"`."""
    seed: int
    """Given to `env.reset(seed=...)` and, mixed with the collector's seed, to the agent."""
    goal: Goal
    options: Mapping[str, Json] = field(default_factory=dict)
    """Given to `env.reset(options=...)` in addition to the goal: which scene, which rules, how many characters."""

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            RecordError: one is of another type; the message says which.
        """
        text, goal = (str, "a text"), (Goal, "a Goal, as Goal('turn on the lamp')")
        _require(self, id=text, env=text, seed=(Integral, "a whole number"), goal=goal, options=(Mapping, "a mapping"))

    def __repr__(self) -> str:
        return f"Task({self.id!r}, {self.env!r}, seed={self.seed}, goal={shorten(self.goal.text)})"

    def _repr_html_(self) -> str:
        rows = [("id", self.id), ("environment", self.env), ("seed", self.seed), ("goal", self.goal.text)]
        return html_table(("task", ""), [*rows, *self.options.items()])


@dataclass(frozen=True, slots=True)
class Observation:
    """What an environment shows at one moment."""

    text: str
    """What the agent perceives, in words."""
    images: tuple[str, ...] = ()
    """SHA-256 (hex) of each image, in order; the store holds the bytes."""
    actions: tuple[str, ...] | None = None
    """The admissible actions, or None where actions are free form."""
    facts: Mapping[str, Json] | None = None
    """Privileged state for rewards and question corpora. An agent never sees it: pass it `seen()`."""

    def seen(self) -> Observation:
        """Return the observation as an agent may see it: without the facts."""
        return self if self.facts is None else dataclasses.replace(self, facts=None)

    def __repr__(self) -> str:
        actions = "free form" if self.actions is None else f"{len(self.actions)} actions"
        images = f", {len(self.images)} images" if self.images else ""
        return f"Observation({shorten(self.text)}, {actions}{images})"

    def _repr_html_(self) -> str:
        return html_table(("observation",), [(self.text,)])


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a language model read and wrote when it acted, so that training never has to tokenise again."""

    prompt_ids: tuple[int, ...]
    """Token ids of the prompt, shape `[P]`."""
    completion_ids: tuple[int, ...]
    """Token ids that the model produced, shape `[T]`."""
    logprobs: tuple[float, ...] | None = None
    """Natural log-probability of each completion token when sampled, shape `[T]`; None if the back end gave none."""


@dataclass(frozen=True, slots=True)
class Step:
    """One action with what came before and after; the five results mean what gymnasium's `Env.step` says."""

    observation: Observation
    """What was observed before acting."""
    action: str
    """The action as it was sent to the environment."""
    reward: float
    """The reward that the action earned."""
    terminated: bool = False
    """The task ended with this action: it was reached, or became impossible."""
    truncated: bool = False
    """The episode was cut off (time limit) with this action."""
    info: Mapping[str, Json] = field(default_factory=dict)
    """What else the environment reported: `success`, `progress`, `error`, the character that acted; plain JSON."""
    tokens: Tokens | None = None
    """Token ids and log-probabilities when a language model chose the action."""

    def __repr__(self) -> str:
        ends = [name for name in ("terminated", "truncated") if getattr(self, name)]
        error = [f"error={shorten(str(self.info['error']))}"] if "error" in self.info else []
        return f"Step({', '.join([shorten(self.action), f'reward={self.reward:g}', *ends, *error])})"

    def _repr_html_(self) -> str:
        return _steps_table([self])


@dataclass(frozen=True, slots=True)
class Parent:
    """Where a branch leaves its parent: the branch shares the parent's first `step` steps and does not repeat them."""

    trajectory: str
    """The id of the trajectory that is branched from."""
    step: int
    """How many of its steps the branch shares."""


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One episode, or one branch of a search tree."""

    id: str
    task: Task
    steps: tuple[Step, ...]
    final: Observation
    """What was observed after the last step."""
    collector: str
    """Which collector played it: `"explore"`, `"mcts"`, `"curriculum"`, `"agent"`."""
    parent: Parent | None = None
    """For a branch: the trajectory whose prefix it shares, and how many steps of it."""
    provenance: Mapping[str, Json] = field(default_factory=dict)
    """Agent, seed, search cost and anything else about its origin; plain JSON."""

    @property
    def success(self) -> bool | None:
        """Whether the goal held at the end; None if the environment does not report it.

        Of an episode without steps that is its provenance's `success`: whether the goal held at the beginning.
        """
        value = self.steps[-1].info.get("success") if self.steps else self.provenance.get("success")
        return None if value is None else bool(value)

    @property
    def total_reward(self) -> float:
        """The undiscounted sum of rewards."""
        return float(sum(step.reward for step in self.steps))

    def __repr__(self) -> str:
        told = f"{len(self.steps)} steps, success={self.success}, reward={self.total_reward:g}"
        return f"Trajectory({self.id!r}, task={self.task.id!r}, {told}, collector={self.collector!r})"

    def _repr_html_(self) -> str:
        left = len(self.steps) - _MOST_ROWS
        more = f"<p>and {left} more steps</p>" if left > 0 else ""
        title = f"{self.task.goal.text} ({self.task.env}, success: {self.success})"
        return f"<p>{html.escape(title)}</p>{_steps_table(self.steps[:_MOST_ROWS])}{more}"


@dataclass(frozen=True, slots=True)
class Failure:
    """An episode that could not be played to its end: never a trajectory with an invented reward."""

    task: Task
    stage: str
    """Where it broke: `"make"`, `"reset"`, `"act"` or `"step"`; `"worker"` if the process died or hung, `"collect"` if
    the collector itself raised."""
    error: str
    """What happened, in one line: the exception's type and message, or how the worker died."""
    notes: Mapping[str, Json] = field(default_factory=dict, compare=False)
    """What the agent noted of the action that it could not choose, plain JSON: what that took (`usage`), the answers of
    a language model that could not be used (`refused`)."""
    played: Trajectory | None = field(default=None, compare=False)
    """The episode up to there, where it has steps, with what they took in `info["agent"]`. It is no whole episode: it
    is in no count of trajectories and in no export, and the task is played again."""

    def __repr__(self) -> str:
        return f"Failure(task={self.task.id!r}, stage={self.stage!r}, {shorten(self.error)})"

    def _repr_html_(self) -> str:
        return html_table(("failure", ""), [("task", self.task.id), ("stage", self.stage), ("error", self.error)])


Record = Trajectory | Failure
"""What a collector yields and a store keeps."""


def _require(record: object, **kinds: tuple[Any, str]) -> None:
    """Refuse a record whose fields are not of these types; each comes with its words."""
    for name, (kind, words) in kinds.items():
        value = getattr(record, name)
        if not isinstance(value, kind):
            raise RecordError(f"The {name} of a {type(record).__name__} is {words}, not {value!r:.80}.")


def shorten(text: str) -> str:
    """Return a text in quotes on one line, cut after 60 characters, as a `repr` shows it."""
    line = " ".join(text[: 4 * _SHORT].split())
    return repr(line if len(line) <= _SHORT else f"{line[: _SHORT - 3]}...")


def html_table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """Return a table for a notebook; every text in it is escaped."""
    titles = "".join(f"<th>{html.escape(str(cell))}</th>" for cell in head)
    cells = (
        "".join(f"<td style='white-space: pre-wrap'>{html.escape(str(cell))}</td>" for cell in row) for row in rows
    )
    return f"<table><tr>{titles}</tr>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"


def _steps_table(steps: Iterable[Step]) -> str:
    head = ("", "observed", "action", "reward", "refused")
    rows = (
        (number, step.observation.text, step.action, f"{step.reward:g}", step.info.get("error", ""))
        for number, step in enumerate(steps, 1)
    )
    return html_table(head, rows)


def encode(record: Record) -> bytes:
    """Return a record as one line of JSON (UTF-8, no newline), tagged with its kind and the schema version.

    Raises:
        RecordError: a value in it is not plain JSON.
    """
    kind = "trajectory" if isinstance(record, Trajectory) else "failure"
    try:
        return orjson.dumps(
            {"kind": kind, "schema": SCHEMA_VERSION, "record": record}, option=orjson.OPT_SERIALIZE_NUMPY
        )
    except TypeError as error:
        raise RecordError(
            f"The {kind} of task {record.task.id!r} holds a value that is not plain JSON: {error}."
        ) from error


def decode(line: bytes | str) -> Record:
    """Return the record that `encode` wrote.

    Raises:
        RecordError: the line is not JSON, is of a newer schema, or lacks a field.
    """
    try:
        data = orjson.loads(line)
        if data["schema"] > SCHEMA_VERSION:
            raise RecordError(
                f"This record has schema {data['schema']} and this pathei reads up to {SCHEMA_VERSION}: upgrade pathei."
            )
        body = data["record"]
        return _trajectory(body) if data["kind"] == "trajectory" else failure_from_json(body)
    except (KeyError, TypeError, ValueError, orjson.JSONDecodeError) as error:
        raise RecordError(f"A stored record is malformed ({type(error).__name__}: {error}).") from error


def task_from_json(data: Mapping[str, Json]) -> Task:
    """Return the task that `dataclasses.asdict` (or `encode`) made into plain JSON."""
    goal = Goal(data["goal"]["text"], tuple(data["goal"]["conditions"]))
    return Task(data["id"], data["env"], data["seed"], goal, data["options"])


def _observation(data: Mapping[str, Json]) -> Observation:
    actions = data["actions"]
    return Observation(data["text"], tuple(data["images"]), None if actions is None else tuple(actions), data["facts"])


def _step(data: Mapping[str, Json]) -> Step:
    tokens = data["tokens"]
    if tokens is not None:
        logprobs = tokens["logprobs"]
        tokens = Tokens(
            tuple(tokens["prompt_ids"]),
            tuple(tokens["completion_ids"]),
            None if logprobs is None else tuple(logprobs),
        )
    return Step(
        _observation(data["observation"]),
        data["action"],
        data["reward"],
        data["terminated"],
        data["truncated"],
        data["info"],
        tokens,
    )


def _trajectory(data: Mapping[str, Json]) -> Trajectory:
    parent = data["parent"]
    return Trajectory(
        data["id"],
        task_from_json(data["task"]),
        tuple(_step(step) for step in data["steps"]),
        _observation(data["final"]),
        data["collector"],
        None if parent is None else Parent(parent["trajectory"], parent["step"]),
        data["provenance"],
    )


def failure_from_json(data: Mapping[str, Json]) -> Failure:
    """Return the failure that `dataclasses.asdict` (or `encode`) made into plain JSON."""
    # Both are missing in records of version 0.1.0.
    played = data.get("played")
    notes = data.get("notes") or {}
    return Failure(
        task_from_json(data["task"]),
        data["stage"],
        data["error"],
        notes,
        None if played is None else _trajectory(played),
    )
