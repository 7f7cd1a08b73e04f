"""The interpreter that MineDojo runs in, and what its Java side needs. Not here: what runs in it (`bridge`)."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..contract import Requirement
from ..foreign.install import Runtime, RuntimeBuilder

_OLD_BUILD: Final = ("setuptools==65.5.0", "wheel==0.37.1", "numpy==1.23.5")
"""gym 0.21 says what it requires in a form that later ones refuse."""
_PACKAGES: Final = (("gym==0.21.0",), ("minedojo==0.1", "opencv-python==4.8.1.78"))
_JAR: Final = "build/libs/MalmoMod-0.37.0-fat.jar"
_NAMES: Final = (
    "import json; from minedojo.tasks import ALL_TASK_INSTRUCTIONS as known;"
    "json.dump({key: list(value) for key, value in known.items()}, open('tasks.json', 'w'))"
)


def build(builder: RuntimeBuilder) -> None:
    """Make an interpreter with MineDojo 0.1, and write down which tasks it has."""
    python, venv = sys.executable, builder.folder / "venv"
    builder.run("make an interpreter for MineDojo", python, "-m", "venv", venv)
    pip = (venv / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    builder.run("install what builds gym 0.21", *pip, *_OLD_BUILD)
    for packages in _PACKAGES:
        what = packages[0].replace("==", " ")
        builder.run(f"install {what}", *pip, "--no-build-isolation", *packages, "numpy==1.23.5")
    builder.run("list MineDojo's tasks", venv / "bin" / "python", "-c", _NAMES)


RUNTIME: Final = Runtime(name="minedojo", what="MineDojo", version="0.1-1", build=build)
"""What `pathei env install minedojo` installs."""


def python() -> Path:
    """Return the interpreter.

    Raises:
        InstallError: it is not installed.
    """
    return RUNTIME.require() / "venv" / "bin" / "python"


def task_names() -> dict[str, tuple[str, str]]:
    """Return MineDojo's tasks by id, each with its prompt and its guidance.

    Raises:
        InstallError: MineDojo is not installed.
    """
    listed = json.loads((RUNTIME.require() / "tasks.json").read_text("utf-8"))
    return {name: (texts[0] or "", texts[1] or "") for name, texts in listed.items()}


def check_minedojo() -> Sequence[Requirement]:
    """Look for the package and for what its Java side needs, which may also run already (the option `port`)."""
    java = _java()
    return [
        RUNTIME.requirement(),
        Requirement("Java 8", java.startswith("1.8"), java if java.startswith("1.8") else _no_java_8(java)),
        _found("xvfb-run", "a display without a screen; set MINEDOJO_HEADLESS=1"),
        _mod(),
    ]


def _no_java_8(other: str) -> str:
    """Return how to get it, after which other version is there."""
    there = f"only Java {other} is here; " if other else ""
    return f"{there}Debian 12 has no Java 8: add Adoptium's apt repository, and apt-get install temurin-8-jdk"


def _mod() -> Requirement:
    """Look for the built mod. Its Gradle build fails: what it fetches is gone (MineDojo's issues 77, 113 and 120)."""
    what, folder = "Minecraft 1.11.2 with Malmo's mod, built", RUNTIME.folder
    found = (
        sorted(folder.glob(f"venv/lib/python3*/site-packages/minedojo/sim/Malmo/Minecraft/{_JAR}")) if folder else []
    )
    broken = (
        f"the package's own build is broken (MineDojo issue 113): put a built {Path(_JAR).name} into "
        f"minedojo/sim/Malmo/Minecraft/{Path(_JAR).parent}, or apply MineDojo pull request 137"
    )
    return Requirement(what, bool(found), str(found[0]) if found else broken)


def _found(program: str, why: str) -> Requirement:
    place = shutil.which(program)
    return Requirement(f"{program} ({why})", place is not None, place or "apt-get install xvfb", False)


def _java() -> str:
    """Return the version of `java`; empty where there is none."""
    try:
        said = subprocess.run(["java", "-version"], capture_output=True, text=True, timeout=20, check=False).stderr
    except (OSError, subprocess.TimeoutExpired):
        return ""
    version = re.search(r'version "([^"]+)"', said)
    return version[1] if version else ""
