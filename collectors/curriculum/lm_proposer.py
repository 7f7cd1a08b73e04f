"""A language model proposes goals, in the manner of Voyager's automatic curriculum (Wang et al. 2023).

The prompt holds what is perceived (with what is held), the goals reached and missed so far, answers that the model gave
to its own questions about the household, and the reasons for which its last proposals were refused. Its answer is
parsed, never executed: the line that begins with `Goal:` must be a goal that the world can check, is possible there,
was not reached before, and did not keep missing. Otherwise the model is asked again with the reason, and after a few
tries a goal is drawn instead.

All that the prompt holds comes from attempts, so it survives a crash with the records; what the model would answer does
not, as it may answer otherwise each time. Not here: retrieval of answers by similarity, and a critic: the world checks.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from ...envs.goal_space import GoalCandidate, GoalSpace
from ...errors import GoalError
from ...experience import Json
from .proposers import GoalAttempt, GoalProposal, Misses, Situation, draw

_ANSWER_MAX: Final = 20_000
"""More characters of an answer are not looked at."""
_GOAL_MAX: Final = 1_000
"""A longer goal is refused, so that nothing nested too deep is ever read."""
_FADED: Final = 0.2
"""A goal with a smaller weight (`Misses`) is refused: one that was missed three times in a row, for example."""
_KEPT: Final = 400
"""The number of characters of a reasoning, a question or an answer that are kept."""
_GOAL: Final = re.compile(r"^[\s*_#>-]*(?:goal|task)[\s*_]*:[\s*_]*(.*)", re.IGNORECASE | re.MULTILINE)
_QUESTION: Final = re.compile(
    r"^[\s*_\d.>-]*(?:question\s*\d*[\s*_]*:)?\s*([^\n?]{8,}\?)\s*$", re.IGNORECASE | re.MULTILINE
)

_TASK: Final = """\
You help someone who lives in a simulated world to learn as many different things as possible.
Propose the next goal: new, useful, and a little harder than what was reached so far, but not too hard.

What is perceived now:
{observation}

Goals reached so far:
{reached}

Goals missed so far, and how often:
{missed}

What is known about this world:
{answers}
{refused}
A goal is stated in these forms only, so that it can be checked:
{grammar}

Give one line that begins with "Reasoning:" and then one line that begins with "Goal:". At most {largest} clauses."""

_REFUSED: Final = """
These proposals were refused; do not repeat them:
{lines}
"""

_ASK: Final = """\
You help someone who lives in a simulated world to learn as many different things as possible.
What is perceived now:
{observation}

Goals reached so far:
{reached}

Ask up to {count} questions whose answers would help to choose the next goal, one per line, each beginning with
"Question:" and ending with a question mark."""

_REPLY: Final = """\
Answer a question about such a world in one or two sentences. If you do not know, say so.

What is perceived now:
{observation}

