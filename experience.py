"""The records that pass between the folders: tasks, observations, steps, trajectories and failures.

All of them are frozen, hold plain JSON values only, and carry a schema version on disk. They know nothing of stores,
environments or learners. Not here: images (a record holds their SHA-256 only; the store keeps the bytes) and whole
environments (`Observation.facts` holds what an environment chooses to reveal).
"""

from __future__ import annotations

import contextlib
import dataclasses
import html
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from numbers import Integral
from operator import attrgetter, itemgetter
from typing import Any

import orjson

from .errors import RecordError

SCHEMA_VERSION = 2
"""The version of what `encode` writes; a store written with a newer one is refused, an older one is migrated on
reading. In 1 a trajectory was written step by step, and not in columns."""

_SHORT = 60
"""Characters of a text that a `repr` shows."""
_MOST_ROWS = 50
"""Steps that a table in a notebook shows."""
_SEEN = ("text", "images", "actions", "facts")
_DONE = ("action", "reward", "terminated", "truncated", "info", "tokens")

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
        summary = f"{len(self.steps)} steps, success={self.success}, reward={self.total_reward:g}"
        return f"Trajectory({self.id!r}, task={self.task.id!r}, {summary}, collector={self.collector!r})"

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

    A trajectory of T steps is written in columns, without those that hold nothing: `seen` has T + 1 values of what was
    observed (the final observation is the last), `steps` has T of what was done. An environment lists nearly the same
    actions at every moment, often hundreds: each stands once in `actions`, and each list once in `lists`, as places in
    `actions`; `seen.actions` holds places in `lists`.

    Raises:
        RecordError: a value in it is not plain JSON.
    """
    kind = "trajectory" if isinstance(record, Trajectory) else "failure"
    try:
        body = _trajectory_json(record) if isinstance(record, Trajectory) else _failure_json(record)
        return orjson.dumps({"kind": kind, "schema": SCHEMA_VERSION, "record": body}, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError as error:
        raise RecordError(
            f"The {kind} of task {record.task.id!r} holds a value that is not plain JSON: {error}."
        ) from error


def decode(line: bytes | str) -> Record:
    """Return the record that `encode` wrote.

    Raises:
        RecordError: the line is not JSON, is of a newer schema, or lacks a field.
    """
    kind, body = fields_of(line)
    with _whole():
        return _trajectory(body) if kind == "trajectory" else failure_from_json(body)


def fields_of(line: bytes | str) -> tuple[str, dict[str, Json]]:
    """Return the kind of an encoded record, `trajectory` or `failure`, and its fields as `encode` writes them today.

    Raises:
        RecordError: the line is not JSON, is of a newer schema, or is not in the form of its own.
    """
    with _whole():
        data = orjson.loads(line)
        if data["schema"] > SCHEMA_VERSION:
            raise RecordError(
                f"This record has schema {data['schema']} and this pathei reads up to {SCHEMA_VERSION}: upgrade pathei."
            )
        kind, body = data["kind"], data["record"]
        return kind, _migrated(body) if kind == "trajectory" else body


@contextlib.contextmanager
def _whole() -> Iterator[None]:
    """Say that a record is malformed, whatever shows it."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(f"A stored record is malformed ({type(error).__name__}: {error}).") from error


def _trajectory_json(trajectory: Trajectory) -> dict[str, Json]:
    """Return a trajectory as `encode` writes it."""
    head = {"id": trajectory.id, "task": trajectory.task, "collector": trajectory.collector}
    if trajectory.parent is not None:
        head["parent"] = trajectory.parent
    head["provenance"] = trajectory.provenance
    seen = [*(step.observation for step in trajectory.steps), trajectory.final]
    return _in_columns(head, map(attrgetter(*_SEEN), seen), map(attrgetter(*_DONE), trajectory.steps))


