"""The tiny built-in model: a language model that any machine trains for itself in about a minute, without a download.

GPT-2's architecture (Radford et al. 2019) with 2.6 million weights and a byte-level BPE tokenizer, both trained from
scratch on `stdlib_text`. It exists so that learning and forgetting can be shown and tested anywhere; it knows only
Python's documentation. It is kept in a cache folder under a name that follows from the recipe, the text and the
versions that made it, and appears there only when it is complete.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from ...data import root
from ...extras import missing
from ...store.durable import explained
from ..run_directory import publish_folder, write_json
from ..training.batches import TokenizedExample, sequences_of
from ..training.config import TrainingConfig
from ..training.loop import train
from .stdlib_text import sources_hash, stdlib_text

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

END: Final = "<|endoftext|>"
"""The only special token: end of text, beginning of text, and padding."""
RECIPE_FILE: Final = "recipe.json"
"""The file next to the model that describes how it was made."""

Progress = Callable[[int, int], None]
"""Called with the number of optimizer steps done, and the total."""


@dataclass(frozen=True, slots=True)
class BaseRecipe:
    """The model's architecture and training."""

    layers: int = 4
    width: int = 192
    heads: int = 6
    vocabulary: int = 4096
    """Tokens, `END` among them."""
    context: int = 256
    """The maximum sequence length in tokens, and the length of training sequences."""
    steps: int = 1200
    """Optimizer steps."""
    batch: int = 2
    """Sequences per step."""
    learning_rate: float = 1.5e-3
    warmup: int = 100
    weight_decay: float = 0.1
    text: int | None = None
    """The number of strings used for training; None for all."""
    seed: int = 0


def tiny_base(cache: Path | None = None, progress: Progress | None = None, recipe: BaseRecipe | None = None) -> Path:
    """Return the folder of the tiny model; train it first if it does not exist yet.

    Args:
        cache: Where such models are kept; None for a folder next to the data sets (`pathei.data.root`). If another
            process is training the same model, this one waits for it.
        progress: Called after every optimizer step; never if the model exists already.
        recipe: The recipe; None for the default.

    Returns:
        A folder that `from_pretrained` reads: weights, configuration, tokenizer, and the recipe.

    Raises:
        DataError: there is no text to train on.
        MissingDependencyError: torch, transformers or tokenizers is not installed.
        StoreError: the cache cannot be written to.
    """
    recipe = recipe or BaseRecipe()
    cache = cache or root() / "models"
    made_by = _provenance(recipe)
    name = f"embedded-{hashlib.sha256(orjson.dumps(made_by, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]}"
    final = cache / name
    if final.is_dir():
        return final
    with explained(final):
        cache.mkdir(parents=True, exist_ok=True)
        with alone(cache / "embedded.lock"):
            if not final.is_dir():
                publish_folder(final, lambda folder: _fill(folder, recipe, made_by, progress))
    return final


def train_base(
    texts: tuple[str, ...], recipe: BaseRecipe, progress: Progress | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Train the tokenizer and then the model, from scratch; torch's random state is not changed.

    Returns:
        The model, in float32 and evaluation mode, and its tokenizer.
    """
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    tokenizer = _tokenizer(texts, recipe)
    end = tokenizer.eos_token_id
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=recipe.context,
        n_embd=recipe.width,
        n_layer=recipe.layers,
        n_head=recipe.heads,
        activation_function="gelu_pytorch_tanh",  # GPT-2's own function in one operation instead of eight
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=end,
        eos_token_id=end,
    )
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        model = GPT2LMHeadModel(config)
    sequences = sequences_of(texts, tokenizer, recipe.context)
    rows = [TokenizedExample(tuple(sequence), start=0, weight=1.0) for sequence in sequences.tolist()]
    training = TrainingConfig(
        steps=recipe.steps,
        batch_size=recipe.batch,
        learning_rate=recipe.learning_rate,
        warmup=recipe.warmup,
        schedule="cosine",
        weight_decay=recipe.weight_decay,
        seed=recipe.seed,
    )
    train(model, rows, training, watch=lambda row: progress and progress(int(row["step"]), int(row["steps"])))
    return model.eval(), tokenizer  # type: ignore[no-untyped-call]


def _tokenizer(texts: tuple[str, ...], recipe: BaseRecipe) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE tokenizer (as GPT-2's): every text can be encoded, and decodes exactly."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=recipe.vocabulary,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=bpe,
        eos_token=END,
        bos_token=END,
        pad_token=END,
        model_max_length=recipe.context,
        clean_up_tokenization_spaces=False,
    )


def _fill(folder: Path, recipe: BaseRecipe, made_by: Mapping[str, object], progress: Progress | None) -> None:
    """Train, and write the model, its tokenizer and its recipe into a folder."""
    model, tokenizer = train_base(stdlib_text().train[: recipe.text], recipe, progress)
    with quietly():
        model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    write_json(folder / RECIPE_FILE, made_by)


def _provenance(recipe: BaseRecipe) -> dict[str, object]:
    """Return everything that determines the model; the number of threads may still change its last bits."""
    try:
        versions = {name: metadata.version(name) for name in ("tokenizers", "torch", "transformers")}
    except metadata.PackageNotFoundError as error:
        raise missing("The tiny model", error, "learn") from error
    return {
        "format": 2,
        "recipe": dataclasses.asdict(recipe),
        "text": sources_hash(),
        "python": platform.python_version(),
        **versions,
    }


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Wait until no other process is in such a block; the kernel releases the lock when a process dies."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Hide transformers' progress bars in a block."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
