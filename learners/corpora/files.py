"""A store to files of examples: `train.jsonl`, `seen.jsonl`, `unseen.jsonl`, and what they were made of.

The same store and configuration give the same bytes, so making them again after an interruption is all that resuming
takes. `corpora.json` is written last: where it is, the others are whole. Not here: making the examples (`building`).
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from ...errors import ConfigError
from ...experience import Json, Trajectory
from ...store import ExperienceStore, flagged
from ...store.durable import explained, write_atomically
from ..examples import SPLITS, Example, write_examples
from .building import build_corpora
from .config import CorpusConfig

if TYPE_CHECKING:
    from rich.table import Table

REPORT: Final = "corpora.json"
"""The file that says what the others hold."""


@dataclass(frozen=True, slots=True)
class KindReport:
    """The examples of one kind in one split."""

    kind: str
    split: str
    examples: int
    majority: float
    """How often always giving the most frequent answer is right, in [0, 1]."""
    chance: float
    """How often a choice at random is right; 0 where the answer is generated."""
    longest: int
    """Words of the longest prompt."""


@dataclass(frozen=True, slots=True)
class CorporaReport:
    """What was made of a store."""

    config: CorpusConfig
    store: Mapping[str, Json]
    """What identifies the store's content: how many trajectories, and the SHA-256 of their ids."""
    kinds: tuple[KindReport, ...]

    def table(self) -> Table:
        """Return it as a table, one row for each kind."""
        from rich.table import Table

        table = Table(title="Corpora", box=None, title_justify="left")
        table.add_column("kind")
        for split in SPLITS:
            table.add_column(split, justify="right")
        table.add_column("majority", justify="right")
        table.add_column("chance", justify="right")
        for kind in dict.fromkeys(row.kind for row in self.kinds):
            rows = {row.split: row for row in self.kinds if row.kind == kind}
            counts = [str(rows[split].examples) if split in rows else "0" for split in SPLITS]
            one = next(iter(rows.values()))
            chance = f"{one.chance:.2f}" if one.chance else "-"
            table.add_row(kind, *counts, f"{one.majority:.2f}", chance)
        return table


def make_corpora(
    store: Path,
    out: Path,
    config: CorpusConfig | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> CorporaReport:
    """Make the examples of a store and write them.

    Args:
        store: The directory of an experience store; it may be written to meanwhile.
        out: The directory of the files; made if need be, and files of an earlier call are replaced.
        config: What to make.
        progress: As for `build_corpora`.

    Raises:
        StoreError: there is no store, it is damaged, or `out` cannot be written.
        ConfigError: nothing in the store can be made into examples.
        RecordError: the facts of an episode are malformed.
    """
    config = CorpusConfig() if config is None else config
    with ExperienceStore.open(store, mode="read") as opened:
        names = _Names(flagged(opened.path, opened.trajectories(), config.flags))
        examples = build_corpora(names, config, expand=opened.expand, progress=progress)
    if not examples:
        raise ConfigError(
            f"Nothing in the store {store} can be made into examples ({names.count} episodes): collect successful "
            "episodes of an environment with graph facts."
        )
    report = CorporaReport(config, names.identity(), report_on(examples))
    with explained(out):
        for split in SPLITS:
            write_examples(out / f"{split}.jsonl", [example for example in examples if example.split == split])
        data = orjson.dumps(dataclasses.asdict(report), option=orjson.OPT_INDENT_2) + b"\n"
        write_atomically(out / REPORT, data, out / f"{REPORT}.tmp")
    return report


def report_on(examples: Sequence[Example]) -> tuple[KindReport, ...]:
    """Count examples by kind and split, in the order in which they come."""
    groups: dict[tuple[str, str], list[Example]] = {}
    for example in examples:
        groups.setdefault((example.kind, example.split), []).append(example)
    return tuple(_kind_report(kind, split, group) for (kind, split), group in groups.items())


def _kind_report(kind: str, split: str, group: Sequence[Example]) -> KindReport:
    answers = Counter(str(example.source.get("answer", example.completion)) for example in group)
    chance = sum(1 / len(example.choices) for example in group if example.choices) / len(group)
    longest = max(len(example.prompt.split()) for example in group)
    majority = max(answers.values()) / len(group)
    return KindReport(kind, split, len(group), round(majority, 4), round(chance, 4), longest)


class _Names:
    """Passes trajectories on and notes which they were."""

    def __init__(self, trajectories: Iterator[Trajectory]) -> None:
        self._trajectories = trajectories
        self._ids: list[str] = []

    def __iter__(self) -> Iterator[Trajectory]:
        for trajectory in self._trajectories:
            self._ids.append(trajectory.id)
            yield trajectory

    @property
    def count(self) -> int:
        return len(self._ids)

    def identity(self) -> dict[str, Json]:
        digest = hashlib.sha256("\n".join(sorted(self._ids)).encode())
        return {"trajectories": self.count, "ids_sha256": digest.hexdigest()}
