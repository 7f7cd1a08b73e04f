"""An agent that acts by a memory alone, without a model: skills give the actions, facts the locations of objects.

For every condition it queries the memory for skills that bring it about, for the order in which such conditions were
reached together, and for the locations of the objects needed. It binds objects to the roles of a skill, skips a step if
a later one is already admissible, and if a step is not admissible it applies the fix remembered for it. If the memory
knows nothing it explores (`ObjectSearch.explore`): with an empty memory that is all it does, which makes it the
baseline to compare with.

Goals come in words and are read as conditions over graph facts (`goals`); where that fails whole plans are used, and
what episodes did that reached a goal of the same words. Not here: checking a plan before acting.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Final

import numpy as np

from ...envs.facts import EVERY, ROLES, ConditionSignature, Entity, NodeSelector, read_condition
from ...envs.registry import get_verbalizer
from ...experience import Goal, Observation
from ...memory.builders.signatures import ROOM, say_class
from ...memory.feedback import GOAL
from ...memory.plans.template import next_action
from ...memory.protocol import Memory
from ..protocol import Decision, Finished, check_seen
from .goals import GoalReader
from .knowledge import Skill, SkillKnowledge, Step
from .notes import SkillNotes, concrete
from .search import Doing, ObjectSearch
from .view import EpisodeView

Readying = Generator[str, None, str | None]
"""Yields actions; returns the action that is admissible then, or None."""

_SKILLS: Final = 6
"""The maximum number of skills that are tried for a condition."""
_THINGS: Final = 3
"""The maximum number of objects that a skill is tried with."""
_EVERY: Final = 12
"""The maximum number of objects that are served if a condition asks for all of a kind."""
_FIXES: Final = 3
"""The maximum number of fixes that are tried for a step."""
_TRIES: Final = 6
"""The number of exploring actions between two rounds through the conditions."""


class SkillAgent:
    """The agent; see the head of this file."""

    def __init__(self, recollection: Memory, *, env: str | None = None, explores: bool = True) -> None:
        """Act by a memory.

        Args:
            recollection: The memory, which is only queried; see `give_feedback` for feedback from the episode.
            env: The gymnasium id of the environment: its verbalizer reads observations, and only its skills and facts
                are used. If None, items of all environments are used, and only script lines are read.
            explores: Whether to explore if no skill is known for a condition; otherwise the agent finishes once it has
                done what it knows.
        """
        self._recollection = recollection
        self._env = env
        self._explores = explores
        self._reader = GoalReader(get_verbalizer(env or ""), recollection, env)
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Start an episode."""
        self._view = EpisodeView(get_verbalizer(self._env or ""))
        knowledge = SkillKnowledge(self._recollection, self._env)
        self._notes = SkillNotes()
        self._search = ObjectSearch(self._view, knowledge, self._notes, np.random.default_rng(seed))
        self._knowledge = knowledge
        self._actions: Iterator[str] | None = None
        self._last: str | None = None
        self._begun: set[str] = set()

    def act(self, observation: Observation, goal: Goal) -> Decision:
        """Choose the next action; its notes are the items behind it and how they served so far (`memory.feedback`).

        Raises:
            Finished: nothing is admissible, or nothing more is known and the agent does not explore.
        """
        check_seen(observation, goal)
        fresh = self._view.see(observation)
        if self._last is not None:
            self._search.learn(self._last, fresh)
        if self._actions is None:
            self._actions = self._pursue(goal)
        self._notes.clear()
        action = next(self._actions, None)
        if action is None:
            raise Finished("No action is left to try.")
        self._view.tried[action] += 1
        self._last = action
        return Decision(action, notes=self._notes.json())

    # --- the whole goal

    def _pursue(self, goal: Goal) -> Iterator[str]:
        meant = self._reader.read(goal.text, [*self._view.kinds.values(), *self._view.room_kinds])
        wanted = [one for one in map(read_condition, meant) if one is not None]
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
            if not self._explores and not (wanted and all(self._fitting(one) for one in wanted)):
                return
            if not wanted:
                yield from self._as_remembered(goal)
            for _ in range(_TRIES):
                tried = yield from self._search.explore(wanted, goal.text)
                if not tried:
                    return

    def _by_plan(self, goal: Goal) -> Doing:
        """Execute the best plan for a goal of the same words, as far as what it reads is seen."""
        for plan in self._knowledge.plans(goal.text)[:1]:
            for place, step in enumerate(plan.steps):
                action = next_action(step, plan.values, self._view.text)
                if action is None:
                    break
                self._notes.aim(plan.id, GOAL if place == len(plan.steps) - 1 else "")
                yield self._view.spelled(action)
        return False

    def _as_remembered(self, goal: Goal) -> Doing:
        """Do what episodes did that reached a goal of the same words, one after the other, each as far as it can be.

        A step that cannot be done is skipped if it was done before; otherwise the scene is another, and the next
        episode is tried.
        """
        for episode in self._knowledge.episodes(goal.text):
            for place, action in enumerate(map(self._view.spelled, episode.actions)):
                if self._view.actions and action not in self._view.actions:
                    if self._view.tried[action]:
                        continue
                    break
                self._notes.aim(episode.id, GOAL if place == len(episode.actions) - 1 else "")
                yield action
        return False

    def _serve(self, wanted: ConditionSignature, others: Sequence[ConditionSignature], reached: set[str]) -> Doing:
        """Bring about one condition, for as many objects as it asks for."""
        used: set[Entity] = set()
        times = _EVERY if wanted.number == EVERY else wanted.number
        for _ in range(times):
            served = yield from self._serve_once(wanted, others, used, reached)
            if not served and wanted.number != EVERY:
                return False
            if not served and not (yield from self._next_room(wanted, used)):
                break
        return True

    def _serve_once(
        self, wanted: ConditionSignature, others: Sequence[ConditionSignature], used: set[Entity], reached: set[str]
    ) -> Doing:
        asked = {one.signature for one in others if not one.roles}
        skills = sorted(self._fitting(wanted), key=lambda skill: -len(asked & skill.effects))
        for skill in skills[:_SKILLS]:
            for _ in range(_THINGS):
                binding: dict[str, Entity] = {}
                self._begun.discard(skill.id)
                done = yield from self._follow(skill, wanted, binding, used)
                first = binding.get(ROLES[0])
                if first is not None and wanted.roles:
                    used.add(first)
                if done:
                    reached |= skill.effects & asked
                    return True
                if (
                    first is None
                    or not wanted.roles
                    or wanted.roles[0].ids
                    or used.issuperset(self._view.among(wanted.roles[0]))
                ):
                    break
            if not all(self._view.among(role) for role in wanted.roles):
                break  # an object is missing: another skill will not help, and this one has not failed

            if skill.id in self._begun:
                self._notes.abandon([skill.id], concrete(wanted.signature, binding))
        return False

    def _fitting(self, wanted: ConditionSignature) -> list[Skill]:
        """Return the skills for a condition that agree with it on which roles are rooms and of which kinds they are.

        Those for its own kinds come first.
        """
        known = {*self._search.room_kinds(), *(room.id for room in self._search.rooms())}
        pairs = zip(ROLES, wanted.roles, strict=False)
        rooms = {role for role, one in pairs if not known.isdisjoint((*one.classes, *one.ids))}
        kinds = {role: one.classes for role, one in zip(ROLES, wanted.roles, strict=False)}
        by_kind = self._view.verbalizer.by_kind
        limits = {role: (ROOM,) if role in rooms else kinds[role] if by_kind else () for role in kinds}
        skills = self._knowledge.skills(wanted.signature, "".join(map(say_class, limits, limits.values())))
        fitting = (
            skill
            for skill in skills
            if skill.rooms & kinds.keys() == rooms
            and all(role not in kinds or {*kinds[role]} & {*some} for role, some in skill.kinds.items())
        )
        return sorted(fitting, key=lambda skill: not skill.kinds)

    def _next_room(self, wanted: ConditionSignature, used: set[Entity]) -> Doing:
        """Go where more of the objects may be that are all asked for; False if every room was visited."""
        kind = wanted.roles[0].classes[0] if wanted.roles and wanted.roles[0].classes else ""
        known = {one.place for one in self._knowledge.locations(kind) if one.relation == "ROOM"} if kind else set()
        for room in self._search.rooms():
            if room not in used and (not known or room.kind in known):
                used.add(room)
                if self._view.here != room and (yield from self._search.go(room.id)):
                    return True
        return (yield from self._search.open_door())

    # --- one skill

    def _follow(self, skill: Skill, wanted: ConditionSignature, binding: dict[str, Entity], used: set[Entity]) -> Doing:
        """Execute the steps of a skill; return whether the last one was done."""
        steps, place = skill.steps, 0
        while place < len(steps):
            last = self._admissible(steps[-1], wanted, binding, used)
            if last is not None and place < len(steps) - 1:
                place = len(steps) - 1
            following = steps[place + 1] if place + 1 < len(steps) else None
            approaches = steps[place][0] in skill.approach and following is not None
            if approaches and following is not None and self._admissible(following, wanted, binding, used):
                place += 1
                continue
            action = yield from self._ready(steps[place], wanted, binding, used)
            if action is not None and approaches and self._search.near(action):
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

    def _ready(self, step: Step, wanted: ConditionSignature, binding: dict[str, Entity], used: set[Entity]) -> Readying:
        """Make a step admissible; return its action, or None if that fails."""
        if step[0] in self._knowledge.approaches:
            yield from self._search.get_up()
        for word in step[1:]:
            if word not in binding or binding[word].id not in self._view.listed:
                selector = self._selector(word, wanted, binding)
                kind = binding[word].kind if word in binding else ""
                yield from self._search.find(selector, kind)
        action = self._admissible(step, wanted, binding, used)
        tries = 0
        for earlier, ids in self._repairs(step, wanted):
            if action is not None or tries >= _FIXES:
                break
            fix = self._admissible(earlier, wanted, binding, used)
            if fix is not None and not self._search.near(fix):
                tries += 1
                for id_ in ids:
                    self._notes.use(id_)
                yield fix
                action = self._admissible(step, wanted, binding, used)
                if action is None:
                    self._notes.abandon(ids)
                else:
                    self._notes.serve(ids)
        return action

    def _repairs(self, step: Step, wanted: ConditionSignature) -> Iterator[tuple[Step, tuple[str, ...]]]:
        """Yield steps that may make a step admissible, with the ids of the items behind them: approaching first."""
        for skill in self._knowledge.skills("you INSIDE x")[:1]:
            for name in reversed(step[1:]):
                yield (skill.steps[-1][0], name), (skill.id,)
        for skill in self._knowledge.fixes(step):
            for place, one in enumerate(skill.steps):
                yield one, (skill.id,) if place == len(skill.steps) - 1 else ()
        earlier = self._knowledge.before(wanted.signature, step)
        for one in sorted(earlier, key=lambda one: any(name not in ROLES for name in one[1:])):  # tools last
            yield one, ()

    def _admissible(
        self, step: Step, wanted: ConditionSignature, binding: dict[str, Entity], used: set[Entity]
    ) -> str | None:
        """Return the action of a step on visible objects, and bind these to its roles; None if there is none."""
        verb, *names = step
        choices = [self._choices(name, wanted, binding, used) for name in names]
        for things in _products(choices):
            action = self._view.action(verb, things)
            if action is not None:
                binding.update(zip(names, things, strict=True))
                return action
        return None

    def _choices(
        self, name: str, wanted: ConditionSignature, binding: dict[str, Entity], used: set[Entity]
    ) -> list[Entity]:
        if name in binding:
            return [binding[name]]
        things = self._view.among(self._selector(name, wanted, binding))
        return [thing for thing in things if name != ROLES[0] or thing not in used]

    def _selector(self, name: str, wanted: ConditionSignature, binding: dict[str, Entity]) -> NodeSelector:
        if name in binding:
            return NodeSelector(ids=(binding[name].id,))
        if name not in ROLES:
            return NodeSelector(classes=(self._view.kinds.get(name, name),))
        place = ROLES.index(name)
        return wanted.roles[place] if place < len(wanted.roles) else NodeSelector()


def _products(choices: Sequence[Sequence[Entity]]) -> Iterator[tuple[Entity, ...]]:
    if not choices:
        yield ()
        return
    for first in choices[0]:
        for rest in _products(choices[1:]):
            if first not in rest:
                yield (first, *rest)
