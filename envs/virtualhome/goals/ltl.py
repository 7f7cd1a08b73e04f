"""Formulas of the Embodied Agent Interface: `(exists x0. (TYPE(x0)) then ON(lamp.12))`.

    formula = choice {"then" choice}      choice = both {"or" both}      both = part {"and" part}
    part = "not" part | ("exists" | "forall") name "." part | "(" formula ")" | NAME "(" [term {"," term}] ")"

A name with terms of the form `class.id` is a state or a relation (`ONTOP` is ON, `NEXT_TO` is CLOSE) that holds at the
end, or else an action with these objects; a name with variables is a verb that is done. Only what `conditions` can
say is read: actions in order, then a conjunction of states and edges; everything else is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ....errors import GoalError
from ...facts.conditions import ConditionJson
from ..engine.scene import Scene
from ..engine.vocabulary import RELATIONS, STATES
from ..language.phrases import PHRASES

_TOKEN: Final = re.compile(r"\s*([A-Za-z_]\w*(?:\.\d+)?|[().,])")
_NAMES: Final = {"ONTOP": "ON", "NEXT_TO": "CLOSE"}
_PUBLISHED: Final = {relation: name for name, relation in _NAMES.items()}
_ARITY: Final = {verb.upper(): 1 + ("{1}" in said[0]) if "{0}" in said[0] else 0 for verb, said in PHRASES.items()}


class _Node(NamedTuple):
    """A part of a formula: `kind` is "then", "or", "and", "not", "exists", "forall" or "is"."""

    kind: str
    parts: tuple[_Node, ...] = ()
    name: str = ""
    terms: tuple[str, ...] = ()


class _Parser:
    """A recursive-descent parser over the tokens of one formula."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[str] = []
        place = 0
        while place < len(text.rstrip()):
            match = _TOKEN.match(text, place)
            if match is None:
                raise GoalError(f"The formula {text!r} has something unreadable at character {place + 1}.")
            self.tokens.append(match[1])
            place = match.end()
        self.place = 0

    def next(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self, wanted: str | None = None) -> str:
        token = self.next()
        if not token or (wanted is not None and token != wanted):
            there = repr(token) if token else "the end"
            expected = repr(wanted) if wanted else "more"
            raise GoalError(f"In the formula {self.text!r}, {expected} should stand before {there}.")
        self.place += 1
        return token

    def whole(self) -> _Node:
        node = self.chain("then")
        if self.next():
            raise GoalError(f"The formula {self.text!r} goes on with {self.next()!r} after its end.")
        return node

    def chain(self, word: str) -> _Node:
        inner: Callable[[], _Node] = self.part if word == "and" else lambda: self.chain(_INNER[word])
        parts = [inner()]
        while self.next() == word:
            self.take()
            parts.append(inner())
        return parts[0] if len(parts) == 1 else _Node(word, tuple(parts))

    def part(self) -> _Node:
        token = self.take()
        if token == "(":
            node = self.chain("then")
            self.take(")")
            return node
        if token == "not":
            return _Node("not", (self.part(),))
        if token in ("exists", "forall"):
            name = self.take()
            self.take(".")
            return _Node(token, (self.part(),), name)
        self.take("(")
        terms: list[str] = []
        while self.next() != ")":
            terms.append(self.take())
            if self.next() != ")":
                self.take(",")
        self.take(")")
        return _Node("is", (), token, tuple(terms))


_INNER: Final = {"then": "or", "or": "and"}


def from_ltl(formula: str) -> tuple[dict[str, Any], ...]:
    """Read a formula as conditions: one sequence of actions, if there are any, after the states and edges.

    Raises:
        GoalError: it is not a formula, or it says something that conditions cannot express; the message names it.
    """
    node = _Parser(formula).whole()
    *before, last = node.parts if node.kind == "then" else (node,)
    steps = [_verbs(part) for part in before]
    if any(verbs is None for verbs in steps):
        raise _inexpressible("a state that holds before something else", formula)
    final = _verbs(last)
    actions = [verbs for verbs in [*steps, final] if verbs is not None]
    conditions = [] if final is not None else _conjunction(last, formula)
    return (*conditions, {"actions": actions}) if actions else tuple(conditions)


def _verbs(node: _Node) -> str | None:
    """Return the verbs that a part allows, joined by bars, or None if it is not about actions with any objects."""
    while node.kind == "exists":
        node = node.parts[0]
    parts = node.parts if node.kind == "or" else (node,)
    if all(part.kind == "is" and not any("." in term for term in part.terms) for part in parts):
        return "|".join(part.name for part in parts)
    return None


