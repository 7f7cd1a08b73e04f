"""Draw the picture of the Minecraft world's page: what the bot sees at five moments of an episode, and in the night.

python benchmarks/minecraft/figure.py docs/figures/minecraft.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from pathei.collectors.rollout.frames import png
from pathei.envs.minecraft import MinecraftEnv

HEIGHT, WIDTH, GAP = 160, 256, 4
WORLD = 3
ACTIONS = ("explore east", "mine 3 birch_log", "explore south", "explore down")


def main() -> None:
    """Play, and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    args = parser.parse_args()
    env = MinecraftEnv(world=WORLD, render_mode="rgb_array", image_size=(HEIGHT, WIDTH))
    env.reset(seed=0)
    drawn = [env.render()]
    for action in ACTIONS:
        env.step(action)
        drawn.append(env.render())
    env.reset(seed=0, options={"time": 16_000})
    drawn.append(env.render())
    env.close()
    rows = [np.concatenate([padded(one) for one in drawn[start : start + 3]], axis=1) for start in (0, 3)]
    args.file.write_bytes(png(np.concatenate(rows, axis=0)[GAP:, GAP:]))


def padded(picture: np.ndarray) -> np.ndarray:
    """Return a picture with a white edge above and to the left."""
    return np.pad(picture, ((GAP, 0), (GAP, 0), (0, 0)), constant_values=255)


if __name__ == "__main__":
    main()
