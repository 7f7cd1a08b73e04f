"""What `pathei learn` does: from a store or files of examples to a tuned model, in a directory that resumes.

Every stage leaves its result in the directory and finds it there the next time: examples, Fisher information, the
base's own samples, checkpoints, and at last the model. Called again with the same configuration, a run goes on where it
stopped, or says that it is done. Left out: evaluation.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import orjson

from ..errors import ConfigError, RecordError, check
from ..store import ExperienceStore
from ..store.durable import publish
from .corpora.building import build_corpora
from .corpora.config import CorpusConfig
from .corpora.e2wm import E2WM_FILES, read_e2wm
from .examples import Example, read_examples, write_examples
from .fisher.file import fisher_to_file
from .fisher.record import FactoredFisher, FisherDiagonal
from .fisher.storage import read_meta
from .methods.ewc_lora import Factors
from .methods.protocol import Regularizer
from .methods.registry import MethodConfig, MethodContext, Need, methods_named, preservers_of
from .methods.replay import self_generated
from .models.load import EMBEDDED, context_of, load_model
from .models.stdlib_text import stdlib_text
from .run_directory import (
    ADAPTER,
    EXAMPLES,
    FISHER,
    GATHERED,
    MODEL,
    REPORT,
    SAMPLES,
    note_versions,
    only_writer,
    publish_folder,
    settle,
    write_json,
)
from .training.batches import TokenizedExamples, draw, read_texts, sequences_of, tokenise
from .training.checkpoints import METRICS
from .training.config import LoraConfig, TrainingConfig
from .training.loop import Watch, train
from .training.lora import is_adapted, merged, with_lora

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Tell = Callable[[str], None]
"""Called with one sentence about what is being done, or what a user should know."""


@dataclass(frozen=True, slots=True)
class LearnConfig:
    """One run: what is learned, by which model, how, and what keeps it near what it knew."""

    out: Path
    """The run's directory; made if it is not there."""
    data: Path | None = None
    """A store, a folder with files of examples (`.jsonl`, or E2WM's under their own names), or one such file; None
    where examples are handed over."""
    model: str = EMBEDDED
    """A model's folder, its id on the hub, or `embedded`."""
    method: str = "finetune"
    """What keeps the model near what it knew (`METHODS`), several joined by `+`."""
    training: TrainingConfig = field(default_factory=TrainingConfig)
    knobs: MethodConfig = field(default_factory=MethodConfig)
    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    """What is made of a store."""
    texts: tuple[Path, ...] = ()
    """Files of old text; the embedded model has its own where none is given."""
    fisher: Path | None = None
    """Fisher information for `ewc`; estimated from old text where none is given."""
    start: str = ""
    """Where training begins if not at `model`: a model that was tuned from it before. `model` stays what is kept."""


@dataclass(frozen=True, slots=True)
class LearnReport:
    """What a run has come to."""

    out: Path
    model: Path
    """The tuned model, with its tokenizer: a folder that `from_pretrained` reads."""
    method: str
    examples: int
    """How many examples were learned from."""
    steps: int
    """How many optimizer steps the run has in all."""
    loss: float
    """The last step's, in nats per answer token."""
    seconds: float
    """How long the call that finished the run took, in seconds of wall time."""
    notes: tuple[str, ...] = ()
    """What a user should know, one sentence each."""
    done_before: bool = False
    """Whether the run was finished already, so that nothing was done."""

    def numbers(self) -> dict[str, float]:
        """Return what was measured."""
        return {"loss": self.loss, "steps": self.steps, "examples": self.examples, "seconds": self.seconds}


def learn(config: LearnConfig, *, tell: Tell | None = None, watch: Watch | None = None) -> LearnReport:
    """Train as configured, or go on, or say that it is done.

    Args:
        config: What to do; `data` is read at the first start only, and kept in the directory.
        tell: Told what happens.
        watch: Told about every optimizer step (see `plain.train`).

    Raises:
        ConfigError: the directory holds another run, or something that a method needs is not given.
        LearningError: another process is at it, or training cannot go on.
        PatheiError: data or model cannot be read.
    """
    return FineTuner(config, tell=tell, watch=watch).run(None)


