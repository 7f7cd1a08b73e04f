"""Goals for the curriculum in any environment with graph facts: one for each state and edge that it can bring about.

An environment says which conditions its actions can bring about (`possible`), by kind of thing; everything else is
here. Goals are the household's form of conditions (`pathei.envs.facts.conditions`), so that the environment checks them
on its own graph. Not here: goals of actions that were done, and counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import gymnasium
import orjson

from ..errors import GoalError, GoalHoldsError
from ..experience import Goal
from .facts import Condition, ConditionJson, EdgeCondition, FactGraph, NodeCondition, NotCondition, parse_condition
from .facts.conditions import gather
from .facts.contradictions import require_possible
from .facts.goals import holds, satisfied
from .facts.sentences import Rows, choose_kind, read_sentences
from .goal_space import GoalCandidate, GoalCondition, are_apart

Possible = Callable[[FactGraph], Iterator[ConditionJson]]
"""Yields the conditions that an environment's actions can bring about, by kind, in a fixed order."""
Work = Callable[[ConditionJson], float]
"""Returns how many actions a condition takes from where an environment stands, roughly."""
Say = Callable[[ConditionJson, FactGraph], str]
"""Returns a condition in words, given what holds: `"the box is open"`."""


@dataclass(frozen=True)
class GraphGoals:
    """The goal spaces of one environment; see `pathei.envs.goal_space.GoalSpaceProvider`."""

    possible: Possible
    """Yields what the environment's actions can bring about."""
    say: Say = field(default_factory=lambda: say_condition)
    """Returns a condition in words."""
    you: str = "character"
    """The kind of the one who acts."""
    grows: bool = False
    """Whether there may be more things of a kind later; see `facts.contradictions.require_possible`."""
    rows: Rows = ()
    """The sentences that state goals; see `facts.sentences`."""
    noun: Callable[[str], str] = str
    """Returns a kind in words."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other names of kinds."""
    work: Callable[[Any], Work] | None = None
    """Returns how much work conditions are, for an environment that knows."""

    def present(self, env: gymnasium.Env[Any, Any]) -> GraphGoalSpace:
        """Return the goals of an environment that was reset, by the `FactGraph` that its `fact_graph()` returns.

        Raises:
            GoalError: it has no such method.
        """
        inner: Any = env.unwrapped
        if not hasattr(inner, "fact_graph"):
            raise GoalError(f"{env} offers no graph of facts, so it has no goals of this kind.")
        return GraphGoalSpace(inner.fact_graph(), self, None if self.work is None else self.work(inner))

    def aim(self, goal: Goal) -> GoalCandidate:
        """Return a recorded goal as a candidate.

        Raises:
            GoalError: it has no conditions, or malformed ones.
        """
        return GoalCandidate(goal, parts_of(goal.conditions, self.you))


