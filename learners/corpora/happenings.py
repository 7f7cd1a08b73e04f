"""Questions about what happened to things: how many are where, along which rooms one went, where one was.

Answers are read off the facts. See `stories` for what the story mentions. Not here: activities and goals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final

from ...envs.facts import Location
from ...envs.verbalizer import capitalised
from ...stable_random import StableRandom
from .config import CorpusDraft
from .episodes import CorpusEpisode, EpisodeEvent
from .stories import Story, Teller
from .words import IN, Words, listed, mixed

_MOST_ITEMS: Final = 4
_OPTIONS_OF_COUNTING: Final = 5
_OPTIONS_OF_LOCATION: Final = 6
_TRAVELS: Final = 0.8
"""How often the end of a tracking story is chosen after the thing came into another room, if it did."""
_TRIES: Final = 4
"""How many windows are tried for each example that is wanted."""


def counting(episode: CorpusEpisode, choices: StableRandom, max_words: int, wanted: int) -> Iterator[CorpusDraft]:
    """Ask how many things, and which, are on or in a place after a story; five options."""
    teller = Teller(episode, choices, max_words)
    moved = set(episode.moved)
    places = {
        (spot.holder, spot.relation)
        for node in moved - teller.characters
        for _, spot in episode.history(node)
        if spot.holder is not None and spot.holder not in moved and spot.relation in IN
    }
    tried = choices.shuffled(sorted(places) * _TRIES)[: wanted * _TRIES]
    return islice(filter(None, (_count(teller, place, relation) for place, relation in tried)), wanted)


def _count(teller: Teller, place: int, relation: str) -> CorpusDraft | None:
    episode, choices = teller.episode, teller.choices

    def there(moment: int) -> list[int]:
        return episode.contents(place, relation, moment)

    changing = [
        event
        for event in episode.done
        if any(
            (relation, place) in (episode.location(n, event.step)[1:], episode.location(n, event.step + 1)[1:])
            for n in event.moved
        )
    ]
    if not changing:
        return None
    turn = choices.pick(changing)
    begin, end = choices.between(max(0, turn.step - 12), turn.step), choices.between(turn.step + 1, episode.last)
    end = min(end, turn.step + 12)
    before, after = there(begin), there(end)
    touching = [event for event in changing if begin <= event.step < end]
    classes = episode.kinds
    seen = {node for event in touching for node in there(event.step + 1)} | {*before, *after}
    lexicon = episode.verbalizer.lexicon
    if any(event.action.verb in lexicon.pouring for event in touching):
        return None
    if any(_is_alive(episode, node) for node in seen):
        return None
    if max(len(before), len(after)) > _MOST_ITEMS:
        return None
    where = f"{IN[relation]} {episode.words.the(classes[place])}"
    first = capitalised(_at_first(episode.words, classes[place], where, [classes[node] for node in before], choices))
    asked = f"\nQ: How many items are {where}?\nA:"
    involved = sorted({event.actor for event in touching})
    story = teller.tell(begin, end, involved=involved, about=[place, *seen], first=first, question=asked)
    if story is None:
        return None
    order = [*before, *(node for event in touching for node in event.action.ids if node not in before)]
    items = sorted(after, key=lambda node: order.index(node) if node in order else len(order))
    right = _answer(episode.words, where, [classes[node] for node in items])
    wrong = _count_options(teller, story, where, items, before, seen)
    if len(wrong) < _OPTIONS_OF_COUNTING - 1:
        return None
    about = {"place": place, "relation": relation, "begin": begin, "items": items}
    return CorpusDraft(
        story.text + asked, right, str(len(after)), end, mixed(choices, right, wrong, _OPTIONS_OF_COUNTING), about
    )


def _at_first(words: Words, place: str, where: str, names: Sequence[str], choices: StableRandom) -> str:
    if not names:
        return choices.pick((f"there was nothing {where}", f"{words.the(place)} {words.were(place)} empty"))
    verb = words.were(names[0]) if len(names) == 1 else "were"
    things = listed([words.an(name) for name in names])
    return choices.pick((f"at first there {verb} {things} {where}", f"{where} there {verb} {things}"))


def _answer(words: Words, where: str, names: Sequence[str]) -> str:
    if not names:
        return f"There is no item {where}."
    if len(names) == 1:
        pronoun = "They are" if words.are(names[0]) == "are" else "It is"
        return f"There is one item {where}. {pronoun} {words.the(names[0])}."
    return f"There are {len(names)} items {where}. They are {listed([words.the(name) for name in names])}."


def _count_options(
    teller: Teller, story: Story, where: str, items: Sequence[int], before: Sequence[int], seen: set[int]
) -> list[str]:
    """Wrong answers: what was there before, what came and went, one thing too few or too many."""
    episode, choices, classes = teller.episode, teller.choices, teller.episode.kinds
    mentioned = {node for event in story.events for node in event.action.ids} - teller.characters - episode.start.rooms
    movable = {node for node in episode.moved if not _is_alive(episode, node)}
    others = choices.shuffled(sorted((mentioned | seen) & movable - set(items)))
    strangers = choices.shuffled(sorted(movable - mentioned - seen - set(items)))
    sets: list[list[int]] = [list(before), [], *([n for n in items if n != gone] for gone in items)]
    sets += [[*items, more] for more in (*others, *strangers[:2])]
    sets += [[*items[1:], more] for more in others] + [[more] for more in others]
    sets += [[*items, one, two] for one, two in zip(others, [*others[1:], *strangers[:1]], strict=False)]
    right = {classes[node] for node in items}
    found: dict[frozenset[str], str] = {}
    for nodes in sets:
        names = list(dict.fromkeys(classes[node] for node in nodes))
        if len(names) == len(nodes) and set(names) != right and len(names) <= _MOST_ITEMS + 1:
            found.setdefault(frozenset(names), _answer(episode.words, where, names))
    return list(found.values())[: 2 * _OPTIONS_OF_COUNTING]


def _is_alive(episode: CorpusEpisode, node: int) -> bool:
    return node in episode.start.characters or episode.kinds[node] in episode.verbalizer.lexicon.alive


def _moves(episode: CorpusEpisode, thing: int) -> list[EpisodeEvent]:
    return [event for event in episode.done if thing in event.moved]


def tracking(episode: CorpusEpisode, choices: StableRandom, max_words: int, wanted: int) -> Iterator[CorpusDraft]:
    """Ask along which rooms a thing went while two to four people moved and carried things."""
    if not 2 <= len(episode.start.characters) <= 4:
        return iter(())
    return _drafts(Teller(episode, choices, max_words), _track, wanted)


def _drafts(teller: Teller, ask: Callable[[Teller, int], CorpusDraft | None], wanted: int) -> Iterator[CorpusDraft]:
    """Ask about things that moved, none of them alive, in any order until there are enough drafts."""
    things = [node for node in teller.episode.moved if not _is_alive(teller.episode, node)]
    tried = teller.choices.shuffled(things * 2)[: wanted * _TRIES]
    return islice(filter(None, (ask(teller, thing) for thing in tried)), wanted)


def _track(teller: Teller, thing: int) -> CorpusDraft | None:
    episode, choices = teller.episode, teller.choices
    moves = _moves(episode, thing)
    begin = choices.between(max(0, moves[0].step - 6), moves[0].step)
    travels = [e for e in moves if episode.location(thing, e.step).room != episode.location(thing, e.step + 1).room]
    last = choices.pick(travels if travels and choices.chance(_TRAVELS) else moves)
    end = min(episode.last, last.step + choices.between(1, 8))
    path = rooms_of(episode, thing, begin, end)
    if None in path:
        return None
    name = episode.words.the(episode.kinds[thing])
    asked = choices.pick(
        (
            f"\nQ: In which rooms {episode.words.were(episode.kinds[thing])} {name}, in order?\nA:",
            f"\nQ: What is the order of the rooms where {name} appeared?\nA:",
        )
    )
    involved = sorted({event.actor for event in moves if begin <= event.step < end})
    story = teller.tell(begin, end, involved=involved, about=[thing], question=asked, people=2)
    if story is None:
        return None
    right = ", ".join(episode.words.noun(episode.kinds[room]) for room in path if room is not None)
    return CorpusDraft(story.text + asked, right, right, end, about={"thing": thing, "begin": begin, "rooms": path})


def rooms_of(episode: CorpusEpisode, thing: int, begin: int, end: int) -> list[int | None]:
    """Return the rooms that a thing was in between two moments, in order; a room is repeated if it came back."""
    path = [episode.location(thing, begin).room]
    for moment, spot in episode.history(thing):
        if begin < moment <= end and spot.room != path[-1]:
            path.append(spot.room)
    return path


def location(episode: CorpusEpisode, choices: StableRandom, max_words: int, wanted: int) -> Iterator[CorpusDraft]:
    """Ask where a thing was before or after something else happened; six options."""
    return _drafts(Teller(episode, choices, max_words), _locate, wanted)


def _locate(teller: Teller, thing: int) -> CorpusDraft | None:
    episode, choices, classes = teller.episode, teller.choices, teller.episode.kinds
    moves = _moves(episode, thing)
    turn = choices.pick(moves)
    begin = choices.between(max(0, turn.step - 8), turn.step)
    end = min(episode.last, turn.step + choices.between(1, 8))
    involved = sorted({event.actor for event in moves if begin <= event.step < end})
    first = _found(teller, thing, episode.location(thing, begin))
    asked_words = "\nQ: In which room was it before " + "x " * 8
    story = teller.tell(begin, end, involved=involved, about=[thing], first=first, question=asked_words)
    if story is None:
        return None
    said = [f"{story.narrator.name(event.actor)} {story.narrator.clause(event, plain=True)}" for event in story.events]
    marks = [place for place, text in enumerate(said) if said.count(text) == 1]
    if not marks:
        return None
    mark = choices.pick(marks)
    event = story.events[mark]
    before = thing in event.action.ids or choices.chance(0.5)
    moment = event.step if before else event.step + 1
    spot = episode.location(thing, moment)
    by_room = choices.chance(0.5) or not spot.relation
    if by_room and spot.room is None:
        return None
    right, wrong = _rooms(teller, spot) if by_room else _places(teller, thing, moment)
    if len(wrong) < episode.verbalizer.lexicon.wrong_places:
        return None
    name, verb = episode.words.the(classes[thing]), episode.words.were(classes[thing])
    where = f"In which room {verb} {name}" if by_room else f"Where {verb} {name}"
    asked = f"\nQ: {where} {'before' if before else 'right after'} {said[mark]}?\nA:"
    if len((story.text + asked).split()) > teller.max_words:
        return None
    options = mixed(choices, right, wrong, _OPTIONS_OF_LOCATION)
    asks = {"room": spot.room} if by_room else {"relation": spot.relation, "holder": spot.holder}
    about = {"thing": thing, "begin": begin, **asks}
    return CorpusDraft(story.text + asked, right, right, moment, options, about)


def _found(teller: Teller, thing: int, spot: Location) -> str:
    """Where a thing was at first; what somebody holds is mentioned with them."""
    if spot.relation == "HELD" or spot.room is None:
        return ""
    classes, words = teller.episode.kinds, teller.episode.words
    where = f"in {words.the(classes[spot.room])}"
    if spot.holder is not None:
        where = f"{IN[spot.relation]} {words.the(classes[spot.holder])} {where}"
    return capitalised(f"{words.the(classes[thing])} {words.were(classes[thing])} {where}")


def _rooms(teller: Teller, spot: Location) -> tuple[str, list[str]]:
    classes = teller.episode.kinds
    right = teller.episode.words.noun(classes[spot.room]) if spot.room is not None else ""
    own = [teller.episode.words.noun(classes[room]) for room in sorted(teller.episode.start.rooms)]
    names = [name for name in dict.fromkeys((*own, *teller.episode.verbalizer.lexicon.rooms)) if name != right]
    return right, names[: _OPTIONS_OF_LOCATION - 1]


def _places(teller: Teller, thing: int, moment: int) -> tuple[str, list[str]]:
    """The place of a thing in words, and places where it was not, those of the story first."""
    episode = teller.episode

    def words(spot: Location) -> str:
        if spot.relation == "HELD" and spot.holder is not None:
            return f"in {teller.people[spot.holder].name}'s hand"
        return f"{IN[spot.relation]} {episode.words.the(episode.kinds[spot.holder or 0])}"

    spot = episode.location(thing, moment)
    above: set[int] = set()
    node = spot.holder
    while node is not None and node not in above:
        above.add(node)
        node = episode.location(node, moment).holder
    own = [past for _, past in episode.history(thing)]
    others = [episode.location(node, 0) for node in teller.choices.shuffled(sorted(episode.kinds))]
    hands = [Location(None, "HELD", character) for character in episode.start.characters]
    right = words(spot)
    taken = {episode.kinds[node] for node in above if node not in teller.characters}
    found: dict[str, None] = {}
    for other in [*own, *hands, *others]:
        fits = other.holder is not None and other.holder not in episode.start.rooms and other.holder not in above
        if fits and other.holder in teller.characters and other.relation != "HELD":
            continue
        if fits and (other.holder in teller.characters or episode.kinds[other.holder or 0] not in taken):
            found[words(other)] = None
    found.pop(right, None)
    return right, list(found)[: _OPTIONS_OF_LOCATION - 1]
