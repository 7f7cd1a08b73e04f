"""Environments as plain gymnasium environments, their contract, and what pathei adds to the standard: snapshots.

Importing this registers the ids `pathei/...`; an environment's own module is imported when it is made.
"""

from .checks import check_env, check_model, check_snapshot
from .contract import Requirement, make, observe, plain, reset
from .hubs import OPENENV, VERIFIERS
from .registry import BUILTIN_ENVS, ENVS, EnvSpec, get_env, register_id
from .replay import VerifiedReplay
from .snapshots import Snapshot, Snapshotable, Snapshotter, restore, snapshot
from .spaces import UnicodeText

for _spec in (*BUILTIN_ENVS, OPENENV, VERIFIERS):
    register_id(_spec)

__all__ = [
    "ENVS",
    "EnvSpec",
    "Requirement",
    "Snapshot",
    "Snapshotable",
    "Snapshotter",
    "UnicodeText",
    "VerifiedReplay",
    "check_env",
    "check_model",
    "check_snapshot",
    "get_env",
    "make",
    "observe",
    "plain",
    "reset",
    "restore",
    "snapshot",
]
