"""What is merged, and what never: labelled pairs, and a memory that must still find both of each."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.benchmarks.memory.sameness import DIFFERENT, SAME
from pathei.memory import Draft, ExperienceMemory, UpkeepConfig
from pathei.memory.embedders.registry import make_embedder
from pathei.memory.sameness import canonical, said


@pytest.mark.parametrize("kind", DIFFERENT)
def test_what_says_something_else_is_kept_and_found(tmp_path: Path, kind: str) -> None:
    with ExperienceMemory.open(tmp_path, embedder=make_embedder("ngrams")) as memory:
        for one, other in DIFFERENT[kind]:
            ids = memory.add_drafts([Draft("fact", one, ""), Draft("fact", other, "")])
            memory.consolidate(UpkeepConfig())
            assert ids[0] != ids[1]
            for text in (one, other):
                assert text in [hit.item.draft.text for hit in memory.query(text, 4)]


def test_what_says_the_same_is_kept_once(tmp_path: Path) -> None:
    with ExperienceMemory.open(tmp_path, embedder=make_embedder("ngrams")) as memory:
        for one, other in SAME:
            first, second = memory.add_drafts([Draft("fact", one, ""), Draft("fact", other, "")])
            assert first == second
            assert memory.get(first).seen == 2


@given(st.lists(st.sampled_from(["The", "the", "a", "an", "China", "china", "is.", "few", "x!", " ", "É"]), max_size=5))
def test_texts_that_say_the_same_are_found_by_their_hash(words: list[str]) -> None:
    text = " ".join(words)
    for form in (f" {text} ", text.removesuffix("."), text.replace("an ", "a "), text[:1].lower() + text[1:]):
        if canonical(form) == canonical(text):
            assert said(form) == said(text)


@given(st.text(), st.text())
def test_only_equal_words_say_the_same(one: str, other: str) -> None:
    if canonical(one) == canonical(other):
        assert said(one) == said(other)
    assert 0 <= said(one) < 1 << 63
