"""What the Minecraft world runs in: node, and node's packages by lockfile. Not here: talking to it (`game`)."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..foreign import ForeignRuntime
from ..foreign.install import Runtime, RuntimeBuilder
from ..registry import Requirement

SERVER: Final = Path(__file__).with_name("server")
"""The node part."""
_PACKAGES: Final = ("package.json", "package-lock.json")
_DEBIAN: Final = "apt-get install nodejs npm"


def build(builder: RuntimeBuilder) -> None:
    """Install node's packages as the lockfile has them."""
    for name in _PACKAGES:
        shutil.copyfile(SERVER / name, builder.folder / name)
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-progress")
    builder.run("install node's packages by lockfile (about 500 MB)", "npm", "ci", *quiet)


RUNTIME: Final = Runtime(
    name="minecraft",
    what="The Minecraft world",
    version=hashlib.sha256((SERVER / _PACKAGES[1]).read_bytes()).hexdigest()[:16],
    build=build,
)
"""What `pathei env install minecraft` installs."""


def check_minecraft() -> Sequence[Requirement]:
    """Look for node, npm and the packages."""
    node, npm = shutil.which("node"), shutil.which("npm")
    return [
        Requirement("node 18 or newer", node is not None, node or _DEBIAN),
        Requirement("npm, to install with", npm is not None, npm or _DEBIAN, required=False),
        RUNTIME.requirement(),
    ]


def start() -> ForeignRuntime:
    """Start the node process.

    Raises:
        InstallError: it is not installed.
        ForeignRuntimeError: it does not start.
    """
    modules = str(RUNTIME.require() / "node_modules")
    command = ["node", str(SERVER / "main.js")]
    return ForeignRuntime(command, env={"NODE_PATH": modules}, name="The Minecraft world")
