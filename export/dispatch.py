"""Exports: the store's episodes in the forms that others read.

One function, `export`; each format has a module (`pathei list export` names them). Other packages add formats through
the Python entry point group `pathei.exports`.

What an export would lose is refused, not dropped: images above all. Privileged facts are never in `chat` and
`prompt-completion`. Failures are in none of them: they are no experience.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from ..errors import ConfigError, unknown
from ..registry import Lazy, Registry
from ..store import ExperienceStore
from .common import ExportCounts, ExportReport, Selection, output, size_of

_HERE: Final = "pathei.export"
EXPORTS: Final[Registry[Callable[..., ExportCounts]]] = Registry(
    "export",
    {
        "parquet": Lazy(f"{_HERE}.parquet:write_parquet", "one file, one row per step: for datasets and pandas"),
        "chat": Lazy(f"{_HERE}.text:write_chat", "JSON lines, one conversation per episode: for TRL, verl, axolotl"),
        "prompt-completion": Lazy(f"{_HERE}.text:write_prompt_completion", "JSON lines, one row per step: for TRL"),
        "preference": Lazy(
            f"{_HERE}.preferences:write_preferences", "JSON lines, a better and a worse action per line: for TRL's DPO"
        ),
        "atif": Lazy(f"{_HERE}.atif:write_atif", "a folder, one ATIF document per episode: for Harbor and viewers"),
        "minari": Lazy(f"{_HERE}.minari:write_minari", "a Minari dataset: numbers or texts, for offline learning"),
        "agent-traces": Lazy(f"{_HERE}.traces:write_traces", "a folder, one session per episode: for the Hub's viewer"),
        "pddl": Lazy(f"{_HERE}.pddl:write_pddl", "a folder, domain and problem of each task: for planners"),
        "results": Lazy(
            f"{_HERE}.results:write_results", "JSON lines, what was done in each task: for `pathei verify`"
        ),
    },
    label="export format",
)
"""The formats: functions that write one; their keyword-only arguments are the format's options."""
FORMATS: Final = tuple(EXPORTS.builtin)
"""The names of the formats that come with pathei."""


def export(
    store: ExperienceStore,
    format: str,
    path: str | Path,
    *,
    collector: str | None = None,
    success: bool | None = None,
    roots: bool = False,
    flags: Sequence[str] = (),
    overwrite: bool = False,
    **options: object,
) -> ExportReport:
    """Write the episodes of a store in another format.

    Args:
        store: An open store; it is only read.
        format: One of `EXPORTS`.
        path: The file or folder to make.
        collector: Only episodes that this collector played.
        success: Only episodes that reached their goal (True) or failed to (False).
        roots: Only episodes without a parent. Without it every branch is a whole episode of its own.
        flags: Only episodes with all of these flags, which people set in the viewer; `not:bad` is without `bad`.
        overwrite: Replace what is at `path`.
        **options: Options of the format; see the function `write_...` of its module.

    Returns:
        What was written, and how much.

    Raises:
        ExportError: the format would lose something, or the path cannot be written.
        ConfigError: what `format` names cannot be called.
        UnknownNameError: there is no such format, or it has no such option; the message suggests the nearest.
        MissingDependencyError: the format needs a package that is not installed.
    """
    write = EXPORTS.get(format)
    if not callable(write):
        raise ConfigError(f"{format!r} makes no export: it is {write!r:.80}, which cannot be called.")
    known = [name for name, value in inspect.signature(write).parameters.items() if value.kind is value.KEYWORD_ONLY]
    for name in options:
        if name not in known:
            raise unknown(f"option of the {format} export", name, known)
    selection = Selection(store, collector, success, roots, tuple(flags))
    target = Path(path)
    with output(target, overwrite) as temporary:
        written = write(selection, temporary, target, **options)
    return ExportReport(format, target, written, size_of(target))
