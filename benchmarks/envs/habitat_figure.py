"""Draw the picture of the page on homes: what the camera sees in three ways, and the way of a demonstration from above.

python benchmarks/envs/habitat_figure.py docs/figures/habitat.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image

from pathei.envs.habitat.env import HabitatEnv
from pathei.envs.habitat.tasks import demonstration, generate_one

SIDE = 256
VIEWS = ("rgb", "depth", "semantic")


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="the PNG file to write")
    out: Path = parser.parse_args().out
    task = generate_one("object", 8, 5)
    env = HabitatEnv(render_mode="rgb_array")
    goal = {"text": task.goal.text, "conditions": task.goal.conditions}
    env.reset(seed=0, options={**task.options, "goal": goal})
    most, shown, plan = -1, env.pictures(), demonstration(task)
    for action in plan:
        count = len(env.world.around())
        if count > most:
            most, shown = count, env.pictures()
        env.step(action)
    last = env.pictures()
    above = Image.fromarray(last["map"])
    above = above.resize((round(above.width * 2 * SIDE / above.height), 2 * SIDE), Image.Resampling.NEAREST)
    image = Image.new("RGB", (3 * SIDE + above.width, 2 * SIDE), "white")
    for row, pictures in enumerate((shown, last)):
        for column, name in enumerate(VIEWS):
            image.paste(Image.fromarray(pictures[name]), (column * SIDE, row * SIDE))
    image.paste(above, (3 * SIDE, 0))
    image.quantize(128).save(out, optimize=True)
    print(task.goal.text, len(plan), "steps")


if __name__ == "__main__":
    main()
