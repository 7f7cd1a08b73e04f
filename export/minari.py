"""Minari export: episodes whose observations and actions are numbers, for offline reinforcement learning.

An observation or action is numeric if its text is a JSON number or a (nested) list of numbers of one shape: `"3"`,
`"[0.5, -1.0]"`. That is how a pathei environment with numeric spaces writes them. Everything else is refused. The
dataset is HDF5, lossless (Minari's default would store image-like arrays as JPEG), and needs no jax: the episode
buffers are made of whole arrays. Not here: facts and admissible actions. `info` is kept as a JSON string per step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import orjson

from ..errors import ExportError, MissingDependencyError
from .common import ExportCounts, Selection

if TYPE_CHECKING:
    import gymnasium

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Numbers:
    """What all observations, or all actions, have in common."""

    shape: tuple[int, ...]
    """The shape of one of them; () for a number."""
    integral: bool
    """Whether all of them are whole numbers."""
    low: float
    """The least number."""
    high: float
    """The greatest number."""

    def merged(self, other: Numbers) -> Numbers:
        """Return what both have in common; the shapes must be equal."""
        return Numbers(
            self.shape, self.integral and other.integral, min(self.low, other.low), max(self.high, other.high)
        )

    @property
    def dtype(self) -> type[np.generic]:
        """int64 or float64."""
        return np.int64 if self.integral else np.float64

    def space(self) -> gymnasium.Space[Any]:
        """Return the space that holds them: `Discrete` for whole numbers from 0 on, otherwise an unbounded `Box`."""
        from gymnasium.spaces import Box, Discrete

        if self.shape == () and self.integral and self.low >= 0:
            return Discrete(int(self.high) + 1)
        if self.integral:
            limits = np.iinfo(np.int64)
            return Box(int(limits.min), int(limits.max), self.shape, np.int64)
        return Box(-np.inf, np.inf, self.shape, np.float64)


def write_minari(selection: Selection, temporary: Path, target: Path, *, dataset_id: str | None = None) -> ExportCounts:
    """Write a Minari dataset: the folder of a dataset in a Minari root, with the data in `data`.

    `minari.load_dataset(target.name)` finds it if `MINARI_DATASETS_PATH` is the folder above; elsewhere
    `minari.MinariDataset(target / "data")` opens it. The episodes are read twice: for their spaces, then to be written.

    Args:
        selection: The episodes.
        temporary: The folder to make.
        target: The folder that it will be.
        dataset_id: Minari's id, such as `"lamp/explore-v0"`; by default the name of the folder.

    Raises:
        ExportError: a text is not numeric, the shapes differ, images are shown, or there is nothing to export.
        MissingDependencyError: Minari is not installed.
    """
    try:
        from minari.dataset.minari_dataset import parse_dataset_id  # type: ignore[import-untyped]
        from minari.dataset.minari_storage import MinariStorage  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingDependencyError(
            f"The minari export needs Minari with HDF5 ({error}): run `pip install 'pathei[minari]'`."
        ) from error
    name = target.name if dataset_id is None else dataset_id
    try:
        parse_dataset_id(name)
    except ValueError as error:
        raise ExportError(f"{name!r} is not a Minari dataset id: give one such as 'lamp/explore-v0'.") from error
    selection.refuse_images("minari")
    observations, actions, skipped = _survey(selection)
    data = temporary / "data"
    data.mkdir(parents=True)
    storage = MinariStorage.new(data, observations.space(), actions.space(), data_format="hdf5", jpeg_encoding=False)
    storage.update_metadata({
        "dataset_id": name,
        "minari_version": version("minari"),
        "algorithm_name": selection.collector or "pathei",
        "description": f"Exported by pathei {version('pathei')}.",
    })  # fmt: skip
    storage.update_episodes(_buffers(selection, observations, actions))
    return ExportCounts(int(storage.total_episodes), int(storage.total_steps), skipped)


class _Survey(NamedTuple):
    observations: Numbers
    actions: Numbers
    skipped: int


def _survey(selection: Selection) -> _Survey:
    found: dict[str, Numbers] = {}
    skipped = 0
    for trajectory in (episode.whole for episode in selection.episodes()):
        if not trajectory.steps:
            skipped += 1
            continue
        shown = [*(step.observation.text for step in trajectory.steps), trajectory.final.text]
        for kind, texts in (("observation", shown), ("action", [step.action for step in trajectory.steps])):
            for t, text in enumerate(texts):
                numbers = _describe(_parse(text, f"the {kind} {t} of {trajectory.id!r}"))
                before = found.get(kind, numbers)
                if numbers.shape != before.shape:
                    raise ExportError(
                        f"Minari needs one shape, and the {kind} {t} of {trajectory.id!r} has {list(numbers.shape)}"
                        f" where others have {list(before.shape)}: export one environment at a time."
                    )
                found[kind] = before.merged(numbers)
    if not found:
        raise ExportError("There is no episode with a step to export: choose other filters.")
    return _Survey(found["observation"], found["action"], skipped)


def _buffers(selection: Selection, observations: Numbers, actions: Numbers) -> Iterator[Any]:
    from minari.data_collector import EpisodeBuffer  # type: ignore[import-untyped]

    for trajectory in (episode.whole for episode in selection.episodes() if episode.whole.steps):
        steps = trajectory.steps
        shown = [*(step.observation.text for step in steps), trajectory.final.text]
        infos = ["{}", *(orjson.dumps(step.info).decode() for step in steps)]
        yield EpisodeBuffer(
            seed=trajectory.task.seed,
            options={"id": trajectory.id, "task": trajectory.task.id, "goal": trajectory.task.goal.text},
            observations=np.array([orjson.loads(text) for text in shown], observations.dtype),
            actions=np.array([orjson.loads(step.action) for step in steps], actions.dtype),
            rewards=np.array([step.reward for step in steps], np.float64),
            terminations=np.array([step.terminated for step in steps]),
            truncations=np.array([step.truncated for step in steps]),
            infos={"info_json": infos},
        )


def _parse(text: str, where: str) -> Array:
    try:
        array = np.array(orjson.loads(text))
    except ValueError:
        array = np.array(None)
    # Booleans and null are JSON too, and a ragged list is an error or an array of objects.
    if array.dtype.kind not in "iuf" or array.size == 0 or not np.all(np.abs(array) < 2.0**63):
        shown = text if len(text) <= 40 else f"{text[:40]}..."
        raise ExportError(
            f"Minari holds numbers, and {where} is {shown!r}: export text as parquet, chat, prompt-completion or atif."
        )
    return array


def _describe(array: Array) -> Numbers:
    return Numbers(array.shape, array.dtype.kind in "iu", float(array.min()), float(array.max()))
