"""Plans: checked by doing them, and rid of the steps that do not matter.

Left out: reordering, and replacing several steps by fewer others; a search does that.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from .model import Model

PAIRS_UP_TO = 40
"""The default of `pairs_up_to` below."""


def succeeds(model: Model[Any, Any], plan: Sequence[Any]) -> bool:
    """Do a plan from where the model is, and tell whether every step was possible and the goal held at the end.

    The model is left where it was. A goal that was reached on the way and undone later does not count.
    """
    start = model.snapshot()
    try:
        for action in plan:
            if not model.possible(action):
                return False
            model.step(action)
        return bool(model.success())
    finally:
        model.restore(start)


def without_idle_steps(
    model: Model[Any, Any], plan: Sequence[Any], *, pairs_up_to: int = PAIRS_UP_TO
) -> tuple[Any, ...]:
    """Return a plan with every step removed that can be, alone or together with one other, the last ones first.

    Each candidate is done from where the model is; what is returned was done and succeeded. What remains needs each of
    its steps, and each pair of them.

    Args:
        model: The world before the plan; left there.
        plan: A plan that succeeds; one that does not is returned as it is.
        pairs_up_to: Plans of more steps are not searched for pairs of steps that can only go together.
    """
    best = tuple(plan)
    if not succeeds(model, best):
        return best
    shorter: tuple[Any, ...] | None = best
    while shorter is not None:
        best = shorter
        shorter = _shorter(model, best, pairs_up_to)
    return best


def _shorter(model: Model[Any, Any], plan: tuple[Any, ...], pairs_up_to: int) -> tuple[Any, ...] | None:
    places = range(len(plan) - 1, -1, -1)
    pairs = combinations(places, 2) if len(plan) <= pairs_up_to else ()
    for left_out in (*((place,) for place in places), *pairs):
        candidate = tuple(action for place, action in enumerate(plan) if place not in left_out)
        if succeeds(model, candidate):
            return candidate
    return None
