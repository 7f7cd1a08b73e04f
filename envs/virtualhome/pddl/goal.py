"""A goal in PDDL: facts that must hold at the end, and operators that find out what STRIPS cannot say.

"Some cup is on some table" is a disjunction, which STRIPS does not have. So the household's operators need `acting`,
`finish` ends it, and after it a `claim` operator for each such condition looks for a pair of nodes that will do. None
of them has a script line. Verbs that must be done leave a fact behind, in copies of the operators that do them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ....errors import GoalError
from ...facts.conditions import (
    EVERY,
    ActionsCondition,
    Condition,
    EdgeCondition,
    NodeCondition,
    NodeSelector,
    NotCondition,
)
from ...facts.joined import joined
from ..engine.scene import bits
from ..engine.vocabulary import CLOSE, FACING, HANDS, INSIDE, ON
from ..goals.conditions import among, relations_of
from .operators import Atom, Operator, operators, performing

if TYPE_CHECKING:
    from ..engine.world import World
    from ..goals.check import GoalCheck
    from .scene import PddlScene

_STATES: Final = {
    "ON": "running", "OFF": "off", "OPEN": "open", "CLOSED": "shut", "CLEAN": "clean", "DIRTY": "dirty",
    "PLUGGED_IN": "plugged", "PLUGGED_OUT": "unplugged",
}  # fmt: skip
_POSTURES: Final = {"SITTING": "sitting", "LYING": "lying"}
_ENDED: Final = {
    "ON": "quiet", "OFF": "running", "OPEN": "shut", "CLOSED": "open", "DIRTY": "clean", "CLEAN": "dirty",
    "PLUGGED_IN": "unplugged", "PLUGGED_OUT": "plugged",
}  # fmt: skip
_LOOKS: Final = ("LOOKAT", "POINTAT", "WATCH")


class PddlGoal:
    """The goal of one task.

    Attributes:
        goal: The facts that must hold at the end.
        facts: Facts that the goal adds to those of the scene.
        operators: All operators: the household's, copies for what must be done, `finish` and claims.
        predicates: What the goal adds to the predicates, with variables.
    """

    def __init__(self, check: GoalCheck, world: World, scene: PddlScene) -> None:
        """Write a goal.

        Args:
            check: The goal's conditions.
            world: It stands at the moment where the task begins.
            scene: Names the nodes.

        Raises:
            GoalError: a condition cannot be written; the message says which.
        """
        self._w, self._names = world, scene.names
        (self._self,) = world.characters
        needed = [one.condition for one in check.read if not one.optional]
        if any(one.then for one in check.read):
            raise self._refuse("it says in which order something comes about")
        if joined(needed, lambda one: bits(among(one, world.scene))):
            raise self._refuse("it says several things of one thing of a kind")
        self.goal: list[Atom] = []
        self.facts: list[Atom] = []
        self.predicates: list[Atom] = []
        self._claims: list[Operator] = []
        self.operators = operators(sorted(self._faced(needed)))
        for number, condition in enumerate(needed, 1):
            self._write(f"goal-{number}", condition)
        if self._claims:
            self.operators += [Operator("finish", (("acting",),), (("claiming",),), (("acting",),)), *self._claims]

    def _write(self, name: str, condition: Condition) -> None:
        if isinstance(condition, NodeCondition):
            self._node(name, condition)
        elif isinstance(condition, EdgeCondition):
            self._edge(name, condition)
        elif isinstance(condition, ActionsCondition):
            self._actions(name, condition)
        else:
            self._never(condition)

    def _faced(self, conditions: list[Condition]) -> Iterator[str]:
        """The names of what is to be faced, or looked at."""
        for condition in conditions:
            if isinstance(condition, EdgeCondition) and FACING in relations_of(condition):
                yield from self._named(among(condition.target, self._w.scene))
            if isinstance(condition, ActionsCondition):
                for pattern in condition.patterns:
                    if {*_LOOKS, "TURNTO"} & set(pattern.verbs) and pattern.object is not None:
                        yield from self._named(among(pattern.object, self._w.scene))

    def _named(self, nodes: int) -> list[str]:
        return [self._names[n] for n in bits(nodes) if n in self._names]

    def _refuse(self, what: str) -> GoalError:
        return GoalError(f"The goal cannot be written in PDDL: {what}.")

    # --- states

    def _node(self, name: str, condition: NodeCondition) -> None:
        nodes = among(condition.node, self._w.scene)
        if condition.state in _POSTURES:
            if nodes & 1 << self._self:
                self.goal.append((_POSTURES[condition.state],))
                return
            raise self._refuse("it asks for the posture of another character")
        if condition.state not in _STATES:
            raise self._refuse(f"it asks for the state {condition.state}")
        if condition.new:
            nodes &= ~self._w.scene.states[self._w.scene.state_names.index(condition.state)]
        named, fact = self._named(nodes), _STATES[condition.state]
        if condition.count in (EVERY, len(named)):
            self.goal += [(fact, one) for one in named]
        else:
            self._claim(name, [((fact, "?x"), [(one,) for one in named])], condition.count)

    def _never(self, condition: NotCondition) -> None:
        inner = condition.inner
        if isinstance(inner, NodeCondition) and inner.count == 1 and not inner.new:
            self._no_node(inner)
        elif isinstance(inner, EdgeCondition) and inner.count == 1 and not inner.new and not inner.either:
            for relation in relations_of(inner):
                self._no_edge(relation, among(inner.source, self._w.scene), among(inner.target, self._w.scene))
        else:
            raise self._refuse("a condition with 'not' counts, or is about actions")

    def _no_node(self, inner: NodeCondition) -> None:
        nodes, scene = among(inner.node, self._w.scene), self._w.scene
        if inner.state in _POSTURES:
            self.goal.append(("standing",))
        elif inner.state in _ENDED:
            other = {"quiet": "OFF", "shut": "CLOSED", "running": "ON"}.get(_ENDED[inner.state])
            states = [inner.state, *((other,) if other else ())]
            touched = 0
            for state in states:
                touched |= self._w.having[scene.state_names.index(state)]
            self.goal += [(_ENDED[inner.state], one) for one in self._named(nodes & touched)]
        else:
            raise self._refuse(f"it asks that the state {inner.state} ends")

    def _no_edge(self, relation: int, sources: int, targets: int) -> None:
        if relation in HANDS:
            self.goal += [("unheld", one) for one in self._named(targets)]
            return
        if relation == ON and sources == 1 << self._self:
            self.goal.append(("standing",))
            return
        if relation not in (ON, INSIDE) or sources & self._w.character_set or targets & self._w.scene.rooms:
            raise self._refuse("a condition with 'not' is about more than what is on or in things")
        word = "not-on" if relation == ON else "not-in"
        for source in bits(sources):
            for target in bits(targets & ~(1 << source)):
                if source in self._names and target in self._names:
                    atom = (word, self._names[source], self._names[target])
                    self.goal.append(atom)
                    if not self._w.out[relation][source] >> target & 1:
                        self.facts.append(atom)

    # --- edges

    def _edge(self, name: str, condition: EdgeCondition) -> None:
        sources, targets = among(condition.source, self._w.scene), among(condition.target, self._w.scene)
        if condition.count == EVERY:
            for source in bits(sources):
                ways = self._ways(condition, 1 << source, targets)
                self._claim(f"{name}-{self._names.get(source, 'self')}", ways, 1)
            return
        ways = self._ways(condition, sources, targets)
        if sum(len(pairs) for _, pairs in ways) == condition.count == 1:
            ((atom, (pair,)),) = (way for way in ways if way[1])
            self.goal.append(_bound(atom, pair))
            return
        self._claim(name, ways, condition.count)

    def _ways(self, condition: EdgeCondition, sources: int, targets: int) -> list[tuple[Atom, list[Atom]]]:
        """Return the facts, with variables, that an edge can be seen by, each with the names that they may hold for."""
        found: list[tuple[Atom, list[Atom]]] = []
        for relation in relations_of(condition):
            for a, b in ((sources, targets), *(((targets, sources),) if condition.either else ())):
                for atom, pairs in self._seen(relation, a, b):
                    fresh = [pair for pair in pairs if not (condition.new and self._holds(relation, pair))]
                    found.append((atom, fresh))
        if not any(pairs for _, pairs in found):
            raise self._refuse(f"no operator brings about {' or '.join(condition.relations)} as it is asked for")
        return found

    def _seen(self, relation: int, sources: int, targets: int) -> Iterator[tuple[Atom, list[Atom]]]:
        rooms, me = self._w.scene.rooms, 1 << self._self
        things: list[Atom] = self._ones(targets & ~rooms)
        pairs: list[Atom] = [
            (a, b) for a in self._named(sources & ~rooms) for b in self._named(targets & ~rooms) if a != b
        ]
        if sources & me:
            if relation in HANDS:
                yield ("holds", ("right", "left")[HANDS.index(relation)], "?x"), things
            elif relation == ON:
                yield ("rests-on", "?x"), things
            elif relation == FACING:
                yield ("facing", "?x"), things
            elif relation == CLOSE:
                yield ("at", "?x"), things
                yield ("at", "?r"), self._ones(targets & rooms)
            elif relation == INSIDE:
                yield ("within", "?r"), self._ones(targets & rooms)
        if relation == ON and targets & me:
            yield ("worn", "?x"), self._ones(sources & ~rooms)
        if relation == ON:
            yield ("on", "?x", "?s"), pairs
        elif relation == INSIDE:
            yield ("in", "?x", "?s"), pairs
            inside: list[Atom] = [(a, b) for a in self._named(sources & ~rooms) for b in self._named(targets & rooms)]
            yield ("inside", "?x", "?r"), inside

    def _ones(self, nodes: int) -> list[Atom]:
        return [(one,) for one in self._named(nodes)]

    def _holds(self, relation: int, pair: Atom) -> bool:
        """Whether an edge holds at the beginning; of one name the character is the other end."""
        numbers = {name: n for n, name in self._names.items()}
        source, target = (self._self, *(numbers[one] for one in pair))[-2:]
        return self._w.has(source, relation, target) or (len(pair) == 1 and self._w.has(target, relation, source))

    # --- claims

    def _claim(self, name: str, ways: list[tuple[Atom, list[Atom]]], count: int) -> None:
        """Ask for facts that hold for a number of names, or of pairs, each of which counts once."""
        if count > sum(len(pairs) for _, pairs in ways):
            raise self._refuse("it asks for more than there is")
        for way, (atom, pairs) in enumerate(ways, 1):
            if not pairs:
                continue
            variables = tuple(word for word in atom[1:] if word.startswith("?"))
            fit = f"{name}-fits-{way}"
            self.predicates.append((fit, *variables))
            self.facts += [(fit, *pair) for pair in pairs]
            for turn in range(1, count + 1):
                before = ((f"{name}-{turn - 1}",),) if turn > 1 else ()
                needs = (("claiming",), *before, (fit, *variables), atom)
                spent = ((fit, *variables),) if count > 1 else ()
                self._claims.append(Operator(f"claim-{name}-{turn}-{way}", needs, ((f"{name}-{turn}",),), spent))
        self.predicates += [(f"{name}-{turn}",) for turn in range(1, count + 1)]
        self.goal.append((f"{name}-{count}",))

    # --- actions

    def _actions(self, name: str, condition: ActionsCondition) -> None:
        household = list(self.operators)
        for turn, pattern in enumerate(condition.patterns, 1):
            done = (f"{name}-{turn}",)
            before = ((f"{name}-{turn - 1}",),) if turn > 1 else ()
            objects = self._selected(f"{name}-object-{turn}", pattern.object)
            places = self._selected(f"{name}-place-{turn}", pattern.destination)
            copies = []
            for verb in pattern.verbs:
                doing = [one for one in household if [line[0] for line in one.lines] == [verb]] or performing(verb)
                for one in doing if verb in self._w.bound else ():
                    asked = [
                        (fit, one.lines[0][place])
                        for place, fit in ((1, objects), (2, places))
                        if fit and place < len(one.lines[0])
                    ]
                    if len(asked) == bool(objects) + bool(places):
                        label = f"{one.name}-for-{name}-{turn}"
                        needs = (*one.needs, *before, *asked)
                        copies.append(one._replace(name=label, needs=needs, adds=(*one.adds, done)))
            if not copies:
                raise self._refuse(f"no operator does {' or '.join(pattern.verbs)} as it is asked for")
            self.operators += copies
            self.predicates.append(done)
        self.goal.append((f"{name}-{len(condition.patterns)}",))

    def _selected(self, fit: str, selector: NodeSelector | None) -> str | None:
        if selector is None:
            return None
        nodes = among(selector, self._w.scene)
        self.predicates.append((fit, "?p"))
        self.facts += [(fit, one) for one in self._named(nodes)]
        return fit


def _bound(atom: Atom, names: Atom) -> Atom:
    """Put names in the place of variables."""
    left = iter(names)
    return tuple(next(left) if word.startswith("?") else word for word in atom)
