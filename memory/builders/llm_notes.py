"""What a language model says of an episode: lessons in words, and where things of a kind are usually found.

The model is any function from a prompt to a text. Lessons become episode items beside the one that was lived, and what
it tells of the world becomes facts. Both name the model (`data["by"]`), have half the confidence of what was lived, and
keys of their own, so that nothing that was lived is superseded. Answers are read tolerantly (`reading`); what cannot be
read is dropped and counted. A model that samples does not give the same drafts again. Left out: skills, which have to
be proved (`written`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ...experience import Trajectory
from ..items import Draft, Source
from .events import fold
from .lifting import words
from .llm_skills import Complete
from .reading import ParsedLocation, read_lessons, read_spots

SAID: Final = 0.5
"""The confidence of what a model says."""
_WORD: Final = re.compile(r"[^\W_]+")
LESSONS: Final = """An agent was asked: {goal}
{outcome}. It did:
{actions}
Write at most {most} short lessons for the next time, one per line, each beginning with "- ", and nothing else.
"""
SPOTS: Final = """An agent went through a place and saw this:
{seen}
Write where things are usually found in such places, as far as this shows it, at most {most} lines and nothing else,
each of this form: {{"object": "cup", "relation": "in", "place": "cupboard"}}. The relation is "in" or "on".
"""


class LlmReflections:
    """The builder of lessons that a model draws from an episode."""

    def __init__(self, complete: Complete, model: str = "", *, most: int = 3, room: int = 2_400) -> None:
        """Ask a model.

        Args:
            complete: The model.
            model: What it is called; kept with every item.
            most: So many lessons of one episode are kept.
            room: So many characters of the episode the model is shown: the end of it.
        """
        self._complete, self._model, self._most, self._room = complete, model, most, room
        self.dropped = 0
        """So many lines of its answers could not be read, or were too many."""

    def build(self, trajectory: Trajectory) -> Iterator[Draft]:
        """Return a lesson each, that the model drew; nothing for an episode in which nothing was done.

        Raises:
            ModelError: the model does not answer.
        """
        if not trajectory.steps:
            return
        goal = " ".join(trajectory.task.goal.text.split())
        outcome = {True: "It succeeded", False: "It failed", None: "Nobody could tell whether it succeeded"}
        prompt = LESSONS.format(
            goal=goal, outcome=outcome[trajectory.success], actions=_told(trajectory, self._room), most=self._most
        )
        read = read_lessons(self._complete(prompt))
        self.dropped += read.dropped + len(read.found[self._most :])
        for lesson in read.found[: self._most]:
            same = " ".join(_WORD.findall(lesson.lower()))
            yield Draft(
                "episode",
                f"Goal: {goal}. Lesson: {lesson}",
                trajectory.task.env,
                key=f"said by {self._model}: {goal}: {same}",
                task=trajectory.task.goal.text,
                success=trajectory.success,
                data={"lesson": lesson, "by": self._model, "task": trajectory.task.id},
                confidence=SAID,
                source=Source(trajectory.id),
            )


class LlmFacts:
    """The builder of facts that a model tells of the world of an episode."""

    def __init__(self, complete: Complete, model: str = "", *, most: int = 8, room: int = 2_400) -> None:
        """Ask a model; the arguments are those of `LlmReflections`, but that the beginning is shown."""
        self._complete, self._model, self._most, self._room = complete, model, most, room
        self.dropped = 0
        """So many lines of its answers could not be read, or were too many."""

    def build(self, trajectory: Trajectory) -> Iterator[Draft]:
        """Return a fact each, that the model told after it was shown what was seen in an episode.

        Raises:
            ModelError: the model does not answer.
        """
        seen = _seen(trajectory, self._room)
        if not seen:
            return
        read = read_spots(self._complete(SPOTS.format(seen=seen, most=self._most)))
        self.dropped += read.dropped + len(read.found[self._most :])
        happened = fold(trajectory)
        rooms = frozenset[str]() if happened is None else frozenset(happened.names[room] for room in happened.rooms)
        for spot in read.found[: self._most]:
            yield self._draft(trajectory, spot._replace(relation="ROOM") if spot.place in rooms else spot)

    def _draft(self, trajectory: Trajectory, spot: ParsedLocation) -> Draft:
        thing, relation, place = spot
        said = {"ON": "kept on a", "INSIDE": "kept in a", "ROOM": "found in the"}[relation]
        return Draft(
            "fact",
            f"A {words(thing)} is {said} {words(place)}, a model says.",
            trajectory.task.env,
            key=f"said by {self._model}: {thing}|{relation}|{place}",
            task=trajectory.task.goal.text,
            success=trajectory.success,
            data={"object": thing, "relation": relation, "place": place, "when": "kept", "by": self._model},
            confidence=SAID,
            source=Source(trajectory.id),
        )


def _told(trajectory: Trajectory, room: int) -> str:
    """Tell what was done, with what was refused and why: the last steps, as far as there is room."""
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
    """Return what was seen, each text once, the first first, as far as there is room."""
    texts = [*(step.observation.text for step in trajectory.steps), trajectory.final.text]
    shown: list[str] = []
    for text in dict.fromkeys(" ".join(text.split()) for text in texts):
        if sum(map(len, shown)) + len(text) > room:
            break
        shown.append(text)
    return "\n".join(shown) or texts[0][:room]


__all__ = ["LESSONS", "SAID", "SPOTS", "LlmFacts", "LlmReflections"]
