"""Requests about a house that nobody has looked at: what the words say by the catalogue of classes alone.

Every class may be there, anywhere and in any state, so a name that may mean several classes means any of them, and a
place or a state does not tell things apart. An id that the words give is kept. Not here: the grammar itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Any, Final

from .....errors import GoalError
from ....facts.conditions import ConditionJson
from ...engine.scene import Scene
from ...engine.vocabulary import CHARACTER_CLASS, PROPERTIES, ROOM_CATEGORY
from ...houses.catalogue import plan as catalogue
from ...houses.furnishings import HOME
from ..lexicon import LEXICON
from .nouns import Moment
from .sentences import read_parts

_EACH: Final = 2
"""How many things of a class there are in an imagined house, so that a plural means several."""
_NUMBERED: Final = re.compile(r"([a-z_ ]*?[a-z_]) ?\((\d{1,18})\)")
_FRESH: Final = 10**18
"""Ids of imagined things begin here: above all that words can give."""


def read_unseen(text: str, kinds: Collection[str] = (), *, whole: bool = False) -> tuple[ConditionJson, ...]:
    """Return the conditions that words state about any house; empty where no clause can be read.

    Args:
        text: A goal in words.
        kinds: Further classes that are known, such as those that were seen.
        whole: Whether every clause has to be read.
    """
    ids = tuple((name.strip(), int(number)) for name, number in _NUMBERED.findall(text.lower()))
    try:
        return tuple(read_parts(text, _imagined(frozenset(kinds), ids), whole=whole))
    except GoalError:
        return ()


@lru_cache(maxsize=32)
def _imagined(kinds: frozenset[str], ids: tuple[tuple[str, int], ...]) -> Moment:
    nodes = list(_nodes(kinds))
    by_words = {node["class_name"].replace("_", " "): node for node in nodes}
    for words, number in ids:
        parts = words.replace("_", " ").split()
        known = next((by_words[name] for at in range(len(parts)) if (name := " ".join(parts[at:])) in by_words), None)
        if known is not None:
            nodes.append({**known, "id": number})
    scene = Scene.from_graph({"nodes": nodes, "edges": []})
    things = scene.everything & ~scene.rooms
    return Moment(scene, [scene.everything] * len(scene.state_names), lambda _: things, seen=False)


def _nodes(kinds: frozenset[str]) -> Iterator[dict[str, Any]]:
    house = catalogue(HOME)
    rows = [(row.name, row.properties, row.category, _EACH) for row in house.pieces]
    rows += [(row.name, row.properties, row.category, _EACH) for row in house.things]
    rows += [(room, (), ROOM_CATEGORY, 1) for room in (*HOME.rooms, *HOME.more_rooms)]
    rows.append((CHARACTER_CLASS, (), "Characters", 1))
    known = {name for name, *_ in rows}
    rows += [
        (name, tuple(PROPERTIES - {"PERSON", "BODY_PART"}), "Things", _EACH)
        for name in sorted((kinds | LEXICON.structure) - known)
    ]
    fresh = _FRESH
    for name, properties, category, times in dict.fromkeys(rows):
        for _ in range(times):
            yield {"id": fresh, "class_name": name, "category": category, "properties": properties, "states": []}
            fresh += 1
