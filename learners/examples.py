"""One question with its answer: the unit of corpora, training and evaluation.

A file of examples is JSON Lines in the form that TRL reads (`prompt`, `completion`), with our fields added. Not here:
how examples are generated (`corpora`) and how answers are scored (`evaluation.metrics`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import orjson

from ..errors import RecordError
from ..experience import Json
from ..store.durable import write_atomically

Split = Literal["train", "seen", "unseen"]
"""`train` is learned from; `seen` is held out, of activities and houses that were trained on; `unseen` shares neither
activity nor house with `train`."""
SPLITS: Final[tuple[Split, ...]] = ("train", "seen", "unseen")


@dataclass(frozen=True, slots=True)
class Example:
    """One question with its answer."""

    id: str
    """Unique in its corpus; follows from the source and the seed."""
    kind: str
    """Which corpus: `"plan"`, `"plan-confusing"`, `"plan-bare"`, `"recognition"`, `"inference"`, `"counting"`,
    `"tracking"`, `"location"`, `"relevance"`, `"irrelevance"`."""
    prompt: str
    """What is asked; ends without white space, for example in `"A:"`."""
    completion: str
    """The answer as it follows the prompt: it begins with a space and ends without white space. The trainer adds the
    end-of-sequence token."""
    choices: tuple[str, ...] = ()
    """For multiple choice: completions, `completion` among them once. Empty where the answer is generated."""
    split: Split = "train"
    """What the example is for."""
    source: Mapping[str, Json] = field(default_factory=dict)
    """Where it comes from: `trajectory` and `step`, `activity`, `house`; for plans also `task`, the task as JSON
    (`pathei.experience.task_from_json`) in which a generated plan can be carried out."""


def write_examples(path: Path, examples: Iterable[Example]) -> None:
    """Write examples as JSON Lines, all or nothing."""
    data = b"".join(orjson.dumps(dataclasses.asdict(one)) + b"\n" for one in examples)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, data, path.with_name(path.name + ".tmp"))


def read_examples(path: Path) -> Iterator[Example]:
    """Yield the examples of a file that `write_examples` wrote.

    Raises:
        RecordError: the file is missing, or a line is not an example; says which.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise RecordError(f"There are no examples to read at {path} ({error.strerror}).") from error
    for number, line in enumerate(lines, start=1):
        try:
            data = orjson.loads(line)
            yield Example(**{**data, "choices": tuple(data.get("choices", ()))})
        except (TypeError, ValueError, AttributeError) as error:
            raise RecordError(f"Line {number} of {path} is not an example: {error}.") from error
