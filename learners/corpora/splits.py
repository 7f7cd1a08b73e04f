"""Which examples are learned from, and which are kept for testing: by activity and by scene.

The environment's verbalizer says what is unseen: usually one name in five, by the CRC-32 of the name. An episode of a
seen activity in a seen scene is for `train` or, one task in ten by the CRC-32 of the task's id, for `seen`; one with
both unseen is for `unseen`; what mixes the two is left out. An episode without an activity, as exploration of a scene
for its own sake, goes by its scene alone.
"""

from __future__ import annotations

import zlib

from ...envs.registry import get_verbalizer
from ...envs.verbalizer import is_unseen_activity
from ...experience import Task
from ..examples import Split


def activity_of(task: Task) -> str | None:
    """Return the activity of a task, in words: "wash dishes"; None where it has none, as exploration has."""
    return get_verbalizer(task.env).activity(task)


def scene_of(task: Task) -> str:
    """Return the name of a task's scene: `"house:7"`."""
    return get_verbalizer(task.env).scene(task)


def split_of(task: Task, *, held_out: float = 0.1) -> Split | None:
    """Return what the episodes of a task are for; None for nothing.

    Args:
        task: All its episodes go to the same split.
        held_out: Which share of the seen tasks is not trained on.
    """
    activity = activity_of(task)
    new_scene = get_verbalizer(task.env).is_unseen_scene(task)
    if activity is not None and is_unseen_activity(activity) != new_scene:
        return None
    if new_scene:
        return "unseen"
    return "seen" if zlib.crc32(task.id.encode()) < held_out * 2**32 else "train"
