"""What `pathei learn` does: from a store or files of examples to a tuned model, in a directory that resumes.

Each stage leaves its result in the directory and reuses it the next time: examples, Fisher information, the base's own
samples, checkpoints, and finally the model. Called again with the same configuration, a run continues where it stopped,
or reports that it is done. Not here: evaluation.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import orjson

from ..errors import ConfigError, LearningError, RecordError, check
from ..extras import needed_by
from ..pretrained import EXAMPLES, find_model, has_text
from ..store import ExperienceStore, flagged
from ..store.durable import publish
from .config import LearnConfig, LearnReport
from .corpora.building import build_corpora
from .e2wm import E2WM_FILES, read_e2wm
from .earlier import earlier_runs
from .examples import Example, read_examples, write_examples
from .fisher.file import fisher_to_file
from .fisher.record import FactoredFisher, FisherDiagonal
from .fisher.storage import read_meta
from .methods.ewc_lora import Factors
from .methods.parameters import anchor_of
from .methods.protocol import MethodContext, Need, Regularizer
from .methods.registry import make_regularizers, parse_methods
from .methods.replay import self_generated
from .methods.sequential import Quadratic
from .models.load import context_of, load_model
from .models.stdlib_text import stdlib_text
from .run_directory import (
    ADAPTER,
    FISHER,
    GATHERED,
    MODEL,
    REPORT,
    SAMPLES,
    STEP,
    note_versions,
    only_writer,
    publish_folder,
    refuse_another,
    settle,
    stored_rate,
    write_json,
)
from .training.batches import TokenizedExamples, draw, read_texts, sequences_of, tokenise
from .training.checkpoints import METRICS
from .training.config import LoraConfig, learning_rate_for
from .training.loop import Watch, train
from .training.lora import check_targets, is_adapted, merged, with_lora
from .training.processes import device, first_process_first, process_count, rank

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Notify = Callable[[str], None]
"""Called with one sentence about the stage that begins, or a note for the user."""


def finetune(config: LearnConfig, *, notify: Notify | None = None, watch: Watch | None = None) -> LearnReport:
    """Train as configured, continue a run that was interrupted, or report that it is done.

    Args:
        config: The run; `data` is read at the first start only, and the examples are kept in the directory.
        notify: Called with one sentence at each stage.
        watch: Called after every optimizer step (see `training.loop.train`).

    Raises:
        ConfigError: the directory holds another run, or something that a method needs is missing.
        LearningError: another process uses the directory, or training diverged.
        PatheiError: data or model cannot be read.
    """
    return FineTuner(config, notify=notify, watch=watch).run()


class FineTuner:
    """Fine-tunes a language model in a run's directory."""

    def __init__(self, config: LearnConfig, *, notify: Notify | None = None, watch: Watch | None = None) -> None:
        """Check the configuration; nothing is read or written yet.

        Args:
            config: The run.
            notify: Called with one sentence at each stage.
            watch: Called after every optimizer step.

        Raises:
            ConfigError, UnknownNameError: a method is unknown, or does not fit the rest of the configuration.
        """
        self._methods = parse_methods(config.method)
        self._needs = {need for method in self._methods for need in method.needs}
        self._config = _completed(config, self._needs)
        self._watch = watch
        self._notes: list[str] = []
        self._notify = notify or (lambda sentence: None)

    def run(self, examples: Sequence[Example] | None = None) -> LearnReport:
        """Do what `finetune` does.

        Args:
            examples: Train on those of split `train`, instead of reading `data`.

        Raises:
            ConfigError, LearningError, PatheiError: see `finetune`.
        """
        out, begun = self._config.out, time.monotonic()
        with only_writer(out) if rank() == 0 else contextlib.nullcontext():
            with first_process_first():
                refuse_another(out, self._config)
                if (out / MODEL).exists():
                    return _read_report(out)
                kept = self._examples(examples)
                learned = [one for one in kept if one.split == "train"]
                self._require_packages()
                if not learned:
                    raise LearningError(f"{self._config.data or 'What is given'} holds no examples to learn from.")
                base, tokenizer, text = self.load()
                rows = self._tokenised(learned, base, tokenizer)
                self._check_kept(len(rows.rows))
                settle(out, self._config)
                if note := note_versions(out):
                    self._note(note)
                if not (out / EXAMPLES).exists():
                    write_examples(out / EXAMPLES, kept)
                samples = self._samples(base, tokenizer) if "samples" in self._needs else None
            model, regularizers = self._prepare(base, text, samples)
            trained = self._train(model, tokenizer, learned, rows, regularizers)
            report = self._report(len(rows.rows), time.monotonic() - begun)
            if rank() == 0:
                _publish(out, trained, tokenizer, report)
            return report

    def load(self) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, NDArray[np.int64] | None]:
        """Return the base, its tokenizer and reference text (if a method needs it); nothing is written.

        So everything that the configuration names, the examples apart, is known to be there before a run begins.

        Raises:
            MissingDependencyError: a package that the trainer, the adapter or the model needs is not installed.
            PatheiError: a model, a file of Fisher information or a reference text cannot be read, or does not fit.
        """
        config = self._config
        self._require_packages()
        if config.init_from:
            find_model(config.init_from)
        base, tokenizer = load_model(config.model, device())
        if config.training.lora is not None:
            check_targets(base, config.training.lora)
        if config.fisher is not None and "fisher" in self._needs:
            _read_fisher(config.fisher, base)
        return base, tokenizer, self._reference_text(base, tokenizer) if _needs_text(config, self._needs) else None

    # --- what a run is made of

    def _require_packages(self) -> None:
        """Raise `MissingDependencyError` if a package that the trainer needs is not installed."""
        trl = self._config.training.trainer == "trl"
        with needed_by("Learning into weights", "learn"):
            for package in ("torch", *(("trl", "datasets") if trl else ())):
                importlib.import_module(package)

    def _note(self, sentence: str) -> None:
        self._notes.append(sentence)
        self._notify(sentence)

    def _examples(self, given: Sequence[Example] | None) -> list[Example]:
        """Return the examples of all splits; the first start keeps them in the directory, so they cannot change."""
        path = self._config.out / EXAMPLES
        if not path.exists():
            if given is None and self._config.data is not None:
                self._notify(f"Reading or making the examples of {self._config.data} ...")
            return list(_read_data(self._config) if given is None else given)
        kept = list(read_examples(path))
        if given is not None and list(given) != kept:
            raise ConfigError(f"The examples differ from those in {path}: give the run another directory.")
        return kept

    def _tokenised(
        self, examples: Sequence[Example], model: nn.Module, tokenizer: PreTrainedTokenizerBase
    ) -> TokenizedExamples:
        training = self._config.training
        rows = tokenise(
            examples,
            tokenizer,
            max_length=context_of(model, training.max_length),
            over_long=training.over_long,
            weights=training.weights,
            env_loss=training.env_loss,
        )
        if rows.note:
            self._note(rows.note)
        return rows

    def _prepare(
        self, base: PreTrainedModel, text: NDArray[np.int64] | None, samples: NDArray[np.int64] | None
    ) -> tuple[nn.Module, tuple[Regularizer, ...]]:
        """Add an adapter to the model if one is trained, and make the regularizers."""
        config, training = self._config, self._config.training
        fisher = self._fisher(base, text) if "fisher" in self._needs else None
        model = base if training.lora is None else with_lora(base, training.lora, seed=training.seed)
        earlier = self._earlier(base)
        context = MethodContext(model, training.seed, training.precision, text, samples, fisher, earlier)
        regularizers = make_regularizers(self._methods, context, config.methods)
        if config.init_from:
            model = base = load_model(config.init_from, device())[0]
        if training.gradient_checkpointing and training.trainer == "plain":
            base.gradient_checkpointing_enable()  # type: ignore[no-untyped-call]
            base.enable_input_require_grads()  # type: ignore[no-untyped-call]
        return model, regularizers

    def _reference_text(self, model: nn.Module, tokenizer: PreTrainedTokenizerBase) -> NDArray[np.int64]:
        texts = read_texts(self._config.texts) if self._config.texts else stdlib_text().train
        return sequences_of(texts, tokenizer, context_of(model, self._config.reference.sequence_length))

    def _samples(self, model: nn.Module, tokenizer: PreTrainedTokenizerBase) -> NDArray[np.int64]:
        """Return what the base writes by itself; it is drawn once and kept."""
        reference, path = self._config.reference, self._config.out / SAMPLES
        if not path.exists():
            self._notify(f"The base writes {reference.samples} sequences for self-replay ...")
            length = context_of(model, reference.sequence_length)
            seed = self._config.training.seed
            drawn = self_generated(model, tokenizer, count=reference.samples, length=length, seed=seed)
            temporary = path.with_name("samples.tmp.npy")
            np.save(temporary, drawn)
            publish(temporary, path)
        samples: NDArray[np.int64] = np.load(path)
        return samples

    def _fisher(self, model: nn.Module, text: NDArray[np.int64] | None) -> Mapping[str, Tensor | Factors]:
        """Return the Fisher information of the given file, or estimate it once and keep it."""
        config = self._config
        if config.fisher is not None:
            return _read_fisher(config.fisher, model)
        import torch

        assert text is not None, "Fisher information without a file is estimated from reference text"
        some = draw(text, config.reference.fisher_sequences, seed=config.training.seed, step=0)
        self._notify(f"Estimating Fisher information from {len(some)} sequences of reference text ...")
        lora, path = config.training.lora, config.out / FISHER
        fisher_to_file(model, list(torch.from_numpy(some)), path, parameters=lora.adapts if lora else None)
        # Always as the file has it, so that a run which finds the file there does not differ in its last bits.
        with first_process_first():
            return _read_fisher(path, model)

    def _earlier(self, base: nn.Module) -> tuple[Quadratic, ...]:
        """Return what the runs before this one learned, if their tasks are held too; each is estimated once and kept.

        Args:
            base: A model of the same kind; not changed.
        """
        config = self._config
        if "fisher" not in self._needs or config.methods.ewc.earlier == "off":
            return ()
        import torch

        found = []
        for number, run in enumerate(earlier_runs(config.init_from), start=1):
            model, tokenizer = load_model(run / MODEL, device())
            learned = [one for one in read_examples(run / EXAMPLES) if one.split == "train"]
            longest = context_of(base, config.training.max_length)
            rows = tokenise(learned, tokenizer, max_length=longest, over_long="truncate").rows
            count = min(config.reference.fisher_sequences, len(rows))
            chosen = np.random.default_rng([config.training.seed, number]).choice(len(rows), count, replace=False)
            self._notify(f"Estimating Fisher information of {run} from {count} of its examples ...")
            path = config.out / f"fisher-{number}.safetensors"
            fisher_to_file(model, [torch.tensor(rows[i].ids) for i in chosen], path)
            with first_process_first():
                precision = FisherDiagonal.load(path, model).tensors
            found.append(Quadratic(precision, anchor_of(model, precision)))
        return tuple(found)

    def _train(
        self,
        model: nn.Module,
        tokenizer: PreTrainedTokenizerBase,
        examples: Sequence[Example],
        rows: TokenizedExamples,
        regularizers: Sequence[Regularizer],
    ) -> nn.Module:
        """Train, and return the trained model, whole."""
        config, training = self._config, self._config.training
        watch = self._keeping(model, tokenizer)
        if training.loss != "answers":
            from .preferences.training import train_preferences

            longest, out = context_of(model, training.max_length), config.out
            train_preferences(
                model, examples, training, regularizers, out, watch, tokenizer=tokenizer, max_length=longest
            )
            return model
        if training.trainer == "plain":
            train(model, rows.rows, training, regularizers, config.out, watch)
            return model
        from .training import trl

        if training.packing and not trl.can_pack(model):
            self._note("Examples are padded, not packed: packing needs FlashAttention, which this model does not use.")
        trl.train(model, rows.rows, training, regularizers, config.out, watch, tokenizer=tokenizer)
        if not training.fsdp or rank() != 0:
            return model
        if training.lora is None:
            return load_model(config.out / GATHERED)[0]
        from peft import PeftModel

        return PeftModel.from_pretrained(load_model(config.model)[0], str(config.out / GATHERED))

    def _check_kept(self, examples: int) -> None:
        training = self._config.training
        steps = training.steps_for(examples)
        check({f"keep must be steps of the {steps} of this run": max(training.keep, default=0) <= steps}, "run")

    def _keeping(self, model: nn.Module, tokenizer: PreTrainedTokenizerBase) -> Watch:
        """Return what is called after every step: it keeps what is trained, where that is asked for."""

        def fill(folder: Path) -> None:
            model.save_pretrained(folder)  # type: ignore[operator]
            tokenizer.save_pretrained(folder)

        def watch(measured: Mapping[str, float]) -> None:
            step = int(measured["step"])
            if step in self._config.training.keep and not (kept := self._config.out / STEP.format(step)).exists():
                publish_folder(kept, fill)
            if self._watch is not None:
                self._watch(measured)

        return watch

    def _report(self, examples: int, seconds: float) -> LearnReport:
        config = self._config
        last = orjson.loads((config.out / METRICS).read_bytes().splitlines()[-1])
        model, notes = config.out / MODEL, tuple(self._notes)
        return LearnReport(config.out, model, config.method, examples, last["steps"], last["loss"], seconds, notes)


