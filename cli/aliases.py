"""Old spellings of options, which keep working for one release and print one line that says so.

Not here: the options themselves (`commands`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

OPTIONS: Final = MappingProxyType(
    {
        "--training.batch": "--training.batch-size",
        "--training.accumulation": "--training.gradient-accumulation-steps",
        "--training.clip": "--training.max-grad-norm",
        "--start": "--init-from",
        "--knobs.ewc-strength": "--methods.ewc.strength",
        "--knobs.l2sp-strength": "--methods.l2sp.strength",
        "--knobs.replay-sequences": "--methods.replay.sequences",
        "--knobs.replay-weight": "--methods.replay.weight",
        "--knobs.kl-sequences": "--methods.kl.sequences",
        "--knobs.kl-weight": "--methods.kl.weight",
        "--knobs.wise-alpha": "--methods.wise-ft.alpha",
        "--knobs.samples": "--reference.samples",
        "--knobs.sequence-length": "--reference.sequence-length",
        "--knobs.fisher-sequences": "--reference.fisher-sequences",
    }
)
"""The new spelling of each old option."""
COMMANDS: Final = MappingProxyType({"memory": MappingProxyType({"--world": "--env"})})
"""Options that have a new spelling in one command only, by its first word."""


def replace_old_options(args: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return arguments in today's spelling, and one line for each old option that was replaced."""
    now: list[str] = []
    notes: list[str] = []
    own: Mapping[str, str] = COMMANDS.get(args[0], {}) if args else {}
    for arg in args:
        name, equals, value = arg.partition("=")
        new = own.get(name) or OPTIONS.get(name.replace("_", "-"))
        if new is not None:
            notes.append(f"{name} is now called {new}; the old name works until the next release.")
        now.append(arg if new is None else f"{new}{equals}{value}")
    return now, notes


__all__ = ["COMMANDS", "OPTIONS", "replace_old_options"]
