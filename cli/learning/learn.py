"""The commands that learn into weights: corpora, Fisher information, fine-tuning and evaluation."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ...collectors.progress import progress_bar
from ...errors import ConfigError
from ...store.manifest import NAME
from ..console import make_console, say, tame_libraries
from . import commands

if TYPE_CHECKING:
    from ...learners.evaluation.result import Evaluation

_FEW: Final = 32
"""Of fewer examples from a store it is said why they are few."""


def corpora(command: commands.Corpora) -> None:
    """Make questions out of a store."""
    from ...learners.corpora.files import make_corpora

    console = make_console()
    with progress_bar(console, "Examples") as advance:
        report = make_corpora(command.store, command.out, command.corpus, progress=advance)
    console.print(report.table())


def fisher(command: commands.Fisher) -> None:
    """Estimate Fisher information."""
    from ...learners.fisher.file import fisher_to_file
    from ...learners.models.load import load_model
    from ...learners.models.stdlib_text import stdlib_text
    from ...learners.training.batches import read_texts, sequences_of
    from ...pretrained import has_text

    if command.out.suffix != ".safetensors":
        raise ConfigError(f"Fisher information is kept in a .safetensors file, not in {command.out.name!r}.")
    if not command.texts and not has_text(command.model):
        raise ConfigError("Name files of reference text with --texts: Fisher information is estimated from it.")
    tame_libraries()
    console = make_console()
    with progress_bar(console, "base") as advance:
        model, tokenizer = load_model(command.model, command.device, progress=advance)
    texts = read_texts(command.texts) if command.texts else stdlib_text().train
    rows = sequences_of(texts, tokenizer, command.length)[: command.sequences]
    import torch

    with progress_bar(console, "Fisher") as advance:
        found = fisher_to_file(model, list(torch.from_numpy(rows)), command.out, command.fisher, progress=advance)
    say(f"{command.out}: {found.meta.sequences} sequences, {found.meta.tokens} tokens.")


def learn(command: commands.Learn) -> None:
    """Tune a model."""
    from ...learners.config import LearnConfig
    from ...learners.finetuning import finetune

    tame_libraries()
    console = make_console()
    adapted = command.adapter or "lora" in command.method.split("+")
    training = dataclasses.replace(command.training, lora=command.lora if adapted else None)
    given = {one.name: getattr(command, one.name) for one in dataclasses.fields(LearnConfig)}
    config = LearnConfig(**given | {"training": training})
    with progress_bar(console, "Learning") as advance:

        def watch(now: Mapping[str, float]) -> None:
            advance(int(now["step"]), int(now["steps"]))

        report = finetune(config, notify=lambda text: console.print(text, markup=False, soft_wrap=True), watch=watch)
    for note in report.notes:
        say(note)
    if not report.done_before and report.examples < _FEW and (command.data / NAME).is_file():
        say(
            f"There are {report.examples:,} examples only: episodes of one goal that begin alike give one plan. For an "
            "example of every step: pathei store export --format prompt-completion, and learn from that file."
        )
    if report.done_before:
        say(f"The run is done already: {report.model}")
        return
    say(
        f"{report.model}: {report.method}, {report.examples} examples, {report.steps} steps, "
        f"loss {report.loss:.3f}, {report.seconds:.0f} s.\nNext: pathei eval {command.out}"
    )


def evaluate(command: commands.Eval) -> None:
    """Ask tuned models, and others next to them, what was held out."""
    from ...collectors.progress import PlainLines
    from ...learners.evaluation.evaluate import EvaluationConfig
    from ...learners.evaluation.run import EvaluateRunConfig, ask_lm_eval, evaluate_model, evaluate_run
    from ...pretrained import EXAMPLES
    from ...views.pareto import evaluation_table, harness_table, pareto_picture, points_of

    if not command.runs:
        raise ConfigError("Name at least one run that `pathei learn` finished, or a model and its questions (--data).")
    from ...learners.pretrain.run import is_pretrained
    from .pretrain import compare_pretrained

    tame_libraries()
    if any(is_pretrained(Path(name)) for name in command.runs):
        compare_pretrained([Path(name) for name in command.runs], overwrite=command.overwrite)
        return
    console = make_console()
    asking = EvaluationConfig(execute=command.execute, batch=command.batch)
    config = EvaluateRunConfig(
        command.splits, command.limit, command.data, command.texts, asking, command.device, command.retention
    )
    runs = [name for name in command.runs if (Path(name) / EXAMPLES).is_file()]
    examples = Path(runs[0]) / EXAMPLES if runs else command.data[0] if command.data else None
    found: dict[str, Evaluation] = {}
    harness: dict[str, Mapping[str, Mapping[str, float]]] = {}
    for name in command.runs:
        with console.status("") as status:
            plain = PlainLines(console)

            def tell(part: str, name: str = name, status: Any = status, plain: PlainLines = plain) -> None:
                plain.say(f"{name}: {part}")
                status.update(f"{name}: {part}")

            title = Path(name).name
            if name in runs:
                found[title] = evaluate_run(Path(name), config, overwrite=command.overwrite, watch=tell)
            else:
                found[title] = evaluate_model(name, config, examples=examples, watch=tell)
            if command.lm_eval is not None and examples is not None:
                tell("lm-eval")
                harness[title] = ask_lm_eval(name, config, command.lm_eval, examples=examples)
    console.print(evaluation_table(found))
    if harness:
        console.print(harness_table(harness))
    if command.picture is not None:
        pareto_picture(points_of(found, command.splits[0]), command.picture)
        say(f"Picture: {command.picture}")
