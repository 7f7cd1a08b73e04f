"""Result files: what an agent did in each task of a list, small enough to publish and enough to do it all again.

JSON lines. The first says which tasks, whose actions and within what limit; then one line for each episode; the last
counts them and holds a checksum of all before, so that a part of a file is no file:

    {"pathei_results": 1, "collector", "tasks": {"env", "tasks", "seed", "characters"}, "steps", "seed", "versions"}
    {"task": SHA-256, "actions": [...], "success": true, "end": SHA-256, "tokens": 0, "search": 0}
    {"episodes": 1, "sha256": ...}

Nothing in it has to be believed: `pathei.collectors.verify` does the actions again. Only what thinking took, in tokens
and transitions of a search, is the word of its author. Not here: observations, which follow from the
actions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from ..errors import ExportError, VerificationError
from ..experience import Json, Task, Trajectory
from ..store import ExperienceStore
from .common import ExportCounts, Selection

VERSION: Final = 1
_SETTINGS: Final = {"env": (str,), "tasks": (str,), "seed": (int,), "characters": (int, type(None))}
_HEAD: Final = {"collector": (str,), "tasks": (dict,), "steps": (int,), "seed": (int,), "versions": (dict,)}
_ROW: Final = {
    "task": (str,),
    "actions": (list,),
    "success": (bool, type(None)),
    "end": (str,),
    "tokens": (int,),
    "search": (int,),
}


@dataclass(frozen=True, slots=True)
class EpisodeResult:
    """What was done in one task."""

    task: str
    """The task's `task_hash`."""
    actions: tuple[str, ...]
    """The actions, in order."""
    success: bool | None
    """Whether the goal held at the end; None if the environment does not say."""
    end: str
    """The SHA-256 (hex) of the last observation's text."""
    tokens: int
    """Tokens that language models read and wrote, as the agent counted them."""
    search: int
    """Transitions of the environment that a search made before it acted, as it counted them."""


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A result file, read and found whole; whether it is true is not known yet."""

    collector: str
    """Whose actions these are."""
    tasks: Mapping[str, Json]
    """Which tasks: `env`, `tasks`, `seed` and `characters`, as `pathei collect` was given them."""
    steps: int
    """The longest episode that was allowed."""
    seed: int
    """The collector's seed."""
    versions: Mapping[str, str]
    """Python's and the packages' versions then."""
    episodes: tuple[EpisodeResult, ...]
    """What was done."""


def task_hash(task: Task) -> str:
    """Return the SHA-256 (hex) of a task: its id, environment, seed, goal and options."""
    return hashlib.sha256(orjson.dumps(task, option=orjson.OPT_SORT_KEYS)).hexdigest()


def list_hash(tasks: Iterable[Task]) -> str:
    """Return the SHA-256 (hex) of a list of tasks: that of their hashes, one a line, in alphabetical order."""
    return hashlib.sha256("".join(f"{one}\n" for one in sorted(map(task_hash, tasks))).encode()).hexdigest()


def end_hash(trajectory: Trajectory) -> str:
    """Return the SHA-256 (hex) of the last observation's text."""
    return hashlib.sha256(trajectory.final.text.encode()).hexdigest()


def tokens_of(trajectory: Trajectory) -> int:
    """Return how many tokens language models have read and written in an episode, as far as it records that."""
    count = 0
    for step in trajectory.steps:
        usage = step.info.get("agent", {}).get("usage", {}) if isinstance(step.info.get("agent"), Mapping) else {}
        if usage:
            count += int(usage.get("prompt_tokens", 0)) + int(usage.get("completion_tokens", 0))
        elif step.tokens is not None:
            count += len(step.tokens.prompt_ids) + len(step.tokens.completion_ids)
    return count


def search_steps(trajectory: Trajectory) -> int:
    """Return how many transitions a search has made for an episode, as far as it records that."""
    search = trajectory.provenance.get("search")
    return int(search.get("env_steps", 0)) if isinstance(search, Mapping) else 0


