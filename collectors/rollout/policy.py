"""What plays an episode: the `Policy` protocol, and the policy that lets any agent act.

A policy drives a `Recorder`, so that everything it does is recorded as it happened. What it does beforehand in a model
of the environment is counted. Not here: the loop over tasks (`rollout`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import gymnasium
import numpy as np

from ...agents import Agent, ScriptedAgent
from ...agents.lm.agent import LmAgent
from ...agents.lm.backends import Answer, Backend, Request
from ...agents.protocol import Decision, Finished, decide, reset_agent
from ...envs.registry import get_demonstration
from ...experience import Goal, Json, Observation, Task, Trajectory
from ..protocol import episode_seed, trajectory_id
from .episode import PutImage, Recorder

HELD = "the goal holds already"
"""Why an episode without steps ended, in its provenance."""

Rng = int | np.random.Generator
"""A seed, or a generator, which is consumed: what `numpy.random.default_rng` takes."""


class PolicyReport(NamedTuple):
    """What a policy reports of an episode, besides the recorded steps."""

    provenance: Mapping[str, Json] = {}
    """How the episode came about, plain JSON."""
    env_steps: int = 0
    """Transitions of the environment in addition to the recorded steps: those of a search."""
    branches: Callable[[Trajectory], Sequence[Trajectory]] | None = None
    """Records the branches of the episode's trajectory, parents first; None if there are none."""


class Policy(Protocol):
    """Plays episodes, and may learn from them. `check_policy` tests this contract.

    What a policy knows is a function of the trajectories it has learned from, in their order.
    """

    def play(self, recorder: Recorder, rng: Rng) -> PolicyReport:
        """Reset an episode and play it, to its end or until nothing more can be done.

        Args:
            recorder: The episode, not reset yet; its task holds the goal.
            rng: Determines everything random.
        """

    def learn(self, trajectory: Trajectory) -> None:
        """Learn from an episode that is over, whichever policy played it; `Curriculum` calls it, `Rollout` does not."""


class ModelCall(NamedTuple):
    """A request to a language model, on which an episode waits."""

    backend: Backend
    request: Request


Turns = Generator[ModelCall, Answer, PolicyReport]
"""An episode in progress: yields what a language model is to be asked, is sent the answer, returns the report."""


class AgentPolicy:
    """Lets an agent act; it learns nothing."""

    def __init__(self, agent_for: Callable[[Task], Agent]) -> None:
        """Create the policy.

        Args:
            agent_for: Returns the agent for a task: always the same one, or one for each task. Where episodes are
                played in batches, each needs an agent of its own.
        """
        self._agent_for = agent_for

    def play(self, recorder: Recorder, rng: Rng) -> PolicyReport:
        """Play until the episode is over or the agent has finished; a goal that holds already needs no step."""
        try:
            next(self.turns(recorder, rng, waits=False))
        except StopIteration as done:
            report: PolicyReport = done.value
            return report
        raise AssertionError("an episode that does not wait is played to its end")

    def turns(self, recorder: Recorder, rng: Rng, *, waits: bool = True) -> Turns:
        """Play as `play` does, but let the requests of many episodes to a language model be answered together.

        Args:
            recorder: The episode, not reset yet.
            rng: Determines everything random.
            waits: Whether a language model's requests are yielded; any other agent acts at once.
        """
        agent = self._agent_for(recorder.task)
        recorder.reset()
        reset_agent(agent, rng if isinstance(rng, int) else int(rng.integers(2**63)))
        ended = Finished(HELD) if recorder.held else None
        while not recorder.over and not recorder.held:
            seen, goal = recorder.observation.seen(), recorder.task.goal.seen()
            try:
                if waits and isinstance(agent, LmAgent):
                    chosen = yield from _asked(agent, seen, goal)
                else:
                    chosen = decide(agent, seen, goal)
            except Finished as signal:
                ended = signal
                break
            recorder.step(chosen.action, chosen)
        return PolicyReport(provenance_of(agent, ended))

    def learn(self, trajectory: Trajectory) -> None:
        """Do nothing."""


def _asked(agent: LmAgent, observation: Observation, goal: Goal) -> Generator[ModelCall, Answer, Decision]:
    turn = agent.turn(observation, goal)
    try:
        request = next(turn)
        while True:
            request = turn.send((yield ModelCall(agent.backend, request)))
    except StopIteration as done:
        chosen: Decision = done.value
        return chosen


def provenance_of(agent: Agent, ended: Finished | None) -> dict[str, Json]:
    """Return how an episode came about, for its record.

    Args:
        agent: The agent that played.
        ended: The signal with which the agent ended the episode, if it did.
    """
    origin: dict[str, Json] = {"agent": type(agent).__name__, "finished": ended is not None}
    if ended is not None and str(ended):
        origin["ended"] = str(ended)
    if ended is not None and ended.notes:
        origin["ending"] = ended.notes
    return origin


def play(
    env: gymnasium.Env[Any, Any],
    task: Task,
    agent: Agent,
    *,
    max_steps: int,
    seed: int = 0,
    collector: str = "agent",
    put_image: PutImage | None = None,
    watch: Callable[[Recorder], None] | None = None,
) -> Trajectory:
    """Let an agent play one task in an environment to its end: terminated, truncated, or finished by the agent.

    The provenance of the result holds the agent's class, the seed, whether the agent ended the episode (`finished`),
    and, if the agent gave them, the reason (`ended`) and its notes (`ending`).

    Args:
        env: The environment that the task names; it stays open.
        task: The task.
        agent: The agent; it is reset with its seed for this episode, and shown no facts.
        max_steps: The longest episode.
        seed: The collector's seed; see `episode_seed`.
        collector: What to record as the collector.
        put_image: Stores an image and returns its SHA-256.
        watch: Called after the reset and after every step.

    Raises:
        Exception: whatever the environment or the agent raises; a `Rollout` makes a `Failure` of it.
    """
    recorder = Recorder(env, task, max_steps=max_steps, put_image=put_image, watch=watch)
    report = AgentPolicy(lambda _: agent).play(recorder, episode_seed(seed, task))
    return recorder.trajectory(trajectory_id(task, collector, seed), collector, {**report.provenance, "seed": seed})


def demonstrator(task: Task) -> Agent:
    """Return an agent that does what reaches a task's goal, as the environment knows it."""
    return ScriptedAgent(get_demonstration(task))
