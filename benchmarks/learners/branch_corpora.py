r"""What is learned from actions that nobody demonstrated: imitation alone, and after training on branches.

    pathei data get smollm2
    OMP_NUM_THREADS=1 python benchmarks/learners/branch_corpora.py --out runs/branches \
        [--arms imitation next-state ...] [--shares 1 0.5 0.125] [--seeds 1] [--model tiny]
        [--precision fp32] [--markdown]

Imitation learns plans from goals in words (`plan-bare`). The other arms train before it on what the same episodes'
branches show: at a stored state other admissible actions are done, and the question is what changes (`next-state`),
which action is better and why (`contrast`), or whether the goal is still reached (`counterfactual`). That is the order
of Early Experience (arXiv 2510.08558): first the world, then the expert. `imitation, longer` takes the steps of both
parts for plans, so that no arm wins by training more. Every arm of a row has the same expert episodes.

Plans for held-out goals, in houses that were not trained on, are carried out; the intervals of the
differences to imitation are paired (`paired`). A finished run is a line of OUT/runs.jsonl; called again, the benchmark
goes on from there.
"""

from __future__ import annotations

import argparse
import random
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from _kept import KeptRuns  # type: ignore[import-not-found]
from _table import show  # type: ignore[import-not-found]

from pathei.collectors.rollout.policy import AgentPolicy, demonstrator
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs.registry import get_env
from pathei.experience import Trajectory
from pathei.learners.config import LearnConfig
from pathei.learners.corpora.building import build_corpora
from pathei.learners.corpora.config import CorpusConfig
from pathei.learners.evaluation.generation import generate
from pathei.learners.evaluation.intervals import wilson
from pathei.learners.evaluation.paired import mcnemar
from pathei.learners.evaluation.plan_execution import PlanExecutor
from pathei.learners.examples import Example
from pathei.learners.finetuning import FineTuner
from pathei.learners.models.load import load_model
from pathei.learners.retention.measure import TEXTS, measure_retention
from pathei.learners.training.config import TrainingConfig

BRANCHES = ("next-state", "contrast", "counterfactual")
ARMS = ("imitation", "imitation, longer", *BRANCHES, "all three")
TASKS = 900
TRAINED = 240
HELD_OUT = 48


