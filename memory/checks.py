"""The contract of memories as something to run: `check_memory`.

Call it from the tests of a memory, as one calls gymnasium's `check_env`. Left out: whether what it finds is any good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from ..errors import ContractError
from ..experience import Trajectory
from .items import Filter, Hit
from .protocol import Memory


def check_memory(make: Callable[[], Memory], trajectories: Sequence[Trajectory]) -> None:
    """Check that a memory keeps the contract of `Memory`.

    What is tested: an empty memory finds nothing; adding returns ids, and adding again returns the same ones and
    changes no answer; hits are at most `k`, without repetition, best first, active and within the filter; what is
    forgotten is not found, and cannot be forgotten twice.

    Args:
        make: Makes a new, empty memory.
        trajectories: What it is to remember, at least two of different ids, of which something is worth it.

    Raises:
        ContractError: the first fault found.
    """
    if len({one.id for one in trajectories}) < 2:
        raise ContractError("check_memory needs at least two trajectories of different ids.")
    memory = make()
    name = type(memory).__name__
    question = trajectories[0].task.goal.text
    if memory.query(question):
        raise ContractError(f"A new {name} already finds something: let `make` return an empty one.")
    ids = [list(memory.add(one)) for one in trajectories]
    if not any(ids):
        raise ContractError(f"{name}.add returned no id at all: return the ids of what came of a trajectory.")
    before = _answers(name, memory, question, 8, None)
    for one, first in zip(trajectories, ids, strict=True):
        if list(memory.add(one)) != first:
            raise ContractError(f"{name}.add gave other ids for {one.id!r} the second time: look its id up first.")
    if [hit.item for hit in _answers(name, memory, question, 8, None)] != [hit.item for hit in before]:
        raise ContractError(f"{name} answers otherwise after the same trajectories were added again.")
    world = trajectories[0].task.env
    for where in (Filter(world=world), Filter(kinds=("episode",)), Filter(success=True)):
        _answers(name, memory, question, 3, where)
    _check_forgetting(name, memory, question, before)


def _answers(name: str, memory: Memory, question: str, k: int, where: Filter | None) -> list[Hit]:
    hits = list(memory.query(question, k, where))
    if len(hits) > k or len({hit.item.id for hit in hits}) < len(hits):
        raise ContractError(f"{name}.query returned more than {k} hits, or one of them twice.")
    if any(first.score < second.score for first, second in pairwise(hits)):
        raise ContractError(f"{name}.query did not return the best hit first.")
    asked = where or Filter()
    for hit in hits:
        item, draft = hit.item, hit.item.draft
        fits = (
            item.status in asked.statuses
            and (asked.kinds is None or draft.kind in asked.kinds)
            and (asked.world is None or draft.world in (asked.world, ""))
            and (asked.success is None or draft.success == asked.success)
        )
        if not fits:
            raise ContractError(f"{name}.query returned {item.id!r}, which the filter {asked} does not let through.")
    return hits


def _check_forgetting(name: str, memory: Memory, question: str, found: Sequence[Hit]) -> None:
    if not found:
        raise ContractError(f"{name} does not find anything for the goal {question!r}, which it has lived.")
    id_ = found[0].item.id
    if memory.forget([id_]) != 1 or memory.forget([id_]) != 0:
        raise ContractError(f"{name}.forget does not return how many items were active.")
    if any(hit.item.id == id_ for hit in memory.query(question)):
        raise ContractError(f"{name} finds {id_!r} though it was forgotten.")


__all__ = ["check_memory"]
