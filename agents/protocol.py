"""What an agent is: something that is shown an observation and a goal, and answers with an action.

There is no base class. Left out: how an agent learns, and how its tokens are recorded.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ..experience import Goal, Observation


class Finished(Exception):
    """Raised by `Agent.act` when the agent has nothing more to do; the episode then ends as it stands, normally.

    It is a signal, like `StopIteration`, and not a failure: hence no `PatheiError`.
    """


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


def reset_agent(agent: Agent, seed: int) -> None:
    """Begin an episode for an agent, whether or not it is `Resettable`."""
    if isinstance(agent, Resettable):
        agent.reset(seed)
