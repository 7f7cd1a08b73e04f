"""What people did, as prose: synonyms, pronouns, sentences of several shapes.

A story keeps the order of the events. Going into another room is always said with the room's name, so the words say
where everything is. Not here: choosing the events, and questions about them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from ...envs.verbalizer import capitalised
from ...stable_random import StableRandom
from .episodes import CorpusEpisode, EpisodeEvent
from .words import Person, listed

_INTO: Final[tuple[str, ...]] = ("went to {0}", "walked into {0}", "moved to {0}", "entered {0}")
_PARTICLE: Final = re.compile(r"^(\w+) (up|on|off|in|down) \{0\}$")
"""A verb whose particle follows a pronoun: "picked it up"."""
_MANY: Final = 3
"""At most this number of actions in a sentence."""


class Narrator:
    """Describes one episode under names that it keeps."""

    def __init__(self, episode: CorpusEpisode, people: Mapping[int, Person], choices: StableRandom) -> None:
        """Prepare a narrator of an episode; it knows every character by name, and consumes `choices` to pick words."""
        self._episode = episode
        self._words = episode.words
        self._lexicon = episode.verbalizer.lexicon
        self.people = people
        self._choices = choices

    def name(self, node: int) -> str:
        """Return what a node is called: a person's name, or "the cup"."""
        person = self.people.get(node)
        return self._words.the(self._episode.kinds[node]) if person is None else person.name

    def clause(self, event: EpisodeEvent, *, plain: bool = False, known: int | None = None) -> str:
        """Return what somebody did, without the subject: "picked up the cup".

        Args:
            event: What was done.
            plain: Whether to take the plainest words.
            known: The thing that was named last: it may become a pronoun.
        """
        verb, ids = event.action.verb, event.action.ids
        kinds, lexicon = self._episode.kinds, self._lexicon
        if verb in lexicon.back:  # the environment knows where that is, and the reader cannot know it
            place = self.destination(event)
            relation = self._episode.location(ids[0], event.step + 1).relation
            verb = lexicon.back[verb].get(relation, lexicon.back[verb][""])
            ids = ids if place is None else (*ids, place)
        room = self.new_room(event)
        if room is not None and (not ids or ids[0] == room):
            patterns, ids = _INTO, (room,)
        else:
            patterns = tuple(one for one in lexicon.past.get(verb, ()) if _arity(one) <= len(ids))
        if not patterns:
            return f"did this: {self._episode.verbalizer.say_action(event.action)[:-1].lower()}"
        pattern = patterns[0] if plain else self._choices.pick(patterns)
        names = [self.name(node) for node in ids]
        pronoun = self._words.them(kinds[ids[0]]) if ids else ""
        if known is not None and ids and ids[0] == known and verb not in lexicon.going:
            names[0] = pronoun
            pattern = _PARTICLE.sub(r"\1 {0} \2", pattern)
        text = pattern.format(*names, them=pronoun)
        if room is not None and ids and ids[0] != room:
            text += f" in {self._words.the(kinds[room])}"
        return text

    def destination(self, event: EpisodeEvent) -> int | None:
        """Return what the object of an event came to be on or in."""
        spot = self._episode.location(event.action.ids[0], event.step + 1)
        return None if spot.relation == "HELD" else spot.holder

    def new_room(self, event: EpisodeEvent) -> int | None:
        """Return the room that the actor came into with an event; None if it stayed where it was."""
        if event.actor not in event.moved:
            return None
        before = self._episode.location(event.actor, event.step).room
        after = self._episode.location(event.actor, event.step + 1).room
        return after if after != before else None

    def opening(self, actors: Sequence[int], moment: int) -> str:
        """Say in which room everybody is at a moment and what they hold."""
        episode, said = self._episode, []
        for actor in actors:
            room = episode.location(actor, moment).room
            where = "at home" if room is None else f"in {self._words.the(episode.kinds[room])}"
            held = [n for n in episode.moved if episode.location(n, moment)[1:] == ("HELD", actor)]
            load = f" with {listed([self.name(n) for n in held])}" if held else ""
            said.append((self.people[actor].name, f"{where}{load}"))
        if len({where for _, where in said}) == 1 and len(said) > 1:
            return capitalised(f"{listed([name for name, _ in said])} were {said[0][1]}")
        parts = [f"{name} was {where}" for name, where in said[:1]] + [f"{name} {where}" for name, where in said[1:]]
        if any(" with " in where for _, where in said):
            return " ".join(capitalised(f"{name} was {where}") for name, where in said)
        return capitalised(listed(parts))

    def tell(self, events: Sequence[EpisodeEvent]) -> str:
        """Describe events in their order."""
        sentences: list[str] = []
        place = 0
        last: int | None = None
        while place < len(events):
            actor = events[place].actor
            many = self._choices.between(1, _MANY)
            chunk = [events[place]]
            while len(chunk) < many and place + len(chunk) < len(events) and events[place + len(chunk)].actor == actor:
                chunk.append(events[place + len(chunk)])
            person = self.people[actor]
            subject = person.subject if last == actor and self._choices.chance(0.6) else person.name
            clauses = []
            known: int | None = None
            for event in chunk:
                may = known if self._choices.chance(0.7) else None
                clauses.append(self.clause(event, known=may))
                ids = event.action.ids
                known = ids[0] if len(ids) == 1 else None
            sentences.append(capitalised(f"{subject} {self._joined(clauses)}"))
            named = {n for event in chunk for n in event.action.ids if n in self.people and n != actor}
            last = None if named else actor  # after another name a pronoun could mean either
            place += len(chunk)
        return " ".join(sentences)

    def _joined(self, clauses: Sequence[str]) -> str:
        if len(clauses) == 2 and self._choices.chance(0.3):
            return f"{clauses[0]}, then {clauses[1]}"
        return listed(clauses)


def _arity(pattern: str) -> int:
    """How many things a pattern names."""
    return ("{0}" in pattern) + ("{1}" in pattern)
