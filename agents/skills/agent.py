"""An agent that acts by a memory alone, with no model: skills say what to do, facts say where things are.

For every condition it asks the memory what brings such a condition about, in which order such conditions were reached
together, and where the things are that are needed. It puts things into the roles, skips what is not needed (a step
that cannot be done, when a later one can), and where a step is not admissible it tries what came before that step in
other skills. Where the memory knows nothing it tries things out (`ObjectSearch.explore`): with an empty memory that is
all it does, and that agent is the one to compare with.

Goals are read in the household's form of conditions; for others, and where actions are free words, whole plans are
used. Left out: proving before acting that a plan will work. It acts, and sees.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Final

import numpy as np

from ...experience import Goal, Observation
from ...memory.builders.lifting import EVERY, ROLES, LiftedCondition, LiftedSelector, ObjectRef, read_condition
from ...memory.protocol import Recollection
from ..protocol import ActionRecord, Finished
from .knowledge import Skill, SkillKnowledge, Step
from .notes import GOAL, SkillNotes, concrete
from .search import Doing, ObjectSearch
from .view import EpisodeView

Readying = Generator[str, None, str | None]
"""Yields actions; returns the one that is admissible then, or None."""

_SKILLS: Final = 6
"""So many skills are tried for a condition, and each with so many things:"""
_THINGS: Final = 3
_EVERY: Final = 12
"""So many things are served where all of a kind are asked for."""
_MENDS: Final = 3
_TRIES: Final = 6
"""So many things are tried out between two rounds through the conditions."""


class SkillAgent:
    """The agent; see the head of this file."""

    def __init__(self, recollection: Recollection, *, world: str | None = None, explores: bool = True) -> None:
        """Act by a memory.

        Args:
            recollection: The memory; it is only asked. Whoever plays may tell it how it served (`give_feedback`).
            world: The gymnasium id of the world that skills and facts have to be of; None for any.
            explores: Whether to try things out where no skill is known for a condition; otherwise it has finished
                once it has done what it knows.
        """
        self._recollection = recollection
        self._world = world
        self._explores = explores
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Begin an episode."""
        self._view = EpisodeView()
        knowledge = SkillKnowledge(self._recollection, self._world)
        self._notes = SkillNotes()
        self._seeker = ObjectSearch(self._view, knowledge, self._notes, np.random.default_rng(seed))
        self._knowledge = knowledge
        self._life: Iterator[str] | None = None
        self._last: str | None = None
        self._begun: set[str] = set()
        self._told = ActionRecord()

    def act(self, observation: Observation, goal: Goal) -> str:
        """Choose the next action.

        Raises:
            Finished: nothing is admissible, or nothing more is known and it does not explore, or cannot.
        """
        fresh = self._view.see(observation)
        if self._last is not None:
            self._seeker.learn(self._last, fresh)
        if self._life is None:
            self._life = self._live(goal)
        self._notes.clear()
        action = next(self._life, None)
        if action is None:
            raise Finished("There is nothing that could be done.")
        self._view.tried[action] += 1
        self._last = action
        self._told = ActionRecord(notes=self._notes.json())
        return action

    def told(self) -> ActionRecord:
        """Return the ids of the items behind the last action and how they served so far; see `memory.feedback`."""
        return self._told

    # --- the whole goal

    def _live(self, goal: Goal) -> Iterator[str]:
        wanted = [one for one in map(read_condition, goal.conditions) if one is not None]
        yield from self._by_plan(goal)
        order = self._knowledge.order([one.signature for one in wanted])
        ordered = [wanted[place] for place in order.places]
        for id_ in order.ids:
            self._notes.use(id_)
        while True:
            reached: set[str] = set()
            for one in ordered:
                if one.signature not in reached:
                    yield from self._serve(one, ordered, reached)
            if not self._explores and not all(self._fitting(one) for one in wanted):
                return
            for _ in range(_TRIES):
                tried = yield from self._seeker.explore(wanted, goal.text)
                if not tried:
                    return

    def _by_plan(self, goal: Goal) -> Doing:
        """Do what reached a goal of the same words, as far as it is admissible."""
        for id_, steps in self._knowledge.plans(goal.text)[:1]:
            for place, step in enumerate(steps):
                if not self._view.actions or step in self._view.actions:
                    self._notes.aim(id_, GOAL if place == len(steps) - 1 else "")
                    yield step
        return False

    def _serve(self, wanted: LiftedCondition, others: Sequence[LiftedCondition], reached: set[str]) -> Doing:
        """Bring one condition about, for as many things as it asks for."""
        used: set[ObjectRef] = set()
        times = _EVERY if wanted.number == EVERY else wanted.number
        for _ in range(times):
            served = yield from self._serve_once(wanted, others, used, reached)
            if not served and wanted.number != EVERY:
                return False
            if not served and not (yield from self._next_room(wanted, used)):
                break
        return True

    def _serve_once(
        self, wanted: LiftedCondition, others: Sequence[LiftedCondition], used: set[ObjectRef], reached: set[str]
    ) -> Doing:
        asked = {one.signature for one in others if not one.roles}
        skills = sorted(self._fitting(wanted), key=lambda skill: -len(asked & skill.effects))
        for skill in skills[:_SKILLS]:
            for _ in range(_THINGS):
                binding: dict[str, ObjectRef] = {}
                self._begun.discard(skill.id)
                done = yield from self._follow(skill, wanted, binding, used)
                first = binding.get(ROLES[0])
                if first is not None and wanted.roles:
                    used.add(first)
                if done:
                    reached |= skill.effects & asked
                    return True
                if first is None or not wanted.roles or wanted.roles[0].ids or not self._others(wanted, used):
                    break
            if not all(self._view.among(role) for role in wanted.roles):
                break  # nothing to do it with: another skill will not help, and this one is not to blame
            if skill.id in self._begun:
                self._notes.abandon([skill.id], concrete(wanted.signature, binding))
        return False

    def _fitting(self, wanted: LiftedCondition) -> list[Skill]:
        """Return the skills for a condition whose roles are rooms where the condition's are."""
        known = {*self._seeker.room_names(), *(room.id for room in self._seeker.rooms())}
        pairs = zip(ROLES, wanted.roles, strict=False)
        rooms = {role for role, one in pairs if not known.isdisjoint((*one.names, *one.ids))}
        roles = set(ROLES[: len(wanted.roles)])
        skills = self._knowledge.skills(wanted.signature, "".join(f" ({role} is a room)" for role in sorted(rooms)))
        return [skill for skill in skills if skill.rooms & roles == rooms]

    def _others(self, wanted: LiftedCondition, used: set[ObjectRef]) -> bool:
        return any(thing not in used for thing in self._view.among(wanted.roles[0]))

    def _next_room(self, wanted: LiftedCondition, used: set[ObjectRef]) -> Doing:
        """Go where more of the things may be that are all asked for; False where everything was seen."""
        name = wanted.roles[0].names[0] if wanted.roles and wanted.roles[0].names else ""
        known = {spot.place for spot in self._knowledge.spots(name) if spot.relation == "ROOM"} if name else set()
        for room in self._seeker.rooms():
            if room not in used and (not known or room.name in known):
                used.add(room)
                if self._view.here != room and (yield from self._seeker.go(room.id)):
                    return True
        return (yield from self._seeker.open_door())

    # --- one skill

    def _follow(
        self, skill: Skill, wanted: LiftedCondition, binding: dict[str, ObjectRef], used: set[ObjectRef]
    ) -> Doing:
        """Do a skill's steps; return whether the last one was done."""
        steps, place = skill.steps, 0
        while place < len(steps):
            last = self._admissible(steps[-1], wanted, binding, used)
            if last is not None and place < len(steps) - 1:
                place = len(steps) - 1
            following = steps[place + 1] if place + 1 < len(steps) else None
            is_way = steps[place][0] in skill.approach and following is not None
            if is_way and following is not None and self._admissible(following, wanted, binding, used):
                place += 1
                continue
            action = yield from self._ready(steps[place], wanted, binding, used)
            if action is not None and is_way and self._seeker.near(action):
                place += 1
                continue
            if action is not None:
                self._begun.add(skill.id)
                is_last = place == len(steps) - 1
                self._notes.aim(skill.id, concrete(wanted.signature, binding) if is_last else "")
                yield action
            elif place == len(steps) - 1:
                return False
            place += 1
        return True

    def _ready(
        self, step: Step, wanted: LiftedCondition, binding: dict[str, ObjectRef], used: set[ObjectRef]
    ) -> Readying:
        """Make a step admissible; return its action, or None where that fails."""
        if step[0] in self._knowledge.ways():
            yield from self._seeker.get_up()
        for word in step[1:]:
            if word not in binding or binding[word].id not in self._view.listed:
                selector = self._selector(word, wanted, binding)
                name = binding[word].name if word in binding else ""
                yield from self._seeker.find(selector, name)
        action = self._admissible(step, wanted, binding, used)
        tries = 0
        for earlier, ids in self._repairs(step, wanted):
            if action is not None or tries >= _MENDS:
                break
            mend = self._admissible(earlier, wanted, binding, used)
            if mend is not None and not self._seeker.near(mend):
                tries += 1
                for id_ in ids:
                    self._notes.use(id_)
                yield mend
                action = self._admissible(step, wanted, binding, used)
                if action is None:
                    self._notes.abandon(ids)
                else:
                    self._notes.serve(ids)
        return action

    def _repairs(self, step: Step, wanted: LiftedCondition) -> Iterator[tuple[Step, tuple[str, ...]]]:
        """Yield what may make a step admissible, with the ids of the items that say so of this step."""
        for skill in self._knowledge.mends(step):
            for place, one in enumerate(skill.steps):
                yield one, (skill.id,) if place == len(skill.steps) - 1 else ()
        earlier = self._knowledge.before(wanted.signature, step)
        for one in sorted(earlier, key=lambda one: any(name not in ROLES for name in one[1:])):  # tools last
            yield one, ()

    def _admissible(
        self, step: Step, wanted: LiftedCondition, binding: dict[str, ObjectRef], used: set[ObjectRef]
    ) -> str | None:
        """Return the action of a step with things in sight in its roles, and bind them; None if there is none."""
        verb, *names = step
        choices = [self._choices(name, wanted, binding, used) for name in names]
        for things in _products(choices):
            action = self._view.action(verb, things)
            if action is not None:
                binding.update(zip(names, things, strict=True))
                return action
        return None

    def _choices(
        self, name: str, wanted: LiftedCondition, binding: dict[str, ObjectRef], used: set[ObjectRef]
    ) -> list[ObjectRef]:
        if name in binding:
            return [binding[name]]
        things = self._view.among(self._selector(name, wanted, binding))
        return [thing for thing in things if name != ROLES[0] or thing not in used]

    @staticmethod
    def _selector(name: str, wanted: LiftedCondition, binding: dict[str, ObjectRef]) -> LiftedSelector:
        if name in binding:
            return LiftedSelector(ids=(binding[name].id,))
        if name not in ROLES:
            return LiftedSelector(names=(name,))
        place = ROLES.index(name)
        return wanted.roles[place] if place < len(wanted.roles) else LiftedSelector()


def _products(choices: Sequence[Sequence[ObjectRef]]) -> Iterator[tuple[ObjectRef, ...]]:
    if not choices:
        yield ()
        return
    for first in choices[0]:
        for rest in _products(choices[1:]):
            if first not in rest:
                yield (first, *rest)


__all__ = ["SkillAgent"]
