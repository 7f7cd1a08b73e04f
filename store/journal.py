"""The journal: an append-only file of frames, each of them wholly there or not there.

A frame is `magic (4 bytes) | length (u32) | crc32 of length and payload (u32) | payload`, little-endian. A payload is
one or more encoded records, one per line. After the last frame there may be zeros: room for the next ones, since a file
that does not grow is synced in a third of the time. No payload ends with a zero, so the file without its last zeros is
what was written (see `filled`). A killed writer can leave a torn last frame, which fails its checksum, and room; both
are cut off. A bad frame with sound ones after it is damage, and is reported: cutting there would throw away what was
acknowledged. Not here: what the records mean.
"""

from __future__ import annotations

import logging
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from ..errors import StoreError
from .damage import Losses, ids_in

_LOG: Final = logging.getLogger(__name__)
# 0xFF never occurs in UTF-8, so no payload can hold these bytes and a search for the next frame finds frames only.
_MAGIC = b"\xff\xfePJ"
_HEADER = struct.Struct("<4sII")
_LENGTH = struct.Struct("<I")
_MOST_ROOM = 1 << 20
_CHUNK = 1 << 14
MAX_PAYLOAD = 2**32 - 1
"""The longest payload of a frame, in bytes."""


class Frame(NamedTuple):
    """One committed call of `append`."""

    offset: int
    """Where the frame begins in the file, in bytes."""
    payload: bytes
    """The records, one per line."""

    @property
    def end(self) -> int:
        """Where the next frame begins."""
        return self.offset + _HEADER.size + len(self.payload)


def pack(payload: bytes) -> bytes:
    """Return the bytes of a frame."""
    return _HEADER.pack(_MAGIC, len(payload), _checksum(payload)) + payload


def filled(handle: int, known: int = 0) -> int:
    """Return the length of an open journal without the room after what was written, in bytes.

    Args:
        handle: An open file descriptor.
        known: Where a frame that was read before ends, or 0. From there on frames are passed over by their headers, and
            what comes after the last is looked at only if it does not begin with zeros.
    """
    end, at = os.fstat(handle).st_size, known
    while 0 < at < end:
        header = os.pread(handle, _HEADER.size, at)
        if not header.strip(b"\0"):
            return at
        whole = len(header) == _HEADER.size and header.startswith(_MAGIC)
        at = at + _HEADER.size + _HEADER.unpack(header)[1] if whole else 0
    if 0 < at == end:
        return at
    while end:
        start = max(0, end - _CHUNK)
        part = os.pread(handle, end - start, start)
        if part != bytes(len(part)):
            return start + len(part.rstrip(b"\0"))
        end = start
    return 0


def read_frame(handle: int, offset: int, end: int) -> Frame | None:
    """Return the frame at `offset` of an open file, or None if no whole, sound frame stands there before `end`."""
    header = os.pread(handle, _HEADER.size, offset)
    if len(header) < _HEADER.size:
        return None
    magic, length, checksum = _HEADER.unpack(header)
    if magic != _MAGIC or length == 0 or offset + _HEADER.size + length > end:
        return None
    payload = os.pread(handle, length, offset + _HEADER.size)
    if len(payload) < length or _checksum(payload) != checksum:
        return None
    return Frame(offset, payload)


def frames(
    handle: int, path: Path, start: int = 0, end: int | None = None, losses: Losses | None = None
) -> Iterator[Frame]:
    """Yield the committed frames of an open journal in order, one at a time.

    Args:
        handle: An open file descriptor; its position is neither used nor moved.
        path: The file's name, for messages.
        start: Where to begin: 0, or the end of a frame read before.
        end: Where to stop; by default what is `filled` now. Frames are never read beyond it.
        losses: Where damaged frames are noted and skipped, if not None.

    Raises:
        StoreError: a frame is damaged though sound ones follow it, and there are no `losses` to note it.
    """
    end = filled(handle) if end is None else end
    while start < end:
        frame = read_frame(handle, start, end)
        if frame is None:
            following = _next_sound(handle, start, end)
            # A writer may have finished both since: only what is still bad now was bad on disk.
            frame = None if following is None else read_frame(handle, start, end)
            if frame is None:
                if following is None:
                    return
                if losses is None:
                    raise StoreError(
                        f"The journal {path} is damaged at byte {start}, with sound records after byte {following}:"
                        " restore the file from a copy, save what can be read with `pathei store salvage`, or give up"
                        f" what follows with `truncate -s {start} '{path}'`."
                    )
                ids = ids_in(os.pread(handle, following - start, start))
                losses.add(path, start, f"bytes {start} to {following} are damaged", len(ids) or None, ids)
                start = following
                continue
        yield frame
        start = frame.end


