"""Our questions and texts as tasks of lm-eval (the Language Model Evaluation Harness), without network.

A folder is written with one task per kind and split of multiple choice, and one of held-out text; anything that runs
lm-eval can use it (`lm_eval --include_path FOLDER --tasks ...`), and `run_tasks` does. Its `acc` rates a choice by the
sum of its log-probabilities, its `acc_norm` by that sum per byte; ours (`scoring`) by their mean per token, or by lift.
Not here: written answers and plans, which lm-eval cannot judge as we do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from ...errors import LearningError
from ...experience import Json
from ...extras import needed_by
from ...store.durable import explained, write_atomically
from ..examples import SPLITS, Example

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedTokenizerBase

TEXT_TASK: Final = "pathei_text"
"""The task of held-out text."""


def write_tasks(folder: Path, examples: Sequence[Example], texts: Sequence[str] = ()) -> tuple[str, ...]:
    """Write tasks and their data; files of the same names are replaced.

    Args:
        folder: Made if it is not there.
        examples: Those with choices are asked, by kind and split.
        texts: Held-out text.

    Returns:
        The names of the tasks: `pathei_<kind>_<split>`, and `TEXT_TASK` if there is text.

    Raises:
        LearningError: there is neither a multiple choice nor text.
    """
    with_choices = [one for one in examples if one.choices]
    names = []
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for kind in dict.fromkeys(one.kind for one in with_choices):
            for split in SPLITS:
                rows = [_row(one) for one in with_choices if (one.kind, one.split) == (kind, split)]
                if rows:
                    names.append(f"pathei_{kind.replace('-', '_')}_{split}")
                    _write(folder, names[-1], rows, _CHOICE)
        if kept := [{"text": text} for text in texts if text]:
            names.append(TEXT_TASK)
            _write(folder, TEXT_TASK, kept, _TEXT)
    if not names:
        raise LearningError("There is nothing for lm-eval to ask: give examples with choices, or text.")
    return tuple(names)


def run_tasks(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    folder: Path,
    names: Sequence[str],
    *,
    batch: int = 16,
) -> dict[str, dict[str, float]]:
    """Run tasks that `write_tasks` wrote, by lm-eval itself; nothing is fetched.

    Args:
        model: A causal language model of transformers.
        tokenizer: The model's.
        folder: Where the tasks are; lm-eval's copies of the data go there too.
        names: Which tasks.
        batch: How many sequences go through the model together.

    Returns:
        By task, lm-eval's metrics: `acc` and `acc_norm`, or `bits_per_byte`, `byte_perplexity` and `word_perplexity`.

    Raises:
        MissingDependencyError: lm-eval is not installed.
    """
    with needed_by("Asking lm-eval", "lm-eval"):
        import lm_eval  # type: ignore[import-untyped]
        from lm_eval.models.huggingface import HFLM  # type: ignore[import-untyped]
        from lm_eval.tasks import TaskManager  # type: ignore[import-untyped]
    found = lm_eval.simple_evaluate(
        model=HFLM(pretrained=model, tokenizer=tokenizer, batch_size=batch),
        tasks=list(names),
        task_manager=TaskManager(include_path=str(folder), include_defaults=False),
        bootstrap_iters=0,
        log_samples=False,
    )
    return {
        name: {
            metric.partition(",")[0]: float(value)
            for metric, value in found["results"][name].items()
            if isinstance(value, float) and "stderr" not in metric
        }
        for name in names
    }


_CHOICE: Final[Mapping[str, Json]] = {
    "output_type": "multiple_choice",
    "doc_to_text": "prompt",
    "doc_to_choice": "choices",
    "doc_to_target": "right",
    # Our choices begin with the space that lm-eval would put before them.
    "target_delimiter": "",
    "metric_list": [
        {"metric": "acc", "aggregation": "mean", "higher_is_better": True},
        {"metric": "acc_norm", "aggregation": "mean", "higher_is_better": True},
    ],
}
_TEXT: Final[Mapping[str, Json]] = {
    "output_type": "loglikelihood_rolling",
    "doc_to_text": "",
    "doc_to_target": "text",
    "metric_list": [{"metric": "bits_per_byte"}, {"metric": "byte_perplexity"}, {"metric": "word_perplexity"}],
}


def _row(example: Example) -> dict[str, Json]:
    right = example.choices.index(example.completion)
    return {"prompt": example.prompt, "choices": list(example.choices), "right": right}


def _write(folder: Path, name: str, rows: Sequence[Mapping[str, Json]], how: Mapping[str, Json]) -> None:
    """Write the data and the task; a file of JSON is one of YAML."""
    data = folder / f"{name}.jsonl"
    task = {
        "task": name,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(data.resolve())}, "cache_dir": str((folder / "cache").resolve())},
        "test_split": "test",
        "num_fewshot": 0,
        **how,
        "metadata": {"version": 1},
    }
    write_atomically(data, b"".join(orjson.dumps(row) + b"\n" for row in rows), data.with_suffix(".tmp"))
    file = folder / f"{name}.yaml"
    write_atomically(file, orjson.dumps(task, option=orjson.OPT_INDENT_2) + b"\n", file.with_suffix(".tmp"))
