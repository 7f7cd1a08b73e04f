"""Bring the configuration of an older run up to date, so that its directory opens with newer code.

A run's directory holds its configuration as JSON, and going on with the run requires the same configuration. When a
field is renamed or removed, its row is added to `RENAMED`; a field that is new counts as having had its default.
Not here: comparing (`run_directory.settle`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from ..experience import Json

RENAMED: Final[Mapping[str, str | None]] = MappingProxyType(
    {
        "start": "init_from",
        "training.batch": "training.batch_size",
        "training.accumulation": "training.gradient_accumulation_steps",
        "training.clip": "training.max_grad_norm",
        "knobs.ewc_strength": "methods.ewc.strength",
        "knobs.l2sp_strength": "methods.l2sp.strength",
        "knobs.replay_sequences": "methods.replay.sequences",
        "knobs.replay_weight": "methods.replay.weight",
        "knobs.kl_sequences": "methods.kl.sequences",
        "knobs.kl_weight": "methods.kl.weight",
        "knobs.wise_alpha": "methods.wise_ft.alpha",
        "knobs.samples": "reference.samples",
        "knobs.sequence_length": "reference.sequence_length",
        "knobs.fisher_sequences": "reference.fisher_sequences",
    }
)
"""Dotted names of fields as older versions wrote them, with today's name; None for a field that no longer exists."""


def migrate_config(stored: Mapping[str, Json], config: Any, renamed: Mapping[str, str | None] = RENAMED) -> Json:
    """Return a configuration, as it was read from a file, in the form of today's, a dataclass."""
    data: dict[str, Json] = {}
    for name, value in _flat(stored, ""):
        new = _new_name(name, renamed)
        if new is not None:
            _set(data, new.split("."), value)
    return _with_defaults(data, config)


def _flat(data: Mapping[str, Json], prefix: str) -> list[tuple[str, Json]]:
    """Return all values by dotted name; an empty mapping is a value."""
    rows: list[tuple[str, Json]] = []
    for key, value in data.items():
        rows += _flat(value, f"{prefix}{key}.") if isinstance(value, dict) and value else [(f"{prefix}{key}", value)]
    return rows


def _new_name(name: str, renamed: Mapping[str, str | None]) -> str | None:
    """Return today's name of a field; the longest row that is the name or begins it decides."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        old = ".".join(parts[:end])
        if old in renamed:
            new = renamed[old]
            return None if new is None else ".".join([new, *parts[end:]])
    return name


def _set(data: dict[str, Json], parts: list[str], value: Json) -> None:
    for part in parts[:-1]:
        data = data.setdefault(part, {})
    data[parts[-1]] = value


def _with_defaults(data: dict[str, Json], config: Any) -> dict[str, Json]:
    """Add the defaults of fields that are missing."""
    for field in dataclasses.fields(config):
        now = getattr(config, field.name)
        if field.name not in data:
            if field.default is not dataclasses.MISSING:
                data[field.name] = field.default
            elif field.default_factory is not dataclasses.MISSING:
                data[field.name] = field.default_factory()
        elif dataclasses.is_dataclass(now) and isinstance(data[field.name], dict):
            data[field.name] = _with_defaults(data[field.name], now)
    return data
