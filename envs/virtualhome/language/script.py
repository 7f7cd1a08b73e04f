"""VirtualHome's script lines, `[Grab] <cup> (12)`, and program files in RobotHow's layout.

A line is a verb in brackets, in any case, then `<name> (id)` for each object; what follows is ignored. The id is what
counts; RobotHow's `(1.1000)` is node 1000 (`pathei.envs.facts.actions` reads all script lines). A line may begin with
the character that acts, `<char0> [walk] ...`; whose line it is matters to the environment only. Not here: finding
objects by name alone.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from ....errors import ScriptError
from ...facts.actions import read_number, script_parts
from ..engine.rules import EngineAction, Rules
from ..engine.scene import Scene
from .phrases import PHRASES

_ALIASES: Final = MappingProxyType({"LOOKAT_MEDIUM": "LOOKAT"})
_UNSUPPORTED: Final = ("LOOKAT_SHORT", "LOOKAT_LONG")
_SPELLING: Final = MappingProxyType({verb.upper(): verb for verb in PHRASES})
_HISTORICAL: Final = ("v1", "e2wm", "vh23")
_KEPT_LINES: Final = 100_000


class _Line(NamedTuple):
    """A script line taken apart."""

    verb: str
    ids: tuple[int, ...]
    names: tuple[str, ...]


@lru_cache(maxsize=1 << 16)
def _take_apart(text: str) -> _Line | str:
    """Return the parts of a line, or what is wrong with it. What a line says does not depend on the scene."""
    parts = script_parts(text.strip())
    if parts is None:
        return "does not begin with a verb in brackets, as in [Grab] <cup> (12)"
    ids, names = [], []
    for name, written in parts[1]:
        number = read_number(written)
        if number is None:
            return f"has ({written}) where an id should stand"
        ids.append(number)
        names.append(name.strip().lower().replace(" ", "_"))
    verb = parts[0].upper()
    return _Line(_ALIASES.get(verb, verb), tuple(ids), tuple(names))


def parse_line(text: str, scene: Scene, rules: Rules, *, strict_names: bool | None = None) -> EngineAction:
    """Read a script line as a grounded action.

    Args:
        text: `"[PutBack] <cup> (12) <table> (7)"`.
        scene: Knows the ids and the classes.
        rules: Know the verbs.
        strict_names: Whether a name that contradicts the id is an error. None: only where the rules are not one of the
            historical sets, for which the id alone counts (the original v1 also asks that a thing be called what it
            was called when it was walked to).

    Raises:
        ScriptError: it is no script line, or names a verb or a node that there is not.
    """
    line = _take_apart(text)
    if isinstance(line, str):
        raise ScriptError(f"The line {text.strip()!r} {line}.")
    verb, ids, names = line
    rule = rules.table.get(verb)
    if rule is None:
        raise ScriptError(f"The line {text.strip()!r} has the verb {verb}, and {_no_verb(verb, rules)}.")
    if len(ids) != rule.arity:
        needs = ("no object", "one object", "two objects")[rule.arity]
        raise ScriptError(f"The line {text.strip()!r} names {len(ids)} objects, and {rule.verb} takes {needs}.")
    try:
        nodes = [scene.index[number] for number in ids]
    except KeyError as error:
        raise ScriptError(
            f"The line {text.strip()!r} names node {error.args[0]}, and there is no such node."
        ) from error
    if strict_names is None:
        strict_names = rules.name.partition("+")[0] not in _HISTORICAL
    if strict_names:
        for name, node in zip(names, nodes, strict=True):
            if name != scene.classes[node]:
                what = f"{scene.ids[node]} a {name}, but it is a {scene.classes[node]}"
                raise ScriptError(f"The line {text.strip()!r} calls node {what}.")
    return EngineAction(verb, *nodes)


def _no_verb(verb: str, rules: Rules) -> str:
    if verb in _UNSUPPORTED:
        return "no rules can execute it; use LookAt"
    near = difflib.get_close_matches(verb, rules.table, n=1)
    return "there is no such verb" + (f" (did you mean {rules.table[near[0]].verb})" if near else "")


class LineReader:
    """Reads script lines of one scene under one set of rules; a line that it has seen before costs one look-up."""

    __slots__ = ("_known", "_rules", "_scene", "_strict_names")

    def __init__(self, scene: Scene, rules: Rules, *, strict_names: bool | None = None) -> None:
        """Prepare for a scene; the arguments are those of `parse_line`."""
        self._scene, self._rules, self._strict_names = scene, rules, strict_names
        self._known: dict[str, EngineAction] = {}

    def __call__(self, text: str) -> EngineAction:
        """Return the action of a line.

        Raises:
            ScriptError: as `parse_line`.
        """
        action = self._known.get(text)
        if action is None:
            if len(self._known) >= _KEPT_LINES:
                self._known.clear()
            action = self._known[text] = parse_line(text, self._scene, self._rules, strict_names=self._strict_names)
        return action


def write_line(action: EngineAction, scene: Scene, rules: Rules | None = None) -> str:
    """Return an action as a script line: `"[Grab] <cup> (12)"`.

    Args:
        action: What is written.
        scene: Knows the ids and the classes.
        rules: Know how verbs of your own are spelled; VirtualHome's verbs are known without.
    """
    rule = None if rules is None else rules.table.get(action.verb)
    verb = _SPELLING.get(action.verb, action.verb.capitalize()) if rule is None else rule.verb
    return " ".join([f"[{verb}]", *(scene.name(node) for node in action[1:] if node >= 0)])


@dataclass(frozen=True, slots=True)
class Program:
    """An activity and the script lines that carry it out."""

    title: str
    """The activity: `"Wash clothes"`; empty where the file has none."""
    description: str
    """The activity in someone's own words; may be empty."""
    lines: tuple[str, ...]
    """The script lines as they were written."""
    numbers: tuple[int, ...] = ()
    """The line number of each in its file, for error messages; counted from 1 where there was no file."""

    def actions(self, scene: Scene, rules: Rules, *, strict_names: bool | None = None) -> tuple[EngineAction, ...]:
        """Return the grounded actions; the arguments are those of `parse_line`.

        Raises:
            ScriptError: a line is wrong; the message names its number.
        """
        actions = []
        for number, line in zip(self.numbers or range(1, len(self.lines) + 1), self.lines, strict=True):
            try:
                actions.append(parse_line(line, scene, rules, strict_names=strict_names))
            except ScriptError as error:
                raise ScriptError(
                    f"In line {number} of the program: {str(error)[0].lower()}{str(error)[1:]}"
                ) from error
        return tuple(actions)


