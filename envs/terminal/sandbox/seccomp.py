"""A filter of system calls for the sandbox: a second wall behind namespaces and dropped capabilities.

It refuses (EPERM) what no ordinary command needs and kernel exploits do: mounting, namespaces, kernel modules, bpf,
io_uring, keys, tracing, and the two ways to memory that no resource limit counts (`memfd_create`, `shmget`).
Not here: a list of what is allowed, which would break programs that nobody has thought of.
"""

from __future__ import annotations

import platform
import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1

_NEW: Final = (*range(425, 434), 438, 442, 447)
"""io_uring, the newer calls for mounting, pidfd_getfd, mount_setattr, memfd_secret: the same numbers everywhere."""

_X86 = (29, 101, 155, 163, 165, 166, 167, 168, 169, 175, 176, 179, 246, 248, 249, 250, 272, 298, 303, 304, 308, 310)
_ARM = (39, 40, 41, 60, 89, 97, 104, 105, 106, 117, 142, 194, 217, 218, 219, 224, 225, 241, 264, 265, 268, 270, 271)

REFUSED: Final[Mapping[str, tuple[int, frozenset[int]]]] = MappingProxyType(
    {
        "x86_64": (0xC000003E, frozenset((*_X86, 311, 312, 313, 319, 320, 321, 323, *_NEW))),
        "aarch64": (0xC00000B7, frozenset((*_ARM, 272, 273, 279, 280, 282, 294, *_NEW))),
    }
)
"""By machine: its audit number, and the numbers of the refused calls (`asm/unistd.h`)."""


def seccomp_filter(machine: str | None = None) -> bytes:
    """Return the filter as classic BPF, as `bwrap --seccomp` reads it; empty for a machine whose numbers are not known.

    Args:
        machine: As `platform.machine()` names it; this one if None.
    """
    known = REFUSED.get(machine or platform.machine())
    if known is None:
        return b""
    audit, refused = known
    program = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, audit), (_RETURN, 0, 0, _REFUSE), (_LOAD, 0, 0, 0)]
    # Numbers from here on belong to the x32 interface, which would be a way around the list.
    program += [(_AT_LEAST, 0, 1, 0x40000000), (_RETURN, 0, 0, _REFUSE)]
    for number in sorted(refused):
        program += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    return b"".join(struct.pack("<HBBI", *line) for line in [*program, (_RETURN, 0, 0, _ALLOW)])
