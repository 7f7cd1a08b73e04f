"""Looking back on an episode by rules: what was refused, what mended it, which steps came to nothing.

A lesson is a refusal and what was done between it and the moment when the same action was accepted. Lessons become
skills of their own ("When SwitchOn x is refused because ..., do ..."): a single step of what was done, where that alone
is proved to mend it (`proving`), or else all of it, which did. Left out: reflection by a language model (`written`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from ...experience import Json, Step, Trajectory
from ..items import Draft, Source
from ..verification.replay import TryAction
from ..verification.verify import SkillCandidate, SkillProposal, SkillTest
from .lifting import ROLES, LiftedAction, read_act

_LABEL: Final = re.compile(r"([a-z][a-z0-9_ ]*?) \((\d{1,18})\)")
_LONGEST: Final = 4
"""More steps than so many between a refusal and success are no lesson."""


class Lesson(NamedTuple):
    """A refusal, and what helped."""

    step: int
    action: str
    why: str
    helped: tuple[str, ...]
    """The actions after which it was accepted; empty if it never was."""


class Reflection(NamedTuple):
    """What there is to say about an episode."""

    lessons: tuple[Lesson, ...]
    wasted: int
    """How many steps were refused or changed nothing that could be seen."""
    gained: tuple[int, ...]
    """The steps that brought the goal nearer."""

    def sentences(self) -> list[str]:
        """Say it, a sentence each."""
        said = []
        for lesson in dict.fromkeys((one.action, one.why, one.helped) for one in self.lessons):
            action, why, helped = lesson
            mended = f"; it worked after {', '.join(helped)}" if helped else ""
            said.append(f"{action} was refused because {why}{mended}.")
        if self.wasted:
            said.append(f"{self.wasted} step{'s' if self.wasted > 1 else ''} came to nothing.")
        return said


def reflect(trajectory: Trajectory) -> Reflection:
    """Look back on an episode."""
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


class ReflectionBuilder:
    """The builder of skills that mend refusals, as proposed; `proving.Proved` proves them."""

    def build(self, trajectory: Trajectory) -> Iterator[Draft]:
        """Return a skill for each lesson in which something helped: all that was done in between."""
        for lesson in reflect(trajectory).lessons:
            if lesson.helped:
                yield _skill(trajectory, lesson, lesson.helped)

    def propose(self, trajectory: Trajectory) -> Iterator[SkillProposal]:
        """Return a skill for each lesson in which something helped: one step of what was done in between, or all."""
        for lesson in reflect(trajectory).lessons:
            if not lesson.helped:
                continue
            between = trajectory.steps[lesson.step + 1 : lesson.step + 1 + len(lesson.helped)]
            lived = tuple(step.action for step in between) == lesson.helped
            ways = dict.fromkeys([*((action,) for action in lesson.helped), lesson.helped])
            yield SkillProposal(
                lesson.step,
                tuple(
                    SkillCandidate(
                        _skill(trajectory, lesson, helped),
                        SkillTest(
                            tuple(TryAction(action) for action in (*helped, lesson.action)),
                            refused=lesson.action,
                            lived=lived and helped == lesson.helped,
                        ),
                    )
                    for helped in ways
                ),
            )


def _skill(trajectory: Trajectory, lesson: Lesson, helped: tuple[str, ...]) -> Draft:
    acts = [read_act(action) for action in (lesson.action, *helped)]
    named = dict.fromkeys(thing.id for act in acts for thing in act.things)
    roles = dict(zip(named, ROLES, strict=False))
    why = _LABEL.sub(lambda match: roles.get(int(match[2]), match[1].strip()), lesson.why)
    refused, *steps = (_write(act, roles) for act in acts)
    return Draft(
        "skill",
        f"When {refused} is refused because {why}: {'; '.join(steps)}.",
        trajectory.task.env,
        key=f"{refused}|{why}: {'; '.join(steps)}",
        task=trajectory.task.goal.text,
        success=trajectory.success,
        data={
            "name": f"mend {refused}",
            "parameters": [{"name": role, "classes": []} for role in roles.values()],
            "preconditions": [why],
            "steps": steps,
            "effects": [f"can {refused}"],
            "calls": [],
        },
        source=Source(trajectory.id, lesson.step),
    )


def _write(act: LiftedAction, roles: dict[int, str]) -> str:
    return " ".join([act.verb, *(roles.get(thing.id, thing.name) for thing in act.things)])


def as_json(reflection: Reflection) -> dict[str, Json]:
    """Return a reflection as plain JSON."""
    return {
        "lessons": [{**one._asdict(), "helped": list(one.helped)} for one in reflection.lessons],
        "wasted": reflection.wasted,
        "gained": list(reflection.gained),
    }


__all__ = ["Lesson", "Reflection", "ReflectionBuilder", "as_json", "reflect"]
