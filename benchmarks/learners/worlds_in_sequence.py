r"""Three worlds learned one after the other, and what is left of each: household, terminal and shop.

    pathei data get smollm2
    OMP_NUM_THREADS=1 python benchmarks/learners/worlds_in_sequence.py --out runs/sequence \
        [--methods plain EWC ...] [--orders household-terminal-shop ...] [--seeds 1] [--steps 40] [--markdown]

A stage is a run of `pathei learn` that begins at the run before it (`init_from`). What is asked for, by the goal in
words alone: in the household and the terminal a plan, which is carried out in a world that was not trained on; in the
shop what the goal means (attributes, options, price), as JSON, which must be right in full. After each stage all three
are measured, and bits per byte of prose, code and dialogue.

Methods: plain fine-tuning; `EWC` holds what the base knows; `EWC separate`, `EWC merged` and `EWC online` hold what the
earlier worlds taught as well (`methods.ewc.earlier`), by Fisher information on their examples; `replay` mixes reference
text in. Backward transfer is the mean, over the worlds but the last, of the share at the end minus the share when the
world had just been learned (Lopez-Paz and Ranzato 2017, equation 3). A finished stage is a line of OUT/stages.jsonl;
called again, the benchmark goes on from there.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import orjson
import torch
from _kept import KeptRuns  # type: ignore[import-not-found]

from pathei.collectors.rollout.policy import AgentPolicy, demonstrator
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs.registry import get_env
from pathei.experience import Task, Trajectory
from pathei.learners.config import LearnConfig, ReferenceConfig
from pathei.learners.corpora.building import build_corpora
from pathei.learners.corpora.config import CorpusConfig
from pathei.learners.evaluation.generation import generate
from pathei.learners.evaluation.perplexity import log_likelihoods
from pathei.learners.evaluation.plan_execution import PlanExecutor
from pathei.learners.examples import Example, Split, read_examples, write_examples
from pathei.learners.finetuning import FineTuner
from pathei.learners.methods.ewc import EwcConfig
from pathei.learners.methods.registry import MethodConfigs
from pathei.learners.methods.replay import ReplayConfig
from pathei.learners.models.load import load_model
from pathei.learners.models.stdlib_text import stdlib_text
from pathei.learners.retention.measure import TEXTS, measure_retention
from pathei.learners.training.batches import pad_of, tokenise
from pathei.learners.training.config import TrainingConfig

WORLDS = {
    "household": ("virtualhome", "plan-bare"),
    "terminal": ("terminal", "plan-bare"),
    "shop": ("shop", "goal-conditions"),
}
"""The worlds by their names in tables: environment, and the kind of example."""
EARLIER = {"EWC": "off", "EWC separate": "separate", "EWC merged": "merged", "EWC online": "online"}
METHODS = ("plain", *EARLIER, "replay")
ORDERS = ("household-terminal-shop", "shop-terminal-household", "terminal-shop-household")
HELD_OUT = 24
TRAINED = 240


def wanted(conditions: str) -> list[Any] | None:
    """Return what a shop's conditions ask for, but for the product they were made from; None if they are no JSON."""
    try:
        read = json.loads(conditions)
    except ValueError:
        return None
    named = isinstance(read, list) and all(isinstance(one, dict) for one in read)
    return [{key: value for key, value in one.items() if key != "buy"} for one in read] if named else None


def made(world: str) -> list[Example]:
    """Return examples of a world: of two thirds of its scenes to train on, and of others held out."""
    env, kind = WORLDS[world]
    tasks = get_env(env).generate_tasks(900, 0)
    played = [
        one for one in Rollout(AgentPolicy(demonstrator), max_steps=60).collect(tasks) if isinstance(one, Trajectory)
    ]
    by_id = {one.id: one.task for one in played}
    config = CorpusConfig((kind,), per_kind=2_000, held_out_per_kind=0, held_out=0.0, max_words=120)
    scenes = sorted({_scene(task) for task in by_id.values()})
    apart = set(scenes[::3])
    trained: list[Example] = []
    held: list[Example] = []
    for one in build_corpora(played, config):
        task = by_id[str(one.source["trajectory"])]
        if world == "shop":
            one = dataclasses.replace(one, completion=" " + json.dumps(wanted(one.completion)))
        elif " submit " in one.completion:
            continue  # an answer that has to be read from files is in no goal
        split: Split = "seen" if _scene(task) in apart else "train"
        one = dataclasses.replace(one, split=split, source={"task": task.id, "number": tasks.index(task)})
        (held if split == "seen" else trained).append(one)
    prompts = {one.prompt for one in trained}
    return [*trained[:TRAINED], *[one for one in held if one.prompt not in prompts][:HELD_OUT]]


