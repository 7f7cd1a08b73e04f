"""Goals in words: what a world says of its goals is read back, and what cannot be read is refused in a sentence."""

from collections.abc import Iterator

import pytest

from pathei.envs.facts import ConditionJson, FactGraph
from pathei.envs.facts.sentences import HELD, OPENED, PLACED, choose_kind, read_sentences, read_some
from pathei.envs.graph_goals import GraphGoals, GraphGoalSpace, edge, state
from pathei.errors import GoalError, GoalHoldsError

ROWS = (*HELD, *PLACED, *OPENED)
KINDS = ("red key", "blue key", "chest", "table", "apple")


def read(text: str) -> list[ConditionJson]:
    return list(read_sentences(text, ROWS, lambda name: choose_kind(name, KINDS)))


HELD_APPLE = edge("character", "HOLDS", "apple")
OPEN, CLOSED = state("chest", "OPEN"), state("chest", "CLOSED")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Open the chest.", [OPEN]),
        ("could you open the chest, please?", [OPEN]),
        ("the chest is open and the apple is in it", [OPEN, edge("apple", "INSIDE", "chest")]),
        ("open the chest, take the apple and put it on the table", [OPEN, edge("apple", "ON", "table")]),
        ("open the chest, take the apple out of it and close the chest", [HELD_APPLE, CLOSED]),
        ("don't hold the apple", [{"not": edge("character", "HOLDS", "apple")}]),
        ("the chest is not open", [{"not": OPEN}]),
        (
            "put the red key and the blue key on the table",
            [edge("red key", "ON", "table"), edge("blue key", "ON", "table")],
        ),
        ("hold two apples", [{**edge("character", "HOLDS", "apple"), "count": 2}]),
        ("every apple is in the chest", [{**edge("apple", "INSIDE", "chest"), "count": "all"}]),
    ],
)
def test_what_a_sentence_states(text: str, wanted: list[ConditionJson]) -> None:
    assert read(text) == wanted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("take a key", "'key' may be blue key or red key"),
        ("open the fridge", "there is no 'fridge'"),
        ("dance with the chest", "'dance with the chest' is not understood"),
        ("open the chest or take the apple", "'or' is not understood"),
        ("open it", "'it' has no thing before it"),
        ("put the chest in the chest", "next to itself"),
        ("open the chest. Then close it.", "open, and then closed. .* order of what is done cannot be said"),
        ("close the chest and open the chest", "closed, and then open"),
        ("open the chset", r"there is no 'chset' here \(did you mean chest\?\)"),
        ("open the nest", "there is no 'nest' here\\.$"),
        ("  ", "The goal is empty"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, message: str) -> None:
    with pytest.raises(GoalError, match=message):
        read(text)


def test_some_clauses_are_read_where_others_are_not() -> None:
    assert read_some("whistle a tune. open the chest. sing", ROWS, str) == (OPEN,)


def possible(graph: FactGraph) -> Iterator[ConditionJson]:
    for kind in ("chest", "box"):
        yield from (state(kind, "OPEN"), state(kind, "CLOSED"))
    yield edge("character", "HOLDS", "key")
    yield edge("key", "ON", "box")


def test_a_goal_space_reads_what_it_says() -> None:
    kinds = {1: "character", 2: "chest", 3: "box", 4: "key"}
    graph = FactGraph.of_facts([(2, "CLOSED", None), (3, "OPEN", None)], kinds, (), (1,))
    space = GraphGoalSpace(graph, GraphGoals(possible, rows=ROWS))
    for words in (
        "the chest is open",
        "the box is closed",
        "you hold the key",
        "the key is on the box",
        "the box is not open",
    ):
        found = space.read(f"please see to it that {words}")
        assert found.goal.text.rstrip(".").lower() == words
    with pytest.raises(GoalHoldsError, match="holds already: the box is open"):
        space.read("the box is open")
    with pytest.raises(GoalError, match="contradicts itself"):
        space.read("the chest is open and the chest is not open")
    with pytest.raises(GoalError, match="it takes 2 of 'key', and there is 1"):
        space.read("hold two keys")
    assert "is said in words" in space.grammar()


def test_it_is_the_place_where_something_is_opened_or_closed() -> None:
    assert read("put the apple in the chest and close it")[1] == {"node": {"class": "chest"}, "state": "CLOSED"}
    assert read("take the apple, put it in the chest and close it")[-1] == CLOSED


def test_a_row_whose_names_are_unknown_gives_way_to_the_next() -> None:
    assert read("carry the apple into the chest") == read("put the apple in the chest")
    assert read("take the apple to the chest") == read("put the apple in the chest")
