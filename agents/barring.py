"""Actions that changed nothing are barred until something changes: small models repeat them to the last step."""

from __future__ import annotations

from ..experience import Observation
from .lm.reading import normal


class BarredActions:
    """The actions after which everything looked as before, since something changed last."""

    def __init__(self) -> None:
        """Begin an episode."""
        self._seen: Observation | None = None
        self._last = ""
        self._barred: set[str] = set()

    def __contains__(self, action: str) -> bool:
        return normal(action) in self._barred

    def see(self, observation: Observation) -> None:
        """Take in an observation, before an action is chosen."""
        seen = observation.seen()
        if seen != self._seen:
            self._barred.clear()
        elif self._last:
            self._barred.add(normal(self._last))
        self._seen, self._last = seen, ""

    def chose(self, action: str) -> None:
        """Note the action that is done next."""
        self._last = action

    def left(self, actions: tuple[str, ...]) -> tuple[str, ...]:
        """Return the actions that are not barred; all of them if all are."""
        return tuple(action for action in actions if action not in self) or actions if self._barred else actions
