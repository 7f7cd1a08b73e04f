"""Environments for the programs of others: a session that plays task after task, and the protocols that serve it."""

from .session import SessionView, WorldSession

__all__ = ["SessionView", "WorldSession"]
