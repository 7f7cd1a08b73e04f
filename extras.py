"""Optional packages: which of pathei's extras brings them, and the sentence that says how to install it.

The command in that sentence works from where pathei came: a checkout, a wheel, a repository's address, or an index.
Not here: programs and environments of other kinds, which `pathei env doctor` looks for.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote, urlsplit

from .errors import MissingDependencyError

EXTRAS: Final[Mapping[str, str]] = MappingProxyType(
    {
        module: extra
        for extra, modules in {
            "bench": "psutil",
            "adapters": "minigrid scienceworld textworld",
            "terminal": "pyte",
            "shop": "lxml rapidfuzz snowballstemmer",
            "habitat": "trimesh",
            "web": "miniwob PIL",
            "memory": "faiss mcp yaml",
            "lm": "openai",
            "lm-eval": "lm_eval",
            "learn": "accelerate datasets gguf matplotlib peft rouge_score safetensors tensorboard tokenizers torch "
            "transformers trl",
            "minari": "h5py minari",
            "openenv": "starlette uvicorn websockets",
            "ray": "ray",
            "verifiers": "verifiers",
        }.items()
        for module in modules.split()
    }
)
"""The extra that brings a module, by the module's name."""


def install_command(extra: str) -> str:
    """Return the command that installs an extra, for this pathei: `pip install '/pathei[learn]'`."""
    return f"pip install '{_requirement(extra)}'"


def missing(what: str, error: ImportError, extra: str = "") -> MissingDependencyError:
    """Return the error for a package that is not installed.

    Args:
        what: What needs it, as the sentence begins: `"The trainer 'trl'"`.
        error: What importing it raised.
        extra: The extra that brings it; that of `EXTRAS` if empty.
    """
    module = (error.name or "").partition(".")[0]
    extra = extra or EXTRAS.get(module, "")
    reason = f"{error.name}, which is not installed" if isinstance(error, ModuleNotFoundError) else f"more ({error})"
    return MissingDependencyError(f"{what} needs {reason}: {install_command(extra) if extra else 'install it'}.")


@contextlib.contextmanager
def needed_by(what: str, extra: str = "") -> Iterator[None]:
    """Import optional packages within this block.

    Args:
        what: What needs them, as the sentence begins.
        extra: The extra that brings them; that of `EXTRAS` if empty.

    Raises:
        MissingDependencyError: one of them is not installed; the message holds the command that installs it.
    """
    try:
        yield
    except ImportError as error:
        raise missing(what, error, extra) from error


def _requirement(extra: str) -> str:
    """Return what pip is to install."""
    checkout = Path(__file__).resolve().parent
    if (checkout / "pyproject.toml").is_file():
        return f"{checkout}[{extra}]"
    try:
        origin = json.loads(importlib.metadata.distribution("pathei").read_text("direct_url.json") or "{}")
    except (importlib.metadata.PackageNotFoundError, ValueError):
        origin = {}
    url = str(origin.get("url", ""))
    if url.startswith("file:"):
        path = Path(unquote(urlsplit(url).path))
        return f"{path if path.exists() else '.'}[{extra}]"
    scheme = origin.get("vcs_info", {}).get("vcs")
    return f"pathei[{extra}] @ {f'{scheme}+' if scheme else ''}{url}" if url else f"pathei[{extra}]"
