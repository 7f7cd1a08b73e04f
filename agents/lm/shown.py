"""What a memory shows a language model: plans for similar goals, in words, and where things are.

Not here: asking the model (`saycan`), and what a memory holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ...envs.verbalizer import Verbalizer
from ...memory.items import Draft, Filter, Hit, Kind
from ...memory.protocol import Memory

_ASKED: Final = 16
"""How many items are asked for, so that enough are left that can be shown."""
_FACTS: Final = 3
"""The maximum number of facts about one thing."""
_DOOR: Final = "door"
"""Going through doors is particular to a scene."""


class WorkedExample(NamedTuple):
    """A goal with a plan that reaches it, in words."""

    goal: str
    plan: str
    id: str = ""
    """The id of the memory's item; empty for any other."""


class ShownFact(NamedTuple):
    """What is known of a thing's place."""

    text: str
    id: str


class ShownMemory:
    """A memory as a language model is shown it, for one environment and scene."""

    def __init__(self, recollection: Memory, env: str | None = None, scene: str | None = None) -> None:
        """Prepare to ask.

        Args:
            recollection: The memory; it is only asked.
            env: The gymnasium id of the environment whose items are used; None for any.
            scene: The scene whose facts hold; None if it is not known.
        """
        self._recollection, self._env, self._scene = recollection, env, scene

    def plans(self, goal: str, count: int, verbalizer: Verbalizer) -> list[WorkedExample]:
        """Return plans that reached similar goals, the most similar last, where a model heeds it most."""
        found: dict[str, WorkedExample] = {}
        for hit in self._query(f"Goal: {goal}.", "episode") if count else ():
            draft = hit.item.draft
            actions = draft.data.get("actions")
            if draft.success and draft.task and isinstance(actions, list) and len(found) < count:
                said = (verbalizer.say_action(str(one)) for one in actions if not _of_door(str(one), verbalizer))
                found.setdefault(draft.task, WorkedExample(draft.task, " ".join(said), hit.item.id))
        return list(reversed(found.values()))

    def facts(self, kind: str, verbalizer: Verbalizer) -> list[ShownFact]:
        """Return what is known of where a kind of thing is, what holds in this scene first, and where that place is."""
        about = self._about(kind, verbalizer)
        places = dict.fromkeys(str(draft.data.get("place", "")) for _, draft in about)
        about += [fact for place in places if place for fact in self._about(place, verbalizer)[:1]]
        return [ShownFact(draft.text, id_) for id_, draft in dict(about).items()]

    def _about(self, kind: str, verbalizer: Verbalizer) -> list[tuple[str, Draft]]:
        hits = self._query(f"where is the {verbalizer.noun(kind)} kept, in which room", "fact")
        known = [(hit.item.id, hit.item.draft) for hit in hits if hit.item.draft.data.get("object") == kind]
        here = [one for one in known if one[1].data.get("holds") != "scene" or one[1].data.get("scene") == self._scene]
        return sorted(here, key=lambda one: one[1].data.get("holds") != "scene")[:_FACTS]

    def _query(self, text: str, kind: Kind) -> Sequence[Hit]:
        return self._recollection.query(text, _ASKED, Filter(kinds=(kind,), env=self._env))


def _of_door(action: str, verbalizer: Verbalizer) -> bool:
    read = verbalizer.read_action(action)
    return read is not None and _DOOR in read.names
