"""EWC for several tasks in sequence: quadratics around what was learned, kept separate, decayed or merged into one.

A task k leaves the penalty sum_i F_ki (theta_i - theta_ki)^2. The sum of such quadratics is again one: its precision is
sum_k F_k, its centre the mean of the theta_k weighted by F_k, and there is a constant. So two copies of the weights
suffice for any number of tasks, exactly. They are merged by the update of a weighted mean (West 1979), which does not
subtract great numbers from each other. Not here: the gradient (`ewc`), and estimating F (`fisher`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from ...errors import FisherError, RecordError
from ...store.durable import explained, publish

if TYPE_CHECKING:
    from torch import Tensor

_FORMAT: Final = "pathei-ewc-1"


@dataclass(frozen=True, slots=True)
class Quadratic:
    """sum_i precision_i (theta_i - centre_i)^2 + constant, over named parameters."""

    precision: Mapping[str, Tensor]
    """The diagonal of the Fisher information, at least 0, in the shape of the parameter; a scalar counts everywhere."""
    centre: Mapping[str, Tensor]
    """What the parameters are pulled to, in their shapes."""
    constant: float = 0.0
    """The value at the centre: the distance between merged tasks; it has no gradient."""

    def __post_init__(self) -> None:
        """Raise `FisherError` if names or shapes do not fit each other."""
        for name, precision in self.precision.items():
            centre = self.centre.get(name)
            if centre is None:
                raise FisherError(f"Parameter {name!r} has Fisher information and no anchor: give both the same names.")
            if precision.ndim and precision.shape != centre.shape:
                raise FisherError(
                    f"The Fisher information of {name!r} has shape {tuple(precision.shape)}, its anchor "
                    f"{tuple(centre.shape)}: both must be of the same model."
                )


def merged(first: Quadratic, second: Quadratic) -> Quadratic:
    """Return the sum of two quadratics as one, in float32: exactly their sum at every theta.

    A parameter that only one of them has keeps what that one says of it.
    """
    import torch

    precision, centre, constant = dict(first.precision), dict(first.centre), first.constant + second.constant
    for name, more in second.precision.items():
        there = second.centre[name]
        if name not in precision:
            precision[name], centre[name] = more, there
            continue
        held, more = precision[name].float(), more.float()
        total, gap = held + more, there.float() - centre[name].float()
        share = torch.where(total > 0, more / total, torch.zeros_like(total))
        constant += float((held * share * gap * gap).sum())
        precision[name], centre[name] = total, centre[name].float() + share * gap
    return Quadratic(precision, centre, constant)


def online(first: Quadratic, second: Quadratic, decay: float) -> Quadratic:
    """Return the quadratic of online EWC (Schwarz et al. 2018): F = decay * F_old + F_new around the latest anchor.

    A parameter that the latest anchor lacks keeps its own, decayed.
    """
    precision = {name: held.float() * decay for name, held in first.precision.items()}
    for name, more in second.precision.items():
        precision[name] = precision[name] + more.float() if name in precision else more
    return Quadratic(precision, {**first.centre, **second.centre})


def save_tasks(path: Path, tasks: Sequence[Quadratic], meta: Mapping[str, float | str]) -> None:
    """Write tasks to a safetensors file, atomically.

    Args:
        path: Where to; its folder must be there.
        tasks: What to remember.
        meta: Stored with the tensors, as JSON.

    Raises:
        StoreError: the file cannot be written.
    """
    from safetensors.torch import save_file

    tensors = {
        f"{part}/{number}/{name}": value.detach().contiguous().clone()
        for number, task in enumerate(tasks)
        for part, values in (("precision", task.precision), ("centre", {n: task.centre[n] for n in task.precision}))
        for name, value in values.items()
    }
    stored = {**meta, "format": _FORMAT, "tasks": len(tasks), "constants": [task.constant for task in tasks]}
    temporary = path.with_name(path.name + ".tmp")
    with explained(path):
        save_file(tensors, temporary, metadata={"pathei": orjson.dumps(stored).decode()})
        publish(temporary, path)


def load_tasks(path: Path) -> tuple[list[Quadratic], dict[str, float | str]]:
    """Read what `save_tasks` wrote; the tensors stay on disk until they are used.

    Raises:
        RecordError: there is no such file, or it is not of this format.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            stored = orjson.loads((file.metadata() or {}).get("pathei", "{}"))
            if stored.get("format") != _FORMAT:
                raise RecordError(f"{path} is not what an EWC method saved ({_FORMAT}): give the file that it wrote.")
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - it is no mapping
    except (OSError, SafetensorError) as error:
        raise RecordError(f"There is nothing to read at {path} ({error}): give the file that `save` wrote.") from error
    parts: list[dict[str, dict[str, Tensor]]] = [{"precision": {}, "centre": {}} for _ in range(stored.pop("tasks"))]
    for key, value in tensors.items():
        part, number, name = key.split("/", 2)
        parts[int(number)][part][name] = value
    constants = stored.pop("constants")
    return [Quadratic(**part, constant=constant) for part, constant in zip(parts, constants, strict=True)], stored