class FineTuner:
    """A `Learner` that fine-tunes a language model in a run's directory."""

    def __init__(self, config: LearnConfig, *, tell: Tell | None = None, watch: Watch | None = None) -> None:
        """Prepare; nothing is read or written yet.

        Args:
            config: What to do.
            tell: Told what happens.
            watch: Told about every optimizer step.

        Raises:
            ConfigError, UnknownNameError: a method is not known, or does not go with the rest.
        """
        self._methods = methods_named(config.method)
        self._needs = {need for method in self._methods for need in method.needs}
        self._config = _completed(config, self._needs)
        self._watch = watch
        self._notes: list[str] = []
        self._tell = tell or (lambda sentence: None)

    def learn(self, examples: Sequence[Example]) -> Mapping[str, float]:
        """Learn from examples; those of split `train` only."""
        return self.run(examples).numbers()

    def run(self, examples: Sequence[Example] | None) -> LearnReport:
        """Do what `learn` does, with examples that are handed over if they are not None."""
        out, begun = self._config.out, time.monotonic()
        with only_writer(out) if _rank() == 0 else contextlib.nullcontext():
            with _first_process_first():
                settle(out, self._config)
                if note := note_versions(out):
                    self._note(note)
                if (out / MODEL).exists():
                    return _read_report(out)
                kept = self._examples(examples)
                base, tokenizer = load_model(self._config.model, _device())
                rows = self._tokenised(kept, base, tokenizer)
                samples = self._samples(base, tokenizer) if "samples" in self._needs else None
            model, preservers = self._prepare(base, tokenizer, samples)
            trained = self._train(model, tokenizer, rows, preservers)
            report = self._report(len(rows.rows), time.monotonic() - begun)
            if _rank() == 0:
                _publish(out, trained, tokenizer, report)
            return report

    # --- what a run is made of

    def _note(self, sentence: str) -> None:
        self._notes.append(sentence)
        self._tell(sentence)

    def _examples(self, given: Sequence[Example] | None) -> list[Example]:
        """Return what is learned; at the first start it is kept in the directory, so that it cannot change."""
        path = self._config.out / EXAMPLES
        if not path.exists():
            write_examples(path, _read_data(self._config) if given is None else given)
        kept = list(read_examples(path))
        if given is not None and list(given) != kept:
            raise ConfigError(f"The examples are others than those in {path}: give the run another directory.")
        return [example for example in kept if example.split == "train"]

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
        )
        if rows.note:
            self._note(rows.note)
        return rows

    def _prepare(
        self, base: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, samples: NDArray[np.int64] | None
    ) -> tuple[nn.Module, tuple[Regularizer, ...]]:
        """Put an adapter on the model if one is trained, and make what keeps it near what it knew."""
        config, training = self._config, self._config.training
        text = self._old_text(base, tokenizer) if _needs_text(config, self._needs) else None
        fisher = self._fisher(base, text) if "fisher" in self._needs else None
        model = base if training.lora is None else with_lora(base, training.lora, seed=training.seed)
        setting = MethodContext(model, config.knobs, training.seed, training.precision, text, samples, fisher)
        preservers = preservers_of(self._methods, setting)
        if config.start:
            model = base = load_model(config.start, _device())[0]
        if training.gradient_checkpointing and training.trainer == "plain":
            base.gradient_checkpointing_enable()  # type: ignore[no-untyped-call]
            base.enable_input_require_grads()  # type: ignore[no-untyped-call]
        return model, preservers

    def _old_text(self, model: nn.Module, tokenizer: PreTrainedTokenizerBase) -> NDArray[np.int64]:
        texts = read_texts(self._config.texts) if self._config.texts else stdlib_text().train
        return sequences_of(texts, tokenizer, context_of(model, self._config.knobs.sequence_length))

    def _samples(self, model: nn.Module, tokenizer: PreTrainedTokenizerBase) -> NDArray[np.int64]:
        """Return what the base writes by itself; it is drawn once, and kept."""
        knobs, path = self._config.knobs, self._config.out / SAMPLES
        if not path.exists():
            self._tell(f"The base writes {knobs.samples} sequences for self-replay ...")
            length = context_of(model, knobs.sequence_length)
            seed = self._config.training.seed
            drawn = self_generated(model, tokenizer, count=knobs.samples, length=length, seed=seed)
            temporary = path.with_name("samples.tmp.npy")
            np.save(temporary, drawn)
            publish(temporary, path)
        samples: NDArray[np.int64] = np.load(path)
        return samples

    def _fisher(self, model: nn.Module, text: NDArray[np.int64] | None) -> Mapping[str, Tensor | Factors]:
        """Return the Fisher information that was given, or that is estimated once and kept."""
        config = self._config
        if config.fisher is not None:
            return _read_fisher(config.fisher, model)
        import torch

        assert text is not None, "Fisher information that is not given is estimated from old text"
        some = draw(text, config.knobs.fisher_sequences, seed=config.training.seed, step=0)
        self._tell(f"Estimating Fisher information from {len(some)} sequences of old text ...")
        lora, path = config.training.lora, config.out / FISHER
        fisher_to_file(model, list(torch.from_numpy(some)), path, parameters=lora.adapts if lora else None)
        # Always as the file has it, so that a run which finds the file there does not differ in its last bits.
        with _first_process_first():
            return _read_fisher(path, model)

    def _train(
        self,
        model: nn.Module,
        tokenizer: PreTrainedTokenizerBase,
        rows: TokenizedExamples,
        preservers: Sequence[Regularizer],
    ) -> nn.Module:
        """Train, and return the trained model, whole."""
        config, training = self._config, self._config.training
        if training.trainer == "plain":
            train(model, rows.rows, training, preservers, config.out, self._watch)
            return model
        from .training import trl as sft

        if training.packing and not sft.can_pack(model):
            self._note("Examples are padded, not packed: packing needs FlashAttention, which this model does not use.")
        sft.train(model, rows.rows, training, preservers, config.out, self._watch, tokenizer=tokenizer)
        if not training.fsdp or _rank() != 0:
            return model
        if training.lora is None:
            return load_model(config.out / GATHERED)[0]
        from peft import PeftModel

        return PeftModel.from_pretrained(load_model(config.model)[0], str(config.out / GATHERED))

    def _report(self, examples: int, seconds: float) -> LearnReport:
        config = self._config
        last = orjson.loads((config.out / METRICS).read_bytes().splitlines()[-1])
        model, notes = config.out / MODEL, tuple(self._notes)
        return LearnReport(config.out, model, config.method, examples, last["steps"], last["loss"], seconds, notes)


