"""The back ends by name: the embedded simulator, and habitat-sim.

Not here: the back ends themselves; each is imported when it is chosen.
"""

from __future__ import annotations

import os
from typing import Final

from ....errors import unknown
from ..backend import AgentSettings
from .embedded import EmbeddedBackend
from .home_simulator import HomeSimulator

EMBEDDED, HABITAT_SIM = "embedded", "habitat_sim"
BACK_ENDS: Final = (EMBEDDED, HABITAT_SIM)
VARIABLE: Final = "PATHEI_HABITAT_BACKEND"
"""The environment variable that names the back end where nothing else does."""


def default_backend() -> str:
    """Return the back end that is used where none is named."""
    return os.environ.get(VARIABLE) or EMBEDDED


def make_simulator(name: str, settings: AgentSettings) -> HomeSimulator:
    """Return a new simulator without a scene.

    Raises:
        UnknownNameError: there is no such back end.
    """
    if name == EMBEDDED:
        return EmbeddedBackend(settings)
    if name == HABITAT_SIM:
        from ..official.backend import HabitatSimBackend

        return HabitatSimBackend(settings)
    raise unknown("back end for homes", name, BACK_ENDS)
