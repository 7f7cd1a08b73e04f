"""The few system calls that Python has no function for; part of the keeper, standard library only."""

from __future__ import annotations

import ctypes
import os
from typing import Final

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID = 0x00020000, 0x10000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 1024, 16384, 1 << 18
MNT_DETACH, PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 2, 1, 4
LIBC: Final = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    """Raise the error of a C function that returned it.

    Raises:
        OSError: `result` is not 0.
    """
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Attach a file system to a directory."""
    result = LIBC.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode())
    check(result, f"mount {kind} on {target}")


def unmount(target: str) -> None:
    """Unmount something lazily, as umount2(2) does: it stays for those that still use it."""
    check(LIBC.umount2(target.encode(), MNT_DETACH), f"umount {target}")
