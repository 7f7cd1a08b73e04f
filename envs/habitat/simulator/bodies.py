"""What other agents look like in images: a person made of three boxes.

Not here: where they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..backend import Pose
from ..scenes.scene import Solid

BODY: Final = 10_000
"""Agents have the semantic id `BODY` plus their number; things have lower ones."""
CHEST: Final = 1.2
"""How high above the feet an agent is looked at, in metres."""
_PARTS: Final = (
    (0.13, 0.0, 0.85, 0x31456B),
    (0.2, 0.85, 1.45, 0xB8523C),
    (0.11, 1.45, 1.7, 0xD9A27E),
)
"""Legs, trunk and head: half of the width, from where to where above the feet, and the colour."""


def body(pose: Pose) -> Iterator[Solid]:
    """Yield the boxes of an agent."""
    x, y, z = pose.position
    for half, low, high, colour in _PARTS:
        yield Solid((x - half, y + low, z - half), (x + half, y + high, z + half), colour)
