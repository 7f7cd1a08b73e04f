"""What an agent that acts by skills perceives and remembers of one episode: what can be done, and what it saw where.

It reads the admissible actions, and of the text only in which room it is. Left out: what is not said by either.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from ...experience import Observation
from ...memory.builders.lifting import LiftedSelector, ObjectRef, read_act

_HERE: Final = re.compile(r"You are in the ([a-z_ ]+?) \((\d{1,18})\)")


class EpisodeView:
    """What is to be seen now, and what was seen before."""

    def __init__(self) -> None:
        """Begin an episode."""
        self.actions: tuple[str, ...] = ()
        """The admissible actions."""
        self.listed: dict[int, ObjectRef] = {}
        """The things that can be spoken of now, in the order of the actions."""
        self.here: ObjectRef | None = None
        """The room, where the text says it."""
        self.tried: Counter[str] = Counter()
        """How often each action was chosen."""
        self.text = ""
        self._by_parts: dict[tuple[str, tuple[int, ...]], str] = {}
        self._seen: dict[int, tuple[ObjectRef, int | None]] = {}

    def see(self, observation: Observation) -> int:
        """Take in an observation, and return how many things are new."""
        self.actions = observation.actions or ()
        self.text = observation.text
        found = _HERE.search(observation.text)
        self.here = ObjectRef(found[1].replace(" ", "_"), int(found[2])) if found else None
        self.listed, self._by_parts = {}, {}
        for action in self.actions:
            act = read_act(action)
            self._by_parts.setdefault((act.verb, tuple(thing.id for thing in act.things)), action)
            for thing in act.things:
                self.listed.setdefault(thing.id, thing)
        here = None if self.here is None else self.here.id
        fresh = sum(id_ not in self._seen for id_ in self.listed)
        self._seen.update({id_: (thing, here) for id_, thing in self.listed.items()})
        return fresh

    def action(self, verb: str, things: Sequence[ObjectRef]) -> str | None:
        """Return the admissible action with a verb on things, or None."""
        return self._by_parts.get((verb, tuple(thing.id for thing in things)))

    def among(self, selector: LiftedSelector) -> list[ObjectRef]:
        """Return the things that can be spoken of now and may take a role."""
        return [thing for thing in self.listed.values() if selector.takes(thing)]

    def last_seen(self, selector: LiftedSelector) -> list[int]:
        """Return the rooms, other than this one, in which things that may take a role were seen last."""
        here = None if self.here is None else self.here.id
        rooms = (room for thing, room in self._seen.values() if selector.takes(thing) and thing.id not in self.listed)
        return [room for room in dict.fromkeys(rooms) if room is not None and room != here]

    def thing(self, id_: int) -> ObjectRef | None:
        """Return a thing that was seen in this episode."""
        found = self._seen.get(id_)
        return None if found is None else found[0]


__all__ = ["EpisodeView"]
