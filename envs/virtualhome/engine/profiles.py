"""The rule profiles by name."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from ....errors import unknown
from .rules import Rules
from .rules_clean import clean
from .rules_original import e2wm, v1, vh23

PROFILES: Final[MappingProxyType[str, Callable[[], Rules]]] = MappingProxyType(
    {"clean": clean, "v1": v1, "e2wm": e2wm, "vh23": vh23}
)


def rules_named(name: str) -> Rules:
    """Return a fresh set of rules.

    Raises:
        UnknownNameError: there is no such profile; the nearest is suggested.
    """
    if name not in PROFILES:
        raise unknown("rule profile", name, PROFILES)
    return PROFILES[name]()
