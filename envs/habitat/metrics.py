"""Habitat's measures of navigation, as habitat-lab 0.3 defines them.

`success` is 1 if the agent has said stop nearer to the goal than the success distance; `spl` weighs it with the length
of the shortest path over the length walked (Anderson et al. 2018); `soft_spl` puts the share of the distance covered in
the place of success; `collisions` counts the steps that fell short. Not here: the distances themselves (`world`).
"""

from __future__ import annotations

from typing import Any, NamedTuple


class NavMeasures(NamedTuple):
    """How an episode of navigation stands."""

    start: float
    """The geodesic distance from the start to the nearest goal, in metres."""
    distance: float
    """The geodesic distance that is left."""
    walked: float = 0.0
    """The summed straight lengths of all steps."""
    collisions: int = 0
    collided: bool = False
    """Whether the last step was a collision."""
    success_distance: float = 0.2
    stopped: bool = False

    def moved(self, metres: float, distance: float, collided: bool) -> NavMeasures:
        """Return the measures after one step.

        Args:
            metres: How far the agent moved in a straight line.
            distance: The geodesic distance that is left.
            collided: Whether it walked into something.
        """
        return self._replace(
            distance=distance,
            walked=self.walked + metres,
            collisions=self.collisions + collided,
            collided=collided,
        )

    @property
    def success(self) -> bool:
        """Whether the agent stopped at the goal."""
        return self.stopped and self.distance < self.success_distance

    @property
    def efficiency(self) -> float:
        """The shortest path over the length walked, at most 1."""
        longest = max(self.start, self.walked)
        return self.start / longest if longest > 0 else 1.0

    @property
    def spl(self) -> float:
        """Success weighted by path length."""
        return self.success * self.efficiency

    @property
    def soft_spl(self) -> float:
        """The share of the distance covered, weighted by path length."""
        covered = max(0.0, 1 - self.distance / self.start) if self.start > 0 else float(self.distance == 0)
        return covered * self.efficiency

    def to_json(self) -> dict[str, Any]:
        """Return the measures under habitat-lab's names."""
        return {
            "distance_to_goal": self.distance,
            "success": float(self.success),
            "spl": self.spl,
            "soft_spl": self.soft_spl,
            "collisions": {"count": self.collisions, "is_collision": self.collided},
        }
