"""Drafts about an episode: its environment, goal, outcome and id are filled in, and skills have all their fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...experience import Json, Trajectory
from ..admission import LONGEST
from ..items import Draft, Kind, Source


def draft_about(
    trajectory: Trajectory, kind: Kind, text: str, data: Mapping[str, Json], *, step: int | None = None, **fields: Any
) -> Draft:
    """Return a draft about an episode, or about one of its steps; `fields` are further fields of `Draft`.

    A text or a key that is too long to be added is cut.
    """
    task = trajectory.task
    values: dict[str, Any] = {
        "task": task.goal.text,
        "success": trajectory.success,
        "source": Source(trajectory.id, step),
        **fields,
    }
    values["key"] = str(values.get("key", ""))[:LONGEST]
    return Draft(kind, text[:LONGEST], task.env, data=data, **values)


def skill_about(
    trajectory: Trajectory,
    text: str,
    key: str,
    steps: Sequence[str],
    effects: Sequence[str],
    *,
    step: int | None = None,
    name: str = "",
    parameters: Mapping[str, Sequence[str]] | Iterable[str] = (),
    **data: Json,
) -> Draft:
    """Return a skill from an episode.

    Args:
        trajectory: The episode.
        text: What is embedded and shown.
        key: Its key.
        steps: Its steps, with roles or parameters for objects.
        effects: What it brings about.
        step: The step of the episode that shows it; None for the whole.
        name: Its name; the first effect if empty.
        parameters: Its parameters, with the classes that each may have; any class if only names are given.
        data: Further fields of its content, such as `preconditions` and `calls`.
    """
    classes = parameters if isinstance(parameters, Mapping) else dict.fromkeys(parameters, ())
    content: dict[str, Json] = {
        "name": name or effects[0],
        "parameters": [{"name": one, "classes": list(classes[one])} for one in classes],
        "preconditions": [],
        "steps": list(steps),
        "effects": list(effects),
        "calls": [],
    }
    return draft_about(trajectory, "skill", text, content | data, step=step, key=key)
