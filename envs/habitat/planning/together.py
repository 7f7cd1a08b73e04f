"""What solves the tasks of two: following a person, and sharing a goal. The environment is moved there.

Not here: plans for one (`oracle`).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Final

from ....errors import ConfigError
from ..language.actions import WAIT, read_command
from ..language.text import bearing_to
from ..social.person import PERSON
from .follower import next_move
from .oracle import bring_about, in_order

if TYPE_CHECKING:
    from ..env import HabitatEnv
    from ..world import HomeWorld

_NEAR: Final = 1.5
"""How near the follower comes to the person, in metres by the shortest path."""
_MOST_STEPS: Final = 200


def follow_person(env: HabitatEnv) -> list[str]:
    """Return the moves that find a person and follow them to the end of the episode."""
    sim, moves = env.sim, list[str]()
    while not env.over:
        pose, person = sim.agent(0), sim.agent(PERSON).position
        move = next_move(sim, pose, person, _NEAR)
        if not move:
            off = bearing_to(pose, person[0], person[2])
            turn = "turn_left" if off > 0 else "turn_right"
            move = turn if abs(off) > sim.settings.turn / 2 else WAIT
        env.act(move)
        moves.append(move)
    return moves


def share_goal(env: HabitatEnv) -> list[str]:
    """Return what two agents do in turn to bring about the conditions of a goal, which they take in turn as well.

    Raises:
        ConfigError: no plan is known.
    """
    wanted, world = in_order(env.conditions), env.world
    plans: list[Iterator[str]] = [
        chain.from_iterable(bring_about(world, one) for one in wanted[number::2]) for number in (0, 1)
    ]
    moves: list[str] = []
    while not env.over and len(moves) < _MOST_STEPS:
        actor = env.turn
        action = _next(world, plans[actor])
        if action == WAIT and moves and moves[-1].endswith(WAIT):
            break
        done = env.act(action)
        if done.error is not None:
            raise ConfigError(f"No plan is known for two: {action} fails, as {done.error}.")
        moves.append(f"<char{actor}> {action}")
    if not env.success:
        raise ConfigError(f"No plan for two is known in {world.scene}.")
    return moves


def _next(world: HomeWorld, plan: Iterator[str]) -> str:
    """Return the next action of a plan, without what the other one has opened or closed meanwhile."""
    for action in plan:
        command = read_command(action)
        if command is None or command.verb not in ("open", "close"):
            return action
        id_ = world.named(command.thing)
        if id_ is None or world.is_closed(id_) == (command.verb == "open"):
            return action
    return WAIT
