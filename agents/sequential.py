"""Several agents in one episode, one after another: each acts until it has finished, and the next goes on from there.

So a memory can come first and a model second, or the other way round. Not here: choosing between
them, and going back to an earlier one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import AnswerError, ConfigError, ModelError
from ..experience import Goal, Json, Observation
from .lm.backends import Usage
from .protocol import Agent, Decision, Finished, decide, reset_agent


class SequentialAgent:
    """The agents, the first of which acts until it raises `Finished`, then the second, and so on."""

    def __init__(self, agents: Sequence[Agent]) -> None:
        """Let agents act in this order.

        Raises:
            ConfigError: there is none.
        """
        if not agents:
            raise ConfigError("Agents that act in turn need at least one agent.")
        self._agents = tuple(agents)
        self._turn, self._spent = 0, Usage(requests=0)

    def reset(self, seed: int) -> None:
        """Begin an episode, with the first agent."""
        self._turn, self._spent = 0, Usage(requests=0)
        for agent in self._agents:
            reset_agent(agent, seed)

    def act(self, observation: Observation, goal: Goal) -> Decision:
        """Let the agent act whose turn it is; the notes have its place in the order (`turn`, from 0).

        Raises:
            Finished: the last one has finished.
            ModelError: a language model does not answer.
        """
        while True:
            try:
                chosen = decide(self._agents[self._turn], observation, goal)
            except Finished as ended:
                notes = self._counted(ended.notes)
                if self._turn == len(self._agents) - 1:
                    raise Finished(str(ended), notes) from None
                self._spent = _usage(notes)
                self._turn += 1
            except ModelError as error:
                notes = self._counted(error.notes if isinstance(error, AnswerError) else {})
                raise AnswerError(str(error), notes) from error
            else:
                return dataclasses.replace(chosen, notes={**self._counted(chosen.notes), "turn": self._turn})

    def _counted(self, notes: Mapping[str, Json]) -> dict[str, Json]:
        """Return notes with what it took the agents before to come to their end, which is counted once."""
        spent, self._spent = self._spent, Usage(requests=0)
        return {**notes, "usage": (spent + _usage(notes)).json()} if spent.requests else dict(notes)


def _usage(notes: Mapping[str, Json]) -> Usage:
    usage: Any = notes.get("usage")
    return Usage(**usage) if isinstance(usage, Mapping) else Usage(requests=0)
