"""Lessons and facts that a language model draws from an episode.

The model is any function from a prompt to a text. Its lessons become episode items, and its statements about locations
become facts. Both name the model (`data["by"]`), have half the confidence of an observation, and keys of their own, so
that they never supersede an observation. Answers are read tolerantly (`answers`); lines that cannot be read are
counted. A model that samples makes other drafts each time. Not here: skills, which have to be verified (`skills`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ....experience import Trajectory
from ...items import Draft
from ..drafts import draft_about
from ..episode_log import read_episode
from ..signatures import words
from .answers import ParsedLocation, read_lessons, read_locations
from .skills import Complete

STATED: Final = 0.5
"""The confidence of statements by a language model."""
_WORD: Final = re.compile(r"[^\W_]+")
LESSONS: Final = """An agent was asked: {goal}
{outcome}. It did:
{actions}
Write at most {most} short lessons for the next time, one per line, each beginning with "- ", and nothing else.
"""
LOCATIONS: Final = """An agent went through a place and saw this:
{seen}
Write where things are usually found in such places, as far as this shows it, at most {most} lines and nothing else,
each of this form: {{"object": "cup", "relation": "in", "place": "cupboard"}}. The relation is "in" or "on".
"""


class LlmReflections:
    """Builds lessons that a language model draws from an episode (reflections)."""

    def __init__(self, complete: Complete, model: str = "", *, most: int = 3, room: int = 2_400) -> None:
        """Ask a model.

        Args:
            complete: The model.
            model: Its name, which is stored with every item.
            most: The maximum number of lessons per episode.
            room: The number of characters of the episode in the prompt: its end.
        """
        self._complete, self._model, self._most, self._room = complete, model, most, room
        self.dropped = 0
        """The number of lines of answers that could not be read, or exceeded the maximum."""

    def build(self, trajectory: Trajectory) -> Iterator[Draft]:
        """Yield lessons by the model; nothing for an episode without steps.

        Raises:
            ModelError: the model does not answer.
        """
        if not trajectory.steps:
            return
        goal = " ".join(trajectory.task.goal.text.split())
        outcome = {True: "It succeeded", False: "It failed", None: "Nobody could tell whether it succeeded"}
        prompt = LESSONS.format(
            goal=goal, outcome=outcome[trajectory.success], actions=_actions(trajectory, self._room), most=self._most
        )
        read = read_lessons(self._complete(prompt))
        self.dropped += read.dropped + len(read.found[self._most :])
        for lesson in read.found[: self._most]:
            same = " ".join(_WORD.findall(lesson.lower()))
            data = {"lesson": lesson, "by": self._model, "task": trajectory.task.id}
            key, text = f"said by {self._model}: {goal}: {same}", f"Goal: {goal.removesuffix('.')}. Lesson: {lesson}"
            yield draft_about(trajectory, "episode", text, data, key=key, confidence=STATED)


class LlmFacts:
    """Builds facts that a language model states after reading the observations of an episode."""

    def __init__(self, complete: Complete, model: str = "", *, most: int = 8, room: int = 2_400) -> None:
        """Ask a model; the arguments are those of `LlmReflections`, but the prompt shows the start of the episode."""
        self._complete, self._model, self._most, self._room = complete, model, most, room
        self.dropped = 0
        """The number of lines of answers that could not be read, or exceeded the maximum."""

    def build(self, trajectory: Trajectory) -> Iterator[Draft]:
        """Yield facts by the model; nothing for an episode without observations.

        Raises:
            ModelError: the model does not answer.
        """
        seen = _seen(trajectory, self._room)
        if not seen:
            return
        read = read_locations(self._complete(LOCATIONS.format(seen=seen, most=self._most)))
        self.dropped += read.dropped + len(read.found[self._most :])
        log = read_episode(trajectory)
        rooms = frozenset[str]() if log is None else frozenset(map(log.kind, log.rooms))
        for one in read.found[: self._most]:
            yield self._draft(trajectory, one._replace(relation="ROOM") if one.place in rooms else one)

    def _draft(self, trajectory: Trajectory, location: ParsedLocation) -> Draft:
        thing, relation, place = location
        phrase = {"ON": "kept on a", "INSIDE": "kept in a", "ROOM": "found in the"}[relation]
        text = f"A {words(thing)} is {phrase} {words(place)}, a model says."
        key = f"said by {self._model}: {thing}|{relation}|{place}"
        data = {"object": thing, "relation": relation, "place": place, "when": "kept", "by": self._model}
        return draft_about(trajectory, "fact", text, data, key=key, confidence=STATED)


def _actions(trajectory: Trajectory, room: int) -> str:
    """Return the last actions that fit into the prompt, with the errors of those that were refused."""
    lines: list[str] = []
    for step in reversed(trajectory.steps):
        why = step.info.get("error")
        line = f"{step.action} (refused: {why})" if why else step.action
        if lines and sum(map(len, lines)) + len(line) > room:
            break
        lines.append(line)
    left = len(trajectory.steps) - len(lines)
    return "\n".join([*([f"({left} steps before)"] if left else []), *reversed(lines)])


def _seen(trajectory: Trajectory, room: int) -> str:
    """Return the first observations that fit into the prompt, each text once."""
    texts = [*(step.observation.text for step in trajectory.steps), trajectory.final.text]
    shown: list[str] = []
    for text in dict.fromkeys(" ".join(text.split()) for text in texts):
        if sum(map(len, shown)) + len(text) > room:
            break
        shown.append(text)
    return "\n".join(shown) or texts[0][:room]