Question: {question}"""


class _Refused(NamedTuple):
    goal: str
    why: str


class LanguageModel:
    """The proposer; see the head of this file."""

    def __init__(
        self,
        complete: Callable[[str], str],
        *,
        tries: int = 3,
        largest: int = 3,
        questions: int = 3,
        ask_every: int = 10,
        shown: int = 20,
    ) -> None:
        """Begin with nothing known.

        Args:
            complete: The model, a function from a prompt to its answer; see `agents.lm.completion`.
            tries: So often it is asked for one goal, before one is drawn.
            largest: Goals of more conditions are refused.
            questions: How many questions it may ask about the household; 0 for none.
            ask_every: It asks before every so manieth attempt.
            shown: How many goals reached, and how many missed, are shown, the last ones.
        """
        self._complete = complete
        self._tries = tries
        self._largest = largest
        self._questions = questions
        self._ask_every = max(1, ask_every)
        self._shown = shown
        self._attempts = 0
        self._reached: dict[str, str] = {}
        self._missed: dict[str, GoalCandidate] = {}
        self._misses = Misses()
        self._answers: dict[str, str] = {}
        self._refused: deque[_Refused] = deque(maxlen=5)

    def propose(self, situation: Situation, rng: np.random.Generator) -> GoalProposal:
        """Ask the model for a goal, or draw one if it gave none that can be used.

        Raises:
            ModelError: the model cannot be reached.
        """
        answers = self._ask(situation)
        known = {**self._answers, **answers}
        refused: list[_Refused] = []
        why: dict[str, Json] = {"answers": [list(pair) for pair in answers.items()]}
        for _ in range(self._tries):
            reply = self._complete(self.prompt(situation, known, [*self._refused, *refused]))[:_ANSWER_MAX]
            try:
                stated = read_goal(reply)
            except GoalError as error:
                refused.append(_Refused("", str(error)))
                continue
            try:
                aim = self._checked(stated, situation.space)
            except GoalError as error:
                refused.append(_Refused(stated[:_KEPT], str(error)))
                continue
            why |= {"by": "language model", "reasoning": _GOAL.sub("", reply).strip()[:_KEPT]}
            break
        else:
            aim = draw(situation.space, 1, rng, by_kind=True)
            why["by"] = "chance"
        return GoalProposal(aim, {**why, "refused": [list(one) for one in refused]})

    def update(self, attempt: GoalAttempt) -> None:
        """Note what was reached and missed, and what the proposal had found out."""
        self._attempts += 1
        self._misses.add(attempt)
        template, text = attempt.aim.template, attempt.aim.goal.text
        if attempt.success:
            self._reached.setdefault(template, text)
            self._missed.pop(template, None)
        elif template not in self._reached:
            self._missed.pop(template, None)  # to the end, as the latest
            self._missed[template] = attempt.aim
        self._answers.update((str(question), str(answer)) for question, answer in attempt.why.get("answers", ()))
        self._refused.extend(_Refused(str(goal), str(why)) for goal, why in attempt.why.get("refused", ()))

    def prompt(self, situation: Situation, answers: Mapping[str, str], refused: Sequence[tuple[str, str]]) -> str:
        """Return the prompt for one goal.

        Args:
            situation: What is perceived, and the goals there are.
            answers: Questions and what was answered to them.
            refused: Proposals that were refused, each with the reason.
        """
        missed = [f"{aim.goal.text} ({self._misses.count(aim)})" for aim in self._missed.values()]
        lines = _lines([f"{goal or '(none)'}: {why}" for goal, why in refused])
        return _TASK.format(
            observation=situation.observation.text,
            reached=_lines(list(self._reached.values())[-self._shown :]),
            missed=_lines(missed[-self._shown :]),
            answers=_lines([f"{question} {answer}" for question, answer in list(answers.items())[-self._shown :]]),
            refused=_REFUSED.format(lines=lines) if refused else "",
            grammar=situation.space.grammar(),
            largest=self._largest,
        )

    def _checked(self, stated: str, space: GoalSpace) -> GoalCandidate:
        if len(stated) > _GOAL_MAX:
            raise GoalError(f"It has {len(stated)} characters, and at most {_GOAL_MAX} are read.")
        aim = space.read(stated)
        if aim.size > self._largest:
            raise GoalError(f"It has {aim.size} conditions, and at most {self._largest} are allowed.")
        if aim.template in self._reached:
            raise GoalError("It was reached before.")
        if self._misses.weight(aim) < _FADED:
            raise GoalError(f"It was missed {self._misses.count(aim)} times: leave it for now.")
        return aim

    def _ask(self, situation: Situation) -> dict[str, str]:
        """Let the model ask and answer; return what is new."""
        if not self._questions or self._attempts % self._ask_every:
            return {}
        observation = situation.observation.text
        reached = _lines(list(self._reached.values())[-self._shown :])
        asked = self._complete(_ASK.format(observation=observation, reached=reached, count=self._questions))
        found: dict[str, str] = {}
        for question in read_questions(asked[:_ANSWER_MAX])[: self._questions]:
            if question not in self._answers:
                reply = self._complete(_REPLY.format(observation=observation, question=question))
                found[question] = " ".join(reply.split())[:_KEPT]
        return found


def read_goal(reply: str) -> str:
    """Return the goal that an answer states: what follows the last `Goal:`, as a sentence or as JSON.

    Raises:
        GoalError: it states none.
    """
    found = list(_GOAL.finditer(reply))
    if not found:
        raise GoalError("The answer has no line that begins with 'Goal:'.")
    last = found[-1]
    stated = last[1].strip().strip("*_`\"'“” ")
    rest = reply[last.start(1) :].lstrip("*_` \n")
    rest = rest.removeprefix("json").lstrip()
    if rest.startswith(("{", "[")):
        return _json_at(rest)
    if not stated:
        raise GoalError("Nothing stands after 'Goal:'.")
    return stated


def _json_at(text: str) -> str:
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise GoalError(f"The goal begins like JSON and is none ({error}).") from error
    return text[:end]


def read_questions(reply: str) -> list[str]:
    """Return the questions that an answer asks, one per line, without repetition."""
    return list(dict.fromkeys(" ".join(match[1].split())[:_KEPT] for match in _QUESTION.finditer(reply)))


def _lines(items: Sequence[str]) -> str:
    return "\n".join(f"- {item}" for item in items) if items else "(none)"
