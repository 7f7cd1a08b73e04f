"""What self-supervised objectives learn from collected experience, what their controls do, and what a probe gains.

    OMP_NUM_THREADS=1 python benchmarks/learners/pretrain.py OUT [--store STORE] [--seeds 3] [--steps N]
        [--objectives NAME ...] [--scale vit-s] [--table] [--curves] [--picture FILE]

Collects MiniGrid rooms with frames into OUT/store if no store is named, trains every objective, seed by seed, and its
control on the first seed, and measures them on held-out tasks. Seeds are counted from 1: seed 0 served to choose the
settings, and the number of steps (about a processor minute each). `--curves` adds other shares of masked tokens and
patches.

Every finished run is a line of OUT/runs.jsonl; called again, the benchmark goes on where it stopped, and two may share
the work. `--table` prints the tables of what is there, and `--picture` draws what was learned.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import orjson

from pathei.collectors.options import PlaySettings, ScriptedOptions
from pathei.collectors.rollout.collect import collect_with
from pathei.envs.adapters.minigrid import generate_tasks
from pathei.learners.pretrain.config import PretrainConfig
from pathei.learners.pretrain.reader import ExperienceReader
from pathei.learners.pretrain.registry import OBJECTIVES
from pathei.learners.pretrain.run import evaluate_pretrained, make_objective, pretrain, read_config, restored
from pathei.store import ExperienceStore

TASKS = 800
STEPS = {
    "masked-language": (500, 16),
    "sentence-pairs": (300, 32),
    "masked-image": (900, 32),
    "relative-position": (900, 32),
    "colorization": (300, 32),
    "exemplars": (500, 32),
    "order": (300, 32),
    "arrow-of-time": (300, 32),
    "tracking": (200, 32),
}
"""Steps, and examples of each."""
RATIOS = {"masked-language": (0.05, 0.15, 0.4, 0.75), "masked-image": (0.25, 0.5, 0.75, 0.9)}


def collect(path: Path) -> None:
    """Play the rooms' demonstrations, with frames."""
    with ExperienceStore.open(path) as store:
        collect_with(ScriptedOptions(), PlaySettings("minigrid", frames=path), store, generate_tasks(TASKS, 0))


def runs(args: argparse.Namespace, store: Path) -> Iterator[PretrainConfig]:
    """Yield the runs in the order in which they are worth most."""
    for seed in range(1, 1 + args.seeds):
        for name in args.objectives:
            steps, batch = STEPS[name]
            out = args.out / f"{name}-{seed}"
            yield PretrainConfig(
                out=out, store=store, objective=name, seed=seed, steps=args.steps or steps, scale=args.scale,
                precision=args.precision, loaders=args.loaders, batch_size=args.batch or batch,
            )  # fmt: skip
    if args.curves:
        for name in set(args.objectives) & set(RATIOS):
            steps, batch = STEPS[name]
            for ratio in RATIOS[name]:
                yield PretrainConfig(
                    out=args.out / f"{name}-ratio-{ratio}", store=store, objective=name, seed=1, mask_ratio=ratio,
                    steps=args.steps or steps, batch_size=args.batch or batch,
                )  # fmt: skip


