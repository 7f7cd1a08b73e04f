"""Judging answers: words against words, runs, choices rated by a model; and answers generated in batches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.errors import LearningError
from pathei.learners.corpora.config import ALL_KINDS
from pathei.learners.evaluation.generation import first_line, generate
from pathei.learners.evaluation.metrics import (
    CHOICES,
    METRICS,
    MetricScores,
    chosen,
    compare,
    exact,
    longest_run,
    metrics_of,
    normalised,
    rate_choices,
    rouge,
)
from pathei.learners.examples import Example
from pathei.tests.support.tiny_language import TEXTS, small_model

torch = pytest.importorskip("torch")

ROOMS = ("kitchen", "bedroom", "hall", "bathroom")
PATHS = st.lists(st.sampled_from(ROOMS), min_size=1, max_size=6).map(", ".join)
WHERE = Example("1", "location", "The cup is in the bedroom. Q: Where is the cup?\nA:", " the bedroom")


def test_every_kind_of_corpus_has_its_metrics() -> None:
    assert set(METRICS) == set(ALL_KINDS)


@pytest.mark.parametrize(
    ("reference", "answer", "value"),
    [
        (" watch television", "Watch  television.", 1.0),
        (" watch television", "watch", 0.0),
        (" There are 2 items.", "there are 2 items", 1.0),
        (" a", "", 0.0),
    ],
)
def test_exact_is_the_whole_answer(reference: str, answer: str, value: float) -> None:
    assert exact(reference, answer) == compare("exact", reference, answer) == value


@given(text=st.text())
def test_normalising_twice_is_normalising_once(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)
    assert exact(text, f"  {normalised(text)} ") == 1.0


@pytest.mark.parametrize(
    ("reference", "answer", "value"),
    [
        ("bedroom, dining room", "bedroom, dining room", 1.0),
        ("bedroom, kitchen, hall", "kitchen, hall", 2 / 3),
        ("bedroom, kitchen, hall", "bedroom, hall", 1 / 3),
        ("bedroom", "kitchen, bedroom, hall, bath", 1 / 4),
        ("bedroom", "", 0.0),
    ],
)
def test_the_longest_run_has_no_gap(reference: str, answer: str, value: float) -> None:
    assert longest_run(reference, answer) == pytest.approx(value)


@given(first=PATHS, second=PATHS)
def test_the_longest_run_is_that_of_trying_all(first: str, second: str) -> None:
    one, two = first.split(", "), second.split(", ")
    runs = [one[i:j] for i in range(len(one)) for j in range(i + 1, len(one) + 1)]
    longest = max((len(run) for run in runs if any(two[k : k + len(run)] == run for k in range(len(two)))), default=0)
    assert longest_run(first, second) == longest_run(second, first) == longest / max(len(one), len(two))


def test_rouge_is_that_of_the_definition() -> None:
    # Stemmed: walk to the kitchen grab the cup / walk to the kitchen. Precision 1, recall 4/7; pairs 3 of 6 and of 3.
    found = rouge("Walk to the kitchen. Grab the cup.", "walked to the kitchens")
    assert found == pytest.approx({"rouge1": 8 / 11, "rouge2": 6 / 9, "rougeL": 8 / 11})


def test_a_choice_is_no_matter_of_words() -> None:
    with pytest.raises(LearningError, match="does not compare"):
        compare("choice", "a", "a")


def test_metrics_that_an_example_lacks_what_for_are_left_out() -> None:
    plan = Example("1", "plan", "P:", " Walk to the hall.")
    assert "goal" not in metrics_of(plan)
    assert metrics_of(plan)[0] == "rougeL"
    with_task = Example("1", "plan", "P:", " Walk to the hall.", source={"task": {}})
    assert metrics_of(with_task)[0] == "goal"
    assert not set(metrics_of(Example("1", "recognition", "P:", " a"))) & CHOICES
    assert metrics_of(Example("1", "of my own", "P:", " a", choices=(" a", " b"))) == ("choice",)


def test_ratings_are_log_probabilities_after_the_prompt_and_after_none() -> None:
    model, tokenizer = small_model()
    choices = (" the kitchen", " the bedroom", " a")
    rated = rate_choices(model, tokenizer, [Example("1", "k", WHERE.prompt, choices[0], choices)], batch=2)[0]

    def log_p(prompt: str, choice: str) -> tuple[float, int]:
        before, whole = tokenizer(prompt)["input_ids"], tokenizer(prompt + choice)["input_ids"]
        assert whole[: len(before)] == before
        with torch.no_grad():
            logs = model(input_ids=torch.tensor([whole])).logits[0].log_softmax(-1)
        return sum(float(logs[i - 1, whole[i]]) for i in range(len(before), len(whole))), len(whole) - len(before)

    for one, choice in zip(rated, choices, strict=True):
        total, count = log_p(WHERE.prompt, choice)
        assert one == pytest.approx((total, total / count, total - log_p("Answer:", choice)[0]), rel=1e-4)


def test_the_right_choice_must_be_rated_highest() -> None:
    example = Example("1", "k", "Q:", " b", choices=(" a", " b"))
    by_mean = (MetricScores(-4, -2, -9), MetricScores(-3, -1, -10))
    assert chosen("choice", example, by_mean) == 1.0
    assert chosen("choice-lift", example, by_mean) == 0.0
    assert chosen("choice", example, (MetricScores(-1, -1, 0), MetricScores(-1, -1, 0))) == 0.0, (
        "of equals the first counts"
    )


def test_a_choice_that_does_not_fit_is_told() -> None:
    model, tokenizer = small_model()
    long = " bedroom" * 200
    with pytest.raises(LearningError, match="longer than the model's context"):
        rate_choices(model, tokenizer, [Example("1", "k", "Q:", long, choices=(long, " a"))])


def test_an_answer_is_the_first_line_and_the_same_in_any_batch() -> None:
    model, tokenizer = small_model()
    prompts = [WHERE.prompt, "The", *(text.partition("A:")[0] + "A:" for text in TEXTS[:3]), "The book " * 60]
    together = generate(model, tokenizer, prompts, max_new_tokens=12, batch=6)
    alone = [generate(model, tokenizer, [prompt], max_new_tokens=12, batch=1)[0] for prompt in prompts]
    assert together == alone
    assert all("\n" not in answer and answer == answer.strip() for answer in together)
    assert together[0], "the model was trained to answer"


def test_greedy_takes_the_likeliest_token_each_time() -> None:
    model, tokenizer = small_model()
    ids = tokenizer(WHERE.prompt)["input_ids"]
    said: list[int] = []
    for _ in range(12):
        with torch.no_grad():
            token = int(model(input_ids=torch.tensor([ids + said])).logits[0, -1].argmax())
        if token == tokenizer.eos_token_id:
            break
        said.append(token)
    expected = first_line(tokenizer.decode(said))
    assert generate(model, tokenizer, [WHERE.prompt], max_new_tokens=12) == [expected]


def test_beams_find_an_answer_that_is_as_likely_or_likelier() -> None:
    model, tokenizer = small_model()
    greedy, beams = (generate(model, tokenizer, ["The"], max_new_tokens=8, beams=n)[0] for n in (1, 4))
    assert beams
    assert isinstance(greedy, str)
