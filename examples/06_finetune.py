"""Fine-tune a language model on experience with Elastic Weight Consolidation; measure the skill and the forgetting.

The model is a tiny one that this machine trains for itself, once, in a minute or two. Needs pip install '.[learn]'.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # torch's threads sleep while they wait; set before it is imported

import pathei
from pathei.learners import CorpusConfig, TrainingConfig

STORE = "runs/examples/demonstrations"


def main() -> None:
    """Tune the tiny model with and without EWC, for a few steps."""
    pathei.collect(STORE, 40, "scripted", steps=60)
    for method in ("finetune", "ewc"):
        out = f"runs/examples/{method}"
        report = pathei.finetune(
            out,
            STORE,
            method=method,
            training=TrainingConfig(steps=10, learning_rate=2e-3),
            corpus=CorpusConfig(kinds=("location", "recognition")),
        )
        print(f"{method}: {report.examples} examples, {report.steps} steps, loss {report.loss:.2f}")
        found = pathei.evaluate(out, limit=20)
        forgetting = found.forgetting.value if found.forgetting else 0.0
        print(f"  skill {found.skill('seen').value:.2f}, forgetting {forgetting:+.3f} nats per token")


if __name__ == "__main__":
    main()
