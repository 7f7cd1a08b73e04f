"""Plans two by two: every plan is learned once as the last one, behind a similar one or any other."""

from __future__ import annotations

import numpy as np

from pathei.learners.examples import Example
from pathei.learners.training.pairs import paired


def example(goal: str) -> Example:
    return Example(goal, "plan-bare", f"Goal: {goal}\nPlan:", f" Do {goal}.")


EXAMPLES = [
    example(f"{verb} the {thing}") for verb in ("wash", "fetch", "hide") for thing in ("cup", "hat", "key", "pan")
]


def test_every_example_ends_a_conversation_behind_another_one() -> None:
    found = paired(EXAMPLES, np.random.default_rng(0))
    assert [one.id for one in found] == [one.id for one in EXAMPLES]
    for one, whole in zip(EXAMPLES, found, strict=True):
        assert [turn.role for turn in whole.turns] == ["user", "assistant"] * 2
        assert [turn.text for turn in whole.turns[2:]] == [one.prompt, one.completion.strip()]
        assert whole.turns[0].text != one.prompt
        assert not whole.prompt


def test_half_of_them_begin_with_a_similar_goal() -> None:
    found = [one for seed in range(40) for one in paired(EXAMPLES, np.random.default_rng(seed))]
    shared = [len(set(one.turns[0].text.split()) & set(one.turns[2].text.split())) for one in found]
    alike = sum(count == max(shared) for count in shared) / len(shared)
    assert 0.5 < alike < 0.9  # of 11 others 5 share as many words, too


def test_what_would_be_too_long_stands_alone() -> None:
    found = paired(EXAMPLES, np.random.default_rng(0), max_words=8)
    assert all(len(one.turns) == 2 for one in found)
