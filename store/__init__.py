"""Experience on disk: append-only, crash-safe, readable while it is written."""

from .experience_store import JOURNAL_BYTES, ExperienceStore, StoreInfo, image_names

__all__ = ["JOURNAL_BYTES", "ExperienceStore", "StoreInfo", "image_names"]