def _scene(task: Task) -> str:
    """Return the name of what must not be both trained on and asked about: a house, a file system, a product's goal."""
    return str(task.options.get("scene", task.id if task.env.startswith("pathei/WebShop") else task.seed))


class Bench:
    """The examples, and the stages that are done."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given, self.out = given, given.out
        self.out.mkdir(parents=True, exist_ok=True)
        self.kept = KeptRuns(self.out / "stages.jsonl")
        self.texts = self.out / "reference.jsonl"
        if not self.texts.exists():
            self.texts.write_bytes(b"".join(orjson.dumps(text) + b"\n" for text in stdlib_text().train[::4]))
        for world in WORLDS:
            if not (path := self.out / f"{world}.jsonl").exists():
                write_examples(path, made(world))
        self.examples = {world: list(read_examples(self.out / f"{world}.jsonl")) for world in WORLDS}

    def base(self) -> dict[str, Any]:
        """Return what the base can do and knows."""
        found: dict[str, Any] = self.kept.get("base", partial(self._stage, partial(load_model, self.given.model)))
        return found

    def stages(self, method: str, order: str, seed: int) -> list[dict[str, Any]]:
        """Return what was measured after each world of an order; stages that are not done are trained."""
        given, worlds, found = self.given, order.split("-"), []
        for number in range(len(worlds)):
            learned = worlds[: number + 1]
            name = f"{_named(method, learned)}, {'-'.join(learned)}, seed {seed}"
            key = f"{name}, {given.model}, {given.steps} x {given.batch}, rate {given.rate:g}"
            found.append(self.kept.get(key, partial(self._stage, partial(self._learn, method, learned, seed))))
        return found

    def _folder(self, method: str, worlds: Sequence[str], seed: int) -> Path:
        folder: Path = self.out / f"{_named(method, worlds).replace(' ', '-')}-{seed}" / "-".join(worlds)
        return folder

    def _learn(self, method: str, worlds: Sequence[str], seed: int) -> tuple[Any, Any]:
        """Train the last of some worlds, from the run before it."""
        given, out = self.given, self._folder(method, worlds, seed)
        before = str(self._folder(method, worlds[:-1], seed)) if len(worlds) > 1 else ""
        training = TrainingConfig(
            steps=given.steps,
            batch_size=given.batch,
            learning_rate=given.rate,
            max_length=160,
            group_by_length=True,
            seed=seed,
            save_every=given.steps,
        )
        earlier = EARLIER.get(method, "off") if before else "off"
        ewc = EwcConfig(strength=given.ewc, earlier=earlier)  # type: ignore[arg-type]
        config = LearnConfig(
            out,
            model=given.model,
            method="ewc" if method in EARLIER else {"plain": "finetune"}.get(method, method),
            methods=MethodConfigs(ewc=ewc, replay=ReplayConfig(sequences=1)),
            training=training,
            texts=(self.texts,),
            reference=ReferenceConfig(sequence_length=96, fisher_sequences=given.fisher),
            init_from=before,
        )
        FineTuner(config).run([one for one in self.examples[worlds[-1]] if one.split == "train"])
        shutil.rmtree(out / "checkpoint", ignore_errors=True)
        return load_model(out / "model")

    def _stage(self, made: Callable[[], tuple[Any, Any]]) -> dict[str, Any]:
        """Make and measure a stage."""
        begun = time.process_time()
        model, tokenizer = made()
        return {"train_seconds": time.process_time() - begun, **self._measured(model, tokenizer)}

    def _measured(self, model: Any, tokenizer: Any) -> dict[str, Any]:
        """Return the share of each world's held-out examples that is right, and what the model still knows."""
        right, nats, answers = {}, {}, {}
        for world, examples in self.examples.items():
            held = [one for one in examples if one.split == "seen"]
            rows = tokenise(held, tokenizer, max_length=400).rows
            logs = log_likelihoods(model, [(row.ids, row.learned) for row in rows], pad=pad_of(tokenizer))
            nats[world] = -sum(logs) / sum(row.learned for row in rows)
            answers[world] = generate(model, tokenizer, [one.prompt for one in held], max_new_tokens=64)
            right[world] = judged(world, held, answers[world])
        kept = measure_retention(model, tokenizer, texts=self.given.texts, per_topic=1).summary()["bits_per_byte"]
        return {"right": right, "nats": nats, "bits_per_byte": kept, "answers": answers}


