"""Every exception that pathei raises on purpose: one class per failure, one line each.

A message is one sentence that says what was wrong, where, and what to do. The command line prints it without a
traceback; everything that is not a `PatheiError` is a bug in pathei and keeps its traceback.
"""

import dataclasses
import math
import os
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

_C = TypeVar("_C")
_V = TypeVar("_V")


class PatheiError(Exception):
    """The base of all of them, so that a caller can catch what pathei refuses and nothing else."""


class ConfigError(PatheiError):
    """A configuration is invalid; the message lists every problem, not only the first."""


class MissingDependencyError(PatheiError):
    """An optional package or program is not installed; the message holds the command that installs it."""


class UnknownNameError(PatheiError):
    """A name is not among the known ones; the message suggests the nearest."""


class RecordError(PatheiError):
    """A record does not have the form that its schema version promises."""


class StoreError(PatheiError):
    """An experience store cannot be opened, read or written as asked."""


class StoreLockedError(StoreError):
    """Another running process is writing to this store."""


class ExportError(PatheiError):
    """An export would lose or distort something, so it is refused."""


class VerificationError(PatheiError):
    """A result file is not whole, is over its budget, or says what did not happen."""


class DataError(PatheiError):
    """A data set cannot be fetched, or is not the file that was expected."""


class GraphError(PatheiError):
    """An environment graph file is not a valid household."""


class ScriptError(PatheiError):
    """A program line cannot be parsed or names something that is not there."""


class GoalError(PatheiError):
    """A goal cannot be read, or cannot be checked in this environment."""


class GoalHoldsError(GoalError):
    """A goal that was asked for holds already, so nothing is to be done."""


class SnapshotError(PatheiError):
    """An environment, or a wrapper around it, cannot be saved and restored."""


class ReplayDriftError(SnapshotError):
    """Replaying the recorded actions led to another observation: the environment is not deterministic."""


class ContractError(PatheiError):
    """A plug-in (environment, agent, collector, memory) breaks the contract that it claims to keep."""


class WorkerError(PatheiError):
    """A worker process died or did not answer in time."""


class ModelError(PatheiError):
    """A language model cannot be loaded or reached, or does not answer."""


