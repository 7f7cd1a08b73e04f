"""Draw the picture of the page on homes: what the camera sees in three ways, and the way of a demonstration from above.

python benchmarks/envs/habitat_figure.py docs/figures/habitat.png
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from pathei.envs.habitat.env import HabitatEnv
from pathei.envs.habitat.tasks import demonstration, generate_kind

SIDE = 256
METRES = 0.03
FLOOR, FREE = (196, 190, 180), (238, 233, 222)


def views(env: HabitatEnv) -> list[np.ndarray[Any, Any]]:
    """Return the colour, depth and semantic image of the present moment, each uint8 of shape `[256, 256, 3]`."""
    seen = env.sim.render()
    depth = np.repeat((255 * np.clip(1 - seen["depth"] / 8, 0, 1)).astype(np.uint8)[..., None], 3, 2)
    colours = np.random.default_rng(5).integers(60, 240, (256, 3), dtype=np.uint8)
    colours[0] = (40, 40, 44)
    return [seen["rgb"], depth, colours[seen["semantic"] % 256]]


def from_above(env: HabitatEnv, way: list[tuple[float, float]]) -> Image.Image:
    """Return the home from above: where an agent can stand, the furniture, and a way through it."""
    home = env.world.map.home
    corners = np.array([room.polygon for room in home.rooms]).reshape(-1, 2)
    (x0, z0), (x1, z1) = corners.min(0) - 0.1, corners.max(0) + 0.1
    image = Image.new("RGB", (int((x1 - x0) / METRES), int((z1 - z0) / METRES)), (70, 70, 74))
    draw = ImageDraw.Draw(image)

    def box(a: float, b: float, c: float, d: float) -> tuple[float, float, float, float]:
        return (a - x0) / METRES, (b - z0) / METRES, (c - x0) / METRES, (d - z0) / METRES

    for room in home.rooms:
        draw.rectangle(box(*room.polygon[0], *room.polygon[2]), fill=FLOOR)
    for door in home.doors:
        x, z = door.middle
        wide, deep = (0.06, 0.475) if door.axis == 0 else (0.475, 0.06)
        draw.rectangle(box(x - wide, z - deep, x + wide, z + deep), fill=FLOOR)
    free, (ox, oz) = env.sim.topdown()
    for row, column in np.argwhere(free).tolist():
        x, z = ox + column * 0.05, oz + row * 0.05
        draw.rectangle(box(x, z, x + 0.05, z + 0.05), FREE)
    for thing in home.things:
        if not thing.movable:
            for low, high, colour in thing.solids:
                draw.rectangle(box(low[0], low[2], high[0], high[2]), fill=f"#{colour:06x}")
    draw.line([((x - x0) / METRES, (z - z0) / METRES) for x, z in way], fill=(200, 40, 40), width=3)
    for (x, z), mark in ((way[0], "#2456b8"), (way[-1], "#c82828")):
        draw.ellipse(box(x - 0.12, z - 0.12, x + 0.12, z + 0.12), fill=mark)
    return image


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="the PNG file to write")
    out: Path = parser.parse_args().out
    task = generate_kind("object", 8, 5)[5]
    env = HabitatEnv()
    goal = {"text": task.goal.text, "conditions": task.goal.conditions}
    env.reset(seed=0, options={**task.options, "goal": goal})
    way: list[tuple[float, float]] = []
    shown: tuple[int, list[np.ndarray[Any, Any]]] = (-1, [])
    for action in demonstration(task):
        x, _, z = env.world.pose.position
        way.append((x, z))
        count = len(env.world.around())
        if count > shown[0]:
            shown = count, views(env)
        env.step(action)
    last = views(env)
    above = from_above(env, way)
    above.thumbnail((2 * SIDE, 2 * SIDE))
    image = Image.new("RGB", (3 * SIDE + above.width, 2 * SIDE), "white")
    for row, pictures in enumerate((shown[1], last)):
        for column, picture in enumerate(pictures):
            image.paste(Image.fromarray(picture), (column * SIDE, row * SIDE))
    image.paste(above, (3 * SIDE, (2 * SIDE - above.height) // 2))
    image.quantize(128).save(out, optimize=True)
    print(task.goal.text, len(way), "steps")


if __name__ == "__main__":
    main()
