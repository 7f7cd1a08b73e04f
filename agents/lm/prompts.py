"""Prompt templates: one set per style, and the fitting of a history into a budget of tokens.

A custom style is a TOML file with the fields of `Prompts`. `experience`, the default for choosing, has exactly the form
of the prompt-completion and chat exports, so a model trained on those sees its training format. No style is specific to
an environment: the list of actions and the history show what an action looks like.
"""

from __future__ import annotations

import dataclasses
import string
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from ...errors import ConfigError, ModelError, unknown
from ...experience import Goal, Observation
from .backends import Conversation, Message
from .reading import TOOL

_SHORT: Final = 80
"""Characters kept of an earlier observation that is shortened."""


@dataclass(frozen=True, slots=True)
class Prompts:
    """The templates of one style; fields in braces are filled in."""

    system: str = ""
    """The system message; none if empty."""
    example: str = ""
    """A worked example, which ends the system message; none if empty."""
    first: str = "Goal: {goal}\n\n{observation}"
    """The user's first message."""
    later: str = "{observation}"
    """Every later one."""
    actions: str = "\n\nYou can:\n{actions}"
    """Added to the last message where actions are listed."""
    left_out: str = "\n\n({steps} earlier steps are left out.)"
    """Added to the goal where the history did not fit."""
    refused: str = "That cannot be done: {reason}"
    """The user's answer to an answer that cannot be used."""
    cue: str = "Action:"
    """What begins the assistant's turn in plain text, for a model without a chat template."""
    stop: tuple[str, ...] = ("\n",)
    """An answer ends before the first of these."""
    thought: bool = False
    """Whether the model thinks aloud before it acts; its answer then has a line that begins with `Action:`."""

    def __post_init__(self) -> None:
        """Check the templates.

        Raises:
            ConfigError: one has a field that is not filled in, or lacks the one that it is for; all are named.
        """
        fields = {
            "first": {"goal", "observation"},
            "later": {"observation"},
            "actions": {"actions"},
            "left_out": {"steps"},
            "refused": {"reason"},
        }
        problems = []
        for name, wanted in fields.items():
            try:
                found = {field for _, field, *_ in string.Formatter().parse(getattr(self, name)) if field is not None}
            except ValueError as error:
                problems.append(f"`{name}`: {error}")
                continue
            if found != wanted:
                problems.append(f"`{name}` must have the fields {sorted(wanted)}, and has {sorted(found)}")
        if problems:
            raise ConfigError(f"Invalid prompts: {'; '.join(problems)}.")


_RULES: Final = "You act in a simulated world, one action at a time, to reach a goal."

_EXAMPLE: Final = (
    "An example from another world. The goal is: the letter is in the box. You perceive: You are in the hall. A box is "
    "here, closed. You hold a letter. You can: open box, close door, put letter in box, go north."
)
_STYLED: Final = (
    f"{_RULES} You are told what you perceive and what you can do. An action that changed nothing is of no use twice."
)
_EXACTLY: Final = "exactly as it is written in the list if there is one"

STYLES: Final[dict[str, Prompts]] = {
    "experience": Prompts(),
    "act": Prompts(
        system=f"{_STYLED} Answer with one action, {_EXACTLY}, and nothing else.",
        example=f"{_EXAMPLE} Your answer:\nopen box",
    ),
    "react": Prompts(
        system=f"{_STYLED} Answer in two lines: one that begins with `Thought:`, in which you think about what to do "
        f"next, and one that begins with `Action:` and holds one action, {_EXACTLY}.",
        example=f"{_EXAMPLE} Your answer:\nThought: The box is closed, so I open it before I put the letter in.\n"
        "Action: open box",
        cue="",
        stop=("\n\n", "\nObservation:"),
        thought=True,
    ),
    "call": Prompts(
        system=f"{_STYLED} Call the tool `{TOOL}` with one action, {_EXACTLY}.",
        example=f'{_EXAMPLE} You call {TOOL} with {{"action": "open box"}}.',
        cue="",
        stop=(),
    ),
}
"""The styles that come with pathei; `react` after Yao et al. 2023."""


def get_prompts(name: str | Path) -> Prompts:
    """Return a style by its name, or read one from a TOML file; what the file does not say is as in `Prompts`.

    Raises:
        UnknownNameError: there is no such style.
        ConfigError: the file cannot be read, or has a field that there is not; see `Prompts`.
    """
    path = Path(name)
    if path.suffix != ".toml":
        if str(name) not in STYLES:
            raise unknown("style of prompts", str(name), [*STYLES, "FILE.toml"])
        return STYLES[str(name)]
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"The prompts in {path} cannot be read: {error}.") from error
    known = {field.name: type(field.default) for field in dataclasses.fields(Prompts)}
    if isinstance(given.get("stop"), list):
        given["stop"] = tuple(map(str, given["stop"]))
    wrong = [key for key, value in given.items() if not isinstance(value, known.get(key, ()))]
    if wrong:
        raise ConfigError(f"The prompts in {path} have no field {wrong[0]!r} of this type; there are {sorted(known)}.")
    return Prompts(**given)


