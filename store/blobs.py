"""Images of a store, each a file named by the SHA-256 of its bytes: `blobs/ab/cdef...`.

The same picture is stored once, however many steps show it. Not here: decoding; a blob is bytes.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from ..errors import StoreError
from ..experience import Trajectory
from .durable import publish, sync_directory

_NAME = re.compile(r"[0-9a-f]{64}")
_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif"}


class BlobUsage(NamedTuple):
    """How much the images take."""

    images: int
    """The number of distinct images."""
    bytes: int
    """Their size together, in bytes."""


def media_type(data: bytes) -> str | None:
    """Return the kind of an image, by its first bytes: `png`, `jpeg`, `gif`, `webp`, or None."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((kind for signature, kind in _SIGNATURES.items() if data.startswith(signature)), None)


def image_names(trajectory: Trajectory) -> Iterator[str]:
    """Yield the SHA-256 of every image that a trajectory shows, in order, repeated ones repeatedly."""
    for step in trajectory.steps:
        yield from step.observation.images
    yield from trajectory.final.images


def copy_images(trajectory: Trajectory, get: Callable[[str], bytes], put: Callable[[bytes], object]) -> bool:
    """Copy the images that a trajectory shows from one store to another.

    Args:
        trajectory: It names them.
        get: Returns the bytes of a name, and raises a `StoreError` if it cannot.
        put: Stores bytes.

    Returns:
        False where one of them is lost.
    """
    for name in set(image_names(trajectory)):
        try:
            data = get(name)
        except StoreError:
            return False
        put(data)
    return True


class Blobs:
    """The content-addressed files of one store."""

    def __init__(self, directory: Path) -> None:
        """Name the folder; it need not exist before the first `put`."""
        self.directory = directory

    def put(self, data: bytes, temporary: Path) -> str:
        """Store bytes durably, if they are not stored yet.

        Args:
            data: The content.
            temporary: Where to write it first; on the same file system.

        Returns:
            Its SHA-256 (hex).

        Raises:
            OSError: the disk refused.
        """
        name = hashlib.sha256(data).hexdigest()
        path = self.path(name)
        if not path.exists():
            for folder in (self.directory, path.parent):
                if not folder.exists():
                    folder.mkdir()
                    sync_directory(folder.parent)
            temporary.write_bytes(data)
            publish(temporary, path)
        return name

    def get(self, name: str) -> bytes:
        """Return the bytes of a name, verified.

        Raises:
            StoreError: there is no such blob, or its content does not have its name.
        """
        path = self.path(name)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise StoreError(f"There is no image {name} in {self.directory}: store it with put_image first.") from None
        if hashlib.sha256(data).hexdigest() != name:
            raise StoreError(
                f"The image file {path} is damaged: restore it from a copy, or delete it and store it again."
            )
        return data

    def has(self, name: str) -> bool:
        """Whether a blob of that name is stored; its content is not read."""
        return _NAME.fullmatch(name) is not None and self.path(name).exists()

    def check(self, trajectory: Trajectory) -> None:
        """Refuse a trajectory that shows an image that is not stored.

        Raises:
            StoreError: there is such an image; it is named.
        """
        for name in image_names(trajectory):
            if not self.has(name):
                raise StoreError(
                    f"The trajectory {trajectory.id!r} names an image {name!r} that the store does not hold: "
                    "store its bytes with put_image first."
                )

    def usage(self) -> BlobUsage:
        """Count the blobs; walks the folder."""
        count = size = 0
        for folder, _, names in os.walk(self.directory):
            count += len(names)
            size += sum(os.stat(os.path.join(folder, name)).st_size for name in names)
        return BlobUsage(count, size)

    def path(self, name: str) -> Path:
        """Return where the blob of a name lies, if it is stored."""
        if _NAME.fullmatch(name) is None:
            raise StoreError(f"{name!r} is not the name of an image: it must be a SHA-256 in lower-case hex.")
        return self.directory / name[:2] / name[2:]
