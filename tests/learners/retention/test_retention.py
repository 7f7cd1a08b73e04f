"""What a model should still know: text that no method saw, questions with one answer, and how both are measured."""

from pathlib import Path

import numpy as np
import pytest

from pathei.learners.evaluation.evaluate import PARTS, evaluate
from pathei.learners.evaluation.metrics import chosen, rate_choices
from pathei.learners.models.stdlib_text import stdlib_text
from pathei.learners.retention.measure import CHAT, PLAIN, TEXTS, answer_questions, measure_retention
from pathei.learners.retention.questions import knowledge_questions
from pathei.learners.retention.texts import retention_texts
from pathei.tests.support.tiny_language import tiny_examples, tiny_model, tiny_tokenizer
from pathei.views.pareto import evaluation_table

pytest.importorskip("torch")

TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}</>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def test_the_questions_are_many_and_each_has_its_answer_once() -> None:
    questions = knowledge_questions()
    assert len(questions) >= 300
    assert len({one.prompt for one in questions}) == len({one.id for one in questions}) == len(questions)
    for one in questions:
        assert len(set(one.choices)) == 4
        assert one.choices.count(one.completion) == 1
    places = [one.choices.index(one.completion) for one in questions]
    assert min(np.bincount(places)) > len(questions) / 8, "the right option stands anywhere"
    assert knowledge_questions() == questions, "they are always the same"


def test_no_method_sees_the_texts() -> None:
    kept, learned = retention_texts(), "\n".join(stdlib_text().train)
    assert all(len(texts) == 40 for texts in kept)
    assert not any(text in learned for text in kept.prose)
    assert all("def " in text and '"""' not in text.partition("\n")[2][:60] for text in kept.code)
    assert all(one.question.endswith("?") and one.answer for one in kept.dialogue)


@pytest.mark.parametrize("chat", [False, True])
def test_a_question_read_once_is_answered_as_if_it_was_read_for_every_choice(chat: bool) -> None:
    model, tokenizer = tiny_model(n_positions=512), tiny_tokenizer()
    questions = knowledge_questions(4)
    whole = rate_choices(model, tokenizer, questions)
    plain = [chosen("choice", one, rates) for one, rates in zip(questions, whole, strict=True)]
    if not chat:
        assert answer_questions(model, tokenizer, questions, chat=False, batch=5) == plain
        return
    before, tokenizer.chat_template = tokenizer.chat_template, TEMPLATE
    try:
        asked = answer_questions(model, tokenizer, questions, chat=True, batch=3)
        assert asked == answer_questions(model, tokenizer, questions, chat=True, batch=28)
    finally:
        tokenizer.chat_template = before


def test_a_chat_model_is_asked_in_both_forms() -> None:
    model, tokenizer = tiny_model(n_positions=512), tiny_tokenizer()
    before, tokenizer.chat_template = tokenizer.chat_template, TEMPLATE
    try:
        found = measure_retention(model, tokenizer, texts=2, per_topic=2)
    finally:
        tokenizer.chat_template = before
    assert set(found.knowledge) == {PLAIN, CHAT}
    assert set(found.texts) == set(TEXTS)
    summary = found.summary()
    assert set(summary["bits_per_byte"]) == set(TEXTS)
    assert summary["knowledge"][CHAT]["n"] == 18


def test_an_evaluation_tells_what_is_kept_beside_the_base(tmp_path: Path) -> None:
    model, tokenizer = tiny_model(n_positions=512), tiny_tokenizer()
    told: list[str] = []
    found = evaluate(model, tokenizer, tiny_examples(2), base=model, folder=tmp_path, watch=told.append, retention=True)
    assert found.retention == found.base_retention
    parts = {f"{name}{of}" for name in (*TEXTS, PLAIN) for of in ("", " of the base")}
    assert parts <= set(told)
    assert len((tmp_path / PARTS).read_bytes().splitlines()) == len(told)
    table = evaluation_table({"tuned": found})
    assert {"prose", "code", "dialogue", PLAIN} <= set(table.columns[0]._cells)
