"""One run of `pathei pretrain`, and its evaluation: in a directory, resumable, with the encoder for `from_pretrained`.

    config.json, versions.json, metrics.jsonl, checkpoint/   as in a run of `pathei learn`
    model/              the encoder (`AutoModel.from_pretrained`), and a tokenizer for texts
    evaluation.json     pretext figure, baseline, control and probe, once `evaluate_pretrained` was called

Not here: the trainer (`training`), and tables.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import orjson

from ...errors import ConfigError, LearningError
from ...extras import needed_by
from ..models.base import quietly
from ..run_directory import CONFIG, MODEL, note_versions, only_writer, publish_folder, settle, write_json
from .config import ModelScale, PretrainConfig
from .encoders import calibrate, grey, to_input
from .probe import probe, probe_examples
from .protocol import Objective, PretextScores
from .reader import ExperienceReader
from .registry import OBJECTIVES
from .training import Watch, new_model, to_device, train_objective

if TYPE_CHECKING:
    from torch import nn

RESULT: Final = "evaluation.json"
CONTROL: Final = "control"
"""The folder of the control's run, within the run's."""
_CALIBRATIONS: Final = 16
_CALIBRATED: Final = 64
"""Batches, and frames of each, from which the statistics of batch normalisation are taken."""


class PretrainScore(NamedTuple):
    """What one run reached."""

    pretext: float
    """The metric on held-out experience."""
    baseline: float
    """The best answer without looking on the same examples, or that of untrained weights if it is better."""
    margin: float
    """How far the pretext is above its baseline, in standard errors over episodes."""
    control: float | None
    """The metric of the control, trained without the cue; None, as the next two, where no control was asked for."""
    control_baseline: float | None
    control_margin: float | None
    """How far the control is above its own baseline, in standard errors."""
    probe_before: float
    """The probe of untrained weights: mean area under the ROC curve."""
    probe_after: float
    probe_calibrated: float | None = None
    """The probe of untrained weights whose batch normalisation has seen frames, None where it was not measured.

    What is gained above it is gained by the weights.
    """


def pretrain(config: PretrainConfig, watch: Watch | None = None) -> Path:
    """Train an objective on a store, or go on where it stopped; then the same for its control.

    Returns:
        The folder of the encoder, for `AutoModel.from_pretrained`.

    Raises:
        ConfigError: another run was begun in this directory, or the store holds too little.
        UnknownNameError: there is no such objective.
        LearningError, StoreError, MissingDependencyError: see `train_objective`.
    """
    train, objective = make_objective(config)
    if objective.modality != "text":
        train.require_frames(2)
    elif not train.episodes:
        raise ConfigError(f"{config.store} has no episode to learn from.")
    with only_writer(config.out):
        settle(config.out, config)
        note_versions(config.out)
        if not (config.out / MODEL).is_dir():
            model = train_objective(objective, train, config, config.out, watch)
            calibrate_on(model, objective, train)
            publish_folder(config.out / MODEL, lambda folder: save_encoder(model, objective, config.size, folder))
    return config.out / MODEL


def calibrate_on(model: Any, objective: Objective, experience: ExperienceReader) -> None:
    """Take the statistics of an encoder's batch normalisation from whole frames, as it is shown them later."""
    if objective.modality == "text":
        return
    device = next(model.parameters()).device
    draws = (experience.draw_frames(np.random.default_rng(n), _CALIBRATED)[0] for n in range(_CALIBRATIONS))
    shown = (to_input(one).to(device) for one in draws)
    calibrate(model.base_model, (grey(one) if objective.is_grey else one for one in shown))


def is_pretrained(run: Path) -> bool:
    """Return whether a directory is of a run of `pretrain`, finished or not."""
    path = run / CONFIG
    return path.is_file() and "cueless" in orjson.loads(path.read_bytes())


def make_objective(config: PretrainConfig) -> tuple[ExperienceReader, Objective]:
    """Return the training part of a run's store, and its objective (or control)."""
    with needed_by("Pre-training", "learn"):
        import torch  # noqa: F401
    train = ExperienceReader(config.store, "train", config.size.picture)
    objective: Objective = OBJECTIVES.make(config.objective, train, config, offers=["build", "batch", "loss", "metric"])
    return train, objective.control() if config.cueless else objective


def save_encoder(model: Any, objective: Any, size: ModelScale, folder: Path) -> None:
    """Write a model, and what prepares its inputs, into a folder that `from_pretrained` reads."""
    from transformers import ViTImageProcessor

    whole = model if hasattr(model, "save_pretrained") else model.base_model
    with quietly():
        if objective.modality == "text":
            objective.tokenizer.save_pretrained(folder)
        else:
            whole.config.is_grey = objective.is_grey
            half, side = [0.5, 0.5, 0.5], size.picture
            # Pictures scaled by area, from -1 to 1, as `reader` and `to_input` make them.
            ViTImageProcessor(
                size={"height": side, "width": side}, resample=4, image_mean=half, image_std=half
            ).save_pretrained(folder)
        whole.save_pretrained(folder)


