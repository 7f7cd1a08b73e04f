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
COMMANDS: Final = MappingProxyType(
    {
        "loop": MappingProxyType({"--world": "--env"}),
        "memory": MappingProxyType({"--world": "--env"}),
        "run": MappingProxyType({"--world": "--env"}),
        "collect": MappingProxyType({"--world": "--env", "--player": "--policy", "--name": "--record-as"}),
    }
)
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
    return (_collector(now, notes) if now[:1] == ["collect"] else now), notes


def _collector(given: list[str], notes: list[str]) -> list[str]:
    """Turn `collect STORE --collector mcts` into `collect mcts STORE`."""
    given, name = _taken(given, "--collector")
    given, model = _taken(given, "--model")
    if model is not None or "model" in given:
        given = [f"lm:{model or ''}" if word == "model" else word for word in given]
        notes.append("--proposer model --model MODEL is now called --proposer lm:MODEL.")
    if name is None:
        return given
    if name != "mcts":
        given = _taken(_taken(given, "--simulations")[0], "--seconds")[0]  # were ignored there
    name = "carry" if name == "errands" else name
    notes.append(f"--collector is now a sub-command, pathei collect STORE {name}; it works until the next release.")
    return [given[0], name, *given[1:]]


def _taken(given: list[str], option: str) -> tuple[list[str], str | None]:
    """Take an option with its value out of the arguments."""
    for place, word in enumerate(given):
        if word == option and place + 1 < len(given):
            return given[:place] + given[place + 2 :], given[place + 1]
        if word.startswith(f"{option}="):
            return given[:place] + given[place + 1 :], word.partition("=")[2]
    return given, None
