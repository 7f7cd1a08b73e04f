"""Minari export: episodes as a dataset for offline reinforcement learning, of numbers or of texts.

Observations, and likewise actions, are numbers if every text is a JSON number or a (nested) list of numbers of one
shape: `"3"`, `"[0.5, -1.0]"`. Otherwise they are texts, in a `Text` space whose characters are those that occur. The
dataset is HDF5, lossless (Minari's default would store image-like arrays as JPEG), and needs no jax: the episode
buffers are made of whole arrays. Not here: facts and admissible actions. `info` is kept as a JSON string per step.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import orjson

from ..errors import ExportError
from ..experience import Trajectory
from ..extras import needed_by
from .common import ExportCounts, Selection

if TYPE_CHECKING:
    import gymnasium

Array = np.ndarray[Any, np.dtype[Any]]
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_-]+")


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

    def read(self, texts: Sequence[str]) -> Array:
        """Return the numbers of one episode."""
        return np.array([orjson.loads(text) for text in texts], self.dtype)


@dataclass(frozen=True, slots=True)
class Texts:
    """What all observations, or all actions, have in common where some are not numbers."""

    longest: int
    """Characters of the longest one."""
    shortest: int
    """Characters of the shortest one."""
    characters: frozenset[str]
    """The characters that occur."""

    def merged(self, other: Texts) -> Texts:
        """Return what both have in common."""
        low, high = min(self.shortest, other.shortest), max(self.longest, other.longest)
        return Texts(high, low, self.characters | other.characters)

    def space(self) -> gymnasium.Space[Any]:
        """Return the space that holds them."""
        from gymnasium.spaces import Text

        return Text(max(1, self.longest), min_length=self.shortest, charset="".join(sorted(self.characters)) or " ")

    def read(self, texts: Sequence[str]) -> list[str]:
        """Return the texts of one episode."""
        return list(texts)


def write_minari(selection: Selection, temporary: Path, target: Path, *, dataset_id: str | None = None) -> ExportCounts:
    """Write a Minari dataset: the folder of a dataset in a Minari root, with the data in `data`.

    `minari.MinariDataset(target / "data")` opens it; if the folder's name is an id, as `"lamp-v0"` is, so does
    `minari.load_dataset(target.name)` where `MINARI_DATASETS_PATH` is the folder above. The episodes are read twice:
    for their spaces, then to be written.

    Args:
        selection: The episodes.
        temporary: The folder to make.
        target: The folder that it will be.
        dataset_id: Minari's id, such as `"lamp/explore-v0"`; by default the name of the folder, made into one.

    Raises:
        ExportError: `dataset_id` is none, the shapes of numbers differ, images are shown, or there is no episode.
        MissingDependencyError: Minari is not installed.
    """
    with needed_by("The minari export", "minari"):
        from minari.dataset.minari_dataset import parse_dataset_id  # type: ignore[import-untyped]
        from minari.dataset.minari_storage import MinariStorage  # type: ignore[import-untyped]
    name = dataset_id or target.name
    try:
        parse_dataset_id(name)
    except (TypeError, ValueError) as error:  # a TypeError where only the version is lacking
        if dataset_id is not None:
            raise ExportError(f"{name!r} is not a Minari dataset id: give one such as 'lamp/explore-v0'.") from error
        name = f"{_NOT_IN_NAMES.sub('-', name).strip('-') or 'pathei'}-v0"
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
    observations: Numbers | Texts
    actions: Numbers | Texts
    skipped: int


def _survey(selection: Selection) -> _Survey:
    numbers: dict[str, Numbers | None] = {}
    texts: dict[str, Texts] = {}
    skipped = 0
    for trajectory in (episode.whole for episode in selection.episodes()):
        if not trajectory.steps:
            skipped += 1
            continue
        for kind, said in (
            ("observation", _observed(trajectory)),
            ("action", [one.action for one in trajectory.steps]),
        ):
            for t, text in enumerate(said):
                numbers[kind] = _numbers(text, numbers, kind, f"the {kind} {t} of {trajectory.id!r}")
                if "\0" in text:
                    raise ExportError(f"Minari cannot hold the null character of the {kind} {t} of {trajectory.id!r}.")
            here = Texts(max(map(len, said)), min(map(len, said)), frozenset().union(*said))
            texts[kind] = texts.get(kind, here).merged(here)
    if not numbers:
        raise ExportError("There is no episode with a step to export: choose other filters.")
    observations, actions = (numbers[kind] or texts[kind] for kind in ("observation", "action"))
    return _Survey(observations, actions, skipped)


def _observed(trajectory: Trajectory) -> list[str]:
    return [*(step.observation.text for step in trajectory.steps), trajectory.final.text]


def _numbers(text: str, found: Mapping[str, Numbers | None], kind: str, where: str) -> Numbers | None:
    """Return what numbers have in common with this one; None if it, or one before it, is none."""
    array = None if kind in found and found[kind] is None else _parse(text)
    if array is None:
        return None
    here = Numbers(array.shape, array.dtype.kind in "iu", float(array.min()), float(array.max()))
    before = found.get(kind) or here
    if here.shape != before.shape:
        raise ExportError(
            f"Minari needs one shape, and {where} has {list(here.shape)} where others have {list(before.shape)}: "
            "export one environment at a time."
        )
    return before.merged(here)


def _buffers(selection: Selection, observations: Numbers | Texts, actions: Numbers | Texts) -> Iterator[Any]:
    from minari.data_collector import EpisodeBuffer  # type: ignore[import-untyped]

    for trajectory in (episode.whole for episode in selection.episodes() if episode.whole.steps):
        steps = trajectory.steps
        infos = ["{}", *(orjson.dumps(step.info).decode() for step in steps)]
        yield EpisodeBuffer(
            seed=trajectory.task.seed,
            options={"id": trajectory.id, "task": trajectory.task.id, "goal": trajectory.task.goal.text},
            observations=observations.read(_observed(trajectory)),
            actions=actions.read([step.action for step in steps]),
            rewards=np.array([step.reward for step in steps], np.float64),
            terminations=np.array([step.terminated for step in steps]),
            truncations=np.array([step.truncated for step in steps]),
            infos={"info_json": infos},
        )


def _parse(text: str) -> Array | None:
    """Return the numbers that a text is; None if it is none."""
    try:
        array = np.array(orjson.loads(text))
    except ValueError:
        return None
    # Booleans and null are JSON too, and a ragged list is an error or an array of objects.
    return array if array.dtype.kind in "iuf" and array.size and np.all(np.abs(array) < 2.0**63) else None
