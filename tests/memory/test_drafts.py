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
