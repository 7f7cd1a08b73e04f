"""A run's directory: its configuration and versions, and a single writer. Another configuration is refused.

    config.json          the resolved configuration        examples.jsonl       the examples, all splits
    versions.json        of everything that computes       samples.npy          what the base wrote, for self-replay
    metrics.jsonl        one line per optimizer step       fisher.safetensors   where it was estimated here
    checkpoint/          where the run goes on             model/, adapter/     once it is done; report.json in model/
    step-N/              what was trained, after step N: the steps that were asked for

Not here: what a run does (`finetuning`).
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import orjson

from ..errors import ConfigError, LearningError, StoreLockedError
from ..pretrained import TINY, TINY_BEFORE
from ..store.durable import WriterLock, explained, sync_directory, write_atomically
from .config_migration import RENAMED, migrate_config

ADAPTER: Final = "adapter"
CONFIG: Final = "config.json"
FISHER: Final = "fisher.safetensors"
GATHERED: Final = "gathered"
MODEL: Final = "model"
REPORT: Final = "report.json"
SAMPLES: Final = "samples.npy"
STEP: Final = "step-{}"
VERSIONS: Final = "versions.json"

_PACKAGES: Final = (
    "pathei",
    "torch",
    "transformers",
    "tokenizers",
    "safetensors",
    "peft",
    "trl",
    "accelerate",
    "numpy",
)


@contextlib.contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Create a run's directory and lock it for this process; if the block fails before it writes, nothing is left.

    Raises:
        LearningError: another process holds the lock.
        StoreError: the directory cannot be written to.
    """
    with explained(folder):
        made = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock = WriterLock(folder / "lock")
        except StoreLockedError as error:
            raise LearningError(
                f"Another process is learning in {folder}: wait until it ends, or choose another directory."
            ) from error
    try:
        yield
    finally:
        lock.release()
        if made and [path.name for path in folder.iterdir()] == ["lock"]:
            shutil.rmtree(folder)


def settle(folder: Path, config: Any, renamed: Mapping[str, str | None] | None = None) -> None:
    """Store a run's configuration, or check that it is the one stored here, maybe by an older version.

    Args:
        folder: The run's directory.
        config: A dataclass.
        renamed: Fields that have been renamed, besides those of `config_migration.RENAMED`.

    Raises:
        ConfigError: another run was begun here; names the first field that differs.
    """
    if (folder / CONFIG).exists():
        refuse_another(folder, config, renamed)
    else:
        write_json(folder / CONFIG, orjson.loads(to_json(config)))


def refuse_another(folder: Path, config: Any, renamed: Mapping[str, str | None] | None = None) -> None:
    """Do what `settle` does, without storing anything: to be called before a configuration is known to be right."""
    path = folder / CONFIG
    if not path.exists():
        return
    now = orjson.loads(to_json(config))
    stored = migrate_config(orjson.loads(path.read_bytes()), config, {**RENAMED, **(renamed or {})})
    before = _relocated(orjson.loads(orjson.dumps(stored, default=str)), now)
    if difference := first_difference(_rename_tiny(before), _rename_tiny(now)):
        name, old, new = difference
        raise ConfigError(
            f"{folder} holds a run with {name} = {old!r}, and now it is {new!r}: configure it as before, or choose "
            "another directory."
        )


def stored_rate(folder: Path) -> float | None:
    """Return the learning rate of what was begun in a directory, which it keeps; None if there is none."""
    path = folder / CONFIG
    if not path.exists():
        return None
    rate = orjson.loads(path.read_bytes()).get("training", {}).get("learning_rate")
    return rate if isinstance(rate, float) else None


def _relocated(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Return a stored configuration as it reads where the run's directory (`out`) is now.

    A path that is where it was, seen from that directory, is the same: so a directory can be moved together with what
    it names, as that of a loop is.
    """
    begun, here = str(before.get("out") or ""), str(now.get("out") or "")

    def moved(old: Any, new: Any) -> Any:
        if isinstance(old, dict) and isinstance(new, dict):
            return {key: moved(value, new.get(key)) for key, value in old.items()}
        if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            return [moved(*pair) for pair in zip(old, new, strict=True)]
        if isinstance(old, str) and isinstance(new, str) and old and new:
            return new if os.path.relpath(old, begun) == os.path.relpath(new, here) else old
        return old

    return {key: moved(value, now.get(key)) for key, value in before.items()} if begun and here else before


def _rename_tiny(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration in which the tiny model has its name of today."""
    return {**config, "model": TINY} if config.get("model") == TINY_BEFORE else config


def first_difference(before: Any, now: Any, name: str = "") -> tuple[str, Any, Any] | None:
    """Return where two JSON values differ first: the dotted name of the field and both values; None if nowhere."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in [*before, *(key for key in now if key not in before)]:
            place = f"{name}.{key}" if name else key
            if found := first_difference(before.get(key), now.get(key), place):
                return found
        return None
    return None if before == now else (name, before, now)


def note_versions(folder: Path) -> str | None:
    """Store the versions of what computes; on resuming, return a sentence about what has changed, or None."""
    now = {"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}}
    path = folder / VERSIONS
    if not path.exists():
        write_json(path, now)
        return None
    if difference := first_difference(orjson.loads(path.read_bytes()), now):
        name, old, new = difference
        return f"{name} was {old} when this run began and is {new} now: the rest may differ in its last bits."
    return None


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def publish_folder(final: Path, fill: Callable[[Path], None]) -> None:
    """Fill a temporary folder and rename it, so that the final folder is complete or missing.

    Args:
        final: Where it is to stand; nothing stands there yet.
        fill: Writes into the folder that it is given.
    """
    making = final.with_name(final.name + ".making")
    with explained(final):
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir()
        fill(making)
        for path in making.rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
        sync_directory(making)
        making.rename(final)
        sync_directory(final.parent)


def to_json(value: Any) -> bytes:
    """Return a dataclass as JSON, for people; mappings of any kind become objects, and paths strings."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_INDENT_2)


def _plain(value: Any) -> dict[Any, Any] | str:
    return dict(value) if isinstance(value, Mapping) else str(value)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON file, all or nothing."""
    with explained(path):
        data = orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2)
        write_atomically(path, data + b"\n", path.with_name(path.name + ".tmp"))
