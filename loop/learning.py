"""Learning from a round: into the memory and into a model's weights; and measuring what the model forgot.

Each part skips what is done already. Not here: collecting (`experience`), and how much better it made the agents
(`results`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import ConfigError
from ..pretrained import EXAMPLES, has_text
from ..store import ExperienceStore
from .experience import AGENT
from .workspace import LoopWorkspace

if TYPE_CHECKING:
    from ..learners.config import LearnConfig
    from ..learners.evaluation.intervals import Interval
    from ..learners.examples import Example

Watch = Callable[[int, int], None]
"""Called with how much is done, and of how much."""

KIND: Final = "plan-bare"
"""The kind of example that a model is trained on, and is asked for when it acts."""
_LONGEST: Final = 45
"""The maximum number of words of a goal or a plan: the few longer ones would make training half as slow again. Where
all are longer, as in TextWorld, ten times as many."""
_LOT: Final = 25
_PLANS: Final = 10_000
_TEXTS: Final = 120
"""The number of retention texts on which forgetting is measured."""


def remember(place: LoopWorkspace, number: int, watch: Watch) -> None:
    """Add what was collected up to a round to the memory, with feedback on the items used, and consolidate it."""
    from ..memory import UpkeepConfig, open_memory
    from ..memory.filling import count_feedback

    with (
        ExperienceStore.open(place.store, mode="read") as store,
        open_memory(place.memory, embedder=place.config.embedder, builders="default", create=True) as memory,
    ):
        ids = place.collected(store.trajectories(roots=True), number)
        done, rest = 0, map(store.get, ids)
        while lot := list(islice(rest, _LOT)):
            memory.add_all(lot)
            for one in lot:
                if one.collector == AGENT:
                    count_feedback(memory, one)
            done += len(lot)
            watch(done, len(ids))
        memory.consolidate(UpkeepConfig(caps={}))


def tune(place: LoopWorkspace, number: int, method: str, watch: Watch) -> Path:
    """Tune a model on the plans that were collected up to a round, and return the run's directory.

    The loop's own method continues from the last round's model and is regularized towards the base; the method that it
    is compared with takes as many steps at once as all rounds together.
    """
    from ..learners.finetuning import FineTuner

    run = run_config(place, number, method)
    run.out.mkdir(parents=True, exist_ok=True)
    # A run that has begun keeps its examples, although a resumed round may have collected more.
    plans = None if (run.out / EXAMPLES).exists() else lessons(place, number)
    FineTuner(run, watch=lambda step: watch(int(step["step"]), int(step["steps"]))).run(plans)
    return run.out


def run_config(place: LoopWorkspace, number: int, method: str) -> LearnConfig:
    """Return the configuration of the run that tunes a model after a round."""
    from ..learners.config import LearnConfig

    config = place.config
    fisher = place.fisher()
    out = place.run(number, method)
    given = fisher if fisher.exists() and fisher.parent != out and "ewc" in method.split("+") else None
    goes_on = method == config.method
    training = dataclasses.replace(config.training, seed=place.seed * config.rounds + number)
    if not goes_on and training.steps is not None:
        training = dataclasses.replace(training, steps=training.steps * number)
    return LearnConfig(
        out,
        model=config.model,
        init_from=str(place.run(number - 1, method) / "model") if goes_on and number > 1 and not training.lora else "",
        method=method,
        training=training,
        methods=config.methods,
        reference=config.reference,
        texts=config.texts,
        fisher=given,
    )


def forgotten(place: LoopWorkspace, run: Path) -> Interval | None:
    """Return the increase in nats per token on retention text; None without such text."""
    from ..learners.evaluation.evaluate import EvaluationConfig, evaluate
    from ..learners.models.load import load_model
    from ..learners.models.stdlib_text import stdlib_text
    from ..learners.training.batches import read_texts

    config = place.config
    if config.held_out_texts:
        texts = list(read_texts(config.held_out_texts))
    elif has_text(config.model):
        texts = list(stdlib_text().held_out)
    else:
        return None
    texts, asking = texts[:: max(1, len(texts) // _TEXTS)], EvaluationConfig(batch=64)
    found = []
    for name, folder in ((config.model, place.out / "base"), (str(run / "model"), run / "evaluation")):
        model, tokenizer = load_model(name)
        found.append(evaluate(model, tokenizer, (), language_texts=texts, asking=asking, folder=folder))
    before, after = found
    return dataclasses.replace(after, base_language=before.language).forgetting


def foretold(place: LoopWorkspace) -> dict[str, float]:
    """Return how well the base and the last round's models predict plans that reached held-out goals.

    Of each held-out task the first agent's plan counts that reached it; nothing is learned from them.

    Returns:
        Nats per token of a plan given its goal, by row; empty where no held-out goal was reached.
    """
    import torch

    from ..learners.models.load import context_of, load_model
    from ..learners.training.batches import collate, tokenise
    from ..learners.training.losses import summed_loss

    with ExperienceStore.open(place.held_out, mode="read") as store:
        reached = {one.task.id: one.id for one in reversed(list(store.trajectories(success=True, roots=True)))}
        plans = _plans_of(store, [reached[task] for task in sorted(reached)], place.seed)
    found: dict[str, float] = {}
    for row, name in place.models().items() if plans else ():
        model, tokenizer = load_model(name)
        rows = tokenise(plans, tokenizer, max_length=context_of(model, 1024), over_long="truncate").rows
        model.train(False)
        with torch.inference_mode():
            nats = sum(summed_loss(model, collate([one], 0)).item() for one in rows)
        found[row] = nats / sum(one.learned for one in rows)
    return found


def lessons(place: LoopWorkspace, number: int) -> Sequence[Example]:
    """Return the goal-only plans of everything that was collected up to a round, as a model that acts is shown them.

    Two of them make a conversation. Where a memory grows, a share stands behind its plans instead, and there is a
    conversation that asks for places for every four plans.

    Raises:
        ConfigError: no episode that has a plan reached its goal.
    """
    import numpy as np

    from ..envs.registry import get_env
    from ..learners.training.pairs import paired
    from ..memory import open_memory
    from .notes import place_questions, shown_plans

    config, rng = place.config, np.random.default_rng(place.seed)
    with ExperienceStore.open(place.store, mode="read") as store:
        ids = place.collected(store.trajectories(roots=True), number)
        plans = _plans_of(store, ids, place.seed)
        if not plans:
            raise ConfigError(
                f"No episode in {place.store} that has a plan reached its goal: give the loop more tasks."
            )
        if len(plans) == 1:
            return plans
        if not (config.remembers and config.notes):
            return paired(plans, rng, 2 * _LONGEST)
        with open_memory(place.memory, mode="read") as memory:
            shown = shown_plans(memory, get_env(config.env).id)
            found = paired(plans, rng, 3 * _LONGEST, shown=shown, share=config.notes)
            asked = place_questions(map(store.get, ids), memory, rng, count=len(plans) // 4, share=config.notes)
    return [*found, *asked]


def _plans_of(store: ExperienceStore, ids: Sequence[str], seed: int) -> Sequence[Example]:
    """Return the goal-only plans of some episodes."""
    from ..learners.corpora.building import build_corpora
    from ..learners.corpora.config import CorpusConfig

    found: Sequence[Example] = ()
    for words in (_LONGEST, 10 * _LONGEST):
        config = CorpusConfig(
            kinds=(KIND,), per_kind=_PLANS, held_out_per_kind=0, max_words=words, held_out=0.0, seed=seed
        )
        found = found or build_corpora(map(store.get, ids), config)
    return found
