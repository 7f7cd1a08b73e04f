"""A store of tiny films: a coloured square slides over a shaded ground, and the text says which and where."""

from pathlib import Path

import numpy as np

from pathei.collectors.rollout.frames import png
from pathei.experience import Goal, Observation, Step, Task, Trajectory
from pathei.store import ExperienceStore

COLOURS = {"red": (230, 40, 40), "green": (40, 190, 60), "blue": (50, 70, 230)}
SIZE, SQUARE, MOMENTS = 56, 14, 6


def moving_squares(path: Path, episodes: int = 20, *, frames: bool = True) -> Path:
    """Write a store, with or without frames, and return its directory."""
    rng = np.random.default_rng(0)
    with ExperienceStore.open(path) as store:
        for number in range(episodes):
            name = list(COLOURS)[number % len(COLOURS)]
            row, start = int(rng.integers(SIZE - SQUARE)), int(rng.integers(8))
            seen = []
            for moment in range(MOMENTS):
                column = start + 6 * moment
                images = (store.put_image(png(frame(name, row, column))),) if frames else ()
                seen.append(Observation(f"the {name} square is at column {column}", images))
            verbs = ["push", "slide"] * MOMENTS
            steps = tuple(Step(one, f"{verb} it", 0.0) for one, verb in zip(seen[:-1], verbs, strict=False))
            task = Task(f"film-{number}", "module:Films-v0", number, Goal(f"move square {number}"))
            store.append(Trajectory(f"episode-{number}", task, steps, seen[-1], "scripted"))
    return path


def frame(name: str, row: int, column: int) -> np.ndarray:
    """Return one picture, uint8, `[SIZE, SIZE, 3]`."""
    picture = np.repeat(np.linspace(40, 90, SIZE)[:, None, None], SIZE, 1).repeat(3, 2)
    picture[row : row + SQUARE, column : column + SQUARE] = COLOURS[name]
    return picture.astype(np.uint8)
