"""Stories out of episodes: which events are mentioned, so that the answer follows from the words and the words suffice.

Whatever moved something is mentioned, for everyone who matters to the question; others are mentioned wholly or not at
all, and idle actions fill what room is left. In one story a kind stands for one thing only. Not here: the questions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from ...stable_random import StableRandom
from .episodes import CorpusEpisode, EpisodeEvent
from .narration import Narrator
from .words import Person, cast, count_words

_WORDS_OF_AN_ACTION: Final = 6
_WORDS_OF_AN_OPENING: Final = 7


class Story(NamedTuple):
    """A part of an episode in words."""

    text: str
    events: tuple[EpisodeEvent, ...]
    """The events that it mentions."""
    narrator: Narrator


class Teller:
    """Makes stories of parts of one episode."""

    def __init__(self, episode: CorpusEpisode, choices: StableRandom, max_words: int) -> None:
        """Prepare a teller; `choices` are consumed, `max_words` limits the whole prompt."""
        self.episode = episode
        self.choices = choices
        self.max_words = max_words
        self.characters = frozenset(episode.start.characters)
        self.people: dict[int, Person] = cast(episode.start.characters, choices)
        self.narrator = Narrator(episode, self.people, choices)

    def window(self, begin: int, end: int) -> list[EpisodeEvent]:
        """Return the events between two moments."""
        return [event for event in self.episode.done if begin <= event.step < end]

    def tell(
        self,
        begin: int,
        end: int,
        *,
        involved: Collection[int],
        about: Collection[int],
        first: str = "",
        question: str = "",
        people: int = 1,
    ) -> Story | None:
        """Describe what happened between two moments; None if it takes too many words, or names would be ambiguous.

        Args:
            begin: The moment that the opening describes.
            end: The moment after the last event.
            involved: The characters whose every move has to be mentioned.
            about: The things that the question is about.
            first: Stands at the beginning, with who was where.
            question: Follows the story; its words count.
            people: The fewest characters that must appear.
        """
        window = self.window(begin, end)
        must = [event for event in window if event.moved and event.actor in involved]
        names = _Names(self.episode, self.characters)
        held = [n for c in involved for n in self._held(c, begin)]
        if not must or not names.add([*about, *held, *self._named(must)]):
            return None
        room = self.max_words - count_words(first) - count_words(question) - len(must) * _WORDS_OF_AN_ACTION
        room -= len(involved) * _WORDS_OF_AN_OPENING
        chosen = set(must)
        actors = dict.fromkeys(event.actor for event in must)
        for actor in self.choices.shuffled(sorted({event.actor for event in window} - set(involved))):
            moves = [event for event in window if event.moved and event.actor == actor]
            cost = len(moves) * _WORDS_OF_AN_ACTION + _WORDS_OF_AN_OPENING
            wanted = (moves or len(actors) < people) and cost <= room
            if wanted and names.add([*self._held(actor, begin), *self._named(moves)]):
                chosen.update(moves)
                actors[actor] = None
                room -= cost
        rooms = self.episode.start.rooms
        idle = [e for e in window if e.actor in actors and not e.moved and rooms.isdisjoint(e.action.ids)]
        share = self.choices.between(0, 2)
        for event in self.choices.shuffled(idle)[: max(0, room * share // (2 * _WORDS_OF_AN_ACTION))]:
            if names.add(self._named([event])):
                chosen.add(event)
        for events in (sorted(chosen), must):
            story = self._told(events, begin, first)
            seen = {event.actor for event in events}
            if len(seen) >= people and count_words(story.text) + count_words(question) <= self.max_words:
                return story
        return None

    def _told(self, events: Sequence[EpisodeEvent], begin: int, first: str) -> Story:
        actors = list(dict.fromkeys(event.actor for event in events))
        opening = self.narrator.opening(actors, begin)
        parts = self.choices.shuffled([opening, first]) if first else [opening]
        text = " ".join((*parts, self.narrator.tell(events)))
        return Story(text, tuple(events), self.narrator)

    def _held(self, character: int, moment: int) -> list[int]:
        return [n for n in self.episode.moved if self.episode.location(n, moment)[1:] == ("HELD", character)]

    def _named(self, events: Iterable[EpisodeEvent]) -> list[int]:
        """What is named by events; where somebody goes into another room, its name says enough."""
        found: list[int] = []
        for event in events:
            if self.narrator.new_room(event) is None:
                found += event.action.ids
            if event.action.verb in self.episode.verbalizer.lexicon.back:
                found += [self.narrator.destination(event) or event.action.ids[0]]
        return found


class _Names:
    """Which thing each class name stands for."""

    def __init__(self, episode: CorpusEpisode, characters: Collection[int]) -> None:
        self._episode = episode
        self._characters = characters
        self._meant: dict[str, int] = {}

    def add(self, nodes: Iterable[int]) -> bool:
        """Name more nodes; False, and nothing changes, where a name would stand for two."""
        kinds = self._episode.kinds
        more: dict[str, int] = {}
        for node in nodes:
            if node in self._characters:
                continue
            name = kinds[node]
            if self._meant.get(name, node) != node or more.get(name, node) != node:
                return False
            more[name] = node
        self._meant.update(more)
        return True
