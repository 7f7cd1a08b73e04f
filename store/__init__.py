"""Experience on disk: append-only, crash-safe, readable while it is written, and as far as it can be when damaged."""

from .blobs import image_names
from .damage import Damage, StoreDamageWarning
from .experience_store import JOURNAL_BYTES, ExperienceStore
from .manifest import StoreInfo
from .merge import MergeReport, merge
from .rows import EpisodeFlags, EpisodeRow, flagged
from .salvage import SalvageReport, salvage

__all__ = [
    "JOURNAL_BYTES",
    "Damage",
    "EpisodeFlags",
    "EpisodeRow",
    "ExperienceStore",
    "MergeReport",
    "SalvageReport",
    "StoreDamageWarning",
    "StoreInfo",
    "flagged",
    "image_names",
    "merge",
    "salvage",
]
