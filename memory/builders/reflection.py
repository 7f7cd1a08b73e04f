"""Reflection on an episode by rules: refused actions, what fixed them, and steps without effect.

A lesson is a refusal with the actions between it and the step where the same action was accepted. Lessons become skills
("When SwitchOn x is refused because ..."): a single one of these actions if verification shows that it suffices, or
else all of them. Not here: reflection by a language model (`llm.notes`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from ...envs.facts import ROLES
from ...envs.registry import get_verbalizer
from ...experience import Json, Step, Trajectory
from ..items import Draft
from ..verification.replay import TryAction
from ..verification.verify import SkillCandidate, SkillProposal, SkillTest
from .drafts import skill_about
from .signatures import is_script, step_reader, write_step

_LABEL: Final = re.compile(r"([a-z][a-z0-9_ ]*?) \((\d{1,18})\)")
_LONGEST: Final = 4
"""The maximum number of steps between a refusal and the accepted action."""


class Lesson(NamedTuple):
    """A refusal and its fix."""

    step: int
    action: str
    why: str
    helped: tuple[str, ...]
    """The actions after which it was accepted; empty if it never was."""


class Reflection(NamedTuple):
    """The lessons of an episode."""

    lessons: tuple[Lesson, ...]
    wasted: int
    """The number of steps that were refused or had no visible effect."""
    gained: tuple[int, ...]
    """The steps with a positive reward."""

    def sentences(self) -> list[str]:
        """Return the reflection as sentences."""
        found = []
        for lesson in dict.fromkeys((one.action, one.why, one.helped) for one in self.lessons):
            action, why, helped = lesson
            fixed = f"; it worked after {', '.join(helped)}" if helped else ""
            found.append(f"{action} was refused because {why}{fixed}.")
        if self.wasted:
            found.append(f"{self.wasted} step{'s' if self.wasted > 1 else ''} came to nothing.")
        return found


def reflect(trajectory: Trajectory) -> Reflection:
    """Reflect on an episode."""
    steps = trajectory.steps
    lessons = []
    for number, step in enumerate(steps):
        why = str(step.info.get("error") or "")
        if why:
            lessons.append(Lesson(number, step.action, why.rstrip("."), _helped(steps, number)))
    following = [*(step.observation for step in steps[1:]), trajectory.final][: len(steps)]
    wasted = sum(
        bool(step.info.get("error")) or (step.reward <= 0 and step.observation.text == after.text)
        for step, after in zip(steps, following, strict=True)
    )
    gained = tuple(number for number, step in enumerate(steps) if step.reward > 0)
    return Reflection(tuple(lessons), wasted, gained)


def _helped(steps: Sequence[Step], refused: int) -> tuple[str, ...]:
    action = steps[refused].action
    between: list[str] = []
    for step in steps[refused + 1 : refused + 2 + _LONGEST]:
        if "error" in step.info:
            continue
        if step.action == action:
            return tuple(between)
        between.append(step.action)
    return ()


def propose_fixes(trajectory: Trajectory) -> Iterator[SkillProposal]:
    """Yield a skill for each lesson with a fix: the actions in between, of which verification keeps the needed ones."""
    for lesson in reflect(trajectory).lessons:
        if not lesson.helped:
            continue

        def write(steps: Sequence[int], lesson: Lesson = lesson) -> Draft:
            """Write the fix with some of its actions; the last step is the action that was refused."""
            return _skill(trajectory, lesson, tuple(lesson.helped[step] for step in steps[:-1]))

        between = trajectory.steps[lesson.step + 1 : lesson.step + 1 + len(lesson.helped)]
        as_played = tuple(step.action for step in between) == lesson.helped
        actions = tuple(map(TryAction, (*lesson.helped, lesson.action)))
        test = SkillTest(actions, refused=lesson.action, as_played=as_played)
        yield SkillProposal(lesson.step, (SkillCandidate(_skill(trajectory, lesson, lesson.helped), test, write),))


def _skill(trajectory: Trajectory, lesson: Lesson, helped: tuple[str, ...]) -> Draft:
    read = step_reader(get_verbalizer(trajectory.task.env))
    actions = [read(action) for action in (lesson.action, *helped)]
    named = dict.fromkeys(thing.id for action in actions for thing in action.things)
    roles = dict(zip(named, ROLES, strict=False))
    why = _LABEL.sub(lambda match: roles.get(int(match[2]), match[1].strip()), lesson.why)
    refused, *steps = (write_step(action, roles) for action in actions)
    # An action that the verbalizer cannot read is one word in the data, so that agents find it, and as it was in words.
    shown, *shown_steps = (
        step if action.things or is_script(text) else text
        for step, action, text in zip((refused, *steps), actions, (lesson.action, *helped), strict=True)
    )
    return skill_about(
        trajectory,
        f"When {shown} is refused because {why}: {'; '.join(shown_steps)}.",
        f"{shown}|{why}: {'; '.join(shown_steps)}",
        steps,
        [f"can {refused}"],
        step=lesson.step,
        name=f"fix {refused}",
        parameters=roles.values(),
        preconditions=[why],
    )


def as_json(reflection: Reflection) -> dict[str, Json]:
    """Return a reflection as plain JSON."""
    return {
        "lessons": [{**one._asdict(), "helped": list(one.helped)} for one in reflection.lessons],
        "wasted": reflection.wasted,
        "gained": list(reflection.gained),
    }