def _completed(config: LearnConfig, needs: Collection[Need]) -> LearnConfig:
    """Return the resolved configuration.

    Raises:
        ConfigError: something is missing or does not fit; all of it is named.
    """
    training, earlier = config.training, "fisher" in needs and config.methods.ewc.earlier != "off"
    if "adapter" in needs and training.lora is None:
        training = dataclasses.replace(training, lora=LoraConfig())
    if training.learning_rate is None:
        # A run that has begun keeps its rate, whatever the default was then.
        default = learning_rate_for(training.lora is not None, config.model)
        training = dataclasses.replace(training, learning_rate=stored_rate(config.out) or default)
    rules = {
        f"the method {config.method!r} needs reference text, and {config.model!r} has none of its own: name files with "
        "`texts`": bool(config.texts) or has_text(config.model) or not _needs_text(config, needs),
        "several processes need trainer 'trl'": training.trainer == "trl" or process_count() == 1,
        "an adapter begins at its base: leave `init_from` out": not config.init_from or training.lora is None,
        "earlier tasks are held where training begins at a run: name it with `init_from`": (
            not earlier or bool(config.init_from)
        ),
    }
    check(rules, "run configuration")
    if earlier:
        earlier_runs(config.init_from)
    return dataclasses.replace(config, training=training)


