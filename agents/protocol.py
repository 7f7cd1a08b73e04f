"""What an agent is: something that is shown an observation and a goal, and answers with an action.

There is no base class. Not here: how an agent learns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from ..experience import Goal, Json, Observation, Tokens


class Finished(Exception):
    """Raised by `Agent.act` when the agent has nothing more to do; the episode then ends as it stands, normally.

    It is a signal, like `StopIteration`, and not a failure: hence no `PatheiError`.
    """

    def __init__(self, reason: str = "", notes: Mapping[str, Json] | None = None) -> None:
        """End the episode.

        Args:
            reason: Why, in words.
            notes: What there is to tell of how it came to that; see `ActionRecord`.
        """
        super().__init__(reason)
        self.notes = dict(notes or {})


class Agent(Protocol):
    """Chooses actions. `check_agent` tests what is said here."""

    def act(self, observation: Observation, goal: Goal) -> str:
        """Choose the next action.

        Args:
            observation: What the agent perceives, without facts (`Observation.seen`). It is not to be changed.
            goal: What is to be achieved.

        Returns:
            The action in the world's words: one of `observation.actions` where there are any, else free form.

        Raises:
            Finished: the agent has nothing more to do.
        """
        ...


@runtime_checkable
class Resettable(Protocol):
    """An agent with something to forget between episodes, or with randomness of its own."""

    def reset(self, seed: int) -> None:
        """Begin an episode: what follows depends on the seed and on what is perceived, and on no earlier episode."""
        ...


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """How an agent came to its last action, for the record; the environment never sees it."""

    tokens: Tokens | None = None
    """What a language model read and wrote, where its back end gives token ids."""
    notes: Mapping[str, Json] = field(default_factory=dict)
    """Plain JSON: the thought, what was retrieved, how many tokens it took, how often it was misunderstood."""


@runtime_checkable
class RecordingAgent(Protocol):
    """An agent that reports how it came to its actions."""

    def told(self) -> ActionRecord:
        """Return what there is to tell of the last action; called once after each `act` that returned."""
        ...


def reset_agent(agent: Agent, seed: int) -> None:
    """Begin an episode for an agent, whether or not it is `Resettable`."""
    if isinstance(agent, Resettable):
        agent.reset(seed)
