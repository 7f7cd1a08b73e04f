"""The goals that a household offers by itself: every change of state and every place for a thing that the rules allow.

Goals name things by class, so that `"a cup is in the dishwasher"` is one goal in every house. Where some things of a
class are in a state and others are not, the goal is that every one is: a goal never holds when it is proposed. What is
possible is read off the fixed conditions of the rules: what can be grabbed, what has a switch, what things fit into.
Not here: things in a certain room, and goals of actions (`{"done": ...}`); they can be read, but are not listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, overload
from weakref import WeakKeyDictionary

import gymnasium
import orjson

from ....errors import GoalError, GoalHoldsError
from ....experience import Goal, Task
from ...facts.conditions import EVERY, Condition, ConditionJson, EdgeCondition, NodeCondition, NodeSelector, gather
from ...goal_space import GoalCandidate, GoalCondition, are_apart
from ..engine.scene import Scene, bits
from ..engine.vocabulary import CHARACTER_CLASS, HANDS, INSIDE, ON, RELATIONS, STATES
from ..engine.world import World
from ..env import VirtualHomeEnv
from ..language.describe_goal import describe
from ..language.grammar.sentences import GRAMMAR, read_sentence
from .check import GoalCheck
from .conditions import among, parse_condition, relations_of
from .contradictions import require_possible

_STATES_BY_VERB: Final = {
    "SWITCHON": "ON",
    "SWITCHOFF": "OFF",
    "OPEN": "OPEN",
    "CLOSE": "CLOSED",
    "PLUGIN": "PLUGGED_IN",
    "PLUGOUT": "PLUGGED_OUT",
}
_POSTURES: Final = {"SIT": "SITTING", "LIE": "LYING"}
_WASHING: Final = ("WASH", "RINSE", "SCRUB", "WIPE")
_YOU: Final = {"class": CHARACTER_CLASS}


class _Sort(NamedTuple):
    """One condition that the rules can bring about, by class."""

    condition: dict[str, Any]
    holds: bool
    """Whether it holds now."""


class HomeGoals:
    """The goal spaces of households; see `pathei.envs.goal_space.GoalSpaceProvider`."""

    def __init__(self) -> None:
        """Begin with no household known; what is listed for an environment is kept until its household changes."""
        self._spaces: WeakKeyDictionary[VirtualHomeEnv, HomeGoalSpace] = WeakKeyDictionary()

    def present(self, env: gymnasium.Env[Any, Any]) -> HomeGoalSpace:
        """Return the goals of a household that was reset.

        Raises:
            GoalError: the environment is not a household.
        """
        home = env.unwrapped
        if not isinstance(home, VirtualHomeEnv):
            raise GoalError(f"{env} is not a household, so it has no household goals: give its own GoalSpaceProvider.")
        world, space = home.world, self._spaces.get(home)
        if space is None or space.world is not world or space.key != world.key:
            space = self._spaces[home] = HomeGoalSpace(world)
        return space

    def aim(self, goal: Goal) -> GoalCandidate:
        """Return a goal as an aim.

        Raises:
            GoalError: it has no conditions, or malformed ones.
        """
        return GoalCandidate(goal, parts_of(goal.conditions))

    def practice_tasks(self, count: int, seed: int) -> list[Task]:
        """Return different generated houses, without goals, for a curriculum to practise in."""
        houses = range(seed * count, (seed + 1) * count)
        return [
            Task(f"house-{house}", "pathei/VirtualHome-v0", 0, Goal(""), {"scene": f"house:{house}"})
            for house in houses
        ]


class HomeGoalSpace:
    """The goals of one household as it stands now; see `pathei.envs.goal_space.GoalSpace`."""

    def __init__(self, world: World) -> None:
        """List the goals.

        Args:
            world: The household; it is only read, and at a later moment the goals need not be right.
        """
        self.key = world.key
        """Of the moment that the goals were listed for."""
        self.world = world
        """The household."""
        self._scene: Scene = world.scene
        self._sorts = tuple(_possible(world))
        self._open = [sort.condition for sort in self._sorts if not sort.holds]
        self._holding = frozenset(part_of(sort.condition).name for sort in self._sorts if sort.holds)
        self._made: dict[int, GoalCandidate] = {}
        places: dict[str, list[int]] = {}
        self._places: dict[str, int] = {}
        for place, condition in enumerate(self._open):
            part = part_of(condition)
            places.setdefault(part.kind, []).append(place)
            self._places[part.name] = place
        self._kinds = {kind: _Lazily(self._one, chosen) for kind, chosen in places.items()}

    def aims(self) -> Sequence[GoalCandidate]:
        """Return every goal of one condition that does not hold now."""
        return _Lazily(self._one, range(len(self._open)))

    def kinds(self) -> Mapping[str, Sequence[GoalCandidate]]:
        """Return the same goals by kind."""
        return self._kinds

    def named(self, name: str) -> GoalCandidate | None:
        """Return the one of these goals whose condition has this name, or None."""
        place = self._places.get(name)
        return None if place is None else self._one(place)

    def join(self, aims: Sequence[GoalCandidate]) -> GoalCandidate | None:
        """Return the goal of reaching several together, or None if two say something of the same kind of thing.

        So a lamp is never to be on and off at once, nor a cup in two places; the one who acts is in one place only, and
        has two hands.
        """
        conditions = tuple(condition for aim in aims for condition in aim.goal.conditions)
        if not are_apart([part for aim in aims for part in aim.parts]):
            return None
        try:
            require_possible(conditions, self.world)
        except GoalError:
            return None  # three things in two hands
        return self._aim(*conditions)

    def read(self, text: str) -> GoalCandidate:
        """Return the goal that a sentence, or JSON conditions, state.

        Raises:
            GoalError: it cannot be read or checked here, contradicts itself, holds already, or nothing that can be
                done brings it about.
        """
        conditions = _read(text, self._scene)
        check = GoalCheck(conditions, self.world)
        require_possible(conditions, self.world)
        if check.satisfied():
            raise GoalHoldsError(f"The goal holds already: {describe(conditions, self._scene)}.")
        gather(conditions, self._check_possible, "The goal is out of reach")
        return self._aim(*conditions)

    def grammar(self) -> str:
        """Say which forms `read` understands."""
        return GRAMMAR

    def _one(self, place: int) -> GoalCandidate:
        aim = self._made.get(place)
        if aim is None:
            aim = self._made[place] = self._aim(self._open[place])
        return aim

    def _aim(self, *conditions: ConditionJson) -> GoalCandidate:
        return GoalCandidate(Goal(describe(conditions, self._scene), conditions), parts_of(conditions))

    def _check_possible(self, condition: ConditionJson) -> None:
        """Refuse a plain condition that no rule brings about: an open lamp, a sofa in the cup."""
        read = parse_condition(condition).condition
        wanted: list[Condition]
        if isinstance(read, NodeCondition):
            if read.state == "CLEAN":
                return  # whatever can be reached can be washed, dirty or not
            wanted = [NodeCondition(one, read.state, read.count) for one in self._by_class(read.node)]
        elif isinstance(read, EdgeCondition) and read.count == 1 and not read.either:
            pairs = [(a, b) for a in self._by_class(read.source) for b in self._by_class(read.target)]
            holds = set(relations_of(read)) <= set(HANDS)
            relations = ["HOLDS"] if holds else [RELATIONS[r] for r in relations_of(read)]
            wanted = [EdgeCondition(a, (relation,), b) for a, b in pairs for relation in relations]
        else:
            return
        rooms = {self._scene.classes[n] for n in bits(self._scene.rooms)}
        names = [_part(one) for one in wanted]
        if not any(
            part.name in self._places or part.name in self._holding or rooms & set(part.things[1:]) for part in names
        ):
            raise GoalError(f"nothing that can be done here makes that so: {describe([condition], self._scene)}")

    def _by_class(self, selector: NodeSelector) -> list[NodeSelector]:
        nodes = among(selector, self._scene)
        return [NodeSelector(classes=(name,)) for name in dict.fromkeys(self._scene.classes[n] for n in bits(nodes))]


class _Lazily(Sequence[GoalCandidate]):
    """Aims that are made when they are asked for: a household has two thousand, and few of them are looked at."""

    def __init__(self, one: Callable[[int], GoalCandidate], places: Sequence[int]) -> None:
        self._one = one
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> GoalCandidate: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[GoalCandidate]: ...

    def __getitem__(self, index: int | slice) -> GoalCandidate | Sequence[GoalCandidate]:
        if isinstance(index, slice):
            return _Lazily(self._one, self._places[index])
        return self._one(self._places[index])


def parts_of(conditions: Sequence[ConditionJson]) -> tuple[GoalCondition, ...]:
    """Return what conditions have in common with others, one part for each.

    Raises:
        GoalError: there are none, or some are malformed.
    """
    if not conditions:
        raise GoalError("The goal has no conditions, so it cannot be checked.")
    return gather(conditions, part_of, "The goal cannot be read")


def part_of(condition: ConditionJson) -> GoalCondition:
    """Return what one condition has in common with others.

    Raises:
        GoalError: it is malformed; half a sentence.
    """
    return _part(parse_condition(condition).condition, condition)


def _part(condition: Condition, written: ConditionJson | None = None) -> GoalCondition:
    if isinstance(condition, NodeCondition):
        thing = _word(condition.node)
        every = {1: "", EVERY: "every "}.get(condition.count, f"{condition.count} ")
        if thing == "you":
            return GoalCondition((f"you {condition.state}",))
        return GoalCondition(
            (f"{every}_ {condition.state}", f"{every}{thing} {condition.state}"), _names(condition.node)
        )
    if isinstance(condition, EdgeCondition) and condition.count == 1:
        one, other = _word(condition.source), _word(condition.target)
        held = set(relations_of(condition)) <= set(HANDS)
        relation = "HOLDS" if held else "|".join(RELATIONS[r] for r in relations_of(condition))
        blank_one, blank_other = (word if word == "you" else "_" for word in (one, other))
        features = (
            f"{blank_one} {relation} {blank_other}",
            f"{blank_one} {relation} {other}",
            f"{one} {relation} {other}",
        )
        return GoalCondition(tuple(dict.fromkeys(features)), (*_names(condition.source), *_names(condition.target)))
    text = orjson.dumps(written, option=orjson.OPT_SORT_KEYS).decode() if written else repr(condition)
    return GoalCondition((type(condition).__name__, text))


def _word(selector: NodeSelector) -> str:
    if selector == NodeSelector(classes=(CHARACTER_CLASS,)):
        return "you"
    return "|".join((*selector.classes, *map(str, selector.ids), *selector.properties))


def _names(selector: NodeSelector) -> tuple[str, ...]:
    return tuple(name for name in selector.classes[:1] if name != CHARACTER_CLASS)


def _possible(world: World) -> Iterator[_Sort]:
    """Yield what the rules can bring about, by class, in a fixed order."""
    yield from _states(world)
    scene, bound = world.scene, world.bound
    grabbable = bound["GRAB"].first.nodes if "GRAB" in bound else 0
    you = world.character_set
    for thing, nodes in _classes(scene, grabbable):
        yield _Sort(_edge(_YOU, "HOLDS", thing), any(world.into[hand][n] & you for hand in HANDS for n in bits(nodes)))
    for verb, relation in (("PUTBACK", ON), ("PUTIN", INSIDE)):
        places = bound[verb].second.nodes & ~you if verb in bound else 0
        for thing, nodes in _classes(scene, grabbable & (bound[verb].first.nodes if verb in bound else 0)):
            for place, there in _classes(scene, places):
                if thing != place:
                    holds = any(world.out[relation][n] & there for n in bits(nodes))
                    yield _Sort(_edge({"class": thing}, RELATIONS[relation], place), holds)
    clothes = bound["PUTON"].first.nodes & grabbable if "PUTON" in bound else 0
    for thing, nodes in _classes(scene, clothes):
        worn = any(world.out[ON][n] & you for n in bits(nodes))
        yield _Sort(_edge({"class": thing}, "ON", CHARACTER_CLASS), worn)
    for room, nodes in _classes(scene, scene.rooms if "WALK" in bound else 0):
        yield _Sort(_edge(_YOU, "INSIDE", room), any(world.out[INSIDE][c] & nodes for c in world.characters))


def _states(world: World) -> Iterator[_Sort]:
    scene, bound = world.scene, world.bound
    targets = [(state, bound[verb].first.nodes) for verb, state in _STATES_BY_VERB.items() if verb in bound]
    washable = 0
    for verb in _WASHING:
        washable |= bound[verb].first.nodes if verb in bound else 0
    dirty = scene.states[STATES.index("DIRTY")]
    names = {scene.classes[n] for n in bits(dirty & washable)}
    targets.append(("CLEAN", washable & scene.union(names) & ~scene.rooms))
    for state, some in targets:
        having = world.having[scene.state_names.index(state)]
        for name, nodes in _classes(scene, some & ~world.character_set):
            whole = scene.of_class[name]
            some, all_ = bool(having & whole), having & nodes == nodes
            every = {"count": "all"} if some and not all_ and nodes == whole else {}
            if not some or all_ or every:
                yield _Sort({"node": {"class": name}, "state": state, **every}, some and all_)
    for verb, state in _POSTURES.items():
        if verb in bound:
            now = bool(world.having[scene.state_names.index(state)] & world.character_set)
            yield _Sort({"node": _YOU, "state": state}, now)
    seats = 0
    for verb in _POSTURES:
        seats |= bound[verb].first.nodes if verb in bound else 0
    for name, nodes in _classes(scene, seats):
        yield _Sort(_edge(_YOU, "ON", name), any(world.out[ON][c] & nodes for c in world.characters))


def _edge(source: dict[str, Any], relation: str, target: str) -> dict[str, Any]:
    return {"from": source, "relation": relation, "to": {"class": target}}


def _classes(scene: Scene, nodes: int) -> Iterator[tuple[str, int]]:
    """Yield the classes of some nodes in the order of their names, with those of the nodes that are of the class."""
    for name in sorted({scene.classes[n] for n in bits(nodes)}):
        yield name, scene.of_class[name] & nodes


def _read(text: str, scene: Scene) -> list[ConditionJson]:
    stripped = text.strip()
    if not stripped.startswith(("{", "[")):
        return list(read_sentence(stripped, scene))
    try:
        data = orjson.loads(stripped)
    except orjson.JSONDecodeError as error:
        raise GoalError(f"The goal is not JSON: {error}.") from error
    if isinstance(data, dict):
        data = data.get("conditions", [data])
    if not isinstance(data, list) or not data:
        raise GoalError("The goal as JSON is a list of conditions, at least one.")
    return data
