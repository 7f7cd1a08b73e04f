"""The measures of Habitat 3.0's social navigation, as habitat-lab 0.3 defines them (`SocialNavStats` and others).

A person is found by an agent that is 1 to 2 m away from them by the shortest path, and faces them: the cosine of the
angle between where the agent looks and where the person is exceeds 0.5. Times are counted in steps, and the moment
after the reset counts as the first one. The shortest time in which the person could have been met, by somebody who
knows where they are at every moment, is found as habitat-lab finds it: the first step by which a walk from the start to
where the person is then is possible. Not here: the walk itself (`meeting`).
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

NEAREST, FARTHEST = 1.0, 2.0
"""How far away a person is who is found and followed, in metres."""
FACING: Final = 0.5
_ASIDE: Final = 1.5
"""How near a person is for whom an agent backs up or yields, in metres."""
_CONTROL: Final = 1.0 / 120.0
_STILL: Final = 1.0
"""Metres per second, at habitat-lab's 120 steps per second."""


class Meeting(NamedTuple):
    """How an agent and a person stand to each other."""

    way: float
    """The geodesic distance, in metres."""
    away: float
    """The straight distance, in metres."""
    facing: float
    """The cosine of the angle between where the agent looks and where the person is."""
    touching: bool
    """Whether the two collide."""
    forward: float = 0.0
    """How far the agent came ahead with its last step, in metres; negative if backwards."""
    moved: float = 0.0
    """How far it came at all."""

    @property
    def found(self) -> bool:
        """Whether the person is found, or followed."""
        return NEAREST <= self.way <= FARTHEST and self.facing > FACING


class SocialMeasures(NamedTuple):
    """How an episode of social navigation stands."""

    total_steps: int
    """How many steps an episode has."""
    needed: int
    """How many steps the person is to be followed."""
    steps: int = 0
    found_step: int = 0
    """The step at which the person was found first; 0 before."""
    found_times: int = 0
    """In how many steps the agent was where it finds or follows the person."""
    apart: float = 0.0
    """The summed straight distances."""
    apart_after: float = 0.0
    """Those since the person was found."""
    backed_up: int = 0
    yielded: int = 0
    shortest: float = math.inf
    """The fewest steps in which the person could have been met; infinite while that is not known."""
    collided: bool = False
    """Whether the two collide now."""
    collisions: int = 0
    """In how many steps they did."""

    def after(self, now: Meeting, shortest: float) -> SocialMeasures:
        """Return the measures after one more step.

        Args:
            now: How the two stand to each other.
            shortest: The fewest steps in which the person could be met where they are now; only looked at while
                `self.shortest` is not known.
        """
        steps = self.steps + 1
        first = steps if now.found and not self.found_step else self.found_step
        speed = math.copysign(now.moved / _CONTROL, now.forward)
        aside = now.away <= _ASIDE
        return self._replace(
            steps=steps,
            found_step=first,
            found_times=self.found_times + now.found,
            apart=self.apart + now.away,
            apart_after=self.apart_after + (now.away if first else 0.0),
            backed_up=self.backed_up + (aside and speed < 0),
            yielded=self.yielded + (aside and 0 <= speed < _STILL),
            shortest=steps if math.isinf(self.shortest) and shortest <= steps else self.shortest,
            collided=now.touching,
            collisions=self.collisions + now.touching,
        )

    @property
    def found(self) -> bool:
        """Whether the person was found (S)."""
        return self.found_step > 0

    @property
    def success(self) -> bool:
        """Whether the person was followed for as many steps as asked for."""
        return self.found_times >= self.needed

    @property
    def over(self) -> bool:
        """Whether the episode has had all its steps; the moment after the reset is none of them."""
        return self.steps > self.total_steps

    @property
    def spl(self) -> float:
        """Finding weighted by the steps that it took (SPS)."""
        if not self.found or math.isinf(self.shortest):
            return 0.0
        return self.shortest / max(self.shortest, self.found_step)

    @property
    def following(self) -> float:
        """The share of the possible steps in which the person was followed (F)."""
        left = self.total_steps - self.shortest
        return self.found_times / left if math.isfinite(left) and left > 0 else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the measures under habitat-lab's names, its misspelt ones included."""
        since = self.steps - self.found_step + 1 if self.found else 1
        first = self.found_step or self.total_steps
        stats = {
            "has_found_human": self.found,
            "found_human_rate_over_epi": self.found_times / max(self.steps, 1),
            "found_human_rate_after_encounter_over_epi": self.found_times / since,
            "avg_robot_to_human_dis_over_epi": self.apart / max(self.steps, 1),
            "avg_robot_to_human_after_encounter_dis_over_epi": self.apart_after / since,
            "first_encounter_spl": self.spl,
            "frist_ecnounter_steps": first,
            "frist_ecnounter_steps_ratio": first / self.shortest,
            "follow_human_steps_after_frist_encounter": self.found_times,
            "follow_human_steps_ratio_after_frist_encounter": self.following,
            "backup_ratio": self.backed_up / max(self.steps, 1),
            "yield_ratio": self.yielded / max(self.steps, 1),
        }
        return {
            "social_nav_stats": stats, "nav_seek_success": self.success, "did_collide": self.collided,
            "num_agents_collide": self.collisions,
        }  # fmt: skip