def evaluate_pretrained(
    run: Path,
    *,
    control: bool = True,
    batches: int = 16,
    examples: int = 1_500,
    overwrite: bool = False,
    watch: Watch | None = None,
) -> PretrainScore:
    """Measure a finished run, once.

    Args:
        run: The run's directory.
        control: Whether to measure the control; it is trained first, in `control/`, if it is not there yet.
        batches: The number of batches of held-out experience.
        examples: The number of training examples of the probe; half as many are asked.
        overwrite: Whether to measure again what was measured before; otherwise that is returned.
        watch: Called during the training of the control.

    Raises:
        ConfigError: what is held out has nothing to ask.
        LearningError: the run is not finished.
    """
    if not is_pretrained(run) or not (run / MODEL).is_dir():
        raise LearningError(f"{run} has no pre-trained model: finish the run with `pathei pretrain` first.")
    if (run / RESULT).is_file() and not overwrite:
        known = PretrainScore(**orjson.loads((run / RESULT).read_bytes()))
        if known.control is not None or not control:
            return known
    config = read_config(run)
    train, objective = make_objective(config)
    held_out = ExperienceReader(config.store, "held_out", config.size.picture)
    untrained: Any = new_model(objective, config.seed).eval()
    model: Any = restored(objective, config)
    first, episodes = scores_of(objective, model, held_out, batches)
    blind, _ = scores_of(objective, untrained.to(next(model.parameters()).device), held_out, batches)
    if np.nanmean(blind.values) > np.nanmean(first.baseline):
        first = first._replace(baseline=blind.values)
    without: tuple[float | None, float | None, float | None] = (None, None, None)
    if control:
        other = dataclasses.replace(config, out=run / CONTROL, cueless=True)
        pretrain(other, watch)
        cueless = objective.control()
        without = _figures(*scores_of(cueless, restored(cueless, other), held_out, batches))
    rng = np.random.default_rng(0)
    parts = [probe_examples(train, objective.modality, examples, rng)]
    parts.append(probe_examples(held_out, objective.modality, examples // 2, rng))
    before, after = (probe(one.base_model, objective, *parts) for one in (untrained, model))
    calibrate_on(untrained, objective, train)
    score = PretrainScore(
        *_figures(first, episodes), *without, before, after, probe(untrained.base_model, objective, *parts)
    )
    write_json(run / RESULT, score._asdict())
    return score


def _figures(scores: PretextScores, episodes: np.ndarray[Any, Any]) -> tuple[float, float, float]:
    """Return the mean, the baseline's mean and the margin between them."""
    return float(np.nanmean(scores.values)), float(np.nanmean(scores.baseline)), margin_of(scores, episodes)


def scores_of(
    objective: Objective, model: nn.Module, experience: ExperienceReader, batches: int
) -> tuple[PretextScores, np.ndarray[Any, Any]]:
    """Return the scores of some batches of a part, always the same ones, and the episode of each example.

    Raises:
        ConfigError: no example asks anything, as in frames without colour.
    """
    import torch

    device = next(model.parameters()).device
    found, episodes = [], []
    with torch.no_grad():
        for n in range(batches):
            batch = objective.batch(experience, np.random.default_rng([n, 1]))
            found.append(objective.metric(model, to_device(batch, device)))
            episodes.append(batch["episode"].numpy())
    values, baseline = (np.concatenate(part) for part in zip(*found, strict=True))
    if not np.isfinite(values).any():
        raise ConfigError(f"{experience.path} ({experience.part}) has nothing that this objective asks for.")
    return PretextScores(values, baseline), np.concatenate(episodes)


def margin_of(scores: PretextScores, episodes: np.ndarray[Any, Any]) -> float:
    """Return how far the values are above the baseline in standard errors; examples of one episode count together.

    Where all gain alike, the error is taken to be that of one example.
    """
    gain = scores.values - scores.baseline
    kept = np.isfinite(gain)
    gain, groups = gain[kept], np.unique(episodes[kept], return_inverse=True)[1]
    sums = np.bincount(groups, weights=gain - gain.mean())
    count = len(sums)
    error = float(np.sqrt(np.square(sums).sum() * count / max(1, count - 1))) / len(gain)
    return float(gain.mean()) / (error or 1 / len(gain))


def restored(objective: Objective, config: PretrainConfig) -> nn.Module:
    """Return the trained model of a finished run, its head included, from its last checkpoint."""
    return train_objective(objective, ExperienceReader(config.store, "train", config.size.picture), config, config.out)


def read_config(run: Path) -> PretrainConfig:
    """Return the configuration of a run; its store is found where it was."""
    fields = orjson.loads((run / CONFIG).read_bytes())
    return PretrainConfig(**{**fields, "out": run, "store": Path(fields["store"])})
