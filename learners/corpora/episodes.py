"""An episode as corpora need it: its facts, the actions that were done, its goal, and the words of its environment.

Not here: the facts themselves (`pathei.envs.facts`), and questions about them.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final, NamedTuple

from ...envs.facts import Action, Condition, EpisodeFacts, FactGraph, parse_conditions, selectors_of
from ...envs.registry import get_verbalizer
from ...envs.verbalizer import Verbalizer
from ...errors import GoalError
from ...experience import Trajectory
from .words import Words

NOTHING: Final = FactGraph({"nodes": [], "edges": [], "rooms": [], "characters": []})
"""The graph of an environment that offers none; not to be changed."""


class EpisodeEvent(NamedTuple):
    """An action that was done; a refused one is not an event."""

    step: int
    """It leads from moment `step` to moment `step + 1`."""
    actor: int
    action: Action
    moved: frozenset[int]
    """The nodes whose location it changed."""


class CorpusEpisode(EpisodeFacts):
    """What corpora need of one trajectory; `events` leaves out what was refused."""

    def __init__(self, trajectory: Trajectory, start: FactGraph, verbalizer: Verbalizer) -> None:
        """Read an episode; `read_episode` is the usual way."""
        super().__init__(trajectory, start, verbalizer)
        self.trajectory = trajectory
        """The episode as it was stored, whole."""
        self.verbalizer = verbalizer
        self.first = trajectory.steps[0].observation.text
        """What was seen first."""
        self.words = Words(verbalizer)
        self.activity = verbalizer.activity(self.task)
        self.scene = verbalizer.scene(self.task)

    @property
    def has_graph(self) -> bool:
        """Whether its environment offers a graph of facts."""
        return self.start is not NOTHING

    @property
    def last(self) -> int:
        """The last moment: the number of steps, refused ones included."""
        return len(self.steps)

    @cached_property
    def actions(self) -> tuple[str, ...]:
        """The actions as they were sent, without those that were refused."""
        return tuple(step.text for step in self.steps if not step.error)

    @cached_property
    def done(self) -> tuple[EpisodeEvent, ...]:
        """The actions that were done."""
        return tuple(
            EpisodeEvent(step.number, step.actor, step.action, self.moved_by(step))
            for step in self.steps
            if not step.error and step.action is not None
        )

    @cached_property
    def characters(self) -> frozenset[str]:
        """The kinds of those who act."""
        return frozenset(self.start.kinds[node] for node in self.start.characters)

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions of the goal; none where they are of another form."""
        try:
            return tuple(one.condition for one in parse_conditions(self.task.goal.conditions))
        except GoalError:
            return ()

    @cached_property
    def named(self) -> frozenset[int]:
        """The nodes that the goal names, rooms and characters left out."""
        selectors = [selector for one in self.conditions for selector in selectors_of(one)]
        found = {node for selector in selectors for node in selector.nodes(self.start.kinds)}
        return frozenset(n for n in found - self.start.rooms if self.kinds[n] not in self.characters)


def read_episode(trajectory: Trajectory) -> CorpusEpisode | None:
    """Read a whole episode; None where it has no steps, or a graph of facts and an action that cannot be read.

    Args:
        trajectory: An episode from its beginning: a branch has to be expanded first.

    Raises:
        RecordError: its facts are malformed.
    """
    if not trajectory.steps:
        return None
    start = FactGraph.of(trajectory.steps[0].observation.facts)
    episode = CorpusEpisode(trajectory, start or NOTHING, get_verbalizer(trajectory.task.env))
    return episode if episode.complete or start is None else None
