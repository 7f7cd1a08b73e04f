"""The command of the closed loop as data; see `commands`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ..loop.config import LoopConfig


@dataclass(frozen=True)
class Loop:
    """Collect, learn, and collect again with the better agent, measured on held-out tasks.

    Run it again to resume.
    """

    out: Positional[Path]
    """The loop's directory; made if it is not there."""
    loop: Annotated[LoopConfig, arg(name="")] = field(default_factory=LoopConfig)
    """What to do."""
    report: bool = True
    """Whether to write `report.html`, with curves and two transcripts: before and after learning."""


__all__ = ["Loop"]
