"""A store as an objective reads it: frames, clips and transcripts of one part of its tasks.

Memory holds the names of the frames (a few bytes each), and the pictures and texts that were used last; the rest is
read when it is asked for. Not here: which of them make an example (`objectives`).
"""

from __future__ import annotations

import functools
import io
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from ...errors import ConfigError
from ...experience import Trajectory
from ...extras import needed_by
from ...store import ExperienceStore

Part = Literal["train", "held_out"]
Pixels = np.ndarray[Any, np.dtype[np.uint8]]
_ONE_IN: Final = 5
"""One task in this number is held out."""
_PICTURES: Final = 20_000
"""How many pictures are kept decoded."""
_TEXTS: Final = 5_000
"""How many episodes' texts are kept."""


class Transcript(NamedTuple):
    """The words of one episode."""

    goal: str
    observations: tuple[str, ...]
    """One more than actions."""
    actions: tuple[str, ...]

    @property
    def text(self) -> str:
        """The whole episode as a text."""
        lines = [f"{seen} > {action}" for seen, action in zip(self.observations, self.actions, strict=False)]
        return "\n".join([self.goal, *lines, self.observations[-1]])


@dataclass(frozen=True)
class ReaderEpisode:
    """What is known of an episode without reading it again."""

    id: str
    frames: tuple[str, ...]
    """The SHA-256 of the first image of each observation; empty if an observation has none."""
    steps: int


class ExperienceReader:
    """One part of a store: of the tasks that are trained on, or of those held out."""

    def __init__(self, store: Path, part: Part, size: int) -> None:
        """Look through a store once.

        Args:
            store: Its directory.
            part: Which tasks; the hash of a task's id decides.
            size: The height and width to which pictures are scaled, in pixels.

        Raises:
            StoreError: there is no store.
        """
        self.path, self.part, self.size = store, part, size
        self.episodes: list[ReaderEpisode] = []
        """Whole episodes (no branches) with at least one step, in the order of the store."""
        self._open: tuple[int, ExperienceStore] | None = None
        for episode in self._store.trajectories():
            held_out = zlib.crc32(episode.task.id.encode()) % _ONE_IN == 0
            if held_out == (part == "held_out") and episode.parent is None and episode.steps:
                seen = [step.observation for step in episode.steps] + [episode.final]
                frames = tuple(one.images[0] for one in seen) if all(one.images for one in seen) else ()
                self.episodes.append(ReaderEpisode(episode.id, frames, len(episode.steps)))
        places = {name: (n, t) for n, one in enumerate(self.episodes) for t, name in enumerate(one.frames)}
        self.places: list[tuple[int, int]] = sorted(places.values())
        """Episode and moment of each distinct frame."""
        self.picture = functools.lru_cache(_PICTURES)(self._picture)
        self.transcript = functools.lru_cache(_TEXTS)(self._transcript)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what another process has to open itself."""
        return {**vars(self), "_open": None, "picture": None, "transcript": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Open it again in this process."""
        vars(self).update(state)
        self.picture = functools.lru_cache(_PICTURES)(self._picture)
        self.transcript = functools.lru_cache(_TEXTS)(self._transcript)

    @property
    def _store(self) -> ExperienceStore:
        if self._open is None or self._open[0] != os.getpid():
            self._open = os.getpid(), ExperienceStore.open(self.path, mode="read")
        return self._open[1]

    def _picture(self, name: str) -> Pixels:
        """Return a picture by its SHA-256, uint8, shape `[size, size, 3]`; not to be changed."""
        return decode_picture(self._store.image(name), self.size)

    def _transcript(self, episode: int) -> Transcript:
        found: Trajectory = self._store.get(self.episodes[episode].id)
        observations = (*(step.observation.text for step in found.steps), found.final.text)
        return Transcript(found.task.goal.text, observations, tuple(step.action for step in found.steps))

    def draw_frames(self, rng: np.random.Generator, count: int) -> tuple[Pixels, np.ndarray[Any, Any]]:
        """Draw distinct frames with replacement: pictures `[count, size, size, 3]` and their episodes `[count]`.

        Raises:
            ConfigError: there is none.
        """
        self.require_frames(1)
        chosen = [self.places[place] for place in rng.integers(len(self.places), size=count)]
        return self.pictures(chosen), np.array([episode for episode, _ in chosen])

    def pictures(self, places: Sequence[tuple[int, int]]) -> Pixels:
        """Return the pictures at some places (episode, moment), `[places, size, size, 3]`."""
        return np.stack([self.picture(self.episodes[episode].frames[moment]) for episode, moment in places])

    def draw_clips(self, rng: np.random.Generator, count: int, length: int) -> tuple[Pixels, np.ndarray[Any, Any]]:
        """Draw clips in which something moves at every moment: frames that repeat the one before are left out.

        Returns:
            Pictures `[count, length, size, size, 3]`, and their episodes `[count]`.

        Raises:
            ConfigError: no episode is long enough.
        """
        clips = self.clips(length)
        if not clips:
            raise ConfigError(f"No episode of {self.path} ({self.part}) has {length} different frames in a row.")
        chosen = [clips[place] for place in rng.integers(len(clips), size=count)]
        found = [self.pictures([(episode, t) for t in moments]) for episode, moments in chosen]
        return np.stack(found), np.array([episode for episode, _ in chosen])

    @functools.lru_cache(8)  # noqa: B019  # a reader lives as long as its run
    def clips(self, length: int) -> list[tuple[int, tuple[int, ...]]]:
        """Return the episode and moments of every clip of this length, all of whose frames differ."""
        found = []
        for number, episode in enumerate(self.episodes):
            kept = [t for t, name in enumerate(episode.frames) if t == 0 or name != episode.frames[t - 1]]
            for start in range(len(kept) - length + 1):
                moments = tuple(kept[start : start + length])
                if len({episode.frames[t] for t in moments}) == length:
                    found.append((number, moments))
        return found

    def require_frames(self, least: int) -> None:
        """Refuse a part with fewer distinct frames.

        Raises:
            ConfigError: it has fewer.
        """
        if len(self.places) < least:
            raise ConfigError(
                f"{self.path} ({self.part}) has {len(self.places)} different frames, and {least} are needed: collect "
                "more tasks with `pathei collect STORE scripted --frames`, in an environment that has pictures."
            )


def decode_picture(data: bytes, size: int) -> Pixels:
    """Return a picture file as RGB, scaled by area: uint8, shape `[size, size, 3]`.

    Raises:
        ConfigError: it is no picture.
    """
    with needed_by("Reading pictures", "learn"):
        from PIL import Image, UnidentifiedImageError
    try:
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.BOX))
    except UnidentifiedImageError as error:
        raise ConfigError(f"This is no picture that Pillow can read: {error}.") from error