class GraphGoalSpace:
    """The goals that one graph offers; see `pathei.envs.goal_space.GoalSpace`."""

    def __init__(self, graph: FactGraph, goals: GraphGoals, work: Work | None = None) -> None:
        """List the goals of what holds now.

        Args:
            graph: What holds.
            goals: Those of the environment.
            work: Returns how much work a condition is from here; None where the environment does not say.
        """
        self._graph, self._goals, self._work = graph, goals, work
        listed = {part_of(one, goals.you).name: one for one in goals.possible(graph)}
        self._all = frozenset(listed)
        self._aims = {name: self._make(one) for name, one in listed.items() if not holds(graph, one)}
        self._kinds: dict[str, list[GoalCandidate]] = {}
        for aim in self._aims.values():
            self._kinds.setdefault(aim.parts[0].kind, []).append(aim)

    def aims(self) -> Sequence[GoalCandidate]:
        """Return every goal of one condition that does not hold now."""
        return tuple(self._aims.values())

    def kinds(self) -> Mapping[str, Sequence[GoalCandidate]]:
        """Return the same goals by kind."""
        return self._kinds

    def named(self, name: str) -> GoalCandidate | None:
        """Return the one of these goals whose condition has this name, or None."""
        return self._aims.get(name)

    def work(self, aim: GoalCandidate) -> float | None:
        """Return how many actions a goal takes from here, roughly; None where the environment does not say."""
        return None if self._work is None else sum(map(self._work, aim.goal.conditions))

    def join(self, aims: Sequence[GoalCandidate]) -> GoalCandidate | None:
        """Return the goal of reaching several together, or None if two are about the same kind of thing."""
        if not are_apart([part for aim in aims for part in aim.parts]):
            return None
        return self._make(*(condition for aim in aims for condition in aim.goal.conditions))

    def read(self, text: str) -> GoalCandidate:
        """Return the goal that a text states: JSON conditions, a goal's name, or words (`facts.sentences`).

        Raises:
            GoalError: it cannot be read, contradicts itself, holds already, or nothing here brings it about.
        """
        wanted = text.strip().rstrip(".").casefold()
        for name, aim in self._aims.items():
            if wanted in (name.casefold(), aim.goal.text.rstrip(".").casefold()):
                return aim
        conditions = self._conditions(text)
        for one, part in zip(conditions, parts_of(conditions, self._goals.you), strict=True):
            if not {part.name, part.name.removeprefix("not ")} & self._all:
                raise GoalError(f"Nothing that can be done here brings it about that {self._said(one, part)}.")
        self._require_enough(conditions)
        require_possible(self._graph, conditions, grows=self._goals.grows)
        if satisfied(self._graph, conditions):
            raise GoalHoldsError(f"The goal holds already: {self._say_all(conditions)}.")
        return self._make(*conditions)

    def _said(self, condition: ConditionJson, part: GoalCondition) -> str:
        """Return a condition in words; its name where it is of a form that the environment never says."""
        try:
            return self._goals.say(condition, self._graph)
        except (KeyError, TypeError):
            return repr(part.name)

    def _say_all(self, conditions: Sequence[ConditionJson]) -> str:
        parts = parts_of(conditions, self._goals.you)
        return " and ".join(self._said(one, part) for one, part in zip(conditions, parts, strict=True))

    def _conditions(self, text: str) -> Sequence[ConditionJson]:
        try:
            stated = orjson.loads(text)
        except orjson.JSONDecodeError:
            stated = None
        conditions = [stated] if isinstance(stated, Mapping) else stated
        if isinstance(conditions, list) and conditions:
            return conditions
        if not self._goals.rows:
            raise GoalError(f"{text!r} is no goal here: {self.grammar()}")
        try:
            return [self._placed(one) for one in read_sentences(text, self._goals.rows, self._named)]
        except GoalError as error:
            raise GoalError(
                f"{error} Here {self.grammar()}" if "not understood" in str(error) else str(error)
            ) from None

    def _named(self, name: str) -> str:
        """Return the kind of something that may be named, and may not be there yet, as a compressed copy is not."""
        kinds = [kind for node, kind in self._graph.kinds.items() if node not in self._graph.characters]
        listed = [thing for aim in self._aims.values() for part in aim.parts for thing in part.things]
        meant = self._goals.aliases.get(name.replace(" ", "_"), name)
        return choose_kind(meant, list(dict.fromkeys((*kinds, *listed))), self._goals.noun)

    def _placed(self, condition: ConditionJson) -> ConditionJson:
        """Return a condition that names no place with the one where the thing is now."""
        inner = condition.get("not", condition)
        if inner.get("to") != {"class": ""}:
            return condition
        kind = inner["from"]["class"]
        alike = (kind, kind.removesuffix(".gz"))
        found = sorted(
            self._graph.kinds[target]
            for node, ends in self._graph.out.items()
            for relation, target in ends
            if relation == inner["relation"] and self._graph.kinds[node] in alike
        )
        if len(found) != 1:
            raise GoalError(f"{kind!r} is in {' and in '.join(found) or 'no place'}: say in which it is meant.")
        placed = {**inner, "to": {"class": found[0]}}
        return {"not": placed} if "not" in condition else placed

    def _require_enough(self, conditions: Sequence[ConditionJson]) -> None:
        """Refuse more things than there are."""
        for one in conditions:
            inner = one.get("not", one)
            thing = inner.get("node") or inner.get("from") or {}
            thing = inner["to"] if thing.get("class") == self._goals.you else thing
            kind, count = thing.get("class"), inner.get("count", 1)
            there = sum(known == kind for known in self._graph.kinds.values())
            if kind is not None and isinstance(count, int) and there < count and count > 1 and not self._goals.grows:
                verb = "is" if there == 1 else "are"
                few, noun = f"there {verb} {there or 'none'}", self._goals.noun(kind)
                raise GoalError(f"The goal cannot be reached: it takes {count} of {noun!r}, and {few}.")

    def grammar(self) -> str:
        """Describe the texts that `read` understands."""
        some = " or ".join(repr(name) for name in list(self._aims)[:3])
        said = " or ".join(repr(aim.goal.text) for aim in list(self._aims.values())[:2])
        words = f"is said in words, as {said}, " if self._goals.rows else ""
        return f"a goal {words}has a name, as {some}, or is a JSON list of conditions."

    def _make(self, *conditions: ConditionJson) -> GoalCandidate:
        text = " and ".join(self._goals.say(one, self._graph) for one in conditions)
        return GoalCandidate(Goal(f"{text[:1].upper()}{text[1:]}.", conditions), parts_of(conditions, self._goals.you))


