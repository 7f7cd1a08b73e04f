"""Goals in a small fixed English: `"the floor lamp is on and a cup is in the dishwasher"`, read into conditions.

It reads what `describe_goal.describe` writes of the goals in `goals.space`, and the usual ways to say the same. It is a
grammar of a dozen forms and no more: what it does not understand it refuses, with the reason. Not here: pronouns,
numbers above one, and "or".
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any, Final

from ....errors import GoalError
from ...facts.conditions import ConditionJson, gather
from ..engine.scene import Scene
from ..engine.vocabulary import CHARACTER_CLASS
from .phrases import without_article

GRAMMAR: Final = """\
One clause, or several joined by "and". Name things as the observation does. The clauses are:
  the THING is STATE            STATE: on, off, open, closed, clean, plugged in, unplugged
  every THING is STATE          all things of that kind
  a THING is on the THING       a thing lies or stands on another
  a THING is in the THING       a thing is inside another
  you hold a THING
  you wear the THING
  you are in the ROOM
  you are on the THING          you sit or lie on it
  you are sitting, you are lying"""

_STATES: Final[Mapping[str, str]] = {
    "on": "ON",
    "switched on": "ON",
    "turned on": "ON",
    "off": "OFF",
    "switched off": "OFF",
    "turned off": "OFF",
    "open": "OPEN",
    "opened": "OPEN",
    "closed": "CLOSED",
    "shut": "CLOSED",
    "clean": "CLEAN",
    "plugged in": "PLUGGED_IN",
    "unplugged": "PLUGGED_OUT",
    "plugged out": "PLUGGED_OUT",
    "dirty": "DIRTY",
}
_BE: Final = r"(?:is|are)"
_STATE: Final = "|".join(sorted(_STATES, key=len, reverse=True))
_POSTURE: Final = re.compile(r"you (?:are )?(sit|sitting|seated|lie|lying)(?: down)?(?: (?:on|in) (.+))?")
_HOLD: Final = re.compile(r"you (?:hold|are holding|have) (.+)")
_WEAR: Final = re.compile(r"(?:you (?:wear|are wearing) (.+)|(.+) is on you)")
_YOU: Final = re.compile(r"you are (in|inside|on) (.+)")
_EVERY: Final = re.compile(rf"(?:every|each|all) (.+?) {_BE} ({_STATE})")
_PLACE: Final = re.compile(rf"(.+?) {_BE} (on top of|on|in|inside|into|onto) (.+)")
_IN_STATE: Final = re.compile(rf"(.+?) {_BE} ({_STATE})")
_SEPARATOR: Final = re.compile(r"\s*(?:,\s*and\s+|,\s*|\s+and\s+|;\s*)")
_ID: Final = re.compile(r"\((\d+)\)$")
_CHARACTER: Final = {"class": CHARACTER_CLASS}


def read_sentence(text: str, scene: Scene) -> tuple[ConditionJson, ...]:
    """Return the conditions that a sentence states.

    Args:
        text: One clause or several, in the forms of `GRAMMAR`; capitals and a full stop do not matter.
        scene: The household whose things it names.

    Raises:
        GoalError: a clause has none of the forms, or names what is not there; every problem is named.
    """
    clauses = [clause for clause in _SEPARATOR.split(text.strip().rstrip(".!").lower()) if clause]
    if not clauses:
        raise GoalError("The goal is empty: say what is to be true at the end.")
    return gather(clauses, lambda clause: _clause(clause, scene), "The goal cannot be read")  # type: ignore[arg-type]


def _clause(text: str, scene: Scene) -> ConditionJson:
    if match := _POSTURE.fullmatch(text):
        return _posture(match[1], match[2], scene)
    if match := _HOLD.fullmatch(text):
        return {"from": _CHARACTER, "relation": "HOLDS", "to": _thing(match[1], scene)}
    if match := _WEAR.fullmatch(text):
        return {"from": _thing(match[1] or match[2], scene), "relation": "ON", "to": _CHARACTER}
    if match := _YOU.fullmatch(text):
        relation = "ON" if match[1] == "on" else "INSIDE"
        return {"from": _CHARACTER, "relation": relation, "to": _thing(match[2], scene)}
    if match := _EVERY.fullmatch(text):
        return {"node": _thing(match[1], scene), "state": _STATES[match[2]], "count": "all"}
    if match := _IN_STATE.fullmatch(text):
        return {"node": _thing(match[1], scene), "state": _STATES[match[2]]}
    if match := _PLACE.fullmatch(text):
        relation = "ON" if match[2] in ("on", "onto", "on top of") else "INSIDE"
        return {"from": _thing(match[1], scene), "relation": relation, "to": _thing(match[3], scene)}
    raise GoalError(f"{text!r} has none of the forms that can be checked, such as 'the lamp is on'")


def _posture(word: str, where: str | None, scene: Scene) -> ConditionJson:
    if where is not None:
        return {"from": _CHARACTER, "relation": "ON", "to": _thing(where, scene)}
    return {"node": _CHARACTER, "state": "LYING" if word.startswith("l") else "SITTING"}


def _thing(text: str, scene: Scene) -> dict[str, Any]:
    words = without_article(text)
    number = _ID.search(words)
    name = _ID.sub("", words).strip().replace(" ", "_")
    if number:
        id_ = int(number[1])
        if id_ not in scene.index or (name and scene.classes[scene.index[id_]].lower() != name):
            raise GoalError(f"there is no {words} here")
        return {"id": id_}
    by_lower = {known.lower(): known for known in scene.of_class}
    for candidate in (name, name.removesuffix("s"), name.removesuffix("es"), f"{name[:-3]}y" if name else name):
        if candidate in by_lower:
            return {"class": by_lower[candidate]}
    near = difflib.get_close_matches(name, by_lower, n=1)
    hint = f" (did you mean {near[0].replace('_', ' ')}?)" if near else ""
    raise GoalError(f"there is no {words} here{hint}")


__all__ = ["GRAMMAR", "read_sentence"]
