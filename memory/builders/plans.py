"""Whole plans with the words of the goal as parameters: the skills of environments whose actions name no objects.

`go to the red ball` reached by `go to red ball 1` becomes a plan with the parameters `{red}` and `{ball}`, which can be
tried for `go to the blue key`. A plan is kept if it reaches its goal a second time, from the start of the task.
Episodes with graph facts whose actions name objects have better skills (`skills`). Not here: removing steps, as nothing
shows which of them were needed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
from typing import Final

from ...experience import Trajectory
from ..items import Draft
from ..verification.replay import TryAction
from ..verification.verify import SkillCandidate, SkillProposal, SkillTest
from .drafts import skill_about
from .episode_log import read_episode

_WORD: Final = re.compile(r"[^\W_]{2,}")
_PARAMETER: Final = re.compile(r"\{(w\d+)\}")
_LONGEST: Final = 40
"""Longer plans are not kept."""


def propose_plan(trajectory: Trajectory) -> list[SkillProposal]:
    """Return the plan of a successful episode without object-level skills, with a test that executes it again."""
    actions = [step.action for step in trajectory.steps if not step.info.get("error")]
    if not trajectory.success or not actions or len(actions) > _LONGEST:
        return []
    log = read_episode(trajectory)
    if log is not None and any(step.action.things for step in log.steps):
        return []
    test = SkillTest(tuple(TryAction(action) for action in actions), success=True)
    return [SkillProposal(0, (SkillCandidate(_plan(trajectory, actions), test),))]


def _plan(trajectory: Trajectory, actions: Sequence[str]) -> Draft:
    goal = " ".join(trajectory.task.goal.text.split())
    own = {name for text in (goal, *actions) for name in _PARAMETER.findall(text)}  # braces of the plan itself
    free = (name for name in map("w{}".format, count()) if name not in own)
    names = dict(zip(shared_words(goal, actions), free, strict=False))
    lifted, steps = fill(goal, names), [fill(action, names) for action in actions]
    shown = "; ".join(steps)
    text, parameters = f"How to do: {lifted}. Steps: {shown}.", {name: (word,) for word, name in names.items()}
    return skill_about(trajectory, text, f"{lifted}: {shown}", steps, [lifted], parameters=parameters, plan=True)


def shared_words(goal: str, actions: Sequence[str]) -> list[str]:
    """Return the words of a goal that its actions name, in order: these become parameters."""
    named = {word.lower() for action in actions for word in _WORD.findall(action)}
    verbs = {words[0].lower() for action in actions if (words := _WORD.findall(action))}
    found = dict.fromkeys(word.lower() for word in _WORD.findall(goal))
    return [word for word in found if word in named and word not in verbs]


def fill(text: str, names: dict[str, str]) -> str:
    """Replace whole words, ignoring case, by their names in braces."""
    return _WORD.sub(lambda match: f"{{{names[match[0].lower()]}}}" if match[0].lower() in names else match[0], text)


def match_goal(lifted: str, goal: str) -> dict[str, str] | None:
    """Return the values of a lifted goal's parameters in another goal, or None if the goals differ otherwise."""
    pattern, names = "", []
    for place, part in enumerate(_PARAMETER.split(lifted)):
        if place % 2 and part in names:
            pattern += f"(?P={part})"
        elif place % 2:
            names.append(part)
            pattern += f"(?P<{part}>[^\\W_]+)"
        else:
            pattern += re.escape(part)
    found = re.fullmatch(pattern, " ".join(goal.split()), re.IGNORECASE)
    return None if found is None else found.groupdict()
