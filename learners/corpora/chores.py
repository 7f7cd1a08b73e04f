"""Questions about activities: how one is done, which one was done, what it needs.

Plans are told as `plan_words` writes them and kept only if `execution` reaches the goal with these words. What was
done is asked after a plan, a narration, or a state in words. Left out: what happened to things along the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import orjson

from ...envs.virtualhome.houses.stable_random import StableRandom
from ...envs.virtualhome.language.plans import read_deed, say_plan
from ...experience import Json
from ..evaluation.plan_execution import PlanExecutor
from .config import CorpusDraft
from .episodes import HouseholdEpisode, HouseholdMap
from .knowledge import ActivityKnowledge, named_nodes, patterns, unrelated, wrong_activities
from .splits import activity_of
from .stories import Teller
from .words import are, count_words, listed, noun, sentence, the

_TOLD: Final = {
    "CLOSED": "closed",
    "OPEN": "open",
    "ON": "on",
    "OFF": "off",
    "PLUGGED_OUT": "unplugged",
    "DIRTY": "dirty",
    "SITTING": "sitting",
    "LYING": "lying",
}
_IN: Final = {"ON": "on", "INSIDE": "in"}
_OPTIONS: Final = 4
_STRUCTURE: Final = frozenset({"door", "doorjamb", "floor", "wall", "ceiling", "light"})
"""What belongs to a house, and so to nothing in particular."""
_DECOYS: Final = (3, 6)
"""So many irrelevant items are told in a confusing plan, as far as the words allow; 2 at least."""


NumberedIn = Callable[[HouseholdEpisode], frozenset[str] | None]
"""`numbered_classes` of an episode, perhaps remembered."""


def plans(
    episode: HouseholdEpisode, choices: StableRandom, max_words: int, numbered_in: NumberedIn, *, confusing: bool
) -> Iterator[CorpusDraft]:
    """Ask for a plan, given the goal in words and the items that matter, in a confusing one others too."""
    if not episode.success or len(episode.start.characters) != 1 or not episode.actions:
        return
    if any(read_deed(action) is None for action in episode.actions):
        return
    numbered = numbered_in(episode)
    if numbered is None:
        return
    handled = list(dict.fromkeys(n for event in episode.events for n in event.deed.ids))
    items = [n for n in handled if n not in episode.start.rooms]
    right = say_plan(episode.actions, numbered)
    head, tail = f"Goal: {sentence(episode.task.goal.text)}\nItems:", "\nPlan:"
    room = max_words - count_words(head + tail)
    facts = [_item(episode.start, n, numbered) for n in items]
    room -= sum(map(count_words, facts))
    if room < 0 or count_words(right) > max_words:
        return
    decoys: list[str] = []
    if confusing:
        decoys = _decoys(episode, choices, items, room)
        if len(decoys) < 2:
            return
    told = " ".join(map(sentence, choices.shuffled([*facts, *decoys])))
    about = {"items": items, "numbered": sorted(numbered)}
    answer = activity_of(episode.task) or episode.task.goal.text
    yield CorpusDraft(f"{head} {told}{tail}", right, answer, episode.steps, (), about)


def numbered_classes(episode: HouseholdEpisode, executor: PlanExecutor) -> frozenset[str] | None:
    """Return the classes that have to be told with ids for the plan to be understood; None if it never is."""
    names = list(episode.start.classes.values())
    twice = {name for event in episode.events for name in event.deed.names if names.count(name) > 1}
    for numbered in (frozenset[str](), frozenset(twice)) if twice else (frozenset[str](),):
        outcome = executor.execute(episode.task, say_plan(episode.actions, numbered))
        if outcome.success and outcome.refused is None:
            return numbered
    return None


def _item(house: HouseholdMap, node: int, numbered: frozenset[str] = frozenset()) -> str:
    """A thing with its place and its states: "the fridge is in the kitchen, closed"."""
    name = house.classes[node]
    label = f"{the(name)}{f' ({node})' if name in numbered else ''}"
    states = [_TOLD[state] for state in sorted(house.states[node]) if state in _TOLD]
    joined = sorted(house.classes[n] for relation, n in house.out.get(node, ()) if relation == "BETWEEN")
    if joined:
        where = f"between {listed([the(room) for room in joined])}"
    else:
        spot = house.spot(node)
        parts = [] if spot.holder is None else [f"{_IN.get(spot.relation, 'with')} {the(house.classes[spot.holder])}"]
        parts += [] if spot.room is None or spot.holder is not None else [f"in {the(house.classes[spot.room])}"]
        where = " ".join(parts) or "here"
    return f"{label} {are(name)} {where}{f', {listed(states)}' if states else ''}"


def _decoys(episode: HouseholdEpisode, choices: StableRandom, items: Sequence[int], room: int) -> list[str]:
    house = episode.start
    shown = {house.classes[n] for n in [*items, *named_nodes(episode)]}
    wanted = choices.between(*_DECOYS)
    found: list[str] = []
    for node in choices.shuffled(sorted(house.classes)):
        name = house.classes[node]
        if node in house.rooms or node in house.characters or name in shown or house.spot(node).room is None:
            continue
        fact = _item(house, node)
        if count_words(fact) <= room:
            found.append(fact)
            shown.add(name)
            room -= count_words(fact)
        if len(found) == wanted:
            break
    return found


def recognition(
    episode: HouseholdEpisode,
    choices: StableRandom,
    max_words: int,
    wanted: int,
    known: ActivityKnowledge,
    names: Sequence[str],
) -> Iterator[CorpusDraft]:
    """Ask which activity a plan, or what somebody did, belongs to; four options."""
    activity = activity_of(episode.task)
    if activity is None or not episode.success:
        return
    wrong = wrong_activities(episode, activity, names, known)
    if len(wrong) < _OPTIONS - 1:
        return
    plan, actors = say_plan(episode.actions), {event.actor for event in episode.events}
    tellings: list[str] = [f"Plan: {plan}\nQ: What is the name of this activity?\nA:"]
    if len(actors) == 1:
        teller = Teller(episode, choices, max_words)
        (actor,) = actors
        person = teller.people[actor]
        story = f"{teller.narrator.opening([actor], 0)} {teller.narrator.tell(episode.events)}"
        asked = choices.pick(
            (f"Which activity did {person.name} do?", f"What was {person.name} doing?", "Which activity was that?")
        )
        tellings.append(f"{story}\nQ: {asked}\nA:")
    for prompt in choices.shuffled([text for text in tellings if count_words(text) <= max_words])[:wanted]:
        yield CorpusDraft(prompt, activity, activity, episode.steps, _mixed(choices, activity, wrong))


def inference(
    episode: HouseholdEpisode,
    choices: StableRandom,
    max_words: int,
    wanted: int,
    known: ActivityKnowledge,
    names: Sequence[str],
) -> Iterator[CorpusDraft]:
    """Ask which activity was done, given the state at the end in words; four options."""
    activity = activity_of(episode.task)
    if activity is None or not episode.success or len(episode.start.characters) != 1:
        return
    if all(pattern.kind == "deed" for pattern in patterns(episode)):
        return  # what leaves no trace cannot be inferred
    wrong = wrong_activities(episode, activity, names, known, by_state=True)
    facts = _traces(episode)
    if len(wrong) < _OPTIONS - 1 or not facts:
        return
    teller = Teller(episode, choices, max_words)
    person = teller.people[episode.start.characters[0]]
    for _ in range(wanted):
        asked = choices.pick(
            (
                f"\nQ: Which activity has {person.name} just done?\nA:",
                "\nQ: Given this state, which activity was done?\nA:",
            )
        )
        told = [_self(episode, person.name, person.subject.capitalize()), *facts]
        told += _surroundings(episode, choices, max_words - sum(map(count_words, [*told, asked])))
        prompt = f"{told[0]} {' '.join(map(sentence, choices.shuffled(told[1:])))}{asked}"
        if count_words(prompt) <= max_words:
            yield CorpusDraft(prompt, activity, activity, episode.steps, _mixed(choices, activity, wrong))


def _self(episode: HouseholdEpisode, name: str, subject: str) -> str:
    """Where somebody is at the end, how, and with what."""
    me, house = episode.start.characters[0], episode.end
    spot = house.spot(me)
    posture = [word for state, word in (("SITTING", "sitting"), ("LYING", "lying")) if state in house.states[me]]
    on = f" on {the(house.classes[spot.holder])}" if spot.relation == "ON" and spot.holder is not None else ""
    where = "at home" if spot.room is None else f"in {the(house.classes[spot.room])}"
    told = sentence(f"{name} is {' and '.join(posture)}{' ' if posture and not on else ''}{on}".strip() + f" {where}")
    told = " ".join(told.split())
    held = [n for n in sorted(house.classes) if house.holder_of(n) == me]
    worn = [n for n in house.contents(me, "ON") if n not in held]
    for verb, things in (("holds", held), ("wears", worn)):
        if things:
            told += f" {subject} {verb} {listed([the(house.classes[n]) for n in things])}."
    return told


def _traces(episode: HouseholdEpisode) -> list[str]:
    """What is not as it was, and what the goal names: the facts from which the activity can be inferred."""
    start, end = episode.start, episode.end
    skip = {*start.characters, *start.rooms}
    me = start.characters[0]
    changed = {n for n in end.classes if n not in skip and end.states[n] != start.states[n]}
    changed |= {n for n in episode.moved if n not in skip and end.spot(n)[1:] != start.spot(n)[1:]}
    itself = end.spot(me)[1:] != start.spot(me)[1:] or any(end.spot(n).holder == me for n in changed)
    if not changed and not itself:
        return []
    told = sorted(changed | {n for n in named_nodes(episode) if n in _singles(episode)})
    return [_item(end, n) for n in told if end.spot(n).holder != me]


def _singles(episode: HouseholdEpisode) -> set[int]:
    """The nodes whose class has no other, or that the goal names by id."""
    names = list(episode.start.classes.values())
    ids = {n for event in episode.events for n in event.deed.ids}
    return {n for n, name in episode.start.classes.items() if names.count(name) == 1 or n in ids}


def _surroundings(episode: HouseholdEpisode, choices: StableRandom, room: int) -> list[str]:
    """A few facts more about the room that one is in."""
    house = episode.end
    here = house.spot(house.characters[0]).room
    named = named_nodes(episode) | {n for event in episode.events for n in event.deed.ids}
    shown = {house.classes[n] for n in named}
    found: list[str] = []
    for node in choices.shuffled(sorted(house.classes)):
        if len(found) == 2 or house.spot(node).room != here or house.classes[node] in shown:
            continue
        if node in house.rooms or node in house.characters or house.spot(node).holder == house.characters[0]:
            continue
        fact = _item(house, node)
        if count_words(fact) <= room:
            found.append(fact)
            shown.add(house.classes[node])
            room -= count_words(fact)
    return found


def relevance(
    episode: HouseholdEpisode,
    choices: StableRandom,
    max_words: int,
    wanted: int,
    known: ActivityKnowledge,
    *,
    negated: bool,
) -> Iterator[CorpusDraft]:
    """Ask which of four things an activity needs, or, negated, which has nothing to do with it."""
    activity = activity_of(episode.task)
    if activity is None or not episode.task.goal.conditions:
        return
    classes = episode.start.classes
    needed = sorted({classes[n] for n in named_nodes(episode)})
    if not negated:
        needed = [name for name in needed if known.named[activity].get(name, 0) >= 0.5]
    scenes = {episode.start.spot(n).room for n in named_nodes(episode)}
    apart = (n for n in classes if episode.start.spot(n).room not in scenes)  # what is at hand there might be of use
    others = {classes[n] for n in apart if n not in episode.start.rooms and n not in episode.start.characters}
    foreign = sorted(name for name in others - _STRUCTURE if unrelated(name, activity, known))
    few, many = (foreign, needed) if negated else (needed, foreign)
    if not few or len(many) < _OPTIONS - 1:
        return
    for right in choices.shuffled(few)[:wanted]:
        options = _mixed(choices, noun(right), [noun(name) for name in many])
        either = f"{', '.join(options[:-1])} or {options[-1]}"
        asked = choices.pick(
            (
                f"Q: Which of these has nothing to do with the activity '{activity}': {either}?\nA:",
                f"Q: Which item is not related to the activity '{activity}': {either}?\nA:",
            )
            if negated
            else (
                f"Q: Which of these is needed for the activity '{activity}': {either}?\nA:",
                f"Q: Which item belongs to the activity '{activity}': {either}?\nA:",
            )
        )
        if count_words(asked) <= max_words:
            about = {"class": right}
            yield CorpusDraft(asked, noun(right), noun(right), 0, options, about)


def _mixed(choices: StableRandom, right: str, wrong: Sequence[str]) -> tuple[str, ...]:
    return tuple(choices.shuffled([right, *choices.shuffled(wrong)[: _OPTIONS - 1]]))


def task_json(episode: HouseholdEpisode) -> Json:
    """Return an episode's task as plain JSON, in which a generated plan can be carried out."""
    return orjson.loads(orjson.dumps(episode.task))


__all__ = ["NumberedIn", "inference", "numbered_classes", "plans", "recognition", "relevance", "task_json"]
