"""Frames that are found by a picture: vectors of a store's frames, in one file next to the memory's items.

The file holds arrays only and is replaced as a whole. Vectors are compared one by one, which is exact, and takes
milliseconds for a hundred thousand frames. Not here: the encoder (`embedders.pictures`).
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from ...errors import ConfigError, MemoryStoreError
from ...store import ExperienceStore
from ...store.durable import write_atomically
from ..embedders.pictures import PictureEmbedder
from ..storage.private import private

_FILE: Final = "pictures.npz"
_BATCH: Final = 1_024
"""Pictures that are in memory at a time."""


class PictureHit(NamedTuple):
    """A frame that is like a picture."""

    score: float
    """The cosine of the vectors; 1 for the same picture."""
    sha256: str
    """The frame, as the store names it."""
    episode: str
    """The first episode that shows it."""
    moment: int
    """After how many steps."""


def index_pictures(memory: Path, store: ExperienceStore, encoder: PictureEmbedder) -> int:
    """Add the frames of a store that are not indexed yet, and return how many these were.

    Args:
        memory: The folder of the memory; created if needed.
        store: Its frames, the first image of each observation.
        encoder: Makes the vectors.

    Raises:
        ConfigError: the frames of this memory were indexed with another encoder, or the store has none.
    """
    known = _read(memory) if (memory / _FILE).is_file() else {}
    if known and str(known["encoder"]) != encoder.name:
        raise ConfigError(
            f"{memory / _FILE} was made with the encoder at {known['path']}: name that one, or remove the file first."
        )
    seen = set(known["names"].tolist()) if known else set()
    places: dict[str, tuple[str, int]] = {}
    for episode in store.trajectories():
        shown = [step.observation for step in episode.steps] + [episode.final]
        for moment, one in enumerate(shown):
            if one.images and one.images[0] not in seen:
                places.setdefault(one.images[0], (episode.id, moment))
    if not places and not known:
        raise ConfigError("The store has no frames: collect with `--frames`.")
    if not places:
        return 0
    names = list(places)
    vectors = [
        encoder.embed([store.image(name) for name in names[start : start + _BATCH]])
        for start in range(0, len(names), _BATCH)
    ]
    fresh = {
        "vectors": np.concatenate(vectors).astype(np.float32),
        "names": np.array(names),
        "episodes": np.array([episode for episode, _ in places.values()]),
        "moments": np.array([moment for _, moment in places.values()]),
    }
    joined: dict[str, Any] = {
        name: np.concatenate([known[name], part]) if known else part for name, part in fresh.items()
    }
    data = io.BytesIO()
    np.savez(data, encoder=np.array(encoder.name), path=np.array(str(encoder.path.resolve())), **joined)
    memory.mkdir(parents=True, exist_ok=True)
    write_atomically(memory / _FILE, data.getvalue(), private(memory / f"{_FILE}.new"))
    return len(names)


def find_pictures(memory: Path, picture: bytes, k: int = 8, encoder: PictureEmbedder | None = None) -> list[PictureHit]:
    """Return the frames that are most like a picture, best first.

    Args:
        memory: The folder of the memory.
        picture: The bytes of a picture file.
        k: At most this number.
        encoder: The one that the frames were indexed with; None to load it from where it was.

    Raises:
        MemoryStoreError: no frames are indexed, or the file is damaged.
        ConfigError: the encoder is another one, or this is no picture.
        ModelError: the encoder is gone.
    """
    if not (memory / _FILE).is_file():
        raise MemoryStoreError(f"{memory} has no index of frames: make it with `pathei memory index-frames`.")
    known = _read(memory)
    encoder = encoder or PictureEmbedder(Path(str(known["path"])))
    if encoder.name != str(known["encoder"]):
        raise ConfigError(f"The frames of {memory} were indexed with another encoder than the one at {encoder.path}.")
    scores = known["vectors"] @ encoder.embed([picture])[0]
    best = np.argsort(-scores, kind="stable")[:k]
    return [
        PictureHit(float(scores[n]), str(known["names"][n]), str(known["episodes"][n]), int(known["moments"][n]))
        for n in best
    ]


def _read(memory: Path) -> dict[str, np.ndarray[Any, Any]]:
    try:
        with np.load(memory / _FILE, allow_pickle=False) as file:
            return {name: file[name] for name in ("encoder", "path", "vectors", "names", "episodes", "moments")}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise MemoryStoreError(
            f"{memory / _FILE} is damaged ({error}): remove it and index the frames again."
        ) from error
