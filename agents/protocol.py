"""What an agent is: something that is shown an observation and a goal, and answers with an action.

There is no base class. Not here: how an agent learns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ..errors import ContractError
from ..experience import Goal, Json, Observation, Tokens


class Finished(Exception):
    """Raised by `Agent.act` when the agent has nothing more to do; the episode then ends as it stands, normally.

    It is a signal, like `StopIteration`, and not a failure: hence no `PatheiError`.
    """

    def __init__(self, reason: str = "", notes: Mapping[str, Json] | None = None) -> None:
        """End the episode.

        Args:
            reason: Why, in words.
            notes: What there is to tell of how it came to that; see `Decision`.
        """
        super().__init__(reason)
        self.notes = dict(notes or {})


@dataclass(frozen=True, slots=True)
class Decision:
    """An action, and how the agent came to it; only the action reaches the environment, the rest is recorded."""

    action: str
    """The action in the world's words."""
    tokens: Tokens | None = None
    """What a language model read and wrote, where its back end gives token ids."""
    notes: Mapping[str, Json] = field(default_factory=dict)
    """Plain JSON: the thought, what was retrieved, how many tokens it took, how often it was misunderstood."""


class Agent(Protocol):
    """Chooses actions. `check_agent` tests what is said here.

    An agent with something to forget between episodes, or with randomness of its own, has a method `reset(seed)`: what
    follows it depends on the seed and on what is perceived, and on no earlier episode. `reset_agent` calls it.
    """

    def act(self, observation: Observation, goal: Goal) -> str | Decision:
        """Choose the next action.

        Args:
            observation: What the agent perceives, without facts (`Observation.seen`). It is not to be changed.
            goal: What is to be achieved, in words only (`Goal.seen`): its conditions are the judge's.

        Returns:
            The action in the world's words: one of `observation.actions` where there are any, else free form. A
            `Decision` holds it together with what there is to record.

        Raises:
            Finished: the agent has nothing more to do.
        """


def decide(agent: Agent, observation: Observation, goal: Goal) -> Decision:
    """Let an agent act, and return its answer as a `Decision`.

    Raises:
        ContractError: the action is not a string.
    """
    chosen = agent.act(observation, goal)
    chosen = chosen if isinstance(chosen, Decision) else Decision(chosen)
    if not isinstance(chosen.action, str):
        raise ContractError(
            f"{type(agent).__name__}.act returned {chosen.action!r}: an action is a string, a number as JSON."
        )
    return chosen


def check_seen(observation: Observation, goal: Goal) -> None:
    """Check what an agent is asked to act on.

    Raises:
        ContractError: these are not an observation and a goal.
    """
    if not isinstance(observation, Observation) or not isinstance(goal, Goal):
        given = f"{type(observation).__name__} and {type(goal).__name__}"
        raise ContractError(
            f"An agent acts on an Observation and a Goal, not on {given}: "
            "pass Observation('what is seen', (), ('an action',)) and Goal('what to do')."
        )


def reset_agent(agent: Agent, seed: int) -> None:
    """Begin an episode for an agent; one without `reset` has nothing to forget."""
    reset = getattr(agent, "reset", None)
    if reset is not None:
        reset(seed)
