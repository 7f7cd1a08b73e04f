"""Items as plain JSON: whole, as commands print them, and short, as a search answers them."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import Final

from ...errors import ConfigError
from ...experience import Json
from ..items import Hit, Item

PREVIEW: Final = 300
"""The number of characters of a text that a search shows."""
_ASKED: Final = 32
"""No more words of a question are looked for in a text."""
_WORD: Final = re.compile(r"\w{3,}")


def item_as_json(item: Item) -> dict[str, Json]:
    """Return an item as plain JSON, whole; scopes and the end only where it has any."""
    draft = item.draft
    scopes: dict[str, Json] = {"user": draft.user, "agent": draft.agent, "session": draft.session}
    return {
        "id": item.id,
        "kind": draft.kind,
        "text": draft.text,
        "env": draft.env,
        "task": draft.task,
        "success": draft.success,
        "status": item.status,
        "version": item.version,
        "seen": item.seen,
        "helpful": item.helpful,
        "harmful": item.harmful,
        "confidence": draft.confidence,
        "source": {"trajectory": draft.source.trajectory, "step": draft.source.step},
        "data": dict(draft.data),
        **{name: value for name, value in scopes.items() if value},
        **({} if draft.expires is None else {"expires": draft.expires}),
    }


def hit_as_json(hit: Hit, question: str) -> dict[str, Json]:
    """Return a hit as short plain JSON: a long text by the part that the question is about, and no empty fields."""
    draft, item = hit.item.draft, hit.item
    shown = preview(draft.text, question)
    optional: dict[str, Json] = {
        "characters": len(draft.text) if shown != draft.text else None,
        "env": draft.env or None,
        "task": preview(draft.task, "") or None,
        "success": draft.success,
        "user": draft.user or None,
        "agent": draft.agent or None,
        "session": draft.session or None,
        "status": None if item.status == "active" else item.status,
        "seen": None if item.seen == 1 else item.seen,
        "helpful": item.helpful or None,
        "harmful": item.harmful or None,
    }
    return {
        "id": item.id,
        "kind": draft.kind,
        "text": shown,
        "score": round(hit.score, 3),
        "source": {"trajectory": draft.source.trajectory},
        **{name: value for name, value in optional.items() if value is not None},
    }


def preview(text: str, question: str, most: int = PREVIEW) -> str:
    """Return a text, or of a long one the part with the first words of a question, with "…" for what is left out."""
    if len(text) <= most:
        return text
    lower = text.lower()
    words = list(dict.fromkeys(word.lower() for word in _WORD.findall(question)))[:_ASKED]
    starts = range(0, len(text), most // 2)[:2_000]
    counts = [sum(word in lower[at : at + most] for word in words) for at in starts]
    start = starts[counts.index(max(counts))]
    return ("…" if start else "") + text[start : start + most].strip() + ("…" if start + most < len(text) else "")


def env_id_of(name: str | None) -> str | None:
    """Return the gymnasium id of an environment by its name; an id, an empty name and None are returned unchanged.

    Raises:
        UnknownNameError: there is no such environment.
    """
    if not name or "/" in name or ":" in name:
        return name
    from ...envs.registry import get_env

    return get_env(name).id


def end_of(text: str, name: str) -> float:
    """Return the date or the time at which something new ends, as `seconds_of` does.

    Raises:
        ConfigError: it is neither, or is past.
    """
    seconds = seconds_of(text, name)
    if seconds <= time.time():
        raise ConfigError(f"{name} is {text!r}, which is past: the item would never be found.")
    return seconds


def seconds_of(text: str, name: str) -> float:
    """Return a date or a time as seconds since 1970; without a zone it is local.

    Raises:
        ConfigError: it is neither; the message calls it `name`.
    """
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigError(
            f"{name} has to be a date or a time, such as 2026-11-26 or 2026-11-26T14:30, not {text!r}."
        ) from error
