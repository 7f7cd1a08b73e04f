"""Control groups for a sandbox, where they can be made, and what to enable on a machine that refuses one."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .sandbox import Limits

_MIB: Final = 1 << 20


def remove_groups(groups: Iterable[str]) -> None:
    """Remove empty control groups; a keeper does that itself, unless it was killed."""
    for group in groups:
        with contextlib.suppress(OSError):
            os.rmdir(group)


def make_groups(limits: Limits) -> list[str]:
    """Make control groups of our own for memory and processes, where we may, and return their paths.

    They stand behind the keeper's own counting, which is more exact; the kernel enforces them where it looks too late.
    """
    made: list[str] = []
    name = f"pathei-{os.getpid()}-{time.monotonic_ns()}"
    memory = str((limits.memory + limits.snapshots + limits.disk + 64) * _MIB)
    processes = str(limits.processes + 32)
    for where, files in _group_places():
        remove_groups(
            str(old) for old in Path(where).glob("pathei-*") if not Path("/proc", old.name.split("-")[1]).exists()
        )
        group = os.path.join(where, name)
        try:
            os.mkdir(group)
        except OSError:
            continue
        wanted = [(f, memory if f.startswith("memory") else processes) for f in files]
        try:
            for file, value in wanted:
                with open(os.path.join(group, file), "r+") as limit:
                    limit.write(value)
            made.append(group)
        except OSError:
            os.rmdir(group)
    return made


def _group_places() -> list[tuple[str, tuple[str, ...]]]:
    """Return where groups below our own can be made: the directory, and the files of the limits to write."""
    places: list[tuple[str, tuple[str, ...]]] = []
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return places
    for line in lines:
        _, kinds, path = line.split(":", 2)
        if kinds == "" and os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
            places.append((f"/sys/fs/cgroup{path}", ("memory.max", "pids.max")))
        for kind, file in (("memory", "memory.limit_in_bytes"), ("pids", "pids.max")):
            if kind in kinds.split(","):
                places.append((f"/sys/fs/cgroup/{kind}{path}", (file,)))
    return places


def advice() -> str:
    """Say what to enable on this machine so that namespaces and mounts are allowed."""
    for file, bad, command in (
        ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sudo sysctl kernel.unprivileged_userns_clone=1"),
        (
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        ("/proc/sys/user/max_user_namespaces", "0", "sudo sysctl user.max_user_namespaces=10000"),
    ):
        try:
            if Path(file).read_text().strip() == bad:
                return f"allow user namespaces with `{command}`."
        except OSError:
            continue
    return (
        "it needs Linux 6.6 or newer with user namespaces and overlayfs; in a container start it with "
        "`--security-opt seccomp=unconfined --security-opt apparmor=unconfined`, or as root with CAP_SYS_ADMIN."
    )