def write_results(selection: Selection, temporary: Path, target: Path) -> ExportCounts:
    """Write what one collector did in the tasks of one `pathei collect`; branches are left out.

    A task that has no episode is none that was solved. The tasks themselves are not written: a generated list follows
    from its seed, and any other is given to `pathei verify` as a file.

    Raises:
        ExportError: the episodes are of several collectors or seeds, the store does not say which tasks were played, or
            the collector chose its own goals.
    """
    del target
    rows: dict[str, bytes] = {}
    collectors, longest = set[str](), 1
    for one in selection.stored():
        if one.parent is not None:
            continue
        collectors.add(one.collector)
        row = EpisodeResult(
            task_hash(one.task),
            tuple(step.action for step in one.steps),
            one.success,
            end_hash(one),
            tokens_of(one),
            search_steps(one),
        )
        if row.task in rows and len(collectors) == 1:
            raise ExportError(
                f"The task {one.task.id!r} has several episodes of {one.collector!r}, and a result file takes one: "
                "collect each seed into a store of its own."
            )
        rows[row.task] = orjson.dumps(row)
        longest = max(longest, len(row.actions))
    if len(collectors) != 1:
        names = ", ".join(sorted(collectors)) or "nobody"
        raise ExportError(
            f"A result file has the episodes of one collector, and these are of {names}: choose one with --collector."
        )
    [collector] = collectors
    settings, versions = _played(selection.store, collector)
    head = {
        "pathei_results": VERSION,
        "collector": collector,
        "tasks": {name: settings.get(name) for name in _SETTINGS},
        # Without a limit of its own an episode was as long as its collector lets it be: the longest one says how long.
        "steps": longest if settings["steps"] is None else settings["steps"],
        "seed": settings["seed"],
        "versions": versions,
    }
    body = b"".join(line + b"\n" for line in [orjson.dumps(head), *(rows[task] for task in sorted(rows))])
    temporary.write_bytes(body + orjson.dumps(_foot(len(rows), body)) + b"\n")
    return ExportCounts(len(rows), len(rows))


def _foot(count: int, body: bytes) -> dict[str, Json]:
    return {"episodes": count, "sha256": hashlib.sha256(body).hexdigest()}


def _played(store: ExperienceStore, collector: str) -> tuple[Mapping[str, Json], Mapping[str, str]]:
    """Return the settings and versions with which a collector played last; those of merged stores are looked through.

    A session that went on with more tasks has the longer list, so the last one counts.
    """
    sessions = [asdict(one) for one in store.info().sessions]
    found: tuple[Mapping[str, Json], Mapping[str, str]] | None = None
    while sessions:
        session = sessions.pop(0)
        config = session["config"]
        if config.get("command") == "store merge":
            sessions = [*config["from"], *sessions]
        elif (
            config.get("command") in ("collect", "serve") and "tasks" in config and config.get("collector") == collector
        ):
            if config.get("own_goals"):
                raise ExportError(
                    f"{collector!r} chose its own goals, so nobody can list its tasks to verify what it did in them."
                )
            tasks = config["tasks"] if config["tasks"].isdecimal() else Path(config["tasks"]).name
            found = {**config, "tasks": tasks}, session["versions"]
    if found is None:
        raise ExportError(
            f"The store does not say which tasks {collector!r} was given, as `pathei collect` and `pathei serve` "
            "record it: use one of these commands."
        )
    return found


def read_results(path: str | Path) -> ResultFile:
    """Read a result file.

    Raises:
        VerificationError: it cannot be read, is none, or is not whole.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise VerificationError(f"The result file {path} cannot be read ({error.strerror}).") from error
    lines = content.splitlines(keepends=True)
    head, *middle = [_object(path, number, line) for number, line in enumerate(lines[:-1], 1)] or [{}]
    if head.get("pathei_results") != VERSION:
        raise VerificationError(
            f"{path} is no result file of version {VERSION}; `pathei store export --format results` makes one."
        )
    try:
        foot = orjson.loads(lines[-1])
    except ValueError:
        foot = None
    if foot != _foot(len(middle), b"".join(lines[:-1])):
        raise VerificationError(f"The result file {path} is not whole, or was changed: its last line does not fit.")
    _check(path, 1, head, _HEAD)
    _check(path, 1, head["tasks"], _SETTINGS)
    for number, row in enumerate(middle, 2):
        _check(path, number, row, _ROW)
    episodes = tuple(EpisodeResult(**{**row, "actions": tuple(row["actions"])}) for row in middle)
    return ResultFile(**{name: head[name] for name in _HEAD}, episodes=episodes)


def _object(path: str | Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(line)
    except ValueError as error:
        raise VerificationError(f"Line {number} of {path} is not JSON ({error}).") from error
    if not isinstance(found, dict):
        raise VerificationError(f"Line {number} of {path} is no JSON object.")
    return found


def _check(path: str | Path, number: int, found: Mapping[str, Any], form: Mapping[str, tuple[type, ...]]) -> None:
    """Refuse a line that does not have its form; True is no number."""
    wrong = [name for name, kinds in form.items() if type(found.get(name, ...)) not in kinds]
    wrong += [name for name in found if name not in form and name != "pathei_results"]
    wrong += [name for name in ("steps", "tokens", "search") if name not in wrong and found.get(name, 0) < 0]
    if "actions" in form and "actions" not in wrong and not all(type(one) is str for one in found["actions"]):
        wrong.append("actions")
    if wrong:
        raise VerificationError(f"Line {number} of {path} is not as a result file has it: see {', '.join(wrong)}.")
