r"""What each method learns and forgets on a real pretrained model: SmolLM2-135M-Instruct, or any other.

    pathei data get smollm2
    OMP_NUM_THREADS=1 python benchmarks/learners/forgetting_pretrained.py --out runs/pretrained \
        [--methods plain EWC ...] [--seeds 1] [--steps 24] [--markdown]

Household demonstrations become plans asked for by the goal alone; each method learns the same examples in the same
order. Learned: how many plans for held-out tasks reach their goal when they are carried out, and the answers' loss.
Kept: bits per byte of prose, code and dialogue, and a test of knowledge in plain and in chat form
(`learners/retention`). A finished run is a line of OUT/runs.jsonl; called again, the benchmark goes on from there.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import time
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import torch
from _kept import KeptRuns  # type: ignore[import-not-found]

from pathei.collectors.rollout.collect import collect
from pathei.collectors.rollout.policy import AgentPolicy, demonstrator
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs.verbalizer import is_unseen_activity
from pathei.envs.virtualhome.tasks.generate import ACTIVITIES, generate_tasks
from pathei.experience import Task
from pathei.learners.config import LearnConfig, ReferenceConfig
from pathei.learners.corpora.building import build_corpora
from pathei.learners.corpora.config import CorpusConfig
from pathei.learners.evaluation.generation import generate
from pathei.learners.evaluation.intervals import wilson
from pathei.learners.evaluation.perplexity import log_likelihoods
from pathei.learners.evaluation.plan_execution import PlanExecutor
from pathei.learners.examples import Example, read_examples, write_examples
from pathei.learners.finetuning import FineTuner
from pathei.learners.methods.ewc import EwcConfig
from pathei.learners.methods.kl import KlConfig
from pathei.learners.methods.l2sp import L2spConfig
from pathei.learners.methods.registry import MethodConfigs
from pathei.learners.methods.replay import ReplayConfig
from pathei.learners.methods.wise_ft import WeightAveraging
from pathei.learners.models.load import load_model
from pathei.learners.models.stdlib_text import stdlib_text
from pathei.learners.retention.measure import CHAT, PLAIN, TEXTS, measure_retention
from pathei.learners.training.batches import pad_of, tokenise
from pathei.learners.training.config import LoraConfig, TrainingConfig
from pathei.store import ExperienceStore

METHODS = {
    "base": "",
    "plain": "finetune",
    "EWC": "ewc",
    "replay": "replay",
    "KL": "kl",
    "WiSE-FT": "wise-ft",
    "L2-SP": "l2sp",
    "LoRA": "lora",
    "EWC-LoRA": "ewc",
    "self-replay": "self-replay",
}
"""What is compared, in the order in which it is run, by its name in tables."""


class Bench:
    """The examples, the base, and the runs that are done."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given, self.out = given, given.out
        self.examples, self.tasks = corpus(given.out, given.activities)
        self.texts = given.out / "reference.jsonl"
        if not self.texts.exists():
            self.texts.write_bytes(b"".join(orjson.dumps(text) + b"\n" for text in stdlib_text().train[::4]))
        self.runs = KeptRuns(given.out / "runs.jsonl")

    def run(self, name: str, seed: int) -> dict[str, Any]:
        """Return what a run came to; it is trained and measured if it is not done."""
        given = self.given
        key = f"{name}, {given.model}, {given.steps} x {given.batch}, rate {given.rate:g}, seed {seed}"
        found: dict[str, Any] = self.runs.get(key, partial(self._run, name, seed))
        return found

    def _run(self, name: str, seed: int) -> dict[str, Any]:
        begun = time.process_time()
        model, tokenizer = self.tuned(name, seed)
        return {"train_seconds": time.process_time() - begun, **self.measured(model, tokenizer)}

    def tuned(self, name: str, seed: int) -> tuple[Any, Any]:
        """Return the base, tuned by a method; plain fine-tuning is kept for averaging."""
        given = self.given
        if name == "base":
            return load_model(given.model)
        adapter = "LoRA" in name
        methods = MethodConfigs(
            ewc=EwcConfig(strength=given.ewc),
            l2sp=L2spConfig(strength=given.l2sp),
            replay=ReplayConfig(sequences=1),
            kl=KlConfig(sequences=1),
        )
        training = TrainingConfig(
            steps=given.steps,
            batch_size=given.batch,
            learning_rate=given.rate * (5 if adapter else 1),
            max_length=160,
            group_by_length=True,
            seed=seed,
            save_every=given.steps,
            lora=LoraConfig() if adapter else None,
        )
        kept = name in ("plain", "WiSE-FT")
        out = self.out / (f"plain-{seed}" if kept else "running")
        if not kept:
            shutil.rmtree(out, ignore_errors=True)
        config = LearnConfig(
            out,
            model=given.model,
            method="finetune" if kept else METHODS[name],
            methods=methods,
            training=training,
            texts=(self.texts,),
            reference=ReferenceConfig(sequence_length=96, fisher_sequences=given.fisher, samples=16),
        )
        FineTuner(config).run([one for one in self.examples if one.split == "train"])
        model, tokenizer = load_model(out / "model")
        if name == "WiSE-FT":
            averaging = WeightAveraging(load_model(given.model)[0], alpha=given.alpha)
            averaging.finish(model)
        return model, tokenizer

    def measured(self, model: Any, tokenizer: Any) -> dict[str, Any]:
        """Return what a model learned and what it kept."""
        held = [one for one in self.examples if one.split == "seen"]
        rows = tokenise(held, tokenizer, max_length=400).rows
        logs = log_likelihoods(model, [(row.ids, row.learned) for row in rows], pad=pad_of(tokenizer))
        answers = generate(model, tokenizer, [one.prompt for one in held], max_new_tokens=56)
        with PlanExecutor() as executor:
            reached = [
                executor.execute(self.tasks[str(one.source["task_id"])], answer, skip_refused=True).success
                for one, answer in zip(held, answers, strict=True)
            ]
        kept = measure_retention(model, tokenizer, texts=self.given.texts)
        return {
            "n": len(held),
            "reached": int(sum(reached)),
            "answer_nats": -sum(logs) / sum(row.learned for row in rows),
            **kept.summary(),
            "answers": answers,
        }


