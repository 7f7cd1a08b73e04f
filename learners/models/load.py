"""Language models by name: any causal one that transformers can read, and `tiny`, which we train ourselves.

Files that are on this machine are not fetched again; an unavailable model is reported in one sentence. Not here:
adapters (`training.lora`) and quantised bases, which a caller loads and passes in.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ...errors import ModelError
from ...extras import needed_by
from .base import Progress, quietly, tiny_base
from .names import TINY, is_tiny

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Dtype = Literal["fp32", "bf16", "stored"]
"""fp32 for training (`TrainingConfig.precision` is that of matrix products), bf16 for inference; `stored` keeps the
dtype of the files."""


def load_model(
    name: str | Path,
    device: str = "cpu",
    dtype: Dtype = "fp32",
    *,
    progress: Progress | None = None,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a causal language model with its tokenizer.

    A tokenizer without a padding token gets the end-of-sequence token; padding is masked wherever we use it.

    Args:
        name: A folder that `save_pretrained` wrote, a model's id on the Hugging Face hub, or `tiny`.
        device: `"cpu"`, `"cuda"`, `"cuda:1"`, ...
        dtype: Of the weights.
        progress: Called during the training of the tiny model, if it has to be trained first.

    Returns:
        The model, in evaluation mode, and its tokenizer.

    Raises:
        MissingDependencyError: torch or transformers is not installed.
        ModelError: there is no such model or device, or it is not a causal language model.
        DataError, StoreError: the tiny model cannot be made; see `tiny_base`.
    """
    with needed_by("A language model"):
        import torch  # noqa: F401
        import transformers  # noqa: F401
        from safetensors import SafetensorError
    where = str(tiny_base(progress=progress)) if is_tiny(name) else find_model(name)
    try:
        with quietly():
            tokenizer, model = _read(where, dtype, local=True)
    except (OSError, ValueError, ImportError, SafetensorError) as error:
        raise ModelError(f"{str(name)!r} cannot be loaded as a causal language model: {_line(error)}") from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    try:
        model.to(device)  # type: ignore[arg-type]
        return model.eval(), tokenizer  # type: ignore[no-untyped-call]
    except (RuntimeError, AssertionError) as error:
        raise ModelError(f"The model {str(name)!r} cannot be put on {device!r}: {_line(error)}") from error


def context_of(model: nn.Module, limit: int = 1024) -> int:
    """Return the maximum sequence length for a model, in tokens: its context, or `limit` if that is less."""
    longest = getattr(getattr(model, "config", None), "max_position_embeddings", None)
    return min(limit, longest) if isinstance(longest, int) and longest > 0 else limit


def _read(where: str, dtype: Dtype, *, local: bool) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
    """Read tokenizer and weights: from this machine, and from the hub only if they are not here."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    types = {"fp32": torch.float32, "bf16": torch.bfloat16, "stored": "auto"}
    try:
        tokenizer = AutoTokenizer.from_pretrained(where, local_files_only=local)
        model = AutoModelForCausalLM.from_pretrained(where, local_files_only=local, dtype=types[dtype])
    except OSError:
        if not local or Path(where).is_dir():
            raise
        return _read(where, dtype, local=False)
    return tokenizer, model


def find_model(name: str | Path) -> str:
    """Return the folder that a name means, or the name if it can be a model's id on the hub; nothing is loaded.

    Raises:
        ModelError: it can be neither.
    """
    path = Path(name).expanduser()
    if (path / "config.json").is_file():
        return str(path)
    if path.exists() or isinstance(name, Path) or name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise ModelError(
            f"There is no model at {path}: give a folder that save_pretrained wrote, a model's id, or {TINY!r}."
        )
    return name


def _line(error: BaseException) -> str:
    """Return the first line of an error's message, which states the problem."""
    first = (str(error).strip() or type(error).__name__).splitlines()[0].strip()
    return first if first.endswith(".") else f"{first}."
