"""Plans whose constants are filled in again: from the words of another goal, or from what is observed on the way.

A goal is lifted by aligning it with goals of the same sort: what differs between them becomes a parameter. A constant
of an action that the goal does not give (an answer, a product, the number of an element) is read from the observation
before the action: from the line that shows it, by the rest of that line. `submit 9` after `the key is 9` becomes
`submit {w1}`, with `{w1}` read from `the key is {w1}`. Not here: whether such a plan works elsewhere (`siblings`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import count
from typing import Final, NamedTuple

from ...experience import Json

Reads = tuple[tuple[str, str, int], ...]
"""What is read before a step: the name of the value, the line with the name in braces, and which of the matching lines
it is, counted from 0. `{any}` stands for any text."""

PARAMETER: Final = re.compile(r"\{(w\d+|any)\}")
_TOKEN: Final = re.compile(r"\w+|\W")
_PIECE: Final = re.compile(r'"([^"]+)"|\[([^\]]+)\]|([^\s\[\]"\'`{}(),:;|]+)')
"""The constants of an action: what stands in quotes or brackets, and other words."""
_QUOTED: Final = re.compile(r'"([^"]+)"')
_NEXT: Final = re.compile(r'\W*(\{w\d+\}|\w+)?( ?"[^"]*")?\W?')
_NUMBER: Final = re.compile(r"\d+")
_ANY: Final = "any"


class TemplateStep(NamedTuple):
    """A step of a plan."""

    action: str
    """With parameters in braces."""
    reads: Reads = ()


def split_goal(text: str) -> list[str]:
    """Return the words and signs of a goal, in order, spaces made single."""
    return _TOKEN.findall(" ".join(text.split()))


def varying(goal: str, others: Sequence[str]) -> list[str]:
    """Return the parts of a goal that differ in goals of the same sort, in order, each once."""
    tokens = split_goal(goal)
    varies = [False] * len(tokens)
    for other in others:
        for what, start, end, *_ in SequenceMatcher(None, tokens, split_goal(other), autojunk=False).get_opcodes():
            if what in ("replace", "delete"):
                varies[start:end] = [True] * (end - start)
    parts, run = list[str](), ""
    for token, open_ in zip([*tokens, ""], [*varies, False], strict=True):
        if open_:
            run += token
        elif run:
            parts.append(run.strip())
            run = ""
    return [part for part in dict.fromkeys(parts) if part and any(map(str.isalnum, part))]


def lift(text: str, names: Mapping[str, str]) -> str:
    """Replace values by their names in braces, whole words only and whatever their case, the longest first."""
    known = {value.lower(): name for value, name in names.items()}
    if not known:
        return text
    choices = "|".join(re.escape(value) for value in sorted(known, key=len, reverse=True))
    return re.sub(rf"(?<!\w)({choices})(?!\w)", lambda at: f"{{{known[at[1].lower()]}}}", text, flags=re.IGNORECASE)


def free_names(*texts: str) -> Iterator[str]:
    """Yield names of parameters that do not stand in braces in any of the texts."""
    own = {name for text in texts for name in PARAMETER.findall(text)}
    return (name for name in map("w{}".format, count()) if name not in own)


def match_goal(lifted: str, goal: str) -> dict[str, str] | None:
    """Return the values of a lifted goal's parameters in another goal, or None if the goals differ otherwise."""
    found = re.fullmatch(_pattern(lifted, {}), " ".join(goal.split()), re.IGNORECASE)
    return None if found is None else found.groupdict()


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace the parameters of a text by their values; others stay as they are."""
    return PARAMETER.sub(lambda at: values.get(at[1], at[0]), text)


def next_action(step: TemplateStep, values: dict[str, str], seen: str) -> str | None:
    """Return a step's action with its parameters filled in, or None if something that it reads is not to be seen.

    Args:
        step: The step.
        values: The values that are known; those that are read are added.
        seen: The text of the observation before the action.
    """
    lines = [line.strip() for line in seen.splitlines()]
    for name, line, place in step.reads:
        pattern = re.compile(
            _pattern(line, {one: value for one, value in values.items() if one != name}), re.IGNORECASE
        )
        found = [match[name] for match in map(pattern.fullmatch, lines) if match]
        if place >= len(found):
            return None
        values[name] = found[place]
    return fill(step.action, values)


def as_read(
    actions: Sequence[str], seen: Sequence[str], names: Mapping[str, str], fresh: Iterator[str], *, loose: bool
) -> list[TemplateStep]:
    """Return the steps of a plan whose constants are read from the observations, wherever these show them.

    Args:
        actions: The actions.
        seen: The text of the observation before each.
        names: The names of the values that the goal gives.
        fresh: Yields further names.
        loose: Whether only the beginning of a line, up to the word or the label after the value, has to be the same.
    """
    known, steps = dict(names), list[TemplateStep]()
    for action, text in zip(actions, seen, strict=True):
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        reads = list[tuple[str, str, int]]()
        own = dict(known)
        for value in _constants(action):
            if value.lower() not in {one.lower() for one in own} and (line := _showing(value, action, lines)):
                _read(value, line, lines, own, fresh, reads, loose=loose)
        steps.append(TemplateStep(lift(action, own), tuple(reads)))
        known |= {value: name for value, name in own.items() if any(map(str.isalpha, value))}
    return steps


def steps_from(data: Mapping[str, Json]) -> list[TemplateStep]:
    """Return the steps of a plan from the content of its item; none are read in plans written before."""
    steps, reads = data.get("steps"), data.get("reads")
    actions = [str(one) for one in steps] if isinstance(steps, list) else []
    listed = reads if isinstance(reads, list) and len(reads) == len(actions) else [[] for _ in actions]
    found = []
    for action, parts in zip(actions, listed, strict=True):
        rows = [row for row in parts if isinstance(row, list) and len(row) == 3] if isinstance(parts, list) else []
        found.append(TemplateStep(action, tuple((str(name), str(line), int(str(place))) for name, line, place in rows)))
    return found


def _constants(action: str) -> list[str]:
    """Return the constants of an action besides its verb."""
    pieces = [next(filter(None, match.groups())) for match in _PIECE.finditer(action)]
    return [piece for piece in pieces[1:] if any(map(str.isalnum, piece))]


def _showing(value: str, action: str, lines: Sequence[str]) -> str:
    """Return the first line that shows a value, in the brackets or quotes of the action if one does; else ""."""
    dressed = [form for form in (f"[{value}]", f'"{value}"') if form in action]
    for form in [*dressed, value]:
        pattern = re.compile(rf"(?<!\w){re.escape(form)}(?!\w)", re.IGNORECASE)
        found = next((line for line in lines if pattern.search(line)), "")
        if found:
            return found
    return ""


def _read(
    value: str,
    line: str,
    lines: Sequence[str],
    known: dict[str, str],
    fresh: Iterator[str],
    reads: list[tuple[str, str, int]],
    *,
    loose: bool,
) -> None:
    """Add how a value is read from a line; what that line quotes from another line is read first."""
    for quoted in _QUOTED.findall(line):
        elsewhere = [one for one in lines if one != line]
        if quoted.lower() not in {one.lower() for one in (*known, value)} and any(map(str.isalpha, quoted)):
            other = _showing(quoted, "", elsewhere)
            if other and value not in _TOKEN.findall(other):
                _read(quoted, other, elsewhere, known, fresh, reads, loose=loose)
    name = next(fresh)
    names = {one: given for one, given in known.items() if any(map(str.isalpha, one))}
    pattern = lift(line, {**names, value: name})
    if f"{{{name}}}" not in pattern:
        return  # the value stands within a longer one
    if loose:
        head, _, tail = pattern.partition(f"{{{name}}}")
        word = _NEXT.match(tail)
        pattern = f"{_without_numbers(head)}{{{name}}}{_without_numbers(word[0] if word else '')}{{{_ANY}}}"
    found = _found(name, pattern, {given: one for one, given in known.items()}, lines)
    places = [place for place, one in enumerate(found) if one.lower() == value.lower()]
    if places:
        reads.append((name, pattern, places[0]))
        known[value] = name


def _found(name: str, line: str, values: Mapping[str, str], lines: Sequence[str]) -> list[str]:
    """Return the values of a parameter in the lines that match."""
    pattern = re.compile(_pattern(line, values), re.IGNORECASE)
    return [match[name] for match in map(pattern.fullmatch, lines) if match]


def _without_numbers(text: str) -> str:
    parts = PARAMETER.split(text)
    return "".join(f"{{{part}}}" if place % 2 else _NUMBER.sub(f"{{{_ANY}}}", part) for place, part in enumerate(parts))


def _pattern(lifted: str, values: Mapping[str, str]) -> str:
    """Return a regular expression: known parameters as their values, the others as groups that match anything."""
    pattern, names = "", set[str]()
    for place, part in enumerate(PARAMETER.split(lifted)):
        if place % 2 == 0:
            pattern += re.escape(part)
        elif part == _ANY:
            pattern += ".*"
        elif part in values:
            pattern += re.escape(values[part])
        elif part in names:
            pattern += f"(?P={part})"
        else:
            names.add(part)
            pattern += f"(?P<{part}>.+?)"
    return pattern
