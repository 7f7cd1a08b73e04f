"""What an episode asks for: a place or a kind of object to stop at, or conditions on the graph of facts.

Conditions of navigation are:

* `{"navigate": "point", "position": [x, y, z]}`: a place, which the text names;
* `{"navigate": "image", "position": [x, y, z], "rotation": [x, y, z, w]}`: a place, of which the observation shows
  what a camera there sees;
* `{"navigate": "object", "category": "couch"}`, with `"view_points"`, a list of `[x, y, z]`, where an episode brings
  its own;
* `{"navigate": "person", "steps": 60, "total_steps": 200, "walk": 7}`: a person, who is to be found and followed in
  `steps` of all steps; where they go follows from the number `walk`.

Each may have `"actions"`: which actions are listed, where the task's options do not say (`"moves"` by default). The
others may have a `"success_distance"` in metres; Habitat's are 0.2 for a place, and 0.1 from a view point of an
object. Not here: tasks (`tasks`).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ...errors import GoalError
from ..facts import ActionsCondition, ConditionJson, parse_conditions, sentences
from ..facts.sentences import HELD, OPENED, PLACED, Rows, choose_kind, read_sentences, read_some
from .backend import Pose, Vector, read_rotation, read_vector
from .home_map import HomeMap
from .scenes.catalogue import ALIASES, DOOR, FURNITURE, MOVABLE, ROOMS

POINT, IMAGE, OBJECT, PERSON = "point", "image", "object", "person"
SUCCESS_DISTANCE: Final = {POINT: 0.2, IMAGE: 0.2, OBJECT: 0.1}
"""How near to the goal stopping is a success, in metres."""
SAID: Final[Rows] = (*HELD, *PLACED, *OPENED[:2], *OPENED[4:6], *sentences.ROOMS)
"""How goals about facts are said."""
_KEYS: Final = {
    POINT: {"position"}, IMAGE: {"position", "rotation"}, OBJECT: {"category", "view_points"},
    PERSON: {"steps", "total_steps", "walk"},
}  # fmt: skip


class Follow(NamedTuple):
    """How a person is to be followed."""

    steps: int = 60
    """In how many steps at least."""
    total_steps: int = 200
    """How many steps the episode has."""
    walk: int = 0
    """The seed of where the person goes."""


class NavGoal(NamedTuple):
    """Where to stop."""

    kind: str
    """`POINT`, `IMAGE`, `OBJECT` or `PERSON`."""
    places: tuple[Vector, ...]
    """The place, or the view points of the objects; at least one, but for a person none."""
    success_distance: float
    picture: Pose | None = None
    """From where an agent sees the picture of an image goal."""
    follow: Follow | None = None
    """How a person is to be followed."""
    listed: str = "moves"
    """Which actions are listed, where the task's options do not say."""


def read_goal(conditions: Sequence[ConditionJson], map_: HomeMap) -> NavGoal | None:
    """Return the place to stop at; None where the goal is about facts, or there is none.

    Raises:
        GoalError: the conditions cannot be read, or there is no such object in the home.
    """
    first = conditions[0] if conditions else {}
    if "navigate" not in first:
        if any(isinstance(one.condition, ActionsCondition) for one in parse_conditions(conditions)):
            raise GoalError("Goals in homes are about states and relations; conditions on actions are not checked.")
        return None
    if len(conditions) > 1:
        raise GoalError("A goal of navigation has one condition: stopping at one place ends the episode.")
    listed = first.get("actions", "moves")
    if listed not in ("moves", "skills", "all"):
        raise GoalError(f"The 'actions' of a goal of navigation are moves, skills or all, not {listed!r}.")
    return _read(first, map_)._replace(listed=listed)


def read_words(text: str, kinds: Collection[str], *, whole: bool = False) -> tuple[ConditionJson, ...]:
    """Return the conditions that a goal in words states; empty where they cannot be read.

    Args:
        text: The goal.
        kinds: Kinds that were seen; those of generated homes are known.
        whole: Whether it is to be empty where only a part can be read.
    """
    known = tuple(dict.fromkeys((*MOVABLE, *FURNITURE, DOOR, *ROOMS, *kinds)))

    def name(said: str) -> str:
        word = said.replace(" ", "_")
        return choose_kind(ALIASES.get(word, said), known, lambda kind: kind.replace("_", " "))

    try:
        return tuple((read_sentences if whole else read_some)(text, SAID, name))
    except GoalError:
        return ()


def _read(one: Mapping[str, Any], map_: HomeMap) -> NavGoal:
    kind = one["navigate"]
    if (
        not isinstance(kind, str)
        or kind not in _KEYS
        or not one.keys() <= _KEYS[kind] | {"navigate", "success_distance", "actions"}
    ):
        raise GoalError(f"{dict(one)!r} is no goal of navigation: see the head of pathei.envs.habitat.goals.")
    try:
        if kind == PERSON:
            return NavGoal(kind, (), 0.0, None, _follow(one))
        distance = float(one.get("success_distance", SUCCESS_DISTANCE[kind]))
        if not 0 < distance < math.inf:
            raise ValueError("success_distance is in metres, and above 0")
        points = one.get("view_points") or () if kind == OBJECT else [one["position"]]
        places = tuple(map(read_vector, points))
        category = str(one["category"]).replace(" ", "_") if kind == OBJECT else ""
        if kind == OBJECT and not category:
            raise ValueError("category is empty")
        rotation = read_rotation(one["rotation"] if kind == IMAGE else (0, 0, 0, 1))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise GoalError(f"{dict(one)!r} is no goal of navigation ({type(error).__name__}: {error}).") from None
    if kind == OBJECT and not places:
        places = map_.view_points(map_.kind(category))
        if not places:
            raise GoalError(f"There is no {category} in {map_.home.name} that an agent can come near.")
    return NavGoal(kind, places, distance, Pose(places[0], rotation) if kind == IMAGE else None)


def _follow(one: Mapping[str, Any]) -> Follow:
    asked = Follow(**{name: int(value) for name, value in one.items() if name not in ("navigate", "actions")})
    if asked.walk < 0 or not 1 <= asked.steps <= asked.total_steps:
        raise ValueError("steps are 1 to total_steps, and walk is 0 or above")
    return asked
