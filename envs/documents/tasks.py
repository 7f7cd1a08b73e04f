"""Tasks of the documents, what solves them, and what is there."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

from ...errors import ConfigError
from ...experience import Goal, Task
from ...stable_random import HashRandom
from ..contract import Requirement
from .screens import STDLIB, DocsReader, ReadingPosition, reader_named

ENV: Final = "pathei/Docs-v0"


def generate_tasks(n: int, seed: int) -> list[Task]:
    """Return questions on the embedded collection, in an order that belongs to the seed.

    Raises:
        ConfigError: more are asked for than there are.
    """
    return questions_of(STDLIB, n, seed)


def questions_of(collection: str, n: int, seed: int) -> list[Task]:
    """Return questions on a collection, `"stdlib"` or a folder of HTML; their order follows from the seed.

    Raises:
        ConfigError: more are asked for than there are.
        DataError: the collection cannot be read.
    """
    found = reader_named(collection).collection
    if n > len(found.questions):
        raise ConfigError(f"{found.name} suggests {len(found.questions)} questions: ask for no more, not for {n}.")
    options = {"collection": collection, "digest": found.digest}
    numbers = HashRandom("questions", seed).some(range(len(found.questions)), n)
    asked = [(number, found.questions[number]) for number in numbers]
    return [
        Task(f"docs:{found.digest}:{number}", ENV, 0, Goal(question.text, (question.condition(),)), options)
        for number, question in asked
    ]


def demonstration(task: Task) -> Sequence[str]:
    """Return the actions that follow links, or a search, to the page with the answer, and answer.

    Raises:
        ConfigError: the task names no page, or neither links nor the search lead there.
    """
    condition = task.goal.conditions[0] if task.goal.conditions else {}
    reader = reader_named(str(task.options.get("collection", STDLIB)))
    number = reader.collection.by_path.get(str(condition.get("page", "")))
    if number is None or not condition.get("answer"):
        raise ConfigError(f"The task {task.id!r} names no page and answer of {reader.collection.name}.")
    way = reader.collection.way(number)
    actions = _search(reader, number) if way is None else _links(reader, way)
    return [*actions, f"answer[{condition['answer'][0]}]"]


def check_documents() -> Sequence[Requirement]:
    """Look at what is there."""
    return [
        Requirement.packages("packages of the search", "lxml", "snowballstemmer", extra="shop"),
        Requirement("pages of the standard library", True, "written from this Python's own source files"),
    ]


def _links(reader: DocsReader, way: Sequence[int]) -> list[str]:
    """Return the actions that follow links from page to page."""
    actions = []
    for here, there in itertools.pairwise(way):
        for screen, seen in enumerate(reader.screens(ReadingPosition(here))):
            link = next((link for link in seen.links if link.target == there), None)
            if link is not None:
                actions += ["scroll[down]"] * screen + [f"click[{link.number}]"]
                break
    return actions


def _search(reader: DocsReader, number: int) -> list[str]:
    title = reader.collection.pages[number].title
    query = " ".join(title.translate(str.maketrans("[]", "  ")).split())
    for screen, seen in enumerate(reader.screens(ReadingPosition(-1, query))):
        link = next((link for link in seen.links if link.target == number), None)
        if link is not None:
            return [f"search[{query}]", *["scroll[down]"] * screen, f"click[{link.number}]"]
    raise ConfigError(f"Neither links nor the search lead to {title!r}.")
