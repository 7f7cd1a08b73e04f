"""Facts from episodes: where objects are kept, where they end up, and which room has what.

They are about the objects of an episode: those that its goal names, those that were acted on, and all others of their
kinds. General facts are by kind, `"A cup is kept in a kitchen cabinet."`; each episode that shows one again reinforces
it, so its count shows how usual it is. Facts about one scene name the scene and the object, and have both as their key;
they are about its beginning, as a reset undoes what an episode changed. The field `holds` says for what a fact holds:
`"env"` or `"scene"`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...envs.facts import read_condition
from ...envs.registry import get_verbalizer
from ...envs.verbalizer import Lexicon
from ...experience import Trajectory
from ..items import Draft
from .drafts import draft_about
from .episode_log import EpisodeLog, read_episode
from .signatures import words

_PREPOSITIONS: Final = {"ON": "on", "INSIDE": "in", "ROOM": "in"}
_NAMELESS: Final = "room"
"""The kind of rooms that are all alike: to be in one says nothing."""
_MOST: Final = 40
"""The maximum number of facts per episode."""


class FactBuilder:
    """Builds facts from episodes with graph facts."""

    def build(self, trajectory: Trajectory) -> Iterator[Draft]:
        """Yield facts, general ones first."""
        log = read_episode(trajectory)
        if log is None:
            return
        found: dict[str, Draft] = {}
        for thing in _concerned(trajectory, log):
            for draft in _kept(trajectory, log, thing):
                found.setdefault(draft.key, draft)
        for draft in _moved(trajectory, log):
            found[draft.key] = draft  # the last place counts
        general_first = sorted(found.values(), key=lambda draft: draft.data["holds"] == "scene")
        yield from general_first[:_MOST]


def _concerned(trajectory: Trajectory, log: EpisodeLog) -> list[int]:
    """Return the objects that an episode was about, by kind and id."""
    wanted = [found for found in map(read_condition, trajectory.task.goal.conditions) if found]
    kinds = {name for one in wanted for role in one.roles for name in role.classes}
    ids = {id_ for one in wanted for role in one.roles for id_ in role.ids}
    ids |= {thing.id for step in log.steps if not step.error for thing in step.action.things}
    known = log.start.kinds
    kinds |= {known[id_] for id_ in ids if id_ in known}
    alike = (id_ for id_, kind in known.items() if kind in kinds)
    return [id_ for id_ in alike if id_ not in log.rooms and id_ not in log.characters]


def _kept(trajectory: Trajectory, log: EpisodeLog, thing: int) -> Iterator[Draft]:
    """Yield where an object is at the beginning: what it is on or in, and the room of that."""
    kind = log.kind(thing)
    room, relation, holder = log.start.location(thing)
    if holder is not None and holder not in log.characters and relation in _PREPOSITIONS:
        yield _in_scene(trajectory, log, thing, relation, holder, room)
    if holder is not None and holder not in log.characters and relation in _PREPOSITIONS:
        yield _general(trajectory, kind, relation, log.kind(holder), "kept", 0)
        kind = log.kind(holder)
    if room is not None and log.kind(room) != _NAMELESS:
        yield _general(trajectory, kind, "ROOM", log.kind(room), "kept", 0)


def _in_scene(
    trajectory: Trajectory, log: EpisodeLog, thing: int, relation: str, place: int, room: int | None
) -> Draft:
    """Return where an object of this scene is at the beginning of every episode."""
    scene = get_verbalizer(trajectory.task.env).scene(trajectory.task)
    kind, there = log.kind(thing), log.kind(place)
    text = f"In {scene}, {words(kind)} {thing} is at first {_PREPOSITIONS[relation]} {words(there)} {place}."
    data = {"object": kind, "id": thing, "relation": relation, "place": there, "when": "here", "scene": scene}
    data |= {} if room is None or log.kind(room) == _NAMELESS else {"room": log.kind(room)}
    key = f"{scene}|{kind} {thing}"
    return draft_about(trajectory, "fact", text, data | {"at": place, "holds": "scene"}, step=0, key=key)


def _moved(trajectory: Trajectory, log: EpisodeLog) -> Iterator[Draft]:
    """Yield where objects of a kind come to be in an episode that reached its goal."""
    last: dict[int, tuple[str, int, int]] = {}
    for step in log.steps if trajectory.success else ():
        for change in step.changes:
            if change.target is None or change.what not in _PREPOSITIONS or change.entity in log.characters:
                continue
            if change.begins:
                last[change.entity] = (change.what, change.target, step.number)
            else:
                last.pop(change.entity, None)
    for thing, (relation, place, number) in last.items():
        if place not in log.characters:
            yield _general(trajectory, log.kind(thing), relation, log.kind(place), "ends", number)


def _general(trajectory: Trajectory, kind: str, relation: str, place: str, when: str, step: int) -> Draft:
    lexicon = get_verbalizer(trajectory.task.env).lexicon
    several = kind in lexicon.plurals
    verb = ("end" if several else "ends") + " up" if when == "ends" else lexicon.be(kind)
    verb += "" if when == "ends" else " found" if relation == "ROOM" else " kept"
    the = f"the {words(place)}" if relation == "ROOM" else _article(place, lexicon)
    thing = _article(kind, lexicon)
    text = f"{thing[:1].upper()}{thing[1:]} {verb} {_PREPOSITIONS[relation]} {the}."
    data = {"object": kind, "relation": relation, "place": place, "when": when, "holds": "env"}
    return draft_about(trajectory, "fact", text, data, step=step, key=f"{kind}|{when}|{relation}|{place}")


def _article(kind: str, lexicon: Lexicon) -> str:
    """Return a kind as one of its kind: `"a cup"`, but `"water"` and `"keys"`."""
    if kind in lexicon.masses or kind in lexicon.plurals:
        return words(kind)
    return f"{'an' if kind[:1] in 'aeiou' else 'a'} {words(kind)}"
