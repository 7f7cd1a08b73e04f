"""Drafts whose fields are of another type are refused in a sentence, and the memory stays as it was."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from pathei.errors import MemoryStoreError
from pathei.memory.embedders.ngrams import NGramEmbedder
from pathei.memory.experience_memory import ExperienceMemory
from pathei.memory.items import Draft


@pytest.mark.parametrize("wrong", [{"data": None}, {"env": None}, {"key": 3}, {"time": "now"}, {"source": "x"}])
def test_a_field_of_another_type_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    draft = dataclasses.replace(Draft("fact", "The cup is red.", ""), **wrong)
    with ExperienceMemory.open(tmp_path / "memory", embedder=NGramEmbedder(8)) as memory:
        with pytest.raises(MemoryStoreError, match=f"its {next(iter(wrong))} is .*of another type"):
            memory.add_drafts([draft])
        assert not list(memory.items())


@pytest.mark.parametrize(
    "wrong",
    [{"data": {"score": [float("nan")]}}, {"time": 10**400}, {"expires": float("inf")}, {"data": {"a": object()}}],
)
def test_a_number_that_json_does_not_have_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    draft = dataclasses.replace(Draft("fact", "The cup is red.", ""), **wrong)
    with ExperienceMemory.open(tmp_path / "memory", embedder=NGramEmbedder(8)) as memory:
        with pytest.raises(MemoryStoreError, match=r"^(A draft cannot be remembered|The data of an item)"):
            memory.add_drafts([draft])
        assert not list(memory.items())


@pytest.mark.parametrize(("text", "k"), [(None, 3), (5, 3), ("cup", "3"), ("cup", 2.5)])
def test_a_query_of_another_type_is_refused(tmp_path: Path, text: Any, k: Any) -> None:
    with ExperienceMemory.open(tmp_path / "memory", embedder=NGramEmbedder(8)) as memory:
        memory.add_drafts([Draft("fact", "The cup is red.", "")])
        with pytest.raises(MemoryStoreError, match="A query is a text and a whole number of hits"):
            memory.query(text, k)