def _named(method: str, worlds: Sequence[str]) -> str:
    """Return the name of what learns some worlds: every form of EWC learns the first alike."""
    return "EWC" if method in EARLIER and len(worlds) == 1 else method


def judged(world: str, held: Sequence[Example], answers: Sequence[str]) -> list[bool]:
    """Return for each answer whether its plan reaches the goal, or whether it says what the goal means."""
    if world == "shop":
        pairs = zip(held, answers, strict=True)
        return [wanted(answer) is not None and wanted(answer) == wanted(one.completion) for one, answer in pairs]
    tasks = get_env(WORLDS[world][0]).generate_tasks(900, 0)
    with PlanExecutor() as executor:
        return [
            executor.execute(tasks[int(str(one.source["number"]))], answer, skip_refused=True).success
            for one, answer in zip(held, answers, strict=True)
        ]


def share(row: Mapping[str, Any], world: str) -> float:
    """Return the share of a world's examples that was right."""
    return float(mean(row["right"][world]))


def transfer(rows: Sequence[Mapping[str, Any]], worlds: Sequence[str]) -> float:
    """Return backward transfer."""
    return mean(share(rows[-1], world) - share(rows[at], world) for at, world in enumerate(worlds[:-1]))


def table(bench: Bench, runs: Iterable[tuple[str, str, int]]) -> str:
    """Return a row for each stage of each run that is done, as Markdown."""
    base = bench.base()
    head = ["method", "learned so far", *WORLDS, "mean", "backward transfer", *(f"{kind} lost" for kind in TEXTS)]
    lines = [head, ["---", "---", *["--:"] * (len(head) - 2)]]
    lines.append(["base", "", *(f"{share(base, w):.0%}" for w in WORLDS), f"{_mean(base):.0%}", "", "", "", ""])
    for method, order, seed in runs:
        worlds, rows = order.split("-"), bench.stages(method, order, seed)
        for at, row in enumerate(rows):
            last = at + 1 == len(worlds)
            lost = [f"{row['bits_per_byte'][kind] - base['bits_per_byte'][kind]:+.3f}" for kind in TEXTS]
            cells = [f"{share(row, world):.0%}" for world in WORLDS]
            moved = f"{transfer(rows, worlds):+.0%}" if last else ""
            whole = f"{_mean(row):.0%}" if last else ""
            lines.append([method, ", ".join(worlds[: at + 1]), *cells, whole, moved, *lost])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _mean(row: Mapping[str, Any]) -> float:
    return mean(share(row, world) for world in WORLDS)


def main() -> None:
    """Run what is not done, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/sequence"))
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=METHODS)
    parser.add_argument("--orders", nargs="*", default=ORDERS[:1], help="worlds joined by -")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=40, help="of each stage")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--fisher", type=int, default=16, help="sequences for Fisher information")
    parser.add_argument("--ewc", type=float, default=30.0)
    parser.add_argument("--texts", type=int, default=16, help="texts of each kind")
    given = parser.parse_args()
    torch.set_num_threads(1)
    bench = Bench(given)
    print(table(bench, [(m, o, s) for s in range(given.seeds) for o in given.orders for m in given.methods]))


if __name__ == "__main__":
    main()
