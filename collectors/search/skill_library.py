"""Skills that a search can try: actions that served one condition, with the condition's things left open.

What put a cup into a dishwasher is *walk to x, grab x, walk to y, open y, put x into y*, and may put a plate into the
fridge. The roles `x`, `y`, ... are those of the memory's skills (`memory.builders`); ids are replaced by numbers, so
that a skill for two plates means two. Here skills are indexed by the features of goal conditions, and nothing is
verified: the search that uses a skill tries it. Not here: skills that are verified and kept on disk (`pathei.memory`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from ...envs.facts import ROLES
from ...envs.goal_space import GoalCondition
from ..coverage import ActionWords, read_act

_SKILLS = 3
"""How many skills of each feature are suggested, those that served most often."""
_ANY = "*"
"""Stands for every kind of condition."""


class SkillStep(NamedTuple):
    """One step of a skill."""

    verb: str
    things: tuple[tuple[str, int], ...]
    """For each thing its role (`"x"`, `"y"`, ... of the condition; else its kind), and which of that role, from 0."""

    def kinds(self, part: GoalCondition) -> tuple[str, ...]:
        """Return the kinds of things of this step when the skill is to serve a condition."""
        return tuple(part.things[ROLES.index(role)] if role in ROLES else role for role, _ in self.things)


LiftedSkill = tuple[SkillStep, ...]


class SkillLibrary:
    """Skills by the features of the condition that they served, with the number of times."""

    def __init__(self) -> None:
        """Begin with none."""
        self._skills: dict[str, Counter[LiftedSkill]] = {}
        self._steps: dict[str, Counter[tuple[str, ...]]] = {}
        self._simple: dict[str, None] = {}

    def __len__(self) -> int:
        """The number of features, general and particular, that at least one skill has served."""
        return len(self._skills)

    def learn(self, part: GoalCondition, actions: Sequence[str]) -> None:
        """Keep actions that served a condition, and what they have in common with others."""
        skill = lift(part, actions)
        for feature in part.features:
            self._skills.setdefault(feature, Counter())[skill] += 1
        for kind in (part.kind, _ANY):
            counts = self._steps.setdefault(kind, Counter())
            counts.update({_pattern(kind, step.verb, [role for role, _ in step.things]) for step in skill})
            counts[()] += 1
        if len(part.things) == 1:
            self._simple.setdefault(part.kind)

    def suggestions(self, part: GoalCondition) -> list[LiftedSkill]:
        """Return the skills to try for a condition: its own first, then those of conditions more and more general."""
        found: dict[LiftedSkill, None] = {}
        for feature in reversed(part.features):
            for skill, _ in self._skills.get(feature, Counter()).most_common(_SKILLS):
                found.setdefault(skill)
        return list(found)

    def simple(self) -> list[GoalCondition]:
        """Return the kinds of conditions on one thing that were served, as conditions on nothing in particular."""
        return [GoalCondition((kind,)) for kind in self._simple]

    def usefulness(self, part: GoalCondition, act: ActionWords) -> float:
        """Return which share of the skills has such a step, in [0, 1]: the mean for this kind and for all kinds."""
        roles = roles_of(part, act)
        shares = [
            counts[_pattern(kind, act.verb, roles)] / counts[()]
            for kind in (part.kind, _ANY)
            if (counts := self._steps.get(kind))
        ]
        return sum(shares) / 2


def roles_of(part: GoalCondition, act: ActionWords) -> tuple[str, ...]:
    """Return for each thing of an action its role with respect to a condition."""
    return tuple(ROLES[part.things.index(thing)] if thing in part.things else thing for thing in act.things)


def lift(part: GoalCondition, actions: Sequence[str]) -> LiftedSkill:
    """Return actions with the things that a condition names replaced by their roles, and ids by numbers from 0."""
    numbers: dict[tuple[str, int], int] = {}
    counts: Counter[str] = Counter()
    steps = []
    for act in map(read_act, actions):
        things = []
        for place, role in enumerate(roles_of(part, act)):
            key = (role, act.ids[place] if place < len(act.ids) else -1)
            if key not in numbers:
                numbers[key] = counts[role]
                counts[role] += 1
            things.append((role, numbers[key]))
        steps.append(SkillStep(act.verb, tuple(things)))
    return tuple(steps)


def _pattern(kind: str, verb: str, roles: Sequence[str]) -> tuple[str, ...]:
    """A step as skills are compared by it: among those for all kinds of conditions, every thing of a goal is alike."""
    return (verb, *(ROLES[0] if kind == _ANY and role in ROLES else role for role in roles))


__all__ = ["LiftedSkill", "SkillLibrary", "SkillStep", "lift", "roles_of"]
