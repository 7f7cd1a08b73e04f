"""Frames: what an environment draws, recorded with every observation.

Any environment that gymnasium can render as an array has frames (`render_mode="rgb_array"`). They are stored as PNG
files by their content. A store's records have one writer; a picture's file is named by its SHA-256 and is there wholly
or not at all, so the worker processes write pictures themselves. One that no record names, because its episode broke,
takes space and does no harm. Not here: screenshots that an environment observes of itself.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import gymnasium
import numpy as np

from ...envs import contract
from ...errors import ConfigError, ContractError
from ...experience import Task
from ...store.blobs import Blobs
from ...store.durable import explained

_MODE: Final = "rgb_array"


class FrameObservations(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Observations as dicts of `text` and `image` (uint8, `[height, width, 3]`), what is drawn then.

    Pictures that an environment observes itself are kept as they are.
    The observation space stays that of the environment: the size of a picture may depend on the task.
    """

    snapshot_fields = ()
    """It has no state of its own (see `pathei.envs.snapshots`)."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, and draw its first observation."""
        observation, info = self.env.reset(seed=seed, options=options)
        return self._drawn(observation), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Act, and draw what is observed."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return self._drawn(observation), reward, terminated, truncated, info

    def _drawn(self, observation: Any) -> dict[str, Any]:
        parts = observation if isinstance(observation, Mapping) and "text" in observation else {}
        text = contract.observe(parts.get("text", observation), {}).text
        if parts.get("image") is not None:
            return {**parts, "text": text}
        return {**parts, "text": text, "image": np.asarray(self.env.render(), np.uint8)}


def make_with_frames(task: Task) -> gymnasium.Env[Any, Any]:
    """Make the environment that a task asks for, with frames in its observations.

    Raises:
        ConfigError: it draws no frames.
        UnknownNameError, MissingDependencyError: see `contract.make`.
    """
    env = contract.make(task, render_mode=_MODE)
    if _MODE not in env.metadata.get("render_modes", ()):
        env.close()
        raise ConfigError(
            f"{task.env} draws no frames ({_MODE!r} is none of its render modes): leave out --frames (--show)."
        )
    return FrameObservations(env)


class FrameWriter:
    """Stores pictures in a store that is open for appending, in this process or its parent."""

    def __init__(self, store: Path) -> None:
        """Name the store's directory."""
        self._blobs, self._tmp = Blobs(store / "blobs"), store / "tmp"

    def __call__(self, picture: np.ndarray[Any, Any]) -> str:
        """Store a picture durably and return its SHA-256 (hex).

        Args:
            picture: uint8, shape `[height, width, 3]`.

        Raises:
            ContractError: it has another form.
            StoreError: the disk refused.
        """
        with explained(self._blobs.directory):
            return self._blobs.put(png(picture), self._tmp / f"frame-{os.getpid()}.tmp")


def png(picture: np.ndarray[Any, Any]) -> bytes:
    """Return a picture as a PNG file, 8 bits a channel, without a filter.

    Args:
        picture: uint8, shape `[height, width, 3]`.

    Raises:
        ContractError: it has another form.
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        raise ContractError(
            f"A frame is uint8 of shape [height, width, 3], not {picture.dtype} of {list(picture.shape)}."
        )
    height, width, _ = picture.shape
    rows = np.zeros((height, 1 + 3 * width), np.uint8)
    rows[:, 1:] = picture.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
