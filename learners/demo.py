"""How the tour ends: from what was lived in the demo, a small model learns, and what it forgets is measured.

The embedded base is tuned on questions about the demo's own episodes, once plainly and once by each method that keeps
what it knew, with the same examples in the same order. The settings are those that `benchmarks/forgetting.py` found on
other episodes. Left out: sweeps and several seeds, which that benchmark has.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.rule import Rule

from ..errors import LearningError
from ..experience import Trajectory
from .base import quietly
from .corpora.building import build_corpora
from .corpora.config import CorpusConfig
from .corpora.splits import is_unseen_activity
from .evaluate import Asking, evaluate
from .evaluation import Evaluation
from .examples import Example
from .methods import Knobs
from .models import EMBEDDED, load_model
from .pareto import evaluation_table, pareto_picture, points_of
from .run import FineTuner, LearnConfig
from .stdlib_text import stdlib_text
from .training import Training

if TYPE_CHECKING:
    from rich.console import Console

METHODS: Final[Mapping[str, str]] = {"fine-tuning": "finetune", "EWC": "ewc", "KL to the base": "kl"}
"""What is compared, by the name that the table has for it."""
KINDS: Final = ("recognition",)
"""What is asked: which activity was that? So small a model learns that in a minute, and the other kinds not at all."""
KNOBS: Final = Knobs(ewc_strength=100.0, kl_sequences=2)
_EVERY: Final = 3
"""One seen activity in so many is asked about; more would need more steps."""
_LONGEST: Final = 45
"""Words in a question."""
_STEPS: Final = 200
_BATCH: Final = 8
_LEARNING_RATE: Final = 1.5e-3
_ASKED: Final = 120
"""At most so many held-out questions."""
_TEXTS: Final = 120
"""So many held-out texts tell what was forgotten."""
_ASKING: Final = Asking(execute=False, batch=64)


def demo_activities() -> tuple[str, ...]:
    """Return the activities that the questions are about, for `generate_tasks(activities=..., split="train")`."""
    from ..envs.virtualhome.activities import ACTIVITIES

    return tuple(name for name in ACTIVITIES if not is_unseen_activity(name))[::_EVERY]


def demo_corpus(
    trajectories: Iterable[Trajectory],
    *,
    expand: Callable[[Trajectory], Trajectory] | None = None,
    seed: int = 0,
) -> list[Example]:
    """Make the demo's questions of what was lived; answers are to be written, not chosen.

    Args:
        trajectories: What was lived; demonstrations of `demo_activities` count, and whatever else reached its goal.
        expand: Makes a branch whole; see `build_corpora`.
        seed: Of wording and options.
    """
    config = CorpusConfig(
        kinds=KINDS, per_kind=300, held_out_per_kind=_ASKED, held_out=0.3, max_words=_LONGEST, seed=seed
    )
    examples = build_corpora(trajectories, config, expand=expand)
    asked = {name.replace("-", " ") for name in demo_activities()}
    return [
        dataclasses.replace(one, choices=())
        for one in examples
        if one.split != "unseen" and one.source["activity"] in asked
    ]


def run_learning_demo(
    console: Console,
    examples: Sequence[Example],
    out: Path,
    *,
    model: str = EMBEDDED,
    methods: Mapping[str, str] = METHODS,
    steps: int = _STEPS,
    seed: int = 0,
) -> dict[str, Evaluation]:
    """Let the embedded model learn from examples by several methods, and show what each gained and lost.

    Args:
        console: Where to show it.
        examples: Of splits `train` and `seen`; see `demo_corpus`.
        out: Made if it is not there; it gets a run's directory for each method, and the picture. Runs of an earlier
            demo are replaced.
        model: What learns; for another one than the embedded, methods that need old text have none.
        methods: What is compared; by the name that is shown, a name of `pathei.learners.methods`.
        steps: How many optimizer steps each is trained.
        seed: Orders the examples.

    Returns:
        By name, `"base"` first, what was measured.

    Raises:
        LearningError: there is nothing to learn from, or nothing to ask.
        MissingDependencyError: what learning needs is not installed.
    """
    asked = [one for one in examples if one.split == "seen"]
    learned = [one for one in examples if one.split == "train"]
    if not learned or not asked:
        raise LearningError(f"There are {len(learned)} questions to learn and {len(asked)} to ask: live more episodes.")
    console.print(Rule("A small language model learns from it, and forgets", align="left"))
    with _bar(console, "the base, once") as (bar, job):
        base, tokenizer = load_model(model, progress=lambda done, of: bar.update(job, completed=done, total=of))
    texts = stdlib_text().held_out
    texts = texts[:: max(1, len(texts) // _TEXTS)]
    training = Training(steps=steps, batch=_BATCH, learning_rate=_LEARNING_RATE, seed=seed)
    console.print(
        f"{len(learned)} questions to learn, {len(asked)} held out; {steps} steps of {_BATCH}; "
        f"{len(texts)} texts of Python's documentation tell what is forgotten."
    )
    found = {"base": evaluate(base, tokenizer, asked, language_texts=texts, base=base, asking=_ASKING)}
    for shown, method in methods.items():
        run = out / method
        shutil.rmtree(run, ignore_errors=True)
        config = LearnConfig(run, model=model, method=method, training=training, knobs=KNOBS)
        with _bar(console, shown, steps) as (bar, job), quietly():
            FineTuner(config, watch=lambda told: bar.update(job, completed=told["step"])).run(list(examples))
        tuned, _ = load_model(run / "model")
        found[shown] = evaluate(tuned, tokenizer, asked, language_texts=texts, base=base, asking=_ASKING)
    console.print(evaluation_table(found, "What was learned, and what was forgotten"))
    picture = out / "pareto.png"
    pareto_picture(points_of(found), picture, title="Learning and forgetting, one seed")
    console.print(f"Picture: {picture}", soft_wrap=True)
    return found


@contextlib.contextmanager
def _bar(console: Console, name: str, total: int | None = None) -> Iterator[tuple[Progress, TaskID]]:
    """Show how far one job is, in a block."""
    columns = (TextColumn(f"{name:16}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        yield progress, progress.add_task(name, total=total)


__all__ = ["KINDS", "KNOBS", "METHODS", "demo_activities", "demo_corpus", "run_learning_demo"]
