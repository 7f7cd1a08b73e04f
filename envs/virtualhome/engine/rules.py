"""Rules as data: what each verb asks, what it does, how one says it in English; and the machinery that applies them.

`originals` and `clean` hold the tables. An action of your own is one more row:

    knock = Rule("Knock", ("knock on {0}",), first=(has("CAN_OPEN"), CLOSE_BY), effects=(opened,))
    mine = clean().extended(knock)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from ....errors import ConfigError, unknown
from .effects import Effect
from .preconditions import LASTING, Among, ConditionKind, NodePair, Precondition
from .scene import Scene, bits, state_names

if TYPE_CHECKING:
    from .world import World


_LISTED: Final = 64
"""How many lists of actions a rule keeps; about 1 MB in a house of 100 nodes."""


class EngineAction(NamedTuple):
    """A grounded action: a verb and the indexes of its objects."""

    verb: str
    """In upper case, as `Rules.table` spells it: `"PUTBACK"`."""
    first: int = -1
    """Index of the object, or -1."""
    second: int = -1
    """Index of the destination, or -1."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one verb asks and does."""

    verb: str
    """As script lines spell it: `"PutBack"`."""
    phrases: tuple[str, ...] = ()
    """How one says it in English, the preferred way first: `"put {0} on {1}"`."""
    first: tuple[ConditionKind | Precondition, ...] = ()
    """What must hold of the actor and the object, in the order in which a refusal names them. Without an object, the
    actor is asked in its place."""
    second: tuple[ConditionKind | Precondition, ...] = ()
    """What must hold of the destination."""
    pair: tuple[NodePair, ...] = ()
    """What must hold of the two together."""
    effects: tuple[Effect, ...] = ()
    """What happens, in this order; nothing for an action that only checks."""
    arity: int = 1
    """How many objects it takes: 0, 1 or 2."""

    @property
    def key(self) -> str:
        """The verb in upper case."""
        return self.verb.upper()


@dataclass(frozen=True, slots=True)
class Rules:
    """A complete set of rules. The flags and functions below the table are what the historical variants differ in."""

    name: str
    """`"v1"`, `"e2wm"`, `"vh23"`, `"clean"`, or a name of your own."""
    table: Mapping[str, Rule]
    """Verb in upper case to its rule."""
    room_of: Callable[[World, int], int | None]
    """The room that a node is in."""
    posture: Callable[[World, int, int], bool]
    """Whether a character is in a state, in the eyes of the rules (world, character, state)."""
    put_refusal: Callable[[World, int, int, int, int], str | None]
    """Why an object cannot be put at a destination (world, character, object, destination, relation), or None."""
    choose: Callable[[World, int, int, int], int]
    """Picks one of several nodes where the original takes the first of a set (world, node and relation whose targets
    they are, those that will do)."""
    doors_matter: bool = True
    """Shut doors bar the way."""
    walk_brings_neighbours: bool = False
    """Walking to something also brings near what was ON, INSIDE or CLOSE to it (e2wm)."""
    find_never_fails: bool = False
    """Find succeeds through closed doors and at any distance (e2wm)."""
    extra_properties: tuple[str, ...] = ()
    """Properties beyond VirtualHome's that these rules use."""
    extra_states: tuple[str, ...] = ()
    """States beyond VirtualHome's that these rules use."""

    def extended(
        self,
        *rules: Rule,
        name: str | None = None,
        properties: tuple[str, ...] = (),
        states: tuple[str, ...] = (),
    ) -> Rules:
        """Return these rules with more verbs (or other rules for known verbs), properties and states.

        Raises:
            ConfigError: an arity is not 0, 1 or 2, or a verb is not a single word.
        """
        for rule in rules:
            if rule.arity not in (0, 1, 2):
                raise ConfigError(f"The rule {rule.verb} takes {rule.arity} objects; an action takes 0, 1 or 2.")
            if not rule.verb.isidentifier():
                raise ConfigError(f"The verb {rule.verb!r} is not one word, so no script line could hold it.")
        return dataclasses.replace(
            self,
            name=name or f"{self.name}+",
            table={**self.table, **{rule.key: rule for rule in rules}},
            extra_properties=_united(self.extra_properties, properties),
            extra_states=_united(self.extra_states, states),
        )

    def state(self, name: str) -> int:
        """Return the number of a state, as conditions and effects name it.

        Raises:
            UnknownNameError: neither VirtualHome nor these rules have such a state.
        """
        known = state_names(self.extra_states)
        if name.upper() not in known:
            raise unknown("state", name, known)
        return known.index(name.upper())

    def bind(self, scene: Scene) -> dict[str, BoundRule]:
        """Prepare every rule for a scene; `World` does this once."""
        slots: dict[tuple[ConditionKind | Precondition, ...], _Slot] = {}
        for conditions in (tuple(asked) for rule in self.table.values() for asked in (rule.first, rule.second)):
            if conditions not in slots:
                slots[conditions] = _Slot(conditions, scene)
        return {
            key: BoundRule(rule, slots[tuple(rule.first)], slots[tuple(rule.second)])
            for key, rule in self.table.items()
        }


