"""The viewer's page as one HTML file, alone for the server or with its answers inside, which then needs no server.

Its own security policy forbids every script and style but its own, and every request to elsewhere: what an
environment or a model wrote is only ever shown as text. Not here: what the page does (`page.js`).
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from string import Template
from typing import Final, NamedTuple

import orjson

from ...errors import ExportError
from ...experience import Json
from ...store import EpisodeRow, ExperienceStore, image_names
from ...store.durable import explained, write_atomically
from .answers import CHUNK, JSON, ViewerAnswers, path_of

_DRAWN: Final = 20
"""The largest number of episodes whose drawings are in an exported page."""


class EpisodeFilter(NamedTuple):
    """Which episodes are shown; the page has the same filters."""

    env: str | None = None
    """Only of this environment, by its gymnasium id."""
    collector: str | None = None
    """Only what this collector played."""
    success: bool | None = None
    """Only those that reached their goal (True) or failed to (False)."""
    text: str = ""
    """Only those whose goal, task or id has all these words in it, in any case."""

    def keeps(self, row: EpisodeRow) -> bool:
        """Whether an episode is shown."""
        words = f"{row.goal}\n{row.id}\n{row.task_id}".lower()
        return (
            self.env in (None, row.env)
            and self.collector in (None, row.collector)
            and self.success in (None, row.success)
            and all(word in words for word in self.text.lower().split())
        )


@functools.cache
def page(data: bytes = b"null") -> bytes:
    """Return the page.

    Args:
        data: The answers that it finds in itself, by path, as JSON; null lets it ask the server that it came from.
    """
    folder = resources.files(__package__)
    frame, style, script = (folder.joinpath(f"page.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    asks = "'self'" if data == b"null" else "'none'"
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src 'self' data:; "
        f"connect-src {asks}; base-uri 'none'; form-action 'none'"
    )
    inside = data.decode().replace("<", "\\u003c")
    return Template(frame).substitute(policy=policy, style=style, data=inside, script=script).encode()


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def export_page(
    store: ExperienceStore,
    out: Path,
    chosen: EpisodeFilter,
    *,
    ids: Sequence[str] = (),
    limit: int = 200,
    overwrite: bool = False,
) -> int:
    """Write episodes into one HTML file that opens without a server; return how many.

    Args:
        store: Open for reading.
        out: The file to make.
        chosen: Which episodes.
        ids: Only the episodes of these ids, if any are given.
        limit: The largest number of episodes.
        overwrite: Whether a file that is there is replaced.

    Raises:
        ExportError: the file exists, no episode is chosen, or more than the limit are.
        StoreError: an episode or an image cannot be read, or the disk refused.
    """
    if out.exists() and not overwrite:
        raise ExportError(f"{out} exists: choose another name, or replace it with --overwrite.")
    answers = ViewerAnswers(store, lambda row: chosen.keeps(row) and (not ids or row.id in ids))
    rows = answers.rows()
    if missing := set(ids) - {row.id for row in rows}:
        raise ExportError(f"The store {store.path} holds no episode {min(missing)!r} that the filters let pass.")
    if not rows or len(rows) > limit:
        raise ExportError(
            f"{len(rows):,} episodes of {store.path} are chosen, and the page holds from 1 to {limit}: "
            "choose by --episode, --env, --collector, --success or --text, or set --limit."
        )
    recorded: dict[str, Json] = {}
    for path in _paths(store, rows):
        found = answers.answer(path)
        if not found.body:
            continue  # what is not drawn
        link = f"data:{found.kind};base64,{base64.b64encode(found.body).decode()}"
        recorded[path] = orjson.Fragment(found.body) if found.kind == JSON else link
    with explained(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(out, page(orjson.dumps(recorded)), out.with_name(f"{out.name}.tmp"))
    return len(rows)


def _paths(store: ExperienceStore, rows: Sequence[EpisodeRow]) -> Iterator[str]:
    """Yield everything that the page may ask about some episodes."""
    yield from ("store", "rows/0", "flags", "training")
    yield from (path_of("tree", task) for task in sorted({row.task_id for row in rows}))
    images = set[str]()
    for row in rows:
        whole = store.expand(store.get(row.id))
        yield path_of("episode", row.id)
        yield from (path_of("steps", row.id, first) for first in range(0, len(whole.steps) + 1, CHUNK))
        if len(rows) <= _DRAWN:
            yield from (path_of("drawing", row.id, moment) for moment in range(len(whole.steps) + 1))
        images.update(image_names(whole))
    yield from (path_of("image", name) for name in sorted(images))
