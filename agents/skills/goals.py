"""From a goal in words to conditions: what the environment's grammar reads, and what similar goals meant.

An agent is given words only. The environment may read them (`Verbalizer.read_goal`, which knows kinds of things and
nothing of this episode). A memory of episodes holds goals with their conditions: the goals whose words are most alike
lend theirs, with this goal's things in the place of their own, and vote where they disagree. Not here: taking words
apart (`goal_words`), acting.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from ...envs.facts.conditions import ConditionJson
from ...envs.verbalizer import Verbalizer
from ...memory.items import Filter
from ...memory.protocol import Memory
from .goal_words import aligned, kept, kinds_of, likeness, restores, shape_of, shared_things, transfer

_ASKED: Final = 64
"""How many remembered goals are compared."""
NEAR: Final = 0.2
"""From this similarity on, remembered goals say more than what the grammar reads in part."""
STRONG: Final = 0.5
"""From this similarity on, remembered goals say more than what the grammar reads whole."""
_SHARPNESS: Final = 6
"""The power of a goal's similarity with which it counts."""
_ABSENT: Final = 0.3
"""What a goal counts whose things were not seen."""


class RememberedGoal(NamedTuple):
    """What a goal meant by similar ones that were remembered."""

    similarity: float
    """Of the most alike of them, from 0 to 1."""
    shared: int
    """How many kinds of things both name, or all if each has a counterpart of the same purpose."""
    conditions: tuple[ConditionJson, ...]
    id: str
    """The id of the memory's item that is most alike."""


class GoalReader:
    """Reads goals in words for one agent."""

    def __init__(self, verbalizer: Verbalizer, recollection: Memory | None = None, env: str | None = None) -> None:
        """Prepare to read.

        Args:
            verbalizer: The environment's words.
            recollection: The memory with remembered goals; None to go by the grammar alone.
            env: The gymnasium id whose episodes are asked for; None for all.
        """
        self._verbalizer, self._recollection, self._env = verbalizer, recollection, env

    def read(self, text: str, kinds: Collection[str] = ()) -> tuple[ConditionJson, ...]:
        """Return the conditions that a goal in words states, as far as they are known; empty where nothing is.

        Args:
            text: The goal.
            kinds: The kinds of things that were seen.
        """
        remembered = self.remembered(text, kinds)
        alike = 0.0 if remembered is None else remembered.similarity
        if remembered is not None and alike >= STRONG and remembered.shared:
            return remembered.conditions
        found = self._verbalizer.read_goal(text, kinds, whole=True)
        if not found and remembered is not None and alike >= NEAR:
            return remembered.conditions
        return found or self._verbalizer.read_goal(text, kinds)

    def remembered(self, text: str, kinds: Collection[str] = ()) -> RememberedGoal | None:
        """Return what the most similar remembered goals say of a goal; None where none is remembered."""
        recalled = self._recalled(text)
        if not recalled:
            return None
        known = {*kinds, *(kind for _, _, wanted in recalled for kind in kinds_of(wanted))}
        named = cache(lambda name: self._verbalizer.kind(name, known))
        asked, *shapes = (shape_of(words, named) for words in (text, *(words for words, _, _ in recalled)))
        found: list[RememberedGoal] = []
        for (_, id_, wanted), shape, alike in zip(recalled, shapes, likeness([asked, *shapes]), strict=True):
            places = aligned(shape, asked, self._verbalizer.purposes)
            similar = alike * kept(wanted, shape, places)
            if not restores(wanted, shape):  # taken apart wrongly, so that its conditions are only its own
                places = (None,) * len(places)
            elif shape.words == asked.words:
                similar = 1.0
            shared = shared_things(shape, asked, places, self._verbalizer.purposes)
            found.append(RememberedGoal(similar, shared, transfer(wanted, shape, asked, places), id_))
        return _elected(found, frozenset(kinds))

    def _recalled(self, text: str) -> list[tuple[str, str, Sequence[Any]]]:
        """Return the words, the item's id and the conditions of the goals whose text is most alike."""
        if self._recollection is None:
            return []
        hits = self._recollection.query(f"Goal: {text}.", _ASKED, Filter(kinds=("episode",), env=self._env))
        drafts = ((hit.item.id, hit.item.draft) for hit in hits)
        return [(one.task, id_, one.data["wanted"]) for id_, one in drafts if one.data.get("wanted")]


def _elected(found: Sequence[RememberedGoal], seen: frozenset[str]) -> RememberedGoal:
    """Return the most alike of those goals whose conditions have most votes; each counts by its similarity."""
    votes: defaultdict[str, float] = defaultdict(float)
    keys = [repr(sorted(map(repr, one.conditions))) for one in found]
    for key, one in zip(keys, found, strict=True):
        known = not seen or seen.issuperset(kinds_of(one.conditions))
        votes[key] += (one.similarity + 0.01 * min(one.shared, 5)) ** _SHARPNESS * (1.0 if known else _ABSENT)
    best = max(votes.values())
    return max(
        (one for key, one in zip(keys, found, strict=True) if votes[key] == best),
        key=lambda one: (one.similarity, one.shared),
    )
