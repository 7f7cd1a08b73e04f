"""The language models of transformers by name: what a model may be named by, and loading it. For agents and learners.

A name is the folder of a run of `pathei learn`, of an adapter, or of a model that `save_pretrained` wrote; a GGUF file,
or a folder with one; an id on the Hugging Face hub; `tiny`, the small built-in model that every machine trains for
itself; or `smollm2`, once `pathei data get smollm2` has fetched it. A path that is none of these is said to be none,
before anything is loaded. Not here: endpoints (`agents.lm`).
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from .errors import ModelError
from .extras import needed_by

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

TINY: Final = "tiny"
"""The name of the built-in model."""
TINY_BEFORE: Final = "embedded"
"""Its name up to version 0.1, which is still accepted and stands in stored configurations."""
MODEL: Final = "model"
"""The folder of a run's model, within the run's."""
EXAMPLES: Final = "examples.jsonl"
"""What a run learned, within the run's folder."""
SMOLLM2: Final = "smollm2"
"""The name of SmolLM2-135M-Instruct, a data set of `pathei.data`."""
_HUB: Final = re.compile(r"[\w-][\w.-]*(?:/[\w-][\w.-]*)?")
_HUB_FILE: Final = re.compile(rf"({_HUB.pattern})/([\w.-]+\.gguf)")
_NAMED: Final = (
    "name a run of `pathei learn`, a folder with a model or an adapter, a GGUF file, a model's id on the hub, or `tiny`"
)


class ModelFiles(NamedTuple):
    """Where a model's files are."""

    source: str
    """What `from_pretrained` is given: a folder, or an id on the hub; or else `tiny` or `smollm2`."""
    gguf: str = ""
    """The GGUF file in it, if the model is one."""
    adapter: str = ""
    """The folder of the adapter that belongs on it, if there is one."""


def is_tiny(name: str | Path) -> bool:
    """Whether a name is that of the built-in model; a folder of that name with a model in it comes first."""
    return str(name) in (TINY, TINY_BEFORE) and not (Path(name) / "config.json").is_file()


def is_smollm2(name: str | Path) -> bool:
    """Whether a name is that of SmolLM2-135M-Instruct as `pathei data get smollm2` fetches it, and no folder's."""
    return str(name) == SMOLLM2 and not Path(name).is_dir()


def has_text(name: str | Path) -> bool:
    """Whether Python's documentation is the reference text of a model for which no files are named."""
    return is_tiny(name) or is_smollm2(name)


def find_model(name: str | Path) -> ModelFiles:
    """Return where the files of a model are; nothing is loaded, and the hub is not asked.

    Raises:
        ModelError: the name is that of a path, and there is no model; says what there is.
    """
    path, text = Path(name).expanduser(), str(name)
    if is_tiny(name):
        return ModelFiles(TINY)
    if path.is_dir():
        return _in_folder(path, text)
    if path.is_file():
        if path.suffix == ".gguf":
            return ModelFiles(str(path.parent), path.name)
        near = f": name its folder, {path.parent}" if (path.parent / "config.json").is_file() else f": {_NAMED}"
        raise ModelError(f"The file {text} is no model{near}.")
    on_hub = _HUB_FILE.fullmatch(text)
    if on_hub and isinstance(name, str):
        return ModelFiles(on_hub[1], on_hub[2])
    if isinstance(name, Path) or not _HUB.fullmatch(text.removesuffix("/")):
        raise ModelError(f"There is no model at {text}, because nothing is there: {_NAMED}.")
    return ModelFiles(text.removesuffix("/"))


def learned_items(name: str) -> frozenset[str]:
    """Return the ids of a memory's items that a run of `pathei learn` was trained on; none for any other model.

    They stand in the run's examples, which `pathei memory export --examples` made.

    Raises:
        ModelError: the name is that of a path, and there is no model.
    """
    files = find_model(name)
    run = Path(files.adapter or files.source).parent
    if not (_is_run(_json(run / "config.json")) and (run / EXAMPLES).is_file()):
        return frozenset()
    sources = (orjson.loads(line).get("source", {}) for line in (run / EXAMPLES).read_bytes().splitlines())
    return frozenset(str(source["item"]) for source in sources if "item" in source)


def _in_folder(path: Path, name: str) -> ModelFiles:
    config, run = _json(path / "config.json"), path / MODEL
    if _is_model(_json(run / "config.json")):
        return ModelFiles(str(run))
    if (path / "adapter_config.json").is_file():
        return _adapted(path)
    if _is_model(config):
        return ModelFiles(str(path))
    if (path / "adapter" / "adapter_config.json").is_file():
        return _adapted(path / "adapter")
    files = sorted(file.name for file in path.glob("*.gguf"))
    if len(files) == 1:
        return ModelFiles(str(path), files[0])
    if files:
        raise ModelError(f"There are {len(files)} GGUF files in {name}: name one, such as {path / files[0]}.")
    if _is_run(config):
        raise ModelError(f"The run {name} has no model yet: finish it with `pathei learn`.")
    raise ModelError(f"There is no model in the folder {name}: {_NAMED}.")


