"""Skills that a search can try, in the notation of the memory's skills: steps with the goal's things left open.

What put a cup into a dishwasher is `walk x; grab x; walk y; open y; putin x y`, and may put a plate into the fridge.
`memory.builders` writes skills of verified effects like this and keeps them on disk; here nothing is verified, as the
search that uses a skill tries it, and skills are indexed by the features of goal conditions. A second thing of a role
or a kind is written `plate#1`, so that a skill for two plates means two. A step that says how many keeps that,
`mine*4 x`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from ...envs.facts import ROLES
from ...envs.goal_space import GoalCondition
from ...memory.builders.signatures import as_word, read_counted, write_counted
from ..coverage import ActionWords, read_act

_SKILLS = 3
"""How many skills of each feature are suggested, those that served most often."""
_ANY = "*"
"""Stands for every kind of condition."""

LiftedSkill = tuple[str, ...]
"""Steps: each a verb, and its things by their role in the condition (`x`, `y`, ...) or else by their kind."""


class SkillLibrary:
    """Skills by the features of the condition that they served, with the number of times."""

    def __init__(self) -> None:
        """Begin with none."""
        self._skills: dict[str, Counter[LiftedSkill]] = {}
        self._steps: dict[str, Counter[str]] = {}
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
            counts.update({_pattern(kind, step) for step in skill})
            counts[""] += 1
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
        step = write_act(act, part)
        known = [(kind, counts) for kind in (part.kind, _ANY) if (counts := self._steps.get(kind))]
        return sum(counts[_pattern(kind, step)] / counts[""] for kind, counts in known) / 2


def lift(part: GoalCondition, actions: Sequence[str]) -> LiftedSkill:
    """Return actions with the things that a condition names replaced by their roles, and ids by numbers from 0."""
    names: dict[tuple[str, int], str] = {}
    counts: Counter[str] = Counter()
    steps = []
    for act in map(read_act, actions):
        verb, *roles = write_act(act, part).split()
        for place, role in enumerate(roles):
            key = (role, act.ids[place] if place < len(act.ids) else -1)
            if key not in names:
                names[key] = f"{role}#{counts[role]}" if counts[role] else role
                counts[role] += 1
            roles[place] = names[key]
        steps.append(" ".join((write_counted(verb, act.number), *roles)))
    return tuple(steps)


def write_act(act: ActionWords, part: GoalCondition | None = None) -> str:
    """Write an action as a step, its things by their role in a condition, or else by their kind; not how many."""
    things = () if part is None else part.things
    return " ".join((act.verb, *(ROLES[things.index(one)] if one in things else as_word(one) for one in act.things)))


@lru_cache(maxsize=1 << 14)
def bind(step: str, part: GoalCondition) -> str:
    """Return a step as `write_act` writes it, with the kinds of a condition's things put into its roles."""
    verb, *names = step.split()
    kinds = dict(zip(ROLES, map(as_word, part.things), strict=False))
    bare = (name.partition("#")[0] for name in names)
    return " ".join((read_counted(verb)[0], *(kinds.get(name, name) for name in bare)))


def _pattern(kind: str, step: str) -> str:
    """A step as skills are compared by it, whatever its number: for all kinds of conditions, things are alike."""
    verb, *names = step.split()
    roles = (name.partition("#")[0] for name in names)
    return " ".join((read_counted(verb)[0], *(ROLES[0] if kind == _ANY and role in ROLES else role for role in roles)))