def read_program(source: str | Path) -> Program:
    """Read a program: a title, a description and then script lines, or script lines alone.

    Empty lines and lines that begin with `#` are passed over. Whatever stands before the first script line is title
    (the first line) and description.

    Args:
        source: A path, read as a file; or the text itself.

    Raises:
        ScriptError: the file cannot be read, or holds no script line.
    """
    if isinstance(source, Path):
        try:
            text = source.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ScriptError(f"The program file {source} cannot be read: {error}.") from error
    else:
        text = source
    head: list[str] = []
    steps: list[tuple[int, str]] = []
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if line.startswith("[") or (steps and line and not line.startswith("#")):
            steps.append((number, line))
        elif not line.startswith("#"):
            head.append(line)
    if not steps:
        what = f"The program file {source}" if isinstance(source, Path) else "The program"
        raise ScriptError(f"{what} holds no script line, as in [Grab] <cup> (12).")
    title, *rest = head or [""]
    description = "\n".join(rest).strip()
    return Program(title, description, tuple(line for _, line in steps), tuple(number for number, _ in steps))


def write_program(program: Program) -> str:
    """Return a program in RobotHow's layout: title, description, two empty lines, script lines.

    Raises:
        ScriptError: the title or the description would be read as something else.
    """
    title, description = program.title, program.description
    for name, text in (("title", title), ("description", description)):
        if any(line.strip().startswith(("[", "#")) for line in text.split("\n")):
            raise ScriptError(f"The {name} of a program has a line that begins with '[' or '#': {text!r}.")
    if "\n" in title or (description and not title):
        raise ScriptError(f"A program has a title of one line before its description, not {title!r}.")
    return "\n".join((title, description, "", "", *program.lines)) + "\n"
