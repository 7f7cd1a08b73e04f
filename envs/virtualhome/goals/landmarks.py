"""Credit for the way to a goal: having in hand what has to go somewhere, and having opened the container of a thing.

Progress counts finished conditions only, so to a search the steps between look all alike. Landmarks fill them in. The
credit is a potential (Ng, Harada and Russell 1999): what is given for reaching a landmark is taken back when it is left
or its condition is done, so it changes no goal, only the order in which things are found. Conditions that going on is
likely to undo count only when all others hold: how the character sits and looks, and the state of what is to be filled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from ...facts.conditions import EVERY, Condition, EdgeCondition, NodeCondition
from ..engine.preconditions import CLOSED
from ..engine.scene import bits
from ..engine.vocabulary import FACING, HANDS, INSIDE, ON
from .conditions import among, relations_of

if TYPE_CHECKING:
    from ..engine.world import World
    from .check import GoalCheck

IN_HAND: Final = 0.6
"""The share of a condition's weight for holding what has to be ON or INSIDE something."""
READY: Final = 0.8
"""The share if, besides, the place is open, or never shut."""
TOO_EARLY: Final = 0.1
"""The share that is lost for a condition that holds and has to be undone to go on."""
LAID_OPEN: Final = 0.3
"""The share for getting at what the condition needs, where all of it was in closed containers at the beginning."""


class _Landmark(NamedTuple):
    """A reason for credit while a condition does not hold."""

    done: Callable[[], float]
    nodes: int
    places: int
    """Where they have to go; 0 where that does not matter."""
    weight: float
    """What one of them is worth."""
    number: int = 1
    """How many of them are needed."""


class Landmarks:
    """The potential of one goal in one world."""

    __slots__ = ("_carried", "_first", "_freed", "_last", "_world")

    def __init__(self, check: GoalCheck, world: World) -> None:
        """Find the landmarks of a goal, from the world as it is now.

        Args:
            check: The goal's conditions, bound to the world.
            world: Read at every question.
        """
        self._world = world
        self._carried: list[_Landmark] = []
        self._freed: list[_Landmark] = []
        total = sum(one.weight for one in check.read)
        for one, done in zip(check.read, check.measures, strict=True):
            condition = one.condition
            if not isinstance(condition, EdgeCondition):
                continue
            needed = 0
            if {ON, INSIDE} & set(relations_of(condition)):
                needed = among(condition.source, world.scene) & ~world.character_set
                places = among(condition.target, world.scene)
                number = max(1, needed.bit_count() if condition.count == EVERY else condition.count)
                self._carried.append(_Landmark(done, needed, places, one.weight / total / number, number))
            elif set(HANDS) & set(relations_of(condition)):
                needed = among(condition.target, world.scene)
            if needed and self._all_shut_in(needed):
                self._freed.append(_Landmark(done, needed, 0, one.weight / total))
        filled = 0
        for landmark in self._carried:
            filled |= landmark.places
        last = [_comes_last(one.condition, filled, world) for one in check.read]
        every = list(zip(check.read, check.measures, last, strict=True))
        self._first = [done for one, done, late in every if not (late or one.optional)]
        self._last = [(done, one.weight / total) for one, done, late in every if late] if self._first else []

    def potential(self, character: int) -> float:
        """Return the credit now; below 0 where something holds too early (at most by the weight of all of it)."""
        credit = 0.0
        if held := self._world.held(character):
            accessible, shut = ~self._world.having[CLOSED], 0.0
            for done, nodes, places, weight, number in self._carried:
                if (carried := held & nodes) and (share := done()) < 1.0:
                    if places & accessible:
                        credit += READY * weight * min(carried.bit_count(), number - share * number)
                    elif IN_HAND * weight > shut:  # two things in hand leave none to open the place with
                        shut = IN_HAND * weight
            credit += shut
        for done, nodes, _, weight, _ in self._freed:
            if done() < 1.0 and not self._all_shut_in(nodes):
                credit += LAID_OPEN * weight
        if self._last:
            for first in self._first:
                if first() < 1.0:
                    return credit - (1 + TOO_EARLY) * sum([weight * done() for done, weight in self._last])
        return credit

    def _all_shut_in(self, nodes: int) -> bool:
        world = self._world
        shut, inside = world.having[CLOSED] & ~world.scene.rooms, world.out[INSIDE]
        return all(inside[n] & shut for n in bits(nodes))


def _comes_last(condition: Condition, filled: int, world: World) -> bool:
    """Whether going on with other conditions would undo this one.

    Args:
        condition: The condition.
        filled: Bitset of the places that other conditions want to have something on or in them.
        world: Where it is to hold.
    """
    others = ~world.character_set
    if isinstance(condition, NodeCondition):
        nodes = among(condition.node, world.scene)
        return not nodes & others or (condition.state != "OPEN" and bool(nodes & filled))
    if isinstance(condition, EdgeCondition) and {ON, FACING}.issuperset(relations_of(condition)):
        return any(not among(end, world.scene) & others for end in (condition.source, condition.target))
    return False