def _needs_text(config: LearnConfig, needs: Collection[Need]) -> bool:
    return "text" in needs or ("fisher" in needs and config.fisher is None)


def _read_fisher(path: Path, model: nn.Module) -> Mapping[str, Tensor | Factors]:
    """Read Fisher information, whole or factored, that was estimated on this model.

    Raises:
        FisherError: the file does not exist, or is of another model.
    """
    if read_meta(path).get("form") != "factored":
        return FisherDiagonal.load(path, model).tensors
    factored = FactoredFisher.load(path, model)
    return {**factored.factors, **factored.tensors}


def _read_data(config: LearnConfig) -> Iterable[Example]:
    """Read the examples that a configuration names, or generate them from a store."""
    data = config.data
    if data is None:
        raise ConfigError("There is nothing to learn from: name a store, a folder of examples, or a file of them.")
    if not data.is_dir():
        return _read_file(data)
    if (data / "manifest.json").exists():
        with ExperienceStore.open(data, mode="read") as store:
            chosen = flagged(store.path, store.trajectories(), config.corpus.flags)
            return build_corpora(chosen, config.corpus, expand=store.expand)
    files = sorted(path for path in data.iterdir() if path.suffix in (".json", ".jsonl"))
    # E2WM's folder also holds files of other formats, which its training does not read.
    files = [path for path in files if _is_e2wm(path)] or [path for path in files if path.suffix == ".jsonl"]
    if not files:
        raise RecordError(f"{data} is neither a store nor a folder with files of examples (.jsonl).")
    return [example for path in files for example in _read_file(path)]


