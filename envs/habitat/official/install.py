"""The interpreter with habitat-sim: where it is, how conda makes one, and what a doctor finds in it.

No package index has habitat-sim for Linux: conda's channel `aihabitat` does, or one builds it. Not here: driving it
(`backend`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ....errors import ConfigError, ForeignRuntimeError, InstallError
from ...contract import Requirement
from ...foreign import ForeignRuntime, python_command
from ...foreign.install import Runtime, RuntimeBuilder

PYTHON_VARIABLE: Final = "PATHEI_HABITAT_PYTHON"
"""The environment variable that names an interpreter with habitat-sim."""
GPU_VARIABLE: Final = "PATHEI_HABITAT_GPU"
"""The environment variable that names the CUDA device to draw with; -1 is the processor."""
_CONDAS: Final = ("micromamba", "mamba", "conda")
_PACKAGES: Final = ("python=3.9", "habitat-sim=0.3.3", "withbullet", "headless")
_CHANNELS: Final = ("conda-forge", "aihabitat")
_PROBE_S: Final = 120.0


def build(builder: RuntimeBuilder) -> None:
    """Make a conda environment with habitat-sim.

    Raises:
        InstallError: there is no conda, or it failed.
    """
    conda = next((found for name in _CONDAS if (found := shutil.which(name))), None)
    if conda is None:
        raise InstallError(
            f"habitat-sim comes from conda, and none of {', '.join(_CONDAS)} is here: install one of them and run this "
            f"again, or set {PYTHON_VARIABLE} to an interpreter that has habitat-sim 0.2.5 to 0.3.4."
        )
    channels = [word for channel in _CHANNELS for word in ("--channel", channel)]
    builder.run("make a conda environment with habitat-sim (about 3 GB)", conda, "create", "--yes", "--prefix",
                builder.folder / "env", *channels, *_PACKAGES)  # fmt: skip


RUNTIME: Final = Runtime(name="habitat", what="habitat-sim", version=" ".join(_PACKAGES), build=build)
"""What `pathei env install habitat` installs."""


def python_of() -> Path:
    """Return the interpreter that has habitat-sim: the one that `PATHEI_HABITAT_PYTHON` names, or the installed one.

    Raises:
        InstallError: there is none.
    """
    given = os.environ.get(PYTHON_VARIABLE)
    if given:
        python = Path(given).expanduser()
        if not python.is_file():
            raise InstallError(f"{PYTHON_VARIABLE} names {given}, which is not there.")
        return python
    folder = RUNTIME.folder
    if folder is None:
        raise InstallError(
            f"habitat-sim is not installed: run 'pathei env install {RUNTIME.name}', or set {PYTHON_VARIABLE} to an "
            "interpreter that has it. The embedded simulator needs neither."
        )
    return folder / "env" / "bin" / "python"


def gpus_to_try() -> list[int]:
    """Return the CUDA devices to draw with, in turn; -1 is the processor.

    habitat-sim's own default is device 0, and where that is missing it ends the process without an exception.

    Raises:
        ConfigError: `PATHEI_HABITAT_GPU` holds no number.
    """
    given = os.environ.get(GPU_VARIABLE)
    if given is None:
        return [0, -1] if Path("/dev/nvidia0").exists() else [-1]
    try:
        return [int(given)]
    except ValueError:
        raise ConfigError(f"{GPU_VARIABLE} is a number of a CUDA device, or -1, not {given!r}.") from None


def check_habitat() -> Sequence[Requirement]:
    """Look for what homes can use; habitat-sim is started in a child process."""
    return [
        Requirement("generated homes and the embedded simulator", True, "part of pathei"),
        Requirement.packages("trimesh, to export homes", "trimesh", extra="habitat")._replace(required=False),
        _check_habitat_sim(),
    ]


def _check_habitat_sim() -> Requirement:
    what = "habitat-sim (the back end habitat_sim)"
    try:
        python, said = python_of(), ""
        for gpu in gpus_to_try():
            try:
                said = probe(python, gpu)
                return Requirement(what, True, f"{said}: {python}", False)
            except ForeignRuntimeError as error:
                said = said or str(error)
    except (InstallError, ConfigError) as error:
        return Requirement(what, False, str(error), False)
    return Requirement(what, False, said, False)


def probe(python: Path, gpu: int) -> str:
    """Return what habitat-sim in an interpreter says of itself after drawing one image, in words.

    Raises:
        ForeignRuntimeError: it is not there, is of another version, or cannot draw.
    """
    target = f"{Path(__file__).with_name('child.py')}:probe"
    with ForeignRuntime(python_command(python, target), name="habitat-sim") as child:
        child.call("make", {"gpu": gpu}, _PROBE_S)
        version = child.call("version", {}, _PROBE_S)
    return f"{version}, draws on {'the processor' if gpu < 0 else f'CUDA device {gpu}'}"