def measure(config: PretrainConfig) -> dict[str, Any]:
    """Train and measure one run; its control only on the first seed and at the usual share."""
    began = time.process_time(), time.perf_counter()
    pretrain(config)
    cpu, wall = time.process_time() - began[0], time.perf_counter() - began[1]
    controlled = config.seed == 1 and config.mask_ratio is None
    score = evaluate_pretrained(config.out, control=controlled)
    return {
        "objective": config.objective,
        "seed": config.seed,
        "ratio": config.mask_ratio,
        "steps": config.steps,
        "cpu_s": cpu,
        "examples_per_s": config.steps * config.batch_size / wall,
        **score._asdict(),
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Return the main table as Markdown."""
    lines = [
        "| objective | pretext | baseline | above it | control | its baseline | above it | probe before | calibrated "
        "| probe after | gain | over calibrated | CPU s |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name in OBJECTIVES.names():
        found = [row for row in rows if row["objective"] == name and row["ratio"] is None]
        control = next((row for row in found if row["control"] is not None), None)
        if not found or control is None:
            continue

        def of(key: str, found: list[dict[str, Any]] = found) -> float:
            return float(mean(row[key] for row in found))

        gains = [
            _with_error([row["probe_after"] - row[of_which] for row in found])
            for of_which in ("probe_before", "probe_calibrated")
        ]
        lines.append(
            f"| {name} | {of('pretext'):.3f} | {of('baseline'):.3f} | {of('margin'):+.1f} | {control['control']:.3f} | "
            f"{control['control_baseline']:.3f} | {control['control_margin']:+.1f} | {of('probe_before'):.3f} | "
            f"{of('probe_calibrated'):.3f} | {of('probe_after'):.3f} | {gains[0]} | {gains[1]} | {of('cpu_s'):.0f} |"
        )
    return "\n".join(lines)


def _with_error(gains: list[float]) -> str:
    spread = f" ± {stdev(gains) / len(gains) ** 0.5:.3f}" if len(gains) > 1 else ""
    return f"{mean(gains):+.3f}{spread}"


def curves(rows: list[dict[str, Any]]) -> str:
    """Return the probe by the share that is masked, as Markdown."""
    lines = ["| objective | share masked | pretext | baseline | probe after | gain |", "|---|---|---|---|---|---|"]
    for row in sorted((one for one in rows if one["ratio"]), key=lambda one: (one["objective"], one["ratio"])):
        gain = row["probe_after"] - row["probe_before"]
        lines.append(
            f"| {row['objective']} | {row['ratio']:.0%} | {row['pretext']:.3f} | {row['baseline']:.3f} | "
            f"{row['probe_after']:.3f} | {gain:+.3f} |"
        )
    return "\n".join(lines)


def picture(out: Path, file: Path) -> None:
    """Draw held-out frames: masked and filled in, coloured, and with colours copied from an earlier frame."""
    import matplotlib as mpl

    mpl.use("Agg")
    from _pretrain_pictures import drawn  # type: ignore[import-not-found]
    from matplotlib import pyplot as plt

    rows: list[tuple[str, np.ndarray[Any, Any]]] = []
    for name in ("masked-image", "colorization", "tracking"):
        config = read_config(out / f"{name}-1")
        _, objective = make_objective(config)
        held_out = ExperienceReader(config.store, "held_out", config.size.picture)
        rows += drawn(objective, restored(objective, config), held_out)
    columns = len(rows[0][1])
    figure, axes = plt.subplots(len(rows), columns, figsize=(1.3 * columns + 1.4, 1.35 * len(rows)))
    for line, (title, shown) in zip(axes, rows, strict=True):
        line[0].set_ylabel(title, rotation=0, ha="right", va="center", fontsize=8)
        for axis, one in zip(line, shown, strict=True):
            axis.imshow(np.clip(one, 0, 1), interpolation="nearest")
            axis.set_xticks([])
            axis.set_yticks([])
    figure.tight_layout()
    figure.savefig(file, dpi=80)


def main() -> None:
    """Run what is missing, or print and draw what is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--store", type=Path, help="a store with frames; collected if none is named")
    parser.add_argument("--objectives", nargs="+", default=list(OBJECTIVES.names()))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="for all alike; each objective's own if not given")
    parser.add_argument("--batch", type=int, help="examples of a step, likewise")
    parser.add_argument("--scale", default="tiny")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--loaders", type=int, default=0)
    parser.add_argument("--table", action="store_true", help="print the tables of the runs that are there, and end")
    parser.add_argument("--curves", action="store_true", help="also train with other shares masked")
    parser.add_argument("--picture", type=Path, help="draw the runs that are there into this file, and end")
    args = parser.parse_args()
    log = args.out / "runs.jsonl"
    if args.table or args.picture:
        rows = [orjson.loads(line) for line in log.read_bytes().splitlines()]
        if args.table:
            print(curves(rows) if args.curves else table(rows))
        if args.picture:
            picture(args.out, args.picture)
        return
    store = args.store or args.out / "store"
    if not store.exists():
        collect(store)
    args.out.mkdir(parents=True, exist_ok=True)
    log.touch()
    for config in runs(args, store):
        known = [orjson.loads(line) for line in log.read_bytes().splitlines()]
        if any((row["objective"], row["seed"], row["ratio"]) == _key(config) for row in known):
            continue
        row = measure(config)
        with log.open("ab") as file:
            file.write(orjson.dumps(row) + b"\n")
        print(row, flush=True)


def _key(config: PretrainConfig) -> tuple[str, int, float | None]:
    return config.objective, config.seed, config.mask_ratio


if __name__ == "__main__":
    main()
