"""`pathei memory index-frames` and `find-frames`: frames of a store, found by a picture."""

from __future__ import annotations

from ...errors import ConfigError
from ...memory.embedders.pictures import PictureEmbedder
from ...memory.opening import memory_at
from ..console import make_console, say
from . import commands


def index_frames(command: commands.MemoryIndexFrames) -> None:
    """Index the frames of a store."""
    from ...memory.retrieval.pictures import index_pictures
    from ...store import ExperienceStore

    with ExperienceStore.open(command.store, mode="read") as store:
        folder = memory_at(command.memory or command.store)
        added = index_pictures(folder, store, PictureEmbedder(command.encoder))
    say(f"{added:,} new frames are indexed in {folder}.")


def find_frames(command: commands.MemoryFindFrames) -> None:
    """Print the frames that are most like a picture."""
    import orjson
    from rich.table import Table

    from ...memory.retrieval.pictures import find_pictures

    if command.k < 1:
        raise ConfigError("--k has to be at least 1.")
    try:
        picture = command.picture.read_bytes()
    except OSError as error:
        raise ConfigError(f"The picture {command.picture} cannot be read: {error.strerror}.") from error
    encoder = PictureEmbedder(command.encoder) if command.encoder else None
    hits = find_pictures(memory_at(command.memory), picture, command.k, encoder)
    if command.json:
        for hit in hits:
            print(orjson.dumps(hit._asdict()).decode())
        return
    table = Table("likeness", "episode", "after steps", "frame")
    for hit in hits:
        table.add_row(f"{hit.score:.3f}", hit.episode, str(hit.moment), hit.sha256[:16])
    make_console().print(table)
