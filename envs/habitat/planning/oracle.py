"""What solves tasks in homes: the greedy follower for navigation, and a plan of skills for goals about facts.

Not here: the follower itself (`follower`), and search.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Final

from ....errors import ConfigError
from ...facts import Condition, ConditionJson, EdgeCondition, NodeCondition, NodeSelector, parse_conditions
from ...facts.graph import HOLDS
from ..goals import NavGoal
from ..graph import AGENT, node_of
from ..language.actions import STOP, perform, read_command
from ..world import HomeWorld
from .follower import next_move

_MOST_MOVES: Final = 500


def follow(world: HomeWorld, goal: NavGoal) -> list[str]:
    """Return the moves to a goal by habitat-sim's greedy follower, and stop; the world is moved there.

    Raises:
        ConfigError: it does not arrive.
    """
    sim, moves = world.sim, list[str]()
    here = world.pose.position
    aim = min(goal.places, key=lambda place: sim.path(here, [place]).distance)
    while sim.nearest_distance(world.pose.position, goal.places) >= goal.success_distance * 0.99:
        move = next_move(sim, world.pose, aim, 0.0)
        if not move or len(moves) >= _MOST_MOVES:
            raise ConfigError(f"The greedy follower does not arrive at {aim} in {world.scene}.")
        sim.act(move)
        moves.append(move)
    return [*moves, STOP]


def rearrange(world: HomeWorld, conditions: Sequence[ConditionJson]) -> list[str]:
    """Return skills that bring conditions about, one after the other; the world is moved there.

    Raises:
        ConfigError: a condition is of a form that no plan is known for, or what it needs is not there.
    """
    plan: list[str] = []
    for one in in_order(conditions):
        for action in bring_about(world, one):
            command = read_command(action)
            done = None if command is None else perform(world, command)
            if done is None or done.error is not None:
                raise ConfigError(f"No plan is known for {list(conditions)}: {done.error if done else action}.")
            plan.append(action)
    return plan


def in_order(conditions: Sequence[ConditionJson]) -> list[Condition]:
    """Return conditions in the order in which they are best brought about."""
    return sorted((weighted.condition for weighted in parse_conditions(conditions)), key=_rank)


def _go(world: HomeWorld, name: str, room: int) -> Iterator[str]:
    """Yield the skills that go to something in a room, through doors that are opened on the way."""
    while room >= 0 and (closed := world.closed_doors()) and room not in world.rooms_within(closed):
        inside = world.rooms_within(closed)
        # A door that is not needed may be opened too: homes have few of them.
        door = next(id_ for id_ in sorted(closed) if inside & {*world.map.joins[id_]})
        yield f"go to {world.map.names[door]}"
        if world.is_closed(door):
            yield f"open {world.map.names[door]}"
    yield f"go to {name}"


def _rank(condition: Condition) -> int:
    """Return when a condition is brought about: what is held last, where the agent is after that."""
    if isinstance(condition, EdgeCondition) and AGENT in condition.source.classes:
        return 2 if HOLDS in condition.relations else 3
    return int(isinstance(condition, NodeCondition))


def _ids(world: HomeWorld, selector: NodeSelector) -> list[int]:
    wanted = [id_ for kind in selector.classes for id_ in world.map.kinds.get(kind, ())]
    return [*wanted, *(id_ for id_, name in world.map.names.items() if node_of(name) in selector.ids)]


def bring_about(world: HomeWorld, condition: Condition) -> Iterator[str]:
    """Yield the skills that bring a condition about; each has to be done before the next is asked for.

    Raises:
        ConfigError: no plan is known for it, or what it needs is not there.
    """
    names = world.map.names
    if isinstance(condition, NodeCondition) and condition.count == 1:
        opens = condition.state == "OPEN"
        ids = _ids(world, condition.node)
        if ids and not any(world.is_closed(id_) != opens for id_ in ids):
            yield from _go(world, names[ids[0]], world.room_of(ids[0]))
            yield f"{'open' if opens else 'close'} {names[ids[0]]}"
        return
    if not isinstance(condition, EdgeCondition) or condition.count != 1:
        raise ConfigError(f"No plan is known for {condition}.")
    if AGENT in condition.source.classes:
        rooms = [one.name for one in world.map.home.rooms]
        meant = [one for one in rooms if one in condition.target.classes or node_of(one) in condition.target.ids]
        if meant and HOLDS not in condition.relations:
            yield from _go(world, meant[0], rooms.index(meant[0]))
        else:
            yield from _fetch(world, _ids(world, condition.target))
        return
    sources = _ids(world, condition.source)
    inside = "INSIDE" in condition.relations
    targets = list(_targets(world, condition.target, inside))
    if any(_lies(world, id_, target, within) for id_ in sources for target, within in targets):
        return
    held = yield from _fetch(world, sources)
    for target, within in targets:
        if world.free_spot(target, within) is not None and world.map.stand_at(world.map.bases[target]) is not None:
            yield from _go(world, names[target], world.room_of(target))
            if within and world.is_closed(target):
                yield f"open {names[target]}"
            yield f"place {names[held]} {'in' if within else 'on'} {names[target]}"
            return
    raise ConfigError(f"There is no free place for {names[held]} as {condition} asks.")


def _targets(world: HomeWorld, selector: NodeSelector, inside: bool) -> Iterator[tuple[int, bool]]:
    """Yield the furniture that is meant, and whether a thing has to be in it; in a room, all that is there."""
    for id_ in _ids(world, selector):
        yield id_, inside
    for number, room in enumerate(world.map.home.rooms):
        if room.name in selector.classes or node_of(room.name) in selector.ids:
            for id_, where in world.map.rooms.items():
                if where == number:
                    yield id_, not world.thing(id_).on


def _lies(world: HomeWorld, id_: int, target: int, inside: bool) -> bool:
    place = world.state.placements[id_]
    return place.holder == target and place.inside == inside


def _fetch(world: HomeWorld, ids: Sequence[int]) -> Generator[str, None, int]:
    """Pick up one of several things, the first that can be, opening what it lies in; return which."""
    names = world.map.names
    held = world.held
    if held is not None and held in ids:
        return held
    for id_ in ids:
        support = world.support(id_)
        if support is None or world.map.stand_at(support) is None:
            continue
        holder = world.state.placements[id_].holder
        yield from _go(world, names[support], world.room_of(support))
        if holder is not None and not world.sim.in_the_open(id_):
            yield f"open {names[holder]}"
        yield f"pick {names[id_]}"
        return id_
    raise ConfigError(f"Nothing of {[names[id_] for id_ in ids]} can be fetched.")
