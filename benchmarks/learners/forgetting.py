"""What each method learns and what it forgets, on the embedded base, at matched accuracy in the new tasks.

    OMP_NUM_THREADS=1 python benchmarks/learners/forgetting.py --out runs/forgetting [--seeds 3]
        [--methods ewc kl ...] [--quick]

Collects a store of demonstrations, makes a corpus of it (which of 17 activities was that?), tunes the embedded base on
it by every method, and measures answers (the whole answer must be right) and language (Python's documentation strings,
of modules that no training saw). A method's setting is chosen on seed 0: the one that loses least language among those
within 0.05 of plain fine-tuning's accuracy. The other seeds run that setting only. A seed decides the order of the
examples, the old text that is drawn, adapters, and the sample of Fisher information; the base is the same for all.

Every finished run is a line of OUT/runs.jsonl; called again, the benchmark goes on where it stopped.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import orjson
import torch
from rich.console import Console
from rich.table import Table

from pathei.collectors.rollout.collect import collect
from pathei.collectors.rollout.policy import AgentPolicy, demonstrator
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs.verbalizer import is_unseen_activity
from pathei.envs.virtualhome.tasks.generate import ACTIVITIES, generate_tasks
from pathei.learners.config import LearnConfig, ReferenceConfig
from pathei.learners.corpora.building import build_corpora
from pathei.learners.corpora.config import CorpusConfig
from pathei.learners.evaluation.evaluate import evaluate
from pathei.learners.evaluation.intervals import Interval
from pathei.learners.evaluation.result import Evaluation
from pathei.learners.examples import Example, read_examples, write_examples
from pathei.learners.finetuning import FineTuner
from pathei.learners.methods.kl import KlConfig
from pathei.learners.methods.registry import MethodConfigs
from pathei.learners.methods.replay import ReplayConfig
from pathei.learners.methods.wise_ft import WeightAveraging
from pathei.learners.models.load import load_model
from pathei.learners.models.stdlib_text import stdlib_text
from pathei.learners.training.config import LoraConfig, TrainingConfig
from pathei.pretrained import TINY
from pathei.store import ExperienceStore
from pathei.views.pareto import ParetoPoint, pareto_picture

KINDS = ("recognition",)
"""What so small a base learns within so few steps; of four kinds together it learned next to nothing."""
MATCHED = 0.05
T_TWO_SIDED = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}
"""Student's t of a 95 % interval of a mean, by the number of seeds."""


def asked_activities() -> tuple[str, ...]:
    """Return every third seen activity: more would need more steps."""
    return tuple(name for name in ACTIVITIES if not is_unseen_activity(name))[::3]


@dataclass(frozen=True)
class Setting:
    """A method with its knob."""

    method: str
    knob: str
    """The method's field, in the form `GROUP_FIELD` (`ewc_strength`), or `learning_rate`; empty for none."""
    value: float = 0.0

    @property
    def note(self) -> str:
        """The setting in a few words."""
        return f"{self.knob} {self.value:g}" if self.knob else ""


def settings(quick: bool) -> dict[str, list[Setting]]:
    """Return what is tried for each method, by the name that tables have for it."""
    tried: dict[str, tuple[str, str, tuple[float, ...]]] = {
        "fine-tune": ("finetune", "", (0.0,)),
        "lower rate": ("finetune", "learning_rate", (7e-4, 4e-4)),
        "L2-SP": ("l2sp", "l2sp_strength", (0.003, 0.01, 0.03)),
        "EWC": ("ewc", "ewc_strength", (30.0, 100.0, 300.0)),
        "replay": ("replay", "replay_weight", (1.0,)),
        "self-replay": ("self-replay", "replay_weight", (1.0,)),
        "KL": ("kl", "kl_weight", (1.0,)),
        "LoRA": ("lora", "learning_rate", (5e-3, 1e-2)),
        "WiSE-FT": ("finetune", "wise_alpha", (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)),
    }
    return {
        name: [Setting(method, knob, value) for value in (values[:1] if quick else values)]
        for name, (method, knob, values) in tried.items()
    }


@dataclass(frozen=True)
class Budget:
    """How much is done."""

    demonstrations: int = 1000
    steps: int = 260
    batch: int = 8
    learning_rate: float = 1.5e-3
    per_kind: int = 300
    held_out: int = 250
    language: int = 250
    """Texts that language is measured on."""


QUICK = Budget(demonstrations=60, steps=10, per_kind=60, held_out=8, language=20)


