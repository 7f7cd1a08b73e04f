"""Facts from episodes: where things are kept, where they end up, and which room has what.

Told of the things that an episode was about: those that its goal names, those that were acted on, and all others of
their kinds. General facts are by kind, `"A cup is kept in a kitchen cabinet."`; each episode that shows one again
reinforces it, so that how often it was seen says how usual it is. Facts of one house name the house and the thing, and
have that as their key: what is seen later supersedes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...experience import Json, Trajectory
from ..items import Draft, Source
from .events import EpisodeLog, fold
from .lifting import read_condition, words

_IN: Final = {"ON": "on", "INSIDE": "in", "ROOM": "in"}
_MOST: Final = 40
"""So many facts of one episode are kept."""


class FactBuilder:
    """The builder of facts."""

    def build(self, trajectory: Trajectory) -> Iterator[Draft]:
        """Return facts, general ones first."""
        happened = fold(trajectory)
        if happened is None:
            return
        concerned = _concerned(trajectory, happened)
        told: dict[str, Draft] = {}
        for thing in concerned:
            for draft in _kept(trajectory, happened, thing):
                told.setdefault(draft.key, draft)
        for draft in _moved(trajectory, happened):
            told[draft.key] = draft  # the last place counts
        yield from list(told.values())[:_MOST]


def _concerned(trajectory: Trajectory, happened: EpisodeLog) -> list[int]:
    """Return what an episode was about, by kind and id."""
    wanted = [found for found in map(read_condition, trajectory.task.goal.conditions) if found]
    kinds = {name for one in wanted for role in one.roles for name in role.names}
    ids = {id_ for one in wanted for role in one.roles for id_ in role.ids}
    ids |= {thing.id for step in happened.steps if not step.error for thing in step.act.things}
    kinds |= {happened.names[id_] for id_ in ids if id_ in happened.names}
    here = (id_ for id_, name in happened.names.items() if name in kinds)
    return [id_ for id_ in here if id_ not in happened.rooms and id_ not in happened.you]


def _kept(trajectory: Trajectory, happened: EpisodeLog, thing: int) -> Iterator[Draft]:
    """Yield where a thing is at the beginning: what it is on or in, and the room of that."""
    name = happened.names[thing]
    place = happened.place.get(thing)
    source = Source(trajectory.id, 0)
    if place is not None and place[1] not in happened.you and place[0] in _IN:
        yield _general(trajectory, name, place[0], happened.names[place[1]], "kept", source)
        thing, name = place[1], happened.names[place[1]]
    room = happened.room_of(thing)
    if room is not None:
        yield _general(trajectory, name, "ROOM", happened.names[room], "kept", source)


def _moved(trajectory: Trajectory, happened: EpisodeLog) -> Iterator[Draft]:
    """Yield where things came to be: in general where the goal was reached, and in this house."""
    scene = str(trajectory.task.options.get("scene", "")) or f"seed {trajectory.task.seed}"
    last: dict[int, tuple[str, int, int]] = {}
    for step in happened.steps:
        for change in step.changes:
            if change.target is None or change.what not in _IN or change.thing in happened.you:
                continue
            if change.begins:
                last[change.thing] = (change.what, change.target, step.number)
            else:
                last.pop(change.thing, None)
    for thing, (relation, place, number) in last.items():
        if place in happened.you:
            continue
        name, there = happened.names[thing], happened.names[place]
        source = Source(trajectory.id, number)
        if trajectory.success:
            yield _general(trajectory, name, relation, there, "ends", source)
        yield _draft(
            trajectory,
            f"In {scene}, {words(name)} {thing} is {_IN[relation]} {words(there)} {place}.",
            f"{scene}|{name} {thing}",
            {"object": name, "id": thing, "relation": relation, "place": there, "when": "here", "scene": scene},
            source,
        )


def _general(trajectory: Trajectory, name: str, relation: str, place: str, when: str, source: Source) -> Draft:
    verb = "ends up" if when == "ends" else "is found" if relation == "ROOM" else "is kept"
    the = "the" if relation == "ROOM" else _article(place)
    text = f"{_article(name).capitalize()} {words(name)} {verb} {_IN[relation]} {the} {words(place)}."
    data = {"object": name, "relation": relation, "place": place, "when": when}
    return _draft(trajectory, text, f"{name}|{when}|{relation}|{place}", data, source)


def _draft(trajectory: Trajectory, text: str, key: str, data: dict[str, Json], source: Source) -> Draft:
    return Draft(
        "fact",
        text,
        trajectory.task.env,
        key=key,
        task=trajectory.task.goal.text,
        success=trajectory.success,
        data=data,
        source=source,
    )


def _article(name: str) -> str:
    return "an" if name[:1] in "aeiou" else "a"


__all__ = ["FactBuilder"]
