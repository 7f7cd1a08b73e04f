"""The configuration of one fine-tuning run, and what a run reports. Not here: running it (`finetuning`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..errors import at_least, check
from ..pretrained import TINY
from .corpora.config import CorpusConfig
from .methods.registry import MethodConfigs
from .training.config import TrainingConfig


@dataclass(frozen=True, slots=True)
class ReferenceConfig:
    """How reference text, which measures and protects what the base knows, is prepared for the methods."""

    sequence_length: int = 128
    """T, the length of reference sequences in tokens."""
    fisher_sequences: int = 256
    """Reference sequences from which Fisher information is estimated, if no file is given."""
    samples: int = 512
    """Sequences that the base writes for `self-replay` before training."""

    def __post_init__(self) -> None:
        """Raise `ConfigError` if a field is out of range."""
        check(at_least(self, sequence_length=2, fisher_sequences=1, samples=1), "configuration of reference text")


@dataclass(frozen=True, slots=True)
class LearnConfig:
    """One run: the examples, the model, how it is trained, and the methods against forgetting."""

    out: Path
    """The run's directory; created if it does not exist."""
    data: Path | None = None
    """A store, a folder with files of examples (`.jsonl`, or E2WM's under their own names), or one such file; None
    if examples are passed to `FineTuner.run`."""
    model: str = TINY
    """A model's folder, its id on the hub, or `tiny`: a small one that this machine trains for itself, once."""
    method: str = "finetune"
    """Methods against forgetting (`METHODS`), joined by `+`."""
    methods: MethodConfigs = field(default_factory=MethodConfigs)
    """The configuration of each method."""
    training: TrainingConfig = field(default_factory=TrainingConfig)
    """How to train."""
    reference: ReferenceConfig = field(default_factory=ReferenceConfig)
    """How reference text is prepared for the methods."""
    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    """Which examples are generated from a store."""
    texts: tuple[Path, ...] = ()
    """Files of reference text; `tiny` and `smollm2` have Python's documentation if there are none."""
    fisher: Path | None = None
    """A file of Fisher information for `ewc`; None to estimate it from reference text."""
    init_from: str = ""
    """Where training begins if not at `model`: a model that was tuned from it before, as in a second round of
    experience. The methods still protect `model`."""


@dataclass(frozen=True, slots=True)
class LearnReport:
    """The result of a run."""

    out: Path
    model: Path
    """The tuned model with its tokenizer: a folder that `from_pretrained` reads."""
    method: str
    examples: int
    """Training examples."""
    steps: int
    """Optimizer steps of the whole run."""
    loss: float
    """The last step's loss, in nats per answer token."""
    seconds: float
    """Wall time of the call that finished the run."""
    notes: tuple[str, ...] = ()
    """Notes for the user, one sentence each."""
    done_before: bool = False
    """Whether the run was already finished, so that nothing was done."""

    def numbers(self) -> dict[str, float]:
        """Return what was measured."""
        return {"loss": self.loss, "steps": self.steps, "examples": self.examples, "seconds": self.seconds}
