"""Parts by name: environments, agents, collectors, goal proposers, methods, objectives, builders, embedders, exports.

Each kind has one `Registry` in its own folder, a constant table of rows. A row is the part itself, or a `Lazy` that
says where it is, so that listing names imports nothing. Other packages add parts without a change here, through the
Python entry point group `pathei.KINDs` (`pathei.envs`, `pathei.agents`, ...). `module:attribute` names a part that no
table holds.

Code of others raises exceptions that are not pathei's: `raised_in` says where, so that a message can.

Not here: adding rows at run time. Worker processes would not see them; an entry point or `module:attribute` is found in
every process.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Generic, NamedTuple, TypeVar

from .errors import ConfigError, name_of, unknown

T = TypeVar("T")

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "env": "pathei.envs.registry:ENVS",
        "agent": "pathei.agents.registry:AGENTS",
        "builder": "pathei.memory.builders.registry:BUILDERS",
        "embedder": "pathei.memory.embedders.registry:EMBEDDERS",
        "collector": "pathei.collectors.registry:COLLECTORS",
        "proposer": "pathei.collectors.registry:PROPOSERS",
        "method": "pathei.learners.methods.registry:METHODS",
        "objective": "pathei.learners.pretrain.registry:OBJECTIVES",
        "export": "pathei.export.dispatch:EXPORTS",
    }
)
"""Where the `Registry` of each kind is, as `module:attribute`."""

_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
"""Folders of installed packages."""


class Lazy(NamedTuple):
    """A row whose part is imported when it is asked for."""

    target: str
    """`"module:attribute"`, the module by its full name."""
    what: str
    """What it is, in one line."""


class Registry(Generic[T]):
    """The parts of one kind, by name: a constant table and what other packages offer as entry points."""

    def __init__(self, kind: str, rows: Mapping[str, T | Lazy], *, label: str = "") -> None:
        """Describe a kind.

        Args:
            kind: Its name, as `pathei list` takes it; entry points are in the group `pathei.{kind}s`.
            rows: The parts that come with pathei, in the order in which they are listed.
            label: What a message calls one of them; the kind if empty.
        """
        self.kind, self.label = kind, label or kind
        self.group = f"pathei.{kind}s"
        self.builtin: Mapping[str, T | Lazy] = MappingProxyType(dict(rows))
        """The rows that come with pathei."""

    def get(self, name: str) -> T:
        """Return a part by its name, or by `module:attribute`.

        Raises:
            UnknownNameError: there is none of that name; the message suggests the nearest.
            ConfigError: it is no text, two packages offer it, or `module:attribute` cannot be imported.
        """
        if name_of(name, self.label) in self.builtin:
            row = self.builtin[name]
            return self._load(row.target) if isinstance(row, Lazy) else row
        offered = list(importlib.metadata.entry_points(group=self.group, name=name))
        if len({point.value for point in offered}) > 1:
            values = ", ".join(sorted(point.value for point in offered))
            raise ConfigError(f"Two packages offer the {self.label} {name!r} ({values}): uninstall one of them.")
        if offered:
            return self._load(offered[0].value)
        module, colon, _ = name.partition(":")
        if colon and (not module or importlib.util.find_spec(module.partition(".")[0]) is not None):
            return self._load(name)
        raise unknown(f"{self.label} or module" if colon else self.label, module, self.names())

    def make(self, name: str, *arguments: Any, offers: Sequence[str]) -> Any:
        """Return what the part of a name makes; see `make_part`.

        Raises:
            UnknownNameError, ConfigError: see `get` and `make_part`.
        """
        return make_part(self.label, name, self.get(name), *arguments, offers=offers)

    def _load(self, target: str) -> T:
        part: T = load_target(target)
        return part

    def names(self) -> list[str]:
        """Return the names of all parts: those of pathei in their order, then those of other packages."""
        offered = importlib.metadata.entry_points(group=self.group).names
        return [*self.builtin, *sorted(offered - self.builtin.keys())]

    def describe(self) -> list[tuple[str, str]]:
        """Return each name with one line that says what it is; imports what other packages offer."""
        rows: list[tuple[str, str]] = []
        for name in self.names():
            part: Any = self.builtin.get(name) or self.get(name)
            line = getattr(part, "what", "") or (inspect.getdoc(part) or "").partition("\n")[0]
            rows.append((name, str(line)))
        return rows


def load_target(target: str) -> Any:
    """Import what `module:attribute` names.

    Raises:
        ConfigError: there is no such module or attribute, or the module raises an exception.
    """
    module, _, attribute = target.partition(":")
    if not module or not attribute:
        raise ConfigError(f"{target!r} names no part: write MODULE:NAME.")
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"{target!r} cannot be imported: {_located(str(error), error)}.") from error
    except Exception as error:
        raise ConfigError(f"{target!r} cannot be imported: {one_line(error)}.") from error
    return found


def make_part(label: str, name: str, make: Any, *arguments: Any, offers: Sequence[str]) -> Any:
    """Call what makes a part: with the arguments if it takes them, else with none.

    Args:
        label: What a message calls such a part.
        name: Its name.
        make: A class or a function.
        arguments: What it may take.
        offers: The attributes that the part has to have.

    Raises:
        ConfigError: it cannot be called so, or what it makes lacks one of them.
        Exception: whatever it raises.
    """
    if not callable(make):
        raise ConfigError(f"{name!r} makes no {label}: it is {make!r:.80}, which cannot be called.")
    if not (takes_them := takes(make, *arguments)) and not takes(make):
        with_them = f"{len(arguments)} argument or none" if arguments else "no argument"
        raise ConfigError(f"{name!r} makes no {label}: it has to take {with_them}, not {inspect.signature(make)}.")
    made = make(*arguments) if takes_them else make()
    if lacking := [one for one in offers if not hasattr(made, one)]:
        raise ConfigError(
            f"{name!r} makes no {label}: what it returned, of type {type(made).__name__}, has no {', '.join(lacking)}."
        )
    return made


def takes(function: Any, *arguments: Any) -> bool:
    """Return whether something can be called with some arguments, as far as it says."""
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return False  # it is not called so, or not called at all
    except ValueError:  # some built-in functions do not say
        return callable(function)
    return True


def raised_in(error: BaseException) -> str:
    """Return where code of others raised an exception: `agent.py, line 7, in act`; empty if it was pathei's.

    Code of others is what pathei has called that is neither its own, nor of the standard library, nor of an installed
    package, unless that package offers parts. The innermost such place is returned, the file as seen from the current
    directory or from where packages are installed; without one, the place where gymnasium refused an environment.
    """
    if isinstance(error, SyntaxError) and error.filename and os.path.isfile(error.filename):
        return f"{_seen_from_here(error.filename)}, line {error.lineno}"
    theirs, refused, called, offering = "", "", False, _offering()
    for frame, line in traceback.walk_tb(error.__traceback__):
        top, file = frame.f_globals.get("__name__", "").partition(".")[0], frame.f_code.co_filename
        if top == "pathei":
            called, refused = True, ""
        elif called and top not in sys.stdlib_module_names and os.path.isfile(file):
            place = f"{_seen_from_here(file)}, line {line}, in {frame.f_code.co_name}"
            if top == "gymnasium":
                refused = place
            elif top in offering or not _INSTALLED.intersection(file.split(os.sep)):
                theirs = place
    return theirs or refused


def one_line(error: BaseException) -> str:
    """Return an exception's type and message in a line of about 500 characters, and where code of others raised it."""
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    text = " ".join(f"{type(error).__name__}: {message}".rstrip(": ").split())
    return _located(text if len(text) <= 500 else f"{text[:497]}...", error)


def _located(text: str, error: BaseException) -> str:
    place = raised_in(error)
    return f"{text} ({place})" if place else text


def _offering() -> set[str]:
    """Return the top-level modules of the installed packages that offer parts."""
    points = importlib.metadata.entry_points()
    groups = [points.select(group=f"pathei.{kind}s") for kind in KINDS]
    return {point.module.partition(".")[0] for group in groups for point in group}


def _seen_from_here(file: str) -> str:
    parts = file.split(os.sep)
    if installed := [place for place, part in enumerate(parts, 1) if part in _INSTALLED]:
        return os.sep.join(parts[installed[-1] :])
    here = os.path.relpath(file)
    return file if here.startswith(os.pardir) else here


def get_registry(kind: str) -> Registry[Any]:
    """Return the registry of a kind.

    Raises:
        UnknownNameError: there is no such kind.
    """
    if kind not in KINDS:
        raise unknown("kind", kind, KINDS)
    registry: Registry[Any] = load_target(KINDS[kind])
    return registry
