"""What a memory shows a language model: plans for similar goals, in words, and where things are.

A prompt has little room, so both are short: of a goal's plans the shortest, which has the fewest steps that only its
house asked for; of a thing where it is in this scene, with the room in the same line, or else where such things are
most often. What was looked into is no longer shown as the place of a thing. Not here: asking the model (`saycan`), and
what a memory holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Final, NamedTuple

from ...envs.verbalizer import Verbalizer
from ...experience import Json
from ...memory.items import Filter, Hit
from ...memory.protocol import Memory

_ASKED: Final = 32
"""How many items are asked for, so that enough are left that can be shown."""
_FACTS: Final = 3
"""The maximum number of facts about one thing."""
_DOOR: Final = "door"
"""Going through doors is particular to a scene."""
_ROOM: Final = "ROOM"


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
        """Return plans that reached similar goals, one for a goal, the most similar last: a model heeds it most."""
        found: dict[str, WorkedExample] = {}
        where = Filter(kinds=("episode",), env=self._env, success=True)
        for hit in self._recollection.query(f"Goal: {goal}.", _ASKED, where) if count else ():
            draft = hit.item.draft
            actions = draft.data.get("actions")
            if not draft.task or not isinstance(actions, list):
                continue
            said = (verbalizer.say_action(str(one)) for one in actions if not _of_door(str(one), verbalizer))
            one = WorkedExample(draft.task, " ".join(said), hit.item.id)
            known = found.get(one.goal)
            if known is None or len(one.plan) < len(known.plan):
                found[one.goal] = one
        return list(reversed([*found.values()][:count]))

    def facts(self, kind: str, verbalizer: Verbalizer, left: Set[str] | None = None) -> list[ShownFact]:
        """Return what is known of where a kind of thing is.

        Args:
            kind: The kind of thing.
            verbalizer: The environment's words.
            left: The kinds of rooms and closed things that were not looked into; None for all.

        Returns:
            Where it is in this scene; or, where nothing is known of that, where it is in general, and where that is.
        """
        here = [] if self._scene is None else self._about(kind, verbalizer, {"holds": "scene", "scene": self._scene})
        open_ = [hit for hit in here if left is None or not left.isdisjoint(_places(hit))]
        if open_:
            return [ShownFact(_here(hit.item.draft.data, verbalizer), hit.item.id) for hit in open_[:_FACTS]]
        shown, rooms = list[Hit](), list[Hit]()
        for hit in self._usual(kind, verbalizer):
            about = self._usual(_place(hit), verbalizer)
            there = [one for one in about if one.item.draft.data.get("relation") == _ROOM]
            if left is None or not left.isdisjoint((*_places(hit), *map(_place, there))):
                shown.append(hit)
                rooms += there[:1]
            if len(shown) == _FACTS:
                break
        return list({hit.item.id: ShownFact(hit.item.draft.text, hit.item.id) for hit in (*shown, *rooms)}.values())

    def _usual(self, kind: str, verbalizer: Verbalizer) -> list[Hit]:
        """Return where a kind of thing is kept, in any scene, what was seen most often first."""
        found = self._about(kind, verbalizer, {"holds": "env", "when": "kept"})
        return sorted(found, key=lambda hit: -hit.item.seen)

    def _about(self, kind: str, verbalizer: Verbalizer, data: Mapping[str, str]) -> Sequence[Hit]:
        text = f"where is the {verbalizer.noun(kind)} kept, in which room"
        return self._recollection.query(
            text, _ASKED, Filter(kinds=("fact",), env=self._env, data={"object": kind, **data})
        )


def _place(hit: Hit) -> str:
    return str(hit.item.draft.data["place"])


def _places(hit: Hit) -> set[str]:
    """Return the kinds of place that a fact names."""
    return {_place(hit), str(hit.item.draft.data.get("room", ""))}


def _here(data: Mapping[str, Json], verbalizer: Verbalizer) -> str:
    """Say where a thing of this scene is, without numbers, which a model that looks for a kind cannot use."""
    thing, place = (verbalizer.noun(str(data[name])) for name in ("object", "place"))
    room = f", in the {verbalizer.noun(str(data['room']))}" if data.get("room") else ""
    be = verbalizer.lexicon.be(str(data["object"]))
    return f"Here the {thing} {be} {'on' if data.get('relation') == 'ON' else 'in'} the {place}{room}."


def _of_door(action: str, verbalizer: Verbalizer) -> bool:
    read = verbalizer.read_action(action)
    return read is not None and _DOOR in read.names