def parts_of(conditions: Sequence[ConditionJson], you: str = "character") -> tuple[GoalCondition, ...]:
    """Return what conditions have in common with others, one part for each.

    Raises:
        GoalError: there are none, or some are malformed.
    """
    if not conditions:
        raise GoalError("The goal has no conditions, so it cannot be checked.")
    return gather(conditions, lambda one: part_of(one, you), "The goal cannot be read")


def part_of(condition: ConditionJson, you: str = "character") -> GoalCondition:
    """Return what one condition has in common with others, with features from general to particular.

    Raises:
        GoalError: it is malformed; the message is half a sentence.
    """
    return _part(parse_condition(condition).condition, condition, you)


def _part(condition: Condition, written: ConditionJson, you: str) -> GoalCondition:
    if isinstance(condition, NotCondition):
        inner = _part(condition.inner, written, you)
        return inner._replace(features=tuple(f"not {feature}" for feature in inner.features))
    if isinstance(condition, NodeCondition):
        thing, blank, things = _words(condition.node.classes, condition.node.ids, you)
        return GoalCondition(tuple(dict.fromkeys((f"{blank} {condition.state}", f"{thing} {condition.state}"))), things)
    if isinstance(condition, EdgeCondition):
        one, blank_one, first = _words(condition.source.classes, condition.source.ids, you)
        other, blank_other, second = _words(condition.target.classes, condition.target.ids, you)
        relation = "|".join(condition.relations)
        features = (
            f"{blank_one} {relation} {blank_other}", f"{blank_one} {relation} {other}", f"{one} {relation} {other}",
        )  # fmt: skip
        return GoalCondition(tuple(dict.fromkeys(features)), (*first, *second))
    return GoalCondition((type(condition).__name__, orjson.dumps(written, option=orjson.OPT_SORT_KEYS).decode()))


def _words(classes: Sequence[str], ids: Sequence[int], you: str) -> tuple[str, str, tuple[str, ...]]:
    """Return what is meant, its blank in a general feature, and the kind that it names."""
    if tuple(classes) == (you,):
        return "you", "you", ()
    return "|".join((*classes, *map(str, ids))), "_", tuple(classes[:1])


def say_condition(condition: ConditionJson, graph: FactGraph) -> str:
    """Return a condition in words: `"the red door is open"`, `"you hold 2 keys"`, `"the key is not on the table"`."""
    inner: Mapping[str, Any] = condition.get("not", condition)
    no = " not" if "not" in condition else ""
    count = inner.get("count", 1)
    if "node" in inner:
        things, verb = _counted(inner["node"]["class"], count)
        return f"{things} {verb}{no} {str(inner['state']).lower()}"
    source, relation, target = inner["from"]["class"], inner["relation"], inner["to"]["class"]
    if source == "character":
        doing = f"{' do not' if no else ''} {_DOING[relation]}" if relation in _DOING else f" are{no} in"
        return f"you{doing} {_counted(target, count)[0]}"
    things, verb = _counted(source, count)
    return f"{things} {verb}{no} {_BEING.get(relation, 'in')} the {target}"


def _counted(kind: str, count: int | str) -> tuple[str, str]:
    """Return things of a kind with their number, and the verb that goes with them."""
    if count == "all":
        return f"every {kind}", "is"
    return (f"the {kind}", "is") if count == 1 else (f"{count} {kind}s", "are")


_DOING: Final = {"HOLDS": "hold", "FACING": "face"}
_BEING: Final = {"NEXT_TO": "next to", "ON": "on"}


def kinds_of(graph: FactGraph, among: Callable[[int, str], bool]) -> list[str]:
    """Return the kinds of some nodes, sorted; characters are left out."""
    own = set(graph.characters)
    return sorted({kind for node, kind in graph.kinds.items() if node not in own and among(node, kind)})


def state(kind: str, what: str) -> ConditionJson:
    """Return the condition that a thing of a kind is in a state."""
    return {"node": {"class": kind}, "state": what}


def edge(source: str, relation: str, target: str) -> ConditionJson:
    """Return the condition that a relation holds between things of two kinds."""
    return {"from": {"class": source}, "relation": relation, "to": {"class": target}}
