r"""E2WM's tasks on a real pretrained model: trained on its four kinds of example, asked its eleven kinds of question.

    pathei data get smollm2
    OMP_NUM_THREADS=1 python benchmarks/learners/e2wm_tasks.py --out runs/e2wm \
        [--arms base plain EWC] [--steps 160] [--model smollm2] [--markdown]

As in Xiang et al. (NeurIPS 2023), a model learns plans, activity recognition, counting and object tracking from
episodes in a simulator, with the same weights of their losses (`E2WM_WEIGHTS`), and is also asked what it was not
trained on: plans among things that have nothing to do with the task, activities that must be inferred, where things
are, and which things a task needs or does not. The houses of the questions were not trained on, nor the activities of
those called unseen. The episodes are pathei's, as E2WM's files may not be distributed: `pathei learn` and `pathei eval`
read them where they are. Metrics are E2WM's; plans are carried out as well. What was lost is in bits per byte
(`learners/retention`). A finished run is a line of OUT/runs.jsonl; called again, the benchmark goes on from there.
"""

from __future__ import annotations

import argparse
import shutil
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any, Final

import numpy as np
import orjson
import torch
from _kept import KeptRuns  # type: ignore[import-not-found]
from _table import show  # type: ignore[import-not-found]

from pathei.benchmarks.learners.corpora import collect, tasks_of
from pathei.learners.config import LearnConfig, ReferenceConfig
from pathei.learners.corpora.building import build_corpora
from pathei.learners.corpora.config import CorpusConfig
from pathei.learners.e2wm import E2WM_WEIGHTS
from pathei.learners.evaluation.evaluate import EvaluationConfig, evaluate
from pathei.learners.evaluation.intervals import bootstrap, wilson
from pathei.learners.evaluation.metrics import SHARES
from pathei.learners.examples import Example, read_examples, write_examples
from pathei.learners.finetuning import FineTuner
from pathei.learners.methods.ewc import EwcConfig
from pathei.learners.methods.registry import MethodConfigs
from pathei.learners.models.load import load_model
from pathei.learners.models.stdlib_text import stdlib_text
from pathei.learners.retention.measure import CHAT, PLAIN, TEXTS, measure_retention
from pathei.learners.training.config import TrainingConfig
from pathei.store import ExperienceStore

ARMS: Final = {"plain": "finetune", "EWC": "ewc"}
"""What is compared with the base, and its method in `pathei learn`."""
TASKS: Final = (
    ("plan generation", "plan", "seen", "rougeL"),
    ("plan generation, unseen activities", "plan", "unseen", "rougeL"),
    ("plan generation, confusing", "plan-confusing", "seen", "rougeL"),
    ("plan generation, confusing, unseen activities", "plan-confusing", "unseen", "rougeL"),
    ("object path tracking", "tracking", "seen", "run"),
    ("activity recognition", "recognition", "seen", "choice"),
    ("activity inference", "inference", "seen", "choice-lift"),
    ("counting", "counting", "seen", "choice"),
    ("object location", "location", "seen", "choice"),
    ("relevant things", "relevance", "seen", "choice-lift"),
    ("irrelevant things", "irrelevance", "seen", "choice-lift"),
)
"""E2WM's tasks: the kind of question, its split, and E2WM's metric."""
CARRIED_OUT: Final = tuple((f"{name}: goal reached", kind, split, "goal") for name, kind, split, _ in TASKS[:4])


