"""Whole plans: the skills of environments whose actions name no objects, or whose goals are no conditions on facts.

What an environment's tasks of the same sort say otherwise becomes a parameter, and so does what can be read from the
observations on the way (`memory.plans`). `click [2]` on a page whose second line is `[2] button "Submit"` is a click on
whatever that line numbers. A plan is kept if it reaches the goals of other tasks, of another seed; the more general
form is tried first. One that does not is dropped.

An environment that generates no tasks has nothing to prove a plan in but its own episode: there the words that the goal
and the actions share become parameters, `go to the red ball` reached by `go to red ball 1` a plan with `{w0} {w1}`, and
it is kept if it reaches its goal a second time. Episodes with graph facts whose actions name objects have better skills
(`skills`). Not here: removing steps, as nothing shows which of them were needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from ...envs.facts import read_condition
from ...experience import Json, Task, Trajectory
from ..items import Draft
from ..plans.siblings import prove, siblings
from ..plans.template import TemplateStep, as_read, free_names, lift, varying
from ..verification.replay import TryAction
from ..verification.verify import SkillCandidate, SkillProposal, SkillTest
from .drafts import skill_about
from .episode_log import read_episode

_WORD: Final = re.compile(r"[^\W_]{2,}")
_LONGEST: Final = 40
"""Longer plans are not kept."""
_ALIGNED: Final = 8
"""With how many other goals a goal is aligned."""


def propose_plan(trajectory: Trajectory) -> list[SkillProposal]:
    """Return the plan of a successful episode without object-level skills, with a test that executes it elsewhere."""
    steps = [step for step in trajectory.steps if not step.info.get("error")]
    if not trajectory.success or not steps or len(steps) > _LONGEST or _has_better_skills(trajectory):
        return []
    actions = [step.action for step in steps]
    others = siblings(trajectory.task)
    if others is None:
        test = SkillTest(tuple(TryAction(action) for action in actions), success=True)
        names = shared_words(trajectory.task.goal.text, actions)
        return [SkillProposal(0, (SkillCandidate(_plan(trajectory, names, map(TemplateStep, actions)), test),))]
    return _provable(trajectory, actions, [step.observation.text for step in steps], others)


def _has_better_skills(trajectory: Trajectory) -> bool:
    log = read_episode(trajectory)
    if log is None or not any(step.action.things for step in log.steps):
        return False
    conditions = trajectory.task.goal.conditions
    return not conditions or any(read_condition(one) is not None for one in conditions)


def _provable(
    trajectory: Trajectory, actions: Sequence[str], seen: Sequence[str], others: Sequence[Task]
) -> list[SkillProposal]:
    """Return the plan in forms that hold less and less of this episode, each proved in other tasks."""
    goal = " ".join(trajectory.task.goal.text.split())
    parts = varying(goal, [" ".join(one.goal.text.split()) for one in others[:_ALIGNED]])
    forms = list[list[TemplateStep]]()
    names = dict(zip(parts, free_names(goal, *actions, *seen), strict=False))
    for loose in (False, True):
        fresh = free_names(goal, *actions, *seen, *(f"{{{name}}}" for name in names.values()))
        forms.append(as_read(actions, seen, names, fresh, loose=loose))
    forms.append([TemplateStep(lift(action, names)) for action in actions])
    distinct = {tuple(form): None for form in forms}
    lifted = lift(goal, names)
    candidates = []
    for form in distinct:
        test = SkillTest((), elsewhere=partial(prove, lifted=lifted, steps=form, others=others))
        candidates.append(SkillCandidate(_plan(trajectory, parts, form, names), test))
    return [SkillProposal(0, tuple(candidates))]


def _plan(
    trajectory: Trajectory, parts: Sequence[str], steps: Iterable[TemplateStep], names: Mapping[str, str] | None = None
) -> Draft:
    goal, written = " ".join(trajectory.task.goal.text.split()), list(steps)
    if names is None:
        names = dict(zip(parts, free_names(goal, *(step.action for step in written)), strict=False))
        written = [TemplateStep(lift(step.action, names)) for step in written]
    lifted, shown = lift(goal, names), "; ".join(step.action for step in written)
    text, parameters = f"How to do: {lifted}. Steps: {shown}.", {name: (part,) for part, name in names.items()}
    reads: list[Json] = [[list(row) for row in step.reads] for step in written]
    actions, key = [step.action for step in written], f"{lifted}: {shown}"
    return skill_about(trajectory, text, key, actions, [lifted], parameters=parameters, plan=True, reads=reads)


def shared_words(goal: str, actions: Sequence[str]) -> list[str]:
    """Return the words of a goal that its actions name, in order: these become parameters."""
    named = {word.lower() for action in actions for word in _WORD.findall(action)}
    verbs = {words[0].lower() for action in actions if (words := _WORD.findall(action))}
    found = dict.fromkeys(word.lower() for word in _WORD.findall(goal))
    return [word for word in found if word in named and word not in verbs]
