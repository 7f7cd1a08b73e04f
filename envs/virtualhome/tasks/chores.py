"""Household activities as data, with the reader that carries them out: each is a few lines of a `chores_*` file.

    put-groceries-in-the-fridge
    pick fridge: fridge; foods 1-2: EATABLE|DRINKABLE, not inside fridge
    do put_in foods fridge; close fridge
    goal foods INSIDE fridge; fridge CLOSED
    say put {foods} in the fridge / store {foods} in the fridge

`pick` names things: one of some classes or properties, `1-2` for one or two, `<=2` for up to two, `2` for two, `near
desk` for the first in that room; after commas, what must hold of them (`dirty`, `is OFF`, `in-room bathroom`, `inside`,
`on`, each with `not`). `do` names the `Demonstrator`'s methods, or verbs in upper case (`at SCRUB` goes there first).
`goal` names the conditions (`*cup`: any of that class; `me`). `say` gives ways to say it: `{cup}` is "the cup from the
sink", `{a cup}` "a cup", `{kind cup}` the class alone, `{room cup}` the room it is in. What this cannot say is a
function (`chores_special`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from .demonstrator import ME, Demonstrator, Json, ObjectRequest, Where

Nodes = list[int]
CarryOut = Callable[[Demonstrator], ObjectRequest]
_PICK: Final = re.compile(
    r"(?P<name>\w+)(?: (?P<least><=|1-)?(?P<most>\d))?: (?P<near>near \w+ )?(?P<kinds>\S+?)(?:, (?P<where>.+))?$"
)
_SLOT: Final = re.compile(r"\{(?:(a|kind|room) )?(\w+)\}")


def read_chores(table: str, special: Iterable[CarryOut] = ()) -> dict[str, CarryOut]:
    """Return the activities of a table by name, each as the function that carries it out.

    Args:
        table: Paragraphs as above.
        special: The functions of those that are only named there, with `special` in place of the lines.
    """
    functions = {function.__name__.replace("_", "-"): function for function in special}
    found: dict[str, CarryOut] = {}
    for block in table.strip().split("\n\n"):
        name, *lines = block.split("\n")
        if lines == ["special"]:
            found[name] = functions[name]
            continue
        parts = dict(line.split(" ", 1) for line in lines)
        picks, steps, goal = (parts[key].split("; ") for key in ("pick", "do", "goal"))
        found[name] = _Chore(picks, steps, goal, parts["say"].split(" / "))
    return found


class _Chore:
    """One activity of a table."""

    def __init__(self, picks: list[str], steps: list[str], goal: list[str], texts: list[str]) -> None:
        matches = [_PICK.match(pick) for pick in picks]
        self._picks = [match.groupdict() for match in matches if match is not None]
        if len(self._picks) < len(picks):
            raise ValueError(f"no pick of a chore: {picks}")
        self._steps = [step.split(" ") for step in steps]
        self._goal = [clause.split(" ") for clause in goal]
        self._texts = texts

    def __call__(self, a: Demonstrator) -> ObjectRequest:
        """Pick what is needed, do it, and say what was wanted."""
        things: dict[str, Nodes] = {}
        for pick in self._picks:
            things[pick["name"]] = _picked(a, pick, things)
        for step in self._steps:
            _do(a, step, things)
        conditions = tuple(c for clause in self._goal for c in _conditions(a, clause, things))
        return ObjectRequest(tuple(_SLOT.sub(lambda m: _said(a, m, things), text) for text in self._texts), conditions)


def _picked(a: Demonstrator, pick: dict[str, str], things: dict[str, Nodes]) -> Nodes:
    kinds = pick["kinds"].split("|")
    if pick["near"]:
        return [a.near(things[pick["near"].split(" ")[1]][0], *kinds)]
    where = _where(a, pick["where"], things) if pick["where"] else None
    if not pick["most"]:
        return [a.pick(*kinds, where=where)]
    most = int(pick["most"])
    count = a.choices.between(1, most) if pick["least"] == "1-" else most
    return a.some(count, *kinds, where=where, at_least=1 if pick["least"] else None)


def _where(a: Demonstrator, text: str, things: dict[str, Nodes]) -> Where:
    tests = [_test(a, part.split(" "), things) for part in text.split(", ")]
    return lambda n: all(test(n) for test in tests)


def _test(a: Demonstrator, words: list[str], things: dict[str, Nodes]) -> Where:
    if words[0] == "not":
        inner = _test(a, words[1:], things)
        return lambda n: not inner(n)
    word, *rest = words
    what = rest[0] if rest else ""
    if word == "dirty":
        return a.dirty
    if word == "is":
        return lambda n: a.in_state(n, what)
    if word == "in-room":
        return lambda n: a.room(n) == things[what][0]
    kinds = [a.kind(things[what][0])] if what in things else what.split("|")
    return lambda n: a.inside(n, *kinds) if word == "inside" else a.on(n, *kinds)


def _do(a: Demonstrator, step: list[str], things: dict[str, Nodes]) -> None:
    there = step[0] == "at"
    verb, *names = step[1:] if there else step
    firsts: list[Nodes] = [[n] for n in things[names[0]]] if names else [[]]
    for first in firsts:
        nodes = first + [things[name][0] for name in names[1:]]
        if there:
            a.reach(nodes[0])
        if verb.isupper():
            a.do(verb, *nodes)
        else:
            getattr(a, verb)(*nodes)


def _conditions(a: Demonstrator, clause: list[str], things: dict[str, Nodes]) -> list[Json]:
    def each(name: str) -> list[int | str]:
        if name == "me":
            return [ME]
        return [a.kind(things[name[1:]][0])] if name.startswith("*") else list(things[name])

    if clause[0] == "done":
        return [a.done(clause[1], each(clause[2])[0]) if clause[2:] else {"done": {"verb": clause[1]}}]
    if len(clause) == 2:
        return [a.state(n, clause[1]) for n in each(clause[0])]
    return [a.edge(n, clause[1], each(clause[2])[0]) for n in each(clause[0])]


def _said(a: Demonstrator, slot: re.Match[str], things: dict[str, Nodes]) -> str:
    how, nodes = slot[1], things[slot[2]]
    if how == "room":
        return a.name(a.room(nodes[0]))
    if how == "a":
        return a.an(nodes[0])
    return " and ".join(a.name(n) for n in nodes) if how == "kind" else a.they(nodes)
