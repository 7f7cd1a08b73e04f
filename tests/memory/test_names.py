"""What a question names with digits comes first, with every embedder."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.errors import DataError
from pathei.memory.embedders.registry import make_embedder
from pathei.memory.experience_memory import ExperienceMemory
from pathei.memory.items import Draft
from pathei.memory.retrieval.names import asked_names, share_named
from pathei.memory.retrieval.ranking import RankingConfig

NOTES = (
    *(f"The door code is {code}." for code in (4710, 4711, 4712, 4717, 471)),
    "The door code of the office is written on the back of the blue card.",
    *(f"Meeting in room {room}, at noon." for room in range(1, 15)),
    *(f"In house:{house}, cup {cup} is at first on table 12." for house in (2, 7, 12) for cup in (7, 8, 12)),
    *(f"Invoice 2024-0{number} was paid on 2024-05-{number}." for number in range(10, 20)),
    *(f"Anna's phone number is 0151 23456{number}." for number in range(10, 20)),
    "The loan is 1,200 euro.",
    "The loan is 1,300 euro.",
)
ASKED = {
    "4711": "The door code is 4711.",
    "which note has 4712?": "The door code is 4712.",
    "meeting in room 7": "Meeting in room 7, at noon.",
    "where is cup 8 in house:7?": "In house:7, cup 8 is at first on table 12.",
    "In house 12, where is the cup 7?": "In house:12, cup 7 is at first on table 12.",
    "invoice 2024-013": "Invoice 2024-013 was paid on 2024-05-13.",
    "what was paid on 2024-05-17": "Invoice 2024-017 was paid on 2024-05-17.",
    "0151 2345614": "Anna's phone number is 0151 2345614.",
    "a loan of 1200 euro": "The loan is 1,200 euro.",
}


@pytest.mark.parametrize("name", ["ngrams", "minilm"])
def test_numbers_come_first(name: str, tmp_path: Path) -> None:
    """The note with the number that is asked for is the first, among notes that differ in a digit."""
    try:
        embedder = make_embedder(name)
    except DataError as error:
        pytest.skip(str(error))
    with ExperienceMemory.open(tmp_path, embedder=embedder) as memory:
        memory.add_drafts(Draft("fact", note, "") for note in NOTES)
        found = {question: memory.query(question, 1)[0].item.draft.text for question in ASKED}
        assert found == ASKED
        assert "names" not in memory.query("the code of the office", 1)[0].scores
        assert "names" not in memory.query("4711", 1, ranking=RankingConfig(names=0))[0].scores


@given(st.text(), st.text())
def test_a_text_names_what_it_names(text: str, other: str) -> None:
    """A share is from 0 to 1; a text names everything that a question of the same words asks for."""
    asked = asked_names(text)
    assert 0.0 <= share_named(asked, other) <= 1.0
    best = share_named(asked, text)
    assert best >= share_named(asked, other)
    assert (best > 0.0) == bool(asked)


@pytest.mark.parametrize(
    ("question", "near", "far"),
    [
        ("gate 12", "Gate 12 is closed.", "Room 12 is closed."),
        ("house:7", "In house:7 it is cold.", "In house:17 it is cold, 7 times."),
        ("7 days", "Wait 7 days.", "Wait 17 days."),
        ("4711", "The code A-4711.", "The code A-47110."),
    ],
)
def test_nearer_names_share_more(question: str, near: str, far: str) -> None:
    """The word before counts, and parts of numbers do not."""
    asked = asked_names(question)
    assert share_named(asked, near) > share_named(asked, far)
