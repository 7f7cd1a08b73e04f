"""The runs that a run goes on from, as earlier tasks of a sequence: what each learned, and where its weights stood.

A run that begins at another run's model (`init_from`) may itself have begun at a third. Elastic Weight Consolidation
holds what each of them learned by Fisher information on that task's own examples, estimated at the weights that the
task ended with (Kirkpatrick et al. 2017, section 2.1). Not here: the penalty (`methods.ewc`), and how the quadratics
of several tasks are kept (`methods.sequential`).
"""

from __future__ import annotations

from pathlib import Path

import orjson

from ..errors import ConfigError
from ..pretrained import EXAMPLES
from .run_directory import CONFIG, MODEL


def earlier_runs(init_from: str) -> list[Path]:
    """Return the directories of the runs that led to a model, the first one first.

    Args:
        init_from: A finished run's directory, or the `model` folder in it.

    Raises:
        ConfigError: it is no finished run with its examples, or runs begin at each other in a circle.
    """
    found: list[Path] = []
    while init_from:
        folder = Path(init_from).expanduser()
        run = folder.parent if folder.name == MODEL and (folder.parent / CONFIG).is_file() else folder
        if any(run.resolve() == one.resolve() for one in found):
            raise ConfigError(f"The run {run} began at its own model: name a run that was made before it.")
        if not all((run / name).exists() for name in (CONFIG, EXAMPLES, MODEL)):
            raise ConfigError(
                f"{init_from} is no finished run of `pathei learn`, so the task that it learned is not known: name a "
                "run's directory as `init_from`, or leave `methods.ewc.earlier` off."
            )
        found.insert(0, run)
        before = str(orjson.loads((run / CONFIG).read_bytes()).get("init_from") or "")
        init_from = _beside(before, run)
    return found


def _beside(before: str, run: Path) -> str:
    """Return a stored path as it reads now: runs that were moved together are still side by side."""
    path = Path(before)
    if not before or path.exists():
        return before
    own = path.parent.name if path.name == MODEL else path.name
    return str(run.parent / own) if (run.parent / own).exists() else before
