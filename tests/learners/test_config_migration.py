"""A run that an older version began is the same run for newer code, whatever its fields are called now."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest

from pathei.errors import ConfigError
from pathei.learners.config import LearnConfig, ReferenceConfig
from pathei.learners.config_migration import migrate_config
from pathei.learners.methods.ewc import EwcConfig
from pathei.learners.methods.registry import MethodConfigs
from pathei.learners.methods.replay import ReplayConfig
from pathei.learners.methods.wise_ft import WiseFtConfig
from pathei.learners.run_directory import CONFIG, settle
from pathei.learners.training.config import TrainingConfig


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


def test_the_tiny_model_has_two_names(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Run:
        model: str = "tiny"

    (tmp_path / CONFIG).write_bytes(orjson.dumps({"model": "embedded"}))
    settle(tmp_path, Run())
    settle(tmp_path, Run("embedded"))
    with pytest.raises(ConfigError, match="model = 'tiny', and now it is 'other'"):
        settle(tmp_path, Run("other"))


def test_the_options_of_methods_moved_to_the_methods(tmp_path: Path) -> None:
    knobs = {"ewc_strength": 7.0, "replay_weight": 0.5, "wise_alpha": 0.25, "samples": 9, "sequence_length": 12}
    training = {"batch": 4, "accumulation": 2, "clip": 0.5}
    stored = {"out": "run", "model": "embedded", "start": "before", "knobs": knobs, "training": training}
    now = LearnConfig(
        Path("run"),
        methods=MethodConfigs(ewc=EwcConfig(7.0), replay=ReplayConfig(weight=0.5), wise_ft=WiseFtConfig(0.25)),
        training=TrainingConfig(batch_size=4, gradient_accumulation_steps=2, max_grad_norm=0.5),
        reference=ReferenceConfig(samples=9, sequence_length=12),
        init_from="before",
    )
    (tmp_path / CONFIG).write_bytes(orjson.dumps(stored))
    settle(tmp_path, now)
    with pytest.raises(ConfigError, match=r"methods\.ewc\.strength = 7\.0, and now it is 8\.0"):
        settle(tmp_path, dataclasses.replace(now, methods=MethodConfigs(ewc=EwcConfig(8.0))))