def _completed(config: LearnConfig, needs: Collection[Need]) -> LearnConfig:
    """Return a configuration in which everything is decided.

    Raises:
        ConfigError: something is missing; all of it is named.
    """
    training = config.training
    if "adapter" in needs and training.lora is None:
        training = dataclasses.replace(training, lora=LoraConfig())
    rules = {
        f"the method {config.method!r} needs old text, and {config.model!r} has none of its own: name files of it": (
            bool(config.texts) or config.model == EMBEDDED or not _needs_text(config, needs)
        ),
        "several processes need trainer 'trl'": training.trainer == "trl" or _processes() == 1,
        "an adapter begins at its base: leave `start` out": not config.start or training.lora is None,
    }
    check(rules, "run configuration")
    return dataclasses.replace(config, training=training)


def _needs_text(config: LearnConfig, needs: Collection[Need]) -> bool:
    return "text" in needs or ("fisher" in needs and config.fisher is None)


def _read_fisher(path: Path, model: nn.Module) -> Mapping[str, Tensor | Factors]:
    """Read Fisher information, whole or factored, that was estimated on this model.

    Raises:
        FisherError: there is no such file, or it is of another model.
    """
    if read_meta(path).get("form") != "factored":
        return FisherDiagonal.load(path, model).tensors
    factored = FactoredFisher.load(path, model)
    return {**factored.factors, **factored.tensors}


def _read_data(config: LearnConfig) -> Iterable[Example]:
    """Read the examples that a configuration names, or make them of a store."""
    data = config.data
    if data is None:
        raise ConfigError("There is nothing to learn from: name a store, a folder of examples, or a file of them.")
    if not data.is_dir():
        return _read_file(data)
    if (data / "manifest.json").exists():
        with ExperienceStore.open(data, mode="read") as store:
            return build_corpora(store.trajectories(), config.corpus, expand=store.expand)
    files = sorted(path for path in data.iterdir() if path.suffix in (".json", ".jsonl"))
    # A folder of E2WM's holds files of other forms beside those that its training reads.
    files = [path for path in files if _is_e2wm(path)] or [path for path in files if path.suffix == ".jsonl"]
    if not files:
        raise RecordError(f"{data} is neither a store nor a folder with files of examples (.jsonl).")
    return [example for path in files for example in _read_file(path)]


def _is_e2wm(path: Path) -> bool:
    return path.name.partition(".")[0] in E2WM_FILES


def _read_file(path: Path) -> Iterable[Example]:
    return read_e2wm(path) if _is_e2wm(path) else read_examples(path)


def _publish(out: Path, model: nn.Module, tokenizer: PreTrainedTokenizerBase, report: LearnReport) -> None:
    """Put the tuned model in its place, by itself and, of an adapter, also as one; then nothing is left to resume."""

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
    told = orjson.loads((out / MODEL / REPORT).read_bytes())
    places = {"out": out, "model": out / MODEL, "notes": tuple(told["notes"])}
    return LearnReport(**{**told, **places, "done_before": True})


# --- processes


def _rank() -> int:
    return int(os.environ.get("RANK", "0"))


def _processes() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))


def _device() -> str:
    """Return where this process computes: its own GPU, or the processor."""
    import torch

    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else "cpu"


@contextlib.contextmanager
def _first_process_first() -> Iterator[None]:
    """Let the first process go through a block before the others do, which then find what it has left."""
    if _processes() == 1:
        yield
        return
    import torch
    from accelerate import PartialState  # type: ignore[import-untyped]

    # The trainer finds the process group that this makes. accelerate's own order of processes fails without GPUs.
    PartialState(cpu=not torch.cuda.is_available())
    if _rank() != 0:
        torch.distributed.barrier()
    try:
        yield
    finally:
        if _rank() == 0:
            torch.distributed.barrier()


__all__ = ["FineTuner", "LearnConfig", "LearnReport", "Tell", "learn"]