def _is_e2wm(path: Path) -> bool:
    return path.name.partition(".")[0] in E2WM_FILES


def _read_file(path: Path) -> Iterable[Example]:
    return read_e2wm(path) if _is_e2wm(path) else read_examples(path)


def _publish(out: Path, model: nn.Module, tokenizer: PreTrainedTokenizerBase, report: LearnReport) -> None:
    """Save the tuned model, merged, and its adapter if it has one; then remove the checkpoints."""

    def fill(folder: Path) -> None:
        merged(model).save_pretrained(folder)  # type: ignore[operator]
        tokenizer.save_pretrained(folder)
        write_json(folder / REPORT, dataclasses.asdict(report))

    if is_adapted(model) and not (out / ADAPTER).exists():
        publish_folder(out / ADAPTER, lambda folder: model.save_pretrained(folder))  # type: ignore[operator]
    publish_folder(out / MODEL, fill)
    for left in ("checkpoint", GATHERED):
        shutil.rmtree(out / left, ignore_errors=True)


def _read_report(out: Path) -> LearnReport:
    stored = orjson.loads((out / MODEL / REPORT).read_bytes())
    places = {"out": out, "model": out / MODEL, "notes": tuple(stored["notes"])}
    return LearnReport(**{**stored, **places, "done_before": True})
