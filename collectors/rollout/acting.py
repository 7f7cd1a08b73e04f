"""Agents play tasks: the collector for demonstrations, for language models, for whatever acts.

Left out: what the agent is. It is made in the process that plays, once for all its tasks or anew for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ...agents import Agent, ScriptedAgent
from ...envs.registry import get_demonstration
from ...errors import ConfigError
from ...experience import Failure, Record, Task
from .episode import Envs, PutImage, one_line, play_or_fail


class AgentCollector:
    """The collector that lets an agent act. An episode depends on the task, the seed and the agent alone."""

    def __init__(
        self,
        agent_for: Callable[[Task], Agent],
        *,
        name: str = "agent",
        max_steps: int = 100,
        seed: int = 0,
        put_image: PutImage | None = None,
    ) -> None:
        """Create the collector.

        Args:
            agent_for: Returns the agent for a task: always the same one, or one of its own.
            name: What trajectories name as their collector.
            max_steps: After so many steps an episode is cut off.
            seed: Mixed with each task's own seed.
            put_image: Stores an image and returns its SHA-256; needed where observations hold images.

        Raises:
            ConfigError: `max_steps` is less than 1.
        """
        if max_steps < 1:
            raise ConfigError(f"An episode needs at least one step; max_steps is {max_steps}.")
        self._agent_for = agent_for
        self._name = name
        self._max_steps = max_steps
        self._seed = seed
        self._put_image = put_image
        self._envs = Envs()

    def collect(self, tasks: Iterable[Task]) -> Iterator[Record]:
        """Play one episode of each task."""
        for task in tasks:
            yield self._play(task)

    def close(self) -> None:
        """Close the environments."""
        self._envs.close()

    def _play(self, task: Task) -> Record:
        try:
            env, agent = self._envs.get(task), self._agent_for(task)
        except Exception as error:  # noqa: BLE001  # a world or an agent may raise anything while it is made, and it is kept
            return Failure(task, "make", one_line(error))
        played = play_or_fail(
            env,
            task,
            agent,
            max_steps=self._max_steps,
            seed=self._seed,
            collector=self._name,
            put_image=self._put_image,
        )
        if isinstance(played, Failure):
            self._envs.drop(task)
        return played


def demonstrator(task: Task) -> Agent:
    """Return an agent that does what reaches a task's goal, as the world knows it."""
    return ScriptedAgent(get_demonstration(task))


__all__ = ["AgentCollector", "demonstrator"]
