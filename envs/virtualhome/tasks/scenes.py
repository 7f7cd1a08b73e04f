"""Generated houses without a goal, for goals that a curriculum proposes."""

from __future__ import annotations

from ....experience import Goal, Task
from ...verbalizer import TEST_EVERY
from .generate import ENV

_HOUSES = 20
"""A seed stands for this number of consecutive houses, less those for testing."""


def training_scenes(seed: int) -> list[Task]:
    """Return the training houses of a seed; no two seeds share one."""
    houses = [seed * _HOUSES + house for house in range(_HOUSES) if house % TEST_EVERY]
    return [Task(f"house-{house}", ENV, 0, Goal(""), {"scene": f"house:{house}"}) for house in houses]
