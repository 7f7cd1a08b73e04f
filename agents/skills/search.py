"""Looking for things: where one was last seen, where such things are kept, and then everywhere; and trying things out.

Everything here is a generator of actions: it yields what to do, and goes on when the view shows what came of it. Left
out: what is done with a thing once it is there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from ...memory.builders.lifting import LiftedCondition, LiftedSelector, ObjectRef, read_act
from .knowledge import SkillKnowledge
from .notes import SkillNotes
from .view import EpisodeView

Doing = Generator[str, None, bool]
"""Yields actions; returns whether it reached what it was for."""

_LOOKS: Final = 20
"""So many places are looked at for one thing, at most."""
_NEW_ENOUGH: Final = 3
"""So many new things are as good as any number of them, for judging what a kind of action is worth."""


class Led(NamedTuple):
    """What led to a place."""

    ids: tuple[str, ...] = ()
    """The facts that said so."""
    room: int | None = None
    """The room, if it was one."""


Looking = Generator[str, None, Led | None]
"""Yields actions; returns what led there, or None where there is nowhere left to look."""


class ObjectSearch:
    """Finds things, and tries things out, in one episode."""

    def __init__(
        self, view: EpisodeView, knowledge: SkillKnowledge, notes: SkillNotes, rng: np.random.Generator
    ) -> None:
        """Begin an episode; the generator is consumed where nothing else decides."""
        self.view = view
        self.knowledge = knowledge
        self.notes = notes
        self._rng = rng
        self._looked: set[int] = set()
        self._gain: defaultdict[str, list[float]] = defaultdict(lambda: [1.0, 1.0])
        self._near: ObjectRef | None = None
        self._fresh = 0

    # --- finding

    def find(self, selector: LiftedSelector, name: str = "") -> Doing:
        """Look for a thing that may take a role, until one can be spoken of."""
        if self.view.among(selector):
            return True
        for room in self.view.last_seen(selector):
            yield from self.go(room)
            if self.view.among(selector):
                return True
        names = selector.names or ((name,) if name else ())
        visited = {self.view.here.id} if self.view.here else set()
        followed: list[Led] = []
        for _ in range(_LOOKS):
            led = yield from self._look_further(names, visited)
            if led is None:
                break
            followed.append(led)
            if self.view.among(selector):
                self._judge(followed)
                return True
        return bool(self.view.among(selector))

    def _judge(self, followed: Sequence[Led]) -> None:
        """Note which facts led to where a thing was found. They are frequencies: one search says it of each once."""
        here = None if self.view.here is None else self.view.here.id
        right = {id_ for led in (*followed[-1:], *(one for one in followed if one.room == here)) for id_ in led.ids}
        self.notes.serve(sorted(right))
        self.notes.abandon(sorted({id_ for led in followed for id_ in led.ids} - right))

    def _look_further(self, names: Sequence[str], visited: set[int]) -> Looking:
        """Look at the most promising place that was not looked at."""
        spots = [spot for name in names for spot in self.knowledge.spots(name)]
        kept = {spot.place: spot for spot in spots if spot.relation != "ROOM"}
        likely = self._rooms(names, kept)
        here = self.view.here
        hopeful = not likely or here is None or here.name in likely
        for thing in self._unseen_into(kept):
            self.notes.use(kept[thing.name].id)
            yield from self.look(thing)
            return Led((kept[thing.name].id,))
        for room in sorted(self.rooms(), key=lambda room: likely.get(room.name, 0), reverse=True):
            if room.id not in visited and likely.get(room.name, 0) > 0:
                visited.add(room.id)
                led = tuple(spot.id for spot in spots if spot.relation == "ROOM" and spot.place == room.name)
                for id_ in led:
                    self.notes.use(id_)
                if (yield from self.go(room.id)):
                    return Led(led, room.id)
        if hopeful or not self.rooms():
            for thing in self._unseen_into(self.knowledge.looks()):
                yield from self.look(thing)
                return Led()
        for room in self.rooms():
            if room.id not in visited:
                visited.add(room.id)
                if (yield from self.go(room.id)):
                    return Led()
        for thing in self._unseen_into(self.knowledge.looks()):
            yield from self.look(thing)
            return Led()
        return None

    def _rooms(self, names: Sequence[str], kept: Iterable[str]) -> Mapping[str, float]:
        """Return in which rooms such things are, by themselves or with what they are on or in, and how often."""
        likely: defaultdict[str, float] = defaultdict(float)
        for name in (*names, *kept):
            for spot in self.knowledge.spots(name):
                if spot.relation == "ROOM":
                    likely[spot.place] += spot.times
        return likely

    def _unseen_into(self, kinds: Iterable[str]) -> list[ObjectRef]:
        """Return things in sight of these kinds, in their order, that can be looked into and were not."""
        looks = self.knowledge.looks()
        places = {kind: place for place, kind in enumerate(kinds) if kind in looks}
        found = [thing for thing in self.view.listed.values() if thing.name in places and thing.id not in self._looked]
        return sorted(found, key=lambda thing: places[thing.name])

    def look(self, thing: ObjectRef) -> Doing:
        """See what is in or behind a thing."""
        self._looked.add(thing.id)
        verb, id_ = self.knowledge.looks()[thing.name]
        self.notes.use(id_)
        if self.view.action(verb, (thing,)) is None:
            yield from self.approach(thing)
        action = self.view.action(verb, (thing,))
        if action is not None:
            yield action
            if self._fresh:  # where nothing came to light, nothing was there: that is not the skill's fault
                self.notes.serve([id_])
        return True

    def approach(self, thing: ObjectRef) -> Doing:
        """Go to a thing in sight."""
        yield from self.get_up()
        for skill in self.knowledge.skills("you INSIDE x")[:3]:
            action = self.view.action(skill.steps[-1][0], (thing,))
            if action is not None:
                self.notes.aim(skill.id, f"you INSIDE {thing.id}" if thing.name in self.room_names() else "")
                yield action
                return True
        return False

    def near(self, action: str) -> bool:
        """Tell whether an action goes to where the agent went last."""
        act = read_act(action)
        return act.verb in self.knowledge.ways() and bool(act.things) and act.things[-1] == self._near

    def get_up(self) -> Doing:
        """Do what makes going possible where no way of going is admissible: get up from a seat, by what is known."""
        walking = self.knowledge.skills("you INSIDE x")[:1]
        if not walking or any(read_act(action).verb == walking[0].steps[-1][0] for action in self.view.actions):
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
        """Go to a room, through doors that may have to be opened; False where no way is known."""
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
        """Open a door in sight that was not tried; False where there is none."""
        for door in self._unseen_into(self.knowledge.looks()):
            if door.name == "door":
                return (yield from self.look(door))
        return False

    def rooms(self) -> list[ObjectRef]:
        """Return the rooms that can be spoken of, as far as facts tell which things are rooms."""
        known = self.room_names()
        return [thing for thing in self.view.listed.values() if thing.name in known]

    def room_names(self) -> set[str]:
        """Return the kinds of rooms that facts tell of."""
        names = {spot.place for name in ("door", "light", "floor") for spot in self.knowledge.spots(name)}
        return names | ({self.view.here.name} if names and self.view.here else set())

    # --- trying things out

    def explore(self, wanted: Sequence[LiftedCondition], goal: str) -> Doing:
        """Do one thing that may help: to things of the goal, not tried yet, of a kind that has shown new things.

        This is all that an agent without memories does.
        """
        view = self.view
        if not view.actions:
            return False
        scores = np.array([self._promise(action, wanted, goal) for action in view.actions])
        action = view.actions[int((scores + 0.5 * self._rng.random(len(scores))).argmax())]
        yield action
        return True

    def _promise(self, action: str, wanted: Sequence[LiftedCondition], goal: str) -> float:
        act = read_act(action)
        selectors = {role for one in wanted for role in one.roles}
        named = sum(any(role.takes(thing) for role in selectors) for thing in act.things)
        asked = any(one.signature.startswith(f"{act.verb.upper()} ") for one in wanted) or (
            act.verb.lower() in goal.lower().split()
        )
        tried = self.view.tried[action]
        gained, times = self._gain[act.verb]
        return 2.0 * named + 2.0 * asked + gained / times - 3.0 * tried - 0.1 * min(times, 10)

    def learn(self, action: str, fresh: int) -> None:
        """Note what was done, and how many new things it brought to light."""
        self._fresh = fresh
        act = read_act(action)
        if act.things and act.verb in self.knowledge.ways():
            self._near = act.things[-1]
        gain = self._gain[act.verb]
        gain[0] += min(fresh / _NEW_ENOUGH, 1.0)
        gain[1] += 1


__all__ = ["Doing", "ObjectSearch"]
