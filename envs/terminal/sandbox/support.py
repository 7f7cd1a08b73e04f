"""What the terminal finds on this machine: the program, the kernel's consent, and the limits that are in force."""

from __future__ import annotations

import shutil
import subprocess

from ....errors import MissingDependencyError, WorldError
from ...contract import Requirement
from ..tasks.filesystems import bare_entries
from .groups import advice
from .sandbox import Frozen, Sandbox, ShellState
from .seccomp import seccomp_filter

_PROBE = "rm -r /home/agent && mkdir /home/agent && cd /home/agent && echo well > a && cat a"
"""A directory that is removed and made again needs all that the overlay has to be able to do."""


def doctor() -> list[Requirement]:
    """Look at what is there, by starting a sandbox and running a command in it."""
    found = shutil.which("bwrap")
    if found is None:
        return [Requirement("bubblewrap", False, "apt install bubblewrap")]
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    checks = [Requirement("bubblewrap", True, version)]
    try:
        sandbox = Sandbox()
    except (MissingDependencyError, WorldError) as error:
        return [*checks, Requirement("sandbox", False, str(error))]
    try:
        sandbox.start(Frozen(sandbox.plant(bare_entries()), ShellState("", "/home/agent")))
        ran = sandbox.run(_PROBE)
        good = ran.output == b"well\n"
        said = ran.output.decode("utf-8", "replace").strip()
        checks.append(Requirement("sandbox", good, "starts, and can change files" if good else f"{said}; {advice()}"))
        groups = sandbox.confined_by
        limits = (
            f"memory and processes by control groups ({', '.join(groups)})"
            if groups
            else "no control group may be made"
        )
        checks.append(
            Requirement("limits", True, f"resource limits and the keeper's own counting; {limits}", required=False)
        )
    except WorldError as error:
        checks.append(Requirement("sandbox", False, f"{error} {advice()}"))
    finally:
        sandbox.close()
    known = bool(seccomp_filter())
    note = "system calls are filtered" if known else "no filter is known for this processor"
    return [*checks, Requirement("seccomp", known, note, required=False)]


def screen_doctor() -> list[Requirement]:
    """Look at what the terminal's screen needs, and at the programs that its generated tasks use."""
    programs = [
        Requirement(
            name, shutil.which(name, path="/usr/bin:/bin") is not None, f"apt install {package}", required=False
        )
        for name, package in (("vi", "vim-tiny"), ("less", "less"), ("python3", "python3"))
    ]
    return [*doctor(), Requirement.packages("pyte", "pyte", extra="terminal"), *programs]


def missing() -> str | None:
    """Say why the terminal cannot run here, in one sentence; None if it can."""
    missing = [f"{check.what}: {check.note}" for check in doctor() if check.required and not check.ok]
    return "; ".join(missing) or None