def _conjunction(node: _Node, formula: str) -> list[dict[str, Any]]:
    if node.kind == "and":
        return [condition for part in node.parts for condition in _conjunction(part, formula)]
    if node.kind == "not":
        inner = _conjunction(node.parts[0], formula)
        if len(inner) > 1:
            raise _inexpressible("'not' of several conditions together", formula)
        return [{"not": inner[0]}]
    verbs = _verbs(node)
    if verbs is not None:
        return [{"actions": [verbs]}]
    if node.kind != "is":
        raise _inexpressible(f"{node.kind!r} over states", formula)
    return [_fact(node, formula)]


def _fact(node: _Node, formula: str) -> dict[str, Any]:
    name = _NAMES.get(node.name, node.name)
    ids = [int(term.partition(".")[2] or -1) for term in node.terms]
    if -1 in ids:
        raise _inexpressible(f"{node.name} with both variables and objects", formula)
    if len(ids) == 1 and name in STATES:
        return {"node": {"id": ids[0]}, "state": name}
    if len(ids) == 2 and name in RELATIONS:
        return {"from": {"id": ids[0]}, "relation": name, "to": {"id": ids[1]}}
    if len(ids) <= 2 and name in _ARITY:
        return {"done": {"verb": name, **{k: {"id": i} for k, i in zip(("object", "destination"), ids, strict=False)}}}
    raise _inexpressible(f"{node.name} of {len(ids)} objects, which is no state, relation or verb", formula)


def _inexpressible(what: str, formula: str) -> GoalError:
    return GoalError(f"Conditions cannot express {what}, as the formula {formula!r} asks.")


def to_ltl(conditions: Sequence[ConditionJson], scene: Scene) -> str:
    """Write conditions as a formula: actions in order, then the states and edges, in the order given.

    Args:
        conditions: States, edges and actions by id, and at most one sequence of verbs.
        scene: Knows the classes, which a formula repeats.

    Raises:
        GoalError: a condition is none of these.
    """
    steps: list[str] = []
    facts: list[str] = []
    for condition in conditions:
        if "actions" in condition and len(condition) == 1 and not steps:
            steps = [_written_deed(verbs) for verbs in condition["actions"]]
        else:
            facts.append(_written_fact(condition, scene))
    if facts:
        steps.append(facts[0] if len(facts) == 1 else f"({' and '.join(facts)})")
    return steps[0] if len(steps) == 1 else f"({' then '.join(steps)})"


def _written_deed(alternatives: str) -> str:
    verbs = alternatives.split("|")
    count = max(_ARITY.get(verb, 1) for verb in verbs)
    variables = [f"x{i}" for i in range(count)]
    calls = [f"{verb}({','.join(variables[: _ARITY.get(verb, 1)])})" for verb in verbs]
    text = calls[0] if len(calls) == 1 else f"({' or '.join(calls)})"
    for variable in reversed(variables):
        text = f"exists {variable}. ({text})"
    return text


def _written_fact(condition: ConditionJson, scene: Scene) -> str:
    match condition:
        case {"node": {"id": int(number)}, "state": str(state), **rest} if not rest:
            return f"{state}({_term(number, scene)})"
        case {"from": {"id": int(one)}, "relation": str(relation), "to": {"id": int(other)}, **rest} if not rest:
            return f"{_PUBLISHED.get(relation, relation)}({_term(one, scene)}, {_term(other, scene)})"
        case {"not": inner, **rest} if not rest and "not" not in inner:
            return f"not {_written_fact(inner, scene)}"
        case {"done": {"verb": str(verb), **objects}, **rest} if not rest and objects and not _is_fact(verb, objects):
            selectors: dict[Any, Any] = objects
            numbers = [selectors[key].get("id") for key in ("object", "destination") if key in selectors]
            if all(isinstance(number, int) for number in numbers):
                return f"{verb}({', '.join(_term(number, scene) for number in numbers)})"
    raise GoalError(f"A formula cannot say {dict(condition)!r}.")


def _is_fact(verb: str, objects: Mapping[Any, Any]) -> bool:
    return verb in (STATES if len(objects) == 1 else RELATIONS)


def _term(number: int, scene: Scene) -> str:
    if number not in scene.index:
        raise GoalError(f"A formula names classes, and there is no node {number} in this scene.")
    return f"{scene.classes[scene.index[number]]}.{number}"