class AnswerError(ModelError):
    """A language model's answers cannot be used, or stopped coming; `notes` says what they were and what they took."""

    def __init__(self, message: str, notes: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.notes = dict(notes or {})


class LearningError(PatheiError):
    """A model cannot be trained or evaluated as asked."""


class FisherError(PatheiError):
    """Fisher information does not belong to this model, or was estimated by another convention."""


class WorldError(PatheiError):
    """An environment's own program (browser, sandbox, engine) will not start, or died."""


class InstallError(PatheiError):
    """What an environment runs in cannot be installed, or is not."""


class ForeignRuntimeError(WorldError):
    """An environment that runs in a process of its own cannot be started, did not answer in time, or failed."""


class MemoryStoreError(PatheiError):
    """A memory cannot be opened, read or written as asked."""


def unknown(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """Build the error for a name that is not known, with the nearest known name as a suggestion.

    Args:
        kind: What the name should have been, in the words of a message: `"environment"`, `"agent"`.
        name: The name that was given.
        known: The names that would have been accepted.
    """
    import difflib  # needed only here, and `import pathei` loads this module

    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(names) or 'none'}."
    return UnknownNameError(f"There is no {kind} {name!r}; {hint}")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that one which is misspelt is likely to mean, or None: "fridge" for "frigde".

    A slip of the pen seldom changes the first letter, so "house" is no misspelt "mouse".
    """
    import difflib  # needed only here, and `import pathei` loads this module

    alike = [one for one in known if one[:1].casefold() == name[:1].casefold()]
    return next(iter(difflib.get_close_matches(name, alike, n=1, cutoff=0.75)), None)


def check(rules: Mapping[str, bool], what: str) -> None:
    """Validate a configuration: raise one error that lists every rule that does not hold.

    Args:
        rules: Each rule in words, and whether it holds: `{"discount must be in (0, 1]": 0 < discount <= 1}`. See
            `at_least` for the most common kind.
        what: What is configured, as the message calls it: `"search settings"`.

    Raises:
        ConfigError: at least one rule does not hold.
    """
    broken = [rule for rule, holds in rules.items() if not holds]
    if broken:
        raise ConfigError(f"Invalid {what}: {'; '.join(broken)}.")


def at_least(config: object, **bounds: float) -> dict[str, bool]:
    """Return a rule for `check` per named field: it is None, or a finite number not below its bound.

    Args:
        config: Has the fields as attributes.
        bounds: The lower bound of each field: `at_least(config, steps=1, seed=0)`.
    """
    values = {name: getattr(config, name) for name in bounds}
    return {
        f"{name} must be at least {bound}": value is None
        or (isinstance(value, Real) and bound <= float(value) < math.inf)
        for (name, bound), value in zip(bounds.items(), values.values(), strict=True)
    }


def of_type(kind: Any, values: Mapping[str, Any] | None = None, *, choices: bool = False) -> dict[str, bool]:
    """Return a rule for `check` per value: it is of the type that a dataclass declares for the field.

    Args:
        kind: The dataclass, whose annotations can be resolved where it is defined; or an instance of it.
        values: By field; those of the instance if None.
        choices: Whether a value has to be among those of its `Literal`; else the rules of a configuration say that.
    """
    hints = get_type_hints(kind if isinstance(kind, type) else type(kind))
    if values is None:
        values = {field.name: getattr(kind, field.name) for field in dataclasses.fields(kind)}
    return {
        f"{name} must be {_type_name(hints[name])}, not {value!r}": _fits(value, hints[name], choices)
        for name, value in values.items()
    }


def configured(kind: type[_C], what: str, **values: Any) -> _C:
    """Return a configuration made of settings by name.

    Args:
        kind: The dataclass.
        what: What is configured, as a message calls it.
        values: The settings.

    Raises:
        UnknownNameError: a setting does not exist; the nearest is suggested.
        ConfigError: a setting is missing, of another type, or out of range; all are named.
    """
    declared: Any = kind
    names = [field.name for field in dataclasses.fields(declared) if field.init]
    for name in values:
        if name not in names:
            raise unknown(f"setting of the {what}", name, names)
    needed = [field.name for field in dataclasses.fields(declared) if field.init and not _has_default(field)]
    check({f"{name} is missing": name in values for name in needed} | of_type(kind, values, choices=True), what)
    return kind(**values)


def name_of(value: object, what: str) -> str:
    """Return a name that has to be a text.

    Args:
        value: What was given.
        what: What it names, as a message calls it: `"environment"`.

    Raises:
        ConfigError: it is no text.
    """
    if not isinstance(value, str):
        raise ConfigError(f"The {what} is given by its name, a text, not by {value!r:.80}.")
    return value


def count_of(value: object, what: str) -> int:
    """Return a whole number that is not below 0.

    Args:
        value: What was given.
        what: What it is, as a message calls it: `"number of tasks"`.

    Raises:
        ConfigError: it is no such number.
    """
    if not isinstance(value, Integral) or int(value) < 0:
        raise ConfigError(f"The {what} is a whole number, 0 or above, not {value!r:.80}.")
    return int(value)


def several_of(values: Iterable[_V], what: str) -> Iterable[_V]:
    """Return several things that have to be given as a list or any other iterable, and not as one text.

    Args:
        values: What was given; it is not gone through.
        what: What they are, as a message calls them: `"ids"`.

    Raises:
        ConfigError: it is a text, or cannot be gone through.
    """
    if isinstance(values, str | bytes) or not hasattr(values, "__iter__"):
        raise ConfigError(f"The {what} are given as a list, not as {values!r:.80}.")
    return values


def options_of(given: Mapping[str, Any] | None, title: str) -> Mapping[str, Any]:
    """Return the options of an episode by name; none for None.

    Args:
        given: What was given to `reset`.
        title: The environment, at the beginning of a sentence: `"The shop"`.

    Raises:
        ConfigError: they are no mapping.
    """
    if given is not None and not isinstance(given, Mapping):
        raise ConfigError(f"{title} takes its options by name, as a dict, not {given!r:.80}.")
    return given or {}


def path_of(value: object, what: str) -> Path:
    """Return a path that was given as a path or a text.

    Args:
        value: What was given.
        what: What is there, as a message calls it: `"store"`.

    Raises:
        ConfigError: it is neither.
    """
    if not isinstance(value, str | os.PathLike):
        raise ConfigError(f"The {what} is given by its path, a text or a Path, not by {value!r:.80}.")
    return Path(value)


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _fits(value: Any, hint: Any, choices: bool) -> bool:
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, part, choices) for part in parts)
    if origin is Literal:
        return not choices or any(type(value) is type(part) and value == part for part in parts)
    if origin is tuple and isinstance(value, tuple | list):
        return all(_fits(one, parts[0], choices) for one in value) if parts[1:] == (...,) else True
    if hint in (int, float):
        return isinstance(value, Integral if hint is int else Real) and not isinstance(value, bool)
    kind = origin or hint
    return isinstance(value, kind) if isinstance(kind, type) else True


def _type_name(hint: Any) -> str:
    names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(_type_name(part) for part in get_args(hint))
    if get_origin(hint) is Literal:
        return " or ".join(map(repr, get_args(hint)))
    if hint is type(None):
        return "None"
    return names.get(hint) or f"a {hint.__name__ if isinstance(hint, type) and not get_args(hint) else hint}"
