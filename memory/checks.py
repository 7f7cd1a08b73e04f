"""Executable contracts for plug-ins of a memory: `check_memory`, `check_embedder` and `check_builder`.

Call them from the tests of a plug-in, as one calls gymnasium's `check_env`. Not here: the quality of what is found,
embedded or built.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import orjson

from ..errors import ContractError, MemoryStoreError
from ..experience import Trajectory
from .admission import check_draft
from .items import Draft, Filter, Hit
from .protocol import Builder, Embedder, Memory

_TEXTS: Final = ("A cup is kept in the kitchen cabinet.", "Where is the cup?", "", "Die Tasse ist im Schrank: ☕")
_TOLERANCE: Final = 1e-3
_BATCH_TOLERANCE: Final = 1e-4
"""Floating-point differences between batches are no violation."""


def check_memory(make: Callable[[], Memory], trajectories: Sequence[Trajectory]) -> None:
    """Check that a memory keeps the contract of `Memory`.

    It tests that an empty memory finds nothing; that adding returns ids, and adding again returns the same ids and
    changes no answer; that hits are at most `k`, unique, best first, active and within the filter; and that a forgotten
    item is not found and cannot be forgotten twice.

    Args:
        make: Makes a new, empty memory.
        trajectories: Episodes to remember, at least two with different ids, at least one of which yields an item.

    Raises:
        ContractError: the first violation found.
    """
    if len({one.id for one in trajectories}) < 2:
        raise ContractError("check_memory needs at least two trajectories with different ids.")
    memory = make()
    name = type(memory).__name__
    question = trajectories[0].task.goal.text
    if memory.query(question):
        raise ContractError(f"A new {name} already finds something: `make` has to return an empty memory.")
    ids = [list(memory.add(one)) for one in trajectories]
    if not any(ids):
        raise ContractError(f"{name}.add returned no ids: return the ids of the items made from a trajectory.")
    before = _answers(name, memory, question, 8, None)
    for one, first in zip(trajectories, ids, strict=True):
        if list(memory.add(one)) != first:
            raise ContractError(f"{name}.add returned other ids for {one.id!r} the second time: look up its id first.")
    if [hit.item for hit in _answers(name, memory, question, 8, None)] != [hit.item for hit in before]:
        raise ContractError(f"{name} answers differently after the same trajectories were added again.")
    env = trajectories[0].task.env
    for where in (Filter(env=env), Filter(kinds=("episode",)), Filter(success=True)):
        _answers(name, memory, question, 3, where)
    _check_forgetting(name, memory, question, before)


def check_embedder(embedder: Embedder, texts: Sequence[str] = _TEXTS) -> None:
    """Check that an embedder keeps the contract of `Embedder`.

    It tests the shape and type of the vectors, that each has length 1 or 0, that a text has the same vector alone, in
    a batch and when it is asked for again, that equal texts get equal vectors, and that no texts give no vectors.

    Raises:
        ContractError: the first violation found.
    """
    name = type(embedder).__name__
    if not isinstance(embedder.name, str) or not embedder.name:
        raise ContractError(f"{name}.name is {embedder.name!r}: return a name that identifies the weights.")
    if embedder.dimensions < 1:
        raise ContractError(f"{name}.dimensions is {embedder.dimensions}: return the length of a vector.")
    found = _vectors(name, embedder, texts)
    lengths = np.linalg.norm(found, axis=1)
    if not np.all((np.abs(lengths - 1) < _TOLERANCE) | (lengths < _TOLERANCE)):
        raise ContractError(f"{name}.embed returned vectors of length {lengths.tolist()}: normalise them.")
    again = _vectors(name, embedder, texts)
    alone = np.concatenate([_vectors(name, embedder, [text]) for text in texts])
    for other, when in ((again, "the second time"), (alone, "alone and in a batch")):
        if not np.allclose(found, other, atol=_BATCH_TOLERANCE):
            raise ContractError(f"{name}.embed gave a text different vectors {when}: a memory mixes both calls.")
    if len(texts):
        twice = _vectors(name, embedder, [texts[0], *texts])
        if not np.allclose(twice[0], twice[1], atol=_BATCH_TOLERANCE):
            raise ContractError(f"{name}.embed gave equal texts different vectors.")
    _vectors(name, embedder, [])


def check_builder(make: Callable[[], Builder], trajectories: Sequence[Trajectory]) -> None:
    """Check that a builder keeps the contract of `Builder`.

    It tests that drafts are valid, that their data is plain JSON and their environment that of the episode, that they
    name the episode as their source, and that a new builder makes the same drafts of the same trajectory.

    Args:
        make: Makes a builder.
        trajectories: Episodes, from at least one of which the builder makes a draft.

    Raises:
        ContractError: the first violation found.
    """
    builder, other = make(), make()
    name = type(builder).__name__
    total = 0
    for trajectory in trajectories:
        drafts = list(builder.build(trajectory))
        for draft in drafts:
            _check_draft(name, draft, trajectory)
        if list(other.build(trajectory)) != drafts:
            raise ContractError(
                f"{name}.build made different drafts of {trajectory.id!r} the second time: draw nothing at random, and"
                " keep no state that changes the result."
            )
        total += len(drafts)
    if not total:
        raise ContractError(f"{name}.build made no draft of {len(trajectories)} trajectories: pass some that it reads.")


def _vectors(name: str, embedder: Embedder, texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
    found = embedder.embed(list(texts))
    expected = (len(texts), embedder.dimensions)
    if not isinstance(found, np.ndarray) or found.shape != expected or found.dtype != np.float32:
        what = f"{found.dtype} {found.shape}" if isinstance(found, np.ndarray) else type(found).__name__
        raise ContractError(f"{name}.embed returned {what} for {len(texts)} texts: return float32 {expected}.")
    if not np.isfinite(found).all():
        raise ContractError(f"{name}.embed returned numbers that are not finite.")
    return found


def _check_draft(name: str, draft: Draft, trajectory: Trajectory) -> None:
    try:
        check_draft(draft)
    except MemoryStoreError as error:
        raise ContractError(f"{name}.build made a draft that a memory refuses: {error}") from error
    try:
        orjson.dumps(draft.data)
    except TypeError as error:
        raise ContractError(
            f"{name}.build made a draft whose data is not plain JSON ({error}): {draft.text!r}."
        ) from error
    if draft.env not in (trajectory.task.env, ""):
        raise ContractError(f"{name}.build made a draft for {draft.env!r} of an episode in {trajectory.task.env!r}.")
    if draft.source.trajectory != trajectory.id:
        raise ContractError(f"{name}.build made a draft with the source {draft.source.trajectory!r}: name the episode.")
    step = draft.source.step
    if step is not None and not 0 <= step < len(trajectory.steps):
        raise ContractError(f"{name}.build made a draft from step {step} of {len(trajectory.steps)}.")


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
            and (asked.env is None or draft.env in (asked.env, ""))
            and (asked.success is None or draft.success == asked.success)
        )
        if not fits:
            raise ContractError(f"{name}.query returned {item.id!r}, which the filter {asked} excludes.")
    return hits


def _check_forgetting(name: str, memory: Memory, question: str, found: Sequence[Hit]) -> None:
    if not found:
        raise ContractError(f"{name} finds nothing for the goal {question!r} of an episode that was added.")
    id_ = found[0].item.id
    if memory.forget([id_]) != 1 or memory.forget([id_]) != 0:
        raise ContractError(f"{name}.forget does not return how many items were active.")
    if any(hit.item.id == id_ for hit in memory.query(question)):
        raise ContractError(f"{name} finds {id_!r} although it was forgotten.")
