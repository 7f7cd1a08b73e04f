"""The commands that learn without labels: `pathei pretrain`, and `pathei eval` of its runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...collectors.progress import progress_bar
from ...errors import ConfigError
from ..console import make_console, say, tame_libraries
from .commands import Pretrain

if TYPE_CHECKING:
    from ...learners.pretrain.run import PretrainScore
    from ...learners.pretrain.training import Watch


def pretrain(command: Pretrain) -> None:
    """Train an encoder."""
    from ...learners.pretrain.config import PretrainConfig
    from ...learners.pretrain.run import pretrain as run

    tame_libraries()
    console = make_console()
    config = PretrainConfig(out=command.out, store=command.store, **dataclasses.asdict(command.options))
    with progress_bar(console, "Learning") as advance:
        model = run(config, _watch(advance))
    say(f"{model}: for AutoModel.from_pretrained.\nNext: pathei eval {command.out}")


def compare_pretrained(runs: Sequence[Path], *, overwrite: bool) -> None:
    """Measure runs of `pathei pretrain`, or read what was measured, and set them side by side."""
    from ...learners.pretrain.run import evaluate_pretrained, is_pretrained, read_config
    from ...views.pretraining import pretrain_table

    others = [str(path) for path in runs if not is_pretrained(path)]
    if others:
        raise ConfigError(f"{others[0]} is no run of `pathei pretrain`, and the others are: measure it by itself.")
    console = make_console()
    found: dict[str, tuple[str, PretrainScore]] = {}
    for path in runs:
        with progress_bar(console, "Control") as advance:
            score = evaluate_pretrained(path, overwrite=overwrite, watch=_watch(advance))
        found[str(path)] = (read_config(path).objective, score)
    console.print(pretrain_table(found))


def _watch(advance: Callable[[int, int], None]) -> Watch:
    """Return what moves a bar after every step."""
    return lambda now: advance(int(now["step"]), int(now["steps"]))
