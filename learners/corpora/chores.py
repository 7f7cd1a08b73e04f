"""Questions about activities: how one is done, which one was done, what it needs.

Plans are in the words of the environment's verbalizer, and kept only if carrying these words out reaches the goal. What
was done is asked after a plan, a story, or a state in words. Not here: what happened to things along the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import orjson

from ...envs.facts import FactGraph
from ...envs.verbalizer import capitalised
from ...experience import Json
from ...stable_random import StableRandom
from ..evaluation.plan_execution import PlanExecutor
from .config import CorpusDraft
from .episodes import CorpusEpisode
from .knowledge import ActivityKnowledge, patterns, unrelated, wrong_activities
from .stories import Teller
from .words import IN, Words, count_words, listed, mixed

_OPTIONS: Final = 4
_DECOYS: Final = (3, 6)
"""How many irrelevant items a confusing plan mentions, as far as the words allow; 2 at least."""


NumberedIn = Callable[[CorpusEpisode], frozenset[str] | None]
"""`numbered_kinds` of an episode, perhaps remembered."""


def plans(
    episode: CorpusEpisode, choices: StableRandom, max_words: int, numbered_in: NumberedIn, *, confusing: bool
) -> Iterator[CorpusDraft]:
    """Ask for a plan, given the goal in words and the items that matter, in a confusing one others too."""
    if not episode.success or len(episode.start.characters) > 1 or not episode.actions:
        return
    numbered = numbered_in(episode)
    if numbered is None:
        return
    handled = list(dict.fromkeys(n for event in episode.done for n in event.action.ids))
    items = [n for n in handled if n in episode.start.kinds and n not in episode.start.rooms]
    if not items:
        return  # without things it is a plan by the goal alone
    right = episode.verbalizer.say_plan(episode.actions, numbered)
    head, tail = f"Goal: {capitalised(episode.task.goal.text)}\nItems:", "\nPlan:"
    room = max_words - count_words(head + tail)
    facts = [_item(episode.words, episode.start, n, numbered) for n in items]
    room -= sum(map(count_words, facts))
    if room < 0 or count_words(right) > max_words:
        return
    decoys: list[str] = []
    if confusing:
        decoys = _decoys(episode, choices, items, room)
        if len(decoys) < 2:
            return
    said = " ".join(map(capitalised, choices.shuffled([*facts, *decoys])))
    about = {"items": items, "numbered": sorted(numbered)}
    answer = episode.activity or episode.task.goal.text
    yield CorpusDraft(f"{head} {said}{tail}", right, answer, episode.last, (), about)


def numbered_kinds(episode: CorpusEpisode, executor: PlanExecutor) -> frozenset[str] | None:
    """Return the kinds that need ids for the plan to be understood; None if it never is."""
    names = list(episode.kinds.values())
    twice = {name for event in episode.done for name in event.action.names if names.count(name) > 1}
    for numbered in (frozenset[str](), frozenset(twice)) if twice else (frozenset[str](),):
        outcome = executor.execute(episode.task, episode.verbalizer.say_plan(episode.actions, numbered))
        if outcome.success and outcome.refused is None:
            return numbered
    return None


def _item(words: Words, house: FactGraph, node: int, numbered: frozenset[str] = frozenset()) -> str:
    """A thing with its place and its states: "the fridge is in the kitchen, closed"."""
    name = house.kinds[node]
    label = f"{words.the(name)}{f' ({node})' if name in numbered else ''}"
    states = [word for state in sorted(house.states[node]) if (word := words.state(state))]
    joined = sorted(house.kinds[n] for relation, n in house.out.get(node, ()) if relation == "BETWEEN")
    if joined:
        where = f"between {listed([words.the(room) for room in joined])}"
    else:
        spot = house.location(node)
        parts = (
            [] if spot.holder is None else [f"{IN.get(spot.relation, 'with')} {words.the(house.kinds[spot.holder])}"]
        )
        parts += [] if spot.room is None or spot.holder is not None else [f"in {words.the(house.kinds[spot.room])}"]
        where = " ".join(parts) or "here"
    return f"{label} {words.are(name)} {where}{f', {listed(states)}' if states else ''}"


def _decoys(episode: CorpusEpisode, choices: StableRandom, items: Sequence[int], room: int) -> list[str]:
    house, wanted = episode.start, choices.between(*_DECOYS)
    there = [node for node in house.kinds if house.location(node).room is not None]
    return _some_facts(episode.words, house, there, [*items, *episode.named], choices, wanted, room)


def _some_facts(
    words: Words,
    house: FactGraph,
    nodes: Iterable[int],
    named: Iterable[int],
    choices: StableRandom,
    wanted: int,
    room: int,
) -> list[str]:
    """At most `wanted` facts, of `room` words together, about things whose kind is not among those of `named`."""
    shown, found = {house.kinds[n] for n in named}, list[str]()
    allowed = set(nodes) - set(house.rooms) - set(house.characters)
    for node in choices.shuffled(sorted(house.kinds)):
        if len(found) == wanted:
            break
        if node not in allowed or house.kinds[node] in shown:
            continue
        fact = _item(words, house, node)
        if count_words(fact) <= room:
            found.append(fact)
            shown.add(house.kinds[node])
            room -= count_words(fact)
    return found


def recognition(
    episode: CorpusEpisode,
    choices: StableRandom,
    max_words: int,
    wanted: int,
    known: ActivityKnowledge,
    names: Sequence[str],
) -> Iterator[CorpusDraft]:
    """Ask which activity a plan, or what somebody did, belongs to; four options."""
    activity = episode.activity
    if activity is None or not episode.success:
        return
    wrong = wrong_activities(episode, activity, names, known)
    if len(wrong) < _OPTIONS - 1:
        return
    plan, actors = episode.verbalizer.say_plan(episode.actions), {event.actor for event in episode.done}
    tellings: list[str] = [f"Plan: {plan}\nQ: What is the name of this activity?\nA:"]
    if len(actors) == 1:
        teller = Teller(episode, choices, max_words)
        (actor,) = actors
        person = teller.people[actor]
        story = f"{teller.narrator.opening([actor], 0)} {teller.narrator.tell(episode.done)}"
        asked = choices.pick(
            (f"Which activity did {person.name} do?", f"What was {person.name} doing?", "Which activity was that?")
        )
        tellings.append(f"{story}\nQ: {asked}\nA:")
    for prompt in choices.shuffled([text for text in tellings if count_words(text) <= max_words])[:wanted]:
        yield CorpusDraft(prompt, activity, activity, episode.last, mixed(choices, activity, wrong))


def inference(
    episode: CorpusEpisode,
    choices: StableRandom,
    max_words: int,
    wanted: int,
    known: ActivityKnowledge,
    names: Sequence[str],
) -> Iterator[CorpusDraft]:
    """Ask which activity was done, given the state at the end in words; four options."""
    activity = episode.activity
    if activity is None or not episode.success or len(episode.start.characters) != 1:
        return
    if all(pattern.kind == "action" for pattern in patterns(episode)):
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
        said = [_self(episode, person.name, person.subject.capitalize()), *facts]
        said += _surroundings(episode, choices, max_words - sum(map(count_words, [*said, asked])))
        prompt = f"{said[0]} {' '.join(map(capitalised, choices.shuffled(said[1:])))}{asked}"
        if count_words(prompt) <= max_words:
            yield CorpusDraft(prompt, activity, activity, episode.last, mixed(choices, activity, wrong))


def _self(episode: CorpusEpisode, name: str, subject: str) -> str:
    """Where somebody is at the end, how, and with what."""
    me, house, words = episode.start.characters[0], episode.end, episode.words
    spot = house.location(me)
    posture = [word for state, word in (("SITTING", "sitting"), ("LYING", "lying")) if state in house.states[me]]
    on = f" on {words.the(house.kinds[spot.holder])}" if spot.relation == "ON" and spot.holder is not None else ""
    where = "at home" if spot.room is None else f"in {words.the(house.kinds[spot.room])}"
    said = " ".join(capitalised(f"{name} is {' and '.join(posture)}{on} {where}").split())
    held = [n for n in sorted(house.kinds) if house.holder_of(n) == me]
    worn = [n for n in house.contents(me, "ON") if n not in held]
    for verb, things in (("holds", held), ("wears", worn)):
        if things:
            said += f" {subject} {verb} {listed([words.the(house.kinds[n]) for n in things])}."
    return said


def _traces(episode: CorpusEpisode) -> list[str]:
    """What is not as it was, and what the goal names: the facts from which the activity can be inferred."""
    start, end = episode.start, episode.end
    skip = {*start.characters, *start.rooms}
    me = start.characters[0]
    changed = {n for n in end.kinds if n not in skip and end.states[n] != start.states.get(n, set())}
    changed |= {n for n in episode.moved if n not in skip and end.location(n)[1:] != start.location(n)[1:]}
    itself = end.location(me)[1:] != start.location(me)[1:] or any(end.location(n).holder == me for n in changed)
    if not changed and not itself:
        return []
    said = sorted(changed | {n for n in episode.named if n in _singles(episode)})
    return [_item(episode.words, end, n) for n in said if end.location(n).holder != me]


def _singles(episode: CorpusEpisode) -> set[int]:
    """The nodes whose class has no other, or that the goal names by id."""
    names = list(episode.kinds.values())
    ids = {n for event in episode.done for n in event.action.ids}
    return {n for n, name in episode.kinds.items() if names.count(name) == 1 or n in ids}


def _surroundings(episode: CorpusEpisode, choices: StableRandom, room: int) -> list[str]:
    """A few facts more about the room that one is in."""
    house = episode.end
    me = house.characters[0]
    here = house.location(me).room
    near = [n for n in house.kinds if house.location(n).room == here and house.location(n).holder != me]
    named = episode.named | {n for event in episode.done for n in event.action.ids}
    return _some_facts(episode.words, house, near, named, choices, 2, room)


def relevance(
    episode: CorpusEpisode,
    choices: StableRandom,
    max_words: int,
    wanted: int,
    known: ActivityKnowledge,
    *,
    negated: bool,
) -> Iterator[CorpusDraft]:
    """Ask which of four things an activity needs, or, negated, which has nothing to do with it."""
    activity = episode.activity
    if activity is None or not episode.task.goal.conditions:
        return
    classes = episode.kinds
    needed = sorted({classes[n] for n in episode.named})
    if not negated:
        needed = [name for name in needed if known.named[activity].get(name, 0) >= 0.5]
    scenes = {episode.start.location(n).room for n in episode.named}
    apart = (n for n in classes if episode.start.location(n).room not in scenes)  # what is at hand may be useful
    others = {classes[n] for n in apart if n not in episode.start.rooms and n not in episode.start.characters}
    foreign = sorted(
        name
        for name in others - episode.verbalizer.lexicon.structure
        if unrelated(name, activity, known, episode.verbalizer)
    )
    few, many = (foreign, needed) if negated else (needed, foreign)
    if not few or len(many) < _OPTIONS - 1:
        return
    for right in choices.shuffled(few)[:wanted]:
        options = mixed(choices, episode.words.noun(right), [episode.words.noun(name) for name in many])
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
            yield CorpusDraft(asked, episode.words.noun(right), episode.words.noun(right), 0, options, about)


def task_json(episode: CorpusEpisode) -> Json:
    """Return an episode's task as plain JSON, in which a generated plan can be carried out."""
    return orjson.loads(orjson.dumps(episode.task))
