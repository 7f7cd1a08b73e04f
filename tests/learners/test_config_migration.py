"""A run that an older version began is the same run for newer code, whatever its fields are called now."""

from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest

from pathei.errors import ConfigError
from pathei.learners.config_migration import migrate_config
from pathei.learners.run_directory import CONFIG, settle


@dataclass(frozen=True)
class Inner:
    """Nested settings."""

    batch_size: int = 8
    added: str = "default"


@dataclass(frozen=True)
class Settings:
    """What newer code calls it."""

    env: str
    training: Inner = field(default_factory=Inner)
    new: tuple[int, ...] = (1, 2)


RENAMED = {"world": "env", "training.batch": "training.batch_size", "gone": None}


def test_renamed_removed_and_added_fields() -> None:
    stored = {"world": "lamp", "training": {"batch": 4}, "gone": {"deep": 1}}
    found = migrate_config(stored, Settings("lamp"), RENAMED)
    assert found == {"env": "lamp", "training": {"batch_size": 4, "added": "default"}, "new": (1, 2)}


def test_a_whole_group_is_renamed() -> None:
    found = migrate_config({"env": "lamp", "tuning": {"batch_size": 3}}, Settings("lamp"), {"tuning": "training"})
    assert found["training"]["batch_size"] == 3


def test_an_old_directory_is_the_same_run(tmp_path: Path) -> None:
    (tmp_path / CONFIG).write_bytes(orjson.dumps({"world": "lamp", "training": {"batch": 8}}))
    settle(tmp_path, Settings("lamp"), RENAMED)
    with pytest.raises(ConfigError, match=r"training\.batch_size = 8, and now it is 9"):
        settle(tmp_path, Settings("lamp", Inner(9)), RENAMED)
    with pytest.raises(ConfigError, match="new"):
        settle(tmp_path, Settings("lamp", new=(3,)), RENAMED)
