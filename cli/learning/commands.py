"""The commands of learning as data; see `cli.commands`. Not here: what they do (`learn`, `pretrain`, `loop`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from ...learners.config import LearnConfig
from ...learners.corpora.config import CorpusConfig
from ...learners.fisher.config import FisherConfig
from ...learners.methods.registry import METHOD_HELP
from ...learners.pretrain.config import PretrainOptions
from ...learners.training.config import LoraConfig
from ...loop.config import LoopConfig


@dataclass(frozen=True)
class Corpora:
    """Generate question-answer training and evaluation sets from a store."""

    store: Positional[Path]
    """The store's directory."""
    out: Positional[Path]
    """The folder to make: `train.jsonl`, `seen.jsonl`, `unseen.jsonl` and `corpora.json`."""
    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    """What to make of it."""


@dataclass(frozen=True)
class Fisher:
    """Estimate which weights what a model knows depends on. Run it again to go on where it stopped."""

    out: Positional[Path]
    """The file to make, `NAME.safetensors`; `NAME.json` next to it says how it was made."""
    model: str = "tiny"
    """A model's folder, its id on the hub, or `tiny`: a small one that this machine trains for itself, once."""
    texts: tuple[Path, ...] = ()
    """Files of reference text, `.txt` or `.jsonl`; `tiny` and `smollm2` have Python's documentation."""
    sequences: int = 256
    """How many sequences it is estimated from."""
    length: int = 128
    """Their length in tokens."""
    device: str = "cpu"
    """`cpu` or `cuda`."""
    fisher: FisherConfig = field(default_factory=FisherConfig)
    """How."""


@dataclass(frozen=True)
class Learn(LearnConfig):
    """Tune a language model on experience, and keep what it knew. Run it again to go on where it stopped."""

    data: Positional[Path]
    """A store, a folder with files of examples, or one such file; E2WM's files are known by their names."""
    method: Annotated[str, arg(help=f"The learning method; several are joined by `+`. {METHOD_HELP}.")] = "finetune"
    adapter: bool = False
    """Whether a LoRA adapter is trained instead of all weights, as `--method lora` does by itself."""
    lora: LoraConfig = field(default_factory=LoraConfig)
    """The adapter, where there is one."""


@dataclass(frozen=True)
class Pretrain:
    """Learn to see or to read from collected experience, without labels. Run it again to go on where it stopped."""

    store: Positional[Path]
    """The store's directory; frames are there if it was collected with `--frames`. A fifth of its tasks is held out."""
    out: Path
    """The run's directory; made if it is not there."""
    options: Annotated[PretrainOptions, arg(name="")]
    """What to learn, and how."""


@dataclass(frozen=True)
class Eval:
    """Ask tuned models what was held out, and measure what they forgot. Several runs are set side by side."""

    runs: Positional[tuple[str, ...]]
    """The directories of runs that `pathei learn` finished; or models, such as an untuned base: a folder, an id on the
    hub, `tiny`, `smollm2`. Models are asked the questions of the first run next to them, or of `--data`. Or runs that
    `pathei pretrain` finished: each is measured once, and its control is trained before that."""
    picture: Path | None = None
    """Where to draw skill against forgetting, as PNG."""
    splits: tuple[Literal["train", "seen", "unseen"], ...] = ("seen", "unseen")
    """Which examples are asked.

    train: those that were trained on
    seen: held-out tasks of activities and scenes that were trained on
    unseen: activities and scenes that were not trained on
    """
    limit: int = 200
    """The maximum number of each kind and split."""
    data: tuple[Path, ...] = ()
    """Files of examples; those of each run if there are none."""
    texts: tuple[Path, ...] = ()
    """Files of held-out text; the tiny model has its own."""
    execute: bool = True
    """Whether plans are carried out in the world."""
    batch: int = 32
    """The number of questions asked at once."""
    device: str = "cpu"
    """`cpu` or `cuda`."""
    overwrite: bool = False
    """Whether to replace what was measured with other options; otherwise it is kept, and other options are refused."""
    retention: bool = False
    """Whether to measure what is left of the base's prose, code and dialogue (bits per byte) and of its knowledge (over
    300 multiple-choice questions, in plain and in chat form), on text that every machine with Python has."""
    lm_eval: Path | None = None
    """A folder for tasks of lm-eval (the Language Model Evaluation Harness), which is then asked the multiple-choice
    questions and the text as well."""


@dataclass(frozen=True)
class Loop:
    """Collect, learn, and collect again with the better agent, measured on held-out tasks.

    Run it again to resume.
    """

    out: Positional[Path]
    """The loop's directory; made if it is not there."""
    loop: Annotated[LoopConfig, arg(name="")] = field(default_factory=LoopConfig)
    """What to do."""
    report: bool = True
    """Whether to write `report.html`, with curves and two transcripts: before and after learning."""