def _in_columns(head: dict[str, Json], seen: Iterable[Any], done: Iterable[Any]) -> dict[str, Json]:
    """Add to the fields of a trajectory what was seen and done, given row by row."""
    columns = dict(zip(_SEEN, zip(*seen, strict=True), strict=True))
    columns["images"] = tuple([images or None for images in columns["images"]])
    lists: dict[tuple[str, ...], int] = {}
    columns["actions"] = tuple(
        [None if one is None else lists.setdefault(tuple(one), len(lists)) for one in columns["actions"]]
    )
    actions = dict.fromkeys(chain.from_iterable(lists))
    place = dict(zip(actions, range(len(actions)), strict=True)).__getitem__
    head["seen"] = _without_empty(columns)
    head["steps"] = _without_empty(dict(zip(_DONE, zip(*done, strict=True), strict=False)))
    head["lists"] = [list(map(place, one)) for one in lists]
    head["actions"] = list(actions)
    return head


def _without_empty(columns: dict[str, tuple[Json, ...]]) -> dict[str, tuple[Json, ...]]:
    return {name: values for name, values in columns.items() if any(value is not None for value in values)}


def _migrated(data: dict[str, Json]) -> dict[str, Json]:
    """Return the fields of a trajectory in columns; in schema 1 it has them row by row."""
    if "seen" in data:
        return data
    head = {name: data[name] for name in ("id", "task", "collector", "parent", "provenance") if data[name] is not None}
    seen = [*(step["observation"] for step in data["steps"]), data["final"]]
    return _in_columns(head, map(itemgetter(*_SEEN), seen), map(itemgetter(*_DONE), data["steps"]))


def _failure_json(failure: Failure) -> dict[str, Json]:
    """Return a failure as `encode` writes it."""
    body = {"task": failure.task, "stage": failure.stage, "error": failure.error, "notes": failure.notes}
    return body if failure.played is None else {**body, "played": _trajectory_json(failure.played)}


def task_from_json(data: Mapping[str, Json]) -> Task:
    """Return the task that `dataclasses.asdict` (or `encode`) made into plain JSON."""
    goal = Goal(data["goal"]["text"], tuple(data["goal"]["conditions"]))
    return Task(data["id"], data["env"], data["seed"], goal, data["options"])


def _tokens(data: Mapping[str, Json]) -> Tokens:
    logprobs = data["logprobs"]
    return Tokens(
        tuple(data["prompt_ids"]), tuple(data["completion_ids"]), None if logprobs is None else tuple(logprobs)
    )


def _trajectory(data: Mapping[str, Json]) -> Trajectory:
    """Return the trajectory that `_trajectory_json` described."""
    seen, steps, parent = data["seen"], data["steps"], data.get("parent")
    action_at = data["actions"].__getitem__
    lists = [tuple(map(action_at, places)) for places in data["lists"]]
    nothing = (None,) * len(seen["text"])
    images, listed, facts = (seen.get(name, nothing) for name in ("images", "actions", "facts"))
    observations = [
        Observation(text, tuple(shown or ()), None if place is None else lists[place], known)
        for text, shown, place, known in zip(seen["text"], images, listed, facts, strict=True)
    ]
    tokens = [one and _tokens(one) for one in steps.get("tokens", nothing[1:])]
    done = (steps.get(name, ()) for name in _DONE[:-1])
    return Trajectory(
        data["id"],
        task_from_json(data["task"]),
        tuple(Step(*row) for row in zip(observations[:-1], *done, tokens, strict=True)),
        observations[-1],
        data["collector"],
        None if parent is None else Parent(parent["trajectory"], parent["step"]),
        data["provenance"],
    )


def failure_from_json(data: Mapping[str, Json]) -> Failure:
    """Return the failure that `encode` made into plain JSON."""
    # Both are missing in records of version 0.1.0.
    played = data.get("played")
    notes = data.get("notes") or {}
    return Failure(
        task_from_json(data["task"]),
        data["stage"],
        data["error"],
        notes,
        None if played is None else _trajectory(_migrated(played)),
    )
