"""Rows of pictures of what three objectives have learned, for `pretrain.py --picture`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from pathei.learners.pretrain.objectives.colorization import Colorization, centres
from pathei.learners.pretrain.objectives.colours import SECTORS
from pathei.learners.pretrain.objectives.masked_image import MaskedImage
from pathei.learners.pretrain.objectives.tracking import Tracking
from pathei.learners.pretrain.reader import ExperienceReader

COLUMNS = 8
HUES = np.array([[230, 60, 60], [200, 170, 40], [60, 190, 60], [50, 180, 190], [70, 80, 230], [200, 70, 200]]) / 255
Row = tuple[str, np.ndarray[Any, Any]]


def drawn(objective: Any, model: Any, held_out: ExperienceReader) -> list[Row]:
    """Return titled rows of `COLUMNS` pictures from held-out tasks, `[COLUMNS, size, size, 3]`, from 0 to 1."""
    batch = objective.batch(held_out, np.random.default_rng(5))
    batch = {name: value[:COLUMNS] for name, value in batch.items()}
    draw: Any = {MaskedImage: masked, Colorization: coloured, Tracking: tracked}[type(objective)]
    with torch.no_grad():
        found: list[Row] = draw(objective, model, batch, held_out)
    return found


def masked(_objective: MaskedImage, model: Any, batch: Any, _held_out: ExperienceReader) -> list[Row]:
    """Return what MAE saw, what it made of it, and the frame."""
    pixels = batch["pixel_values"]
    made = model(pixels, noise=batch["noise"])
    patches, mask = model.patchify(pixels), made.mask[..., None]
    filled = torch.where(mask > 0, made.logits, patches)
    hidden = torch.where(mask > 0, torch.zeros_like(patches), patches)
    names = ("MAE sees", "MAE fills in", "frame")
    return [(name, show(model.unpatchify(one))) for name, one in zip(names, (hidden, filled, patches), strict=True)]


def coloured(objective: Colorization, model: Any, batch: Any, held_out: ExperienceReader) -> list[Row]:
    """Return a grey frame, the expected colour at each place on it, and the frame."""
    frames, _ = held_out.draw_frames(np.random.default_rng(5), objective.config.batch_size)
    chance = objective.logits(model, batch["pixels"]).softmax(1)
    sharper = chance ** (1 / 0.38)  # the annealed mean of Zhang et al.
    ab = torch.einsum("nchw,ck->nkhw", sharper / sharper.sum(1, keepdim=True), torch.from_numpy(centres()))
    ab = torch.nn.functional.interpolate(ab, batch["pixels"].shape[-2:], mode="bilinear")
    grey = show(batch["pixels"])
    return [
        ("grey", grey),
        ("colorized", on_lightness(grey[..., 0], ab.movedim(1, -1).numpy())),
        ("frame", frames[:COLUMNS] / 255),
    ]


def tracked(objective: Tracking, model: Any, batch: Any, _held_out: ExperienceReader) -> list[Row]:
    """Return the reference with its hues, and the later frame with the hues that were copied, and its own."""
    copied = objective.copied(model, batch).argmax(1)
    later = show(batch["clips"][:, 1])
    return [
        ("earlier, hues", painted(show(batch["clips"][:, 0]), batch["reference"])),
        ("later, copied", painted(later, copied)),
        ("later, its own", painted(later, batch["hues"])),
    ]


def painted(pictures: np.ndarray[Any, Any], hues: Any) -> np.ndarray[Any, Any]:
    """Return grey pictures `[n, size, size, 3]` with hue sectors `[n, side, side]` laid over them."""
    times = pictures.shape[1] // hues.shape[1]
    large = hues.numpy().repeat(times, 1).repeat(times, 2)
    over = np.concatenate([HUES, np.zeros((1, 3))])[large]
    return np.where((large < SECTORS)[..., None], 0.35 * pictures + 0.65 * over, pictures)


def show(pixels: Any) -> np.ndarray[Any, Any]:
    """Return pictures `[n, 3, size, size]` from -1 to 1 as `[n, size, size, 3]` from 0 to 1."""
    return np.asarray((pixels.movedim(1, -1) + 1) / 2)


def on_lightness(grey: np.ndarray[Any, Any], ab: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return CIE Lab colours `[..., 2]` at the lightness of sRGB greys `[...]`, as sRGB from 0 to 1."""
    linear = np.where(grey <= 0.04045, grey / 12.92, ((grey + 0.055) / 1.055) ** 2.4)
    root = np.where(linear > (6 / 29) ** 3, np.cbrt(linear), linear / (3 * (6 / 29) ** 2) + 4 / 29)
    roots = np.stack([root + ab[..., 0] / 500, root, root - ab[..., 1] / 200], -1)
    xyz = np.where(roots > 6 / 29, roots**3, 3 * (6 / 29) ** 2 * (roots - 4 / 29)) * [0.95047, 1.0, 1.08883]
    back = [[3.2404542, -1.5371385, -0.4985314], [-0.969266, 1.8760108, 0.041556], [0.0556434, -0.2040259, 1.0572252]]
    rgb = np.clip(xyz @ np.array(back).T, 0, 1)
    return np.asarray(np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055))
