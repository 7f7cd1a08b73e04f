"""Proved items as questions with answers, for training a language model that then need not be shown them.

What counts as proved: a skill that has steps (each was executed), an episode that reached its goal, and a general fact
that several observations show, where none about the same thing was seen more often. A plan is asked for as agents ask
for it (`ask_for_plan`), and a place as `SayCan` does. Facts about one scene stay in the memory alone: another scene's
differ.
Not here: training (`pathei learn` reads the file), and hiding what was learned (`MemoryWithout`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import orjson

from ...envs.registry import get_verbalizer
from ...envs.verbalizer import ask_for_plan
from ...experience import Json
from ...store.durable import write_atomically
from ..items import Item

_STEPS: Final = ". Steps: "
"""Where the text of a skill goes over to its steps."""
_ROOM: Final = "ROOM"
_DOOR: Final = "door"
"""Going through doors is particular to a scene."""


def write_training_examples(items: Iterable[Item], path: Path, seen: int = 2) -> int:
    """Write what is proved of some items as JSON Lines that `pathei learn` reads, all or nothing.

    A line has `prompt` and `completion`, and where they come from: `item`, `trajectory` and `step`.

    Args:
        items: Active items.
        path: The file.
        seen: How often a fact must have been observed.

    Returns:
        How many lines there are.
    """
    lines = [
        {
            "id": f"memory/{item.id}",
            "prompt": prompt,
            "completion": completion,
            "item": item.id,
            "of": item.draft.kind,
            "trajectory": item.draft.source.trajectory,
            "step": item.draft.source.step,
        }
        for item, prompt, completion in _asked(items, seen)
    ]
    write_atomically(path, b"".join(orjson.dumps(line) + b"\n" for line in lines), path.with_name(f"{path.name}.tmp"))
    return len(lines)


def _asked(items: Iterable[Item], seen: int) -> Iterator[tuple[Item, str, str]]:
    """Yield each proved item with its question and its answer."""
    usual: dict[tuple[Json, ...], Item] = {}
    for item in items:
        draft, data = item.draft, item.draft.data
        if item.harmful > item.helpful:
            continue
        if draft.kind == "skill" and _STEPS in draft.text:
            asked, _, steps = draft.text.partition(_STEPS)
            yield item, f"{asked}.\nSteps:", steps
        elif draft.kind == "episode" and draft.success and draft.task and (plan := _plan(item)):
            yield item, ask_for_plan(draft.task), plan
        elif draft.kind == "fact" and data.get("holds") == "env" and item.seen >= seen:
            about = (draft.env, data.get("object"), data.get("when"), data.get("relation") == _ROOM)
            if about not in usual or usual[about].seen < item.seen:
                usual[about] = item
    for item in usual.values():
        yield item, *_place(item)


def _plan(item: Item) -> str:
    """Return the actions of an episode in words, as an agent is shown them; empty where it has none."""
    verbalizer, actions = get_verbalizer(item.draft.env), item.draft.data.get("actions")
    if not isinstance(actions, list):
        return ""
    read = [(str(action), verbalizer.read_action(str(action))) for action in actions]
    return " ".join(verbalizer.say_action(text) for text, one in read if one is None or _DOOR not in one.names)


def _place(item: Item) -> tuple[str, str]:
    """Return a question for a place, and its answer."""
    verbalizer, data = get_verbalizer(item.draft.env), item.draft.data
    thing, place = verbalizer.noun(str(data["object"])), verbalizer.noun(str(data["place"]))
    where = f"{'on' if data.get('relation') == 'ON' else 'in'} the {place}."
    if data.get("when") == "ends":
        return f"Where does the {thing} end up?", f"The {thing} ends up {where}"
    return f"Where is the {thing}?", f"The {thing} is {where}"
