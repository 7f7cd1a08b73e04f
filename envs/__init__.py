"""Worlds as plain gymnasium environments, what is asked of them, and what stands beside the standard: snapshots.

Importing this registers the ids `pathei/...`; a world's own module is imported when it is made.
"""

import gymnasium

from .checks import check_env, check_model, check_snapshot
from .contract import make, observe, plain, reset
from .registry import WORLDS
from .replay import VerifiedReplay
from .snapshots import Snapshot, Snapshotable, Snapshotter, restore, snapshot
from .spaces import UnicodeText

for _world in WORLDS:
    gymnasium.register(_world.id, entry_point=_world.entry_point, max_episode_steps=_world.max_episode_steps)

__all__ = [
    "Snapshot",
    "Snapshotable",
    "Snapshotter",
    "UnicodeText",
    "VerifiedReplay",
    "check_env",
    "check_model",
    "check_snapshot",
    "make",
    "observe",
    "plain",
    "reset",
    "restore",
    "snapshot",
]
