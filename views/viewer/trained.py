"""What models learned from a store and what they lost, as the viewer shows it: success against language.

Two kinds of files are read: the `loop.json` of a loop whose store it is (two folders up), and the
`evaluation/evaluation.json` of runs in folders next to the store, whichever store they learned from. Not here:
measuring (`pathei eval`, `pathei loop`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from ...experience import Json
from ...learners.evaluation.run import RESULT as EVALUATION
from ...loop.results import ALL
from ...loop.run import RESULT as LOOP

_SPLIT: Final = "seen"
_MOST: Final = 200


def trained(store: Path) -> list[Json]:
    """Return a point for each model that was measured: its name, its round in a loop, success, and forgetting.

    Success is `[mean, low, high]`, a share of goals or of the best answers; `lost` is the increase in nats per token
    on reference text over the base, or None where that was not measured. Files that cannot be read are left out.
    """
    place = store.resolve()
    points = [*_of_loop(place.parent.parent / LOOP), *_of_runs(place.parent)]
    return points[:_MOST]


def _of_loop(path: Path) -> Iterator[dict[str, Json]]:
    for row in _read(path).get("table", ()):
        success = row["success"].get(ALL)
        if success is not None:
            lost = row["forgetting"]
            yield {
                "name": row["agent"],
                "round": row["round"],
                "success": [success["value"], success["low"], success["high"]],
                "lost": None if lost is None else [lost, lost, lost],
            }


def _of_runs(folder: Path) -> Iterator[dict[str, Json]]:
    for path in sorted(folder.glob(f"*/evaluation/{EVALUATION}")):
        found = _read(path)
        skill, lost = found.get("skill", {}).get(_SPLIT), found.get("forgetting")
        if skill is not None:
            yield {
                "name": path.parent.parent.name,
                "round": None,
                "success": [skill["value"], skill["low"], skill["high"]],
                "lost": None if lost is None else [lost["value"], lost["low"], lost["high"]],
            }


def _read(path: Path) -> Mapping[str, Any]:
    try:
        found = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
