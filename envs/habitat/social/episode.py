"""How an episode of two stands: one who follows a person, or two who share a goal.

Not here: the agents' actions (`env`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..backend import Pose
from ..goals import Follow
from ..simulator.home_simulator import HomeSimulator
from .measures import SocialMeasures
from .meeting import fewest_steps, meeting
from .person import PERSON, Walk, stroll


class Following(NamedTuple):
    """An agent that is to find and follow a person."""

    measures: SocialMeasures
    walk: Walk
    start: Pose
    """Where the agent began."""
    last: Pose
    """Where it was after its last step."""

    @classmethod
    def begun(cls, sim: HomeSimulator, follow: Follow) -> Following:
        """Return the moment after the reset, which habitat-lab counts as the first step."""
        start = sim.agent(0)
        new = cls(SocialMeasures(follow.total_steps, follow.steps), Walk(follow.walk), start, start)
        return new._measured(sim)

    def stepped(self, sim: HomeSimulator) -> Following:
        """Let the person walk on, after a step of the agent, and measure."""
        return self._replace(walk=stroll(sim, self.walk))._measured(sim)

    def _measured(self, sim: HomeSimulator) -> Following:
        agent, person = sim.agent(0), sim.agent(PERSON)
        steps = self.measures.steps + 1
        known = self.measures.shortest <= steps
        shortest = 0.0 if known else fewest_steps(sim, self.start, person.position, steps)
        now = meeting(sim, agent, person, self.last)
        return self._replace(measures=self.measures.after(now, shortest), last=agent)

    @property
    def progress(self) -> float:
        """The share of the steps in which the person was to be followed."""
        return min(1.0, self.measures.found_times / self.measures.needed)


class TeamMeasures(NamedTuple):
    """How two agents that share a goal get on."""

    steps: int = 0
    """What both have done, one after the other."""
    collided: bool = False
    """Whether they collide now."""
    collisions: int = 0
    """In how many steps they did."""

    def after(self, touching: bool) -> TeamMeasures:
        """Return the measures after one more step of either of them."""
        return TeamMeasures(self.steps + 1, touching, self.collisions + touching)

    def to_json(self, success: bool) -> dict[str, Any]:
        """Return the measures under habitat-lab's names, given whether the goal's conditions hold."""
        return {
            "pddl_success": success, "num_steps": self.steps, "did_collide": self.collided,
            "num_agents_collide": self.collisions,
        }  # fmt: skip