class JournalWriter:
    """The open end of a journal, for the one process that may write."""

    def __init__(self, path: Path) -> None:
        """Open or make the file and cut off a torn tail.

        Raises:
            OSError: the file cannot be written.
            StoreError: it is damaged before its last frame.
        """
        self.path = path
        self._handle: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self.size = 0
        """The length of all committed frames, in bytes."""
        self.broken = False
        """A write failed or was interrupted, and nothing more is taken."""
        try:
            for frame in frames(self._handle, path):
                self.size = frame.end
            if (torn := filled(self._handle) - self.size) > 0:
                _LOG.warning("Cut %d bytes of an unfinished record off %s.", torn, path)
            os.ftruncate(self._handle, self.size)
            os.fsync(self._handle)
            self._room = self.size
            """How long the file is, in bytes."""
        except BaseException:
            self.close()
            raise

    def append(self, payload: bytes) -> int:
        """Write one frame and wait until the disk has it; return its offset.

        Raises:
            StoreError: the journal is closed.
            OSError: the disk refused. The file is cut back to its last committed frame, and takes nothing more: what
                a failed sync has left on the disk is not known until the journal is opened again.
            BaseException: whatever a signal raised. The file takes nothing more; the frame stays if it is whole.
        """
        if self._handle is None:
            raise StoreError(f"The journal {self.path} is closed: open the store again.")
        handle, offset, frame = self._handle, self.size, pack(payload)
        end = offset + len(frame)
        if end > self._room:
            frame = frame.ljust(end + min(end, _MOST_ROOM) - offset, b"\0")
        self.broken = True  # until it is over: an interruption leaves it so wherever it comes
        try:
            rest, at = memoryview(frame), offset
            while at < end:  # a disk that is nearly full gives less room
                at += os.pwrite(handle, rest[at - offset :], at)
            os.fdatasync(handle)
        except OSError:
            try:
                os.ftruncate(handle, offset)
            finally:
                self.close()
            raise
        self.size, self._room = end, max(self._room, at)
        self.broken = False
        return offset

    def close(self, *, trim: bool = False) -> None:
        """Close the file, which takes nothing more; harmless when it is closed.

        Args:
            trim: Give back the room after the last frame. An interrupted append has left a whole frame, which is kept,
                or a torn one. Not for a forked child: it has the file too, and knows an older end.
        """
        handle, self._handle = self._handle, None
        if handle is None:
            return
        try:
            if trim:
                frame = read_frame(handle, self.size, os.fstat(handle).st_size)
                os.ftruncate(handle, self.size if frame is None else frame.end)
        finally:
            os.close(handle)


def _checksum(payload: bytes) -> int:
    # The length is part of it, so that a stretch of zeros, as a power cut may leave, is not an empty frame.
    return zlib.crc32(payload, zlib.crc32(_LENGTH.pack(len(payload))))


def _next_sound(handle: int, start: int, end: int) -> int | None:
    rest = os.pread(handle, end - start, start)
    position = rest.find(_MAGIC, 1)
    while position != -1:
        if read_frame(handle, start + position, end) is not None:
            return start + position
        position = rest.find(_MAGIC, position + 1)
    return None


def scan_file(path: Path, losses: Losses) -> Iterator[bytes]:
    """Yield the encoded records of a journal file that are sound, in order; what is damaged is noted.

    Args:
        path: The file.
        losses: Where damage is noted; also bytes at the end that are no whole frame, but not room.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        end = 0
        for frame in frames(handle, path, losses=losses):
            yield from frame.payload.split(b"\n")
            end = frame.end
        if torn := os.pread(handle, max(0, filled(handle) - end), end):
            ids = ids_in(torn)
            reason = (
                f"the last {len(torn)} bytes are no whole record: a killed writer leaves such, which the next writer"
                " cuts off, and so does a copy that was cut short"
            )
            losses.add(path, end, reason, len(ids) or None, ids)
    finally:
        os.close(handle)
