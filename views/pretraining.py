"""What self-supervised objectives reached, next to their controls, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from ..learners.pretrain.run import PretrainScore


def pretrain_table(found: Mapping[str, tuple[str, PretrainScore]]) -> Table:
    """Return a row for each run.

    Args:
        found: By the run: its objective, and what it reached.
    """
    from rich.table import Table

    table = Table(
        title="Held-out experience; in brackets, standard errors above the baseline. Probe: area under the ROC curve.",
        title_justify="left",
    )
    table.add_column("run", overflow="fold")
    table.add_column("objective", no_wrap=True)
    for name in ("pretext", "baseline", "control", "its baseline", "probe before", "calibrated", "after", "gain"):
        table.add_column(name, justify="right")
    for run, (objective, one) in found.items():
        table.add_row(
            run,
            objective,
            f"{one.pretext:.3f} ({one.margin:+.1f})",
            f"{one.baseline:.3f}",
            "" if one.control is None else f"{one.control:.3f} ({one.control_margin:+.1f})",
            "" if one.control_baseline is None else f"{one.control_baseline:.3f}",
            f"{one.probe_before:.3f}",
            "" if one.probe_calibrated is None else f"{one.probe_calibrated:.3f}",
            f"{one.probe_after:.3f}",
            f"{one.probe_after - one.probe_before:+.3f}",
        )
    return table
