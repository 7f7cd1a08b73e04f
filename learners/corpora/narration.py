"""What people did, told in prose: synonyms, pronouns, sentences of several shapes.

A story is told of events as they were lived. Who walks into another room is always told to do so by the room's name;
so where everything is can be followed from the words. Left out: choosing the events, and questions about them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from ...envs.virtualhome.houses.stable_random import StableRandom
from ...envs.virtualhome.language.plans import say_deed
from .episodes import EpisodeEvent, HouseholdEpisode
from .words import Person, listed, noun, sentence, the, them

PAST: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "WALK": ("went to {0}", "walked to {0}", "walked over to {0}", "headed to {0}"),
        "RUN": ("ran to {0}", "hurried to {0}"),
        "FIND": ("found {0}", "looked for {0} and found {them}"),
        "SIT": ("sat down on {0}", "took a seat on {0}"),
        "LIE": ("lay down on {0}", "lay on {0}"),
        "STANDUP": ("stood up", "got up"),
        "SLEEP": ("slept for a while", "fell asleep"),
        "WAKEUP": ("woke up",),
        "GRAB": ("picked up {0}", "took {0}", "grabbed {0}", "got {0}"),
        "OPEN": ("opened {0}",),
        "CLOSE": ("closed {0}", "shut {0}"),
        "PUTBACK": ("put {0} on {1}", "placed {0} on {1}", "left {0} on {1}", "set {0} down on {1}"),
        "PUTIN": ("put {0} in {1}", "placed {0} in {1}", "left {0} in {1}"),
        "SWITCHON": ("switched on {0}", "turned on {0}"),
        "SWITCHOFF": ("switched off {0}", "turned off {0}"),
        "PLUGIN": ("plugged in {0}",),
        "PLUGOUT": ("unplugged {0}", "pulled the plug of {0}"),
        "TURNTO": ("turned to {0}", "faced {0}"),
        "LOOKAT": ("looked at {0}", "examined {0}"),
        "POINTAT": ("pointed at {0}",),
        "WATCH": ("watched {0}",),
        "WIPE": ("wiped {0}", "wiped off {0}"),
        "WASH": ("washed {0}", "cleaned {0}"),
        "RINSE": ("rinsed {0}",),
        "SCRUB": ("scrubbed {0}",),
        "PUTON": ("put on {0}",),
        "PUTOFF": ("took off {0}",),
        "DROP": ("dropped {0}", "put down {0}", "let go of {0}"),
        "RELEASE": ("let go of {0}", "put down {0}"),
        "POUR": ("poured {0} into {1}",),
        "DRINK": ("drank from {0}",),
        "READ": ("read {0}",),
        "EAT": ("ate of {0}",),
        "CUT": ("cut {0}", "sliced {0}"),
        "TOUCH": ("touched {0}",),
        "TYPE": ("typed on {0}",),
        "PUSH": ("pushed {0}",),
        "PULL": ("pulled {0}",),
        "MOVE": ("moved {0} a little",),
        "SQUEEZE": ("squeezed {0}",),
        "GREET": ("greeted {0}", "said hello to {0}"),
    }
)
"""Each verb in the past tense, the plainest way first."""
_INTO: Final = ("went to {0}", "walked into {0}", "moved to {0}", "entered {0}")
_PARTICLE: Final = re.compile(r"^(\w+) (up|on|off|in|down) \{0\}$")
"""A verb whose particle follows a pronoun: "picked it up"."""
_MANY: Final = 3
"""At most so many deeds in a sentence."""


class Narrator:
    """Tells of one episode under names that it keeps."""

    def __init__(self, episode: HouseholdEpisode, people: Mapping[int, Person], choices: StableRandom) -> None:
        """Prepare to tell.

        Args:
            episode: What was lived.
            people: The name of every character.
            choices: Picks the words; consumed.
        """
        self._episode = episode
        self.people = people
        self._choices = choices

    def name(self, node: int) -> str:
        """Return what a node is called: a person's name, or "the cup"."""
        person = self.people.get(node)
        return the(self._episode.start.classes[node]) if person is None else person.name

    def clause(self, event: EpisodeEvent, *, plain: bool = False, known: int | None = None) -> str:
        """Return what somebody did, without the subject: "picked up the cup".

        Args:
            event: What was done.
            plain: Whether to take the plainest words.
            known: The thing that was spoken of last: it may become a pronoun.
        """
        verb, _, ids = event.deed
        classes = self._episode.start.classes
        if verb == "PUTOBJBACK":  # the rules know where that is, and the reader is told
            place = self.destination(event)
            relation = self._episode.spot(ids[0], event.step + 1).relation
            verb = {"ON": "PUTBACK", "INSIDE": "PUTIN"}.get(relation, "DROP")
            ids = ids if place is None else (*ids, place)
        patterns = PAST.get(verb)
        if patterns is None:
            return f"did this: {say_deed(event.deed)[:-1].lower()}"
        room = self.new_room(event)
        if room is not None and ids and ids[0] == room:
            patterns = _INTO
        pattern = patterns[0] if plain else self._choices.pick(patterns)
        names = [self.name(node) for node in ids]
        pronoun = them(classes[ids[0]]) if ids else ""
        if known is not None and ids and ids[0] == known and verb not in ("WALK", "RUN", "FIND"):
            names[0] = pronoun
            pattern = _PARTICLE.sub(r"\1 {0} \2", pattern)
        text = pattern.format(*names, them=pronoun)
        if room is not None and ids and ids[0] != room:
            text += f" in {the(classes[room])}"
        return text

    def destination(self, event: EpisodeEvent) -> int | None:
        """Return what the object of an event came to be on or in."""
        spot = self._episode.spot(event.deed.ids[0], event.step + 1)
        return None if spot.relation == "HELD" else spot.holder

    def new_room(self, event: EpisodeEvent) -> int | None:
        """Return the room that the actor came into with an event; None if it stayed where it was."""
        if event.actor not in event.moved:
            return None
        before = self._episode.spot(event.actor, event.step).room
        after = self._episode.spot(event.actor, event.step + 1).room
        return after if after != before else None

    def opening(self, actors: Sequence[int], moment: int) -> str:
        """Tell in which room everybody is at a moment and what they hold."""
        episode, told = self._episode, []
        for actor in actors:
            room = episode.spot(actor, moment).room
            where = "at home" if room is None else f"in {the(episode.start.classes[room])}"
            held = [n for n in episode.moved if episode.spot(n, moment)[1:] == ("HELD", actor)]
            load = f" with {listed([self.name(n) for n in held])}" if held else ""
            told.append((self.people[actor].name, f"{where}{load}"))
        if len({where for _, where in told}) == 1 and len(told) > 1:
            return sentence(f"{listed([name for name, _ in told])} were {told[0][1]}")
        parts = [f"{name} was {where}" for name, where in told[:1]] + [f"{name} {where}" for name, where in told[1:]]
        if any(" with " in where for _, where in told):
            return " ".join(sentence(f"{name} was {where}") for name, where in told)
        return sentence(listed(parts))

    def tell(self, events: Sequence[EpisodeEvent]) -> str:
        """Tell events in their order."""
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
                ids = event.deed.ids
                known = ids[0] if len(ids) == 1 else None
            sentences.append(sentence(f"{subject} {self._joined(clauses)}"))
            named = {n for event in chunk for n in event.deed.ids if n in self.people and n != actor}
            last = None if named else actor  # after another name a pronoun could mean either
            place += len(chunk)
        return " ".join(sentences)

    def _joined(self, clauses: Sequence[str]) -> str:
        if len(clauses) == 2 and self._choices.chance(0.3):
            return f"{clauses[0]}, then {clauses[1]}"
        return listed(clauses)


def room_name(episode: HouseholdEpisode, room: int | None) -> str:
    """Return a room in words: "living room"."""
    return "" if room is None else noun(episode.start.classes[room])


__all__ = ["PAST", "Narrator", "room_name"]