class Turn(NamedTuple):
    """One step of an episode that is over: what was observed, and what the model said."""

    observation: str
    said: str


class PromptContext(NamedTuple):
    """What a prompt is made of."""

    goal: Goal
    history: Sequence[Turn]
    """The earlier steps, oldest first."""
    observation: Observation
    listed: bool
    """Whether to list the admissible actions."""
    images: bool = False
    """Whether to show the images of the last observation."""
    retold: tuple[Message, ...] = ()
    """What was said since, about answers that could not be used."""


class Fitted(NamedTuple):
    """A prompt that fits, and what that took."""

    conversation: Conversation
    shortened: int
    """Earlier observations that were shortened."""
    dropped: int
    """Earlier steps that were left out."""
    cut: int
    """Characters that the last observation lost; more than 0 only where that was allowed."""


def conversation(
    prompts: Prompts, scene: PromptContext, *, shortened: int = 0, dropped: int = 0, kept: int | None = None
) -> Conversation:
    """Write a scene by a style.

    Args:
        prompts: The style.
        scene: What is to be said.
        shortened: The number of oldest observations that are shortened.
        dropped: The number of oldest steps that are left out.
        kept: The number of characters kept of the last observation; None for all.
    """
    turns = [
        Turn(shorten(turn.observation), turn.said) if place < shortened else turn
        for place, turn in enumerate(scene.history)
    ][dropped:]
    goal = scene.goal.text + (prompts.left_out.format(steps=dropped) if dropped else "")
    now = scene.observation
    last = now.text if kept is None else now.text[:kept]
    texts = [turn.observation for turn in turns] + [last]
    users = [
        prompts.later.format(observation=text) if place else prompts.first.format(goal=goal, observation=text)
        for place, text in enumerate(texts)
    ]
    if scene.listed and now.actions:
        users[-1] += prompts.actions.format(actions="\n".join(now.actions))
    system = "\n\n".join(filter(None, (prompts.system, prompts.example)))
    messages = [Message("system", system)] if system else []
    for user, turn in zip(users, turns, strict=False):
        messages += [Message("user", user), Message("assistant", turn.said)]
    messages.append(Message("user", users[-1], now.images if scene.images else ()))
    return Conversation((*messages, *scene.retold), prompts.cue)


def shorten(text: str) -> str:
    """Return the first line of an old observation, or its beginning, and three dots if there was more."""
    line = text.split("\n", 1)[0][:_SHORT]
    return text if len(line) >= len(text) else f"{line} ..."


def fit(
    prompts: Prompts,
    scene: PromptContext,
    budget: int | None,
    count: Callable[[Conversation], int],
    *,
    cut: bool = False,
) -> Fitted:
    """Write a scene so that it fits a budget of tokens.

    The oldest observations are shortened first, then the oldest steps are left out. The goal, the last observation and
    its list of actions stay whole.

    Args:
        prompts: The style.
        scene: What is to be said.
        budget: The maximum number of tokens; None for no limit.
        count: Counts the tokens of a conversation.
        cut: Whether the last observation is truncated if everything else has been removed.

    Raises:
        ModelError: the goal and the last observation alone do not fit.
    """
    past = len(scene.history)

    def at(level: int) -> Conversation:
        return conversation(prompts, scene, shortened=min(level, past), dropped=max(0, level - past))

    whole = at(0)
    if budget is None or count(whole) <= budget:
        return Fitted(whole, 0, 0, 0)
    level = _first(1, 2 * past, lambda level: count(at(level)) <= budget)
    if level is not None:
        return Fitted(at(level), min(level, past) - max(0, level - past), max(0, level - past), 0)
    length = len(scene.observation.text)

    def lost(characters: int) -> Conversation:
        return conversation(prompts, scene, shortened=past, dropped=past, kept=length - characters)

    fewest = _first(1, length, lambda characters: count(lost(characters)) <= budget) if cut else None
    if fewest is not None:
        return Fitted(lost(fewest), 0, past, fewest)
    needed = count(at(2 * past))
    raise ModelError(
        f"The goal and the last observation take {needed} tokens and the prompt may have {budget}: use a model with a "
        "longer context, show fewer earlier steps (--lm.history 0), or let the observation lose its end (--lm.cut)."
    )


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int | None:
    """Return the least number from `low` to `high` for which something holds that holds for all greater ones too."""
    if low > high or not holds(high):
        return None
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