def _adapted(path: Path) -> ModelFiles:
    base = str(_json(path / "adapter_config.json").get("base_model_name_or_path") or "")
    beside = path / base
    try:
        found = find_model(str(beside) if base and beside.is_dir() else base)
    except ModelError as error:
        raise ModelError(f"The adapter {path} belongs on a model that is not there: {error}") from error
    if found.adapter:
        raise ModelError(f"The adapter {path} belongs on another adapter, {base}: merge that one first.")
    return found._replace(adapter=str(path))


def _json(path: Path) -> dict[str, Any]:
    try:
        value = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return value if isinstance(value, dict) else {}


def _is_run(config: dict[str, Any]) -> bool:
    return "method" in config and "training" in config


def _is_model(config: dict[str, Any]) -> bool:
    return "model_type" in config or "architectures" in config


def load_pretrained(
    name: str | Path, dtype: torch.dtype | str = "auto", device: str | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a causal language model with its tokenizer; an adapter is merged. What is on this machine is not fetched.

    Args:
        name: The model; see the head of this file.
        dtype: Of the weights; `"auto"` for what the files have.
        device: `"cpu"`, `"cuda"`, `"cuda:1"`, ...; None for the GPU if there is one.

    Raises:
        MissingDependencyError: torch, transformers, or what an adapter or a GGUF file needs is not installed.
        ModelError: there is no such model or device, or it is not a causal language model.
    """
    files = find_model(name)
    with needed_by("A language model"):
        import torch
        import transformers  # noqa: F401
        from safetensors import SafetensorError

        if files.gguf:
            importlib.import_module("gguf")
        if files.adapter:
            importlib.import_module("peft")
    if is_tiny(name):
        files = files._replace(source=str(importlib.import_module("pathei.learners.models.base").tiny_base()))
    if files.source == SMOLLM2:
        files = find_model(importlib.import_module("pathei.learners.models.smollm2").smollm2())
    try:
        tokenizer, model = _read(files, dtype)
    except (ImportError, OSError, ValueError, KeyError, RuntimeError, AssertionError, SafetensorError) as error:
        raise ModelError(_reason(str(name), files, error)) from error
    where = device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return model.to(where), tokenizer  # type: ignore[arg-type]
    except (RuntimeError, AssertionError) as error:
        raise ModelError(f"The model {str(name)!r} cannot be put on {where!r}: {_line(error)}") from error


def _read(files: ModelFiles, dtype: torch.dtype | str) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    extra: dict[str, Any] = {"gguf_file": files.gguf} if files.gguf else {}
    words = files.adapter if (Path(files.adapter) / "tokenizer_config.json").is_file() else files.source
    if Path(words).is_dir() and not files.gguf and not any(map(_tokenizes, Path(words).iterdir())):
        raise ModelError(f"The folder {words} has a model and no tokenizer: save its tokenizer there, too.")
    for local in (True, False):
        try:
            tokenizer = AutoTokenizer.from_pretrained(
                words, local_files_only=local, **({} if words == files.adapter else extra)
            )
            # The gguf package shows its progress on stderr, whatever the settings of transformers.
            with contextlib.redirect_stderr(io.StringIO()) if files.gguf else contextlib.nullcontext():
                model = AutoModelForCausalLM.from_pretrained(files.source, local_files_only=local, dtype=dtype, **extra)
            break
        except OSError:
            if not local or Path(files.source).is_dir():
                raise
    if files.gguf:
        model = _unquantised(model)
    if files.adapter:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, files.adapter).merge_and_unload()
    return tokenizer, model


def _unquantised(model: Any) -> Any:
    """Return a model read from a GGUF file as one that can be trained and saved: with its weights, never quantised."""
    config = copy.deepcopy(model.config)
    for mark in ("quantization_config", "_pre_quantization_dtype"):
        if hasattr(config, mark):
            delattr(config, mark)
    plain = type(model)(config).to(model.dtype)
    plain.load_state_dict(model.state_dict())
    plain.generation_config = model.generation_config
    plain.tie_weights()
    return plain


def _tokenizes(file: Path) -> bool:
    return "token" in file.name or file.name.startswith(("vocab", "spiece", "merges"))


def _reason(name: str, files: ModelFiles, error: Exception) -> str:
    """Return in one sentence why a model cannot be loaded."""
    if not Path(files.source).is_dir() and isinstance(error, OSError):
        return (
            f"There is no model {name!r}: there is no such folder here, and the hub has no such model, or cannot be "
            f"reached ({_NAMED})."
        )
    return f"{name!r} cannot be loaded as a causal language model: {_line(error)}"


def _line(error: BaseException) -> str:
    """Return the first line of an error's message, which states the problem."""
    first = (str(error).strip() or type(error).__name__).splitlines()[0].strip()
    return first if first.endswith(".") else f"{first}."
