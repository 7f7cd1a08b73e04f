"""Plans of a household without what another house would not need: idle steps, ways of walking, doors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from ....errors import ScriptError
from ...facts import parse_conditions, read_action, selectors_of
from ...plans import succeeds, without_idle_steps

if TYPE_CHECKING:
    from ....experience import Task
    from ..engine.world import World

_DOOR: Final = "door"
_WALK: Final = "WALK"
_LIKE_WALKING: Final = ("FIND", "RUN")
_PAIRS_UP_TO: Final = 12
"""Steps that can only be removed in pairs are sought in plans up to this length: few are left by then."""


def trim_plan(home: Any, task: Task, actions: Sequence[str]) -> tuple[str, ...] | None:
    """Return script lines without the steps that their goal does not need; None if they do not reach the goal.

    Running to and finding a thing become walking where that will do, and doors are left out unless the goal names one.

    Args:
        home: The household (`VirtualHomeEnv`), just reset.
        task: Its goal says whether doors matter.
        actions: Script lines.
    """
    world: World = home.world
    model = home.model()
    try:
        plan = [model.read(action) for action in actions]
    except ScriptError:
        return None
    if not succeeds(model, plan):
        return None
    kept = without_idle_steps(model, plan, pairs_up_to=0)
    kept = without_idle_steps(model, _walking(model, kept), pairs_up_to=_PAIRS_UP_TO)
    lines = tuple(map(model.text, kept))
    if _names_a_door(task, world):
        return lines
    return tuple(line for line in lines if (action := read_action(line)) and _DOOR not in action.names)


def _names_a_door(task: Task, world: World) -> bool:
    kinds = dict(zip(world.scene.ids, world.scene.classes, strict=True))
    selectors = (s for one in parse_conditions(task.goal.conditions) for s in selectors_of(one.condition))
    return any(kinds[node] == _DOOR for selector in selectors for node in selector.nodes(kinds))


def _walking(model: Any, plan: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a plan with walking in place of running and finding, where that does as well."""
    for place, action in enumerate(plan):
        if action.verb in _LIKE_WALKING:
            other = (*plan[:place], action._replace(verb=_WALK), *plan[place + 1 :])
            plan = other if succeeds(model, other) else plan
    return plan