def _united(known: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    """Both without repetitions, in upper case, as graph files are read."""
    return tuple(dict.fromkeys((*known, *(name.upper() for name in more))))


class _Slot:
    """The conditions on one argument of a rule: the fixed ones folded into a bitset, the others as a list."""

    __slots__ = ("checks", "kinds", "nodes", "questions", "slow")

    def __init__(self, conditions: tuple[ConditionKind | Precondition, ...], scene: Scene) -> None:
        self.kinds = tuple((kind.says, kind.among(scene)) for kind in conditions if isinstance(kind, ConditionKind))
        self.nodes = scene.everything
        for _, among in self.kinds:
            self.nodes &= among
        changing = [c for c in conditions if isinstance(c, Precondition)]
        self.checks = tuple((c.holds, c.says) for c in changing)
        self.questions = tuple(c.among for c in changing if c.among is not None)
        self.slow = tuple(c.holds for c in changing if c.among is None)

    def refusal(self, w: World, c: int, n: int) -> str | None:
        if not self.nodes >> n & 1:
            return next((says for says, among in self.kinds if not among >> n & 1), "{0} is not there")
        for holds, says in self.checks:
            if not holds(w, c, n):
                return says if isinstance(says, str) else says(w, c, n)
        return None


class BoundRule:
    """A rule prepared for one scene: decides, acts, and lists the objects with which it is possible."""

    __slots__ = ("_listed", "arity", "effects", "first", "pair", "rule", "second")

    def __init__(self, rule: Rule, first: _Slot, second: _Slot) -> None:
        """Take the conditions on the object and on the destination, prepared for the scene."""
        self.rule = rule
        self.arity = rule.arity
        self.first = first
        self.second = second
        self.pair = rule.pair
        self.effects = rule.effects
        self._listed: dict[tuple[int, int], list[EngineAction]] = {}

    def refusal(self, w: World, c: int, o: int, d: int) -> str | None:
        """Return why the action is not possible, or None if it is."""
        if not self.arity:
            o = c
        says = self.first.refusal(w, c, o) if o >= 0 else "it needs an object"
        if says is None and self.arity == 2:
            says = self.second.refusal(w, c, d) if d >= 0 else "it needs a second object"
            for pair in self.pair if says is None else ():
                if not pair.holds(w, c, o, d):
                    says = pair.says
                    break
        if says is None or "{" not in says:
            return says
        return says.format(*(w.scene.labels[n] if n >= 0 else "" for n in (o, d)))

    def possible(self, w: World, c: int, o: int, d: int) -> bool:
        """Return whether the action is possible, for objects that fit its arity."""
        first = self.first
        if not self.arity:
            o = c
        if not first.nodes >> o & 1:
            return False
        for holds, _ in first.checks:
            if not holds(w, c, o):
                return False
        if self.arity == 2:
            second = self.second
            if not second.nodes >> d & 1:
                return False
            for holds, _ in second.checks:
                if not holds(w, c, d):
                    return False
            for pair in self.pair:
                if not pair.holds(w, c, o, d):
                    return False
        return True

    def attempt(self, w: World, c: int, o: int, d: int) -> str | None:
        """Do the action if it is possible; return why not otherwise."""
        says = self.refusal(w, c, o, d)
        if says is None:
            for effect in self.effects:
                effect(w, c, o, d)
        return says

    def among(self, w: World, c: int, first: int, second: int) -> list[EngineAction]:
        """Return the possible actions among those with these objects and destinations, which fit each for itself."""
        actions = self.actions(first, second)
        for pair in self.pair if self.arity == 2 else ():
            holds = pair.holds
            actions = [action for action in actions if holds(w, c, action.first, action.second)]
        return actions

    def actions(self, first: int, second: int) -> list[EngineAction]:
        """Return all actions with these objects and destinations; the same bitsets come back again and again.

        The list is not to be changed. Of a rule without an object the bitsets say nothing.
        """
        actions = self._listed.get((first, second))
        if actions is None:
            if len(self._listed) >= _LISTED:
                self._listed.clear()
            verb = self.rule.key
            if self.arity == 0:
                actions = [EngineAction(verb)]
            elif self.arity == 1:
                actions = [_grounded(verb, o) for o in bits(first)]
            else:
                actions = [_grounded(verb, o, d) for o in bits(first) for d in bits(second)]
            self._listed[first, second] = actions
        return actions


RuleOptions: TypeAlias = tuple[BoundRule, int, int]
"""What one rule can be done with: the rule, the bitset of its objects (the character for a rule without), and that
of its destinations. Which of them go with which objects is for `BoundRule.among` to say."""


class RuleSheet:
    """Some rules of one world, prepared to list at once which of them a character can act by.

    Many rules ask the same of their objects, and most questions come back in many rules: each is asked once a listing.
    """

    __slots__ = ("_questions", "_rules", "_slots")

    def __init__(self, rules: Iterable[BoundRule]) -> None:
        """Number the different conditions and questions of the rules, which keep their order."""
        asked: dict[tuple[_Slot, bool], int] = {}  # without an object, the character itself is asked

        def place(rule: BoundRule, slot: _Slot) -> int:
            return asked.setdefault((slot, rule.arity == 0), len(asked))

        self._rules = [(rule, rule.arity, place(rule, rule.first), place(rule, rule.second)) for rule in rules]
        questions: dict[Among, int] = {}
        self._slots = [
            (
                slot.nodes,
                itself,
                tuple(questions.setdefault(question, len(questions)) for question in slot.questions),
                slot.slow,
            )
            for slot, itself in asked
        ]
        self._questions = tuple((question, question in LASTING) for question in questions)

    def options(self, w: World, c: int, among: int) -> list[RuleOptions]:
        """Return the rules that a character can act by now, in their order, with the objects and destinations that fit.

        Args:
            w: The world.
            c: The character.
            among: Bitset of the nodes that may be objects or destinations.
        """
        fitting = self._fitting(w, c, among)
        found: list[RuleOptions] = []
        for rule, arity, first, second in self._rules:
            if objects := fitting[first]:
                if arity < 2:
                    found.append((rule, objects, 0))
                elif destinations := fitting[second]:
                    found.append((rule, objects, destinations))
        return found

    def _fitting(self, w: World, c: int, among: int) -> list[int]:
        """Return for each of the different conditions the bitset of the nodes that meet it."""
        asked = self._questions
        answers: list[int | None] = [None] * len(asked)
        fitting: list[int] = []
        for nodes, itself, questions, slow in self._slots:
            nodes &= 1 << c if itself else among
            for number in questions:
                if not nodes:
                    break
                answer = answers[number]
                if answer is None:
                    question, lasts = asked[number]
                    # What does not last is quicker to ask than to look up.
                    answer = answers[number] = w.ask(question, c) if lasts else question(w, c)
                nodes &= answer
            for holds in slow if nodes else ():
                nodes = sum([1 << n for n in bits(nodes) if holds(w, c, n)])
            fitting.append(nodes)
        return fitting


@lru_cache(maxsize=1 << 14)
def _grounded(verb: str, first: int, second: int = -1) -> EngineAction:
    return EngineAction(verb, first, second)
