"""What `pathei eval` does: evaluate the model of a run on held-out examples, and compare it with its base.

Results go to `evaluation/` in the run's directory: `parts.jsonl` during the evaluation, and at the end
`evaluation.json`, with the resolved configuration and the versions. Called again, it continues, or returns the stored
result. Not here: tables and pictures (`views`).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import orjson

from ...errors import ConfigError, LearningError, at_least, check
from ...pretrained import EXAMPLES, is_tiny
from ..examples import Example, Split, read_examples
from ..models.load import load_model
from ..models.stdlib_text import stdlib_text
from ..run_directory import CONFIG, MODEL, note_versions, only_writer, refuse_another, settle, write_json
from ..training.batches import read_texts
from .evaluate import EvaluationConfig, Watch, evaluate
from .lm_eval import run_tasks, write_tasks
from .metrics import metrics_of, rouge
from .result import Evaluation

EVALUATION: Final = "evaluation"
"""Within a run's directory."""
RESULT: Final = "evaluation.json"


@dataclass(frozen=True, slots=True)
class EvaluateRunConfig:
    """Which examples a run is evaluated on, and how."""

    splits: tuple[Split, ...] = ("seen", "unseen")
    """The splits of the examples."""
    limit: int = 200
    """The maximum number of examples of each kind and split, the first ones."""
    data: tuple[Path, ...] = ()
    """Files of examples; those of the run if there are none."""
    texts: tuple[Path, ...] = ()
    """Files of held-out reference text. If there are none, the tiny model uses its own; with another base, forgetting
    is not measured."""
    asking: EvaluationConfig = field(default_factory=EvaluationConfig)
    device: str = "cpu"
    retention: bool = False
    """Whether prose, code, dialogue and knowledge are measured too."""

    def __post_init__(self) -> None:
        """Raise `ConfigError` if a field is out of range."""
        rules = {**at_least(self, limit=1), "splits must name at least one split": bool(self.splits)}
        check(rules, "evaluation configuration")


def evaluate_run(
    run: Path, config: EvaluateRunConfig, *, overwrite: bool = False, watch: Watch | None = None
) -> Evaluation:
    """Evaluate the model of a finished run, and measure forgetting against its base.

    Args:
        run: The run's directory, as `pathei learn` made it.
        config: The examples and settings.
        overwrite: Whether to remove first what another configuration measured here.
        watch: Called with the name of the next part.

    Raises:
        ConfigError: it was evaluated here by another configuration.
        LearningError: the run is not finished, or holds nothing to ask.
        PatheiError: a file cannot be read, or a plan's environment cannot be made.
    """
    if not (run / MODEL).is_dir():
        raise LearningError(f"{run} has no model: finish the run with `pathei learn` first.")
    examples = _asked(config, run / EXAMPLES)
    name = str(orjson.loads((run / CONFIG).read_bytes())["model"])
    texts = _texts(config, name)
    folder = run / EVALUATION
    with only_writer(folder):
        try:
            refuse_another(folder, config)
        except ConfigError as error:
            if not overwrite:
                reason = str(error).partition(": configure")[0]
                raise ConfigError(f"{reason}: evaluate it as before, or add --overwrite to replace it.") from error
            _remove(folder)
        model, tokenizer = load_model(run / MODEL, config.device)
        base, _ = load_model(name, config.device)
        settle(folder, config)
        note_versions(folder)
        found = evaluate(
            model,
            tokenizer,
            examples,
            language_texts=texts,
            base=base,
            asking=config.asking,
            folder=folder,
            watch=watch,
            retention=config.retention,
        )
        write_json(folder / RESULT, found.summary())
    return found


def _remove(folder: Path) -> None:
    """Remove an evaluation, its configuration last, so that one that was half removed is still refused."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name == CONFIG):
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "lock":
            path.unlink()


def evaluate_model(
    name: str, config: EvaluateRunConfig, *, examples: Path | None = None, watch: Watch | None = None
) -> Evaluation:
    """Evaluate any model, such as a base before it is tuned; nothing is written.

    Args:
        name: A model's folder, its id on the hub, an adapter, a GGUF file, `tiny` or `smollm2`.
        config: The examples and settings.
        examples: A file of examples, for where the configuration names none.
        watch: Called with the name of the next part.

    Raises:
        LearningError: there is nothing to ask.
        PatheiError: the model or a file cannot be read, or a plan's environment cannot be made.
    """
    if not config.data and examples is None:
        if not Path(name).exists():
            raise LearningError(f"Nothing is at {name}: name a run of `pathei learn`, or a model with --data.")
        raise LearningError(
            f"{name} is no run with held-out examples of its own: name files of examples (--data), or a run next to it."
        )
    asked = _asked(config, examples)
    model, tokenizer = load_model(name, config.device)
    texts, asking = _texts(config, name), config.asking
    return evaluate(
        model, tokenizer, asked, language_texts=texts, asking=asking, watch=watch, retention=config.retention
    )


def ask_lm_eval(name: str, config: EvaluateRunConfig, folder: Path, *, examples: Path) -> dict[str, dict[str, float]]:
    """Ask a run or another model the same questions and text through lm-eval.

    Args:
        name: As for `evaluate_model`; a run's directory for its model.
        config: The examples and settings.
        folder: Where lm-eval's tasks are written, with their data.
        examples: A file of examples, for where the configuration names none.

    Returns:
        By task, lm-eval's metrics; see `lm_eval.run_tasks`.

    Raises:
        MissingDependencyError: lm-eval is not installed.
        PatheiError: the model or a file cannot be read, or nothing among the questions has choices.
    """
    asked, run = _asked(config, examples), Path(name) / CONFIG
    base = str(orjson.loads(run.read_bytes()).get("model", name)) if run.is_file() else name
    tasks = write_tasks(folder, asked, _texts(config, base))
    model, tokenizer = load_model(name, config.device)
    return run_tasks(model, tokenizer, folder, tasks, batch=config.asking.batch)


def _asked(config: EvaluateRunConfig, own: Path | None) -> list[Example]:
    """Return what is asked: of the files that a configuration names, or else of this one."""
    files = config.data or (() if own is None else (own,))
    examples = asked_of(files, config.splits, config.limit)
    if not examples:
        raise LearningError(
            f"{' and '.join(map(str, files))} holds no questions of {' or '.join(config.splits)}: "
            + (
                "lines that name no split are of `train` (--splits train)."
                if config.data
                else "ask those that were learned from (--splits train), or name files (--data)."
            )
        )
    if any(metric.startswith("rouge") for one in examples for metric in metrics_of(one)):
        rouge("", "")  # which says at once if its package is missing
    return examples


def _texts(config: EvaluateRunConfig, model: str) -> list[str]:
    """Return held-out reference text; the tiny model has its own."""
    if config.texts:
        return read_texts(config.texts)
    return list(stdlib_text().held_out) if is_tiny(model) else []


def asked_of(files: Sequence[Path], splits: Sequence[Split], limit: int) -> list[Example]:
    """Return the questions of some files that belong to these splits, at most `limit` of each kind and split.

    Conversations are not among them: they are learned from, and an agent's conversation is judged by playing.

    Raises:
        RecordError: a file cannot be read.
    """
    counts: dict[tuple[str, str], int] = {}
    found = []
    for one in (example for file in files for example in read_examples(file)):
        key = (one.kind, one.split)
        if not one.turns and one.split in splits and counts.get(key, 0) < limit:
            counts[key] = counts.get(key, 0) + 1
            found.append(one)
    return found
