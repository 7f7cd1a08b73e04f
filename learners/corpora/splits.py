"""Which examples are learned from, and which are kept for testing: by activity and by house.

An activity is unseen where the CRC-32 of its name, in lower case with hyphens, is a multiple of 5. A generated house is
unseen where its seed is a multiple of 5 (`generate_tasks(split="test")` makes such), a household from a file where the
CRC-32 of its name is. An episode of a seen activity in a seen house is for `train` or, one task in ten by the CRC-32 of
the task's id, for `seen`; one with both unseen is for `unseen`; what mixes the two is left out. An episode without an
activity, as exploration in a house for its own sake, goes by its house alone.

RobotHow's programs all play in one house, each with its own state of it. There the activity, a program's title, decides
for the house as well.
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from typing import Final

from gymnasium.utils import seeding

from ...envs.virtualhome.tasks.generate import ACTIVITIES, TEST_EVERY
from ...experience import Task
from ..examples import Split

UNSEEN_EVERY: Final = TEST_EVERY
"""One name in so many is unseen."""
_GENERATED: Final = re.compile(r"house-\d+-(?:\w+-)*?(?P<name>[a-z]+(?:-[a-z]+)*)-\d+$")


def activity_of(task: Task) -> str | None:
    """Return the activity of a task, in words: "wash dishes"; None where it has none, as exploration has."""
    scene = str(task.options.get("scene", ""))
    if scene.startswith("robothow:"):
        return task.goal.text.partition(":")[0].strip().lower() or None
    match = _GENERATED.match(task.id)
    name = None if match is None else _slug(match["name"])
    return None if name is None else name.replace("-", " ")


def house_of(task: Task) -> str:
    """Return the name of a task's house: `"house:7"`, `"robothow:file10_2"`, or the path of a graph file.

    A task without a scene plays in the house that its seed generates; this is that one's name.
    """
    scene = task.options.get("scene")
    if scene is None:
        scene = f"house:{int(seeding.np_random(task.seed)[0].integers(2**31))}"
    return str(scene)


def is_unseen_activity(name: str) -> bool:
    """Tell whether an activity is kept out of training."""
    return _nth(re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-"))


def is_unseen_house(name: str) -> bool:
    """Tell whether a house is kept out of training; RobotHow's are not houses of their own, see above."""
    kind, _, rest = name.partition(":")
    return int(rest) % TEST_EVERY == 0 if kind == "house" and rest.isdecimal() else _nth(name)


def unseen_activities() -> tuple[str, ...]:
    """Return the activities out of `ACTIVITIES` that are kept out of training, for `generate_tasks(activities=...)`."""
    return tuple(name for name in ACTIVITIES if is_unseen_activity(name))


def split_of(task: Task, *, held_out: float = 0.1) -> Split | None:
    """Return what the episodes of a task are for; None for nothing.

    Args:
        task: All its episodes go to the same split.
        held_out: Which share of the seen tasks is not trained on.
    """
    activity, house = activity_of(task), house_of(task)
    new_activity = None if activity is None else is_unseen_activity(activity)
    new_house = is_unseen_house(house)
    if house.startswith("robothow:") and new_activity is not None:
        new_house = new_activity
    if new_activity is not None and new_activity != new_house:
        return None
    if new_house:
        return "unseen"
    return "seen" if zlib.crc32(task.id.encode()) < held_out * 2**32 else "train"


def _nth(name: str) -> bool:
    return zlib.crc32(name.encode()) % UNSEEN_EVERY == 0


@lru_cache(maxsize=1 << 12)
def _slug(text: str) -> str | None:
    """The activity that a text ends with."""
    parts = text.split("-")
    tails = ("-".join(parts[start:]) for start in range(len(parts)))
    return next((tail for tail in tails if tail in ACTIVITIES), None)


__all__ = [
    "UNSEEN_EVERY",
    "activity_of",
    "house_of",
    "is_unseen_activity",
    "is_unseen_house",
    "split_of",
    "unseen_activities",
]