def corpus(out: Path, activities: int) -> tuple[list[Example], dict[str, Task]]:
    """Return plans asked for by the goal alone, and the task of each episode, from a store collected once."""
    path, names = out / "examples.jsonl", [name for name in ACTIVITIES if not is_unseen_activity(name)]
    chosen = tuple(names[:: max(1, len(names) // activities)])
    tasks = generate_tasks(400, 0, activities=chosen, split="train")
    if not path.exists():
        with ExperienceStore.open(out / "store") as store:
            collect(store, tasks, partial(Rollout, AgentPolicy(demonstrator), name="scripted", max_steps=60, seed=0))
            config = CorpusConfig(kinds=("plan-bare",), per_kind=400, held_out_per_kind=24, held_out=0.2)
            examples = build_corpora(store.trajectories(), config, expand=store.expand)
            ids = {one.id: one.task.id for one in store.trajectories()}
        named = [dataclasses.replace(one, source={"task_id": ids[str(one.source["trajectory"])]}) for one in examples]
        write_examples(path, named)
    return list(read_examples(path)), {one.id: one for one in tasks}


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Return the runs as Markdown; what is lost is what the base had more."""
    base, plain = rows["base"], rows.get("plain")
    head = [
        "method",
        "reached",
        "nats per answer token",
        *(f"{kind} lost" for kind in TEXTS),
        "prose, of plain",
        PLAIN,
        CHAT,
    ]
    lines = [head, ["---", *["--:"] * (len(head) - 1)]]
    for name, row in rows.items():
        lost = {kind: row["bits_per_byte"][kind] - base["bits_per_byte"][kind] for kind in TEXTS}
        of = plain["bits_per_byte"]["prose"] - base["bits_per_byte"]["prose"] if plain else 0.0
        share = wilson(row["reached"], row["n"])
        known = (row["knowledge"].get(form, {}).get("value") for form in (PLAIN, CHAT))
        lines.append(
            [
                name,
                f"{row['reached']} of {row['n']} [{share.low:.0%}, {share.high:.0%}]",
                f"{row['answer_nats']:.2f}",
                *(f"{value:+.3f}" for value in lost.values()),
                f"{lost['prose'] / of:.2f}" if of else "",
                *("" if value is None else f"{value:.1%}" for value in known),
            ]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Run what is not done, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/pretrained"))
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--activities", type=int, default=8)
    parser.add_argument("--fisher", type=int, default=16, help="sequences for Fisher information")
    parser.add_argument("--ewc", type=float, default=30.0)
    parser.add_argument("--l2sp", type=float, default=0.01)
    parser.add_argument("--alpha", type=float, default=0.5, help="of WiSE-FT")
    parser.add_argument("--texts", type=int, default=16, help="reference texts of each kind")
    parser.add_argument("--markdown", action="store_true", help="only print the table of what is done, of seed 0")
    given = parser.parse_args()
    torch.set_num_threads(1)
    bench = Bench(given)
    for seed in range(0 if given.markdown else given.seeds):
        for name in ("base", *(one for one in given.methods if one != "base")):
            bench.run(name, seed)
    known = {key.partition(",")[0]: row for key, row in bench.runs.done.items() if key.endswith("seed 0")}
    print(table({name: known[name] for name in METHODS if name in known}))


if __name__ == "__main__":
    main()
