"""Learning into weights: corpora from experience, Fisher information, and fine-tuning with little forgetting.

    from pathei.learners import LearnConfig, evaluate_run, finetune

    finetune(LearnConfig(out=Path("runs/first"), data=Path("runs/store"), method="ewc"))
    evaluate_run(Path("runs/first"))

Names are imported when they are used, so `import pathei.learners` needs neither torch nor numpy. The wings:
`corpora` (examples from episodes), `methods` (EWC and its rivals), `fisher`, `training`, `models`, `evaluation`.
"""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .checks import check_regularizer as check_regularizer
    from .config import LearnConfig as LearnConfig
    from .config import LearnReport as LearnReport
    from .config import ReferenceConfig as ReferenceConfig
    from .corpora.building import build_corpora as build_corpora
    from .corpora.config import CorpusConfig as CorpusConfig
    from .evaluation.evaluate import EvaluationConfig as EvaluationConfig
    from .evaluation.evaluate import evaluate as evaluate
    from .evaluation.result import Evaluation as Evaluation
    from .evaluation.run import EvaluateRunConfig as EvaluateRunConfig
    from .evaluation.run import evaluate_run as evaluate_run
    from .examples import Example as Example
    from .examples import read_examples as read_examples
    from .examples import write_examples as write_examples
    from .finetuning import FineTuner as FineTuner
    from .finetuning import finetune as finetune
    from .methods.registry import METHODS as METHODS
    from .methods.registry import MethodConfigs as MethodConfigs
    from .models.load import load_model as load_model
    from .training.config import LoraConfig as LoraConfig
    from .training.config import TrainingConfig as TrainingConfig

_HOMES: Final = MappingProxyType(
    {
        "METHODS": "methods.registry",
        "CorpusConfig": "corpora.config",
        "EvaluateRunConfig": "evaluation.run",
        "Evaluation": "evaluation.result",
        "EvaluationConfig": "evaluation.evaluate",
        "Example": "examples",
        "FineTuner": "finetuning",
        "LearnConfig": "config",
        "LearnReport": "config",
        "LoraConfig": "training.config",
        "MethodConfigs": "methods.registry",
        "ReferenceConfig": "config",
        "TrainingConfig": "training.config",
        "build_corpora": "corpora.building",
        "check_regularizer": "checks",
        "evaluate": "evaluation.evaluate",
        "evaluate_run": "evaluation.run",
        "finetune": "finetuning",
        "load_model": "models.load",
        "read_examples": "examples",
        "write_examples": "examples",
    }
)
"""The module of each name."""


def __getattr__(name: str) -> Any:
    """Import a name of this package when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)


__all__ = sorted(_HOMES)  # noqa: PLE0605