def corpus(out: Path, budget: Budget) -> list[Example]:
    """Return the examples, from a store that is collected first if it is not there."""
    path = out / "examples.jsonl"
    if not path.exists():
        tasks = generate_tasks(budget.demonstrations, 0, activities=asked_activities(), split="train")
        with ExperienceStore.open(out / "store") as store:
            collect(store, tasks, partial(Rollout, AgentPolicy(demonstrator), name="scripted", max_steps=60, seed=0))
            config = CorpusConfig(
                kinds=KINDS, per_kind=budget.per_kind, held_out_per_kind=budget.held_out, held_out=0.3, max_words=45
            )
            write_examples(path, build_corpora(store.trajectories(), config, expand=store.expand))
    # Without choices an answer is written, and it must be right as a whole.
    return [dataclasses.replace(one, choices=()) for one in read_examples(path)]


class Bench:
    """The runs that are done, and what makes new ones."""

    def __init__(self, out: Path, budget: Budget) -> None:
        self.out, self.budget = out, budget
        self.examples = corpus(out, budget)
        texts = stdlib_text().held_out
        self.texts = texts[:: max(1, len(texts) // budget.language)]
        self.base, self.tokenizer = load_model(TINY)
        self.log = out / "runs.jsonl"
        lines = self.log.read_bytes().splitlines() if self.log.exists() else []
        self.done: dict[str, dict[str, Any]] = {line["key"]: line for line in map(orjson.loads, lines)}

    def run(self, setting: Setting, seed: int) -> dict[str, Any]:
        """Return what a run came to; it is trained and measured if it is not done."""
        key = f"{setting.method} {setting.note} seed {seed}".replace("  ", " ")
        if key not in self.done:
            begun = time.process_time()
            model = self.averaged(setting, seed) if setting.knob == "wise_alpha" else self.tuned(setting, seed)
            seconds = time.process_time() - begun
            # One folder for all: what was measured of the base is there the next time.
            found = evaluate(
                model,
                self.tokenizer,
                self.asked(),
                language_texts=self.texts,
                base=self.base,
                folder=self.out / "evaluation",
            )
            self.done[key] = {"key": key, **numbers(found), "cpu_seconds": seconds}
            with self.log.open("ab") as log:
                log.write(orjson.dumps(self.done[key]) + b"\n")
            print({name: round(value, 3) for name, value in self.done[key].items() if name != "key"}, key, flush=True)
        return self.done[key]

    def asked(self) -> list[Example]:
        """Return the examples that are asked: none was trained on."""
        return [one for one in self.examples if one.split != "train"]

    def tuned(self, setting: Setting, seed: int) -> torch.nn.Module:
        """Tune the base; runs of plain fine-tuning are kept for averaging, the others' directories are removed."""
        methods = MethodConfigs(replay=ReplayConfig(sequences=2), kl=KlConfig(sequences=2))
        rate = self.budget.learning_rate
        if setting.knob == "learning_rate":
            rate = setting.value
        elif setting.knob:
            group, _, name = setting.knob.partition("_")
            change: dict[str, Any] = {name: setting.value}
            methods = dataclasses.replace(methods, **{group: dataclasses.replace(getattr(methods, group), **change)})
        training = TrainingConfig(
            steps=self.budget.steps,
            batch_size=self.budget.batch,
            learning_rate=rate,
            seed=seed,
            lora=LoraConfig() if setting.method == "lora" else None,
        )
        plain = setting == Setting("finetune", "")
        out = self.out / (f"finetune-{seed}" if plain else "running")
        if not plain:
            shutil.rmtree(out, ignore_errors=True)
        fisher = self.out / f"fisher-{seed}.safetensors"
        given = fisher if setting.method == "ewc" and fisher.exists() else None
        config = LearnConfig(
            out,
            method=setting.method,
            methods=methods,
            training=training,
            reference=ReferenceConfig(samples=128),
            fisher=given,
        )
        FineTuner(config).run(self.examples)
        if setting.method == "ewc" and given is None:
            (out / "fisher.safetensors").rename(fisher)
        return load_model(out / "model")[0]

    def averaged(self, setting: Setting, seed: int) -> torch.nn.Module:
        """Return plain fine-tuning's model, averaged with the base as `wise-ft` does when training ends."""
        model = self.tuned(Setting("finetune", ""), seed)
        with torch.no_grad():
            method = WeightAveraging(self.base, alpha=setting.value)
            method.finish(model)
        return model


def numbers(found: Evaluation) -> dict[str, float]:
    """Return what is kept of an evaluation; the accuracy counts all held-out questions alike."""
    assert found.language is not None, "old text was given"
    assert found.base_language is not None, "the base was given"
    assert found.forgetting is not None, "both were measured"
    values = [value for score in found.scores for value in score.values]
    return {
        "accuracy": mean(values),
        "n": len(values),
        "baseline": mean(score.baseline for score in found.scores),
        "lost": found.forgetting.value,
        "lost_low": found.forgetting.low,
        "lost_high": found.forgetting.high,
        "perplexity": found.language.perplexity,
        "base_perplexity": found.base_language.perplexity,
        "bits_per_byte": found.language.bits_per_byte,
        "base_bits_per_byte": found.base_language.bits_per_byte,
        "kl": found.kl or 0.0,
    }


def best(tried: Mapping[Setting, Mapping[str, float]], plain: float) -> Setting:
    """Return the setting that loses least language at matched accuracy; if none matches, the most accurate one."""
    matched = {one: got for one, got in tried.items() if got["accuracy"] >= plain - MATCHED}
    if matched:
        return min(matched, key=lambda one: matched[one]["lost"])
    return max(tried, key=lambda one: tried[one]["accuracy"])


def over_seeds(values: Sequence[float]) -> Interval:
    """Return a mean over seeds with its 95 % interval (Student's t)."""
    centre = mean(values)
    if len(values) < 2:
        return Interval(centre, centre, centre)
    half = T_TWO_SIDED[len(values)] * float(np.std(values, ddof=1)) / len(values) ** 0.5
    return Interval(centre, centre - half, centre + half)


def report(rows: Mapping[str, tuple[Setting, list[dict[str, float]]]], console: Console) -> list[ParetoPoint]:
    """Print the table, and return its points."""
    table = Table(title="Means over seeds, with 95 % intervals")
    for heading in ("method", "setting", "accuracy", "matched", "nats lost", "of plain", "perplexity", "KL", "CPU s"):
        table.add_column(heading, justify="left" if heading in ("method", "setting") else "right")
    plain = rows["fine-tune"][1]
    points = []
    for name, (setting, runs) in rows.items():
        accuracy, lost = (over_seeds([run[what] for run in runs]) for what in ("accuracy", "lost"))
        ratio = over_seeds([run["lost"] / other["lost"] for run, other in zip(runs, plain, strict=False)])
        gap = accuracy.value - mean(run["accuracy"] for run in plain)
        points.append(ParetoPoint(name, accuracy, lost, setting.note))
        table.add_row(
            name,
            setting.note,
            f"{accuracy.value:.3f} [{accuracy.low:.2f}, {accuracy.high:.2f}]",
            "yes" if abs(gap) <= MATCHED else f"{gap:+.2f}",
            f"{lost.value:+.3f} [{lost.low:+.2f}, {lost.high:+.2f}]",
            f"{ratio.value:.2f}x ±{(ratio.high - ratio.low) / 2:.2f}",
            f"{mean(run['perplexity'] for run in runs):.0f}",
            f"{mean(run['kl'] for run in runs):.2f}",
            f"{mean(run['cpu_seconds'] for run in runs):.0f}",
        )
    console.print(table)
    first = plain[0]
    console.print(
        f"The base: perplexity {first['base_perplexity']:.0f}, {first['base_bits_per_byte']:.3f} bits per byte. "
        f"{first['n']:.0f} held-out questions; always the most frequent answer: {first['baseline']:.2f}."
    )
    return points


def main() -> None:
    """Run what is not done, print the table, and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/forgetting"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--methods", nargs="*", default=[])
    parser.add_argument("--quick", action="store_true", help="a few steps of everything, to see that it runs")
    parser.add_argument("--figure", type=Path, default=None)
    given = parser.parse_args()
    torch.set_num_threads(1)
    bench = Bench(given.out / "quick" if given.quick else given.out, QUICK if given.quick else Budget())
    wanted = {name: tries for name, tries in settings(given.quick).items() if name in ("fine-tune", *given.methods)}
    wanted = wanted if given.methods else settings(given.quick)
    tried = {name: {one: bench.run(one, 0) for one in tries} for name, tries in wanted.items()}
    plain = next(iter(tried["fine-tune"].values()))["accuracy"]
    chosen = {name: best(results, plain) for name, results in tried.items()}
    rows = {
        name: (setting, [bench.run(setting, seed) for seed in range(given.seeds)]) for name, setting in chosen.items()
    }
    points = report(rows, Console(width=150))
    others = [
        ParetoPoint(name, Interval(*[got["accuracy"]] * 3), Interval(*[got["lost"]] * 3))
        for name, results in tried.items()
        for got in results.values()
    ]
    picture = given.figure or bench.out / "forgetting.png"
    title = f"Household questions learned, Python's documentation forgotten ({given.seeds} seeds, 95 % intervals)"
    pareto_picture(points, picture, title=title, tried=others)
    print(f"Picture: {picture}")


if __name__ == "__main__":
    main()
