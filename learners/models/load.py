"""Language models by name: any causal one that transformers can read, and `embedded`, which we train ourselves.

Nothing is fetched that is on this machine already, and what cannot be had is told in one sentence. Left out: adapters
(`adapters`) and quantised bases, which a caller loads as it likes and hands over.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from ...errors import MissingDependencyError, ModelError
from .base import Progress, embedded_base, quietly

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

EMBEDDED: Final = "embedded"
"""The name of the small model that every machine can make."""

Dtype = Literal["fp32", "bf16", "stored"]
"""fp32 to train (the precision of `Training` is that of matrix products), bf16 to ask; `stored` is what the files
have."""


def load_model(
    name: str | Path,
    device: str = "cpu",
    dtype: Dtype = "fp32",
    *,
    progress: Progress | None = None,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a causal language model with its tokenizer.

    A tokenizer without a padding token gets the one that ends a sequence; padding is masked wherever we use it.

    Args:
        name: A folder that `save_pretrained` wrote, a model's id on the Hugging Face hub, or `EMBEDDED`.
        device: `"cpu"`, `"cuda"`, `"cuda:1"`, ...
        dtype: Of the weights.
        progress: Told of the embedded model's training, if that has to be trained first.

    Returns:
        The model, in evaluation mode, and its tokenizer.

    Raises:
        MissingDependencyError: torch or transformers is not installed.
        ModelError: there is no such model or device, or it is not a causal language model.
        DataError, StoreError: the embedded model cannot be made; see `embedded_base`.
    """
    try:
        import torch  # noqa: F401
        import transformers  # noqa: F401
        from safetensors import SafetensorError
    except ImportError as error:
        raise MissingDependencyError(
            f"Language models need {error.name}, which is not installed: pip install 'pathei[learn]'."
        ) from error
    where = str(embedded_base(progress=progress)) if str(name) == EMBEDDED else _known(name)
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
    """Return the longest sequence that we give to a model, in tokens: its context, or `limit` if that is less."""
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


def _known(name: str | Path) -> str:
    """Return a path or a model's id, after a look at whether it can be one."""
    path = Path(name).expanduser()
    if (path / "config.json").is_file():
        return str(path)
    if path.exists() or isinstance(name, Path) or name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise ModelError(
            f"There is no model at {path}: give a folder that save_pretrained wrote, a model's id, or {EMBEDDED!r}."
        )
    return name


def _line(error: BaseException) -> str:
    """Return the first line of an error's message, which is the one that says what happened."""
    first = (str(error).strip() or type(error).__name__).splitlines()[0].strip()
    return first if first.endswith(".") else f"{first}."


__all__ = ["EMBEDDED", "Dtype", "context_of", "load_model"]
