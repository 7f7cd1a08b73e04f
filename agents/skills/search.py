"""Searching for objects: where one was last seen, where its kind is kept, and then everywhere; and exploring.

All methods are generators of actions: they yield an action, and continue when the view shows its result. Not here: what
is done with an object once it is found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from ...envs.facts import ConditionSignature, Entity, NodeSelector
from ...memory.builders.signatures import as_word
from .knowledge import SkillKnowledge
from .notes import SkillNotes
from .view import EpisodeView

Doing = Generator[str, None, bool]
"""Yields actions; returns whether it reached its aim."""

_LOOKS: Final = 20
"""The maximum number of places that are searched for one object."""
_ENOUGH: Final = 3
"""The number of new objects from which the gain of an action no longer grows."""


class SearchLead(NamedTuple):
    """The reason for searching a place."""

    ids: tuple[str, ...] = ()
    """The facts that suggested it."""
    room: int | None = None
    """The room, if the place is one."""


Looking = Generator[str, None, SearchLead | None]
"""Yields actions; returns the reason for the place that was searched, or None if no place is left."""


class ObjectSearch:
    """Finds objects, and explores, in one episode."""

    def __init__(
        self, view: EpisodeView, knowledge: SkillKnowledge, notes: SkillNotes, rng: np.random.Generator
    ) -> None:
        """Start an episode; the generator is consumed to break ties."""
        self.view = view
        self.knowledge = knowledge
        self.notes = notes
        self._rng = rng
        self._looked: set[int] = set()
        self._gain: defaultdict[str, list[float]] = defaultdict(lambda: [1.0, 1.0])
        self._near: Entity | None = None
        self._fresh = 0

    # --- finding

    def find(self, selector: NodeSelector, name: str = "") -> Doing:
        """Search for an object that fits a role, until one can be acted on."""
        if self.view.among(selector):
            return True
        for room in self.view.last_seen(selector):
            yield from self.go(room)
            if self.view.among(selector):
                return True
        names = selector.classes or ((name,) if name else ())
        visited = {self.view.here.id} if self.view.here else set()
        followed: list[SearchLead] = []
        for _ in range(_LOOKS):
            lead = yield from self._look_further(names, visited)
            if lead is None:
                break
            followed.append(lead)
            if self.view.among(selector):
                self._judge(followed)
                return True
        return bool(self.view.among(selector))

    def _judge(self, followed: Sequence[SearchLead]) -> None:
        """Record which facts led to the object. Facts are frequencies, and one search judges each of them once."""
        here = None if self.view.here is None else self.view.here.id
        right = {id_ for lead in (*followed[-1:], *(one for one in followed if one.room == here)) for id_ in lead.ids}
        self.notes.serve(sorted(right))
        self.notes.abandon(sorted({id_ for lead in followed for id_ in lead.ids} - right))

    def _look_further(self, names: Sequence[str], visited: set[int]) -> Looking:
        """Search the most promising place that was not searched."""
        known = [one for name in names for one in self.knowledge.locations(name)]
        kept = {one.place: one for one in known if one.relation != "ROOM"}
        likely = self._rooms(names, kept)
        here = self.view.here
        hopeful = not likely or here is None or here.kind in likely
        for thing in self._unsearched(kept):
            self.notes.use(kept[thing.kind].id)
            yield from self.look(thing)
            return SearchLead((kept[thing.kind].id,))
        for room in sorted(self.rooms(), key=lambda room: likely.get(room.kind, 0), reverse=True):
            if room.id not in visited and likely.get(room.kind, 0) > 0:
                visited.add(room.id)
                ids = tuple(one.id for one in known if one.relation == "ROOM" and one.place == room.kind)
                for id_ in ids:
                    self.notes.use(id_)
                if (yield from self.go(room.id)):
                    return SearchLead(ids, room.id)
        if hopeful or not self.rooms():
            for thing in self._unsearched(self.knowledge.looks):
                yield from self.look(thing)
                return SearchLead()
        for room in self.rooms():
            if room.id not in visited:
                visited.add(room.id)
                if (yield from self.go(room.id)):
                    return SearchLead()
        for thing in self._unsearched(self.knowledge.looks):
            yield from self.look(thing)
            return SearchLead()
        return None

    def _rooms(self, names: Sequence[str], kept: Iterable[str]) -> Mapping[str, float]:
        """Return how often such objects, or what holds them, were seen in each kind of room."""
        likely: defaultdict[str, float] = defaultdict(float)
        for name in (*names, *kept):
            for one in self.knowledge.locations(name):
                if one.relation == "ROOM":
                    likely[one.place] += one.times
        return likely

    def _unsearched(self, kinds: Iterable[str]) -> list[Entity]:
        """Return visible containers of these kinds, in their order, that were not searched."""
        looks = self.knowledge.looks
        places = {as_word(kind): place for place, kind in enumerate(kinds) if as_word(kind) in looks}
        listed = ((as_word(thing.kind), thing) for thing in self.view.listed.values() if thing.id not in self._looked)
        found = [(places[kind], thing) for kind, thing in listed if kind in places]
        return [thing for _, thing in sorted(found, key=lambda pair: pair[0])]

    def look(self, thing: Entity) -> Doing:
        """Reveal what is in or behind an object."""
        self._looked.add(thing.id)
        verb, id_ = self.knowledge.looks[as_word(thing.kind)]
        self.notes.use(id_)
        if self.view.action(verb, (thing,)) is None:
            yield from self.approach(thing)
        action = self.view.action(verb, (thing,))
        if action is not None:
            yield action
            if self._fresh:  # an empty container is not the fault of the skill
                self.notes.serve([id_])
        return True

    def approach(self, thing: Entity) -> Doing:
        """Go to a visible object."""
        yield from self.get_up()
        for skill in self.knowledge.skills("you INSIDE x")[:3]:
            action = self.view.action(skill.steps[-1][0], (thing,))
            if action is not None:
                self.notes.aim(skill.id, f"you INSIDE {thing.id}" if thing.kind in self.room_kinds() else "")
                yield action
                return True
        return False

    def near(self, action: str) -> bool:
        """Return whether an action approaches the object that the agent approached last."""
        step = self.view.read_step(action)
        return step.verb in self.knowledge.approaches and bool(step.things) and step.things[-1] == self._near

    def get_up(self) -> Doing:
        """If no approach is admissible, get up from a seat, by the skills that are known for it."""
        walking = self.knowledge.skills("you INSIDE x")[:1]
        read = self.view.read_step
        if not walking or any(read(action).verb == walking[0].steps[-1][0] for action in self.view.actions):
            return True
        for signature in ("not you is SITTING", "not you is LYING"):
            for skill in self.knowledge.skills(signature):
                action = self.view.action(skill.steps[-1][0], ())
                if len(skill.steps[-1]) == 1 and action is not None:
                    self.notes.aim(skill.id, signature)
                    yield action
                    return True
        return False

    def go(self, room: int) -> Doing:
        """Go to a room, opening doors if needed; False if no way is known."""
        thing = self.view.thing(room)
        if thing is None:
            return False
        for _ in range(4):
            if self.view.here is not None and self.view.here.id == room:
                return True
            went = yield from self.approach(thing)
            if not went and not (yield from self.open_door()):
                return False
        return self.view.here is None or self.view.here.id == room

    def open_door(self) -> Doing:
        """Open a visible door that was not tried; False if there is none."""
        for door in self._unsearched(self.knowledge.looks):
            if door.kind == "door":
                return (yield from self.look(door))
        return False

    def rooms(self) -> list[Entity]:
        """Return the rooms that can be acted on."""
        known = self.room_kinds()
        return [thing for thing in self.view.listed.values() if thing.kind in known]

    def room_kinds(self) -> set[str]:
        """Return the kinds of rooms that were seen in this episode."""
        return {room.kind for room in self.view.rooms.values()}

    # --- exploring

    def explore(self, wanted: Sequence[ConditionSignature], goal: str) -> Doing:
        """Do one action that may help: on objects of the goal, untried, and of a kind that has revealed objects.

        This is all that an agent with an empty memory does.
        """
        view = self.view
        if not view.actions:
            return False
        if not view.listed:  # no action names an object, so none looks better than another
            yield view.actions[int(self._rng.integers(len(view.actions)))]
            return True
        scores = np.array([self._promise(action, wanted, goal) for action in view.actions])
        action = view.actions[int((scores + 0.5 * self._rng.random(len(scores))).argmax())]
        yield action
        return True

    def _promise(self, action: str, wanted: Sequence[ConditionSignature], goal: str) -> float:
        step = self.view.read_step(action)
        selectors = {role for one in wanted for role in one.roles}
        named = sum(any(role.takes(thing.kind, thing.id) for role in selectors) for thing in step.things)
        asked = any(one.signature.startswith(f"{step.verb.upper()} ") for one in wanted) or (
            step.verb.lower() in goal.lower().split()
        )
        tried = self.view.tried[action]
        gained, times = self._gain[step.verb]
        return 2.0 * named + 2.0 * asked + gained / times - 3.0 * tried - 0.1 * min(times, 10)

    def learn(self, action: str, fresh: int) -> None:
        """Record the result of an action: the number of new objects."""
        self._fresh = fresh
        step = self.view.read_step(action)
        if step.things and step.verb in self.knowledge.approaches:
            self._near = step.things[-1]
        gain = self._gain[step.verb]
        gain[0] += min(fresh / _ENOUGH, 1.0)
        gain[1] += 1
