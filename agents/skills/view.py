"""What an agent that acts by skills perceives and remembers of an episode: possible actions, and what it saw where.

It reads the admissible actions, and asks the environment's verbalizer in which room it is and which rooms there are.
Not here: other contents of an observation's text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ...envs.facts import Entity, NodeSelector
from ...envs.verbalizer import Surroundings, Verbalizer, plain
from ...experience import Observation
from ...memory.builders.signatures import as_word, read_counted, step_reader


class EpisodeView:
    """The current observation, and what was seen before."""

    def __init__(self, verbalizer: Verbalizer | None = None) -> None:
        """Start an episode.

        Args:
            verbalizer: Reads actions and rooms; the plain one, which reads script lines, if None.
        """
        self.verbalizer = plain() if verbalizer is None else verbalizer
        self.read_step = step_reader(self.verbalizer)
        """Reads an action."""
        self.text = ""
        """The text of the last observation."""
        self.actions: tuple[str, ...] = ()
        """The admissible actions."""
        self.listed: dict[int, Entity] = {}
        """The objects that can be acted on now, in the order of the actions."""
        self.surroundings = Surroundings()
        """What the last observation says about where the agent is."""
        self.rooms: dict[int, Entity] = {}
        """The rooms that were seen or named in this episode."""
        self.kinds: dict[str, str] = {}
        """The kinds that were seen, by how skills write them: `{"type_M_safe": "type M safe"}`."""
        self.tried: Counter[str] = Counter()
        """How often each action was chosen."""
        self._by_parts: dict[tuple[str, tuple[int, ...]], dict[int, str]] = {}
        self._seen: dict[int, tuple[Entity, int | None]] = {}

    @property
    def here(self) -> Entity | None:
        """The current room, if the observation shows it."""
        return self.surroundings.here

    @property
    def room_kinds(self) -> set[str]:
        """The kinds of rooms that were seen or named."""
        return {room.kind for room in self.rooms.values()}

    def see(self, observation: Observation) -> int:
        """Take in an observation, and return the number of new objects."""
        self.text, self.actions = observation.text, observation.actions or ()
        self.surroundings = self.verbalizer.surroundings(observation)
        named = (*self.surroundings.rooms, *((self.here,) if self.here else ()))
        self.rooms.update((room.id, room) for room in named)
        self.listed, self._by_parts = {}, {}
        for action in self.actions:
            step = self.read_step(action)
            verb, number = read_counted(step.verb.upper())
            alike = self._by_parts.setdefault((verb, tuple(thing.id for thing in step.things)), {})
            alike.setdefault(number or 1, action)
            for thing in step.things:
                self.listed.setdefault(thing.id, thing)
        self.kinds.update((as_word(thing.kind), thing.kind) for thing in self.listed.values())
        here = None if self.here is None else self.here.id
        fresh = sum(id_ not in self._seen for id_ in self.listed)
        self._seen.update({id_: (thing, here) for id_, thing in self.listed.items()})
        return fresh

    def action(self, verb: str, things: Sequence[Entity]) -> str | None:
        """Return the admissible action with a verb on objects, of several that with the nearest number; or None."""
        bare, number = read_counted(verb.upper())
        alike = self._by_parts.get((bare, tuple(thing.id for thing in things)), {})
        return alike[min(alike, key=lambda one: abs(one - (number or 1)))] if alike else None

    def spelled(self, action: str) -> str:
        """Return an action as it is listed, whatever the case; an action that is not listed as it is."""
        return next((one for one in self.actions if one.lower() == action.lower()), action)

    def among(self, selector: NodeSelector) -> list[Entity]:
        """Return the objects that can be acted on now and fit a role."""
        return [thing for thing in self.listed.values() if selector.takes(thing.kind, thing.id)]

    def in_reach(self, id_: int) -> bool:
        """Whether an action shows that a thing is in reach (`Lexicon.reaching`)."""
        return any((verb, (id_,)) in self._by_parts for verb in self.verbalizer.lexicon.reaching)

    def last_seen(self, selector: NodeSelector) -> list[int]:
        """Return the other rooms in which objects that fit a role were last seen."""
        here = None if self.here is None else self.here.id
        rooms = (
            room
            for thing, room in self._seen.values()
            if selector.takes(thing.kind, thing.id) and thing.id not in self.listed
        )
        return [room for room in dict.fromkeys(rooms) if room is not None and room != here]

    def thing(self, id_: int) -> Entity | None:
        """Return an object that was seen in this episode."""
        found = self._seen.get(id_)
        return None if found is None else found[0]