class Bench:
    """The examples, and the runs that are done."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given, self.out = given, given.out
        self.out.mkdir(parents=True, exist_ok=True)
        self.texts = self.out / "reference.jsonl"
        self.texts.write_bytes(b"".join(orjson.dumps(text) + b"\n" for text in stdlib_text().train[::4]))
        self.examples = self._corpora()
        self._runs = KeptRuns(self.out / "runs.jsonl")

    def _corpora(self) -> list[Example]:
        """Return the examples: of the trained kinds to learn from, and of all to ask."""
        given, path = self.given, self.out / "examples.jsonl"
        if not path.exists():
            if not (self.out / "store").exists():
                collect(self.out / "store", *tasks_of(given.episodes))
            config = CorpusConfig(per_kind=given.per_kind, held_out_per_kind=given.asked, held_out=0.2, max_words=70)
            with ExperienceStore.open(self.out / "store", mode="read") as store:
                made = build_corpora(store.trajectories(), config, expand=store.expand)
            asked = {(kind, split) for _, kind, split, _ in TASKS}
            learned = {(kind, "train") for kind in E2WM_WEIGHTS}
            write_examples(path, [one for one in made if (one.kind, one.split) in asked | learned])
        return list(read_examples(path))

    def run(self, arm: str) -> dict[str, Any]:
        """Return what an arm came to; it is trained and measured if it was not yet."""
        given = self.given
        key = arm if arm == "base" else f"{arm}, {given.steps} x {given.batch}, rate {given.rate:g}, seed {given.seed}"
        found: dict[str, Any] = self._runs.get(f"{key}, {given.model}", partial(self._run, arm))
        return found

    def _run(self, arm: str) -> dict[str, Any]:
        model, tokenizer = load_model(self.given.model) if arm == "base" else self._tuned(arm)
        asked = [one for one in self.examples if one.split != "train"]
        asking = EvaluationConfig(precision=self.given.precision)
        scores = evaluate(model, tokenizer, asked, asking=asking, watch=partial(print, arm, flush=True)).scores
        kept = measure_retention(model, tokenizer, texts=self.given.texts)
        return {
            "scores": [
                {"kind": one.kind, "split": one.split, "metric": one.metric, "values": list(one.values),
                 "baseline": one.baseline}
                for one in scores
            ],
            **kept.summary(),
        }  # fmt: skip

    def _tuned(self, arm: str) -> tuple[Any, Any]:
        given, out = self.given, self.out / "running"
        shutil.rmtree(out, ignore_errors=True)
        training = TrainingConfig(
            steps=given.steps,
            batch_size=given.batch,
            learning_rate=given.rate,
            max_length=240,
            group_by_length=True,
            seed=given.seed,
            precision=given.precision,
            save_every=given.steps,
            weights=E2WM_WEIGHTS,
        )
        config = LearnConfig(
            out,
            model=given.model,
            method=ARMS[arm],
            methods=MethodConfigs(ewc=EwcConfig(strength=given.ewc)),
            training=training,
            texts=(self.texts,),
            reference=ReferenceConfig(sequence_length=96, fisher_sequences=given.fisher),
        )
        FineTuner(config).run([one for one in self.examples if one.split == "train"])
        return load_model(out / "model")


def rows(runs: dict[str, dict[str, Any]]) -> list[list[str]]:
    """Return a row for each task, for the mean gain over the base, and for what is left of language and knowledge."""
    base, found, gains = runs["base"], list[list[str]](), dict[str, list[float]]()
    for name, *task in (*TASKS, *CARRIED_OUT):
        scores = {arm: _score(run, *task) for arm, run in runs.items()}
        first = scores["base"]
        found.append(
            [name, task[2], str(len(first["values"])), f"{first['baseline']:.0%}", *map(_share, scores.values())]
        )
        for arm, score in scores.items():
            if task[2] != "goal" and mean(first["values"]):
                gains.setdefault(arm, []).append(mean(score["values"]) / mean(first["values"]) - 1)
    found.append(["better than the base, mean of the tasks by E2WM's metrics", "", str(len(gains["base"])), ""])
    found[-1] += [f"{mean(gains[arm]):+.0%}" for arm in runs]
    for kind in TEXTS:
        bits = [run["bits_per_byte"][kind] - base["bits_per_byte"][kind] for run in runs.values()]
        found.append([f"{kind} lost, bits per byte", "", "", "", *(f"{one:+.3f}" for one in bits)])
    for form in (PLAIN, CHAT):
        known = [run["knowledge"][form]["value"] for run in runs.values() if form in run["knowledge"]]
        if known:
            found.append([form, "choice", str(base["knowledge"][form]["n"]), "25%", *(f"{one:.1%}" for one in known)])
    return found


def _score(run: dict[str, Any], kind: str, split: str, metric: str) -> dict[str, Any]:
    [one] = [one for one in run["scores"] if (one["kind"], one["split"], one["metric"]) == (kind, split, metric)]
    found: dict[str, Any] = one
    return found


def _share(score: dict[str, Any]) -> str:
    values = score["values"]
    if score["metric"] in SHARES:
        one = wilson(round(sum(values)), len(values))
    else:
        one = bootstrap(np.array(values), np.random.default_rng(0))
    return f"{one.value:.0%} [{100 * one.low:.0f}, {100 * one.high:.0f}]"


def main() -> None:
    """Run what is not done, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/e2wm"))
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--arms", nargs="*", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--episodes", type=int, default=900)
    parser.add_argument("--per-kind", type=int, default=320, help="examples to train on")
    parser.add_argument("--asked", type=int, default=40, help="questions of each kind and split")
    parser.add_argument("--steps", type=int, default=160)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16"))
    parser.add_argument("--fisher", type=int, default=32, help="sequences for Fisher information")
    parser.add_argument("--ewc", type=float, default=30.0)
    parser.add_argument("--texts", type=int, default=16, help="reference texts of each kind")
    parser.add_argument("--markdown", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    bench = Bench(given)
    runs = {arm: bench.run(arm) for arm in ("base", *given.arms)}
    show(
        "E2WM's tasks",
        ["task", "metric", "questions", "without understanding", *runs],
        rows(runs),
        markdown=given.markdown,
    )


if __name__ == "__main__":
    main()
