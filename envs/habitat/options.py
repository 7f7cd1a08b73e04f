"""The options of `HabitatEnv.reset`, read and checked; see that class for what they mean.

Not here: the goal's conditions (`goals`), and what is drawn from the seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ...errors import ConfigError
from ...experience import Goal
from .backend import read_vector
from .goals import PERSON
from .simulator.home_simulator import AddedObjects

ACTION_LISTS: Final = ("moves", "skills", "all")
OPTION_NAMES: Final = (
    "scene", "backend", "objects", "object_configs", "start_position", "start_rotation", "other_start_position",
    "other_start_rotation", "characters", "doors", "actions", "goal",
)  # fmt: skip


class HomeOptions(NamedTuple):
    """What an episode was asked for."""

    added: AddedObjects
    goal: Goal
    characters: int
    """How many act in turn."""
    follows: bool
    """Whether a person is to be followed."""
    closed: bool
    """Whether all doors are closed at the beginning."""
    listed: str
    """One of `ACTION_LISTS`; empty where the goal decides."""

    @property
    def agents(self) -> int:
        """How many agents are in the home."""
        return 2 if self.follows else self.characters


def read_options(given: Mapping[str, Any]) -> HomeOptions:
    """Return the options of an episode.

    Raises:
        ConfigError: one has no possible value.
    """
    said = given.get("goal") or {}
    goal = Goal(str(said.get("text") or ""), tuple(said.get("conditions") or ()))
    characters, doors, listed = given.get("characters") or 1, given.get("doors") or "open", given.get("actions") or ""
    if characters not in (1, 2):
        raise ConfigError(f"The option 'characters' is 1 or 2 here, not {characters!r}.")
    if doors not in ("open", "closed"):
        raise ConfigError(f"The option 'doors' is 'open' or 'closed' here, not {doors!r}.")
    if listed and listed not in ACTION_LISTS:
        raise ConfigError(f"The option 'actions' is one of {', '.join(ACTION_LISTS)}, not {listed!r}.")
    follows = bool(goal.conditions) and goal.conditions[0].get("navigate") == PERSON
    return HomeOptions(_added(given), goal, int(characters), follows, doors == "closed", str(listed))


def _added(given: Mapping[str, Any]) -> AddedObjects:
    try:
        objects = tuple((str(name), read_vector(place)) for name, place in given.get("objects") or ())
    except (TypeError, ValueError) as error:
        raise ConfigError(f"'objects' are pairs of a shape's name and [x, y, z] here ({error}).") from None
    folders = given.get("object_configs") or ()
    if not isinstance(folders, list | tuple):
        raise ConfigError(f"'object_configs' is a list of folders here, not {folders!r}.")
    return AddedObjects(objects, tuple(map(str, folders)))