class Bench:
    """The episodes of one environment, and the runs that are done."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given, self.out = given, given.out
        self.out.mkdir(parents=True, exist_ok=True)
        self.runs = KeptRuns(self.out / "runs.jsonl")
        rollout = Rollout(AgentPolicy(demonstrator), max_steps=60)
        tasks = get_env("virtualhome").generate_tasks(TASKS, 0)
        played = [one for one in rollout.collect(tasks) if isinstance(one, Trajectory) and one.success]
        apart = set(sorted({_house(one) for one in played})[::3])
        self.experts = [one for one in played if _house(one) not in apart and self.examples([one], "plan-bare")]
        self.experts = self.experts[:TRAINED]
        known = {one.prompt for one in self.examples(self.experts, "plan-bare")}
        asked = self.examples([one for one in played if _house(one) in apart], "plan-bare")
        self.asked = [one for one in asked if one.prompt not in known][:HELD_OUT]
        self.task_of = {one.id: one.task for one in played}

    def examples(self, episodes: Sequence[Trajectory], *kinds: str) -> list[Example]:
        """Return all examples of some kinds."""
        config = CorpusConfig(kinds, per_kind=4_000, held_out_per_kind=0, held_out=0.0, per_episode=8, max_words=120)
        return build_corpora(episodes, config)

    def run(self, arm: str, share: float, seed: int) -> dict[str, Any]:
        """Return what an arm reached with a share of the expert episodes; it is trained if it was not yet."""
        given, name = self.given, arm.replace(", ", "-").replace(" ", "-")
        folder = self.out / f"{name}-{share:g}-{seed}-{given.before}-{given.steps}"
        experts = random.Random(seed).sample(self.experts, round(share * len(self.experts)))
        begin, steps = "", given.steps + (given.before if arm == "imitation, longer" else 0)
        if kinds := BRANCHES if arm == "all three" else tuple({arm} & set(BRANCHES)):
            begin = str(folder / "branches")
            self._learn(self.examples(experts, *kinds), Path(begin), given.before, seed, "")
        plans = self.examples(experts, "plan-bare")
        self._learn(plans, folder / "plans", steps, seed, begin)
        found = self.measured(*load_model(folder / "plans" / "model"))
        shutil.rmtree(folder)
        return {"experts": len(experts), "plans": len(plans), **found}

    def _learn(self, examples: list[Example], out: Path, steps: int, seed: int, begin: str) -> None:
        given = self.given
        training = TrainingConfig(
            steps=steps,
            batch_size=given.batch,
            learning_rate=given.rate,
            max_length=240,
            group_by_length=True,
            seed=seed,
            save_every=steps,
            precision=given.precision,
        )
        config = LearnConfig(out, model=given.model, method="finetune", training=training, init_from=begin)
        FineTuner(config).run(examples)
        shutil.rmtree(out / "checkpoint", ignore_errors=True)

    def measured(self, model: Any, tokenizer: Any) -> dict[str, Any]:
        """Return which held-out goals a model's plans reach, and bits per byte of the retention texts."""
        answers = generate(model, tokenizer, [one.prompt for one in self.asked], max_new_tokens=64)
        with PlanExecutor() as executor:
            reached = [
                executor.execute(self.task_of[str(one.source["trajectory"])], answer, skip_refused=True).success
                for one, answer in zip(self.asked, answers, strict=True)
            ]
        kept = measure_retention(model, tokenizer, texts=self.given.texts, per_topic=1).summary()["bits_per_byte"]
        return {"reached": reached, "bits_per_byte": kept, "answers": answers}

    def kept(self, name: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return a run that is done, or do it and keep it."""
        given = self.given
        how = f"{given.before} + {given.steps} x {given.batch}, rate {given.rate:g}"
        found: dict[str, Any] = self.runs.get(f"{name}, {given.model}, {how}", measure)
        return found


def _house(trajectory: Trajectory) -> str:
    """Return the house, which must not be both trained on and asked about."""
    return str(trajectory.task.options["scene"])


def rows(bench: Bench) -> list[list[str]]:
    """Return a row for the base and for each share and arm, all seeds together."""
    given = bench.given
    base = bench.kept("base", lambda: bench.measured(*load_model(given.model)))
    found = [["base", "", "", _share(base["reached"]), "", *["+0.000"] * len(TEXTS)]]
    for share in given.shares:
        runs = {
            arm: [
                bench.kept(f"{arm}, {share:g}, seed {seed}", partial(bench.run, arm, share, seed))
                for seed in range(given.seeds)
            ]
            for arm in given.arms
        }
        alone = [reached for run in runs["imitation"] for reached in run["reached"]]
        for arm, of in runs.items():
            reached = [one for run in of for one in run["reached"]]
            paired = mcnemar(reached, alone)
            better = f"{paired.difference:+.0%} [{paired.low:+.0%}, {paired.high:+.0%}]" if arm != "imitation" else ""
            lost = [mean(r["bits_per_byte"][kind] for r in of) - base["bits_per_byte"][kind] for kind in TEXTS]
            found.append([arm, f"{of[0]['experts']}", f"{mean(run['plans'] for run in of):.0f}"])
            found[-1] += [_share(reached), better, *(f"{one:+.3f}" for one in lost)]
    return found


def _share(reached: Sequence[bool]) -> str:
    low, high = wilson(sum(reached), len(reached))[-2:]
    return f"{sum(reached)} of {len(reached)} [{low:.0%}, {high:.0%}]"


def main() -> None:
    """Run what is not done, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/branches"))
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--arms", nargs="*", default=list(ARMS), choices=ARMS)
    parser.add_argument("--shares", nargs="*", type=float, default=[1.0, 0.5, 0.125], help="of the expert episodes")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--before", type=int, default=24, help="steps on branches")
    parser.add_argument("--steps", type=int, default=48, help="steps on plans")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="bf16", help="of the training")
    parser.add_argument("--texts", type=int, default=16, help="retention texts of each kind")
    parser.add_argument("--markdown", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if "imitation" not in given.arms:
        parser.error("--arms: `imitation` is what the others are compared with; name it too")
    head = ["trained on", "episodes", "plans", "held-out goals reached", "against imitation"]
    head += [f"{kind} lost" for kind in TEXTS]
    show("Branches", head, rows(Bench(given)), markdown=given.markdown)


if __name__ == "__main__":
    main()
