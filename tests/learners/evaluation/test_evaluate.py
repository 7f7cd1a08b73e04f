"""Evaluation: its parts, resuming, plans carried out, what a run is worth, tables and pictures, and lm-eval's word."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from pathei.envs.virtualhome.language.plans import say_plan
from pathei.envs.virtualhome.tasks.generate import demonstration, generate_tasks
from pathei.errors import ConfigError, LearningError
from pathei.experience import Goal, Task
from pathei.learners.evaluation.evaluate import PARTS, EvaluationConfig, evaluate, judge
from pathei.learners.evaluation.intervals import Interval
from pathei.learners.evaluation.lm_eval import TEXT_TASK, run_tasks, write_tasks
from pathei.learners.evaluation.metrics import rate_choices
from pathei.learners.evaluation.perplexity import LanguageRetention, measure_language
from pathei.learners.evaluation.result import Evaluation, EvaluationScore
from pathei.learners.evaluation.run import EVALUATION, RESULT, EvaluateRunConfig, asked_of, evaluate_run
from pathei.learners.examples import Example, write_examples
from pathei.tests.support.tiny_language import TEXTS, small_model
from pathei.views.pareto import ParetoPoint, evaluation_table, frontier, pareto_picture, pareto_table

torch = pytest.importorskip("torch")

ROOMS = tuple(f" the {room}" for room in ("kitchen", "bedroom", "bathroom", "living room"))
QUESTIONS = [
    Example(f"{n}", kind, text.partition("\n")[0] + "\nA:", ROOMS[n % 4], ROOMS, "seen" if n % 3 else "unseen")
    for n, text in enumerate(TEXTS)
    for kind in ("recognition", "location")
]
OLD = ["The book is in the hall.", "Q: Who is in the kitchen?", "A much longer text about nothing at all. " * 6]


def test_every_kind_is_asked_in_every_split() -> None:
    (base, tokenizer), (model, _) = small_model(0), small_model(1)
    found = evaluate(model, tokenizer, QUESTIONS, language_texts=OLD, base=base)
    assert {(score.kind, score.split, score.metric) for score in found.scores} == {
        (kind, split, metric)
        for split in ("seen", "unseen")
        for kind, metric in (("recognition", "choice"), ("location", "exact"), ("location", "choice"))
    }
    assert {score.baseline for score in found.scores if score.metric == "choice"} == {0.25}
    assert [score.metric for score in found.skills("seen")] == ["choice", "exact"]
    assert sum(len(score.values) for score in found.scores if score.metric == "exact") == len(TEXTS)
    assert found.language == measure_language(model, tokenizer, OLD, batch=32)
    assert found.forgetting is not None
    assert found.base_language is not None
    assert found.forgetting.value == pytest.approx(found.language.nats_per_token - found.base_language.nats_per_token)
    assert found.kl > 0
    told = found.summary()
    assert told["language"]["perplexity"] == pytest.approx(np.exp(found.language.nats_per_token))
    assert set(told["skill"]) == {"seen", "unseen"}


def test_a_base_has_lost_nothing_against_itself() -> None:
    base, tokenizer = small_model()
    found = evaluate(base, tokenizer, QUESTIONS[:4], language_texts=OLD, base=base)
    assert found.forgetting == (0, 0, 0)
    assert found.kl == pytest.approx(0, abs=1e-6)
    alone = evaluate(base, tokenizer, QUESTIONS[:4])
    assert (alone.language, alone.forgetting, alone.kl) == (None, None, None)


def test_an_interrupted_evaluation_goes_on(tmp_path: Path) -> None:
    model, tokenizer = small_model()
    told: list[str] = []

    def stop(part: str) -> None:
        told.append(part)
        if len(told) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(model, tokenizer, QUESTIONS, language_texts=OLD, base=model, folder=tmp_path, watch=stop)
    with (tmp_path / PARTS).open("ab") as file:
        file.write(b'{"key": "torn')  # A kill within a write.
    again: list[str] = []
    found = evaluate(model, tokenizer, QUESTIONS, language_texts=OLD, base=model, folder=tmp_path, watch=again.append)
    assert not set(told[:2]) & set(again), "what was done is not done again"
    assert again[0] == told[2]
    assert found == evaluate(model, tokenizer, QUESTIONS, language_texts=OLD, base=model)
    again.clear()
    assert (
        evaluate(model, tokenizer, QUESTIONS, language_texts=OLD, base=model, folder=tmp_path, watch=again.append)
        == found
    )
    assert again == []
    evaluate(
        model, tokenizer, QUESTIONS, folder=tmp_path, asking=EvaluationConfig(max_new_tokens=1), watch=again.append
    )
    assert again, "asked in another way, it is another part"


def test_another_model_is_asked_anew(tmp_path: Path) -> None:
    told: list[str] = []
    for seed in (0, 1):
        model, tokenizer = small_model(seed)
        evaluate(model, tokenizer, QUESTIONS[:4], folder=tmp_path, watch=told.append)
    assert len(told) == 2 * len(set(told))


def test_plans_are_carried_out() -> None:
    task = Task("t", "pathei/VirtualHome-v0", 5, Goal("", ({"node": {"class": "fridge"}, "state": "OPEN"},)))
    tasks = [dataclasses.replace(task, options={"scene": "house:5"}), *generate_tasks(3, 0)]
    plans = ["Walk to the fridge. Open the fridge.", *(say_plan(demonstration(one)) for one in tasks[1:])]
    asked = [
        Example(one.id, "plan", "Plan:", f" {plan}", source={"task": dataclasses.asdict(one)})
        for one, plan in zip(tasks, plans, strict=True)
    ]
    assert judge("goal", asked, plans)[0] == 1.0
    assert sum(judge("goal", asked, plans)) >= 3
    assert judge("goal", asked, ["Walk to the moon."] * 4) == [0.0] * 4
    assert judge("exact", asked, plans) == [1.0] * 4, "the words are another matter"
    model, tokenizer = small_model()
    by_words, by_deeds = (
        evaluate(model, tokenizer, asked[:1], asking=EvaluationConfig(execute=execute)) for execute in (False, True)
    )
    assert [one.metric for one in by_words.scores] == ["rougeL", "rouge1", "rouge2"]
    assert [one.metric for one in by_deeds.scores] == ["goal", "rougeL", "rouge1", "rouge2"]
    assert by_deeds.scores[0].values == (0.0,)
    assert by_deeds.scores[0].baseline == 1.0, "the one right plan, always given"


def test_skill_counts_kinds_alike() -> None:
    scores = (
        EvaluationScore("a", "seen", "choice", (1.0,) * 100, 0.5),
        EvaluationScore("b", "seen", "exact", (0.0,) * 4, 0.5),
        EvaluationScore("b", "seen", "choice", (1.0,) * 4, 0.5),
    )
    found = Evaluation(scores)
    assert found.skill("seen").value == 0.5
    with pytest.raises(LearningError, match="no skill"):
        found.skill("unseen")


POINTS = st.builds(
    lambda name, skill, lost: ParetoPoint(name, Interval(skill, skill, skill), Interval(lost, lost, lost)),
    st.text(max_size=3),
    st.floats(0, 1),
    st.floats(-1, 5),
)


@given(points=st.lists(POINTS, max_size=12))
def test_nothing_beats_what_is_on_the_frontier(points: list[ParetoPoint]) -> None:
    edge = frontier(points)
    for one in points:
        beaten = any(
            other.skill.value >= one.skill.value
            and other.lost.value <= one.lost.value
            and (other.skill.value, other.lost.value) != (one.skill.value, one.lost.value)
            for other in points
        )
        twin = any((p.skill, p.lost) == (one.skill, one.lost) for p in edge)
        assert twin != beaten


def test_a_table_and_a_picture_are_made(tmp_path: Path) -> None:
    model, tokenizer = small_model()
    found = evaluate(model, tokenizer, QUESTIONS[:6], language_texts=OLD, base=model)
    other = Evaluation((), LanguageRetention((1.0,), (1,), (1,)))
    console = Console(width=160, record=True)
    console.print(evaluation_table({"mine": found, "other": other}, "Both"))
    points = [ParetoPoint("ewc", Interval(0.5, 0.4, 0.6), Interval(1, 0.9, 1.1), "lambda 30")]
    console.print(pareto_table(points))
    text = console.export_text()
    for word in ("mine", "other", "location", "perplexity", "bits/byte", "lambda 30", "0.50 [0.40, 0.60]"):
        assert word in text
    pareto_picture(points, tmp_path / "new" / "pareto.png", tried=points)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["pareto.png"]


def test_a_run_is_evaluated_where_it_lies(tmp_path: Path) -> None:
    base, tokenizer = small_model(0)
    model, _ = small_model(1)
    run, text = tmp_path / "run", tmp_path / "old.txt"
    for folder, one in ((tmp_path / "base", base), (run / "model", model)):
        one.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    (run / "config.json").write_text(f'{{"model": "{tmp_path / "base"}"}}')
    text.write_text(OLD[0])
    write_examples(run / "examples.jsonl", QUESTIONS)
    config = EvaluateRunConfig(limit=3, texts=(text,))
    found = evaluate_run(run, config)
    assert found.forgetting is not None
    assert {len(score.values) for score in found.scores} == {3}
    assert (run / EVALUATION / RESULT).is_file()
    told: list[str] = []
    assert evaluate_run(run, config, watch=told.append) == found
    assert told == []
    with pytest.raises(ConfigError, match="limit"):
        evaluate_run(run, EvaluateRunConfig(limit=4, texts=(text,)))
    again = evaluate_run(run, EvaluateRunConfig(limit=4, texts=(text,)), overwrite=True)
    assert evaluate_run(run, EvaluateRunConfig(limit=4, texts=(text,))) == again
    with pytest.raises(ConfigError, match="add --overwrite"):
        evaluate_run(run, config)
    with pytest.raises(LearningError, match="no model"):
        evaluate_run(tmp_path, config)
    with pytest.raises(ConfigError, match="splits must name"):
        EvaluateRunConfig(splits=())


def test_so_many_of_each_kind_and_split_are_asked(tmp_path: Path) -> None:
    write_examples(tmp_path / "a.jsonl", QUESTIONS)
    asked = asked_of([tmp_path / "a.jsonl"], ("unseen",), 2)
    assert [(one.kind, one.split) for one in asked] == [("recognition", "unseen"), ("location", "unseen")] * 2


@pytest.mark.integration
def test_lm_eval_finds_the_same(tmp_path: Path) -> None:
    pytest.importorskip("lm_eval")
    model, tokenizer = small_model()
    names = write_tasks(tmp_path, QUESTIONS, OLD)
    assert set(names) == {
        TEXT_TASK,
        *(f"pathei_{k}_{s}" for k in ("recognition", "location") for s in ("seen", "unseen")),
    }
    found = run_tasks(model, tokenizer, tmp_path, names, batch=4)
    ours = measure_language(model, tokenizer, OLD)
    assert found[TEXT_TASK]["bits_per_byte"] == pytest.approx(ours.bits_per_byte, rel=1e-4)
    asked = [one for one in QUESTIONS if (one.kind, one.split) == ("location", "seen")]
    rated = rate_choices(model, tokenizer, asked)
    right = [
        one.choices[int(np.argmax([rate.total for rate in rates]))] == one.completion
        for one, rates in zip(asked, rated, strict=True)
    ]
    assert found["pathei_location_seen"]["acc"] == pytest.approx(np.mean(right))


def test_lm_eval_is_given_something_to_ask(tmp_path: Path) -> None:
    with pytest.raises(LearningError, match="nothing for lm-eval"):
        write_tasks(tmp_path, [Example("1", "k", "Q:", " a")])
