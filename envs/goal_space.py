"""What can be asked for in an environment: the form in which it offers goals of its own to a curriculum.

An environment knows best which goals it can check and which its rules can reach. It lists them one condition at a time
(`aims`), joins conditions into harder goals (`join`), and reads goals that somebody else wrote (`read`). Each condition
comes with features that other households share, from the general (`"_ INSIDE _"`) to the particular
(`"cup INSIDE dishwasher"`), so that what is learned about one goal says something about the next. Not here: choosing
among them, which is the proposers' part (`pathei.collectors.curriculum.proposers`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import gymnasium

from ..errors import ConfigError, GoalError
from ..experience import Goal


class GoalCondition(NamedTuple):
    """One condition of a goal, without ids."""

    features: tuple[str, ...]
    """From general to particular, at least one; the last says all of the condition: `"cup INSIDE dishwasher"`."""
    things: tuple[str, ...] = ()
    """The kinds of things that the condition names, in order: `("cup", "dishwasher")`."""

    @property
    def kind(self) -> str:
        """The most general feature."""
        return self.features[0]

    @property
    def name(self) -> str:
        """The most particular feature."""
        return self.features[-1]

    @property
    def subject(self) -> str:
        """The kind of thing that it is about; `"you"` where it says where one is, how, or what one faces."""
        yours = self.name.startswith("you ") and "HOLDS" not in self.kind
        return "you" if yours or not self.things else self.things[0]


def are_apart(parts: Sequence[GoalCondition]) -> bool:
    """Return whether conditions are about different things, none of which is to be in what is to be in it."""
    placed = {part.things[0]: part.things[1] for part in parts if len(part.things) == 2}
    around = any(placed.get(there) == thing for thing, there in placed.items())
    return len({part.subject for part in parts}) == len(parts) and not around


@dataclass(frozen=True, slots=True)
class GoalCandidate:
    """A goal that can be checked, with what it has in common with others."""

    goal: Goal
    parts: tuple[GoalCondition, ...]
    """One for each condition of the goal, in order."""

    @property
    def size(self) -> int:
        """How many conditions it has."""
        return len(self.parts)

    @property
    def template(self) -> str:
        """The goal without ids and without order, the same in every household."""
        return " & ".join(sorted(part.name for part in self.parts))


class GoalSpace(Protocol):
    """The goals of one household (or page, or level) as it stands now."""

    def aims(self) -> Sequence[GoalCandidate]:
        """Return every goal of one condition that the rules can bring about and that does not hold now.

        That each of them can be reached from here is likely, and not promised. The order is fixed.
        """

    def kinds(self) -> Mapping[str, Sequence[GoalCandidate]]:
        """Return the same goals by the kind of their condition (`GoalCondition.kind`); order and kinds are fixed."""

    def named(self, name: str) -> GoalCandidate | None:
        """Return the goal whose condition has this name (`GoalCondition.name`), or None."""

    # A space may also have `work(aim) -> float | None`: how many actions a goal takes from here, roughly.

    def join(self, aims: Sequence[GoalCandidate]) -> GoalCandidate | None:
        """Return the goal of reaching several aims together, or None if they contradict each other."""

    def read(self, text: str) -> GoalCandidate:
        """Return the goal that a text states, in the forms that `grammar` describes; it is parsed and never executed.

        Raises:
            GoalError: it cannot be read, cannot be checked here, contradicts itself, holds already, or nothing can
                bring it about.
        """

    def grammar(self) -> str:
        """Describe the forms that `read` understands, for the writer of a text."""


class GoalSpaceProvider(Protocol):
    """The goals of one kind of environment."""

    def present(self, env: gymnasium.Env[Any, Any]) -> GoalSpace:
        """Return the goals of an environment that was reset, as it stands now."""

    def aim(self, goal: Goal) -> GoalCandidate:
        """Return a recorded goal as an aim; needs no environment, so that records can be learned from again.

        Raises:
            GoalError: the goal has no conditions, or malformed ones.
        """


def goal_in_words(env: gymnasium.Env[Any, Any], env_id: str, text: str) -> Goal:
    """Read a goal in words as it can be checked: by the environment's own reader, or as one of the goals it offers.

    Args:
        env: The environment, reset to where the goal is to be reached.
        env_id: Its gymnasium id.
        text: What is asked for.

    Raises:
        GoalError: it cannot be read, or the environment reads none.
    """
    from .registry import get_goal_space, get_verbalizer

    goal = get_verbalizer(env_id).read_instruction(env, text)
    if goal is not None:
        return goal
    try:
        space = get_goal_space(env_id)
    except ConfigError as error:
        raise GoalError(f"{env_id} cannot say what {text!r} asks for. {error}") from None
    return space.present(env).read(text).goal
