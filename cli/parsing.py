"""Parses a command line with tyro, and lays out its help and its refusals: whole paragraphs, plain lines.

Not here: the commands (`table`).
"""

from __future__ import annotations

import dataclasses
import io
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Annotated, Any, Final, TextIO, get_args, get_type_hints

import tyro
from tyro.conf import CascadeSubcommandArgs, OmitSubcommandPrefixes, arg
from tyro.constructors import (
    ConstructorRegistry,
    PrimitiveConstructorSpec,
    PrimitiveTypeInfo,
    StructConstructorSpec,
    StructFieldSpec,
    StructTypeInfo,
)

CONFIG: Final = (OmitSubcommandPrefixes, CascadeSubcommandArgs)
"""How the command line is parsed: options of a command may stand before or after its sub-command."""

_ITEM: Final = re.compile(r"[\w:.+-]+: ")
"""How a line begins that says what one value of an option means."""
_ELSEWHERE: Final = re.compile(r"( *)in pathei (.+) --help")
"""How tyro says which command has the option that may be meant."""
_HELP: Final = "For full helptext, run"
_NONE: Final = re.compile(r"\{None\}\||(\{)None,|\|\{None\}")
"""How tyro says that an option may be left out, in front of what may be given."""
_COLOUR: Final = re.compile(r"\x1b\[[\d;]*m")
_FRAME: Final = "│|╭╮╰╯+─- "
"""What the boxes around help and refusals are drawn with."""


def parse(form: Any, args: Sequence[str], prog: str, description: str | None = None) -> Any:
    """Return the command that the arguments describe.

    Raises:
        SystemExit: the help was printed, or the arguments are none of the form, which is said on stderr.
    """
    out, err = _Kept(sys.stdout), _Kept(sys.stderr)
    try:
        with redirect_stdout(out), redirect_stderr(err), _registry():
            return tyro.cli(form, args=args, prog=prog, description=description, config=CONFIG)
    finally:
        sys.stdout.write(_fitted(out.getvalue()))
        sys.stderr.write(_unboxed(err.getvalue(), prog.split()[1:], _chosen(form, args)))


class _Kept(io.StringIO):
    """Text that is printed later: coloured and framed as it will be where it is printed."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def isatty(self) -> bool:
        return self._stream.isatty()


def _registry() -> ConstructorRegistry:
    """Return tyro's rules, with whole paragraphs in help texts, and plain names of values."""
    registry, within, unions = ConstructorRegistry(), set[type](), set[Any]()

    @registry.struct_rule
    def _(info: StructTypeInfo) -> StructConstructorSpec | None:
        if not dataclasses.is_dataclass(info.type) or info.type in within:
            return None
        within.add(info.type)
        try:
            spec = ConstructorRegistry.get_struct_spec(info)  # by tyro's own rule
        finally:
            within.remove(info.type)
        if not isinstance(spec, StructConstructorSpec):
            return None
        return dataclasses.replace(spec, fields=tuple(map(_plain, spec.fields)))

    @registry.primitive_rule
    def _(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
        """Name the value of an option that may be left out as if it could not: `STR`, not `{None}|STR`."""
        if type(None) not in get_args(info.type) or info.type in unions:
            return None
        unions.add(info.type)
        try:
            spec = ConstructorRegistry.get_primitive_spec(info)
        finally:
            unions.remove(info.type)
        if not isinstance(spec, PrimitiveConstructorSpec):
            return None
        return dataclasses.replace(spec, metavar=_NONE.sub(r"\1", spec.metavar))

    return registry


def _plain(field: StructFieldSpec) -> StructFieldSpec:
    """Return a field with whole paragraphs in its help, and no default said where that is nothing."""
    kind: Any = field.type
    if not any(map(dataclasses.is_dataclass, (kind, *get_args(kind)))):
        kind = Annotated[kind, arg(help_behavior_hint=_default)]
    return dataclasses.replace(field, helptext=_flowing(field.helptext), type=kind)


def _default(value: str) -> str:
    return "" if value in ("None", "", "''") else f"(default: {value})"


def _flowing(text: str | Callable[[], str | None] | None) -> Callable[[], str | None]:
    def flow() -> str | None:
        found = text() if callable(text) else text
        return found and paragraphs(found)

    return flow


def paragraphs(text: str) -> str:
    """Return a docstring with one line for each paragraph, and for each value in a list of values."""
    lines: list[str] = []
    for number, block in enumerate(re.split(r"\n\s*\n", text.strip())):
        within = False
        for line in map(str.strip, block.splitlines()):
            if not within or (number and _ITEM.match(line)):
                lines.append(line)
            else:
                lines[-1] += f" {line}"
            within = True
    return "\n".join(lines) + "\n" * (len(lines) > 1)


def _fitted(text: str) -> str:
    """Wrap what tyro does not: the usage and the description above the boxes."""
    width = shutil.get_terminal_size().columns
    return "\n".join(line for long in text.split("\n") for line in _wrapped(long, width))


def _wrapped(line: str, width: int) -> list[str]:
    plain = _COLOUR.sub("", line)
    if len(plain) <= width or plain[0] in _FRAME:
        return [line]
    is_usage = plain.startswith("usage:")
    plain, indent = (plain.replace(",", ", "), "  ") if is_usage else (plain, "")
    return textwrap.wrap(plain, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _chosen(form: Any, args: Sequence[str]) -> list[str]:
    """Return the sub-commands that arguments name, by the annotations of the form."""
    found = list[str]()
    for word in args:
        inner = _subcommands(form)
        if word in inner:
            found.append(word)
            form = inner[word]
    return found


def _subcommands(form: Any) -> dict[str, Any]:
    """Return the forms of the sub-commands of a form, by their names."""
    hints = get_type_hints(form, include_extras=True).values() if dataclasses.is_dataclass(form) else (form,)
    found = dict[str, Any]()
    for choice in (one for hint in hints for one in get_args(hint)):
        for named in getattr(choice, "__metadata__", ()):
            if name := getattr(named, "name", None):
                found[name] = choice.__origin__
    return found


def _unboxed(text: str, command: Sequence[str], chosen: Sequence[str]) -> str:
    """Return a refusal as plain lines, without the box around it, and with whole names of commands."""
    title, *boxed = _COLOUR.sub("", text).splitlines() or [""]
    lines = [line[2:].rstrip().removesuffix("│").rstrip() for line in boxed if line.strip(_FRAME)]
    name = title.strip(_FRAME)
    if lines and not lines[0].startswith((name, "Error", "Missing")):
        lines.insert(0, f"{name}:")
    for number, line in enumerate(lines):
        if found := _ELSEWHERE.fullmatch(line):
            words = found[2].split()
            whole = words if words[: len(command)] == command else [*command, *words]
            lines[number] = f"{found[1]}an option of `pathei {' '.join(whole)}`"
        elif line.startswith(_HELP) and line.endswith(f" {' '.join(command)} --help"):
            lines[number] = f"{_HELP} pathei {' '.join([*command, *chosen])} --help"
    return "".join(f"{line}\n" for line in lines)
